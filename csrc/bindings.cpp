// The module pycolor._C: one line an op.  Arrays come as (address, shape, strides), four-dimensional,
// strides in elements; pycolor/ops.py has checked them.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "cpu/gamut_table.h"
#include "cpu/ops.h"

namespace py = pybind11;

namespace pybind11::detail {

template <class T>
struct type_caster<pycolor::Image<T>> {
  PYBIND11_TYPE_CASTER(pycolor::Image<T>, const_name("tuple[int, tuple, tuple]"));
  bool load(handle source, bool) {
    if (!PyTuple_Check(source.ptr()) || PyTuple_GET_SIZE(source.ptr()) != 3) return false;
    const auto whole = reinterpret_borrow<tuple>(source);
    const tuple size = whole[1], stride = whole[2];
    if (size.size() != 4 || stride.size() != 4) return false;
    value.data = reinterpret_cast<T*>(whole[0].cast<uintptr_t>());
    for (size_t i = 0; i < 4; ++i) {
      value.size[i] = size[i].cast<int64_t>();
      value.stride[i] = stride[i].cast<int64_t>();
    }
    return true;
  }
};

// FrameCode as the tuple of its members.
template <>
struct type_caster<pycolor::FrameCode> {
  PYBIND11_TYPE_CASTER(pycolor::FrameCode, const_name("tuple"));
  bool load(handle source, bool) {
    if (!PyTuple_Check(source.ptr()) || PyTuple_GET_SIZE(source.ptr()) != 11) return false;
    const auto t = reinterpret_borrow<tuple>(source);
    auto number = [&](size_t i) { return t[i].cast<float>(); };
    const float kr = number(5), kb = number(6);
    value = {number(0),        number(1),        number(2),         number(3),
             number(4),        {kr, 1 - kr - kb, kb}, t[7].cast<int>(), t[8].cast<int>(),
             number(9),        number(10)};
    return true;
  }
};

}  // namespace pybind11::detail

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
      [](const pycolor::Image<const void>& luma, bool wide, const pycolor::FrameCode& code,
         uintptr_t out, int threads) {
        pycolor::luma_to_lightness(luma, wide, code, reinterpret_cast<float*>(out), threads);
      },
      unlocked);
  m.def("mean_lightness", &pycolor::mean_lightness, unlocked);
  m.def("render", &pycolor::render, unlocked);
  m.def("gamut_table", [](float kr, float kb) {
    return py::bytes(reinterpret_cast<const char*>(pycolor::gamut_of(kr, kb).table),
                     sizeof(float) * pycolor::kGamutFloats);
  });
  m.def("simd_levels", &pycolor::simd_levels);
  m.def("simd_in_use", &pycolor::simd_in_use);
}
