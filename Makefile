# make demo [FILM=my.mov]   color a film      make test   format, lint, types, tests
# make bench                kernel timings     make clean  remove what make made
# make sanitize             the kernels' tests under AddressSanitizer and UBSan
# make results [DATA=...]   measure all, write docs/results.md (five minutes)
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
NATIVE := $(shell find csrc -type f) CMakeLists.txt setup.py

.DEFAULT_GOAL := help
.PHONY: help setup demo test sanitize format bench results clean

help:
	@sed -n 's/^# //p' Makefile | head -n 4

setup: $(STAMP)

# One step, remade when what it depends on changes; the environment itself is reused.
$(STAMP): pyproject.toml constraints.txt $(NATIVE)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "pycolor needs Python 3.11 to 3.13; try: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "a virtual environment could not be made; on Debian: apt install python3-venv python3-dev g++" >&2; rm -rf $(VENV); exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench,demo,dev]'
	@touch $@

# See pycolor/cli.py: spinning threads are ruinous beside anything else that runs.
demo test sanitize results: export OMP_WAIT_POLICY ?= PASSIVE

demo: $(STAMP)
	@$(BIN)/python demo/run.py $(if $(FILM),"$(FILM)")

test: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/clang-format --dry-run --Werror $$(find csrc -name '*.h' -o -name '*.cpp' -o -name '*.cu')
	$(BIN)/mypy
	$(BIN)/pytest

sanitize: $(STAMP)
	PATH="$(abspath $(BIN)):$$PATH" tests/sanitize.sh

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/clang-format -i $$(find csrc -name '*.h' -o -name '*.cpp' -o -name '*.cu')

bench: $(STAMP)
	$(BIN)/python -m benchmarks.kernels --json docs/results/kernels.json --chart docs/kernels.svg

results: $(STAMP)
	$(BIN)/python -m benchmarks.results $(if $(DATA),--data "$(DATA)")

clean:
	rm -rf $(VENV) build *.egg-info pycolor/*.so .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find demo -type f ! -name '*.py' -delete
