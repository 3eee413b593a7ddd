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
  // logits N×Q×h×w, palette the address of Q×2 floats, out N×2×h×w.
  m.def(
      "annealed_mean",
      [](const pycolor::Image<const float>& logits, uintptr_t palette, double temperature,
         const pycolor::Image<float>& out, int threads) {
        pycolor::annealed_mean(logits, reinterpret_cast<const float*>(palette), temperature, out,
                               threads);
      },
      unlocked);
  // chroma and out N×C×H×W, guide N×1×H×W; sigmas in pixels and in units of the guide.
  m.def("joint_bilateral", &pycolor::joint_bilateral, unlocked);
  // chroma N×C×h×w, guide_low N×1×h×w, guide N×1×H×W, out N×C×H×W; radius −1: the B-spline.
  m.def("joint_bilateral_upsample", &pycolor::joint_bilateral_upsample, unlocked);
  // steps: csrc/cpu/kernels.h, Step; in and out N×3×H×W; kind of out: 0 float, 1 uint8, 2 uint16.
  m.def("convert", &pycolor::convert, unlocked);
  // in and out N×3×H×W: (Y', a, b) to (Y', Cb, Cr).
  m.def("yab_to_ycbcr", &pycolor::yab_to_ycbcr, unlocked);
  // luma N×1×H×W codes, out the address of N×H×W floats.
  m.def(
      "luma_to_lightness",
      [](const pycolor::Image<const void>& luma, bool is_uint16, const pycolor::FrameCode& code,
         uintptr_t out, int threads) {
        pycolor::luma_to_lightness(luma, is_uint16, code, reinterpret_cast<float*>(out), threads);
      },
      unlocked);
  // luma N×1×H×W codes, out N×1×h×w with rows in one piece.
  m.def("mean_lightness", &pycolor::mean_lightness, unlocked);
  // field N×2×h×w, luma N×1×H×W; planes: u and v, or r, g and b where `rgb`, each N×1×rows×columns.
  m.def("render", &pycolor::render, unlocked);
  // annealed_mean's first arguments, then render's to u and v.
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
  // guide and reference N×1×H×W, start and flow N×2×h×w, cost N×1×h×w, h = H/4 and w = W/4.
  m.def(
      "motion_search",
      [](const pycolor::Image<const uint8_t>& guide, const pycolor::Image<const uint8_t>& reference,
         const pycolor::Image<const float>& start, int radius, int penalty,
         const pycolor::Image<float>& flow, const pycolor::Image<float>& cost, int threads) {
        pycolor::motion_search({guide, reference, start, flow, cost, radius, penalty}, threads);
      },
      unlocked);
  // all N×2×h×w.
  m.def(
      "chain_flows",
      [](const pycolor::Image<const float>& first, const pycolor::Image<const float>& second,
         const pycolor::Image<float>& out,
         int threads) { pycolor::chain_flows({first, second, out}, threads); },
      unlocked);
  // flow K×2×h×w, cost K×1×h×w; the field's K×2×H×W and K×1×H×W.
  m.def(
      "flow_to_field",
      [](const pycolor::Image<const float>& flow, const pycolor::Image<const float>& cost,
         const pycolor::Image<float>& field_flow, const pycolor::Image<float>& field_cost,
         int threads) { pycolor::flow_to_field({flow, cost, field_flow, field_cost}, threads); },
      unlocked);
  // chroma and flow K×2×h×w, cost K×1×h×w, weight the address of K floats, out 1×2×h×w.
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
  // Addresses of query Q×D, key K×D, bias K, value K×M, out Q×M and log_sum Q; then Q, K, D, M.
  m.def(
      "attention",
      [](uintptr_t query, uintptr_t key, uintptr_t bias, uintptr_t value, uintptr_t out,
         uintptr_t log_sum, int64_t queries, int64_t keys, int64_t depth, int64_t width,
         int threads) {
        pycolor::AttentionJob job{};
        job.query = reinterpret_cast<const float*>(query);
        job.out = reinterpret_cast<float*>(out);
        job.log_sum = reinterpret_cast<float*>(log_sum);
        job.queries = queries;
        job.keys = keys;
        job.depth = depth;
        job.width = width;
        pycolor::attention(job, reinterpret_cast<const float*>(key),
                           reinterpret_cast<const float*>(bias),
                           reinterpret_cast<const float*>(value), threads);
      },
      unlocked);
  // The table as bytes, for the GPU's copy of it.
  m.def("gamut_table", [](float kr, float kb) {
    return py::bytes(reinterpret_cast<const char*>(pycolor::gamut_of(kr, kb).table),
                     sizeof(float) * pycolor::kGamutFloats);
  });
  // Of this machine, the best last; and the one that runs.
  m.def("simd_levels", &pycolor::simd_levels);
  m.def("simd_in_use", &pycolor::simd_in_use);
}
