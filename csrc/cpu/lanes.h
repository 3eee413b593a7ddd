// Loads and stores of the last samples of a row, and of samples apart in memory.
//
// The simd_*.h of the translation unit comes before.  No load or store goes beyond the row: rows of
// the caller's arrays end where his memory may end.
#pragma once

#include "../image.h"

namespace pycolor {
namespace {

// 16 samples from x on, those past `width` being 0.
template <class T>
static PYCOLOR_HD Lanes load_row(const T* row, int64_t x, int64_t width) {
  if (x + 16 <= width) return load(row + x);
  T rest[16] = {};
  for (int64_t i = x; i < width; ++i) rest[i - x] = row[i];
  return load(rest);
}

// 16 samples `stride` apart, the first of them again past `count`.
static PYCOLOR_HD Lanes load_samples(const float* p, int64_t stride, int64_t count) {
  if (stride == 1 && count >= 16) return load(p);
  float lanes[16];
  for (int64_t i = 0; i < 16; ++i) lanes[i] = p[(i < count ? i : 0) * stride];
  return load(lanes);
}

// The first `count` lanes to samples `stride` apart.
template <class T>
static PYCOLOR_HD void put(T* out, int64_t stride, int64_t count, Lanes value) {
  if (stride == 1 && count >= 16) return store(out, value);
  T rest[16];
  store(rest, value);
  for (int64_t i = 0; i < count && i < 16; ++i) out[i * stride] = rest[i];
}

}  // namespace
}  // namespace pycolor
