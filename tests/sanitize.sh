#!/usr/bin/env bash
# The kernels' tests on a module built with AddressSanitizer and UBSan; a report fails its test.
# Arguments go to pytest in place of all these tests.
set -euo pipefail
cd "$(dirname "$0")/.."
build=build/sanitize/native tree=build/sanitize/tree
cmake -S . -B $build -G Ninja -DPYCOLOR_SANITIZE=ON -DPYCOLOR_CUDA=0 \
  -DPython_EXECUTABLE="$(command -v python)" -Dpybind11_DIR="$(python -m pybind11 --cmakedir)"
cmake --build $build
# A tree of its own, so that processes that tests start load this module too.
rm -rf $tree
mkdir -p $tree
cp -r pycolor tests csrc pyproject.toml $tree
cmake --install $build --prefix $tree
libraries="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so)"
cd $tree
if [ $# = 0 ]; then
  set -- tests/test_ops*.py tests/test_attention.py tests/test_color.py tests/test_motion.py tests/test_build.py
fi
LD_PRELOAD="$libraries" ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
  exec python -m pytest -q -p no:cacheprovider "$@"
