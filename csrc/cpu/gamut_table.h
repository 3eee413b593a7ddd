// The gamut under a luma, as the renderer needs it: made once per matrix (kr, kb) and kept.
//
// kGamutFloats floats: (largest chroma in gamut, fy there) for 129 lumas × 513 hues, then the
// coefficients of near_fy and far_fy.  0.5 MB; some 50 ms of work in double, at the first frame of
// a matrix.
#pragma once

#include "../gamut.h"

namespace pycolor {

// The gamut under the luma of a matrix; its table is made at the first call and kept.
Gamut gamut_of(float kr, float kb);

}  // namespace pycolor
