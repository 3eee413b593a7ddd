// The module pycolor._C: one line an op.
//
// Arguments are plain (addresses, sizes, numbers), see casters.h, and pycolor/ops has checked them;
// the GIL is released for the time of an op.  pycolor/_C.pyi is the same list for Python.
#include "casters.h"
#include "cpu/gamut_table.h"
#include "cpu/ops.h"

namespace py = pybind11;

PYBIND11_MODULE(_C, m) {
  const py::call_guard<py::gil_scoped_release> unlocked;
  m.def(
      "annealed_mean",
      [](const pycolor::Image<const float>& logits, uintptr_t palette, double temperature,
         const pycolor::Image<float>& out, int threads) {
        pycolor::annealed_mean(logits, reinterpret_cast<const float*>(palette), temperature, out,
                               threads);
      },
      unlocked);
  m.def("joint_bilateral", &pycolor::joint_bilateral, unlocked);
  m.def("joint_bilateral_upsample", &pycolor::joint_bilateral_upsample, unlocked);
  m.def("convert", &pycolor::convert, unlocked);
  m.def("yab_to_ycbcr", &pycolor::yab_to_ycbcr, unlocked);
  m.def(
      "luma_to_lightness",
      [](const pycolor::Image<const void>& luma, bool is_uint16, const pycolor::FrameCode& code,
         uintptr_t out, int threads) {
        pycolor::luma_to_lightness(luma, is_uint16, code, reinterpret_cast<float*>(out), threads);
      },
      unlocked);
  m.def("mean_lightness", &pycolor::mean_lightness, unlocked);
  m.def("render", &pycolor::render, unlocked);
  m.def(
      "fused_frame",
      [](const pycolor::Image<const float>& logits, uintptr_t palette, double temperature,
         const pycolor::Image<const void>& luma, bool is_uint16, const pycolor::FrameCode& code,
         double sigma_range, double floor, const std::vector<pycolor::Image<void>>& planes,
         int threads) {
        pycolor::fused_frame(logits, reinterpret_cast<const float*>(palette), temperature, luma,
                             is_uint16, code, sigma_range, floor, planes, threads);
      },
      unlocked);
  m.def(
      "motion_search",
      [](const pycolor::Image<const uint8_t>& guide, const pycolor::Image<const uint8_t>& reference,
         const pycolor::Image<const float>& start, int radius, int penalty,
         const pycolor::Image<float>& flow, const pycolor::Image<float>& cost, int threads) {
        pycolor::motion_search({guide, reference, start, flow, cost, radius, penalty}, threads);
      },
      unlocked);
  m.def(
      "chain_flows",
      [](const pycolor::Image<const float>& first, const pycolor::Image<const float>& second,
         const pycolor::Image<float>& out,
         int threads) { pycolor::chain_flows({first, second, out}, threads); },
      unlocked);
  m.def(
      "flow_to_field",
      [](const pycolor::Image<const float>& flow, const pycolor::Image<const float>& cost,
         const pycolor::Image<float>& field_flow, const pycolor::Image<float>& field_cost,
         int threads) { pycolor::flow_to_field({flow, cost, field_flow, field_cost}, threads); },
      unlocked);
  m.def(
      "carry_chroma",
      [](const pycolor::Image<const float>& chroma, const pycolor::Image<const float>& flow,
         const pycolor::Image<const float>& cost, uintptr_t weight, double sigma, double floor,
         double growth, const pycolor::Image<float>& out, int threads) {
        pycolor::carry_chroma({chroma, flow, cost, reinterpret_cast<const float*>(weight),
                               static_cast<float>(0.5 / (sigma * sigma)), static_cast<float>(floor),
                               static_cast<float>(growth), out},
                              threads);
      },
      unlocked);
  m.def("gamut_table", [](float kr, float kb) {
    return py::bytes(reinterpret_cast<const char*>(pycolor::gamut_of(kr, kb).table),
                     sizeof(float) * pycolor::kGamutFloats);
  });
  m.def("simd_levels", &pycolor::simd_levels);
  m.def("simd_in_use", &pycolor::simd_in_use);
}
