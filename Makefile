# All targets use .venv in the repository root, made when missing. Needs Python 3.11+ and nothing else.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.installed-dev
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet --retries 5 -c constraints.txt
WORKERS ?= 2
export HF_HUB_OFFLINE := 1

.PHONY: demo test test-fast lint format types web bench install install-dev clean help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Querent needs Python 3.11 or newer on PATH (or: make PYTHON=/path/to/python3.11)."; exit 1; }
	@echo "Making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

# torch comes first and pinned: any other specifier may pull gigabytes of GPU packages.
$(STAMP): $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing Querent and its libraries (about three minutes the first time)"
	@$(PIP) --upgrade "pip>=24" && $(PIP) torch==2.13.0 && $(PIP) -e .
	@$(BIN)/python -m anomaly.warm
	@touch $@

$(TEST_STAMP): $(STAMP)
	@echo "Installing test tools"
	@$(PIP) -e ".[dev]"
	@touch $@

install: $(STAMP) ## set up .venv
install-dev: $(TEST_STAMP) ## set up .venv with test tools

demo: $(STAMP) ## demo data, all services, prints address and logins; Ctrl-C stops
	@exec $(BIN)/querent demo

test: $(TEST_STAMP) ## all tests
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup

test-fast: $(TEST_STAMP) ## tests that need neither servers nor a browser
	@$(BIN)/python -m pytest -q -n $(WORKERS) -m "not slow and not integration and not web"

lint: $(TEST_STAMP) ## ruff and mypy
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: $(TEST_STAMP) ## let ruff rewrite
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

web: ## rebuild the page assets (needs Node; users never do)
	@cd web && npm ci && npm run build

bench: $(STAMP) ## speed of the kernel on generated data
	@$(BIN)/python -m benchmarks.kernel

clean: ## remove caches, keep data
	@rm -rf .pytest_cache .mypy_cache .ruff_cache build dist *.egg-info
