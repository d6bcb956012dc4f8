# Sugarloop: what a person types. Needs only Python 3.11+ and make; `make help` lists the targets.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: help install demo up test check lint types imports schema conformance independent chaos scale bench clean lock

help:  ## list these targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 22

install: $(STAMP)  ## make .venv with everything, pinned by requirements.lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Sugarloop needs Python 3.11 or newer, this is {v[0]}.{v[1]}. Use: make PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: install  ## the whole story on sample data, with a report (about a minute)
	$(BIN)/sugarloop demo

up: install  ## keep everything running on the embedded server, until Ctrl-C
	$(BIN)/sugarloop up

test: install  ## all tests
	$(BIN)/python -m pytest --numprocesses auto

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports

schema: install  ## fail if the committed event schemas differ from the code
	$(BIN)/python -m events.schema --check docs

check: lint types imports schema test  ## the whole gate: lint, types, imports, schema diff, tests

conformance: install  ## hold the emulator to the recorded exchanges of a real server
	$(BIN)/python -m tests.conformance.run

independent: install  ## run clients that others wrote against the emulators (needs node, npm)
	$(BIN)/python -m tests.independent.run

chaos: install  ## break everything for 30 minutes, print what was promised and measured (SEED= MINUTES=)
	$(BIN)/python -m chaos $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES))

scale: install  ## import a million people under kills, sync them twice, print what it took (LEADS=)
	$(BIN)/python -m chaos.scale $(if $(LEADS),--leads $(LEADS))

bench: install  ## print the benchmarks, as ratios
	$(BIN)/python -m bench

lock: install  ## pin the newest versions that pyproject.toml allows (needs uv)
	uv pip compile --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --python-version 3.11 --group dev -o requirements.lock pyproject.toml

clean:  ## remove the environment and local data
	rm -rf $(VENV) .sugarloop
