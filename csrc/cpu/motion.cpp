// Color over time on the CPU: what is shared out to the threads.
#include "kernels.h"
#include "ops.h"
#include "rows.h"

namespace pycolor {

// A share is a run of rows of one frame: their windows overlap and stay in the L1 cache.
void motion_search(const MotionJob& job, int threads) {
  const int64_t frames = job.flow.size[0], rows = job.flow.size[2];
  over_rows(frames, rows, rows_per_chunk(rows, frames, threads), threads,
            [&](int64_t n, int64_t first, int64_t last) {
              kernels().motion_search(job, n, first, last);
            });
}

void chain_flows(const ChainJob& job, int threads) {
  const int64_t frames = job.out.size[0], rows = job.out.size[2];
  over_rows(
      frames, rows, rows_per_chunk(rows, frames, threads), threads,
      [&](int64_t n, int64_t first, int64_t last) { kernels().chain_flows(job, n, first, last); });
}

// A share is a plane, dy, dx or cost of one key frame.
void flow_to_field(const FieldFlowJob& job, int threads) {
  parallel_for(threads, 3 * job.flow.size[0],
               [&](int64_t i) { kernels().flow_to_field(job, i / 3, i % 3); });
}

// One frame comes out, so its rows are what is shared.
void carry_chroma(const CarryJob& job, int threads) {
  const int64_t rows = job.out.size[2];
  over_rows(
      1, rows, rows_per_chunk(rows, 1, threads), threads,
      [&](int64_t, int64_t first, int64_t last) { kernels().carry_chroma(job, first, last); });
}

}  // namespace pycolor
