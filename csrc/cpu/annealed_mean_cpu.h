// Annealed mean on 16 lanes.  Included by each instruction set's translation unit.
//
// Two layouts.  Where pixels follow each other (contiguous N×Q×h×w), 16 pixels are a vector and the
// palette is walked eight entries at a time, so that the largest logit is looked at, and the sums
// scaled down, once in eight.  Where a pixel's logits follow each other (channels last), 16 entries
// of the palette are a vector, and the largest logit of the pixel is found first.  A pixel's result
// does not depend on what stands beside it.
#pragma once

#include "../annealed_mean.h"
#include "kernels.h"
#include "lanes.h"
#include "pool.h"

namespace pycolor {
namespace {

// Pixels at a time: rows of this length that follow each other in memory keep the processor's own
// prefetching and its page tables' cache at work; their sums stay in the L1 cache.
constexpr int kPixels = 512;
constexpr int kEntries = 8;  // of the palette between two looks at the largest logit

// Adds `count` entries of one vector of pixels.
template <int count>
static PYCOLOR_HD void annealed_entries(AnnealedSum<Lanes>& sum, const float* x, int64_t stride,
                                        const float* palette, Lanes scale) {
  AnnealedSum<Lanes> s = sum;
  Lanes largest = s.largest;
#pragma GCC unroll 8
  for (int i = 0; i < count; ++i) largest = max(largest, load(x + i * stride));
  if (any(s.largest < largest)) annealed_raise(s, largest, scale);
#pragma GCC unroll 8
  for (int i = 0; i < count; ++i) {
    annealed_add(s, load(x + i * stride), scale, Lanes(palette[2 * i]), Lanes(palette[2 * i + 1]));
    __builtin_prefetch(x + (count + i) * stride);
  }
  sum = s;
}

// `vectors` of pixels that follow each other in memory.
void annealed_block(const float* x, int64_t entries, int64_t stride, const float* palette,
                    float scale, int vectors, float* a, float* b) {
  AnnealedSum<Lanes> sum[kPixels / 16];
  for (int k = 0; k < vectors; ++k) sum[k] = annealed_start<Lanes>();
  int64_t q = 0;
  for (; q + kEntries <= entries; q += kEntries)
    for (int k = 0; k < vectors; ++k)
      annealed_entries<kEntries>(sum[k], x + q * stride + 16 * k, stride, palette + 2 * q,
                                 Lanes(scale));
  for (; q < entries; ++q)
    for (int k = 0; k < vectors; ++k)
      annealed_entries<1>(sum[k], x + q * stride + 16 * k, stride, palette + 2 * q, Lanes(scale));
  for (int k = 0; k < vectors; ++k) {
    Lanes ra, rb;
    annealed_finish(sum[k], ra, rb);
    store(a + 16 * k, ra);
    store(b + 16 * k, rb);
  }
}

// One pixel whose entries follow each other in memory; `padded` entries of the palette, a then b.
static PYCOLOR_HD AnnealedSum<float> annealed_pixel(const float* x, int64_t entries,
                                                    const float* palette, int64_t padded,
                                                    float scale) {
  const int64_t whole = entries / 16 * 16;
  float rest[16];
  for (int i = 0; i < 16; ++i) rest[i] = whole + i < entries ? x[whole + i] : -3.4e38f;
  Lanes largest = load(rest);
  for (int64_t q = 0; q < whole; q += 16) largest = max(largest, load(x + q));
  AnnealedSum<Lanes> sum = annealed_start<Lanes>();
  sum.largest = Lanes(largest_of(max(largest, sum.largest)));
  const auto add = [&](const float* logits, int64_t q) {
    const Lanes w = exp2((load(logits) - sum.largest) * Lanes(scale));
    sum.weight = sum.weight + w;
    sum.a = fma(w, load(palette + q), sum.a);
    sum.b = fma(w, load(palette + padded + q), sum.b);
  };
  for (int64_t q = 0; q < whole; q += 16) add(x + q, q);
  if (whole < entries) add(rest, whole);
  float lanes[16];
  store(lanes, sum.largest);
  return {lanes[0], sum_of(sum.weight), sum_of(sum.a), sum_of(sum.b)};
}

// Channels last. The palette is laid out in two planes first, so that its entries load as vectors;
// what is past the last entry weighs 0.
void annealed_pixels(const float* x, int64_t entries, int64_t stride, int64_t count,
                     const float* palette, float scale, float* a, float* b, int64_t out_stride) {
  const int64_t padded = (entries + 15) / 16 * 16;
  float* apart = scratch(Scratch::kWorker, static_cast<size_t>(padded) * 2);
  for (int64_t q = 0; q < padded; ++q) {
    apart[q] = q < entries ? palette[2 * q] : 0.0f;
    apart[padded + q] = q < entries ? palette[2 * q + 1] : 0.0f;
  }
  for (int64_t p = 0; p < count; p += 16) {
    float of[4][16] = {};
    for (int64_t i = 0; i < 16 && p + i < count; ++i) {
      const AnnealedSum<float> sum =
          annealed_pixel(x + (p + i) * stride, entries, apart, padded, scale);
      of[0][i] = sum.largest;
      of[1][i] = sum.weight;
      of[2][i] = sum.a;
      of[3][i] = sum.b;
    }
    Lanes ra, rb;
    annealed_finish(AnnealedSum<Lanes>{load(of[0]), load(of[1]), load(of[2]), load(of[3])}, ra, rb);
    put(a + p * out_stride, out_stride, count - p, ra);
    put(b + p * out_stride, out_stride, count - p, rb);
  }
}

// A run of pixels of one row: blocks of whole vectors, then the rest laid side by side.
void annealed_mean(const float* x, int64_t entries, int64_t entry_stride, int64_t pixel_stride,
                   int64_t count, const float* palette, float scale, float* a, float* b,
                   int64_t out_stride) {
  if (entry_stride == 1 && pixel_stride != 1)
    return annealed_pixels(x, entries, pixel_stride, count, palette, scale, a, b, out_stride);
  float ra[kPixels], rb[kPixels];
  const auto put_block = [&](int64_t first, int64_t n) {
    for (int64_t i = 0; i < n; ++i) a[(first + i) * out_stride] = ra[i];
    for (int64_t i = 0; i < n; ++i) b[(first + i) * out_stride] = rb[i];
  };
  int64_t p = 0;
  while (pixel_stride == 1 && count - p >= 16) {
    const int vectors = static_cast<int>((count - p < kPixels ? count - p : kPixels) / 16);
    annealed_block(x + p, entries, entry_stride, palette, scale, vectors, ra, rb);
    put_block(p, 16 * vectors);
    p += 16 * vectors;
  }
  for (; p < count; p += 16) {
    // Lay the last pixels, or those apart in memory, side by side.
    const int n = static_cast<int>(count - p < 16 ? count - p : 16);
    float* lanes = scratch(Scratch::kWorker, static_cast<size_t>(entries) * 16);
    for (int i = 0; i < 16; ++i)
      for (int64_t q = 0; q < entries; ++q)
        lanes[q * 16 + i] = x[(p + (i < n ? i : 0)) * pixel_stride + q * entry_stride];
    annealed_block(lanes, entries, 16, palette, scale, 1, ra, rb);
    put_block(p, n);
  }
}

}  // namespace
}  // namespace pycolor
