// How the two modules read their arguments.  Arrays come as (address, shape, strides), four
// dimensions, strides in elements, and what lies in one piece as an address; pycolor/ops has
// checked them.
//
// Reading a tuple of numbers takes a fraction of a microsecond and needs neither torch's nor
// NumPy's headers: the modules build in seconds and fit every version of torch.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "render.h"

namespace pybind11::detail {

// A view of four dimensions. Addresses are trusted: only pycolor/ops calls these modules, and the
// tensors it takes them from outlive the call.
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
    value = {
        number(0),        number(1),        number(2), number(3), number(4), {kr, 1 - kr - kb, kb},
        t[7].cast<int>(), t[8].cast<int>(), number(9), number(10)};
    return true;
  }
};

}  // namespace pybind11::detail
