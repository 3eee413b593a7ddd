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

constexpr int kThreads = 128;            // of a block where each takes a sample
constexpr int kCells = 4;                // of a block that sums over cells: one a warp
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

// The samples of one axis that a cell lies over, and the parts of the first and the last inside it.
struct Reach {
  int first, count;
  float begin, end;
  __device__ float share(int i) const { return i == 0 ? begin : i == count - 1 ? end : 1.0f; }
};

// Cell i of `cells` equal parts of `size` samples.
__device__ Reach reach_of(int64_t i, int64_t cells, int size) {
  const double low = static_cast<double>(i) * size / cells;
  const double high = static_cast<double>(i + 1) * size / cells;
  const int first = static_cast<int>(low);
  const int stop = high < size ? static_cast<int>(high) + (high > static_cast<int>(high)) : size;
  const double begin = high < first + 1 ? high : first + 1;
  return {first, stop - first, static_cast<float>(begin - low),
          static_cast<float>(high - (stop - 1))};
}

// One warp a cell.  Where a cell is narrow, the warp takes two or four of its rows at once.
template <class T>
__global__ void mean_cells(Luma<T> luma, FrameCode code, float scale, Image<float> out) {
  const int lane = threadIdx.x;
  const int64_t n = blockIdx.z, i = blockIdx.y, j = int64_t{blockIdx.x} * kCells + threadIdx.y;
  if (j >= out.size[3]) return;  // the whole warp
  const Reach rows = reach_of(i, out.size[2], luma.height);
  const Reach columns = reach_of(j, out.size[3], luma.width);
  const int width = columns.count > 16 ? 32 : columns.count > 8 ? 16 : 8;
  const T* row = luma.data + n * luma.frame_stride + columns.first +
                 int64_t{rows.first + lane / width} * luma.row_stride;
  float sum = 0;
  for (int y = lane / width; y < rows.count; y += 32 / width) {
    for (int x = lane % width; x < columns.count; x += width) {
      const float value = row[x];
      sum = fma(value, rows.share(y) * columns.share(x), sum);
    }
    row += 32 / width * luma.row_stride;
  }
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (lane == 0) {
    const double area = (static_cast<double>(luma.height) / out.size[2]) *
                        (static_cast<double>(luma.width) / out.size[3]);
    const float mean = sum * static_cast<float>(1.0 / area);
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

template <class T>
void mean_typed(const Image<const void>& luma, const FrameCode& code, float scale,
                const Image<float>& out, Launch launch) {
  const dim3 grid(blocks(out.size[3], kCells), static_cast<unsigned>(out.size[2]),
                  static_cast<unsigned>(out.size[0]));
  enqueue(launch, mean_cells<T>, grid, dim3(32, kCells), typed<T>(luma), code, scale, out);
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
