// From (Y', a, b) to R'G'B': the color of a given luma, hue and chroma, brought into gamut.
//
// Y' is the film's and must not change, but (a, b) are of Lab.  Sought is the fy = (L + 16)/116 for
// which the color (fy, a, b) has that luma:
//
//   kr R'(fy) + kg G'(fy) + kb B'(fy) = Y',   R'G'B' = srgb(M · f⁻¹(fy + s·a/500, fy, fy −
//   s·b/200)),
//
// with s = 1, or, where no such color is in 0…1, the largest share s < 1 of the chroma that is.  So
// hue is kept exactly, chroma as far as the gamut lets it, and luma always.
//
// Three ways, each for the colors that the one before is not for:
//  * ordinary_color: a polynomial and three powers, for colors well inside the gamut;
//  * quick_color: one Newton step from a polynomial, for dark and strong colors;
//  * searched_color: for colors out of gamut.  Unknowns are fy and s.  A table over luma and hue
//    gives where each hue leaves the gamut; from there Newton's method solves luma(fy, s) = Y' and
//    s = 1, or the first channel to reach 0 or 1 is there.
//
// Which way a color takes is told by bounds on the error of the way before: 2.5e-5 of R'G'B' is let
// pass, less than a hundredth of an 8-bit code.  Of searched colors about 1 in 1000 is off by more,
// where a line of constant hue grazes the gamut's surface and no start would settle it: those are
// in gamut and of the right luma, and off in chroma. u = a/500 and v = −b/200 throughout; p and q
// are these relative to the neutral color's fy.
#pragma once

#include "color.h"

