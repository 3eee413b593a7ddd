// Weights of the joint bilateral filters: color smoothed or resized along the edges of a guide.
//
//   out(p) = Σ_q s(p − q) r(G(p) − g(q)) c(q) / Σ_q s(p − q) r(G(p) − g(q))
//
// G is the guide at the output's size (lightness, 0…100), g the guide at the samples q, c the
// chroma there.  joint_bilateral (Petschnigg et al. 2004) has c, g and G of one size, a disk of
// samples and Gaussians for s and r.  joint_bilateral_upsample (Kopf et al. 2007) takes c and g
// from the small picture: 3×3 samples with the quadratic B-spline for s, or (2r + 1)² with a
// Gaussian, and r(d) + floor for r: the floor, 0.01 by default, is what keeps a pixel that
// resembles no sample from 0/0 and lets it fall back to plain interpolation.
//
// Guides are scaled so that r(d) = 2^(−d²): a product, a difference and an exp2 a sample. Error
// against float64: 2e-3 and 3e-3 ab units.
#pragma once

#include "elementary.h"

namespace pycolor {

// Guides are scaled by this so that a range weight is 2^(−difference²).
inline float range_scale(double sigma) {
  return static_cast<float>(0.84932180028801904 / sigma);  // √(log2(e)/2)/σ
}

// r of a difference of scaled guides, 1 where they are equal; relative error 2.7e-6.
template <class V>
static PYCOLOR_HD V range_weight(V difference) {
  return exp2_weight(fnma(difference, difference, V(0.0f)));
}

// Three taps of the quadratic B-spline around the nearest sample, `offset` −0.5…0.5 from it.  They
// sum to 1 and reach 0 with their slope where a sample leaves the window, so nothing steps there.
template <class V>
struct SplineTaps {
  V before, nearest, after;
};

template <class V>
static PYCOLOR_HD SplineTaps<V> spline_taps(V offset) {
  const V left = V(0.5f) - offset, right = V(0.5f) + offset;
  return {V(0.5f) * left * left, V(0.75f) - offset * offset, V(0.5f) * right * right};
}

}  // namespace pycolor
