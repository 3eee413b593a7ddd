// Weights of the joint bilateral filters.
#pragma once

#include "elementary.h"

namespace pycolor {

// Guides are scaled by this so that a range weight is 2^(−difference²).
inline float range_scale(double sigma) {
  return static_cast<float>(0.84932180028801904 / sigma);  // √(log2(e)/2)/σ
}

template <class V>
static PYCOLOR_HD V range_weight(V difference) {
  return exp2_weight(fnma(difference, difference, V(0.0f)));
}

// Three taps of the quadratic B-spline around the nearest sample, `offset` −0.5…0.5 from it.
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
