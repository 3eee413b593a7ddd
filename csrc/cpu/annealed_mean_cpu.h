// Annealed mean on 16 lanes.  Included by each instruction set's translation unit.
#pragma once

#include "../annealed_mean.h"
#include "kernels.h"
#include "pool.h"

namespace pycolor {
namespace {

constexpr int kVectors = 4;  // of pixels at a time
constexpr int kEntries = 8;  // of the palette between two looks at the largest logit

// Lanes are pixels that follow each other in memory.
template <int vectors>
void annealed_block(const float* x, int64_t entries, int64_t stride, const float* palette,
                    float scale, float* a, float* b) {
  AnnealedSum<Lanes> sum[vectors];
  for (auto& s : sum) s = annealed_start<Lanes>();
  for (int64_t q = 0; q < entries; q += kEntries) {
    const int64_t n = entries - q < kEntries ? entries - q : kEntries;
    const float* row = x + q * stride;
    for (int k = 0; k < vectors; ++k) {
      Lanes largest = sum[k].largest;
      for (int64_t i = 0; i < n; ++i) largest = max(largest, load(row + i * stride + 16 * k));
      if (any(sum[k].largest < largest)) annealed_raise(sum[k], largest, Lanes(scale));
      for (int64_t i = 0; i < n; ++i) {
        annealed_add(sum[k], load(row + i * stride + 16 * k), Lanes(scale),
                     Lanes(palette[2 * (q + i)]), Lanes(palette[2 * (q + i) + 1]));
      }
    }
  }
  for (int k = 0; k < vectors; ++k) {
    Lanes ra, rb;
    annealed_finish(sum[k], ra, rb);
    store(a + 16 * k, ra);
    store(b + 16 * k, rb);
  }
}

void annealed_mean(const float* x, int64_t entries, int64_t entry_stride, int64_t pixel_stride,
                   int64_t count, const float* palette, float scale, float* a, float* b,
                   int64_t out_stride) {
  constexpr int block = 16 * kVectors;
  float ra[block], rb[block];
  int64_t p = 0;
  if (pixel_stride == 1) {
    for (; p + block <= count; p += block) {
      annealed_block<kVectors>(x + p, entries, entry_stride, palette, scale, ra, rb);
      for (int i = 0; i < block; ++i) a[(p + i) * out_stride] = ra[i];
      for (int i = 0; i < block; ++i) b[(p + i) * out_stride] = rb[i];
    }
  }
  for (; p < count; p += 16) {
    // Lay the last pixels, or those apart in memory, side by side.
    const int n = static_cast<int>(count - p < 16 ? count - p : 16);
    float* lanes = scratch(Scratch::kWorker, static_cast<size_t>(entries) * 16);
    for (int64_t q = 0; q < entries; ++q)
      for (int i = 0; i < 16; ++i)
        lanes[q * 16 + i] = x[(p + (i < n ? i : 0)) * pixel_stride + q * entry_stride];
    annealed_block<1>(lanes, entries, 16, palette, scale, ra, rb);
    for (int i = 0; i < n; ++i) a[(p + i) * out_stride] = ra[i];
    for (int i = 0; i < n; ++i) b[(p + i) * out_stride] = rb[i];
  }
}

}  // namespace
}  // namespace pycolor
