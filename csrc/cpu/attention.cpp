// Attention on the CPU: what is laid out, and shared out to the threads.
#include <algorithm>

#include "kernels.h"
#include "ops.h"
#include "rows.h"

namespace pycolor {

void attention(AttentionJob job, const float* keys, const float* bias, const float* values,
               int threads) {
  const int64_t padded = ceil_divide(job.keys, 16) * 16, depth = job.depth;
  float* laid = scratch(Scratch::kShared, static_cast<size_t>(padded * (depth + 1 + job.width)));
  float *packed = laid, *biases = packed + padded * depth, *planes = biases + padded;
  for (int64_t k = 0; k < padded; ++k) {
    const bool real = k < job.keys;
    float* to = packed + k / 16 * 16 * depth + k % 16;
    for (int64_t d = 0; d < depth; ++d) to[16 * d] = real ? keys[k * depth + d] : 0.0f;
    biases[k] = real ? bias[k] : -3.4e38f;
    for (int64_t m = 0; m < job.width; ++m)
      planes[m * padded + k] = real ? values[k * job.width + m] : 0.0f;
  }
  job.packed = packed;
  job.bias = biases;
  job.value = planes;
  parallel_for(threads, ceil_divide(job.queries, kQueriesInCache), [&](int64_t i) {
    const int64_t first = i * kQueriesInCache;
    kernels().attention(job, first, std::min(job.queries, first + kQueriesInCache));
  });
}

}  // namespace pycolor
