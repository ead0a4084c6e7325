# Two commands to know: `make demo` and `make test`. The first use of any target makes .venv; later uses start at once.
# State lies under var/, which git ignores. PYTHON=/path/to/python3.12 chooses an interpreter.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

VENV := .venv
RUN := $(VENV)/bin/python
PYTHON ?= python3
HERE := $(CURDIR)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PREFECT_HOME ?= $(HERE)/var/prefect
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export PREFECT_SERVER_UI_V2_ENABLED := false
export DO_NOT_TRACK := 1
# What Python compiled is kept, wherever this machine says it should not be: every command starts in half the time.
unexport PYTHONDONTWRITEBYTECODE

# uv where it is on the PATH, pip otherwise: the same hashed lock either way.
INSTALL = if command -v uv >/dev/null 2>&1; then uv pip install --quiet --python $(RUN)

# Bytecode of all that a start reads, written once even where PYTHONDONTWRITEBYTECODE is set: a start takes a second less.
COMPILED = env -u PYTHONDONTWRITEBYTECODE $(RUN)
STARTED = import ewarn.cli.app, ewarn.pipeline.validate, ewarn.pipeline.receive, ewarn.pipeline.respond, ewarn.desk.app

.PHONY: help demo test check serve bench bench-ingest bench-delivery bench-desk bench-detect

help:
	@echo 'make demo    the whole corridor on a reconstructed episode, for real, in under a minute'
	@echo 'make test    the tests'
	@echo 'make check   ruff, mypy, the import contracts, the content'
	@echo 'make serve   the schedules (a Prefect server and worker) and the Today page; Ctrl-C stops all of it'
	@echo 'make bench   speed and memory here, as ratios to what the same file costs at the least'

demo: $(VENV)/run.stamp $(VENV)/package.stamp
	@$(VENV)/bin/ewarn demo

test: $(VENV)/dev.stamp $(VENV)/package.stamp
	@$(RUN) -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m 'not slow' $(ARGS)

# mypy beside the others: on two cores the whole takes as long as mypy. Everything is said, whatever failed before it.
check: $(VENV)/dev.stamp $(VENV)/package.stamp
	@said=$$(mktemp); status=0; $(RUN) -m mypy >"$$said" 2>&1 & types=$$!; \
	  $(RUN) -m ruff check . || status=1; \
	  $(RUN) -m ruff format --check . || status=1; \
	  $(VENV)/bin/lint-imports || status=1; \
	  $(VENV)/bin/ewarn check || status=1; \
	  wait $$types || status=1; cat "$$said"; rm -f "$$said"; exit $$status

serve: $(VENV)/run.stamp $(VENV)/package.stamp
	@exec $(RUN) -m flows.serve $(ARGS)

bench: $(VENV)/dev.stamp $(VENV)/package.stamp
	@$(RUN) benchmarks/corridor.py $(ARGS)

bench-ingest: $(VENV)/dev.stamp $(VENV)/package.stamp
	@$(RUN) benchmarks/ingest.py $(ARGS)

bench-delivery: $(VENV)/dev.stamp $(VENV)/package.stamp
	@PYTHONPATH=. $(RUN) benchmarks/delivery.py $(ARGS)

bench-desk: $(VENV)/dev.stamp $(VENV)/package.stamp
	@$(RUN) benchmarks/desk.py $(ARGS)

bench-detect: $(VENV)/dev.stamp $(VENV)/package.stamp
	@$(RUN) benchmarks/detecting.py $(ARGS)

# A half-made .venv is made again; one that works is kept.
$(VENV)/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo 'ewarn needs Python 3.11 or newer: install it, or name it with `make PYTHON=/path/to/python3 …`.' >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing: install it (Debian and Ubuntu: the package python3-venv)." >&2; exit 2; }
	@$(RUN) -c 'import pip' 2>/dev/null || { echo 'making $(VENV)'; $(PYTHON) -m venv --clear $(VENV); }
	@touch $@

# The development set holds the run set, version by version, so one may be added to the other. A lock is whole: there is
# nothing to resolve.
$(VENV)/run.stamp: requirements/run.txt $(VENV)/made.stamp
	@echo 'installing what ewarn runs on (about a minute, once)'
	@$(INSTALL) --no-deps --require-hashes -r requirements/run.txt; \
	  else $(RUN) -m pip install --quiet --quiet --no-deps --require-hashes -r requirements/run.txt; fi
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/made.stamp
	@echo 'installing what the tests and checks need (about a minute, once)'
	@$(INSTALL) --no-deps --require-hashes -r requirements/dev.txt; \
	  else $(RUN) -m pip install --quiet --quiet --no-deps --require-hashes -r requirements/dev.txt; fi
	@touch $(VENV)/run.stamp $@

$(VENV)/package.stamp: pyproject.toml $(VENV)/made.stamp
	@$(INSTALL) --no-deps --no-build-isolation -e .; \
	  else $(RUN) -m pip install --quiet --quiet --no-deps --no-build-isolation -e .; fi
	@$(COMPILED) -m compileall -q ewarn flows && $(COMPILED) -c '$(STARTED)'
	@touch $@
