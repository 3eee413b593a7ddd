#include "launch.h"

#include "../motion.h"
#include "ops.h"

namespace pycolor::cuda {
namespace {

constexpr int kThreads = 64;  // of a block: one cell each

__global__ void match_cells(MotionJob job) {
  const int64_t x = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (x >= job.flow.size[3]) return;
  match_cell<PlainDifference>(job, blockIdx.z, blockIdx.y, x);
}

__global__ void carry_cells(CarryJob job) {
  const int64_t x = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (x < job.out.size[3]) carry_cell(job, blockIdx.y, x);
}

dim3 blocks_over(const int64_t* size, int64_t frames) {
  return dim3(static_cast<unsigned>((size[3] + kThreads - 1) / kThreads),
              static_cast<unsigned>(size[2]), static_cast<unsigned>(frames));
}

}  // namespace

void motion_search(const MotionJob& job, Launch launch) {
  enqueue(launch, match_cells, blocks_over(job.flow.size, job.flow.size[0]), dim3(kThreads), job);
}

void carry_chroma(const CarryJob& job, Launch launch) {
  enqueue(launch, carry_cells, blocks_over(job.out.size, 1), dim3(kThreads), job);
}

}  // namespace pycolor::cuda
