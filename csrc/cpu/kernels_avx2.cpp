// The ops compiled for AVX2 and FMA.
#include "simd_avx2.h"

#include "kernels_all.h"

namespace pycolor {

const Kernels& kernels_avx2() {
  static const Kernels table = all_kernels("avx2");
  return table;
}

}  // namespace pycolor
