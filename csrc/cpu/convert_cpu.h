// Color conversions as runs of the steps of color.h, one image row at a time.
//
// Steps meet in registers: rgb_to_lab is one pass over memory.  Codes are clamped to 0…top and
// rounded to even.
#pragma once

#include "color_cpu.h"
#include "kernels.h"
#include "lanes.h"

namespace pycolor {
namespace {

// The branch is the same for all pixels of a call, so it is always guessed right.
static PYCOLOR_HD Triple<Lanes> run(Step step, Triple<Lanes> c) {
  switch (step) {
    case Step::kRgbToLinear:
      return RgbToLinear::of(c);
    case Step::kLinearToRgb:
      return LinearToRgb::of(c);
    case Step::kLinearToXyz:
      return LinearToXyz::of(c);
    case Step::kXyzToLinear:
      return XyzToLinear::of(c);
    case Step::kXyzToLab:
      return XyzToLab::of(c);
    case Step::kLabToXyz:
      return LabToXyz::of(c);
    case Step::kXyzToLuv:
      return XyzToLuv::of(c);
    default:
      return LuvToXyz::of(c);
  }
}

// top: of the codes; 0 for floats, which are not clamped.
template <class T>
void convert_typed(const ConvertJob& job, int64_t frame, int64_t row, float top) {
  const int64_t* is = job.in.stride;
  const float* in = job.in.data + frame * is[0] + row * is[2];
  T* out = static_cast<T*>(job.out) + frame * job.out_stride[0] + row * job.out_stride[2];
  const int64_t width = job.in.size[3];
  for (int64_t x = 0; x < width; x += 16) {
    const float* at = in + x * is[3];
    const int64_t n = width - x;
    Triple<Lanes> c = {load_samples(at, is[3], n), load_samples(at + is[1], is[3], n),
                       load_samples(at + 2 * is[1], is[3], n)};
    for (int s = 0; s < job.steps; ++s) c = run(job.step[s], c);
    if (top > 0) {
      const Lanes scale(top), zero(0.0f);
      c = {max(zero, min(scale, c.x * scale)), max(zero, min(scale, c.y * scale)),
           max(zero, min(scale, c.z * scale))};
    }
    T* to = out + x * job.out_stride[3];
    put(to, job.out_stride[3], n, c.x);
    put(to + job.out_stride[1], job.out_stride[3], n, c.y);
    put(to + 2 * job.out_stride[1], job.out_stride[3], n, c.z);
  }
}

// By the type of what comes out.
void convert(const ConvertJob& job, int64_t frame, int64_t row) {
  if (job.kind == 0) return convert_typed<float>(job, frame, row, 0.0f);
  if (job.kind == 1) return convert_typed<uint8_t>(job, frame, row, 255.0f);
  convert_typed<uint16_t>(job, frame, row, 65535.0f);
}

// In runs, which the three ways of gamut.h work through one after the other.
void yab_to_ycbcr(const Gamut& gamut, const Image<const float>& in, const Image<float>& out,
                  int64_t frame, int64_t row) {
  const float* from = in.data + frame * in.stride[0] + row * in.stride[2];
  float* to = out.data + frame * out.stride[0] + row * out.stride[2];
  ColorRun run;
  for (int64_t first = 0; first < in.size[3]; first += kRun) {
    const int64_t left = in.size[3] - first, count = left < kRun ? left : kRun;
    for (int64_t i = 0; i < count; i += 16) {
      const float* at = from + (first + i) * in.stride[3];
      const int64_t n = count - i;
      const Lanes y = clipped(load_samples(at, in.stride[3], n));
      store(run.level + i, y);
      const Lanes neutral = neutral_f(y);
      const RelativeChroma<Lanes> c =
          relative_chroma(neutral, load_samples(at + in.stride[1], in.stride[3], n),
                          load_samples(at + 2 * in.stride[1], in.stride[3], n));
      store(run.neutral + i, neutral);
      store(run.p + i, c.p);
      store(run.q + i, c.q);
    }
    find_colors(gamut, run, count);
    for (int64_t i = 0; i < count; i += 16) {
      const Lanes y = load(run.level + i);
      const ColorDifference<Lanes> d = color_at(run, i);
      const int64_t n = count - i;
      float* o = to + (first + i) * out.stride[3];
      put(o, out.stride[3], n, y);
      put(o + out.stride[1], out.stride[3], n, d.blue * Lanes(0.5f / (1.0f - gamut.luma.kb)));
      put(o + 2 * out.stride[1], out.stride[3], n, d.red * Lanes(0.5f / (1.0f - gamut.luma.kr)));
    }
  }
}

}  // namespace
}  // namespace pycolor
