// exp2, log2 and powers for V = 16 floats (cpu/simd_*.h) or one (cuda/scalar.h).
//
// Only explicit fma: every instruction set rounds the same way and gives the same bits.
// Coefficients: minimax fits in relative error by reweighted least squares, rounded to float.
#pragma once

#include "image.h"

namespace pycolor {

// 2^z for z ≤ 127, relative error 1.0e-7; below 2^-126 it stays there.  NaN stays NaN.
template <class V>
PC_FN V exp2(V z) {
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
PC_FN V exp2_weight(V z) {
  z = max(V(-126.0f), z);
  const V n = floor(z);
  const V r = z - n;
  V p = fma(V(0.01353416033089161f), r, V(0.05201147496700287f));
  p = fma(p, r, V(0.2414427548646927f));
  p = fma(p, r, V(0.6930038332939148f));
  p = fma(p, r, V(1.0000026226043701f));
  return scale2(p, n);
}

// log2 of a positive normal number; error 4e-8 of the result's fraction, plus its rounding.
template <class V>
PC_FN V log2(V x) {
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

// x^exponent for x > 0.
template <class V>
PC_FN V power(V x, float exponent) {
  return exp2(log2(x) * V(exponent));
}

}  // namespace pycolor
