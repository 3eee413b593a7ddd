// 16 floats in two AVX2 registers: the vectors that the ops are written in.
//
// Each simd_*.h offers the same names with the same results to the bit: Lanes are 16 floats, Index
// 16 int32, Mask 16 answers.  What the comments here say holds for the other two.  The inline
// namespace keeps the names of the three translation units apart in one library.
#pragma once

#include <immintrin.h>

#include "../image.h"

namespace pycolor {
inline namespace avx2 {

// 16 floats; a new one from a number holds it in all lanes.
struct Lanes {
  static constexpr int count = 16;
  __m256 l, h;
  Lanes() = default;
  PYCOLOR_HD explicit Lanes(float x) : l(_mm256_set1_ps(x)), h(l) {}
  PYCOLOR_HD Lanes(__m256 low, __m256 high) : l(low), h(high) {}
};
// 16 whole numbers: indices, exponents, sums of codes.
struct Index {
  __m256i l, h;
};
// 16 answers, all bits of a lane set or none.
struct Mask {
  __m256 l, h;
};

static PYCOLOR_HD Lanes operator+(Lanes a, Lanes b) {
  return {_mm256_add_ps(a.l, b.l), _mm256_add_ps(a.h, b.h)};
}
static PYCOLOR_HD Lanes operator-(Lanes a, Lanes b) {
  return {_mm256_sub_ps(a.l, b.l), _mm256_sub_ps(a.h, b.h)};
}
static PYCOLOR_HD Lanes operator*(Lanes a, Lanes b) {
  return {_mm256_mul_ps(a.l, b.l), _mm256_mul_ps(a.h, b.h)};
}
static PYCOLOR_HD Lanes operator/(Lanes a, Lanes b) {
  return {_mm256_div_ps(a.l, b.l), _mm256_div_ps(a.h, b.h)};
}
// a·b + c and c − a·b, rounded once.
static PYCOLOR_HD Lanes fma(Lanes a, Lanes b, Lanes c) {
  return {_mm256_fmadd_ps(a.l, b.l, c.l), _mm256_fmadd_ps(a.h, b.h, c.h)};
}
static PYCOLOR_HD Lanes fnma(Lanes a, Lanes b, Lanes c) {
  return {_mm256_fnmadd_ps(a.l, b.l, c.l), _mm256_fnmadd_ps(a.h, b.h, c.h)};
}
// Both give b where either is NaN.
static PYCOLOR_HD Lanes min(Lanes a, Lanes b) {
  return {_mm256_min_ps(a.l, b.l), _mm256_min_ps(a.h, b.h)};
}
static PYCOLOR_HD Lanes max(Lanes a, Lanes b) {
  return {_mm256_max_ps(a.l, b.l), _mm256_max_ps(a.h, b.h)};
}
// By the sign's bit; NaN stays.
static PYCOLOR_HD Lanes abs(Lanes a) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_andnot_ps(sign, a.l), _mm256_andnot_ps(sign, a.h)};
}
static PYCOLOR_HD Lanes sqrt(Lanes a) { return {_mm256_sqrt_ps(a.l), _mm256_sqrt_ps(a.h)}; }
// Whole numbers not above; what is not finite stays.
static PYCOLOR_HD Lanes floor(Lanes a) { return {_mm256_floor_ps(a.l), _mm256_floor_ps(a.h)}; }
// No where either is NaN.
static PYCOLOR_HD Mask operator<(Lanes a, Lanes b) {
  return {_mm256_cmp_ps(a.l, b.l, _CMP_LT_OQ), _mm256_cmp_ps(a.h, b.h, _CMP_LT_OQ)};
}
static PYCOLOR_HD Mask operator|(Mask a, Mask b) {
  return {_mm256_or_ps(a.l, b.l), _mm256_or_ps(a.h, b.h)};
}
static PYCOLOR_HD Mask operator&(Mask a, Mask b) {
  return {_mm256_and_ps(a.l, b.l), _mm256_and_ps(a.h, b.h)};
}
// Whether one lane says yes; and lane i's answer as bit i.
static PYCOLOR_HD bool any(Mask m) { return _mm256_movemask_ps(_mm256_or_ps(m.l, m.h)) != 0; }
static PYCOLOR_HD unsigned bits(Mask m) {
  return static_cast<unsigned>(_mm256_movemask_ps(m.l) | _mm256_movemask_ps(m.h) << 8);
}
// Lane by lane `yes` where the mask says so, else `no`.
static PYCOLOR_HD Lanes select(Mask m, Lanes yes, Lanes no) {
  return {_mm256_blendv_ps(no.l, yes.l, m.l), _mm256_blendv_ps(no.h, yes.h, m.h)};
}
static PYCOLOR_HD __m256 scale2(__m256 p, __m256 n) {
  const __m256i shift = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), shift));
}
// p · 2^n for an integer n that keeps the result normal.
static PYCOLOR_HD Lanes scale2(Lanes p, Lanes n) { return {scale2(p.l, n.l), scale2(p.h, n.h)}; }
static PYCOLOR_HD __m256 split(__m256 x, __m256& e) {
  const __m256i bits = _mm256_castps_si256(x);
  const __m256i shift = _mm256_sub_epi32(bits, _mm256_set1_epi32(0x3f400000));
  const __m256i power = _mm256_srai_epi32(shift, 23);
  e = _mm256_cvtepi32_ps(power);
  return _mm256_castsi256_ps(_mm256_sub_epi32(bits, _mm256_slli_epi32(power, 23)));
}
// x = result · 2^e with the result in 0.75…1.5.
static PYCOLOR_HD Lanes split(Lanes x, Lanes& e) { return {split(x.l, e.l), split(x.h, e.h)}; }
static PYCOLOR_HD __m256 mantissa(__m256 x, __m256i& e) {
  e = _mm256_srli_epi32(_mm256_castps_si256(x), 23);
  const __m256 one = _mm256_set1_ps(1.0f);
  const __m256 fraction = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffff));
  return _mm256_or_ps(_mm256_and_ps(x, fraction), one);
}
// x = result · 2^e of a positive normal number, result in 1…2; the last four bits are those of e
// − 1.
static PYCOLOR_HD Lanes mantissa(Lanes x, Index& e) {
  return {mantissa(x.l, e.l), mantissa(x.h, e.h)};
}
static PYCOLOR_HD __m256i quarter_octave(__m256 x) {
  return _mm256_srli_epi32(_mm256_castps_si256(x), 21);
}
// Of a number in 2…32 the piece, 0 to 15, of four in each octave; only its last four bits count.
static PYCOLOR_HD Index quarter_octave(Lanes x) {
  return {quarter_octave(x.l), quarter_octave(x.h)};
}
// 16 samples that follow each other, of any alignment.
static PYCOLOR_HD Lanes load(const float* p) {
  return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
static PYCOLOR_HD Lanes load(const uint8_t* p) {
  const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(x)),
          _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(x, 8)))};
}
static PYCOLOR_HD Lanes load(const uint16_t* p) {
  const __m128i* x = reinterpret_cast<const __m128i*>(p);
  return {_mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128(x))),
          _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128(x + 1)))};
}
// Sums of 32 samples of 8 bits each, 257 of them at most.
struct Words {
  __m256i l, h;
};
static PYCOLOR_HD Words add_bytes(Words sum, const uint8_t* p) {
  const __m128i* x = reinterpret_cast<const __m128i*>(p);
  return {_mm256_add_epi16(sum.l, _mm256_cvtepu8_epi16(_mm_loadu_si128(x))),
          _mm256_add_epi16(sum.h, _mm256_cvtepu8_epi16(_mm_loadu_si128(x + 1)))};
}
static PYCOLOR_HD Lanes floats_of_words(__m256i x) {
  return {_mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(x))),
          _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm256_extracti128_si256(x, 1)))};
}
static PYCOLOR_HD Lanes first_half(Words w) { return floats_of_words(w.l); }
static PYCOLOR_HD Lanes second_half(Words w) { return floats_of_words(w.h); }
// p[2i] + p[2i + 1].
static PYCOLOR_HD Index pair_sums(const uint8_t* p) {
  const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  const __m256i sums = _mm256_maddubs_epi16(x, _mm256_set1_epi8(1));
  return {_mm256_cvtepu16_epi32(_mm256_castsi256_si128(sums)),
          _mm256_cvtepu16_epi32(_mm256_extracti128_si256(sums, 1))};
}
static PYCOLOR_HD __m256i half_pair_sums(const uint16_t* p) {
  const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return _mm256_add_epi32(_mm256_and_si256(x, _mm256_set1_epi32(0xffff)), _mm256_srli_epi32(x, 16));
}
static PYCOLOR_HD Index pair_sums(const uint16_t* p) {
  return {half_pair_sums(p), half_pair_sums(p + 16)};
}
// Exact up to 2^24.
static PYCOLOR_HD Lanes to_lanes(Index i) {
  return {_mm256_cvtepi32_ps(i.l), _mm256_cvtepi32_ps(i.h)};
}
static PYCOLOR_HD void store(float* p, Lanes a) {
  _mm256_storeu_ps(p, a.l);
  _mm256_storeu_ps(p + 8, a.h);
}
// Lane i with lane i + 8, then 4, 2 and 1 apart.
static PYCOLOR_HD float sum_of(Lanes a) {
  const __m256 x = _mm256_add_ps(a.l, a.h);
  __m128 y = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  y = _mm_add_ps(y, _mm_movehl_ps(y, y));
  return _mm_cvtss_f32(_mm_add_ss(y, _mm_movehdup_ps(y)));
}
// NaN may be lost.
static PYCOLOR_HD float largest_of(Lanes a) {
  const __m256 x = _mm256_max_ps(a.l, a.h);
  __m128 y = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  y = _mm_max_ps(y, _mm_movehl_ps(y, y));
  return _mm_cvtss_f32(_mm_max_ss(y, _mm_movehdup_ps(y)));
}
// Rounded, in 16 bits, in order: packing goes by halves of the registers and mixes them up.
static PYCOLOR_HD __m256i to_words(Lanes a) {
  const __m256i words = _mm256_packus_epi32(_mm256_cvtps_epi32(a.l), _mm256_cvtps_epi32(a.h));
  return _mm256_permute4x64_epi64(words, 0xd8);
}
// Rounded to even; the value must fit, NaN gives 0.
static PYCOLOR_HD void store(uint8_t* p, Lanes a) {
  const __m256i w = to_words(a);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                   _mm_packus_epi16(_mm256_castsi256_si128(w), _mm256_extracti128_si256(w, 1)));
}
static PYCOLOR_HD void store(uint16_t* p, Lanes a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), to_words(a));
}
static PYCOLOR_HD Index load_index(const int32_t* p) {
  const __m256i* x = reinterpret_cast<const __m256i*>(p);
  return {_mm256_loadu_si256(x), _mm256_loadu_si256(x + 1)};
}
// Toward zero; lanes that hold no int32 give some int32.
static PYCOLOR_HD Index to_index(Lanes a) {
  return {_mm256_cvttps_epi32(a.l), _mm256_cvttps_epi32(a.h)};
}
// Modulo 2^32, as all arithmetic of indices.
static PYCOLOR_HD Index operator+(Index a, Index b) {
  return {_mm256_add_epi32(a.l, b.l), _mm256_add_epi32(a.h, b.h)};
}
static PYCOLOR_HD Index times(Index a, int32_t b) {
  const __m256i x = _mm256_set1_epi32(b);
  return {_mm256_mullo_epi32(a.l, x), _mm256_mullo_epi32(a.h, x)};
}
static PYCOLOR_HD Index offset(Index a, int32_t b) {
  const __m256i x = _mm256_set1_epi32(b);
  return {_mm256_add_epi32(a.l, x), _mm256_add_epi32(a.h, x)};
}
// p[i] of each lane: sixteen loads, so what is near is picked from a register instead.
static PYCOLOR_HD Lanes gather(const float* p, Index i) {
  return {_mm256_i32gather_ps(p, i.l, 4), _mm256_i32gather_ps(p, i.h, 4)};
}
// p[0], p[2] … p[14].
static PYCOLOR_HD __m256 load_even(const float* p) {
  const __m256 x = _mm256_shuffle_ps(_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8), 0x88);
  return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(x), 0xd8));
}
// p[i << shift], shift 0 to 2; may read up to p[16 << shift].
static PYCOLOR_HD Lanes load_apart(const float* p, int shift) {
  if (shift == 0) return load(p);
  if (shift == 1) return {load_even(p), load_even(p + 16)};
  const __m256i i = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
  return {_mm256_i32gather_ps(p, i, 4), _mm256_i32gather_ps(p + 32, i, 4)};
}
static PYCOLOR_HD __m256 pick(__m256 low, __m256 high, __m256i i) {
  const __m256 upper = _mm256_castsi256_ps(_mm256_slli_epi32(i, 28));  // bit 3 to the sign
  return _mm256_blendv_ps(_mm256_permutevar8x32_ps(low, i), _mm256_permutevar8x32_ps(high, i),
                          upper);
}
// p[i mod 16]; all of p[0…15] is readable.
static PYCOLOR_HD Lanes pick(const float* p, Index i) {
  const Lanes row = load(p);
  return {pick(row.l, row.h, i.l), pick(row.l, row.h, i.h)};
}

