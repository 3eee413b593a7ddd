// The ops compiled for any machine: SSE2 on x86-64, NEON on aarch64.
#include "simd_plain.h"

#include "kernels_all.h"

namespace pycolor {

const Kernels& kernels_plain() {
  static const Kernels table = all_kernels("baseline");
  return table;
}

}  // namespace pycolor
