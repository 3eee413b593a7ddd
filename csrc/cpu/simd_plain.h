// 16 floats in an array: the x86-64 baseline, and every other machine.
#pragma once

#include <cmath>
#include <cstring>

#include "../image.h"

namespace pycolor {
inline namespace plain {

struct Lanes {
  static constexpr int count = 16;
  float v[16];
  Lanes() = default;
  PC_MEMBER explicit Lanes(float x) {
    for (float& lane : v) lane = x;
  }
};
struct Index {
  int32_t v[16];
};
struct Mask {
  int32_t m[16];
};

// a·b + c rounded once.  Without the instruction: exact product in double, sum rounded to odd
// (Boldo and Melquiond 2008), so that rounding it to float is rounding the exact value.
PC_FN float fma_exact(float a, float b, float c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return __builtin_fmaf(a, b, c);
#else
  const double p = static_cast<double>(a) * b, q = c, s = p + q;
  const double t = s - p, error = (p - (s - t)) + (q - t);
  int64_t bits;
  std::memcpy(&bits, &s, 8);
  const int64_t inexact = (error < 0) | (error > 0);
  const int64_t away = inexact & ((error > 0) != (s > 0));  // |s| above the exact value
  bits = (bits - away) | inexact;
  double odd;
  std::memcpy(&odd, &bits, 8);
  return static_cast<float>(odd);
#endif
}

PC_FN Lanes operator+(Lanes a, Lanes b) {
  for (int i = 0; i < 16; ++i) a.v[i] += b.v[i];
  return a;
}
PC_FN Lanes operator-(Lanes a, Lanes b) {
  for (int i = 0; i < 16; ++i) a.v[i] -= b.v[i];
  return a;
}
PC_FN Lanes operator*(Lanes a, Lanes b) {
  for (int i = 0; i < 16; ++i) a.v[i] *= b.v[i];
  return a;
}
PC_FN Lanes operator/(Lanes a, Lanes b) {
  for (int i = 0; i < 16; ++i) a.v[i] /= b.v[i];
  return a;
}
PC_FN Lanes fma(Lanes a, Lanes b, Lanes c) {
  for (int i = 0; i < 16; ++i) c.v[i] = fma_exact(a.v[i], b.v[i], c.v[i]);
  return c;
}
// Both give b where either is NaN.
PC_FN Lanes min(Lanes a, Lanes b) {
  for (int i = 0; i < 16; ++i) b.v[i] = a.v[i] < b.v[i] ? a.v[i] : b.v[i];
  return b;
}
PC_FN Lanes max(Lanes a, Lanes b) {
  for (int i = 0; i < 16; ++i) b.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i];
  return b;
}
PC_FN Lanes abs(Lanes a) {
  for (float& lane : a.v) lane = std::fabs(lane);
  return a;
}
PC_FN Lanes sqrt(Lanes a) {
  for (float& lane : a.v) lane = std::sqrt(lane);
  return a;
}
PC_FN Lanes floor(Lanes a) {
  for (float& lane : a.v) lane = std::floor(lane);
  return a;
}
PC_FN Mask operator<(Lanes a, Lanes b) {
  Mask m;
  for (int i = 0; i < 16; ++i) m.m[i] = a.v[i] < b.v[i];
  return m;
}
PC_FN Mask operator|(Mask a, Mask b) {
  for (int i = 0; i < 16; ++i) a.m[i] |= b.m[i];
  return a;
}
PC_FN bool any(Mask m) {
  int32_t r = 0;
  for (int32_t lane : m.m) r |= lane;
  return r != 0;
}
PC_FN Lanes select(Mask m, Lanes yes, Lanes no) {
  for (int i = 0; i < 16; ++i) no.v[i] = m.m[i] ? yes.v[i] : no.v[i];
  return no;
}
// Toward zero; lanes that hold no int32 give 0.
PC_FN Index to_index(Lanes a) {
  Index r;
  for (int i = 0; i < 16; ++i)
    r.v[i] = std::fabs(a.v[i]) < 2147483648.0f ? static_cast<int32_t>(a.v[i]) : 0;
  return r;
}
// p · 2^n for an integer n that keeps the result normal.
PC_FN Lanes scale2(Lanes p, Lanes n) {
  const Index k = to_index(n);
  for (int i = 0; i < 16; ++i) {
    uint32_t bits;
    std::memcpy(&bits, &p.v[i], 4);
    bits += static_cast<uint32_t>(k.v[i]) << 23;
    std::memcpy(&p.v[i], &bits, 4);
  }
  return p;
}
// x = result · 2^e with the result in 0.75…1.5.
PC_FN Lanes split(Lanes x, Lanes& e) {
  for (int i = 0; i < 16; ++i) {
    int32_t bits;
    std::memcpy(&bits, &x.v[i], 4);
    const int32_t power = (bits - 0x3f400000) >> 23;
    bits = static_cast<int32_t>(static_cast<uint32_t>(bits) - (static_cast<uint32_t>(power) << 23));
    std::memcpy(&x.v[i], &bits, 4);
    e.v[i] = static_cast<float>(power);
  }
  return x;
}
template <class T>
PC_FN Lanes load(const T* p) {
  Lanes r;
  for (int i = 0; i < 16; ++i) r.v[i] = static_cast<float>(p[i]);
  return r;
}
PC_FN void store(float* p, Lanes a) { std::memcpy(p, a.v, sizeof a.v); }
// Rounded to even; the value must fit, NaN gives 0.
template <class T>
PC_FN void store(T* p, Lanes a) {
  for (int i = 0; i < 16; ++i)
    p[i] = a.v[i] == a.v[i] ? static_cast<T>(std::nearbyint(a.v[i])) : T(0);
}
PC_FN Index load_index(const int32_t* p) {
  Index r;
  std::memcpy(r.v, p, sizeof r.v);
  return r;
}
PC_FN Index operator+(Index a, Index b) {
  for (int i = 0; i < 16; ++i) a.v[i] += b.v[i];
  return a;
}
PC_FN Index times(Index a, int32_t b) {
  for (int32_t& lane : a.v) lane *= b;
  return a;
}
PC_FN Index offset(Index a, int32_t b) {
  for (int32_t& lane : a.v) lane += b;
  return a;
}
PC_FN Lanes gather(const float* p, Index i) {
  Lanes r;
  for (int k = 0; k < 16; ++k) r.v[k] = p[i.v[k]];
  return r;
}
// p[i << shift], shift 0 to 2; may read up to p[16 << shift].
PC_FN Lanes load_apart(const float* p, int shift) {
  Lanes r;
  for (int k = 0; k < 16; ++k) r.v[k] = p[k << shift];
  return r;
}
PC_FN Lanes pick(const float* p, Index i) { return gather(p, i); }

}  // namespace plain
}  // namespace pycolor
