// Render a band of rows: refine the field along the luma, solve the color, write the codes.
//
// Rows that share the nearest low-resolution row share all tap values, so these are laid out once
// for a block of columns and each row then only reads them.
#pragma once

#include "../joint_bilateral.h"
#include "kernels.h"
#include "lanes.h"

namespace pycolor {
namespace {

constexpr int kBlock = 8;  // vectors of a block of columns: its taps stay in the L1 cache

// The taps of 16 output samples in one low-resolution row: guide, and chroma times column weight;
// `floor` holds the floor's part of both sums.
struct RowTaps {
  Lanes guide[3], a[3], b[3], floor_a, floor_b;
};
struct BlockTaps {
  Lanes weight[3];
  RowTaps row[3];
};

// low[index] where all 16 indices lie within 16 samples of each other; else a gather.
PC_FN Lanes fetch(const float* low, int32_t base, int near, Index index) {
  return near ? pick(low + base, offset(index, -base)) : gather(low, index);
}

void lay_out(const RenderJob& job, int64_t frame, int64_t nearest, int64_t column, BlockTaps& t) {
  const int32_t* at[3] = {job.taps.index[0] + column, job.taps.index[1] + column,
                          job.taps.index[2] + column};
  const int32_t base = at[0][0];
  const int near = at[2][15] - base < 16;
  for (int i = 0; i < 3; ++i) t.weight[i] = load(job.taps.weight[i] + column);
  for (int j = 0; j < 3; ++j) {
    int64_t y = nearest + j - 1;
    y = y < 0 ? 0 : y >= job.low.height ? job.low.height - 1 : y;
    const float* guide = job.low.plane(frame, 0, y);
    const float* a = job.low.plane(frame, 1, y);
    const float* b = job.low.plane(frame, 2, y);
    RowTaps& r = t.row[j];
    Lanes sum_a(0.0f), sum_b(0.0f);
    for (int i = 0; i < 3; ++i) {
      const Index index = load_index(at[i]);
      r.guide[i] = fetch(guide, base, near, index);
      r.a[i] = t.weight[i] * fetch(a, base, near, index);
      r.b[i] = t.weight[i] * fetch(b, base, near, index);
      sum_a = sum_a + r.a[i];
      sum_b = sum_b + r.b[i];
    }
    r.floor_a = Lanes(job.refinement.floor) * sum_a;
    r.floor_b = Lanes(job.refinement.floor) * sum_b;
  }
}

// Mean luma code under 16·kBlock output samples from `column` on, in the given output row.
template <class T>
PC_FN void site_means(const RenderJob& job, const T* luma, int64_t row, int64_t column,
                      int64_t count, float* out) {
  constexpr int64_t most = 16 * kBlock * 4 + 32;
  float sums[most];
  const int shift = job.code.column_shift;
  const int64_t x0 = (column << shift) + job.site_columns.first;
  const int64_t needed = ((count - 1) << shift) + job.site_columns.count;
  const T* rows[5];
  const int64_t y0 = (row << job.code.row_shift) + job.site_rows.first;
  for (int k = 0; k < job.site_rows.count; ++k) {
    int64_t y = y0 + k;
    y = y < 0 ? 0 : y >= job.height ? job.height - 1 : y;
    rows[k] = luma + y * job.luma_stride[1];
  }
  auto one = [&](int64_t i) {
    int64_t x = x0 + i;
    x = x < 0 ? 0 : x >= job.width ? job.width - 1 : x;
    float s = 0;
    for (int k = 0; k < job.site_rows.count; ++k) s += job.site_rows.weight[k] * rows[k][x];
    sums[i] = s;
  };
  int64_t i = 0;
  for (; i < needed && x0 + i < 0; ++i) one(i);
  for (; i < needed && x0 + i + 16 <= job.width && i + 16 <= most; i += 16) {
    Lanes s(0.0f);
    for (int k = 0; k < job.site_rows.count; ++k)
      s = fma(Lanes(job.site_rows.weight[k]), load(rows[k] + x0 + i), s);
    store(sums + i, s);
  }
  for (; i < needed; ++i) one(i);
  for (; i < most; ++i) sums[i] = 0;
  for (int64_t c = 0; c < count; c += 16) {
    Lanes s(0.0f);
    for (int k = 0; k < job.site_columns.count; ++k)
      s = fma(Lanes(job.site_columns.weight[k]), load_apart(sums + (c << shift) + k, shift), s);
    store(out + c, s * Lanes(job.site_scale));
  }
}

// The refined (a, b) of 16 samples with the given scaled lightness and row weights.
PC_FN void refine(const BlockTaps& t, const SplineTaps<float>& rows, float floor, Lanes guide,
                  Lanes& a, Lanes& b) {
  const float w[3] = {rows.before, rows.nearest, rows.after};
  Lanes total_a(0.0f), total_b(0.0f), total(floor);
  for (int j = 0; j < 3; ++j) {
    const RowTaps& r = t.row[j];
    Lanes sum_a = r.floor_a, sum_b = r.floor_b, sum(0.0f);
    for (int i = 0; i < 3; ++i) {
      const Lanes e = range_weight(guide - r.guide[i]);
      sum = fma(e, t.weight[i], sum);
      sum_a = fma(e, r.a[i], sum_a);
      sum_b = fma(e, r.b[i], sum_b);
    }
    total = fma(Lanes(w[j]), sum, total);
    total_a = fma(Lanes(w[j]), sum_a, total_a);
    total_b = fma(Lanes(w[j]), sum_b, total_b);
  }
  const Lanes inverse = Lanes(1.0f) / total;
  a = total_a * inverse;
  b = total_b * inverse;
}

template <class T>
void render_typed(const RenderJob& job, int64_t frame, int64_t first_row, int64_t last_row) {
  const T* luma = static_cast<const T*>(job.luma) + frame * job.luma_stride[0];
  const FrameCode& code = job.code;
  T* out[3];
  for (int c = 0; c < 3; ++c) out[c] = static_cast<T*>(job.out[c]) + frame * job.out_stride[c][0];
  auto low_row = [&](int64_t row) {
    const float position = code.center_row + static_cast<float>(row << code.row_shift);
    return low_coordinate(position, static_cast<float>(job.low.height),
                          static_cast<float>(job.height));
  };
  auto nearest_of = [](float v) { return static_cast<int64_t>(__builtin_floorf(v + 0.5f)); };
  float mean[16 * kBlock];
  alignas(64) BlockTaps taps[kBlock];
  for (int64_t row = first_row; row < last_row;) {
    const int64_t nearest = nearest_of(low_row(row));
    int64_t end = row + 1;
    while (end < last_row && nearest_of(low_row(end)) == nearest) ++end;
    for (int64_t column = 0; column < job.columns; column += 16 * kBlock) {
      const int64_t left = job.columns - column;
      const int64_t count = left < 16 * kBlock ? left : 16 * kBlock;
      for (int64_t c = 0; c < count; c += 16)
        lay_out(job, frame, nearest, column + c, taps[c / 16]);
      for (int64_t y = row; y < end; ++y) {
        const SplineTaps<float> rows = spline_taps(low_row(y) - static_cast<float>(nearest));
        site_means(job, luma, y, column, count, mean);
        for (int64_t c = 0; c < count; c += 16) {
          const Lanes level = luma_of_code(code, load(mean + c));
          const Lanes neutral = neutral_f(level);
          const Lanes guide =
              fma(Lanes(116.0f), neutral, Lanes(-16.0f)) * Lanes(job.refinement.range_scale);
          Lanes a, b;
          refine(taps[c / 16], rows, job.refinement.floor, guide, a, b);
          const Triple<Lanes> rgb = rgb_of_luma(job.gamut, level, neutral, a, b);
          const int64_t x = column + c, n = count - c;
          auto at = [&](int k) {
            return out[k] + y * job.out_stride[k][1] + x * job.out_stride[k][2];
          };
          if (job.rgb) {
            const Lanes top(code.top);
            put(at(0), job.out_stride[0][2], n, rgb.x * top);
            put(at(1), job.out_stride[1][2], n, rgb.y * top);
            put(at(2), job.out_stride[2][2], n, rgb.z * top);
          } else {
            put(at(0), job.out_stride[0][2], n, chroma_code(code, rgb.z - level, code.luma.kb));
            put(at(1), job.out_stride[1][2], n, chroma_code(code, rgb.x - level, code.luma.kr));
          }
        }
      }
    }
    row = end;
  }
}

void render(const RenderJob& job, int64_t frame, int64_t first_row, int64_t last_row) {
  if (job.wide) return render_typed<uint16_t>(job, frame, first_row, last_row);
  render_typed<uint8_t>(job, frame, first_row, last_row);
}

}  // namespace
}  // namespace pycolor
