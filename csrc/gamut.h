// From (Y', a, b) to R'G'B': the color of a given luma, hue and chroma, brought into gamut.
//
// Unknowns are fy = (L + 16)/116 and the share s ≤ 1 of (a, b) that is kept.  A table over luma and
// hue gives where each hue leaves the gamut; from there Newton's method solves
//   luma(fy, s) = Y'   and   s = 1, or the first channel to reach 0 or 1 is there.
// A few steps from the table's start are within 1e-5 of the exact solution but for about one color
// in 1000, where a line of constant hue grazes the gamut's surface and no start would settle it.
#pragma once

#include "color.h"

namespace pycolor {

constexpr int kGamutLumas = 128;  // cells of the table over Y' in 0…1
constexpr int kGamutHues = 512;   // cells of the table over the four quadrants of hue
constexpr int kGamutCells = (kGamutLumas + 1) * (kGamutHues + 1) * 2;
constexpr int kGuessDegree = 4;
constexpr int kGuessTerms = (kGuessDegree + 1) * (kGuessDegree + 2) / 2;
constexpr int kGamutFloats = kGamutCells + kGuessTerms;
constexpr int kGamutSteps = 4;

struct Gamut {
  LumaWeights luma;
  // (largest in-gamut chroma, fy there) at each luma and hue, the last column repeating the first;
  // then the polynomial of quick_color.
  const float* table;
};

// Hue as a number in 0…4 that turns with the angle: the position on the square |a| + |b| = 1.
template <class V>
PC_FN V square_angle(V a, V b) {
  const V t = b / max(abs(a) + abs(b), V(1e-30f));
  return select(a < V(0.0f), V(2.0f) - t, select(b < V(0.0f), V(4.0f) + t, t));
}

template <class V>
struct GamutPoint {
  V chroma, fy;
};

template <class V>
PC_FN GamutPoint<V> gamut_edge(const Gamut& gamut, V y, V a, V b) {
  const V row = y * V(static_cast<float>(kGamutLumas));
  const V column = square_angle(a, b) * V(kGamutHues / 4.0f);
  const V i = min(floor(row), V(kGamutLumas - 1.0f)), j = min(floor(column), V(kGamutHues - 1.0f));
  const V wi = row - i, wj = column - j;
  const auto at = times(to_index(i), 2 * (kGamutHues + 1)) + times(to_index(j), 2);
  const float* top = gamut.table;
  const float* bottom = gamut.table + 2 * (kGamutHues + 1);
  const V c00 = gather(top, at), c01 = gather(top + 2, at), c10 = gather(bottom, at),
          c11 = gather(bottom + 2, at);
  const V f00 = gather(top + 1, at), f01 = gather(top + 3, at), f10 = gather(bottom + 1, at),
          f11 = gather(bottom + 3, at);
  const V c0 = fma(wj, c01 - c00, c00), c1 = fma(wj, c11 - c10, c10);
  const V f0 = fma(wj, f01 - f00, f00), f1 = fma(wj, f11 - f10, f10);
  return {fma(wi, c1 - c0, c0), fma(wi, f1 - f0, f0)};
}

// Display value of a channel in linear light, clipped to 0…1, and its slope.
template <class V>
PC_FN V encode_with_slope(V x, V& slope) {
  const V c = min(max(x, V(0.0f)), V(1.0f)), power_part = max(c, V(kSrgbKnee));
  const V p = V(1.055f) * power(power_part, 1.0f / 2.4f);
  const auto curved = V(kSrgbKnee) < c;
  slope = select(curved, p / (V(2.4f) * power_part), V(12.92f));
  return select(curved, p - V(0.055f), c * V(12.92f));
}

// How far s may grow until the channel reaches 0 or 1, on its tangent.
template <class V>
PC_FN V room(V x, V slope) {
  const V bound = select(slope < V(0.0f), V(0.0f), V(1.0f));
  const V safe = select(abs(slope) < V(1e-12f), V(1e-12f), slope);
  return (bound - x) / safe;
}

// f⁻¹ and its derivative.
template <class V>
PC_FN V lab_f_inverse_with_slope(V t, V& slope) {
  const auto curved = V(kLabKnee) < t;
  const V square = t * t;
  slope = select(curved, V(3.0f) * square, V(kLabSlope));
  return select(curved, square * t, V(kLabSlope) * (t - V(kLabOffset)));
}

template <class V>
PC_FN Triple<V> linear_of(V fy, V u, V v) {
  return multiply<XyzToLinearMatrix>(Triple<V>{
      V(kWhiteX) * lab_f_inverse(fy + u), lab_f_inverse(fy), V(kWhiteZ) * lab_f_inverse(fy + v)});
}

// One Newton step of (fy, s) for luma y and the full chroma (500 u, −200 v).
template <class V>
PC_FN void gamut_step(const LumaWeights& k, V y, V u, V v, V& fy, V& s) {
  V dx, dy, dz;
  const V fx = fma(s, u, fy), fz = fma(s, v, fy);
  const V x = V(kWhiteX) * lab_f_inverse_with_slope(fx, dx);
  const V z = V(kWhiteZ) * lab_f_inverse_with_slope(fz, dz);
  const V yy = lab_f_inverse_with_slope(fy, dy);
  dx = V(kWhiteX) * dx;
  dz = V(kWhiteZ) * dz;
  const Triple<V> c = multiply<XyzToLinearMatrix>(Triple<V>{x, yy, z});
  const Triple<V> by_fy = multiply<XyzToLinearMatrix>(Triple<V>{dx, dy, dz});
  const Triple<V> by_s = multiply<XyzToLinearMatrix>(Triple<V>{dx * u, V(0.0f), dz * v});
  V r_slope, g_slope, b_slope;
  const V r = V(k.kr) * encode_with_slope(c.x, r_slope);
  const V g = V(k.kg) * encode_with_slope(c.y, g_slope);
  const V b = V(k.kb) * encode_with_slope(c.z, b_slope);
  r_slope = V(k.kr) * r_slope;
  g_slope = V(k.kg) * g_slope;
  b_slope = V(k.kb) * b_slope;
  // In gamut luma grows by 0.7 at least per unit of fy; the bound keeps steps from outside short.
  const V luma_by_fy =
      max(fma(r_slope, by_fy.x, fma(g_slope, by_fy.y, b_slope * by_fy.z)), V(0.3f));
  const V luma_by_s = fma(r_slope, by_s.x, fma(g_slope, by_s.y, b_slope * by_s.z));
  const V inverse = V(1.0f) / luma_by_fy;
  const V correction = (y - (r + g + b)) * inverse;  // of fy, to have the luma at this s
  const V turn = luma_by_s * inverse;                // −dfy/ds at constant luma
  const V rr = room(fma(by_fy.x, correction, c.x), fma(V(0.0f) - by_fy.x, turn, by_s.x));
  const V rg = room(fma(by_fy.y, correction, c.y), fma(V(0.0f) - by_fy.y, turn, by_s.y));
  const V rb = room(fma(by_fy.z, correction, c.z), fma(V(0.0f) - by_fy.z, turn, by_s.z));
  const V kept = max(V(0.0f), min(V(1.0f), s + min(rr, min(rg, rb))));
  fy = fma(V(0.0f) - turn, kept - s, fy + correction);
  s = kept;
}

// The search from the table, for every color.
template <class V>
PC_FN Triple<V> searched_color(const Gamut& gamut, V y, V neutral, V a, V b) {
  const GamutPoint<V> edge = gamut_edge(gamut, y, a, b);
  const V chroma = sqrt(fma(a, a, b * b)), most = max(edge.chroma, V(1e-7f));
  V s = min(V(1.0f), most / max(chroma, V(1e-7f)));
  const V share = min(V(1.0f), chroma / most);
  V fy = fma(edge.fy - neutral, share * share, neutral);
  const V u = a * V(1.0f / 500.0f), v = b * V(-1.0f / 200.0f);
  // Each color stops by itself, whatever its neighbors do.
  auto moving = s < s + V(1.0f);
  for (int step = 0; step < kGamutSteps && any(moving); ++step) {
    V next_fy = fy, next_s = s;
    gamut_step(gamut.luma, y, u, v, next_fy, next_s);
    const V change = max(abs(next_fy - fy), abs(next_s - s) * V(0.3f));
    fy = select(moving, next_fy, fy);
    s = select(moving, next_s, s);
    moving = select(moving, V(1e-4f), V(1e9f)) < change;
  }
  const Triple<V> c = linear_of(fy, s * u, s * v);
  return {srgb_encode(min(V(1.0f), max(V(0.0f), c.x))),
          srgb_encode(min(V(1.0f), max(V(0.0f), c.y))),
          srgb_encode(min(V(1.0f), max(V(0.0f), c.z)))};
}

// Most colors are well inside the gamut and need one step, of fy alone.  Where all channels are
// above the knees, f(Y) = E^0.8 for neutral colors of E = (Y' + 0.055)/1.055, and all of E, fy, u
// and v scale together: fy/neutral is a function of u/neutral and v/neutral, here a polynomial.
// The step's own length tells where that guess was not good enough; `hard` is set there and where
// the color leaves the gamut.
template <class V, class M>
PC_FN Triple<V> quick_color(const Gamut& gamut, V y, V neutral, V a, V b, M& hard) {
  const float* c = gamut.table + kGamutCells;
  const V u = a * V(1.0f / 500.0f), v = b * V(-1.0f / 200.0f);
  const V inverse = V(1.0f) / neutral, p = u * inverse, q = v * inverse;
  // Σ c p^i q^j, j running first: Horner's scheme from the last term on.
  const float* term = c + kGuessTerms;
  V guess(0.0f);
  for (int i = kGuessDegree; i >= 0; --i) {
    V row(*--term);
    for (int j = kGuessDegree - i; j > 0; --j) row = fma(row, q, V(*--term));
    guess = i == kGuessDegree ? row : fma(guess, p, row);
  }
  const V fy = neutral * guess;
  V dx, dy, dz;
  const V x = V(kWhiteX) * lab_f_inverse_with_slope(fy + u, dx);
  const V yy = lab_f_inverse_with_slope(fy, dy);
  const V z = V(kWhiteZ) * lab_f_inverse_with_slope(fy + v, dz);
  const Triple<V> l = multiply<XyzToLinearMatrix>(Triple<V>{x, yy, z});
  const Triple<V> by_fy =
      multiply<XyzToLinearMatrix>(Triple<V>{V(kWhiteX) * dx, dy, V(kWhiteZ) * dz});
  Triple<V> slope;
  const Triple<V> rgb = {encode_with_slope(l.x, slope.x), encode_with_slope(l.y, slope.y),
                         encode_with_slope(l.z, slope.z)};
  slope = {slope.x * by_fy.x, slope.y * by_fy.y, slope.z * by_fy.z};
  const V kr(gamut.luma.kr), kg(gamut.luma.kg), kb(gamut.luma.kb);
  const V luma = fma(kr, rgb.x, fma(kg, rgb.y, kb * rgb.z));
  const V luma_by_fy = fma(kr, slope.x, fma(kg, slope.y, kb * slope.z));
  const V step = (y - luma) / max(luma_by_fy, V(0.3f));
  const V dr = slope.x * step, dg = slope.y * step, db = slope.z * step;
  const V mx = by_fy.x * step, my = by_fy.y * step, mz = by_fy.z * step;
  const V lowest = min(l.x + mx, min(l.y + my, l.z + mz));
  const V highest = max(l.x + mx, max(l.y + my, l.z + mz));
  // What the straight step leaves: 0.29 Δr Δx/x from the curve of each channel, the rest 1e-5.
  const V bend = max(fma(l.x, V(-1e-4f), abs(dr * mx)),
                     max(fma(l.y, V(-1e-4f), abs(dg * my)), fma(l.z, V(-1e-4f), abs(db * mz))));
  hard = (lowest < V(0.0f)) | (V(1.0f) < highest) | (V(0.001f) < abs(step)) | (V(0.0f) < bend);
  return {rgb.x + dr, rgb.y + dg, rgb.z + db};
}

// R'G'B' of luma y (0…1), hue and chroma of (a, b); `neutral` is neutral_f(y).  Values that are not
// finite count as 0.
template <class V>
PC_FN Triple<V> rgb_of_luma(const Gamut& gamut, V y, V neutral, V a, V b) {
  a = select(abs(a) < V(1e15f), a, V(0.0f));
  b = select(abs(b) < V(1e15f), b, V(0.0f));
  auto hard = y < y;
  Triple<V> c = quick_color(gamut, y, neutral, a, b, hard);
  if (any(hard)) {
    const Triple<V> searched = searched_color(gamut, y, neutral, a, b);
    c = {select(hard, searched.x, c.x), select(hard, searched.y, c.y),
         select(hard, searched.z, c.z)};
  }
  // The last 1e-5 of luma, so that it is exact.
  const LumaWeights& k = gamut.luma;
  const V rest = y - fma(V(k.kr), c.x, fma(V(k.kg), c.y, V(k.kb) * c.z));
  const V zero(0.0f), one(1.0f);
  return {max(zero, min(one, c.x + rest)), max(zero, min(one, c.y + rest)),
          max(zero, min(one, c.z + rest))};
}

}  // namespace pycolor
