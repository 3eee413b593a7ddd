// Attention on the CPU: what is laid out, and shared out to the threads.
#include <algorithm>

#include "kernels.h"
#include "module.h"
#include "rows.h"

namespace pycolor {
namespace {

// keys K×D, bias K, values K×M, rows in one piece each; of the job all but what is laid out here.
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

}  // namespace

PYCOLOR_OP(attention) {
  // Addresses of query Q×D, key K×D, bias K, value K×M, out Q×M and log_sum Q; then Q, K, D, M.
  m.def(
      "attention",
      [](uintptr_t query, uintptr_t key, uintptr_t bias, uintptr_t value, uintptr_t out,
         uintptr_t log_sum, int64_t queries, int64_t keys, int64_t depth, int64_t width,
         int threads) {
        AttentionJob job{};
        job.query = at<const float>(query);
        job.out = at<float>(out);
        job.log_sum = at<float>(log_sum);
        job.queries = queries;
        job.keys = keys;
        job.depth = depth;
        job.width = width;
        attention(job, at<const float>(key), at<const float>(bias), at<const float>(value),
                  threads);
      },
      unlocked);
}

}  // namespace pycolor
