// The mean luma code under each chroma sample of a row, which is what its color is solved for.
//
//   mean(r, c) = scale Σ_k Σ_l u_k v_l luma(r 2^m + first_row + k, c 2^n + first_column + l)
//
// with the row weights u and column weights v of the film's siting (SiteTaps in kernels.h, at most
// five each), the shifts m and n of its subsampling, and scale = 1 / Σ_k Σ_l u_k v_l.  Beyond the
// picture its border repeats.
//
// The weights are a product, so the rows are summed first, as wide as the luma, then the columns
// at each output sample.  The usual boxes of 4:2:0 and 4:2:2 have whole and half weights and are
// summed as integers.
#pragma once

#include "kernels.h"
#include "lanes.h"

namespace pycolor {
namespace {

// Output samples at a time.
constexpr int kColumns = 128;

// Σ weight·luma over the rows of a site, for luma columns x0 … x0 + count − 1; columns beyond the
// picture repeat its border.
template <int rows, class T>
void sum_rows(const RenderJob& job, const T* luma, int64_t row, int64_t x0, int64_t count,
              float* sums) {
  const T* from[rows];
  Lanes weight[rows];
  for (int k = 0; k < rows; ++k) {
    const int64_t y = (row << job.code.row_shift) + job.site_rows.first + k;
    from[k] = luma + (y < 0 ? 0 : y >= job.height ? job.height - 1 : y) * job.luma_stride[1];
    weight[k] = Lanes(job.site_rows.weight[k]);
  }
  const auto one = [&](int64_t i) {
    const int64_t x = x0 + i < 0 ? 0 : x0 + i >= job.width ? job.width - 1 : x0 + i;
    float sum = 0;
    for (int k = 0; k < rows; ++k) sum += job.site_rows.weight[k] * from[k][x];
    sums[i] = sum;
  };
  int64_t i = 0;
  for (; i < count && x0 + i < 0; ++i) one(i);
  for (; i + 16 <= count && x0 + i + 16 <= job.width; i += 16) {
    Lanes sum = weight[0] * load(from[0] + x0 + i);
#pragma GCC unroll 5
    for (int k = 1; k < rows; ++k) sum = fma(weight[k], load(from[k] + x0 + i), sum);
    store(sums + i, sum);
  }
  for (; i < count; ++i) one(i);
}

// Mean luma code under `count` ≤ kColumns output samples from `column` on, in the given output row.
template <class T>
void weighed_means(const RenderJob& job, const T* luma, int64_t row, int64_t column, int64_t count,
                   float* out) {
  float sums[kColumns * 4 + 32];
  const int shift = job.code.column_shift;
  const int64_t x0 = (column << shift) + job.site_columns.first;
  const int64_t needed = (((count + 15) / 16 * 16) << shift) + 16;
  // The number of rows is known to the compiler in each case, which keeps their weights in
  // registers.
  switch (job.site_rows.count) {
    case 1:
      sum_rows<1>(job, luma, row, x0, needed, sums);
      break;
    case 2:
      sum_rows<2>(job, luma, row, x0, needed, sums);
      break;
    case 3:
      sum_rows<3>(job, luma, row, x0, needed, sums);
      break;
    case 4:
      sum_rows<4>(job, luma, row, x0, needed, sums);
      break;
    default:
      sum_rows<5>(job, luma, row, x0, needed, sums);
  }
  for (int64_t c = 0; c < count; c += 16) {
    const float* at = sums + (c << shift);
    Lanes sum = Lanes(job.site_columns.weight[0]) * load_apart(at, shift);
    for (int k = 1; k < job.site_columns.count; ++k)
      sum = fma(Lanes(job.site_columns.weight[k]), load_apart(at + k, shift), sum);
    store(out + c, sum * Lanes(job.site_scale));
  }
}

// The same.  Where a box is two columns, or one and two halves, and all rows weigh the same, whole
// numbers are summed: that is exact both ways.
template <class T>
void site_means(const RenderJob& job, const T* luma, int64_t row, int64_t column, int64_t count,
                float* out) {
  const SiteTaps &rows = job.site_rows, &columns = job.site_columns;
  const bool halves = columns.count == 3 && columns.weight[1] == 1.0f;
  const bool even = columns.count == 2 && columns.weight[0] == 1.0f;
  if (job.code.column_shift != 1 || rows.count > 2 || rows.weight[0] != 1.0f || !(halves || even))
    return weighed_means(job, luma, row, column, count, out);
  const T* from[2];
  for (int k = 0; k < 2; ++k) {
    const int64_t y = (row << job.code.row_shift) + rows.first + (k < rows.count ? k : 0);
    from[k] = luma + (y < 0 ? 0 : y >= job.height ? job.height - 1 : y) * job.luma_stride[1];
  }
  // A second row that is the first, and the whole column twice, count in the unit of the sum.
  const Lanes unit(job.site_scale * (rows.count == 2 ? 1.0f : 0.5f) * (halves ? 0.5f : 1.0f));
  for (int64_t c = 0; c < count; c += 16) {
    const int64_t x = 2 * (column + c) + columns.first;
    if (x < 0 || x + 33 > job.width) {
      weighed_means(job, luma, row, column + c, 16, out + c);
      continue;
    }
    Index sum = pair_sums(from[0] + x) + pair_sums(from[1] + x);
    if (halves) sum = sum + (pair_sums(from[0] + x + 1) + pair_sums(from[1] + x + 1));
    store(out + c, to_lanes(sum) * unit);
  }
}

}  // namespace
}  // namespace pycolor
