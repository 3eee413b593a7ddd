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
  // logits N×Q×h×w, palette the address of Q×2 floats, out N×2×h×w.
  m.def(
      "annealed_mean",
      [](const Image<const void>& logits, int entry_bytes, uintptr_t palette, double temperature,
         const Image<float>& out, int device, uintptr_t stream) {
        cuda::annealed_mean(logits, entry_bytes, reinterpret_cast<const float*>(palette),
                            temperature, out, on(device, stream));
      },
      unlocked);
  // chroma and out N×C×H×W, guide N×1×H×W; sigmas in pixels and in units of the guide.
  m.def(
      "joint_bilateral",
      [](const Image<const float>& chroma, const Image<const float>& guide, int radius,
         double sigma_space, double sigma_range, const Image<float>& out, int device,
         uintptr_t stream) {
        cuda::joint_bilateral(chroma, guide, radius, sigma_space, sigma_range, out,
                              on(device, stream));
      },
      unlocked);
  // chroma N×C×h×w, guide_low N×1×h×w, guide N×1×H×W, out N×C×H×W; radius −1: the B-spline.
  m.def(
      "joint_bilateral_upsample",
      [](const Image<const float>& chroma, const Image<const float>& guide_low,
         const Image<const float>& guide, double sigma_range, double floor, int radius,
         double sigma_space, const Image<float>& out, int device, uintptr_t stream) {
        cuda::joint_bilateral_upsample(chroma, guide_low, guide, sigma_range, floor, radius,
                                       sigma_space, out, on(device, stream));
      },
      unlocked);
  // steps: csrc/cpu/kernels.h, Step; in and out N×3×H×W; kind of out: 0 float, 1 uint8, 2 uint16.
  m.def(
      "convert",
      [](const std::vector<int>& steps, const Image<const float>& in, const Image<void>& out,
         int kind, int device,
         uintptr_t stream) { cuda::convert(steps, in, out, kind, on(device, stream)); },
      unlocked);
  // in and out N×3×H×W: (Y', a, b) to (Y', Cb, Cr).
  m.def(
      "yab_to_ycbcr",
      [](const Image<const float>& in, float kr, float kb, uintptr_t table, const Image<float>& out,
         int device, uintptr_t stream) {
        cuda::yab_to_ycbcr(in, gamut(kr, kb, table), out, on(device, stream));
      },
      unlocked);
  // luma N×1×H×W codes, out the address of N×H×W floats.
  m.def(
      "luma_to_lightness",
      [](const Image<const void>& luma, bool is_uint16, const FrameCode& code, uintptr_t out,
         int device, uintptr_t stream) {
        cuda::luma_to_lightness(luma, is_uint16, code, reinterpret_cast<float*>(out),
                                on(device, stream));
      },
      unlocked);
  // luma N×1×H×W codes, out N×1×h×w with rows in one piece.
  m.def(
      "mean_lightness",
      [](const Image<const void>& luma, bool is_uint16, const FrameCode& code,
         const Image<float>& out, int device, uintptr_t stream) {
        cuda::mean_lightness(luma, is_uint16, code, 1.0, out, on(device, stream));
      },
      unlocked);
  // field N×2×h×w, luma N×1×H×W; planes: u and v, or r, g and b where `rgb`, each N×1×rows×columns.
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
  // guide and reference N×1×H×W, start and flow N×2×h×w, cost N×1×h×w, h = H/4 and w = W/4.
  m.def(
      "motion_search",
      [](const Image<const uint8_t>& guide, const Image<const uint8_t>& reference,
         const Image<const float>& start, int radius, int penalty, const Image<float>& flow,
         const Image<float>& cost, int device, uintptr_t stream) {
        cuda::motion_search({guide, reference, start, flow, cost, radius, penalty},
                            on(device, stream));
      },
      unlocked);
  // all N×2×h×w.
  m.def(
      "chain_flows",
      [](const Image<const float>& first, const Image<const float>& second, const Image<float>& out,
         int device,
         uintptr_t stream) { cuda::chain_flows({first, second, out}, on(device, stream)); },
      unlocked);
  // flow K×2×h×w, cost K×1×h×w; the field's K×2×H×W and K×1×H×W.
  m.def(
      "flow_to_field",
      [](const Image<const float>& flow, const Image<const float>& cost,
         const Image<float>& field_flow, const Image<float>& field_cost, int device,
         uintptr_t stream) {
        cuda::flow_to_field({flow, cost, field_flow, field_cost}, on(device, stream));
      },
      unlocked);
  // chroma and flow K×2×h×w, cost K×1×h×w, weight the address of K floats, out 1×2×h×w.
  m.def(
      "blend_warped_chroma",
      [](const Image<const float>& chroma, const Image<const float>& flow,
         const Image<const float>& cost, uintptr_t weight, double sigma, double floor,
         double growth, const Image<float>& out, int device, uintptr_t stream) {
        cuda::blend_warped_chroma({chroma, flow, cost, reinterpret_cast<const float*>(weight),
                                   static_cast<float>(0.5 / (sigma * sigma)),
                                   static_cast<float>(floor), static_cast<float>(growth), out},
                                  on(device, stream));
      },
      unlocked);
  // The chips that the module has code for.
  m.attr("architectures") = PYCOLOR_CUDA_ARCHITECTURES;
}
