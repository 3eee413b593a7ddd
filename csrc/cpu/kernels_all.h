// The table of kernels for the Lanes of the simd_*.h that was included before.
//
// All of it lies in an unnamed namespace: three translation units hold functions of the same names.
#pragma once

#include "kernel_sources.h"  // made by the build: every *_cpu.h of this folder

namespace pycolor {
namespace {

Kernels all_kernels(const char* name) {
#define KERNEL(name, ...) , name
  return {name PYCOLOR_KERNELS(KERNEL)};
#undef KERNEL
}

}  // namespace
}  // namespace pycolor
