// The ops compiled for AVX-512 F, BW, DQ and VL.
#include "simd_avx512.h"

#include "kernels_all.h"

namespace pycolor {

const Kernels& kernels_avx512() {
  static const Kernels table = all_kernels("avx512");
  return table;
}

}  // namespace pycolor
