// How an op comes into the module pycolor._C: its own file says so.
//
//   PYCOLOR_OP(lab) { m.def("convert", &convert, unlocked); }
//
// The GIL is released for the time of an op.  pycolor/_C.pyi is the same list for Python.
#pragma once

#include <vector>

#include "../casters.h"

namespace pycolor {

using Unlocked = pybind11::call_guard<pybind11::gil_scoped_release>;
using Definition = void (*)(pybind11::module_& m, const Unlocked& unlocked);

// What has been added so far; bindings.cpp calls all of it.
std::vector<Definition>& definitions();

struct Added {
  explicit Added(Definition definition) { definitions().push_back(definition); }
};

#define PYCOLOR_OP(name)                                                                \
  static void define_##name(pybind11::module_& m, const ::pycolor::Unlocked& unlocked); \
  static const ::pycolor::Added added_##name(&define_##name);                           \
  static void define_##name([[maybe_unused]] pybind11::module_& m,                      \
                            [[maybe_unused]] const ::pycolor::Unlocked& unlocked)

inline pybind11::bytes bytes_of(const void* data, size_t size) {
  return pybind11::bytes(static_cast<const char*>(data), size);
}

// What an argument's address points to.
template <class T>
T* at(uintptr_t address) {
  return reinterpret_cast<T*>(address);
}

}  // namespace pycolor
