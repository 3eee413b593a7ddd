// The renderer on the GPU, see ../render.h: the cells' lightness, then one thread an output sample.
//
// No intermediate planes: luma and the small field go in, codes come out.  Threads of a warp lie
// along a row, so loads of luma and stores of codes are whole lines.  A color that needs more than
// the short way holds up its warp alone.
#include "launch.h"
#include "scalar.h"

#include "../joint_bilateral.h"
#include "../render.h"
#include "ops.h"

namespace pycolor::cuda {
namespace {

constexpr int kThreads = 128;            // of the sum over a cell
constexpr int kColumns = 32, kRows = 4;  // of a block of the renderer: one sample a thread

// Codes of frames, rows in one piece.
template <class T>
struct Luma {
  const T* data;
  int64_t frame_stride, row_stride;
  int height, width;
};

template <class T>
Luma<T> typed(const Image<const void>& luma) {
  return {static_cast<const T*>(luma.data), luma.stride[0], luma.stride[2],
          static_cast<int>(luma.size[2]), static_cast<int>(luma.size[3])};
}

static PYCOLOR_HD float lightness_of(const FrameCode& code, float mean) {
  return fma(116.0f, neutral_f(luma_of_code(code, mean)), -16.0f);
}

// L* of each code: one thread a sample.
template <class T>
__global__ void lightness_rows(Luma<T> luma, FrameCode code, float* out) {
  const int64_t n = blockIdx.z, y = blockIdx.y, x = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (x >= luma.width) return;
  const float sample = luma.data[n * luma.frame_stride + y * luma.row_stride + x];
  out[(n * luma.height + y) * luma.width + x] = lightness_of(code, sample);
}

// The part of sample [i, i+1) inside [low, high).
static PYCOLOR_HD float share(int i, double low, double high) {
  const double from = low > i ? low : i, to = high < i + 1 ? high : i + 1;
  return static_cast<float>(to > from ? to - from : 0);
}

// One block a cell.
template <class T>
__global__ void mean_cells(Luma<T> luma, FrameCode code, float scale, Image<float> out) {
  __shared__ float partial[kThreads];
  const int64_t n = blockIdx.z, i = blockIdx.y, j = blockIdx.x;
  const double top = static_cast<double>(i) * luma.height / out.size[2];
  const double bottom = static_cast<double>(i + 1) * luma.height / out.size[2];
  const double left = static_cast<double>(j) * luma.width / out.size[3];
  const double right = static_cast<double>(j + 1) * luma.width / out.size[3];
  const int y0 = static_cast<int>(top), x0 = static_cast<int>(left);
  const int y1 = bottom < luma.height ? static_cast<int>(bottom) + 1 : luma.height;
  const int x1 = right < luma.width ? static_cast<int>(right) + 1 : luma.width;
  const int columns = x1 - x0, samples = columns * (y1 - y0);
  float sum = 0;
  for (int k = threadIdx.x; k < samples; k += kThreads) {
    const int y = y0 + k / columns, x = x0 + k % columns;
    const float value = luma.data[n * luma.frame_stride + y * luma.row_stride + x];
    sum = fma(value, share(y, top, bottom) * share(x, left, right), sum);
  }
  partial[threadIdx.x] = sum;
  __syncthreads();
  for (int step = kThreads / 2; step > 0; step /= 2) {
    if (static_cast<int>(threadIdx.x) < step) partial[threadIdx.x] += partial[threadIdx.x + step];
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    const float mean = partial[0] * static_cast<float>(1.0 / ((bottom - top) * (right - left)));
    out.data[n * out.stride[0] + i * out.stride[2] + j * out.stride[3]] =
        lightness_of(code, mean) * scale;
  }
}

// Where the codes go: u and v, or r, g and b.
struct Planes {
  void* data[3];
  int64_t stride[3][3];  // frame, row, column of each
  int height, width, rgb;
};

static PYCOLOR_HD int clamped(int i, int size) { return i < 0 ? 0 : i >= size ? size - 1 : i; }

// The mean luma under a sample, the field refined there, the color, the codes.
template <class T>
__global__ void render_samples(Image<const float> field, Image<float> guide_low, Luma<T> luma,
                               FrameCode code, Refinement refinement, Gamut gamut, Planes planes) {
  const int x = blockIdx.x * kColumns + threadIdx.x, y = blockIdx.y * kRows + threadIdx.y;
  const int64_t n = blockIdx.z;
  if (x >= planes.width || y >= planes.height) return;
  // The mean luma under the sample.
  const Site rows = site_of(code.center_row, code.row_shift);
  const Site columns = site_of(code.center_column, code.column_shift);
  float sum = 0, area = 0;
  for (int j = 0; j < rows.count; ++j) {
    const int ly = clamped((y << code.row_shift) + rows.first + j, luma.height);
    const T* row = luma.data + n * luma.frame_stride + ly * luma.row_stride;
    for (int i = 0; i < columns.count; ++i) {
      const int lx = clamped((x << code.column_shift) + columns.first + i, luma.width);
      const float w = rows.weight(j) * columns.weight(i);
      sum = fma(w, static_cast<float>(row[lx]), sum);
      area += w;
    }
  }
  const float level = luma_of_code(code, sum / area), neutral = neutral_f(level);
  const float guide = fma(116.0f, neutral, -16.0f) * refinement.range_scale;
  // The refined field.
  const int h = static_cast<int>(field.size[2]), w = static_cast<int>(field.size[3]);
  const float row = low_coordinate(code.center_row + static_cast<float>(y << code.row_shift),
                                   static_cast<float>(h), static_cast<float>(luma.height));
  const float column =
      low_coordinate(code.center_column + static_cast<float>(x << code.column_shift),
                     static_cast<float>(w), static_cast<float>(luma.width));
  const float near_row = floor(row + 0.5f), near_column = floor(column + 0.5f);
  const SplineTaps<float> ty = spline_taps(row - near_row), tx = spline_taps(column - near_column);
  const float wy[3] = {ty.before, ty.nearest, ty.after}, wx[3] = {tx.before, tx.nearest, tx.after};
  float a = 0, b = 0, weight = 0;
  for (int j = 0; j < 3; ++j) {
    const int iy = clamped(static_cast<int>(near_row) + j - 1, h);
    for (int i = 0; i < 3; ++i) {
      const int ix = clamped(static_cast<int>(near_column) + i - 1, w);
      const float* from =
          field.data + n * field.stride[0] + iy * field.stride[2] + ix * field.stride[3];
      const float d = guide - guide_low.data[(n * h + iy) * w + ix];
      const float k = wy[j] * wx[i] * (range_weight(d) + refinement.floor);
      const float ca = from[0], cb = from[field.stride[1]];
      weight += k;
      a = fma(k, select(abs(ca) < 3e38f, ca, 0.0f), a);
      b = fma(k, select(abs(cb) < 3e38f, cb, 0.0f), b);
    }
  }
  const ColorDifference<float> color = color_of_luma(gamut, level, neutral, a / weight, b / weight);
  const auto put = [&](int c, float value) {
    static_cast<T*>(planes.data[c])[n * planes.stride[c][0] + y * planes.stride[c][1] +
                                    x * planes.stride[c][2]] = static_cast<T>(rintf(value));
  };
  if (planes.rgb) {
    const Triple<float> rgb = rgb_of(gamut.luma, level, color);
    put(0, rgb.x * code.top);
    put(1, rgb.y * code.top);
    put(2, rgb.z * code.top);
  } else {
    put(0, chroma_code(code, color.blue, code.luma.kb));
    put(1, chroma_code(code, color.red, code.luma.kr));
  }
}

unsigned blocks(int64_t size, int block) {
  return static_cast<unsigned>((size + block - 1) / block);
}

// A block a cell: a 1080p cell of a 64×64 field has 510 samples, four a thread.
template <class T>
void mean_typed(const Image<const void>& luma, const FrameCode& code, float scale,
                const Image<float>& out, Launch launch) {
  const dim3 grid(static_cast<unsigned>(out.size[3]), static_cast<unsigned>(out.size[2]),
                  static_cast<unsigned>(out.size[0]));
  enqueue(launch, mean_cells<T>, grid, dim3(kThreads), typed<T>(luma), code, scale, out);
}

template <class T>
void lightness_typed(const Image<const void>& luma, const FrameCode& code, float* out,
                     Launch launch) {
  const dim3 grid(blocks(luma.size[3], kThreads), static_cast<unsigned>(luma.size[2]),
                  static_cast<unsigned>(luma.size[0]));
  enqueue(launch, lightness_rows<T>, grid, dim3(kThreads), typed<T>(luma), code, out);
}

}  // namespace

void luma_to_lightness(const Image<const void>& luma, bool is_uint16, const FrameCode& code,
                       float* out, Launch launch) {
  if (is_uint16) return lightness_typed<uint16_t>(luma, code, out, launch);
  lightness_typed<uint8_t>(luma, code, out, launch);
}

void mean_lightness(const Image<const void>& luma, bool is_uint16, const FrameCode& code,
                    double scale, const Image<float>& out, Launch launch) {
  const float factor = static_cast<float>(scale);
  if (is_uint16) return mean_typed<uint16_t>(luma, code, factor, out, launch);
  mean_typed<uint8_t>(luma, code, factor, out, launch);
}

void render(const Image<const float>& field, const Image<const void>& luma, bool is_uint16,
            const FrameCode& code, double sigma_range, double floor, const Gamut& gamut,
            const Image<float>& guide_low, const std::vector<Image<void>>& planes, bool rgb,
            Launch launch) {
  const Refinement refinement = {range_scale(sigma_range), static_cast<float>(floor)};
  mean_lightness(luma, is_uint16, code, refinement.range_scale, guide_low, launch);
  // The low guide first, on the same stream; then all samples at once.
  Planes out = {};
  for (size_t c = 0; c < planes.size(); ++c) {
    out.data[c] = planes[c].data;
    out.stride[c][0] = planes[c].stride[0];
    out.stride[c][1] = planes[c].stride[2];
    out.stride[c][2] = planes[c].stride[3];
  }
  out.height = static_cast<int>(planes[0].size[2]);
  out.width = static_cast<int>(planes[0].size[3]);
  out.rgb = rgb;
  const dim3 grid(blocks(out.width, kColumns), blocks(out.height, kRows),
                  static_cast<unsigned>(luma.size[0]));
  const dim3 block(kColumns, kRows);
  if (is_uint16) {
    enqueue(launch, render_samples<uint16_t>, grid, block, field, guide_low, typed<uint16_t>(luma),
            code, refinement, gamut, out);
  } else {
    enqueue(launch, render_samples<uint8_t>, grid, block, field, guide_low, typed<uint8_t>(luma),
            code, refinement, gamut, out);
  }
}

}  // namespace pycolor::cuda
