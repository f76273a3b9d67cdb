VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
JOBS ?= $(shell env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)

.PHONY: venv venv-test quickstart test test-long test-device check bench bench-gate gpu-check reference-reports docs docs-reference clean

venv: $(VENV)/.installed
$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

venv-test: $(VENV)/.installed-test
$(VENV)/.installed-test: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[test,dev]'
	touch $@ $(VENV)/.installed

quickstart: venv
	$(BIN)/evabench run quickstart --jobs $(JOBS) --no-repeat || [ $$? -eq 3 ] # 3: not every run got to its end, which the report says
	$(BIN)/evabench report quickstart

test: venv-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(JOBS) -m 'not long'

# What takes longest and shows least beyond the rest: whole suites, and the same once more in another way. Before a release.
test-long: venv-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(JOBS) -m long

# On the stand-in device: the smoke tiers of five suites, what each optimizer launches, the largest batches. Some minutes;
# `.ci/run` has most of them too. DEVICE_TESTS: which, as for `pytest -k`, or nothing for all.
DEVICE_TESTS ?=
test-device: venv-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(JOBS) -m long tests/standin_device -k '$(DEVICE_TESTS)'

check: venv-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: venv-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/benchmarks --benchmark-enable --benchmark-only -s

# The committed pages, from the committed runs, and the picture of the README.
reference-reports: venv-test
	$(BIN)/python -m tools.reference_reports

# Our own verbs against those of another commit, as pairs by the gate's rules: a confirmed slow-down fails.
BASE ?= HEAD
bench-gate: venv-test
	EVABENCH_BENCH_BASE=$(BASE) $(BIN)/python -m pytest tests/benchmarks -p no:xdist --evabench-gate -q

# Installs nothing: PYTHON names one that has torch and what `pyproject.toml` lists. PART: one or several, or nothing for all.
GPU_CHECK ?= results/gpu-check
gpu-check:
	OMP_NUM_THREADS=1 $(PYTHON) -m tools.gpu_check $(foreach part,$(PART),--part $(part)) --out $(GPU_CHECK)

# The site, in `build/site`. A warning (a link, an anchor, a page in no menu) ends it.
docs: venv-test
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

docs-reference: venv-test
	$(BIN)/python -m tools.docs_reference

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
