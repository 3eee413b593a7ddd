// Annealed mean on the GPU, see ../annealed_mean.h.
//
// Two layouts, by what makes the reads of a warp follow each other.  Planes (contiguous N×Q×h×w):
// 32 pixels a warp, the palette in eight slices, one a warp, whose sums meet in shared memory.
// Channels last: a warp a pixel, the palette's entries across its lanes, sums met by shuffles.
// Logits are read once, so memory bounds it.
#include "launch.h"
#include "scalar.h"

#include "../annealed_mean.h"
#include "ops.h"

namespace pycolor::cuda {
namespace {

constexpr int kPixels = 32;  // of a block: one a lane, so that N×Q×h×w reads are coalesced
constexpr int kSlices = 8;   // of the palette: one a warp
constexpr int kWarps = 8;    // of a block of the other layout: one pixel each

__device__ float value(float x) { return x; }
__device__ float value(__half x) { return __half2float(x); }

// Strides in elements: frame, entry, row, pixel.
template <class T>
struct Logits {
  const T* data;
  int64_t stride[4];
  int entries, height, width;
};

// Sums of two parts of the palette, brought to the larger of their largest logits.
__device__ void merge(AnnealedSum<float>& sum, AnnealedSum<float> other, float scale) {
  const float largest = max(sum.largest, other.largest);
  annealed_raise(sum, largest, scale);
  annealed_raise(other, largest, scale);
  sum.weight += other.weight;
  sum.a += other.a;
  sum.b += other.b;
}

// Entries first, first + step … of one pixel.
template <class T>
__device__ void accumulate(AnnealedSum<float>& sum, const T* x, int64_t stride, int first, int step,
                           int entries, const float* palette, float scale) {
  for (int q = first; q < entries; q += step) {
    const float logit = value(x[q * stride]);
    if (sum.largest < logit) annealed_raise(sum, logit, scale);
    annealed_add(sum, logit, scale, palette[2 * q], palette[2 * q + 1]);
  }
}

// Any layout; fast where pixels follow each other.
template <class T>
__global__ void annealed_pixels(Logits<T> logits, const float* palette, float scale,
                                Image<float> out) {
  __shared__ AnnealedSum<float> partial[kSlices][kPixels];
  const int lane = threadIdx.x, slice = threadIdx.y;
  const int64_t pixel = int64_t{blockIdx.x} * kPixels + lane;
  const int64_t n = blockIdx.y;
  const bool inside = pixel < int64_t{logits.height} * logits.width;
  const int64_t y = pixel / logits.width, x = pixel % logits.width;
  AnnealedSum<float> sum = annealed_start<float>();
  if (inside) {
    const T* from =
        logits.data + n * logits.stride[0] + y * logits.stride[2] + x * logits.stride[3];
    accumulate(sum, from, logits.stride[1], slice, kSlices, logits.entries, palette, scale);
  }
  partial[slice][lane] = sum;
  __syncthreads();
  if (slice == 0 && inside) {
    for (int s = 1; s < kSlices; ++s) merge(sum, partial[s][lane], scale);
    float* to = out.data + n * out.stride[0] + y * out.stride[2] + x * out.stride[3];
    annealed_finish(sum, to[0], to[out.stride[1]]);
  }
}

// Entries follow each other (channels last): one warp a pixel.
template <class T>
__global__ void annealed_entries(Logits<T> logits, const float* palette, float scale,
                                 Image<float> out) {
  const int lane = threadIdx.x;
  const int64_t pixel = int64_t{blockIdx.x} * kWarps + threadIdx.y;
  const int64_t n = blockIdx.y;
  if (pixel >= int64_t{logits.height} * logits.width) return;  // the whole warp
  const int64_t y = pixel / logits.width, x = pixel % logits.width;
  const T* from = logits.data + n * logits.stride[0] + y * logits.stride[2] + x * logits.stride[3];
  AnnealedSum<float> sum = annealed_start<float>();
  accumulate(sum, from, 1, lane, 32, logits.entries, palette, scale);
  for (int step = 16; step > 0; step /= 2) {
    AnnealedSum<float> other;
    other.largest = __shfl_xor_sync(0xffffffffu, sum.largest, step);
    other.weight = __shfl_xor_sync(0xffffffffu, sum.weight, step);
    other.a = __shfl_xor_sync(0xffffffffu, sum.a, step);
    other.b = __shfl_xor_sync(0xffffffffu, sum.b, step);
    merge(sum, other, scale);
  }
  if (lane == 0) {
    float* to = out.data + n * out.stride[0] + y * out.stride[2] + x * out.stride[3];
    annealed_finish(sum, to[0], to[out.stride[1]]);
  }
}

// Which of the two kernels: channels last with a warp's worth of entries takes a warp a pixel.
template <class T>
void annealed_typed(const Image<const void>& image, const float* palette, float scale,
                    const Image<float>& out, Launch launch) {
  const int64_t *size = image.size, *s = image.stride;
  const Logits<T> logits = {static_cast<const T*>(image.data),
                            {s[0], s[1], s[2], s[3]},
                            static_cast<int>(size[1]),
                            static_cast<int>(size[2]),
                            static_cast<int>(size[3])};
  const int64_t pixels = size[2] * size[3];
  const auto blocks = [&](int a_block) {
    return dim3(static_cast<unsigned>((pixels + a_block - 1) / a_block),
                static_cast<unsigned>(size[0]));
  };
  if (s[1] == 1 && size[1] >= 32) {
    enqueue(launch, annealed_entries<T>, blocks(kWarps), dim3(32, kWarps), logits, palette, scale,
            out);
  } else {
    enqueue(launch, annealed_pixels<T>, blocks(kPixels), dim3(kPixels, kSlices), logits, palette,
            scale, out);
  }
}

}  // namespace

void annealed_mean(const Image<const void>& logits, int entry_bytes, const float* palette,
                   double temperature, const Image<float>& out, Launch launch) {
  const float scale = static_cast<float>(1.4426950408889634 / temperature);
  if (entry_bytes == 2) return annealed_typed<__half>(logits, palette, scale, out, launch);
  annealed_typed<float>(logits, palette, scale, out, launch);
}

}  // namespace pycolor::cuda
