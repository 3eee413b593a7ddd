// 16 floats in four of the compiler's vectors of 4; names and results as in simd_avx2.h.
//
// For the x86-64 baseline (SSE2), aarch64 and others: GCC's and Clang's vector extension turns
// these into the machine's instructions.  Where a processor has no fused multiply-add it is made of
// doubles, so that the bits are those of the others; that is what this level is slow for.
#pragma once

#include <cmath>
#include <cstdlib>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "../image.h"

namespace pycolor {
inline namespace plain {

typedef float Four __attribute__((vector_size(16)));
typedef int32_t FourInts __attribute__((vector_size(16)));
typedef double Two __attribute__((vector_size(16)));
typedef int64_t TwoInts __attribute__((vector_size(16)));

// Loops over the four parts, which the compiler unrolls.
struct Lanes {
  static constexpr int count = 16;
  Four v[4];
  Lanes() = default;
  PYCOLOR_HD explicit Lanes(float x) {
    for (Four& part : v) part = Four{x, x, x, x};
  }
};
// In the compiler's vectors too.
struct Index {
  FourInts v[4];
};
struct Mask {
  FourInts m[4];
};

#if defined(__SSE2__) && !defined(__FMA__)
// a·b + c rounded once without the instruction: the product is exact in double; the sum rounded to
// odd (Boldo and Melquiond 2008) makes rounding it to float the rounding of the exact value.
static PYCOLOR_HD Two sum_to_odd(Two p, Two c) {
  const Two s = p + c, t = s - p, error = (p - (s - t)) + (c - t);
  const TwoInts inexact = (error < 0) | (error > 0);
  const TwoInts away = inexact & ((error > 0) ^ (s > 0));  // |s| is above the exact value
  return reinterpret_cast<Two>((reinterpret_cast<TwoInts>(s) + away) | (inexact & 1));
}
// The two halves as doubles.
static PYCOLOR_HD Two low(Four x) { return reinterpret_cast<Two>(_mm_cvtps_pd(x)); }
static PYCOLOR_HD Two high(Four x) {
  return reinterpret_cast<Two>(_mm_cvtps_pd(_mm_movehl_ps(x, x)));
}
__attribute__((noinline, cold)) static Four fma_to_odd(Four a, Four b, Four c) {
  const Two l = sum_to_odd(low(a) * low(b), low(c)), h = sum_to_odd(high(a) * high(b), high(c));
  return _mm_movelh_ps(_mm_cvtpd_ps(l), _mm_cvtpd_ps(h));
}
// The plain sum rounded twice is the same unless its first rounding ends midway between two floats:
// 28 zeros after a one; among the subnormal floats this is not sought.
static PYCOLOR_HD Four fma(Four a, Four b, Four c) {
  const Two l = low(a) * low(b) + low(c), h = high(a) * high(b) + high(c);
  const Four tails = _mm_shuffle_ps(reinterpret_cast<Four>(l), reinterpret_cast<Four>(h), 0x88);
  const FourInts midway = (reinterpret_cast<FourInts>(tails) & 0x1fffffff) == 0x10000000;
  const Four sum = _mm_movelh_ps(_mm_cvtpd_ps(l), _mm_cvtpd_ps(h));
  const FourInts size = reinterpret_cast<FourInts>(sum) & 0x7fffffff;
  const FourInts tiny = (size > 0) & (size < 0x00800000);
  if (_mm_movemask_ps(reinterpret_cast<Four>(midway | tiny)) != 0) return fma_to_odd(a, b, c);
  return sum;
}
#else
static PYCOLOR_HD Four fma(Four a, Four b, Four c) {
  for (int i = 0; i < 4; ++i) c[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return c;
}
#endif

// Toward zero; lanes that hold no int32 give some int32.
static PYCOLOR_HD FourInts to_ints(Four a) {
#if defined(__SSE2__)
  return reinterpret_cast<FourInts>(_mm_cvttps_epi32(a));
#else
  FourInts r;
  for (int i = 0; i < 4; ++i)
    r[i] = std::fabs(a[i]) < 2147483648.0f ? static_cast<int32_t>(a[i]) : 0;
  return r;
#endif
}
static PYCOLOR_HD Four to_floats(FourInts a) { return __builtin_convertvector(a, Four); }

// The compiler's own operators, a part at a time.
static PYCOLOR_HD Lanes operator+(Lanes a, Lanes b) {
  for (int i = 0; i < 4; ++i) a.v[i] += b.v[i];
  return a;
}
static PYCOLOR_HD Lanes operator-(Lanes a, Lanes b) {
  for (int i = 0; i < 4; ++i) a.v[i] -= b.v[i];
  return a;
}
static PYCOLOR_HD Lanes operator*(Lanes a, Lanes b) {
  for (int i = 0; i < 4; ++i) a.v[i] *= b.v[i];
  return a;
}
static PYCOLOR_HD Lanes operator/(Lanes a, Lanes b) {
  for (int i = 0; i < 4; ++i) a.v[i] /= b.v[i];
  return a;
}
static PYCOLOR_HD Lanes fma(Lanes a, Lanes b, Lanes c) {
  for (int i = 0; i < 4; ++i) c.v[i] = fma(a.v[i], b.v[i], c.v[i]);
  return c;
}
static PYCOLOR_HD Lanes fnma(Lanes a, Lanes b, Lanes c) { return fma(Lanes(0.0f) - a, b, c); }
// Both give b where either is NaN.
static PYCOLOR_HD Lanes min(Lanes a, Lanes b) {
  for (int i = 0; i < 4; ++i) b.v[i] = a.v[i] < b.v[i] ? a.v[i] : b.v[i];
  return b;
}
static PYCOLOR_HD Lanes max(Lanes a, Lanes b) {
  for (int i = 0; i < 4; ++i) b.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i];
  return b;
}
static PYCOLOR_HD Four abs(Four a) {
  return reinterpret_cast<Four>(reinterpret_cast<FourInts>(a) & 0x7fffffff);
}
static PYCOLOR_HD Lanes abs(Lanes a) {
  for (Four& part : a.v) part = abs(part);
  return a;
}
static PYCOLOR_HD Lanes sqrt(Lanes a) {
  for (Four& part : a.v) {
#if defined(__SSE2__)
    part = _mm_sqrt_ps(part);
#else
    for (int i = 0; i < 4; ++i) part[i] = std::sqrt(part[i]);
#endif
  }
  return a;
}
static PYCOLOR_HD Lanes floor(Lanes a) {
  for (Four& part : a.v) {
    Four whole = to_floats(to_ints(part));
    whole -= whole > part ? Four{1, 1, 1, 1} : Four{0, 0, 0, 0};
    part = abs(part) < 8388608.0f ? whole : part;  // from 2^23 on all are whole; NaN stays
  }
  return a;
}
static PYCOLOR_HD Mask operator<(Lanes a, Lanes b) {
  Mask r;
  for (int i = 0; i < 4; ++i) r.m[i] = a.v[i] < b.v[i];
  return r;
}
static PYCOLOR_HD Mask operator|(Mask a, Mask b) {
  for (int i = 0; i < 4; ++i) a.m[i] |= b.m[i];
  return a;
}
static PYCOLOR_HD Mask operator&(Mask a, Mask b) {
  for (int i = 0; i < 4; ++i) a.m[i] &= b.m[i];
  return a;
}
// Parts are joined first: one look at one register.
static PYCOLOR_HD bool any(Mask a) {
  const FourInts r = (a.m[0] | a.m[1]) | (a.m[2] | a.m[3]);
  return (r[0] | r[1] | r[2] | r[3]) != 0;
}
static PYCOLOR_HD unsigned bits(Mask a) {
  unsigned r = 0;
  for (int i = 0; i < 16; ++i) r |= (a.m[i / 4][i % 4] & 1u) << i;
  return r;
}
static PYCOLOR_HD Lanes select(Mask m, Lanes yes, Lanes no) {
  for (int i = 0; i < 4; ++i) no.v[i] = m.m[i] ? yes.v[i] : no.v[i];
  return no;
}
static PYCOLOR_HD Index to_index(Lanes a) {
  Index r;
  for (int i = 0; i < 4; ++i) r.v[i] = to_ints(a.v[i]);
  return r;
}
// p · 2^n for an integer n that keeps the result normal.
static PYCOLOR_HD Lanes scale2(Lanes p, Lanes n) {
  typedef uint32_t Bits __attribute__((vector_size(16)));
  for (int i = 0; i < 4; ++i) {
    const Bits shift = reinterpret_cast<Bits>(to_ints(n.v[i])) << 23;
    p.v[i] = reinterpret_cast<Four>(reinterpret_cast<Bits>(p.v[i]) + shift);
  }
  return p;
}
// x = result · 2^e of a positive normal number, result in 1…2; the last four bits are those of e
// − 1.
static PYCOLOR_HD Lanes mantissa(Lanes x, Index& e) {
  for (int i = 0; i < 4; ++i) {
    const FourInts bits = reinterpret_cast<FourInts>(x.v[i]);
    e.v[i] = bits >> 23;
    x.v[i] = reinterpret_cast<Four>((bits & 0x7fffff) | 0x3f800000);
  }
  return x;
}
// Of a number in 2…32 the piece, 0 to 15, of four in each octave; only its last four bits count.
static PYCOLOR_HD Index quarter_octave(Lanes x) {
  Index r;
  for (int i = 0; i < 4; ++i) r.v[i] = reinterpret_cast<FourInts>(x.v[i]) >> 21;
  return r;
}
// x = result · 2^e with the result in 0.75…1.5.
static PYCOLOR_HD Lanes split(Lanes x, Lanes& e) {
  for (int i = 0; i < 4; ++i) {
    const FourInts bits = reinterpret_cast<FourInts>(x.v[i]);
    const FourInts power = (bits - 0x3f400000) >> 23;
    e.v[i] = to_floats(power);
    x.v[i] = reinterpret_cast<Four>(bits - power * (1 << 23));
  }
  return x;
}
// 16 samples as floats.
template <class T>
static PYCOLOR_HD Lanes widen(const T* p) {
  Lanes r;
  for (int i = 0; i < 16; ++i) r.v[i / 4][i % 4] = static_cast<float>(p[i]);
  return r;
}
static PYCOLOR_HD Lanes load(const uint8_t* p) { return widen(p); }
static PYCOLOR_HD Lanes load(const uint16_t* p) { return widen(p); }
static PYCOLOR_HD Lanes load(const float* p) {
  Lanes r;
  std::memcpy(r.v, p, sizeof r.v);
  return r;
}
// Sums of 32 samples of 8 bits each, 257 of them at most.
struct Words {
  uint16_t v[32];
};
static PYCOLOR_HD Words add_bytes(Words sum, const uint8_t* p) {
  for (int i = 0; i < 32; ++i) sum.v[i] = static_cast<uint16_t>(sum.v[i] + p[i]);
  return sum;
}
static PYCOLOR_HD Lanes first_half(const Words& w) { return widen(w.v); }
static PYCOLOR_HD Lanes second_half(const Words& w) { return widen(w.v + 16); }
// p[2i] + p[2i + 1].
template <class T>
static PYCOLOR_HD Index pair_sums(const T* p) {
  Index r;
  for (int i = 0; i < 16; ++i) r.v[i / 4][i % 4] = p[2 * i] + p[2 * i + 1];
  return r;
}
static PYCOLOR_HD Lanes to_lanes(Index i) {
  Lanes r;
  for (int k = 0; k < 4; ++k) r.v[k] = to_floats(i.v[k]);
  return r;
}
static PYCOLOR_HD void store(float* p, Lanes a) { std::memcpy(p, a.v, sizeof a.v); }
// Lane i with lane i + 8, then 4, 2 and 1 apart.
static PYCOLOR_HD float sum_of(Lanes a) {
  const Four x = (a.v[0] + a.v[2]) + (a.v[1] + a.v[3]);
  return (x[0] + x[2]) + (x[1] + x[3]);
}
static PYCOLOR_HD float largest_of(Lanes a) {
  float largest = a.v[0][0];
  for (int i = 1; i < 16; ++i) largest = a.v[i / 4][i % 4] > largest ? a.v[i / 4][i % 4] : largest;
  return largest;
}
// Rounded to even; the value must fit, NaN gives 0.
template <class T>
static PYCOLOR_HD void store(T* p, Lanes a) {
  for (int i = 0; i < 16; ++i) {
    const float x = a.v[i / 4][i % 4];
    p[i] = x == x ? static_cast<T>(std::lrintf(x)) : T(0);
  }
}
static PYCOLOR_HD Index load_index(const int32_t* p) {
  Index r;
  std::memcpy(r.v, p, sizeof r.v);
  return r;
}
static PYCOLOR_HD Index operator+(Index a, Index b) {
  for (int i = 0; i < 4; ++i) a.v[i] += b.v[i];
  return a;
}
static PYCOLOR_HD Index times(Index a, int32_t b) {
  for (FourInts& part : a.v) part *= b;
  return a;
}
static PYCOLOR_HD Index offset(Index a, int32_t b) {
  for (FourInts& part : a.v) part += b;
  return a;
}
static PYCOLOR_HD Lanes gather(const float* p, Index i) {
  Lanes r;
  for (int k = 0; k < 16; ++k) r.v[k / 4][k % 4] = p[i.v[k / 4][k % 4]];
  return r;
}
// p[i << shift], shift 0 to 2; may read up to p[16 << shift].
static PYCOLOR_HD Lanes load_apart(const float* p, int shift) {
  Lanes r;
  for (int k = 0; k < 16; ++k) r.v[k / 4][k % 4] = p[k << shift];
  return r;
}
// p[i mod 16]; all of p[0…15] is readable.
static PYCOLOR_HD Lanes pick(const float* p, Index i) {
  for (FourInts& part : i.v) part &= 15;
  return gather(p, i);
}

// to[i] = from[index[i]] of 16 bytes.
static PYCOLOR_HD void pick_bytes(const uint8_t* from, const uint8_t* index, uint8_t* to) {
  for (int i = 0; i < 16; ++i) to[i] = from[index[i]];
}
// Block matching.  Rows of a block and of a window are 16 bytes apart; of a block's the first eight
// count.
#if defined(__SSE2__)
static PYCOLOR_HD __m128i two_rows(const uint8_t* rows) {
  return _mm_unpacklo_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows)),
                            _mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows + 16)));
}
struct Block {
  __m128i rows[4];  // two each
};
static PYCOLOR_HD Block load_block(const uint8_t* rows) {
  return {{two_rows(rows), two_rows(rows + 32), two_rows(rows + 64), two_rows(rows + 96)}};
}
static PYCOLOR_HD uint32_t difference(const Block& block, const uint8_t* window) {
  __m128i sum = _mm_setzero_si128();
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k)
    sum = _mm_add_epi64(sum, _mm_sad_epu8(block.rows[k], two_rows(window + 32 * k)));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(sum) +
                               _mm_cvtsi128_si32(_mm_unpackhi_epi64(sum, sum)));
}
#elif defined(__aarch64__)
struct Block {
  uint8x8_t rows[8];
};
static PYCOLOR_HD Block load_block(const uint8_t* rows) {
  Block block;
  for (int y = 0; y < 8; ++y) block.rows[y] = vld1_u8(rows + 16 * y);
  return block;
}
static PYCOLOR_HD uint32_t difference(const Block& block, const uint8_t* window) {
  uint16x8_t sum = vabdl_u8(block.rows[0], vld1_u8(window));
  for (int y = 1; y < 8; ++y) sum = vabal_u8(sum, block.rows[y], vld1_u8(window + 16 * y));
  return vaddlvq_u16(sum);
}
#else
struct Block {
  const uint8_t* rows;
};
static PYCOLOR_HD Block load_block(const uint8_t* rows) { return {rows}; }
static PYCOLOR_HD uint32_t difference(const Block& block, const uint8_t* window) {
  int sum = 0;
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 8; ++x) sum += std::abs(block.rows[16 * y + x] - window[16 * y + x]);
  return static_cast<uint32_t>(sum);
}
#endif
// Of the block's differences Σ|a − b| from what stands i = 0…7 bytes into the window, plus
// penalty[i], the least, times 2^16, plus the first such i.  A penalty of 2^16 − 1: not looked at.
static PYCOLOR_HD uint32_t least_difference(const Block& block, const uint8_t* window,
                                            const uint16_t* penalty) {
  uint32_t least = 0xffffu << 16;
  for (uint32_t i = 0; i < 8 && penalty[i] != 0xffff; ++i) {
    const uint32_t found = (difference(block, window + i) + penalty[i]) << 16 | i;
    least = found < least ? found : least;
  }
  return least;
}

}  // namespace plain
}  // namespace pycolor
