// Annealed mean: from a distribution over colors to one color.
//
//   (a, b) = Σ_q w_q c_q / Σ_q w_q,  w_q = exp((x_q − max x)/T)     (Zhang et al. 2016, equation 5)
//
// x_q are Q logits of a pixel, c_q the palette's (a, b), T > 0 the temperature: 1 is the
// expectation, towards 0 it is the mode.  N×Q×h×w logits give N×2×h×w.
//
// One pass: the sums are kept relative to the largest logit so far, and scaled down when a larger
// one comes (Milakov and Gimelshein 2018).  The exponent is 2^(x·log2(e)/T), log2(e)/T a factor
// made once. Error against exact arithmetic: 1e-3 ab units for finite logits at T = 0.38; it grows
// as 1/T. NaN anywhere, +∞ anywhere, or −∞ everywhere gives NaN.
#pragma once

#include "elementary.h"

namespace pycolor {

// The running sums of one pixel (or 16), relative to the largest logit so far: weight is Σ w_q, (a,
// b) are Σ w_q c_q.
template <class V>
struct AnnealedSum {
  V largest, weight, a, b;
};

// No logit yet: the first that comes is larger.
template <class V>
static PYCOLOR_HD AnnealedSum<V> annealed_start() {
  return {V(-3.4e38f), V(0.0f), V(0.0f), V(0.0f)};
}

// log2(e)/T.
inline float annealed_scale(double temperature) {
  return static_cast<float>(1.4426950408889634 / temperature);
}

// Raise the reference to `largest` (≥ the one so far).
template <class V>
static PYCOLOR_HD void annealed_raise(AnnealedSum<V>& sum, V largest, V scale) {
  const V shrink = exp2((sum.largest - largest) * scale);
  sum.largest = largest;
  sum.weight = sum.weight * shrink;
  sum.a = sum.a * shrink;
  sum.b = sum.b * shrink;
}

// One logit, not above the largest so far, and its color.
template <class V>
static PYCOLOR_HD void annealed_add(AnnealedSum<V>& sum, V logit, V scale, V a, V b) {
  const V w = exp2((logit - sum.largest) * scale);
  sum.weight = sum.weight + w;
  sum.a = fma(w, a, sum.a);
  sum.b = fma(w, b, sum.b);
}

// NaN where no logit was above −3.4e38.
template <class V>
static PYCOLOR_HD void annealed_finish(const AnnealedSum<V>& sum, V& a, V& b) {
  const V weight = select(V(-3.3e38f) < sum.largest, sum.weight, V(0.0f));
  const V zero = select(V(-3.3e38f) < sum.largest, V(1.0f), V(0.0f));
  a = sum.a * zero / weight;
  b = sum.b * zero / weight;
}

}  // namespace pycolor
