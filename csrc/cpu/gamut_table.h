#pragma once

#include "../gamut.h"

namespace pycolor {

// The gamut under the luma of a matrix; its table is made at the first call and kept.
Gamut gamut_of(float kr, float kb);

}  // namespace pycolor
