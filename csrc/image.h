// Views of the caller's memory, and the mark of functions that run on host and device.
#pragma once

#include <cstdint>

// Internal linkage everywhere: each instruction set's translation unit keeps its own copy.
#if defined(__CUDACC__)
#define PYCOLOR_HD __host__ __device__ __forceinline__
#else
#define PYCOLOR_HD inline __attribute__((always_inline))
#endif

namespace pycolor {

// N×C×H×W with strides in elements, any of them.
template <class T>
struct Image {
  T* data;
  int64_t size[4];
  int64_t stride[4];
};

}  // namespace pycolor
