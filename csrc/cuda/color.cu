// Color conversions on the GPU: one thread a pixel, all steps of a conversion in registers.
#include "launch.h"
#include "scalar.h"

#include "../gamut.h"
#include "ops.h"

namespace pycolor::cuda {
namespace {

constexpr int kThreads = 256;  // along a row

// A conversion's steps by value: kernel parameters lie in constant memory.
struct Steps {
  int count;
  int step[8];
};

// All threads of a launch take the same branch.
__device__ Triple<float> run(int step, Triple<float> c) {
  switch (step) {  // cpu/kernels.h: Step
    case 0:
      return RgbToLinear::of(c);
    case 1:
      return LinearToRgb::of(c);
    case 2:
      return LinearToXyz::of(c);
    case 3:
      return XyzToLinear::of(c);
    case 4:
      return XyzToLab::of(c);
    case 5:
      return LabToXyz::of(c);
    case 6:
      return XyzToLuv::of(c);
    default:
      return LuvToXyz::of(c);
  }
}

// A value as it is, or a code: rounded to even, within 0…top.
__device__ void put(float* to, float x, float) { *to = x; }
template <class T>
__device__ void put(T* to, float x, float top) {
  *to = static_cast<T>(rintf(max(0.0f, min(top, x * top))));
}

// Blocks along rows, then rows, then frames.
dim3 rows_of(const int64_t* size) {
  return dim3(static_cast<unsigned>((size[3] + kThreads - 1) / kThreads),
              static_cast<unsigned>(size[2]), static_cast<unsigned>(size[0]));
}

// Reads and writes of a warp follow each other along a row.
template <class T>
__global__ void convert_rows(Image<const float> in, Steps steps, Image<T> out, float top) {
  const int64_t n = blockIdx.z, y = blockIdx.y, x = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (x >= in.size[3]) return;
  const float* from = in.data + n * in.stride[0] + y * in.stride[2] + x * in.stride[3];
  Triple<float> c = {from[0], from[in.stride[1]], from[2 * in.stride[1]]};
  for (int s = 0; s < steps.count; ++s) c = run(steps.step[s], c);
  T* to = out.data + n * out.stride[0] + y * out.stride[2] + x * out.stride[3];
  put(to, c.x, top);
  put(to + out.stride[1], c.y, top);
  put(to + 2 * out.stride[1], c.z, top);
}

// Threads whose colors need the search hold up their warp; few colors do.
__global__ void yab_rows(Image<const float> in, Gamut gamut, Image<float> out) {
  const int64_t n = blockIdx.z, y = blockIdx.y, x = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (x >= in.size[3]) return;
  const float* from = in.data + n * in.stride[0] + y * in.stride[2] + x * in.stride[3];
  const float luma = max(0.0f, min(1.0f, from[0]));
  const ColorDifference<float> color =
      color_of_luma(gamut, luma, neutral_f(luma), from[in.stride[1]], from[2 * in.stride[1]]);
  float* to = out.data + n * out.stride[0] + y * out.stride[2] + x * out.stride[3];
  to[0] = luma;
  to[out.stride[1]] = color.blue * (0.5f / (1.0f - gamut.luma.kb));
  to[2 * out.stride[1]] = color.red * (0.5f / (1.0f - gamut.luma.kr));
}

template <class T>
void convert_typed(const Steps& steps, const Image<const float>& in, const Image<void>& out,
                   float top, Launch launch) {
  Image<T> typed = {static_cast<T*>(out.data), {}, {}};
  for (int i = 0; i < 4; ++i) {
    typed.size[i] = out.size[i];
    typed.stride[i] = out.stride[i];
  }
  enqueue(launch, convert_rows<T>, rows_of(in.size), dim3(kThreads), in, steps, typed, top);
}

}  // namespace

void convert(const std::vector<int>& steps, const Image<const float>& in, const Image<void>& out,
             int kind, Launch launch) {
  Steps list = {};
  for (int step : steps) list.step[list.count++] = step;
  if (kind == 0) return convert_typed<float>(list, in, out, 0.0f, launch);
  if (kind == 1) return convert_typed<uint8_t>(list, in, out, 255.0f, launch);
  convert_typed<uint16_t>(list, in, out, 65535.0f, launch);
}

void yab_to_ycbcr(const Image<const float>& in, const Gamut& gamut, const Image<float>& out,
                  Launch launch) {
  enqueue(launch, yab_rows, rows_of(in.size), dim3(kThreads), in, gamut, out);
}

}  // namespace pycolor::cuda
