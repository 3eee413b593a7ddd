// Attention with one bias a key: what each query finds among the keys.  16 lanes, a lane a key.
//
//   p_k  = softmax over k of (q · x_k + b_k)
//   out  = Σ p_k v_k                      values v of any width
//   log  = log Σ exp(q · x_k + b_k)
//
// q is Q×D, x K×D, b K, v K×M.  With q scaled by 2/τ and b = −|x|²/τ this is a softmax of squared
// distances, the matching of guided pictures.  Scores never leave the cache: those of some queries
// with all keys are computed, then their largest is known and the weights are summed (Rabe and
// Staats, "Self-attention Does Not Need O(n²) Memory", 2021, without their running largest).  A
// score's products are summed in the order of D and weights in 16 sums, so every instruction set
// gives the same bytes.  A weight below 2^-126 of the largest counts as 2^-126.  Against exact
// arithmetic out is off by about the rounding of the scores: 1e-7 of |q||x| times the spread of v.
#pragma once

#include <cmath>

#include "../elementary.h"
#include "kernels.h"
#include "pool.h"

namespace pycolor {
namespace {

// Queries whose scores with a vector of keys are in registers together.
#if defined(__AVX512F__)
constexpr int kQueriesAtOnce = 8;
#else
constexpr int kQueriesAtOnce = 4;
#endif

// Scores of some queries with 16 keys.
template <int count>
static PYCOLOR_HD void attention_scores(const float* query, const float* keys, int64_t depth,
                                        Lanes bias, float* scores, int64_t stride) {
  Lanes sum[count];
  for (int i = 0; i < count; ++i) sum[i] = bias;
  for (int64_t d = 0; d < depth; ++d) {
    const Lanes x = load(keys + 16 * d);
#pragma GCC unroll 8
    for (int i = 0; i < count; ++i) sum[i] = fma(x, Lanes(query[i * depth + d]), sum[i]);
  }
  for (int i = 0; i < count; ++i) store(scores + i * stride, sum[i]);
}

// Σ w v of `count` planes of values.
template <int count>
static PYCOLOR_HD void attention_sums(const float* weights, const float* value, int64_t padded,
                                      float total, float* out) {
  Lanes sum[count];
  for (int i = 0; i < count; ++i) sum[i] = Lanes(0.0f);
  for (int64_t k = 0; k < padded; k += 16) {
    const Lanes w = load(weights + k);
#pragma GCC unroll 8
    for (int i = 0; i < count; ++i) sum[i] = fma(w, load(value + i * padded + k), sum[i]);
  }
  for (int i = 0; i < count; ++i) out[i] = sum_of(sum[i]) / total;
}

// Of the first `left` planes, eight at most.
static PYCOLOR_HD void attention_sums_of(const float* weights, const float* value, int64_t padded,
                                         float total, int64_t left, float* out) {
  switch (left) {
    case 1:
      return attention_sums<1>(weights, value, padded, total, out);
    case 2:
      return attention_sums<2>(weights, value, padded, total, out);
    case 3:
      return attention_sums<3>(weights, value, padded, total, out);
    case 4:
      return attention_sums<4>(weights, value, padded, total, out);
    case 5:
      return attention_sums<5>(weights, value, padded, total, out);
    case 6:
      return attention_sums<6>(weights, value, padded, total, out);
    case 7:
      return attention_sums<7>(weights, value, padded, total, out);
    default:
      return attention_sums<8>(weights, value, padded, total, out);
  }
}

// The scores of a query to weights, the largest being 1; returns the largest and the sum.
static PYCOLOR_HD void attention_weights(float* scores, int64_t padded, float& largest,
                                         float& total) {
  Lanes most = load(scores);
  for (int64_t k = 16; k < padded; k += 16) most = max(most, load(scores + k));
  largest = largest_of(most);
  Lanes sum(0.0f);
  const Lanes shift(largest), unit(1.44269504f);
  for (int64_t k = 0; k < padded; k += 16) {
    const Lanes w = exp2((load(scores + k) - shift) * unit);
    store(scores + k, w);
    sum = sum + w;
  }
  total = sum_of(sum);
}

// Queries first … last − 1, kQueriesInCache at most.
void attention(const AttentionJob& job, int64_t first, int64_t last) {
  const int64_t padded = (job.keys + 15) / 16 * 16;
  float* scores = scratch(Scratch::kWorker, static_cast<size_t>(kQueriesInCache * padded));
  for (int64_t k = 0; k < padded; k += 16) {
    const float* keys = job.packed + k * job.depth;
    const Lanes bias = load(job.bias + k);
    int64_t q = first;
    for (; q + kQueriesAtOnce <= last; q += kQueriesAtOnce)
      attention_scores<kQueriesAtOnce>(job.query + q * job.depth, keys, job.depth, bias,
                                       scores + (q - first) * padded + k, padded);
    for (; q < last; ++q)
      attention_scores<1>(job.query + q * job.depth, keys, job.depth, bias,
                          scores + (q - first) * padded + k, padded);
  }
  for (int64_t q = first; q < last; ++q) {
    float* weights = scores + (q - first) * padded;
    float largest, total;
    attention_weights(weights, padded, largest, total);
    // What is past the last key has the least weight there is, which is not 0.
    for (int64_t m = 0; m < job.width; m += 8)
      attention_sums_of(weights, job.value + m * padded, padded, total, job.width - m,
                        job.out + q * job.width + m);
    job.log_sum[q] = static_cast<float>(largest + std::log(static_cast<double>(total)));
  }
}

}  // namespace
}  // namespace pycolor