// The least of eight sums with penalties, times 2^16, plus its place; of equals the first.
static PYCOLOR_HD uint32_t least_of(__m128i sums, const uint16_t* penalty) {
  const __m128i p = _mm_loadu_si128(reinterpret_cast<const __m128i*>(penalty));
  const uint32_t found =
      static_cast<uint32_t>(_mm_cvtsi128_si32(_mm_minpos_epu16(_mm_adds_epu16(sums, p))));
  return found << 16 | (found >> 16 & 7);
}
// to[i] = from[index[i]] of 16 bytes.
static PYCOLOR_HD void pick_bytes(const uint8_t* from, const uint8_t* index, uint8_t* to) {
  const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  const __m128i i = _mm_loadu_si128(reinterpret_cast<const __m128i*>(index));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_shuffle_epi8(x, i));
}

// Block matching, see motion_cpu.h: eight places of a window are compared with a block at once, and
// differences of 64 bytes, 16,320 at most, fit into 16 bits with room for penalties.
//
// Rows of a block and of a window are 16 bytes apart; of a block's the first eight
// count.
struct Block {
  __m256i rows[4];
};
static PYCOLOR_HD Block load_block(const uint8_t* rows) {
  const __m256i* x = reinterpret_cast<const __m256i*>(rows);
  return {{_mm256_loadu_si256(x), _mm256_loadu_si256(x + 1), _mm256_loadu_si256(x + 2),
           _mm256_loadu_si256(x + 3)}};
}
// Of the block's differences Σ|a − b| from what stands i = 0…7 bytes into the window, plus
// penalty[i], the least, times 2^16, plus the first such i.
static PYCOLOR_HD uint32_t least_difference(const Block& block, const uint8_t* window,
                                            const uint16_t* penalty) {
  __m256i sum = _mm256_setzero_si256();
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(window) + k);
    sum = _mm256_add_epi16(sum, _mm256_mpsadbw_epu8(x, block.rows[k], 0));     // bytes 0…3 of a row
    sum = _mm256_add_epi16(sum, _mm256_mpsadbw_epu8(x, block.rows[k], 0x2d));  // bytes 4…7
  }
  return least_of(_mm_add_epi16(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1)),
                  penalty);
}

}  // namespace avx2
}  // namespace pycolor
