# `make run` and `make test` set everything up themselves, and only when something changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CAMPAIGN ?= examples/channel.yaml
ROOMS := flows tasks reports phases strategies solvers surrogates pools

.PHONY: help setup run test test-services check format bench clean

help:  ## Say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

setup: $(READY)  ## Create .venv with the tested set of packages

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1,<27'
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dask,server]' --group dev
	$(BIN)/python -m pip install --quiet --no-deps 'bmdal_reg==3.0.2'  # LCMD's oracle, without its data sets
	touch $@

run: $(READY)  ## Run the example campaign (or CAMPAIGN=FILE.yaml) and draw its report
	$(BIN)/solverloop run $(CAMPAIGN)

test: check  ## The whole gate: lint, types, layers, and every test
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile -m "not slow and not openfoam"
	$(BIN)/pytest -n 2 --dist loadfile -m "slow or openfoam"  # they use several cores themselves

test-services: $(READY)  ## Of the tests, those on PostgreSQL, Redis, workers and a browser
	$(BIN)/pytest -m services

check: $(READY)  ## Lint, format, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports

format: $(READY)  ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)  ## The benchmarks, in their short setting (FULL=1 for the long one)
	$(BIN)/python -m benchmarks.all $(if $(FULL),--full)

clean:  ## Remove what can be made again; campaigns are kept
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build dist