namespace pycolor {

constexpr int kGamutLumas = 128;  // cells of the table over Y' in 0…1
constexpr int kGamutHues = 512;   // cells of the table over the four quadrants of hue
constexpr int kGamutCells = (kGamutLumas + 1) * (kGamutHues + 1) * 2;
constexpr int kGuessDegree = 5;
constexpr int kGuessTerms = (kGuessDegree + 1) * (kGuessDegree + 2) / 2;
constexpr int kGamutFloats = kGamutCells + 2 * kGuessTerms;
// A bound on the time of the search: a color that has not settled by then stays where it is.
constexpr int kGamutSteps = 4;

// What a matrix of luma weights makes of the gamut of sRGB's primaries.
struct Gamut {
  LumaWeights luma;
  // (largest in-gamut chroma, fy there) at each luma and hue, the last column repeating the first;
  // then the polynomials of ordinary_color and of quick_color.
  const float* table;
};

// Hue as a number in 0…4 that turns with the angle: the position on the square |a| + |b| = 1.
template <class V>
static PYCOLOR_HD V square_angle(V a, V b) {
  const V t = b / max(abs(a) + abs(b), V(1e-30f));
  return select(a < V(0.0f), V(2.0f) - t, select(b < V(0.0f), V(4.0f) + t, t));
}

// Where a hue leaves the gamut.
template <class V>
struct GamutPoint {
  V chroma, fy;
};

// Of a luma and hue, bilinear in the table: eight loads a color.
template <class V>
static PYCOLOR_HD GamutPoint<V> gamut_edge(const Gamut& gamut, V y, V a, V b) {
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

// Display value of a channel in linear light, and its slope to 6e-4 of it.  Light above 1.9 counts
// as 1.9: out of gamut.
template <class V>
static PYCOLOR_HD V encode_with_slope(V x, V& slope) {
  x = min(x, V(1.9f));
  const SplitNumber<V> number = split_number(x);
  const auto curved = V(kSrgbKnee) < x;
  slope = select(curved, srgb_power_slope(number), V(12.92f));
  return select(curved, srgb_power(number) - V(0.055f), x * V(12.92f));
}

// Within 0…1; NaN stays.
template <class V>
static PYCOLOR_HD V clipped(V x) {
  return max(V(0.0f), min(V(1.0f), x));
}

// How far s may grow until the channel reaches 0 or 1, on its tangent.
template <class V>
static PYCOLOR_HD V room(V x, V slope) {
  const V bound = select(slope < V(0.0f), V(0.0f), V(1.0f));
  const V safe = select(abs(slope) < V(1e-12f), V(1e-12f), slope);
  return (bound - x) / safe;
}

// f⁻¹ and a third of its derivative.
template <class V>
static PYCOLOR_HD V lab_f_inverse_with_slope(V t, V& third) {
  const auto curved = V(kLabKnee) < t;
  const V square = t * t;
  third = select(curved, square, V(kLabSlope / 3.0f));
  return select(curved, square * t, fma(V(kLabSlope), t, V(-kLabSlope * kLabOffset)));
}

// Linear light of (fx, fy, fz), and a third of its derivative by fy where fx and fz move along.
template <class V>
struct Light {
  Triple<V> rgb, by_fy, third;  // third: of each f⁻¹'s derivative
};

// fx = fy + s·u and fz = fy + s·v.
template <class V>
static PYCOLOR_HD Light<V> light_of(V fx, V fy, V fz) {
  Light<V> l;
  const Triple<V> ratio = {lab_f_inverse_with_slope(fx, l.third.x),
                           lab_f_inverse_with_slope(fy, l.third.y),
                           lab_f_inverse_with_slope(fz, l.third.z)};
  l.rgb = multiply<RatioToLinearMatrix>(ratio);
  l.by_fy = multiply<RatioToLinearMatrix>(l.third);
  return l;
}

// One Newton step of (fy, s) for luma y and the full chroma (500 u, −200 v).  First fy is corrected
// so that the luma is right at this s, on its tangent; then s grows or shrinks along the line of
// constant luma until the first channel is at 0 or 1, on that channel's tangent, and fy with it.
template <class V>
static PYCOLOR_HD void gamut_step(const LumaWeights& k, V y, V u, V v, V& fy, V& s) {
  const Light<V> light = light_of(fma(s, u, fy), fy, fma(s, v, fy));
  const Triple<V> c = light.rgb, third = light.third;
  const V three(3.0f);
  const Triple<V> by_fy = {three * light.by_fy.x, three * light.by_fy.y, three * light.by_fy.z};
  const Triple<V> by_s =
      multiply<RatioToLinearMatrix>(Triple<V>{three * third.x * u, V(0.0f), three * third.z * v});
  V r_slope, g_slope, b_slope;
  const V r = V(k.kr) * encode_with_slope(clipped(c.x), r_slope);
  const V g = V(k.kg) * encode_with_slope(clipped(c.y), g_slope);
  const V b = V(k.kb) * encode_with_slope(clipped(c.z), b_slope);
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

// R' − Y' and B' − Y'.
template <class V>
struct ColorDifference {
  V red, blue;
};

// G' − Y', of which kr (R' − Y') + kg (G' − Y') + kb (B' − Y') = 0.
template <class V>
static PYCOLOR_HD V green_difference(const LumaWeights& k, ColorDifference<V> d) {
  return fma(V(-k.kr / k.kg), d.red, V(-k.kb / k.kg) * d.blue);
}

// The last 1e-5 of luma, so that it is exact.
template <class V>
static PYCOLOR_HD ColorDifference<V> settled(const LumaWeights& k, V y, Triple<V> c) {
  const V rest = y - fma(V(k.kr), c.x, fma(V(k.kg), c.y, V(k.kb) * c.z));
  return {clipped(c.x + rest) - y, clipped(c.z + rest) - y};
}

// The search from the table.
template <class V>
static PYCOLOR_HD ColorDifference<V> searched_color(const Gamut& gamut, V y, V neutral, V p, V q) {
  const V u = p * neutral, v = q * neutral, a = V(500.0f) * u, b = V(-200.0f) * v;
  const GamutPoint<V> edge = gamut_edge(gamut, y, a, b);
  const V chroma = sqrt(fma(a, a, b * b)), most = max(edge.chroma, V(1e-7f));
  V s = min(V(1.0f), most / max(chroma, V(1e-7f)));
  const V share = min(V(1.0f), chroma / most);
  V fy = fma(edge.fy - neutral, share * share, neutral);
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
  const Triple<V> c = light_of(fma(s, u, fy), fy, fma(s, v, fy)).rgb;
  V slope;
  return settled(
      gamut.luma, y,
      Triple<V>{encode_with_slope(clipped(c.x), slope), encode_with_slope(clipped(c.y), slope),
                encode_with_slope(clipped(c.z), slope)});
}

// Σ c_j x^j for j = 0…degree.
template <int degree, class V>
static PYCOLOR_HD V polynomial(const float* c, V x) {
  if constexpr (degree == 0) {
    return V(c[0]);
  } else {
    return fma(polynomial<degree - 1>(c + 1, x), x, V(c[0]));
  }
}

// Σ c_ij x^i y^j for i + j ≤ degree, j running first.
template <int degree, class V>
static PYCOLOR_HD V polynomial(const float* c, V x, V y) {
  const V row = polynomial<degree>(c, y);
  if constexpr (degree == 0) {
    return row;
  } else {
    return fma(polynomial<degree - 1>(c + degree + 1, x, y), x, row);
  }
}

// Polynomials of fy: near_fy for small chroma, fitted where its error counts in ordinary_color;
// far_fy for all of the gamut and some way beyond, a start for one Newton step.
//
// Where all is above the knees, neutral = E^0.8 with E = (Y' + 0.055)/1.055, and E, fy and the full
// chroma (u, v) = (a/500, −b/200) scale together: fy/neutral is a function of p = u/neutral and
// q = v/neutral, here one of two polynomials.
template <class V>
static PYCOLOR_HD V near_fy(const Gamut& gamut, V p, V q) {
  return polynomial<kGuessDegree>(gamut.table + kGamutCells, p, q);
}
template <class V>
static PYCOLOR_HD V far_fy(const Gamut& gamut, V p, V q) {
  const V far(2.0f);  // from there on no color is in gamut
  return polynomial<kGuessDegree>(gamut.table + kGamutCells + kGuessTerms,
                                  max(V(-2.0f), min(far, p)), max(V(-2.0f), min(far, q)));
}

// The color without any step, right for most.  The polynomial's color has the luma 1 + excess
// relative to E.  Scaled to luma 1 it keeps its hue and loses the share 0.8·excess of its chroma,
// which is given back here; what stays wrong is |excess|·spread² of E, spread being the distance of
// its largest channel from its least.  First its linear light, relative to that of E; `ordinary` is
// set where all is above the knee of f and fit for relative_power.
template <class V, class M>
static PYCOLOR_HD Triple<V> ordinary_light(const Gamut& gamut, V neutral, V p, V q, M& ordinary) {
  const V fy = near_fy(gamut, p, q), fx = fy + p, fz = fy + q;
  const Triple<V> light =
      multiply<RatioToLinearMatrix>(Triple<V>{fx * fx * fx, fy * fy * fy, fz * fz * fz});
  const V least(1.0f / 512.0f), most = max(light.x, max(light.y, light.z));
  ordinary = (V(kLabKnee) < neutral * min(fy, min(fx, fz))) & (most < V(128.0f));
  return {max(light.x, least), max(light.y, least), max(light.z, least)};
}

// `ordinary` is set where the error is below 2.5e-5 and the color is inside the gamut and above the
// knee of sRGB.
template <class V, class M>
static PYCOLOR_HD ColorDifference<V> ordinary_color(const LumaWeights& k, V y, Triple<V> light,
                                                    M& ordinary) {
  const V r = relative_power(light.x), g = relative_power(light.y), b = relative_power(light.z);
  const V luma = fma(V(k.kr), r, fma(V(k.kg), g, V(k.kb) * b));
  const V unit = y + V(0.055f), scale = fma(V(-0.2f) * unit, luma, V(1.2f) * unit);
  const V lowest = min(g, min(r, b)), highest = max(g, max(r, b)), spread = highest - lowest;
  ordinary = (abs(luma - V(1.0f)) * (spread * spread) < V(2.5e-5f)) &
             (V(kSrgbKneeEncoded) < fma(lowest - luma, scale, y)) &
             (fma(highest - luma, scale, y) < V(1.0f));
  return {(r - luma) * scale, (b - luma) * scale};
}

// fy enters f⁻¹ of all three ratios, u and v stay, so luma is a smooth, rising function of fy; from
// the polynomial's fy one step of Newton's method is enough for nearly all of the gamut.
//
// The color by one Newton step of fy.  The step's own length tells where the polynomial was not
// good enough; `hard` is set there and where the color leaves the gamut.
template <class V, class M>
static PYCOLOR_HD ColorDifference<V> quick_color(const LumaWeights& k, V y, V neutral, V p, V q,
                                                 V fy, M& hard) {
  const V u = p * neutral, v = q * neutral;
  const Light<V> l = light_of(fy + u, fy, fy + v);
  Triple<V> slope;
  const Triple<V> rgb = {encode_with_slope(l.rgb.x, slope.x), encode_with_slope(l.rgb.y, slope.y),
                         encode_with_slope(l.rgb.z, slope.z)};
  slope = {slope.x * l.by_fy.x, slope.y * l.by_fy.y, slope.z * l.by_fy.z};
  const V kr(k.kr), kg(k.kg), kb(k.kb);
  const V luma = fma(kr, rgb.x, fma(kg, rgb.y, kb * rgb.z));
  const V luma_by_fy = fma(kr, slope.x, fma(kg, slope.y, kb * slope.z));
  const V step = (y - luma) / max(luma_by_fy, V(0.1f));  // three times that of fy
  const V dr = slope.x * step, dg = slope.y * step, db = slope.z * step;
  // What the straight step leaves: 0.29 Δr Δx/x from the curve of each channel, the rest 1e-5.
  const V mx = l.by_fy.x * step, my = l.by_fy.y * step, mz = l.by_fy.z * step;
  const V bend =
      max(fma(l.rgb.x, V(-1e-4f), abs(dr * mx)),
          max(fma(l.rgb.y, V(-1e-4f), abs(dg * my)), fma(l.rgb.z, V(-1e-4f), abs(db * mz))));
  const Triple<V> stepped = {rgb.x + dr, rgb.y + dg, rgb.z + db};
  const V lowest = min(stepped.x, min(stepped.y, stepped.z));
  const V highest =
      max(max(stepped.x, max(stepped.y, stepped.z)), max(l.rgb.x, max(l.rgb.y, l.rgb.z)));
  const auto inner = (V(0.0f) < y) & (y < V(1.0f));  // black and white have no other color
  hard = inner &
         ((lowest < V(0.0f)) | (V(1.0f) < highest) | (V(0.003f) < abs(step)) | (V(0.0f) < bend));
  const ColorDifference<V> d = settled(k, y, stepped);
  return {select(inner, d.red, V(0.0f)), select(inner, d.blue, V(0.0f))};
}

// (a, b) of luma's own lightness as (p, q) of near_fy; values that are not finite count as 0.
template <class V>
struct RelativeChroma {
  V p, q;
};

// Not finite, or so large that sums would overflow: 0.
template <class V>
static PYCOLOR_HD V usable(V x) {
  return select(abs(x) < V(1e15f), x, V(0.0f));
}

template <class V>
static PYCOLOR_HD RelativeChroma<V> relative_chroma(V neutral, V a, V b) {
  const V inverse = V(1.0f) / neutral;
  return {usable(a) * V(1.0f / 500.0f) * inverse, usable(b) * V(-1.0f / 200.0f) * inverse};
}

// The color of one sample of luma y (0…1), hue and chroma of (a, b); `neutral` is neutral_f(y).
// V is a number here: vectors go through the three ways apart (cpu/color_cpu.h).
template <class V>
static PYCOLOR_HD ColorDifference<V> color_of_luma(const Gamut& gamut, V y, V neutral, V a, V b) {
  const RelativeChroma<V> c = relative_chroma(neutral, a, b);
  bool lit, ordinary, hard;
  const Triple<V> light = ordinary_light(gamut, neutral, c.p, c.q, lit);
  ColorDifference<V> d = ordinary_color(gamut.luma, y, light, ordinary);
  if (lit && ordinary) return d;
  const V fy = neutral * far_fy(gamut, c.p, c.q);
  d = quick_color(gamut.luma, y, neutral, c.p, c.q, fy, hard);
  return hard ? searched_color(gamut, y, neutral, c.p, c.q) : d;
}

// R'G'B' in 0…1.
template <class V>
static PYCOLOR_HD Triple<V> rgb_of(const LumaWeights& k, V y, ColorDifference<V> d) {
  return {clipped(y + d.red), clipped(y + green_difference(k, d)), clipped(y + d.blue)};
}

}  // namespace pycolor
