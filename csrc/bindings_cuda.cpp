// The module pycolor._cuda: one line an op.
//
// As bindings.cpp; in place of a number of threads an op takes a device and a stream of it, which
// are torch's current ones.  pycolor/_cuda.pyi is the same list for Python.
#include "casters.h"
#include "cuda/ops.h"

namespace py = pybind11;
namespace cuda = pycolor::cuda;
using pycolor::FrameCode;
using pycolor::Image;

namespace {

cuda::Launch on(int device, uintptr_t stream) { return {device, reinterpret_cast<void*>(stream)}; }
pycolor::Gamut gamut(float kr, float kb, uintptr_t table) {
  return {{kr, 1 - kr - kb, kb}, reinterpret_cast<const float*>(table)};
}

}  // namespace

PYBIND11_MODULE(_cuda, m) {
  const py::call_guard<py::gil_scoped_release> unlocked;
  m.def(
      "annealed_mean",
      [](const Image<const void>& logits, int entry_bytes, uintptr_t palette, double temperature,
         const Image<float>& out, int device, uintptr_t stream) {
        cuda::annealed_mean(logits, entry_bytes, reinterpret_cast<const float*>(palette),
                            temperature, out, on(device, stream));
      },
      unlocked);
  m.def(
      "joint_bilateral",
      [](const Image<const float>& chroma, const Image<const float>& guide, int radius,
         double sigma_space, double sigma_range, const Image<float>& out, int device,
         uintptr_t stream) {
        cuda::joint_bilateral(chroma, guide, radius, sigma_space, sigma_range, out,
                              on(device, stream));
      },
      unlocked);
  m.def(
      "joint_bilateral_upsample",
      [](const Image<const float>& chroma, const Image<const float>& guide_low,
         const Image<const float>& guide, double sigma_range, double floor, int radius,
         double sigma_space, const Image<float>& out, int device, uintptr_t stream) {
        cuda::joint_bilateral_upsample(chroma, guide_low, guide, sigma_range, floor, radius,
                                       sigma_space, out, on(device, stream));
      },
      unlocked);
  m.def(
      "convert",
      [](const std::vector<int>& steps, const Image<const float>& in, const Image<void>& out,
         int kind, int device,
         uintptr_t stream) { cuda::convert(steps, in, out, kind, on(device, stream)); },
      unlocked);
  m.def(
      "yab_to_ycbcr",
      [](const Image<const float>& in, float kr, float kb, uintptr_t table, const Image<float>& out,
         int device, uintptr_t stream) {
        cuda::yab_to_ycbcr(in, gamut(kr, kb, table), out, on(device, stream));
      },
      unlocked);
  m.def(
      "luma_to_lightness",
      [](const Image<const void>& luma, bool is_uint16, const FrameCode& code, uintptr_t out,
         int device, uintptr_t stream) {
        cuda::luma_to_lightness(luma, is_uint16, code, reinterpret_cast<float*>(out),
                                on(device, stream));
      },
      unlocked);
  m.def(
      "mean_lightness",
      [](const Image<const void>& luma, bool is_uint16, const FrameCode& code,
         const Image<float>& out, int device, uintptr_t stream) {
        cuda::mean_lightness(luma, is_uint16, code, 1.0, out, on(device, stream));
      },
      unlocked);
  m.def(
      "render",
      [](const Image<const float>& field, const Image<const void>& luma, bool is_uint16,
         const FrameCode& code, double sigma_range, double floor, uintptr_t table,
         const Image<float>& guide_low, const std::vector<Image<void>>& planes, bool rgb,
         int device, uintptr_t stream) {
        cuda::render(field, luma, is_uint16, code, sigma_range, floor,
                     gamut(code.luma.kr, code.luma.kb, table), guide_low, planes, rgb,
                     on(device, stream));
      },
      unlocked);
  m.def(
      "motion_search",
      [](const Image<const uint8_t>& guide, const Image<const uint8_t>& reference,
         const Image<const float>& start, int radius, int penalty, const Image<float>& flow,
         const Image<float>& cost, int device, uintptr_t stream) {
        cuda::motion_search({guide, reference, start, flow, cost, radius, penalty},
                            on(device, stream));
      },
      unlocked);
  m.def(
      "chain_flows",
      [](const Image<const float>& first, const Image<const float>& second, const Image<float>& out,
         int device,
         uintptr_t stream) { cuda::chain_flows({first, second, out}, on(device, stream)); },
      unlocked);
  m.def(
      "flow_to_field",
      [](const Image<const float>& flow, const Image<const float>& cost,
         const Image<float>& field_flow, const Image<float>& field_cost, int device,
         uintptr_t stream) {
        cuda::flow_to_field({flow, cost, field_flow, field_cost}, on(device, stream));
      },
      unlocked);
  m.def(
      "carry_chroma",
      [](const Image<const float>& chroma, const Image<const float>& flow,
         const Image<const float>& cost, uintptr_t weight, double sigma, double floor,
         double growth, const Image<float>& out, int device, uintptr_t stream) {
        cuda::carry_chroma({chroma, flow, cost, reinterpret_cast<const float*>(weight),
                            static_cast<float>(0.5 / (sigma * sigma)), static_cast<float>(floor),
                            static_cast<float>(growth), out},
                           on(device, stream));
      },
      unlocked);
  m.attr("architectures") = PYCOLOR_CUDA_ARCHITECTURES;
}
