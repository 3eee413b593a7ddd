// Kernel launches as a function call: the tests compile the kernels for the CPU, with
// tests/emulation/cuda_runtime.h in the place of CUDA's.
//
// A launch makes its device current, queues the kernel on the stream that it was given, and makes
// the device from before current again; what a kernel does wrong later shows at the next wait, as
// ever with CUDA.  scalar.h comes first: the headers of the ops use its functions.
#pragma once

#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

#include "scalar.h"

#include "ops.h"

namespace pycolor::cuda {

// RuntimeError in Python, of the call that failed.  The runtime remembers the failure as its last
// error, too: it is taken back, so that the next to look there (torch) does not find ours.
inline void expect_success(cudaError_t error, const std::string& what) {
  if (error == cudaSuccess) return;
  cudaGetLastError();
  throw std::runtime_error(what + " failed: " + cudaGetErrorString(error));
}

// Makes a device current for the lifetime of the guard.
class DeviceGuard {
 public:
  explicit DeviceGuard(int device) {
    expect_success(cudaGetDevice(&before_), "asking for the current CUDA device");
    changed_ = device != before_;
    if (changed_)
      expect_success(cudaSetDevice(device), "choosing CUDA device " + std::to_string(device));
  }
  // It was current before, so choosing it anew fails only where all else does, too.
  ~DeviceGuard() {
    if (changed_) cudaSetDevice(before_);
  }
  DeviceGuard(const DeviceGuard&) = delete;
  DeviceGuard& operator=(const DeviceGuard&) = delete;

 private:
  int before_ = 0;
  bool changed_ = false;
};

#if defined(__CUDACC__)
template <class... Parameters, size_t... i>
cudaError_t launch_kernel(void (*kernel)(Parameters...), dim3 grid, dim3 block, cudaStream_t stream,
                          std::tuple<Parameters...> values, std::index_sequence<i...>) {
  void* addresses[] = {&std::get<i>(values)...};
  return cudaLaunchKernel(reinterpret_cast<const void*>(kernel), grid, block, addresses, 0, stream);
}
#endif

// Queues a kernel.  Its own status is looked at, not the runtime's last error: that may be one
// which another library left there.
template <class... Parameters, class... Arguments>
void enqueue(const Launch& launch, void (*kernel)(Parameters...), dim3 grid, dim3 block,
             const Arguments&... arguments) {
  const DeviceGuard guard(launch.device);
#if defined(__CUDACC__)
  const cudaError_t error = launch_kernel(
      kernel, grid, block, static_cast<cudaStream_t>(launch.stream),
      std::tuple<Parameters...>(arguments...), std::index_sequence_for<Parameters...>());
#else
  const cudaError_t error = emulation::launch(kernel, grid, block, arguments...);
#endif
  expect_success(error, "a CUDA launch");
}

}  // namespace pycolor::cuda
