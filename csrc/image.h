// Views of the caller's memory, and the mark of functions that run on host and device.
#pragma once

#include <cstdint>

// Internal linkage everywhere: each instruction set's translation unit keeps its own copy.
#if defined(__CUDACC__)
#define PC_MEMBER __host__ __device__ __forceinline__
#else
#define PC_MEMBER inline __attribute__((always_inline))
#endif
#define PC_FN static PC_MEMBER

namespace pycolor {

// N×C×H×W with strides in elements, any of them.
template <class T>
struct Image {
  T* data;
  int64_t size[4];
  int64_t stride[4];
};

}  // namespace pycolor
