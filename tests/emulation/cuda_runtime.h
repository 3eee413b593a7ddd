// CUDA kernels on the CPU: what csrc/cuda needs of <cuda_runtime.h>, for g++ and its sanitizers.
//
// Each thread of a block is a fiber.  A fiber runs until its next barrier or shuffle; then the
// others get there too, in an order that a seed shuffles anew each time, so that a barrier that is
// missing shows in the results.  Blocks run one after the other.
#pragma once

#include <ucontext.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>

#define __global__
#define __device__
#define __shared__ static

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
inline dim3 threadIdx, blockIdx, blockDim, gridDim;

using cudaStream_t = void*;
using cudaError_t = int;
constexpr cudaError_t cudaSuccess = 0, cudaErrorInvalidConfiguration = 9;
constexpr cudaError_t cudaErrorInvalidDevice = 101, cudaErrorIllegalAddress = 700;
// The runtime's last error, which any library of the process may have left.
inline cudaError_t cudaGetLastError() {
  return std::getenv("PYCOLOR_EMULATION_FOREIGN_ERROR") ? cudaErrorIllegalAddress : cudaSuccess;
}
inline const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorInvalidDevice          ? "invalid device ordinal"
         : error == cudaErrorInvalidConfiguration ? "invalid configuration argument"
                                                  : "an illegal memory access was encountered";
}
// One device.
inline cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
inline cudaError_t cudaSetDevice(int device) {
  return device == 0 ? cudaSuccess : cudaErrorInvalidDevice;
}

namespace emulation {

enum class At { start, barrier, shuffle, end };
constexpr unsigned kMost = 1024;  // threads of a block
constexpr size_t kStack = 256 << 10;

struct Fiber {
  ucontext_t context;
  std::unique_ptr<char[]> stack{new char[kStack]};
  At at;
  float exchanged;
};
inline Fiber fibers[kMost];
inline ucontext_t scheduler;
inline unsigned current;
inline std::function<void()> body;

inline void run_body() {
  body();
  fibers[current].at = At::end;
}
inline void wait(At at) {
  fibers[current].at = at;
  swapcontext(&fibers[current].context, &scheduler);
}

__attribute__((noinline)) inline void prepare(Fiber& fiber) {
  fiber.at = At::start;
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack.get();
  fiber.context.uc_stack.ss_size = kStack;
  fiber.context.uc_link = &scheduler;
  makecontext(&fiber.context, run_body, 0);
}

inline void run_block(unsigned count, std::mt19937& random) {
  unsigned order[kMost], left = count;
  for (unsigned i = 0; i < count; ++i) {
    order[i] = i;
    prepare(fibers[i]);
  }
  while (left > 0) {
    std::shuffle(order, order + left, random);
    for (unsigned i = 0; i < left; ++i) {
      current = order[i];
      threadIdx = dim3(current % blockDim.x, current / blockDim.x % blockDim.y,
                       current / blockDim.x / blockDim.y);
      swapcontext(&scheduler, &fibers[current].context);
    }
    const auto waits = [](unsigned i) { return fibers[i].at != At::end; };
    left = static_cast<unsigned>(std::partition(order, order + left, waits) - order);
    unsigned barriers = 0;
    for (unsigned i = 0; i < left; ++i) barriers += fibers[order[i]].at == At::barrier;
    if (barriers != 0 && barriers != count)
      throw std::runtime_error("not all threads of the block reach __syncthreads");
  }
}

template <class... Parameters, class... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), dim3 grid, dim3 block,
                   const Arguments&... arguments) {
  const unsigned count = block.x * block.y * block.z;
  if (count > kMost || grid.y > 65535 || grid.z > 65535 || grid.x == 0 || grid.y == 0)
    return cudaErrorInvalidConfiguration;
  const char* seed = std::getenv("PYCOLOR_EMULATION_SEED");
  std::mt19937 random(seed ? static_cast<unsigned>(std::atoi(seed)) : 0);
  body = [&] { kernel(arguments...); };
  gridDim = grid;
  blockDim = block;
  for (unsigned i = 0; i < grid.x * grid.y * grid.z; ++i) {
    blockIdx = dim3(i % grid.x, i / grid.x % grid.y, i / grid.x / grid.y);
    run_block(count, random);
  }
  return cudaSuccess;
}

}  // namespace emulation

inline void __syncthreads() { emulation::wait(emulation::At::barrier); }
inline float __shfl_xor_sync(unsigned mask, float value, int other) {
  const unsigned self = emulation::current, partner = self ^ static_cast<unsigned>(other);
  if (mask != 0xffffffffu || other < 0 || other > 31) std::abort();
  emulation::fibers[self].exchanged = value;
  emulation::wait(emulation::At::shuffle);
  if (emulation::fibers[partner].at == emulation::At::end) std::abort();
  const float result = emulation::fibers[partner].exchanged;
  emulation::wait(emulation::At::shuffle);
  return result;
}
