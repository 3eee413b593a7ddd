// Attention with one bias a key: what each query finds among the keys.
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

#include <cstdint>

#include "image.h"

namespace pycolor {

struct AttentionJob {
  const float* query;   // Q×D
  const float* packed;  // ⌈K/16⌉×D×16: keys as vectors, those past the last one 0
  const float* bias;    // ⌈K/16⌉×16, −3.4e38 past the last one
  const float* value;   // M×⌈K/16⌉×16, 0 past the last one
  float* out;           // Q×M
  float* log_sum;       // Q
  int64_t queries, keys, depth, width;
};

constexpr int64_t kQueriesInCache = 32;  // whose scores with all keys are held at once

}  // namespace pycolor
