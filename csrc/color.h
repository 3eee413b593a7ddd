// One pixel: sRGB, linear light, XYZ, Lab, Luv, Y'CbCr, both directions.  V as in elementary.h.
//
//   linear = srgb⁻¹(R'G'B')                      IEC 61966-2-1
//   (X, Y, Z) = M · linear                        D65, Y of white 1
//   L = 116 f(Y) − 16, a = 500 (f(X/Xn) − f(Y)), b = 200 (f(Y) − f(Z/Zn))        CIE 15:2018, 8.2.1
//   u = 13 L (u' − u'n), v = 13 L (v' − v'n), u' = 4X/D, v' = 9Y/D, D = X + 15Y + 3Z       8.2.2
//
// R'G'B' and linear light in 0…1 but not clamped to it, L in 0…100, a, b, u, v about ±180. f(t) is
// the cube root above (6/29)³ and its tangent below; so f⁻¹ is a cube, and going to R'G'B' takes no
// cube root at all. Errors against float64: R'G'B', linear, XYZ 2e-5; L, a, b 5e-4; u, v 1e-3 (u
// and v are quotients).
#pragma once

#include "elementary.h"

namespace pycolor {

template <class V>
struct Triple {
  V x, y, z;
};

// Linear sRGB ↔ XYZ from the primaries and D65 of IEC 61966-2-1 table 1 (BT.709-6 the same):
// x, y = (0.64, 0.33), (0.30, 0.60), (0.15, 0.06), white (0.3127, 0.3290), Y of white 1.
struct LinearToXyzMatrix {
  PYCOLOR_HD static constexpr float at(int i, int j) {
    constexpr float m[3][3] = {{0.41239079926595934f, 0.357584339383878f, 0.1804807884018343f},
                               {0.21263900587151027f, 0.715168678767756f, 0.07219231536073371f},
                               {0.01933081871559182f, 0.11919477979462598f, 0.9505321522496607f}};
    return m[i][j];
  }
};
struct XyzToLinearMatrix {
  PYCOLOR_HD static constexpr float at(int i, int j) {
    constexpr float m[3][3] = {{3.240969941904522f, -1.5373831775700937f, -0.4986107602930034f},
                               {-0.9692436362808796f, 1.8759675015077202f, 0.04155505740717562f},
                               {0.055630079696993656f, -0.20397695888897652f, 1.0569715142428784f}};
    return m[i][j];
  }
};
constexpr float kWhiteX = 0.9504559270516716f, kWhiteZ = 1.0890577507598784f;
// From X/Xn, Y, Z/Zn.
struct RatioToLinearMatrix {
  PYCOLOR_HD static constexpr float at(int i, int j) {
    return XyzToLinearMatrix::at(i, j) * (j == 0 ? kWhiteX : j == 2 ? kWhiteZ : 1.0f);
  }
};
// CIE 15:2018, 8.2.2: u', v' of that white.
constexpr float kWhiteU = 0.19783000664283678f, kWhiteV = 0.46831999493879093f;
// CIE 15:2018, 8.2.1: the cube root's tangent takes over below 6/29.
constexpr float kLabKnee = 6.0f / 29.0f;
constexpr float kLabKneeCubed = kLabKnee * kLabKnee * kLabKnee;
constexpr float kLabSlope = 3.0f * kLabKnee * kLabKnee;
constexpr float kLabOffset = 4.0f / 29.0f;
// IEC 61966-2-1: R' = 12.92 R up to here, else 1.055 R^(1/2.4) − 0.055.
constexpr float kSrgbKnee = 0.0031308f, kSrgbKneeEncoded = 0.04045f;

// f(t), the cube root as a power.
template <class V>
static PYCOLOR_HD V lab_f(V t) {
  const V root = power(max(t, V(kLabKneeCubed)), 1.0f / 3.0f);
  return select(V(kLabKneeCubed) < t, root, fma(t, V(1.0f / kLabSlope), V(kLabOffset)));
}

// f⁻¹(t), a cube.
template <class V>
static PYCOLOR_HD V lab_f_inverse(V t) {
  return select(V(kLabKnee) < t, t * t * t, V(kLabSlope) * (t - V(kLabOffset)));
}

// Display value to linear light, by the general power: accurate for values beyond 1, too.
template <class V>
static PYCOLOR_HD V srgb_decode(V x) {
  const V p = power((max(x, V(kSrgbKneeEncoded)) + V(0.055f)) * V(1.0f / 1.055f), 2.4f);
  return select(V(kSrgbKneeEncoded) < x, p, x * V(1.0f / 12.92f));
}

// Linear light to display value; below 0 on the straight part.
template <class V>
static PYCOLOR_HD V srgb_encode(V x) {
  const V p = power(max(x, V(kSrgbKnee)), 1.0f / 2.4f);
  return select(V(kSrgbKnee) < x, fma(V(1.055f), p, V(-0.055f)), x * V(12.92f));
}

// M · c; the coefficients are constants of the code, not loads.
template <class M, class V>
static PYCOLOR_HD Triple<V> multiply(Triple<V> c) {
  return {fma(V(M::at(0, 0)), c.x, fma(V(M::at(0, 1)), c.y, V(M::at(0, 2)) * c.z)),
          fma(V(M::at(1, 0)), c.x, fma(V(M::at(1, 1)), c.y, V(M::at(1, 2)) * c.z)),
          fma(V(M::at(2, 0)), c.x, fma(V(M::at(2, 1)), c.y, V(M::at(2, 2)) * c.z))};
}

// Steps of the chain rgb – linear – xyz – lab and xyz – luv; every conversion is a run of them.
struct RgbToLinear {
  template <class V>
  static PYCOLOR_HD Triple<V> of(Triple<V> c) {
    return {srgb_decode(c.x), srgb_decode(c.y), srgb_decode(c.z)};
  }
};
struct LinearToRgb {
  template <class V>
  static PYCOLOR_HD Triple<V> of(Triple<V> c) {
    return {srgb_encode(c.x), srgb_encode(c.y), srgb_encode(c.z)};
  }
};
// 3×3 products; XYZ of white is (Xn, 1, Zn).
struct LinearToXyz {
  template <class V>
  static PYCOLOR_HD Triple<V> of(Triple<V> c) {
    return multiply<LinearToXyzMatrix>(c);
  }
};
struct XyzToLinear {
  template <class V>
  static PYCOLOR_HD Triple<V> of(Triple<V> c) {
    return multiply<XyzToLinearMatrix>(c);
  }
};
// One power each for X, Y and Z.
struct XyzToLab {
  template <class V>
  static PYCOLOR_HD Triple<V> of(Triple<V> c) {
    const V fx = lab_f(c.x * V(1.0f / kWhiteX)), fy = lab_f(c.y),
            fz = lab_f(c.z * V(1.0f / kWhiteZ));
    return {fma(V(116.0f), fy, V(-16.0f)), V(500.0f) * (fx - fy), V(200.0f) * (fy - fz)};
  }
};
// Cubes alone.
struct LabToXyz {
  template <class V>
  static PYCOLOR_HD Triple<V> of(Triple<V> c) {
    const V fy = (c.x + V(16.0f)) * V(1.0f / 116.0f);
    return {V(kWhiteX) * lab_f_inverse(fma(c.y, V(1.0f / 500.0f), fy)), lab_f_inverse(fy),
            V(kWhiteZ) * lab_f_inverse(fma(c.z, V(-1.0f / 200.0f), fy))};
  }
};
// u' and v' of black are 0/0: its u and v are 0.
struct XyzToLuv {
  template <class V>
  static PYCOLOR_HD Triple<V> of(Triple<V> c) {
    const V l = fma(V(116.0f), lab_f(c.y), V(-16.0f));
    const V d = c.x + fma(V(15.0f), c.y, V(3.0f) * c.z);
    const auto black = abs(d) < V(1e-12f);
    const V r = V(1.0f) / select(black, V(1.0f), d), l13 = V(13.0f) * l;
    const V u = l13 * fma(V(4.0f) * c.x, r, V(-kWhiteU));
    const V v = l13 * fma(V(9.0f) * c.y, r, V(-kWhiteV));
    return {l, select(black, V(0.0f), u), select(black, V(0.0f), v)};
  }
};
// Back by u' and v'; black again apart, and v' kept away from 0.
struct LuvToXyz {
  template <class V>
  static PYCOLOR_HD Triple<V> of(Triple<V> c) {
    const auto black = abs(c.x) < V(1e-6f);
    const V r = V(1.0f) / select(black, V(1.0f), V(13.0f) * c.x);
    const V u = fma(c.y, r, V(kWhiteU));
    V v = fma(c.z, r, V(kWhiteV));
    v = select(abs(v) < V(1e-12f), V(1e-12f), v);
    const V y = lab_f_inverse((c.x + V(16.0f)) * V(1.0f / 116.0f));
    const V s = select(black, V(0.0f), y / (V(4.0f) * v));
    const V z = fma(V(-3.0f), u, fma(V(-20.0f), v, V(12.0f)));
    return {s * V(9.0f) * u, select(black, V(0.0f), y), s * z};
  }
};

// L* of the neutral color with luma y in 0…1, as f(Y) = (L + 16)/116, error 5e-7.  For neutral
// colors Y is a function of Y' alone, whatever the matrix, so lightness needs no power and no cube
// root.
// Cubics over 14 pieces that grow with y; the knees of sRGB and of f lie where two of them meet.
template <class V>
static PYCOLOR_HD V neutral_f(V y) {
  alignas(64) static constexpr float c0[16] = {0.13793103396892548f,
                                               0.1379307508468628f,
                                               0.14449791610240936f,
                                               0.14470063149929047f,
                                               0.09573651105165482f,
                                               0.09755957126617432f,
                                               0.09975147992372513f,
                                               0.10218348354101181f,
                                               0.10598068684339523f,
                                               0.11156634986400604f,
                                               0.11733826994895935f,
                                               0.12320148944854736f,
                                               0.1317930817604065f,
                                               0.14027062058448792f,
                                               0.0f,
                                               0.0f};
  alignas(64) static constexpr float c1[16] = {0.6027118563652039f,
                                               0.6027472019195557f,
                                               0.2772955000400543f,
                                               0.26814499497413635f,
                                               1.2992976903915405f,
                                               1.2607754468917847f,
                                               1.2268927097320557f,
                                               1.1972440481185913f,
                                               1.160176396369934f,
                                               1.1181623935699463f,
                                               1.0837421417236328f,
                                               1.0547680854797363f,
                                               1.0194424390792847f,
                                               0.990844190120697f,
                                               0.0f,
                                               0.0f};
  alignas(64) static constexpr float c2[16] = {-7.540365901115287e-13f,
                                               -0.0013612814946100116f,
                                               3.795832633972168f,
                                               3.934412956237793f,
                                               -1.152989387512207f,
                                               -0.8801453113555908f,
                                               -0.7050398588180542f,
                                               -0.5843358039855957f,
                                               -0.46343564987182617f,
                                               -0.3578011989593506f,
                                               -0.28926053643226624f,
                                               -0.24147631227970123f,
                                               -0.19297969341278076f,
                                               -0.1607961505651474f,
                                               0.0f,
                                               0.0f};
  alignas(64) static constexpr float c3[16] = {3.375650106662853e-11f,
                                               0.016509899869561195f,
                                               5.824608325958252f,
                                               5.120528221130371f,
                                               1.4706199169158936f,
                                               0.8230243921279907f,
                                               0.5205054879188538f,
                                               0.35640719532966614f,
                                               0.22463883459568024f,
                                               0.1358676552772522f,
                                               0.09029439091682434f,
                                               0.06399434059858322f,
                                               0.04176272824406624f,
                                               0.029681306332349777f,
                                               0.0f,
                                               0.0f};
  const auto piece = quarter_octave(fma(y, V(19.319087982177734f), V(2.2185428142547607f)));
  V f = fma(pick(c3, piece), y, pick(c2, piece));
  f = fma(f, y, pick(c1, piece));
  return fma(f, y, pick(c0, piece));
}

// Y' = kr R' + kg G' + kb B'.
struct LumaWeights {
  float kr, kg, kb;
};

}  // namespace pycolor
