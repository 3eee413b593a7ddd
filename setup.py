"""Builds pycolor._C and pycolor._cuda with CMake and ninja; all else is in pyproject.toml."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent.resolve()


class CMakeBuild(build_ext):
    """One CMake run makes both modules; the CUDA one is there where a CUDA compiler is."""

    def run(self) -> None:
        import pybind11

        build = Path(self.build_temp).resolve()
        build.mkdir(parents=True, exist_ok=True)
        # Beside the sources for an editable install, else in the wheel's tree.
        package = ROOT / "pycolor" if self.inplace else Path(self.build_lib).resolve() / "pycolor"
        options = [
            f"-DCMAKE_INSTALL_PREFIX={package.parent}",
            f"-DPython_EXECUTABLE={sys.executable}",
            f"-Dpybind11_DIR={pybind11.get_cmake_dir()}",
            f"-DPYCOLOR_CUDA={os.environ.get('PYCOLOR_CUDA', '')}",
            f"-DPYCOLOR_CUDA_ARCHITECTURES={os.environ.get('PYCOLOR_CUDA_ARCHITECTURES', '')}",
            f"-DPYCOLOR_SANITIZE={os.environ.get('PYCOLOR_SANITIZE', '0')}",
        ]
        # Fresh: what an earlier build environment left in the cache may be gone.
        folders = ["-S", str(ROOT), "-B", str(build)]
        configure = ["cmake", "--fresh", *folders, "-G", "Ninja", *options]
        subprocess.run(configure, check=True)
        subprocess.run(["cmake", "--build", build], check=True)
        subprocess.run(["cmake", "--install", build], check=True)

    def get_outputs(self) -> list[str]:
        folder = Path(self.build_lib) / "pycolor"
        return [str(path) for path in folder.glob("_*.so")]


setup(ext_modules=[Extension("pycolor._C", [])], cmdclass={"build_ext": CMakeBuild})
