# Everything runs in .venv, which the first target that needs it makes and fills.
# Say PYTHON=/path/to/python to choose the interpreter it is made from, ARGS="..." to pass arguments on.
# GATELAB_DATA and its like (src/gatelab/settings.py) reach the commands from the environment or from
# the command line of make.

.DEFAULT_GOAL := help
.PHONY: help setup compare test lint types clean
MAKEFLAGS += --no-builtin-rules

# The first interpreter that is new enough; looked for only when .venv has to be made.
PYTHON ?= $(shell for p in python3.11 python3; do $$p -c '$(NEW_ENOUGH)' 2>/dev/null && { echo $$p; break; }; done)
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
ARGS ?=

BIN := .venv/bin
READY := .venv/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check
KERNEL := src/gatelab/engine/kernel
LIBRARY := $(KERNEL)/libgatelab_tile.so

help:  ## Show these targets
	@echo 'make TARGET [ARGS="..."] [PYTHON=python3.11]'
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(firstword $(MAKEFILE_LIST)) \
		| while IFS='|' read -r name text; do printf '  %-10s%s\n' "$$name" "$$text"; done

setup: $(LIBRARY)  ## Make .venv, install gatelab with its tests into it, build the kernel

compare: $(LIBRARY)  ## Run gatelab compare $(ARGS)
	$(BIN)/gatelab compare $(ARGS)

test: lint types $(LIBRARY)  ## Run all checks: lint, types, then pytest $(ARGS)
	$(BIN)/python -m pytest $(ARGS)

lint: $(READY)  ## Check style and format with ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## Check types with mypy
	$(BIN)/mypy

clean:  ## Remove .venv, caches and what builds left; runs and data stay
	rm -rf .venv build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f $(LIBRARY) $(KERNEL)/*.tmp
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The compiled part, anew when a source of it has changed. What is unchanged is not compiled again, and then
# the library can be older than its sources: touch.
$(LIBRARY): CMakeLists.txt tools/build_backend.py $(wildcard $(KERNEL)/*.cpp $(KERNEL)/*.h) | $(READY)
	@echo "Building $@"
	@$(BIN)/python tools/build_backend.py
	@touch $@

# $(READY) is written last and removed first: an .venv without it was interrupted and is made anew.
# The build tools are installed before gatelab and used as they are (--no-build-isolation), so that their
# versions, too, are those in constraints.txt, whatever the version of pip. A C++ compiler is one of them where
# the machine has none. The library comes later, by the rule above, so that an error in it leaves .venv whole.
$(READY): pyproject.toml constraints.txt
	@test -f $@ && $(BIN)/python -c '$(NEW_ENOUGH)' 2>/dev/null || { \
		test -n "$(PYTHON)" && $(PYTHON) -c '$(NEW_ENOUGH)' || { \
			echo 'gatelab needs Python 3.11 or newer; "$(or $(PYTHON),python3)" is not.' \
				'Try: make PYTHON=/path/to/python3.11' >&2; exit 1; }; \
		echo "Making .venv with $(PYTHON)" && $(PYTHON) -m venv --clear .venv; }
	@rm -f $@
	@echo "Installing gatelab into .venv (a minute or two)"
	@$(PIP) install --quiet --constraint constraints.txt $$($(BIN)/python tools/build_backend.py requirements)
	@$(PIP) install --quiet --constraint constraints.txt --no-build-isolation \
		--config-settings library=later --editable ".[test]"
	@touch $@
