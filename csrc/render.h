// How a frame's samples are coded and where its chroma lies.
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

struct Refinement {
  float range_scale, floor;
};

template <class V>
PC_FN V luma_of_code(const FrameCode& code, V mean) {
  return max(V(0.0f), min(V(1.0f), (mean - V(code.black)) * V(code.inverse_range)));
}

template <class V>
PC_FN V chroma_code(const FrameCode& code, V difference, float weight) {
  const V chroma = difference * V(0.5f / (1.0f - weight));
  const V value = fma(chroma, V(code.span), V(code.neutral));
  return max(V(0.0f), min(V(code.top), value));
}

// The low-resolution coordinate of luma coordinate `position`, half-pixel centers.
PC_FN float low_coordinate(float position, float low_size, float size) {
  return (position + 0.5f) * (low_size / size) - 0.5f;
}

}  // namespace pycolor
