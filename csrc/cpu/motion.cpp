// Color over time on the CPU: what is shared out to the threads.
#include "kernels.h"
#include "module.h"
#include "rows.h"

namespace pycolor {
namespace {

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
void blend_warped_chroma(const BlendJob& job, int threads) {
  const int64_t rows = job.out.size[2];
  over_rows(1, rows, rows_per_chunk(rows, 1, threads), threads,
            [&](int64_t, int64_t first, int64_t last) {
              kernels().blend_warped_chroma(job, first, last);
            });
}

}  // namespace

PYCOLOR_OP(motion) {
  // guide and reference N×1×H×W, start and flow N×2×h×w, cost N×1×h×w, h = H/4 and w = W/4.
  m.def(
      "motion_search",
      [](const Image<const uint8_t>& guide, const Image<const uint8_t>& reference,
         const Image<const float>& start, int radius, int penalty, const Image<float>& flow,
         const Image<float>& cost, int threads) {
        motion_search({guide, reference, start, flow, cost, radius, penalty}, threads);
      },
      unlocked);
  // all N×2×h×w.
  m.def(
      "chain_flows",
      [](const Image<const float>& first, const Image<const float>& second, const Image<float>& out,
         int threads) { chain_flows({first, second, out}, threads); },
      unlocked);
  // flow K×2×h×w, cost K×1×h×w; the field's K×2×H×W and K×1×H×W.
  m.def(
      "flow_to_field",
      [](const Image<const float>& flow, const Image<const float>& cost,
         const Image<float>& field_flow, const Image<float>& field_cost,
         int threads) { flow_to_field({flow, cost, field_flow, field_cost}, threads); },
      unlocked);
  // chroma and flow K×2×h×w, cost K×1×h×w, weight the address of K floats, out 1×2×h×w.
  m.def(
      "blend_warped_chroma",
      [](const Image<const float>& chroma, const Image<const float>& flow,
         const Image<const float>& cost, uintptr_t weight, double sigma, double floor,
         double growth, const Image<float>& out, int threads) {
        blend_warped_chroma(
            {chroma, flow, cost, at<const float>(weight), static_cast<float>(0.5 / (sigma * sigma)),
             static_cast<float>(floor), static_cast<float>(growth), out},
            threads);
      },
      unlocked);
}

}  // namespace pycolor
