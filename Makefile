# Tansiq: every command of the house. `make help` lists them. Works with GNU make, Python 3.11+ and git; uses uv when it is there.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV  := .venv
BIN   := $(VENV)/bin
PY    := $(BIN)/python
READY := $(VENV)/.ready
# Name scoring and group sums in C, built by hatch_build.py at every install.
KERNEL := src/tansiq/matching/kernel
GROUP := src/tansiq/crypto/kernel
# The first interpreter that is new enough; `make PYTHON=/path/to/python3.12 dev` overrides.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
HAVE_UV := $(shell uv --version >/dev/null 2>&1 && echo yes)

# Where a machine's environment forbids compiled files, each of three processes would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

T    ?=
ARGS ?=
PYTEST := $(PY) -m pytest
SPREAD := -n 2 --dist loadfile
# Each tree draws its own order of tests, the same on every machine: a red run can be had again (SEED=5 draws another).
SEED   ?= $(shell git rev-parse 'HEAD^{tree}' 2>/dev/null | tr -cd 0-9 | head -c 9 || echo 1)
ORDER  := --randomly-seed=$(or $(SEED),1)
# What `make check` leaves to `make test`: whole public lists, the kernel beside its slow twin, processes that are killed.
LONG   := $(patsubst %,--ignore-glob='*test_%.py',real_lists calibration kernel crash)

.PHONY: help
help: ## list these commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: dev
dev: $(READY) ## make .venv from the lock file (fast when nothing changed)

# With hashes first, then the tree itself without looking at any index: what is installed is what the lock says.
$(READY): requirements.lock pyproject.toml hatch_build.py $(wildcard $(KERNEL)/*.[ch] $(GROUP)/*.c)
	@if [ -z "$(PYTHON)" ]; then echo "Tansiq needs Python 3.11 or newer; set PYTHON=/path/to/it" >&2; exit 1; fi
	@if [ "$(HAVE_UV)" = yes ] \
	  && { [ -x $(PY) ] || uv venv -q --python "$(PYTHON)" $(VENV); } \
	  && uv pip install -q --python $(PY) --require-hashes -r requirements.lock \
	  && uv pip install -q --python $(PY) --no-deps --no-build-isolation -e .; then \
	  echo "ready (uv)"; \
	else \
	  "$(PYTHON)" -m venv $(VENV) || { echo "couldn't make $(VENV): on Debian, install python3-venv" >&2; exit 1; }; \
	  $(PY) -m pip install -q --require-hashes -r requirements.lock; \
	  $(PY) -m pip install -q --no-deps --no-build-isolation -e .; \
	  echo "ready (pip)"; \
	fi
	@[ -e $(KERNEL)/_kernel.abi3.so ] || echo "no C kernel (a C compiler and Python.h make one): name scoring runs in Python, 35 times slower"
	@touch $@

.PHONY: demo
demo: $(READY) ## three nodes on this machine play the main job; Ctrl-C stops them (ARGS="--once --json")
	@$(BIN)/tansiq demo $(ARGS)

.PHONY: test
test: $(READY) browser ## everything but the slow tests (T=tests/unit narrows)
	$(PYTEST) -v --no-header $(SPREAD) $(ORDER) -m "not slow" $(T)

.PHONY: test-all
test-all: $(READY) browser ## everything, the slow tests too
	$(PYTEST) -v --no-header $(SPREAD) $(ORDER) $(T)

.PHONY: check
check: $(READY) ## the fast loop: format, lint, import walls, types, unit, laws, house
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(PYTEST) $(SPREAD) -x -m "not slow and not postgres and not browser" $(LONG) tests/unit tests/laws tests/house

.PHONY: fix
fix: $(READY) ## format, and repair what can be repaired safely
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(READY) ## measure, each claim beside its floor in the same run
	@for script in benchmarks/*.py; do case "$$script" in */train_*) continue;; esac; $(PY) "$$script" $(ARGS); done

.PHONY: vectors
vectors: $(READY) ## rebuild the golden files (then `git diff` shows what moved)
	@for script in tests/vectors/build_*.py tests/vectors/*/build*.py; do [ -e "$$script" ] || continue; $(PY) "$$script"; done

.PHONY: docs
docs: $(READY) ## rebuild the pages that are made from the program (commands, life cycles)
	$(PY) docs/build.py

.PHONY: lock
lock: ## choose the newest versions that fit pyproject.toml (needs uv)
	uv pip compile -q pyproject.toml --group dev --upgrade --generate-hashes --no-emit-index-url --universal --no-header -o requirements.lock

.PHONY: clean
clean: ## remove what can be made again (not your nodes' homes)
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

# Browser tests need Debian's chromium. On CI it is installed where that is possible; nowhere is its absence a failure:
# the tests that need it say so and are skipped.
.PHONY: browser
browser:
	@if [ -n "$${CI:-}" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && ! { command -v chromium && command -v chromedriver; } >/dev/null; then \
	  { DEBIAN_FRONTEND=noninteractive apt-get update -qq \
	    && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
	       chromium chromium-driver fonts-noto-core; } </dev/null >/dev/null 2>&1 \
	  || echo "no chromium here: browser tests will be skipped"; \
	fi
