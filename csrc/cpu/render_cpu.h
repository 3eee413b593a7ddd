// Render a band of rows: refine the field along the luma, solve the color, write the codes.
//
// For each chroma sample, with Y' the mean luma under it:
//
//   (a, b) = Σ_ij w_i w_j (r(L(Y') − g_ij) + floor) c_ij / Σ_ij w_i w_j (r(L(Y') − g_ij) + floor)
//   (Cb, Cr) of the color with luma Y', hue and chroma of (a, b): gamut.h
//
// over the 3×3 nearest cells, w of the B-spline and r of joint_bilateral.h.
//
// Rows that share the nearest low-resolution row share all tap values, so these are laid out once
// for a block of columns and each row then only reads them.  (a, b) stay relative to the neutral
// color, which is what gamut.h wants, and are divided by the weights only there.  A block goes
// through one stage after the other in the L1 cache.  Range weights are kept times 2^90: a sum of
// nine that all are smallest stays a normal number, and no test is needed.
#pragma once

#include "../joint_bilateral.h"
#include "color_cpu.h"
#include "kernels.h"
#include "lanes.h"
#include "site_means.h"

namespace pycolor {
namespace {

// Of a block of kColumns, whose taps stay in the L1 cache.  Nine rows: a band of 1080p over 64
// low-resolution rows is one block, of 2160p two.
constexpr int kRows = kRun / kColumns;

// The taps of 16 output samples in one low-resolution row: guide, and chroma times column weight;
// `floor` holds the floor's part of both sums.
struct RowTaps {
  Lanes guide[3], a[3], b[3], floor_a, floor_b;
};
// Column weights and three rows of taps: 36 vectors, 2.3 KB, for 16 columns.
struct BlockTaps {
  Lanes weight[3];
  RowTaps row[3];
};

// low[index] where all 16 indices lie within 16 samples of each other; else a gather.
static PYCOLOR_HD Lanes fetch(const float* low, int32_t base, int near, Index index) {
  return near ? pick(low + base, offset(index, -base)) : gather(low, index);
}

// The taps of the 16 samples from `column` on, for output rows that are nearest to `nearest`.
void lay_out(const RenderJob& job, int64_t frame, int64_t nearest, int64_t column, BlockTaps& t) {
  // 16 output samples are near each other where the field is coarser than they are: then one
  // register holds all the samples that they need.
  const int32_t base = static_cast<int32_t>(job.taps.sample[0][column]);
  const int near = static_cast<int32_t>(job.taps.sample[2][column + 15]) - base < 16;
  for (int i = 0; i < 3; ++i) t.weight[i] = load(job.taps.weight[i] + column);
  for (int j = 0; j < 3; ++j) {
    int64_t y = nearest + j - 1;
    y = y < 0 ? 0 : y >= job.low.height ? job.low.height - 1 : y;
    const float* guide = job.low.plane(frame, 0, y);
    const float* a = job.low.plane(frame, 1, y);
    const float* b = job.low.plane(frame, 2, y);
    RowTaps& r = t.row[j];
    Lanes sum_a(0.0f), sum_b(0.0f);
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) {
      const Index index = to_index(load(job.taps.sample[i] + column));
      r.guide[i] = fetch(guide, base, near, index);
      r.a[i] = t.weight[i] * fetch(a, base, near, index);
      r.b[i] = t.weight[i] * fetch(b, base, near, index);
      sum_a = sum_a + r.a[i];
      sum_b = sum_b + r.b[i];
    }
    r.floor_a = Lanes(kExp2Scale * job.refinement.floor) * sum_a;
    r.floor_b = Lanes(kExp2Scale * job.refinement.floor) * sum_b;
  }
}

void column_taps(const RenderJob& job, const ColumnTaps& taps) {
  const int shift = job.code.column_shift;
  const float low_width = static_cast<float>(job.low.width), width = static_cast<float>(job.width);
  float ahead[16];
  for (int i = 0; i < 16; ++i) ahead[i] = static_cast<float>(i << shift);
  const Lanes last(static_cast<float>((job.columns - 1) << shift));
  for (int64_t i = 0; i < job.columns; i += 16) {
    const Lanes column = min(load(ahead) + Lanes(static_cast<float>(i << shift)), last);
    const Lanes at = low_coordinate(column + Lanes(job.code.center_column), low_width, width);
    const Lanes nearest = floor(at + Lanes(0.5f));
    const SplineTaps<Lanes> weight = spline_taps(at - nearest);
    store(taps.weight[0] + i, weight.before);
    store(taps.weight[1] + i, weight.nearest);
    store(taps.weight[2] + i, weight.after);
    for (int k = 0; k < 3; ++k) {
      const Lanes sample = nearest + Lanes(static_cast<float>(k - 1));
      store(taps.sample[k] + i, min(max(sample, Lanes(0.0f)), Lanes(low_width - 1.0f)));
    }
  }
}

// Bounded so that 2^90 times it, nine times, is still a float.
void low_chroma(const float* from, int64_t stride, int64_t count, float unit, float* to) {
  for (int64_t x = 0; x < count; x += 16) {
    const Lanes value = load_samples(from + x * stride, stride, count - x);
    const Lanes bounded = min(max(value, Lanes(-1e6f)), Lanes(1e6f)) * Lanes(unit);
    store(to + x, select(abs(value) < Lanes(__builtin_inff()), bounded, Lanes(0.0f)));
  }
}

// The refined chroma of 16 samples, as (p, q) of gamut.h, with the given scaled lightness and row
// weights.  Range weights are times 2^90.
template <bool far>
static PYCOLOR_HD RelativeChroma<Lanes> refine(const BlockTaps& t, const SplineTaps<float>& rows,
                                               float floor, Lanes guide, Lanes neutral) {
  const float w[3] = {rows.before, rows.nearest, rows.after};
  Lanes total_a(0.0f), total_b(0.0f), total(kExp2Scale * floor);
#pragma GCC unroll 3
  for (int j = 0; j < 3; ++j) {
    const RowTaps& r = t.row[j];
    Lanes sum_a = r.floor_a, sum_b = r.floor_b, sum(0.0f);
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) {
      const Lanes difference = guide - r.guide[i];
      Lanes exponent = fnma(difference, difference, Lanes(0.0f));
      if constexpr (far) exponent = max(exponent, Lanes(-210.0f));
      const Lanes e = exp2_scaled(exponent);
      sum = fma(e, t.weight[i], sum);
      sum_a = fma(e, r.a[i], sum_a);
      sum_b = fma(e, r.b[i], sum_b);
    }
    total = fma(Lanes(w[j]), sum, total);
    total_a = fma(Lanes(w[j]), sum_a, total_a);
    total_b = fma(Lanes(w[j]), sum_b, total_b);
  }
  const Lanes inverse = Lanes(1.0f) / (total * neutral);
  return {total_a * inverse, total_b * inverse};
}

