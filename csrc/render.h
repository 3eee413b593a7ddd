// How a frame's samples are coded and where its chroma lies.
//
//   Y' = (code − black) / range                         BT.601, BT.709, BT.2020, 8 to 16 bits
//   Cb = (B' − Y') / (2 (1 − kb)),  Cr = (R' − Y') / (2 (1 − kr)),   ±0.5
//   code = round(C·span + neutral), within 0…top
//
// The renderer takes a chroma field (N×2×h×w, ab) and a luma plane (N×H×W codes) to chroma planes:
// for each chroma sample the mean luma under it, the field refined there (joint_bilateral.h, guided
// by the luma's lightness), and the color of that luma, hue and chroma (gamut.h).  The luma is only
// read. Codes are within one of those in float64 but for 1 in 1000 samples out of gamut, see
// gamut.h.
#pragma once

#include "gamut.h"

namespace pycolor {

// What pycolor.encoding.Encoding says, as numbers.
struct FrameCode {
  float black, inverse_range;  // luma codes → Y' in 0…1
  float neutral, span, top;    // Cb, Cr in ±0.5 → codes
  LumaWeights luma;
  int row_shift, column_shift;      // log2 of luma samples per chroma sample
  float center_row, center_column;  // luma coordinates of chroma sample (0, 0)
};

// Of the joint bilateral upsampling: range_scale of sigma_range, and the floor.
struct Refinement {
  float range_scale, floor;
};

// Y' in 0…1 of a code or a mean of codes; what lies beyond black and white is taken for them.
template <class V>
static PYCOLOR_HD V luma_of_code(const FrameCode& code, V mean) {
  return max(V(0.0f), min(V(1.0f), (mean - V(code.black)) * V(code.inverse_range)));
}

// The code, not yet rounded, of B' − Y' with weight kb or of R' − Y' with kr.
template <class V>
static PYCOLOR_HD V chroma_code(const FrameCode& code, V difference, float weight) {
  const V chroma = difference * V(0.5f / (1.0f - weight));
  const V value = fma(chroma, V(code.span), V(code.neutral));
  return max(V(0.0f), min(V(code.top), value));
}

// The luma samples under a chroma sample along one axis: a box of its size with the sample in the
// middle, so that co-sited luma weighs 1/2, 1, 1/2 and midway luma 1, 1.
struct Site {
  int first, count;
  float begin, end;  // of the box, in samples from `first` on
  PYCOLOR_HD float weight(int k) const {
    const float low = static_cast<float>(k), high = low + 1.0f;
    return (end < high ? end : high) - (begin > low ? begin : low);
  }
};

// Of the chroma sample whose luma coordinate is `center`; the first column or row may be negative.
static PYCOLOR_HD Site site_of(float center, int shift) {
  const float size = static_cast<float>(1 << shift);
  const float begin = center + 0.5f - 0.5f * size, end = begin + size;
  int first = static_cast<int>(begin), last = static_cast<int>(end);
  if (static_cast<float>(first) > begin) --first;
  if (static_cast<float>(last) < end) ++last;
  const float origin = static_cast<float>(first);
  return {first, last - first, begin - origin, end - origin};
}

// The low-resolution coordinate of luma coordinate `position`, half-pixel centers.
template <class V>
static PYCOLOR_HD V low_coordinate(V position, float low_size, float size) {
  return (position + V(0.5f)) * V(low_size / size) - V(0.5f);
}

}  // namespace pycolor
