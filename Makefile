# Two commands for a newcomer: make demo, make test. Both make their own environment in .venv.
PYTHON ?= python3
BIN := .venv/bin

# A PowerShell that lies beside the project serves where none is installed.
export PATH := $(if $(wildcard ../shared/tools/pwsh/pwsh),$(abspath ../shared/tools/pwsh):)$(PATH)

.PHONY: demo test test-long check bench format clean

demo: .venv/.done
	@$(BIN)/changelog-tracker demo

test: .venv/.dev
	$(BIN)/python -m pytest -m "not long"

test-long: .venv/.dev
	$(BIN)/python -m pytest -m long

check: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.dev
	$(BIN)/python -m benchmarks

format: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv

# --without-pip and pip --python need neither Debian's python3-venv nor a writable system Python.
.venv/.done: pyproject.toml
	$(PYTHON) -m venv --without-pip .venv
	$(PYTHON) -m pip --disable-pip-version-check --python .venv/bin/python install -q -e .
	touch $@

.venv/.dev: .venv/.done
	$(PYTHON) -m pip --disable-pip-version-check --python .venv/bin/python install -q -e '.[dev]'
	touch $@