// Writes the codes of a row of the run, which begins at `at`.
template <class T>
void put_colors(const RenderJob& job, int64_t frame, int64_t row, int64_t column, int64_t count,
                const ColorRun& run, int64_t at) {
  const FrameCode code = job.code;  // which no store below can change
  const int planes = job.rgb ? 3 : 2;
  T* out[3];
  int64_t step[3];
  for (int k = 0; k < planes; ++k) {
    const int64_t* stride = job.out_stride[k];
    out[k] = static_cast<T*>(job.out[k]) + frame * stride[0] + row * stride[1] + column * stride[2];
    step[k] = stride[2];
  }
  if (planes == 3) {
    const Lanes top(code.top);
    for (int64_t c = 0; c < count; c += 16) {
      const Triple<Lanes> rgb = rgb_of(code.luma, load(run.level + at + c), color_at(run, at + c));
      put(out[0] + c * step[0], step[0], count - c, rgb.x * top);
      put(out[1] + c * step[1], step[1], count - c, rgb.y * top);
      put(out[2] + c * step[2], step[2], count - c, rgb.z * top);
    }
    return;
  }
  for (int64_t c = 0; c < count; c += 16) {
    const ColorDifference<Lanes> color = color_at(run, at + c);
    put(out[0] + c * step[0], step[0], count - c, chroma_code(code, color.blue, code.luma.kb));
    put(out[1] + c * step[1], step[1], count - c, chroma_code(code, color.red, code.luma.kr));
  }
}

// far: range weights may fall below what exp2_scaled has room for.
// A block of columns of a band of kRows at most.
template <class T, bool far>
void render_block(const RenderJob& job, int64_t frame, const Band& band, int64_t column,
                  int64_t count, const BlockTaps* taps) {
  const T* luma = static_cast<const T*>(job.luma) + frame * job.luma_stride[0];
  const int64_t padded = (count + 15) / 16 * 16;
  ColorRun run;
  for (int64_t y = band.first, at = 0; y < band.last; ++y, at += padded) {
    const float offset = job.low_row(y) - static_cast<float>(band.nearest);
    const SplineTaps<float> rows = spline_taps(offset);
    site_means(job, luma, y, column, count, run.level + at);
    for (int64_t c = at; c < at + padded; c += 16) {
      const Lanes level = luma_of_code(job.code, load(run.level + c));
      store(run.level + c, level);
      store(run.neutral + c, neutral_f(level));
    }
    for (int64_t c = 0; c < padded; c += 16) {
      const Lanes neutral = load(run.neutral + at + c);
      const Lanes lightness = fma(Lanes(116.0f), neutral, Lanes(-16.0f));
      const Lanes guide = lightness * Lanes(job.refinement.range_scale);
      const RelativeChroma<Lanes> chroma =
          refine<far>(taps[c / 16], rows, job.refinement.floor, guide, neutral);
      store(run.p + at + c, chroma.p);
      store(run.q + at + c, chroma.q);
    }
  }
  find_colors(job.gamut, run, (band.last - band.first) * padded);
  for (int64_t y = band.first, at = 0; y < band.last; ++y, at += padded)
    put_colors<T>(job, frame, y, column, count, run, at);
}

// Blocks of columns, and of rows where the band is tall.
template <class T, bool far>
void render_band(const RenderJob& job, int64_t frame, const Band& band) {
  alignas(64) BlockTaps taps[kColumns / 16];
  const int64_t rows = band.last - band.first, parts = (rows + kRows - 1) / kRows;
  for (int64_t column = 0; column < job.columns; column += kColumns) {
    const int64_t left = job.columns - column, count = left < kColumns ? left : kColumns;
    for (int64_t c = 0; c < count; c += 16)
      lay_out(job, frame, band.nearest, column + c, taps[c / 16]);
    for (int64_t i = 0; i < parts; ++i) {
      const Band part = {band.first + rows * i / parts, band.first + rows * (i + 1) / parts,
                         band.nearest};
      render_block<T, far>(job, frame, part, column, count, taps);
    }
  }
}

void render(const RenderJob& job, int64_t frame, const Band& band) {
  // Guides differ by 100·scale at most.  Its square must stay below 210.
  const bool far = job.refinement.range_scale > 0.1445f;
  if (job.is_uint16) {
    if (far) return render_band<uint16_t, true>(job, frame, band);
    return render_band<uint16_t, false>(job, frame, band);
  }
  if (far) return render_band<uint8_t, true>(job, frame, band);
  render_band<uint8_t, false>(job, frame, band);
}

}  // namespace
}  // namespace pycolor
