// Color over time on the CPU.  Block matching: the baseline's vectors are as wide as two rows of a
// block.
#include "../motion.h"

#include "ops.h"
#include "pool.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace pycolor {
namespace {

#if defined(__SSE2__)
struct VectorDifference {
  PYCOLOR_HD static __m128i two_rows(const uint8_t* first, int64_t stride) {
    const __m128i upper = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(first));
    const __m128i lower = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(first + stride));
    return _mm_unpacklo_epi64(upper, lower);
  }
  PYCOLOR_HD static int rows(const uint8_t* a, const uint8_t* b, int64_t stride) {
    __m128i sum = _mm_setzero_si128();
    for (int y = 0; y < kMotionBlock; y += 2) {
      const __m128i mine = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a + y * kMotionBlock));
      sum = _mm_add_epi64(sum, _mm_sad_epu8(mine, two_rows(b + y * stride, stride)));
    }
    return _mm_cvtsi128_si32(sum) + _mm_cvtsi128_si32(_mm_unpackhi_epi64(sum, sum));
  }
};
using Difference = VectorDifference;
#else
using Difference = PlainDifference;
#endif

}  // namespace

void motion_search(const MotionJob& job, int threads) {
  const int64_t rows = job.flow.size[2];
  parallel_for(threads, job.flow.size[0] * rows, [&](int64_t i) {
    for (int64_t x = 0; x < job.flow.size[3]; ++x)
      match_cell<Difference>(job, i / rows, i % rows, x);
  });
}

void carry_chroma(const CarryJob& job, int threads) {
  parallel_for(threads, job.out.size[2], [&](int64_t y) {
    for (int64_t x = 0; x < job.out.size[3]; ++x) carry_cell(job, y, x);
  });
}

}  // namespace pycolor
