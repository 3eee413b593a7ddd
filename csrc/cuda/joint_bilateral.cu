// The two joint bilateral filters on the GPU, see ../joint_bilateral.h: one thread an output pixel.
//
// Neighboring threads read neighboring samples, which the L1 cache serves; spatial weights are
// worked out in place of being looked up.  Positions in double: a float's rounding would show in
// large frames.
#include "launch.h"
#include "scalar.h"

#include "../joint_bilateral.h"
#include "ops.h"

namespace pycolor::cuda {
namespace {

constexpr int kColumns = 32, kRows = 8;  // of a block: one output pixel a thread

// Which output pixel a thread makes.
struct Pixel {
  int64_t n, y, x;
};

__device__ Pixel pixel_of_thread() {
  return {static_cast<int64_t>(blockIdx.z), int64_t{blockIdx.y} * kRows + threadIdx.y,
          int64_t{blockIdx.x} * kColumns + threadIdx.x};
}

// Enough blocks to cover the output; threads beyond its edge return at once.
dim3 grid_over(const Image<float>& out) {
  return dim3(static_cast<unsigned>((out.size[3] + kColumns - 1) / kColumns),
              static_cast<unsigned>((out.size[2] + kRows - 1) / kRows),
              static_cast<unsigned>(out.size[0]));
}

template <class T>
__device__ T& at(const Image<T>& image, int64_t n, int64_t c, int64_t y, int64_t x) {
  return image
      .data[n * image.stride[0] + c * image.stride[1] + y * image.stride[2] + x * image.stride[3]];
}

// `channels` from `channel` on, which share the weights.
template <int channels>
__global__ void bilateral(Image<const float> chroma, Image<const float> guide, int radius,
                          float space_scale, float range, int64_t channel, Image<float> out) {
  const Pixel p = pixel_of_thread();
  const int64_t height = out.size[2], width = out.size[3];
  if (p.y >= height || p.x >= width) return;
  const float here = at(guide, p.n, 0, p.y, p.x) * range;
  float weight = 0, total[channels] = {};
  for (int dy = -radius; dy <= radius; ++dy) {
    const int64_t y = p.y + dy;
    if (y < 0 || y >= height) continue;
    for (int dx = -radius; dx <= radius; ++dx) {
      const int64_t x = p.x + dx;
      const int square = dy * dy + dx * dx;
      if (square > radius * radius || x < 0 || x >= width) continue;
      const float d = at(guide, p.n, 0, y, x) * range - here;
      const float w = exp2_weight(fma(0.0f - d, d, static_cast<float>(square) * space_scale));
      weight += w;
      for (int c = 0; c < channels; ++c)
        total[c] = fma(w, at(chroma, p.n, channel + c, y, x), total[c]);
    }
  }
  for (int c = 0; c < channels; ++c) at(out, p.n, channel + c, p.y, p.x) = total[c] / weight;
}

// What both windows need: `taps` a side, the Gaussian's scale where it is one.
struct UpsampleParameters {
  int taps, gaussian;  // a side
  float range, floor, space_scale;
};

// The spline's 3×3 samples, or (2r + 1)² with a Gaussian; the low guide's border is repeated.
__global__ void upsample(Image<const float> chroma, Image<const float> guide_low,
                         Image<const float> guide, UpsampleParameters k, Image<float> out) {
  const Pixel p = pixel_of_thread();
  if (p.y >= out.size[2] || p.x >= out.size[3]) return;
  const int64_t h = chroma.size[2], w = chroma.size[3];
  const double row = (p.y + 0.5) * h / out.size[2] - 0.5;
  const double column = (p.x + 0.5) * w / out.size[3] - 0.5;
  const double near_row = ::floor(row + 0.5), near_column = ::floor(column + 0.5);
  const float off_row = static_cast<float>(row - near_row);
  const float off_column = static_cast<float>(column - near_column);
  const SplineTaps<float> rows = spline_taps(off_row), columns = spline_taps(off_column);
  const float wr[3] = {rows.before, rows.nearest, rows.after};
  const float wc[3] = {columns.before, columns.nearest, columns.after};
  const float here = at(guide, p.n, 0, p.y, p.x) * k.range;
  for (int64_t c = 0; c < out.size[1]; ++c) {
    float weight = 0, total = 0;
    for (int j = 0; j < k.taps; ++j) {
      const int dy = j - k.taps / 2;
      int64_t y = static_cast<int64_t>(near_row) + dy;
      y = y < 0 ? 0 : y >= h ? h - 1 : y;
      for (int i = 0; i < k.taps; ++i) {
        const int dx = i - k.taps / 2;
        int64_t x = static_cast<int64_t>(near_column) + dx;
        x = x < 0 ? 0 : x >= w ? w - 1 : x;
        float space;
        if (k.gaussian) {
          const float ey = off_row - static_cast<float>(dy),
                      ex = off_column - static_cast<float>(dx);
          space = exp2(fma(ey, ey, ex * ex) * k.space_scale);
        } else {
          space = wr[j] * wc[i];
        }
        const float d = here - at(guide_low, p.n, 0, y, x) * k.range;
        const float weight_here = space * (range_weight(d) + k.floor);
        weight += weight_here;
        total = fma(weight_here, at(chroma, p.n, c, y, x), total);
      }
    }
    at(out, p.n, c, p.y, p.x) = total / weight;
  }
}

}  // namespace

void joint_bilateral(const Image<const float>& chroma, const Image<const float>& guide, int radius,
                     double sigma_space, double sigma_range, const Image<float>& out,
                     Launch launch) {
  const float space = static_cast<float>(-0.72134752044448170 / (sigma_space * sigma_space));
  const float range = range_scale(sigma_range);
  const dim3 grid = grid_over(out), block(kColumns, kRows);
  int64_t c = 0;
  for (; c + 2 <= out.size[1]; c += 2)
    enqueue(launch, bilateral<2>, grid, block, chroma, guide, radius, space, range, c, out);
  if (c < out.size[1])
    enqueue(launch, bilateral<1>, grid, block, chroma, guide, radius, space, range, c, out);
}

void joint_bilateral_upsample(const Image<const float>& chroma, const Image<const float>& guide_low,
                              const Image<const float>& guide, double sigma_range, double floor,
                              int radius, double sigma_space, const Image<float>& out,
                              Launch launch) {
  const UpsampleParameters k = {
      radius < 0 ? 3 : 2 * radius + 1, radius >= 0, range_scale(sigma_range),
      static_cast<float>(floor),
      static_cast<float>(-0.72134752044448170 / (sigma_space * sigma_space))};
  enqueue(launch, upsample, grid_over(out), dim3(kColumns, kRows), chroma, guide_low, guide, k,
          out);
}

}  // namespace pycolor::cuda
