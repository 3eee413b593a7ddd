// Lightness of luma codes: of each, of the mean over a cell, and the mean under a chroma sample.
#pragma once

#include "kernels.h"
#include "lanes.h"
#include "pool.h"

namespace pycolor {
namespace {

PC_FN Lanes lightness_of(const FrameCode& code, Lanes mean, float scale) {
  const Lanes f = neutral_f(luma_of_code(code, mean));
  return fma(Lanes(116.0f), f, Lanes(-16.0f)) * Lanes(scale);
}

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

void lightness(const void* luma, int wide, int64_t count, const FrameCode& code, float* out) {
  if (wide) return lightness_typed(static_cast<const uint16_t*>(luma), count, code, out);
  lightness_typed(static_cast<const uint8_t*>(luma), count, code, out);
}

// The part of sample [i, i+1) inside [low, high).
PC_FN float share(int64_t i, double low, double high) {
  const double from = low > i ? low : i, to = high < i + 1 ? high : i + 1;
  return static_cast<float>(to > from ? to - from : 0);
}

template <class T>
void mean_typed(const T* luma, int64_t stride, int64_t height, int64_t width, int64_t low_height,
                int64_t low_width, int64_t row, const FrameCode& code, float scale, float* out) {
  // Sum the cell's rows, then each cell's columns.
  const double top = static_cast<double>(row) * height / low_height;
  const double bottom = static_cast<double>(row + 1) * height / low_height;
  const int64_t first = static_cast<int64_t>(top);
  const int64_t last = bottom < height ? static_cast<int64_t>(bottom) + 1 : height;
  float* sums =
      scratch(Scratch::kWorker, static_cast<size_t>(width + low_width + last - first) + 48);
  float* means = sums + (width + 15) / 16 * 16;
  float* weight = means + (low_width + 15) / 16 * 16;
  for (int64_t y = first; y < last; ++y) weight[y - first] = share(y, top, bottom);
  int64_t x = 0;
  for (; x + 64 <= width; x += 64) {
    Lanes sum[4] = {Lanes(0.0f), Lanes(0.0f), Lanes(0.0f), Lanes(0.0f)};
    for (int64_t y = first; y < last; ++y) {
      const T* from = luma + y * stride + x;
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k)
        sum[k] = fma(load(from + 16 * k), Lanes(weight[y - first]), sum[k]);
    }
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) store(sums + x + 16 * k, sum[k]);
  }
  for (; x < width; x += 16) {
    Lanes sum(0.0f);
    for (int64_t y = first; y < last; ++y)
      sum = fma(load_row(luma + y * stride, x, width), Lanes(weight[y - first]), sum);
    store(sums + x, sum);
  }
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

void mean_lightness(const void* luma, int wide, int64_t row_stride, int64_t height, int64_t width,
                    int64_t low_height, int64_t low_width, int64_t row, const FrameCode& code,
                    float scale, float* out) {
  if (wide) {
    mean_typed(static_cast<const uint16_t*>(luma), row_stride, height, width, low_height, low_width,
               row, code, scale, out);
  } else {
    mean_typed(static_cast<const uint8_t*>(luma), row_stride, height, width, low_height, low_width,
               row, code, scale, out);
  }
}

}  // namespace
}  // namespace pycolor
