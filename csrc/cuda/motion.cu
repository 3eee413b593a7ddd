// Color over time on the GPU: one thread a cell.  See ../motion.h.
//
// The small pictures of a shot lie in the L2 cache, and blocks of neighboring cells overlap: no
// shared memory is used.  Whole numbers and the same order of sums: flows, costs and chained flows
// have the CPU's bits.
#include "launch.h"
#include "scalar.h"

#include "../motion.h"
#include "ops.h"

namespace pycolor::cuda {
namespace {

constexpr int kThreads = 64;  // of a block, along a row of cells

__device__ int64_t column_of_thread() { return int64_t{blockIdx.x} * kThreads + threadIdx.x; }

__device__ float& at(const Image<float>& image, int64_t n, int64_t c, int64_t y, int64_t x) {
  const int64_t* s = image.stride;
  return image.data[n * s[0] + c * s[1] + y * s[2] + x * s[3]];
}
__device__ float at(const Image<const float>& image, int64_t n, int64_t c, int64_t y, int64_t x) {
  const int64_t* s = image.stride;
  return image.data[n * s[0] + c * s[1] + y * s[2] + x * s[3]];
}

// The block stays in registers; what it is compared with comes through the L1 cache.
__global__ void match_cells(MotionJob job) {
  const int64_t x = column_of_thread();
  if (x < job.flow.size[3]) match_cell(job, blockIdx.z, blockIdx.y, x);
}

// Reads `first` in order, `second` where it leads.
__global__ void chain_cells(ChainJob job) {
  const int64_t n = blockIdx.z, y = blockIdx.y, x = column_of_thread();
  if (x >= job.out.size[3]) return;
  const Pair<float> flow = chained(job, n, static_cast<float>(y), static_cast<float>(x),
                                   at(job.first, n, 0, y, x), at(job.first, n, 1, y, x));
  at(job.out, n, 0, y, x) = flow.first;
  at(job.out, n, 1, y, x) = flow.second;
}

// blockIdx.z counts key frames and their three planes: dy, dx and cost.
__global__ void resize_cells(FieldFlowJob job) {
  const int64_t k = blockIdx.z / 3, y = blockIdx.y, x = column_of_thread();
  const int channel = blockIdx.z % 3;
  const Image<const float>& from = channel == 2 ? job.cost : job.flow;
  const Image<float>& to = channel == 2 ? job.field_cost : job.field_flow;
  if (x >= to.size[3]) return;
  const int64_t c = channel == 2 ? 0 : channel;
  const CellPair<float> row = resized_cells(static_cast<float>(y), static_cast<float>(from.size[2]),
                                            static_cast<float>(to.size[2]));
  const CellPair<float> column = resized_cells(
      static_cast<float>(x), static_cast<float>(from.size[3]), static_cast<float>(to.size[3]));
  const int64_t y0 = to_index(row.low), y1 = to_index(row.next);
  const int64_t x0 = to_index(column.low), x1 = to_index(column.next);
  const float unit = job.unit(channel);
  at(to, k, c, y, x) = resized_value(job.weights_first(), row.part, column.part,
                                     at(from, k, c, y0, x0) * unit, at(from, k, c, y0, x1) * unit,
                                     at(from, k, c, y1, x0) * unit, at(from, k, c, y1, x1) * unit);
}

// All key frames of one cell, summed in their order as on the CPU.
__global__ void blend_cells(BlendJob job) {
  const int64_t y = blockIdx.y, x = column_of_thread();
  if (x >= job.out.size[3]) return;
  BlendSum<float> sum = {0.0f, 0.0f, 0.0f, 0.0f};
  for (int64_t k = 0; k < job.chroma.size[0]; ++k)
    blend_from(job, k, static_cast<float>(y), static_cast<float>(x), at(job.flow, k, 0, y, x),
               at(job.flow, k, 1, y, x), at(job.cost, k, 0, y, x), sum);
  const Pair<float> color = blended(job, sum);
  at(job.out, 0, 0, y, x) = color.first;
  at(job.out, 0, 1, y, x) = color.second;
}

dim3 blocks_over(const int64_t* size, int64_t planes) {
  return dim3(static_cast<unsigned>((size[3] + kThreads - 1) / kThreads),
              static_cast<unsigned>(size[2]), static_cast<unsigned>(planes));
}

}  // namespace

void motion_search(const MotionJob& job, Launch launch) {
  enqueue(launch, match_cells, blocks_over(job.flow.size, job.flow.size[0]), dim3(kThreads), job);
}

void chain_flows(const ChainJob& job, Launch launch) {
  enqueue(launch, chain_cells, blocks_over(job.out.size, job.out.size[0]), dim3(kThreads), job);
}

void flow_to_field(const FieldFlowJob& job, Launch launch) {
  enqueue(launch, resize_cells, blocks_over(job.field_flow.size, 3 * job.flow.size[0]),
          dim3(kThreads), job);
}

void blend_warped_chroma(const BlendJob& job, Launch launch) {
  enqueue(launch, blend_cells, blocks_over(job.out.size, 1), dim3(kThreads), job);
}

}  // namespace pycolor::cuda
