// Which instruction set runs: the best one that processor and system offer, or PYCOLOR_SIMD.
//
// The choice is made at the first op and kept.  All sets give the same bytes, so it is about time
// alone; tests run the ops once with each.
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels.h"
#include "module.h"

namespace pycolor {
namespace {

// What this machine runs, the best one last.  AVX2 counts with FMA, AVX-512 with the four parts
// that the code uses; the system's saving of the registers is part of what the compiler's built-in
// asks.
std::vector<std::string> simd_levels() {
  std::vector<std::string> levels = {"baseline"};
#if PYCOLOR_X86
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    levels.push_back("avx2");
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
      levels.push_back("avx512");
  }
#endif
  return levels;
}

const Kernels& named(const std::string& name) {
#if PYCOLOR_X86
  if (name == "avx2") return kernels_avx2();
  if (name == "avx512") return kernels_avx512();
#endif
  (void)name;
  return kernels_plain();
}

// An unknown PYCOLOR_SIMD is an error that names what there is, not a silent fallback.
const Kernels& choose() {
  const std::vector<std::string> levels = simd_levels();
  const char* wish = std::getenv("PYCOLOR_SIMD");
  if (wish == nullptr || *wish == '\0') return named(levels.back());
  std::string all;
  for (const std::string& level : levels) {
    if (level == wish) return named(level);
    all += (all.empty() ? "" : ", ") + level;
  }
  throw std::runtime_error("PYCOLOR_SIMD must be one of " + all + " on this machine, got '" + wish +
                           "'");
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

PYCOLOR_OP(dispatch) {
  m.def("simd_levels", &simd_levels);
  m.def("simd_in_use", [] { return std::string(kernels().name); });
}

}  // namespace pycolor
