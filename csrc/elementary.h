// exp2, log2 and powers for V = 16 floats (cpu/simd_*.h) or one (cuda/scalar.h).
//
// Every function is a reduction to a short interval and a polynomial there:
//
//   2^z = 2^⌊z⌋ · p(z − ⌊z⌋),        the whole part going into the exponent's bits;
//   log2 x = e + t·p(t),              x = 2^e (1 + t), t in −0.25…0.5;
//   x^k = c[e] · p(m),                x = m·2^e, c a table over the exponent, for the fixed powers.
//
// Only explicit fma: every instruction set rounds the same way and gives the same bits, which is
// why the compiler is told not to contract products and sums (-ffp-contract=off, -fmad=false).
// Coefficients are minimax fits in relative error by reweighted least squares, rounded to float;
// the errors given hold for those rounded values and the float arithmetic.
#pragma once

#include "image.h"

namespace pycolor {

// 2^z for z ≤ 127, relative error 1.0e-7; below 2^-126 it stays there.  NaN stays NaN.
template <class V>
static PYCOLOR_HD V exp2(V z) {
  z = max(V(-126.0f), z);
  const V n = floor(z);
  const V r = z - n;
  V p = fma(V(0.0018775759963318706f), r, V(0.00898934155702591f));
  p = fma(p, r, V(0.05582631751894951f));
  p = fma(p, r, V(0.24015361070632935f));
  p = fma(p, r, V(0.6931530833244324f));
  p = fma(p, r, V(0.9999999403953552f));
  return scale2(p, n);
}

// The same with relative error 2.7e-6: for the weights of the filters.
template <class V>
static PYCOLOR_HD V exp2_weight(V z) {
  z = max(V(-126.0f), z);
  const V n = floor(z);
  const V r = z - n;
  V p = fma(V(0.01353416033089161f), r, V(0.05201147496700287f));
  p = fma(p, r, V(0.2414427548646927f));
  p = fma(p, r, V(0.6930038332939148f));
  p = fma(p, r, V(1.0000026226043701f));
  return scale2(p, n);
}

// 2^z with relative error 7.5e-5, times 2^90 so that z may be −210…1: the renderer's weights.
template <class V>
static PYCOLOR_HD V exp2_scaled(V z) {
  const V n = floor(z);
  const V r = z - n;
  V p = fma(V(9.658693983238636e+25f), r, V(2.798573252296787e+26f));
  p = fma(p, r, V(8.614025167086506e+26f));
  p = fma(p, r, V(1.2378469939082725e+27f));
  return scale2(p, n);
}
constexpr float kExp2Scale = 1237940039285380274899124224.0f;  // 2^90

// log2 of a positive normal number; error 4e-8 of the result's fraction, plus its rounding.
template <class V>
static PYCOLOR_HD V log2(V x) {
  V e;
  const V t = split(x, e) - V(1.0f);  // x = 2^e (1 + t), t in −0.25…0.5
  // Pairs first: what one sum must wait for is short.
  const V t2 = t * t, t4 = t2 * t2;
  const V c01 = fma(V(-0.7213484644889832f), t, V(1.4426950216293335f));
  const V c23 = fma(V(-0.36057591438293457f), t, V(0.4809020757675171f));
  const V c45 = fma(V(-0.24272362887859344f), t, V(0.2881915271282196f));
  const V c67 = fma(V(-0.1742292195558548f), t, V(0.21632471680641174f));
  const V high = fma(V(0.07806572318077087f), t4, fma(c67, t2, c45));
  const V p = fma(high, t4, fma(c23, t2, c01));
  return fma(p, t, e);
}

// x^exponent for x > 0 of normal size.  The error of log2 is multiplied by exponent·ln 2, so it is
// for exponents of a few units: cube roots and the 2.4 of sRGB.
template <class V>
static PYCOLOR_HD V power(V x, float exponent) {
  return exp2(log2(x) * V(exponent));
}

// Powers of x in 2^-15…2, each a table over the exponent times a polynomial of the mantissa m in
// 1…2. The table has 16 entries, a vector's lanes, so looking up is a permutation of one register
// and not a load for each lane; one split serves the power and its slope.
template <class V>
struct SplitNumber {
  decltype(to_index(V(0.0f))) exponent;
  V m;
};

template <class V>
static PYCOLOR_HD SplitNumber<V> split_number(V x) {
  SplitNumber<V> s;
  s.m = mantissa(x, s.exponent);
  return s;
}

// x^(1/2.4) · 1.055, relative error 1.4e-6.
template <class V>
static PYCOLOR_HD V srgb_power(const SplitNumber<V>& x) {
  alignas(64) static constexpr float of_exponent[16] = {
      0.01386165153235197f, 0.018503084778785706f, 0.024698656052350998f, 0.03296874836087227f,
      0.04400800168514252f, 0.05874363332986832f,  0.07841334491968155f,  0.10466925799846649f,
      0.13971669971942902f, 0.18649941682815552f,  0.24894684553146362f,  0.3323041796684265f,
      0.44357284903526306f, 0.5920987129211426f,   0.7903569936752319f,   1.0549999475479126f};
  V p = fma(V(0.00543537363409996f), x.m, V(-0.051417019218206406f));
  p = fma(p, x.m, V(0.2085677981376648f));
  p = fma(p, x.m, V(-0.4917301833629608f));
  p = fma(p, x.m, V(0.9528149366378784f));
  p = fma(p, x.m, V(0.37633031606674194f));
  return p * pick(of_exponent, x.exponent);
}

// Its derivative, relative error 6e-4.
template <class V>
static PYCOLOR_HD V srgb_power_slope(const SplitNumber<V>& x) {
  alignas(64) static constexpr float of_exponent[16] = {
      189.25775146484375f, 126.31439208984375f, 84.30474853515625f,  56.266666412353516f,
      37.55349349975586f,  25.06395149230957f,  16.728179931640625f, 11.16472053527832f,
      7.451557159423828f,  4.973317623138428f,  3.319291353225708f,  2.2153611183166504f,
      1.4785761833190918f, 0.9868311882019043f, 0.6586308479309082f, 0.43958333134651184f};
  V p = fma(V(-0.10412093997001648f), x.m, V(0.6457846760749817f));
  p = fma(p, x.m, V(-1.5408803224563599f));
  p = fma(p, x.m, V(1.9985935688018799f));
  return p * pick(of_exponent, x.exponent);
}

// x^(1/2.4) of x in 2^-9…2^7, relative error 1.4e-6.
template <class V>
static PYCOLOR_HD V relative_power(V x) {
  alignas(64) static constexpr float of_exponent[16] = {
      1.3348398208618164f,  1.7817974090576172f, 2.3784141540527344f,  3.17480206489563f,
      4.237852573394775f,   5.656854152679443f,  0.07432544231414795f, 0.09921256452798843f,
      0.13243289291858673f, 0.1767766922712326f, 0.23596857488155365f, 0.31498026847839355f,
      0.4204482138156891f,  0.5612310171127319f, 0.7491535544395447f,  1.0f};
  const SplitNumber<V> s = split_number(x);
  const V m2 = s.m * s.m;  // pairs first, as in log2
  V p = fma(V(0.00543537363409996f), s.m, V(-0.051417019218206406f));
  p = fma(p, m2, fma(V(0.2085677981376648f), s.m, V(-0.4917301833629608f)));
  p = fma(p, m2, fma(V(0.9528149366378784f), s.m, V(0.37633031606674194f)));
  return p * pick(of_exponent, s.exponent);
}

}  // namespace pycolor
