// Color over time: where in another frame the surrounding of each cell is, and what colors the key
// frames have there.
#pragma once

#include <cmath>
#include <cstring>

#include "image.h"

namespace pycolor {

constexpr int kMotionCell = 4;                                 // guide pixels a cell, each way
constexpr int kMotionMargin = 2;                               // of the block around its cell
constexpr int kMotionBlock = kMotionCell + 2 * kMotionMargin;  // 8

struct MotionJob {
  Image<const uint8_t> guide, reference;  // N×1×H×W of equal sizes
  Image<const float> start;               // N×2×h×w: (dy, dx) in pixels
  Image<float> flow;                      // N×2×h×w
  Image<float> cost;                      // N×1×h×w: mean absolute difference
  int radius;
  int penalty;  // on a step of one pixel away from the start, in sums of absolute differences
};

static PYCOLOR_HD int64_t clamped(int64_t i, int64_t size) {
  return i < 0 ? 0 : i < size ? i : size - 1;
}

static PYCOLOR_HD int nearest_pixel(float x) {
  const float limited = x < -8192.0f ? -8192.0f : x > 8192.0f ? 8192.0f : x == x ? x : 0.0f;
  const int whole = static_cast<int>(limited);  // toward zero
  const float rest = limited - static_cast<float>(whole);
  return rest >= 0.5f ? whole + 1 : rest <= -0.5f ? whole - 1 : whole;
}

// Whether the block lies in the picture, and its rows in one piece.
static PYCOLOR_HD bool is_inside(const Image<const uint8_t>& image, int64_t top, int64_t left) {
  return top >= 0 && left >= 0 && top + kMotionBlock <= image.size[2] &&
         left + kMotionBlock <= image.size[3] && image.stride[3] == 1;
}

// The block whose upper left pixel is (top, left), the border's pixels repeated beyond it.
static PYCOLOR_HD void load_block(const Image<const uint8_t>& image, int64_t frame, int64_t top,
                                  int64_t left, uint8_t* block) {
  const uint8_t* from = image.data + frame * image.stride[0];
  if (is_inside(image, top, left)) {
    for (int y = 0; y < kMotionBlock; ++y)
      memcpy(block + y * kMotionBlock, from + (top + y) * image.stride[2] + left, kMotionBlock);
    return;
  }
  for (int y = 0; y < kMotionBlock; ++y) {
    const uint8_t* row = from + clamped(top + y, image.size[2]) * image.stride[2];
    for (int x = 0; x < kMotionBlock; ++x)
      block[y * kMotionBlock + x] = row[clamped(left + x, image.size[3]) * image.stride[3]];
  }
}

struct PlainDifference {
  PYCOLOR_HD static int rows(const uint8_t* a, const uint8_t* b, int64_t stride) {
    int sum = 0;
    for (int y = 0; y < kMotionBlock; ++y) {
      for (int x = 0; x < kMotionBlock; ++x) {
        const int d = int{a[y * kMotionBlock + x]} - int{b[y * stride + x]};
        sum += d < 0 ? -d : d;
      }
    }
    return sum;
  }
};

// One cell: of all steps within `radius` of the start, the one with the least difference plus
// penalty; of equals the first in rows.  Differences are whole numbers, so every machine agrees.
template <class Difference>
static PYCOLOR_HD void match_cell(const MotionJob& job, int64_t n, int64_t cell_y, int64_t cell_x) {
  uint8_t block[kMotionBlock * kMotionBlock], other[kMotionBlock * kMotionBlock];
  const int64_t top = cell_y * kMotionCell - kMotionMargin;
  const int64_t left = cell_x * kMotionCell - kMotionMargin;
  load_block(job.guide, n, top, left, block);
  const Image<const float>& s = job.start;
  const float* start = s.data + n * s.stride[0] + cell_y * s.stride[2] + cell_x * s.stride[3];
  const int start_y = nearest_pixel(start[0]), start_x = nearest_pixel(start[s.stride[1]]);
  const Image<const uint8_t>& r = job.reference;
  const uint8_t* plane = r.data + n * r.stride[0];
  int best = 1 << 30, best_difference = 0, best_y = 0, best_x = 0;
  for (int step_y = -job.radius; step_y <= job.radius; ++step_y) {
    for (int step_x = -job.radius; step_x <= job.radius; ++step_x) {
      const int64_t y = top + start_y + step_y, x = left + start_x + step_x;
      int difference;
      if (is_inside(r, y, x)) {
        difference = Difference::rows(block, plane + y * r.stride[2] + x, r.stride[2]);
      } else {
        load_block(r, n, y, x, other);
        difference = Difference::rows(block, other, kMotionBlock);
      }
      const int away = (step_y < 0 ? -step_y : step_y) + (step_x < 0 ? -step_x : step_x);
      const int score = difference + job.penalty * away;
      if (score < best) {
        best = score;
        best_difference = difference;
        best_y = start_y + step_y;
        best_x = start_x + step_x;
      }
    }
  }
  float* flow = job.flow.data + n * job.flow.stride[0] + cell_y * job.flow.stride[2] +
                cell_x * job.flow.stride[3];
  flow[0] = static_cast<float>(best_y);
  flow[job.flow.stride[1]] = static_cast<float>(best_x);
  job.cost
      .data[n * job.cost.stride[0] + cell_y * job.cost.stride[2] + cell_x * job.cost.stride[3]] =
      static_cast<float>(best_difference) / (kMotionBlock * kMotionBlock);
}

struct CarryJob {
  Image<const float> chroma;  // K×2×h×w: the key frames' fields
  Image<const float> flow;    // K×2×h×w: to each key frame, in cells
  Image<const float> cost;    // K×1×h×w: how little the two frames are alike there
  const float* weight;        // K
  float cost_scale;           // 1 / (2σ²)
  float floor, growth;
  Image<float> out;  // 1×2×h×w
};

struct Chroma {
  float a, b;
};

// Bilinear between cells; the border's cells repeat beyond it.
static PYCOLOR_HD Chroma sample_chroma(const Image<const float>& image, int64_t n, float y,
                                       float x) {
  const float last_y = static_cast<float>(image.size[2] - 1);
  const float last_x = static_cast<float>(image.size[3] - 1);
  y = y > 0.0f ? y : 0.0f;  // NaN too
  x = x > 0.0f ? x : 0.0f;
  y = y < last_y ? y : last_y;
  x = x < last_x ? x : last_x;
  const int64_t top = static_cast<int64_t>(y), left = static_cast<int64_t>(x);
  const int64_t down = top + 1 < image.size[2] ? image.stride[2] : 0;
  const int64_t right = left + 1 < image.size[3] ? image.stride[3] : 0;
  const float fy = y - static_cast<float>(top), fx = x - static_cast<float>(left);
  const float* at =
      image.data + n * image.stride[0] + top * image.stride[2] + left * image.stride[3];
  float out[2];
  for (int c = 0; c < 2; ++c, at += image.stride[1]) {
    const float upper = at[0] + fx * (at[right] - at[0]);
    const float lower = at[down] + fx * (at[down + right] - at[down]);
    out[c] = upper + fy * (lower - upper);
  }
  return {out[0], out[1]};
}

// One cell: the weighted mean of the key frames' colors, as strong as they are on the mean (hues
// that differ would else gray each other), at most `growth` times the mean's chroma.
static PYCOLOR_HD void carry_cell(const CarryJob& job, int64_t y, int64_t x) {
  float weights = 0, a = 0, b = 0, strength = 0;
  for (int64_t k = 0; k < job.chroma.size[0]; ++k) {
    const Image<const float>& f = job.flow;
    const float* flow = f.data + k * f.stride[0] + y * f.stride[2] + x * f.stride[3];
    const Chroma c = sample_chroma(job.chroma, k, static_cast<float>(y) + flow[0],
                                   static_cast<float>(x) + flow[f.stride[1]]);
    const float cost =
        job.cost.data[k * job.cost.stride[0] + y * job.cost.stride[2] + x * job.cost.stride[3]];
    const float w = job.weight[k] * (expf(-cost * cost * job.cost_scale) + job.floor);
    weights += w;
    a += w * c.a;
    b += w * c.b;
    strength += w * sqrtf(c.a * c.a + c.b * c.b);
  }
  const float mean = sqrtf(a * a + b * b);  // × weights, as strength is
  float scale = mean > 0.0f ? strength / mean : 1.0f;
  scale = (scale < job.growth ? scale : job.growth) / weights;
  float* out = job.out.data + y * job.out.stride[2] + x * job.out.stride[3];
  out[0] = a * scale;
  out[job.out.stride[1]] = b * scale;
}

}  // namespace pycolor
