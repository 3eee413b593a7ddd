// Lightness of luma codes: of each, of the mean over a cell, and the mean under a chroma sample.
//
//   L* = 116 f(Y) − 16 with f(Y) = neutral_f(Y'), Y' of the mean code.
//
// The mean is taken of the codes and not of L*: it is what a camera with fewer pixels had seen, and
// one L* a cell instead of one a pixel.  Whole rows are summed as whole numbers, in 16 bits while
// they fit: exact, and twice as many samples an instruction.  Error against float64: 1e-4 of L*.
#pragma once

#include "kernels.h"
#include "lanes.h"
#include "pool.h"

namespace pycolor {
namespace {

// L* × scale of mean codes.
static PYCOLOR_HD Lanes lightness_of(const FrameCode& code, Lanes mean, float scale) {
  const Lanes f = neutral_f(luma_of_code(code, mean));
  return fma(Lanes(116.0f), f, Lanes(-16.0f)) * Lanes(scale);
}

// One row; no vector is stored beyond its end.
template <class T>
void lightness_typed(const T* luma, int64_t count, const FrameCode& code, float* out) {
  for (int64_t i = 0; i < count; i += 16) {
    const Lanes l = lightness_of(code, load_row(luma, i, count), 1.0f);
    if (i + 16 <= count) {
      store(out + i, l);
    } else {
      float rest[16];
      store(rest, l);
      for (int64_t k = i; k < count; ++k) out[k] = rest[k - i];
    }
  }
}

void lightness(const void* luma, int is_uint16, int64_t count, const FrameCode& code, float* out) {
  if (is_uint16) return lightness_typed(static_cast<const uint16_t*>(luma), count, code, out);
  lightness_typed(static_cast<const uint8_t*>(luma), count, code, out);
}

// The part of sample [i, i+1) inside [low, high).
static PYCOLOR_HD float share(int64_t i, double low, double high) {
  const double from = low > i ? low : i, to = high < i + 1 ? high : i + 1;
  return static_cast<float>(to > from ? to - from : 0);
}

// The sums of `rows` rows of 128 samples, which are whole numbers.
void sum_whole(const uint8_t* luma, int64_t stride, int64_t rows, float* sums) {
  for (int64_t y = 0; y < rows;) {
    Words sum[4] = {};
    for (const int64_t end = rows - y < 256 ? rows : y + 256; y < end; ++y) {
      const uint8_t* from = luma + y * stride;
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) sum[k] = add_bytes(sum[k], from + 32 * k);
      __builtin_prefetch(from + 128);
      __builtin_prefetch(from + 192);
    }
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      float* to = sums + 32 * k;
      store(to, load(to) + first_half(sum[k]));
      store(to + 16, load(to + 16) + second_half(sum[k]));
    }
  }
}

// In floats, which hold sums of 256 rows of 16 bits exactly.
void sum_whole(const uint16_t* luma, int64_t stride, int64_t rows, float* sums) {
  for (int x = 0; x < 128; x += 64) {
    Lanes sum[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) sum[k] = load(sums + x + 16 * k);
    for (int64_t y = 0; y < rows; ++y)
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) sum[k] = sum[k] + load(luma + y * stride + x + 16 * k);
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) store(sums + x + 16 * k, sum[k]);
  }
}

// Σ of the luma rows inside top … bottom, those at the ends by their share.
template <class T>
void sum_cell_rows(const T* luma, int64_t stride, int64_t height, int64_t width, double top,
                   double bottom, float* sums) {
  const int64_t first = static_cast<int64_t>(top);
  const int64_t last = bottom < height ? static_cast<int64_t>(bottom) : height - 1;
  const Lanes above(share(first, top, bottom));
  const Lanes below(last > first ? share(last, top, bottom) : 0.0f);
  const T *begin = luma + first * stride, *end = luma + last * stride;
  const int64_t whole = last - first - 1;
  int64_t x = 0;
  for (; x + 128 <= width; x += 128) {
    for (int64_t k = x; k < x + 128; k += 16)
      store(sums + k, fma(load(end + k), below, load(begin + k) * above));
    if (whole > 0) sum_whole(begin + stride + x, stride, whole, sums + x);
  }
  for (; x < width; x += 16) {
    Lanes sum = fma(load_row(end, x, width), below, load_row(begin, x, width) * above);
    for (int64_t y = 1; y <= whole; ++y) sum = sum + load_row(begin + y * stride, x, width);
    store(sums + x, sum);
  }
}

// One row of cells.  Ends of cells fall between samples, which count by the share that lies inside.
template <class T>
void mean_typed(const T* luma, int64_t stride, int64_t height, int64_t width, int64_t low_height,
                int64_t low_width, int64_t row, const FrameCode& code, float scale, float* out) {
  // Sum the cell's rows, then each cell's columns.
  // In double: a cell's border must fall where the float64 reference has it.
  const double top = static_cast<double>(row) * height / low_height;
  const double bottom = static_cast<double>(row + 1) * height / low_height;
  float* sums = scratch(Scratch::kWorker, static_cast<size_t>(width + low_width) + 32);
  float* means = sums + (width + 15) / 16 * 16;
  sum_cell_rows(luma, stride, height, width, top, bottom, sums);
  const double cell = static_cast<double>(width) / low_width;
  const float area = static_cast<float>(1.0 / ((bottom - top) * cell));
  for (int64_t i = 0; i < low_width; ++i) {
    const double left = i * cell, right = (i + 1) * cell;
    const int64_t from = static_cast<int64_t>(left);
    const int64_t to = right < width ? static_cast<int64_t>(right) : width;
    // Whole samples in four interleaved sums, then the cut ones at the ends.
    float part[4] = {0, 0, 0, 0};
    int64_t x = from + 1;
    for (; x + 4 <= to; x += 4)
      for (int k = 0; k < 4; ++k) part[k] += sums[x + k];
    for (; x < to; ++x) part[0] += sums[x];
    float sum = (part[0] + part[1]) + (part[2] + part[3]);
    sum += sums[from] * share(from, left, right);
    if (to > from && to < width) sum += sums[to] * share(to, left, right);
    means[i] = sum * area;
  }
  for (int64_t i = 0; i < low_width; i += 16) {
    float rest[16];
    store(rest, lightness_of(code, load_row(means, i, low_width), scale));
    for (int64_t k = i; k < low_width && k < i + 16; ++k) out[k] = rest[k - i];
  }
}

// By the type of the codes.
void mean_lightness(const void* luma, int is_uint16, int64_t row_stride, int64_t height,
                    int64_t width, int64_t low_height, int64_t low_width, int64_t row,
                    const FrameCode& code, float scale, float* out) {
  if (is_uint16) {
    mean_typed(static_cast<const uint16_t*>(luma), row_stride, height, width, low_height, low_width,
               row, code, scale, out);
  } else {
    mean_typed(static_cast<const uint8_t*>(luma), row_stride, height, width, low_height, low_width,
               row, code, scale, out);
  }
}

}  // namespace
}  // namespace pycolor
