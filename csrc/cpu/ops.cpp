// The ops on whole arrays: what is worked out once a call, in double where it costs nothing, and
// how the rows are shared out.
#include <algorithm>
#include <cmath>

#include "../annealed_mean.h"
#include "../joint_bilateral.h"
#include "gamut_table.h"
#include "kernels.h"
#include "module.h"
#include "rows.h"

namespace pycolor {
namespace {

// logits N×Q×h×w, palette the address of Q×2 floats, out N×2×h×w; see ../annealed_mean.h.
void annealed_mean(const Image<const float>& logits, uintptr_t palette, double temperature,
                   const Image<float>& out, int threads) {
  // Shares are whole vectors of pixels, 64 of them at least; rows that follow each other in memory
  // are one long row, so that small maps leave no half-filled vectors at the rows' ends.
  const int64_t *size = logits.size, *s = logits.stride, *o = out.stride;
  const float scale = annealed_scale(temperature);
  int64_t rows = size[2], columns = size[3];
  if (s[2] == columns * s[3] && o[2] == columns * o[3]) {  // one long row
    columns *= rows;
    rows = 1;
  }
  const int64_t wanted = rows_per_chunk(rows * columns, size[0], threads);
  const int64_t step = std::min(ceil_divide(columns, 64) * 64, ceil_divide(wanted, 64) * 64);
  const int64_t steps = ceil_divide(columns, step);
  over_rows(size[0] * rows, steps, 1, threads, [&](int64_t line, int64_t part, int64_t) {
    const int64_t n = line / rows, y = line % rows, x = part * step;
    const float* from = logits.data + n * s[0] + y * s[2] + x * s[3];
    float* to = out.data + n * o[0] + y * o[2] + x * o[3];
    kernels().annealed_mean(from, size[1], s[1], s[3], std::min(step, columns - x),
                            at<const float>(palette), scale, to, to + o[1], o[3]);
  });
}

// chroma and out N×C×H×W, guide N×1×H×W; samples within `radius` of each pixel, those beyond the
// border left out; sigmas in pixels and in units of the guide.
void joint_bilateral(const Image<const float>& chroma, const Image<const float>& guide, int radius,
                     double sigma_space, double sigma_range, const Image<float>& out, int threads) {
  // A window larger than the picture holds no more of it.
  const int64_t reach = std::max(chroma.size[2], chroma.size[3]) - 1;
  const int r = static_cast<int>(std::min<int64_t>(radius, reach));
  const int window = 2 * r + 1;
  // log2 of the spatial weights, so that they add to the exponent of the range weight and one exp2
  // serves both.
  std::vector<float> space(window * window);
  for (int dy = -r; dy <= r; ++dy) {
    for (int dx = -r; dx <= r; ++dx) {
      const int64_t square = int64_t{dy} * dy + int64_t{dx} * dx;
      const double exponent = -square * 0.72134752044448170 / (sigma_space * sigma_space);
      space[(dy + r) * window + dx + r] =
          square > int64_t{radius} * radius ? -2e30f : static_cast<float>(exponent);
    }
  }
  const JointBilateralJob job = {chroma, guide, out, r, range_scale(sigma_range), space.data()};
  over_rows(out.size[0], out.size[2], 32, threads, [&](int64_t n, int64_t first, int64_t last) {
    kernels().joint_bilateral(job, n, first, last);
  });
}

// chroma N×C×h×w, guide_low N×1×h×w, guide N×1×H×W, out N×C×H×W; radius < 0: the quadratic
// B-spline.  What a row or a column needs is the same in all frames, and is worked out once.
void joint_bilateral_upsample(const Image<const float>& chroma, const Image<const float>& guide_low,
                              const Image<const float>& guide, double sigma_range, double floor,
                              int radius, double sigma_space, const Image<float>& out,
                              int threads) {
  // Weights and samples of each output row and column, the ends repeated: taps × size, columns
  // padded to whole vectors.  The spline's three are its pieces, see spline_taps.
  const int taps = radius < 0 ? 3 : 2 * radius + 1;
  std::vector<int32_t> index[2];
  std::vector<float> weight[2];
  for (int axis = 0; axis < 2; ++axis) {
    const int64_t low = chroma.size[2 + axis], size = out.size[2 + axis];
    const int64_t padded = axis == 0 ? size : ceil_divide(size, 16) * 16;
    index[axis].resize(taps * padded);
    weight[axis].resize(taps * padded);
    for (int64_t i = 0; i < padded; ++i) {
      const double at = (std::min(i, size - 1) + 0.5) * low / size - 0.5;
      const double nearest = std::floor(at + 0.5);
      for (int k = 0; k < taps; ++k) {
        const double sample = nearest + k - taps / 2, distance = std::fabs(at - sample);
        double w = std::exp(-distance * distance / (2 * sigma_space * sigma_space));
        if (radius < 0)
          w = k == 1 ? 0.75 - distance * distance : 0.5 * (1.5 - distance) * (1.5 - distance);
        index[axis][k * padded + i] =
            static_cast<int32_t>(std::min(std::max(sample, 0.0), low - 1.0));
        weight[axis][k * padded + i] = static_cast<float>(w);
      }
    }
  }
  const UpsampleJob job = {chroma,
                           guide_low,
                           guide,
                           out,
                           taps,
                           range_scale(sigma_range),
                           static_cast<float>(floor),
                           index[0].data(),
                           weight[0].data(),
                           index[1].data(),
                           weight[1].data()};
  const int64_t step = rows_per_chunk(out.size[2], out.size[0], threads);
  over_rows(out.size[0], out.size[2], step, threads, [&](int64_t n, int64_t first, int64_t last) {
    kernels().upsample(job, n, first, last);
  });
}

// in and out N×3×H×W; kind of out: 0 float, 1 uint8_t, 2 uint16_t.  Rows are shared out; a row
// runs through all steps in registers.
void convert(const std::vector<int>& steps, const Image<const float>& in, const Image<void>& out,
             int kind, int threads) {
  ConvertJob job = {};
  job.in = in;
  job.out = out.data;
  std::copy(out.stride, out.stride + 4, job.out_stride);
  job.kind = kind;
  for (int step : steps) job.step[job.steps++] = static_cast<Step>(step);
  const int64_t step = rows_per_chunk(in.size[2], in.size[0], threads);
  over_rows(in.size[0], in.size[2], step, threads, [&](int64_t n, int64_t first, int64_t last) {
    for (int64_t y = first; y < last; ++y) kernels().convert(job, n, y);
  });
}

// (Y', a, b) to (Y', Cb, Cr), N×3×H×W both; Cb and Cr in ±0.5.  See ../gamut.h, whose table is
// made at the first call for a matrix.
void yab_to_ycbcr(const Image<const float>& in, float kr, float kb, const Image<float>& out,
                  int threads) {
  const Gamut gamut = gamut_of(kr, kb);
  const int64_t step = rows_per_chunk(in.size[2], in.size[0], threads);
  over_rows(in.size[0], in.size[2], step, threads, [&](int64_t n, int64_t first, int64_t last) {
    for (int64_t y = first; y < last; ++y) kernels().yab_to_ycbcr(gamut, in, out, n, y);
  });
}

// L* of each code: N×1×H×W codes, out the address of N×H×W floats.  Rows are cheap: sixteen make a
// share that is worth a thread's while.
void luma_to_lightness(const Image<const void>& luma, bool is_uint16, const FrameCode& code,
                       uintptr_t out, int threads) {
  const int64_t* size = luma.size;
  over_rows(size[0], size[2], 16, threads, [&](int64_t n, int64_t first, int64_t last) {
    for (int64_t y = first; y < last; ++y)
      kernels().lightness(row_of(luma, is_uint16, n, y), is_uint16, size[3], code,
                          at<float>(out) + (n * size[2] + y) * size[3]);
  });
}

// L* of the mean code over each of h×w cells, samples at the cells' borders by their share: N×1×H×W
// codes, out N×1×h×w with rows in one piece.  A share is a run of rows of cells; each reads luma
// rows of its own, but for those at the borders.
void mean_lightness(const Image<const void>& luma, bool is_uint16, const FrameCode& code,
                    const Image<float>& out, int threads) {
  const int64_t step = rows_per_chunk(out.size[2], out.size[0], threads);
  over_rows(out.size[0], out.size[2], step, threads, [&](int64_t n, int64_t first, int64_t last) {
    for (int64_t y = first; y < last; ++y)
      kernels().mean_lightness(row_of(luma, is_uint16, n, 0), is_uint16, luma.stride[2],
                               luma.size[2], luma.size[3], out.size[2], out.size[3], y, code, 1.0f,
                               out.data + n * out.stride[0] + y * out.stride[2]);
  });
}

}  // namespace

PYCOLOR_OP(arrays) {
  m.def("annealed_mean", &annealed_mean, unlocked);
  m.def("joint_bilateral", &joint_bilateral, unlocked);
  m.def("joint_bilateral_upsample", &joint_bilateral_upsample, unlocked);
  m.def("convert", &convert, unlocked);  // steps: kernels.h, Step
  m.def("yab_to_ycbcr", &yab_to_ycbcr, unlocked);
  m.def("luma_to_lightness", &luma_to_lightness, unlocked);
  m.def("mean_lightness", &mean_lightness, unlocked);
}

}  // namespace pycolor
