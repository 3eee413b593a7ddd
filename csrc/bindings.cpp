// The module pycolor._C: what the files of csrc/cpu add to it, see cpu/module.h.
#include "cpu/module.h"

namespace pycolor {

std::vector<Definition>& definitions() {
  static std::vector<Definition> all;
  return all;
}

}  // namespace pycolor

PYBIND11_MODULE(_C, m) {
  for (const pycolor::Definition define : pycolor::definitions()) define(m, pycolor::Unlocked());
}
