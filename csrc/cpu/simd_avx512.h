// 16 floats in one AVX-512 register; names and results as in simd_avx2.h.
//
// Of AVX-512 the foundation and BW, DQ and VL are used, which all processors since Skylake-X and
// Zen 4 have.  Lookups in 16 entries, the power tables and the taps of the renderer, are one
// instruction.
#pragma once

#include <immintrin.h>

#include "../image.h"

namespace pycolor {
inline namespace avx512 {

struct Lanes {
  static constexpr int count = 16;
  __m512 v;
  Lanes() = default;
  PYCOLOR_HD explicit Lanes(float x) : v(_mm512_set1_ps(x)) {}
  PYCOLOR_HD explicit Lanes(__m512 x) : v(x) {}
};
struct Index {
  __m512i v;
};
// A register of its own kind: one bit a lane.
struct Mask {
  __mmask16 m;
};

static PYCOLOR_HD Lanes operator+(Lanes a, Lanes b) { return Lanes(_mm512_add_ps(a.v, b.v)); }
static PYCOLOR_HD Lanes operator-(Lanes a, Lanes b) { return Lanes(_mm512_sub_ps(a.v, b.v)); }
static PYCOLOR_HD Lanes operator*(Lanes a, Lanes b) { return Lanes(_mm512_mul_ps(a.v, b.v)); }
static PYCOLOR_HD Lanes operator/(Lanes a, Lanes b) { return Lanes(_mm512_div_ps(a.v, b.v)); }
static PYCOLOR_HD Lanes fma(Lanes a, Lanes b, Lanes c) {
  return Lanes(_mm512_fmadd_ps(a.v, b.v, c.v));
}
static PYCOLOR_HD Lanes fnma(Lanes a, Lanes b, Lanes c) {
  return Lanes(_mm512_fnmadd_ps(a.v, b.v, c.v));
}
// Both give b where either is NaN.
static PYCOLOR_HD Lanes min(Lanes a, Lanes b) { return Lanes(_mm512_min_ps(a.v, b.v)); }
static PYCOLOR_HD Lanes max(Lanes a, Lanes b) { return Lanes(_mm512_max_ps(a.v, b.v)); }
static PYCOLOR_HD Lanes abs(Lanes a) { return Lanes(_mm512_abs_ps(a.v)); }
static PYCOLOR_HD Lanes sqrt(Lanes a) { return Lanes(_mm512_sqrt_ps(a.v)); }
// Rounded toward −∞, and no exception raised that nobody looks at.
static PYCOLOR_HD Lanes floor(Lanes a) {
  return Lanes(_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC));
}
static PYCOLOR_HD Mask operator<(Lanes a, Lanes b) {
  return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)};
}
static PYCOLOR_HD Mask operator|(Mask a, Mask b) { return {static_cast<__mmask16>(a.m | b.m)}; }
static PYCOLOR_HD Mask operator&(Mask a, Mask b) { return {static_cast<__mmask16>(a.m & b.m)}; }
static PYCOLOR_HD bool any(Mask m) { return m.m != 0; }
static PYCOLOR_HD unsigned bits(Mask m) { return m.m; }
static PYCOLOR_HD Lanes select(Mask m, Lanes yes, Lanes no) {
  return Lanes(_mm512_mask_blend_ps(m.m, no.v, yes.v));
}
// p · 2^n for an integer n that keeps the result normal.
static PYCOLOR_HD Lanes scale2(Lanes p, Lanes n) { return Lanes(_mm512_scalef_ps(p.v, n.v)); }
// x = result · 2^e with the result in 0.75…1.5.
static PYCOLOR_HD Lanes split(Lanes x, Lanes& e) {
  const __m512i bits = _mm512_castps_si512(x.v);
  const __m512i shift = _mm512_sub_epi32(bits, _mm512_set1_epi32(0x3f400000));
  const __m512i power = _mm512_srai_epi32(shift, 23);
  e.v = _mm512_cvtepi32_ps(power);
  return Lanes(_mm512_castsi512_ps(_mm512_sub_epi32(bits, _mm512_slli_epi32(power, 23))));
}
// x = result · 2^e of a positive normal number, result in 1…2; the last four bits are those of e
// − 1.
static PYCOLOR_HD Lanes mantissa(Lanes x, Index& e) {
  const __m512i bits = _mm512_castps_si512(x.v);
  e.v = _mm512_srli_epi32(bits, 23);
  // (bits & 0x7fffff) | 0x3f800000: the fraction's bits, else those of 1.
  const __m512i one = _mm512_set1_epi32(0x3f800000), fraction = _mm512_set1_epi32(0x7fffff);
  return Lanes(_mm512_castsi512_ps(_mm512_ternarylogic_epi32(bits, fraction, one, 0xea)));
}
// Of a number in 2…32 the piece, 0 to 15, of four in each octave; only its last four bits count.
static PYCOLOR_HD Index quarter_octave(Lanes x) {
  return {_mm512_srli_epi32(_mm512_castps_si512(x.v), 21)};
}
static PYCOLOR_HD Lanes load(const float* p) { return Lanes(_mm512_loadu_ps(p)); }
static PYCOLOR_HD Lanes load(const uint8_t* p) {
  const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return Lanes(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(x)));
}
static PYCOLOR_HD Lanes load(const uint16_t* p) {
  const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return Lanes(_mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(x)));
}
// Sums of 32 samples of 8 bits each, 257 of them at most.
struct Words {
  __m512i v;
};
static PYCOLOR_HD Words add_bytes(Words sum, const uint8_t* p) {
  const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return {_mm512_add_epi16(sum.v, _mm512_cvtepu8_epi16(x))};
}
static PYCOLOR_HD Lanes first_half(Words w) {
  return Lanes(_mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(w.v))));
}
static PYCOLOR_HD Lanes second_half(Words w) {
  return Lanes(_mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(w.v, 1))));
}
// p[2i] + p[2i + 1].
static PYCOLOR_HD Index pair_sums(const uint8_t* p) {
  const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return {_mm512_cvtepu16_epi32(_mm256_maddubs_epi16(x, _mm256_set1_epi8(1)))};
}
static PYCOLOR_HD Index pair_sums(const uint16_t* p) {
  const __m512i x = _mm512_loadu_si512(p);
  return {
      _mm512_add_epi32(_mm512_and_epi32(x, _mm512_set1_epi32(0xffff)), _mm512_srli_epi32(x, 16))};
}
static PYCOLOR_HD Lanes to_lanes(Index i) { return Lanes(_mm512_cvtepi32_ps(i.v)); }
static PYCOLOR_HD void store(float* p, Lanes a) { _mm512_storeu_ps(p, a.v); }
static PYCOLOR_HD __m256 low_half(__m512 x) { return _mm512_castps512_ps256(x); }
static PYCOLOR_HD __m256 high_half(__m512 x) { return _mm512_extractf32x8_ps(x, 1); }
// Lane i with lane i + 8, then 4, 2 and 1 apart.
static PYCOLOR_HD float sum_of(Lanes a) {
  const __m256 x = _mm256_add_ps(low_half(a.v), high_half(a.v));
  __m128 y = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  y = _mm_add_ps(y, _mm_movehl_ps(y, y));
  return _mm_cvtss_f32(_mm_add_ss(y, _mm_movehdup_ps(y)));
}
static PYCOLOR_HD float largest_of(Lanes a) { return _mm512_reduce_max_ps(a.v); }
// Rounded to even; the value must fit, NaN gives 0.
static PYCOLOR_HD void store(uint8_t* p, Lanes a) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(a.v)));
}
static PYCOLOR_HD void store(uint16_t* p, Lanes a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(a.v)));
}
static PYCOLOR_HD Index load_index(const int32_t* p) { return {_mm512_loadu_si512(p)}; }
// Toward zero; lanes that hold no int32 give some int32.
static PYCOLOR_HD Index to_index(Lanes a) { return {_mm512_cvttps_epi32(a.v)}; }
static PYCOLOR_HD Index operator+(Index a, Index b) { return {_mm512_add_epi32(a.v, b.v)}; }
static PYCOLOR_HD Index times(Index a, int32_t b) {
  return {_mm512_mullo_epi32(a.v, _mm512_set1_epi32(b))};
}
static PYCOLOR_HD Index offset(Index a, int32_t b) {
  return {_mm512_add_epi32(a.v, _mm512_set1_epi32(b))};
}
static PYCOLOR_HD Lanes gather(const float* p, Index i) {
  return Lanes(_mm512_i32gather_ps(i.v, p, 4));
}
// p[i << shift], shift 0 to 2; may read up to p[16 << shift].
static PYCOLOR_HD Lanes load_apart(const float* p, int shift) {
  if (shift == 0) return load(p);
  const __m512i i = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  if (shift == 1)
    return Lanes(_mm512_permutex2var_ps(_mm512_loadu_ps(p), _mm512_slli_epi32(i, 1),
                                        _mm512_loadu_ps(p + 16)));
  return gather(p, {_mm512_slli_epi32(i, 2)});
}
// p[i mod 16]; all of p[0…15] is readable.
static PYCOLOR_HD Lanes pick(const float* p, Index i) {
  return Lanes(_mm512_permutexvar_ps(i.v, _mm512_loadu_ps(p)));
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

// Block matching.  Rows of a block and of a window are 16 bytes apart; of a block's the first eight
// count.
struct Block {
  __m512i quad[2][2];  // rows 0…3 and 4…7; bytes 0…3 and 4…7 of each row, four times
};
static PYCOLOR_HD Block load_block(const uint8_t* rows) {
  const __m512i upper = _mm512_loadu_si512(rows), lower = _mm512_loadu_si512(rows + 64);
  return {
      {{_mm512_shuffle_epi32(upper, _MM_PERM_AAAA), _mm512_shuffle_epi32(upper, _MM_PERM_BBBB)},
       {_mm512_shuffle_epi32(lower, _MM_PERM_AAAA), _mm512_shuffle_epi32(lower, _MM_PERM_BBBB)}}};
}
// Of the block's differences Σ|a − b| from what stands i = 0…7 bytes into the window, plus
// penalty[i], the least, times 2^16, plus the first such i.
static PYCOLOR_HD uint32_t least_difference(const Block& block, const uint8_t* window,
                                            const uint16_t* penalty) {
  const __m512i upper = _mm512_loadu_si512(window), lower = _mm512_loadu_si512(window + 64);
  // Eight places of four bytes: from bytes 0 and 4 on four places each, so 0x94 lays out quads 0,
  // 1 and 1, 2; 0xe9 for the block's second quad those after them.
  const __m512i sum =
      _mm512_add_epi16(_mm512_add_epi16(_mm512_dbsad_epu8(block.quad[0][0], upper, 0x94),
                                        _mm512_dbsad_epu8(block.quad[0][1], upper, 0xe9)),
                       _mm512_add_epi16(_mm512_dbsad_epu8(block.quad[1][0], lower, 0x94),
                                        _mm512_dbsad_epu8(block.quad[1][1], lower, 0xe9)));
  const __m256i half =
      _mm256_add_epi16(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64(sum, 1));
  return least_of(_mm_add_epi16(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)),
                  penalty);
}

}  // namespace avx512
}  // namespace pycolor
