// The arithmetic of elementary.h for V = float: one sample a thread.
//
// Names and results as in cpu/simd_avx2.h, with int for Index and bool for Mask: one source serves
// vectors and threads.  It comes before the headers that use it.
#pragma once

#include <math.h>
#include <string.h>

#include "../image.h"

namespace pycolor {

static PYCOLOR_HD float fma(float a, float b, float c) { return fmaf(a, b, c); }
static PYCOLOR_HD float fnma(float a, float b, float c) { return fmaf(-a, b, c); }
// Both give b where either is NaN.
static PYCOLOR_HD float min(float a, float b) { return a < b ? a : b; }
static PYCOLOR_HD float max(float a, float b) { return a > b ? a : b; }
static PYCOLOR_HD float abs(float a) { return fabsf(a); }
static PYCOLOR_HD float sqrt(float a) { return sqrtf(a); }
static PYCOLOR_HD float floor(float a) { return floorf(a); }
static PYCOLOR_HD float natural_exp(float a) { return expf(a); }
static PYCOLOR_HD bool any(bool m) { return m; }
static PYCOLOR_HD float select(bool m, float yes, float no) { return m ? yes : no; }
// Toward zero; what holds no int32 gives 0.
static PYCOLOR_HD int to_index(float a) {
  return fabsf(a) < 2147483648.0f ? static_cast<int>(a) : 0;
}
static PYCOLOR_HD int times(int a, int b) { return a * b; }
static PYCOLOR_HD float gather(const float* p, int i) { return p[i]; }
// p[i mod 16].
static PYCOLOR_HD float pick(const float* p, int i) { return p[i & 15]; }
// p · 2^n for an integer n that keeps the result normal.
static PYCOLOR_HD float scale2(float p, float n) {
  uint32_t bits;
  memcpy(&bits, &p, 4);
  bits += static_cast<uint32_t>(to_index(n)) << 23;
  memcpy(&p, &bits, 4);
  return p;
}
// x = result · 2^e of a positive normal number, result in 1…2; the last four bits are those of e
// − 1.
static PYCOLOR_HD float mantissa(float x, int& e) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  e = static_cast<int>(bits >> 23);
  bits = (bits & 0x7fffffu) | 0x3f800000u;
  memcpy(&x, &bits, 4);
  return x;
}
// Of a number in 2…32 the piece, 0 to 15, of four in each octave; only its last four bits count.
static PYCOLOR_HD int quarter_octave(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return static_cast<int>(bits >> 21);
}
// x = result · 2^e with the result in 0.75…1.5.
static PYCOLOR_HD float split(float x, float& e) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  const int power = static_cast<int>(bits - 0x3f400000u) >> 23;
  e = static_cast<float>(power);
  bits -= static_cast<uint32_t>(power) << 23;
  memcpy(&x, &bits, 4);
  return x;
}

}  // namespace pycolor
