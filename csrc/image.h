// Views of the caller's memory, and the mark of functions that run on host and device.
//
// The kernels own no arrays: pycolor/ops allocates them, checks shape, type and device, and hands
// over address, sizes and strides.  Nothing here frees, copies or keeps what a view points to.
#pragma once

#include <cstdint>

// Always inlined, on the device too.  Free functions are `static` besides: each instruction set's
// translation unit must keep its own copy, for the linker would take one of several for all, and
// code for AVX-512 could then run where there is none.
#if defined(__CUDACC__)
#define PYCOLOR_HD __host__ __device__ __forceinline__
#else
#define PYCOLOR_HD inline __attribute__((always_inline))
#endif

namespace pycolor {

// N×C×H×W.  Strides are in elements, in the order of the sizes, and may be anything: 0 repeats a
// frame, 2 walks one half of NV12's interleaved chroma, a negative one turns the picture.
template <class T>
struct Image {
  T* data;
  int64_t size[4];
  int64_t stride[4];
};

}  // namespace pycolor
