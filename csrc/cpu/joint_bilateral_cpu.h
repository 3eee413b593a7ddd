// The two joint bilateral filters as ops of their own, see ../joint_bilateral.h.
//
// joint_bilateral: rows are copied once with a border that weighs nothing (a guide of 1e18
// resembles no sample), so the inner loop has no tests; two channels share the weights.
// joint_bilateral_upsample: taps by gather, which any ratio of sizes allows; the renderer has its
// own, faster way for the ratios of video.
#pragma once

#include <algorithm>

#include "../joint_bilateral.h"
#include "kernels.h"
#include "lanes.h"
#include "pool.h"

namespace pycolor {
namespace {

// Columns of a strip.
constexpr int64_t kStrip = 128;
constexpr float kOutside = 1e18f;  // guide beyond the border: no sample resembles it

// Rows first − radius … last + radius − 1 of a plane times `scale`, with a border of `fill`; whole
// vectors of a padded row are written.
static PYCOLOR_HD void pad_rows(const float* plane, const int64_t* stride, int64_t height,
                                int64_t width, int64_t first, int64_t last, int radius,
                                int64_t padded, float scale, float fill, float* out) {
  for (int64_t y = first - radius; y < last + radius; ++y, out += padded) {
    if (y < 0 || y >= height) {
      std::fill(out, out + padded, fill);
      continue;
    }
    std::fill(out, out + radius, fill);
    const float* row = plane + y * stride[0];
    for (int64_t x = 0; x < width; x += 16)
      put(out + radius + x, 1, width - x,
          load_samples(row + x * stride[1], stride[1], width - x) * Lanes(scale));
    std::fill(out + radius + width, out + padded, fill);
  }
}

// One or two channels of rows first … last − 1. Rows are padded with a guide that resembles
// nothing, so samples beyond the border weigh 0 without a test.
template <int channels>
void joint_bilateral_group(const JointBilateralJob& job, int64_t frame, int64_t channel,
                           int64_t first, int64_t last) {
  const int64_t height = job.chroma.size[2], width = job.chroma.size[3];
  const int r = job.radius, window = 2 * r + 1;
  const int64_t padded = (width + 15) / 16 * 16 + 2 * r, rows = last - first + 2 * r;
  float* guide = scratch(Scratch::kWorker, static_cast<size_t>(rows * padded * (channels + 1)));
  float* chroma = guide + rows * padded;
  pad_rows(job.guide.data + frame * job.guide.stride[0], job.guide.stride + 2, height, width, first,
           last, r, padded, job.range_scale, kOutside, guide);
  for (int c = 0; c < channels; ++c) {
    const float* plane =
        job.chroma.data + frame * job.chroma.stride[0] + (channel + c) * job.chroma.stride[1];
    pad_rows(plane, job.chroma.stride + 2, height, width, first, last, r, padded, 1.0f, 0.0f,
             chroma + c * rows * padded);
  }
  // Down a strip of columns, so that the window's rows stay in the L1 cache.
  for (int64_t left = 0; left < width; left += kStrip) {
    const int64_t right = left + kStrip < width ? left + kStrip : width;
    for (int64_t y = first; y < last; ++y) {
      for (int64_t x = left; x < right; x += 16) {
        const int64_t corner = (y - first) * padded + x;
        const Lanes here = load(guide + corner + r * padded + r);
        Lanes weight(0.0f), total[channels];
        for (auto& t : total) t = Lanes(0.0f);
        for (int dy = 0; dy < window; ++dy) {
          const float* space = job.space + dy * window;
          int dx = 0, end = window;  // the disk's part of the row
          while (space[dx] < -1e30f) ++dx, --end;
          const float* from = guide + corner + dy * padded;
          const float* color = chroma + corner + dy * padded;
#pragma GCC unroll 3
          for (; dx < end; ++dx) {
            const Lanes d = load(from + dx) - here;
            const Lanes w = exp2_weight(fnma(d, d, Lanes(space[dx])));
            weight = weight + w;
#pragma GCC unroll 2
            for (int c = 0; c < channels; ++c)
              total[c] = fma(w, load(color + c * rows * padded + dx), total[c]);
          }
        }
        for (int c = 0; c < channels; ++c) {
          float* out = job.out.data + frame * job.out.stride[0] +
                       (channel + c) * job.out.stride[1] + y * job.out.stride[2] +
                       x * job.out.stride[3];
          put(out, job.out.stride[3], width - x, total[c] / weight);
        }
      }
    }
  }
}

// Two channels at a time: a and b share all weights, which cost most.
void joint_bilateral(const JointBilateralJob& job, int64_t frame, int64_t first, int64_t last) {
  int64_t channel = 0;
  for (; channel + 2 <= job.chroma.size[1]; channel += 2)
    joint_bilateral_group<2>(job, frame, channel, first, last);
  if (channel < job.chroma.size[1]) joint_bilateral_group<1>(job, frame, channel, first, last);
}

// Taps by gather; indices and weights come in tables over rows and (padded) columns.
void upsample(const UpsampleJob& job, int64_t frame, int64_t first, int64_t last) {
  const int64_t height = job.out.size[2], width = job.out.size[3];
  // Of the tables, whose rows are whole vectors.
  const int64_t columns = (width + 15) / 16 * 16;
  const int64_t* gs = job.guide.stride;
  const float* low = job.guide_low.data + frame * job.guide_low.stride[0];
  for (int64_t y = first; y < last; ++y) {
    for (int64_t x = 0; x < width; x += 16) {
      float lanes[16];
      const float* from = job.guide.data + frame * gs[0] + y * gs[2];
      for (int64_t i = 0; i < 16; ++i)
        lanes[i] = from[(x + i < width ? x + i : width - 1) * gs[3]] * job.range_scale;
      const Lanes here = load(lanes);
      for (int64_t c = 0; c < job.out.size[1]; ++c) {
        const float* chroma =
            job.chroma.data + frame * job.chroma.stride[0] + c * job.chroma.stride[1];
        Lanes weight(0.0f), total(0.0f);
        for (int j = 0; j < job.taps; ++j) {
          const int64_t row = job.row_index[j * height + y];
          const Lanes wy(job.row_weight[j * height + y]);
          for (int i = 0; i < job.taps; ++i) {
            const Index at = load_index(job.column_index + i * columns + x);
            const Lanes wx = wy * load(job.column_weight + i * columns + x);
            const Index guide_at = times(at, static_cast<int32_t>(job.guide_low.stride[3]));
            const Index chroma_at = times(at, static_cast<int32_t>(job.chroma.stride[3]));
            const Lanes g = gather(low + row * job.guide_low.stride[2], guide_at);
            const Lanes d = here - g * Lanes(job.range_scale);
            const Lanes w = wx * (range_weight(d) + Lanes(job.floor));
            weight = weight + w;
            total = fma(w, gather(chroma + row * job.chroma.stride[2], chroma_at), total);
          }
        }
        float* out = job.out.data + frame * job.out.stride[0] + c * job.out.stride[1] +
                     y * job.out.stride[2] + x * job.out.stride[3];
        put(out, job.out.stride[3], width - x, total / weight);
      }
    }
  }
}

}  // namespace
}  // namespace pycolor
