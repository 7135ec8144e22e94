# Two commands do everything on a fresh machine: make demo, make test.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# Tests run side by side, those of a file in one process, since they share what they set up; lines covered are counted.
# A file on its own: make test PYTEST_ARGS=tests/test_layers.py
PYTEST_ARGS ?= --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder --cov --cov-report=

.PHONY: demo test lint wheel notebooks bench-quick clean

demo: $(VENV)/.demo-installed
	$(BIN)/song2vec demo --out demo

test: $(VENV)/.test-installed
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.test-installed
	$(BIN)/ruff check song2vec tests benchmarks
	$(BIN)/ruff format --check song2vec tests benchmarks
	$(BIN)/mypy

# The built wheel in an empty environment does the demo's job.
wheel: $(VENV)/.test-installed
	rm -rf build/wheel build/empty
	$(BIN)/python -m build --wheel --outdir build/wheel .
	$(PYTHON) -m venv build/empty
	build/empty/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt build/wheel/*.whl
	cd build/empty && bin/song2vec demo --out demo

notebooks: $(VENV)/.test-installed
	$(BIN)/python notebooks/execute.py

# Every speed claim once over, small: a few minutes.
bench-quick: $(VENV)/.test-installed
	$(BIN)/python benchmarks/bench_vectors.py --quick
	$(BIN)/python benchmarks/bench_training.py --quick
	$(BIN)/python benchmarks/bench_index.py --quick
	$(BIN)/python benchmarks/bench_maps.py --quick

$(VENV)/.demo-installed: setup.cfg pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) --editable ".[maps]"
	@touch $@

$(VENV)/.test-installed: setup.cfg pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) --editable ".[all,dev]"
	@touch $@ $(VENV)/.demo-installed

$(VENV)/bin/python:
	@$(PYTHON) .ci/check_machine.py
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) build demo *.egg-info
