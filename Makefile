# `make demo` and `make test` set up all they need; the machine only has to have Python >= 3.11.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEVELOPMENT := $(VENV)/.development-installed
PEER := $(VENV)/.peer-installed
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile

BENCH ?=

DEMO := runs/demo
DEMO_SETTINGS := --set m=32 --set data=embedded
DEMO_RASTER := --window 0:1000
DEMO_PLACE := --mesh 8x8
DEMO_WHATIF := --mesh 4x4,6x6,8x8 --placement sequential,auto --routing xy,yx,odd_even \
  --multicast xy_tree --cycles-per-ms 1000

.PHONY: help demo pictures test lint types tests bench accuracy reproduce clean
.DELETE_ON_ERROR:

help:
	@echo "make demo       train on the embedded digits, place the network on a mesh, draw pictures"
	@echo "make test       lint, types and tests"
	@echo "make pictures   run the demo and take its pictures into docs/pictures"
	@echo "make bench      climb the ladder of speed and memory, for some minutes; BENCH=--quick for a look"
	@echo "make accuracy   check how exact it is, against NEST too, and write docs/accuracy.md"
	@echo "make reproduce  run the slow tests and write the pages of docs/results, in some hours"
	@echo "make clean      remove the virtual environment, the caches and the demo run"

demo: $(RUNTIME)
	$(BIN)/spikemesh run wtcrl $(DEMO_SETTINGS) --out $(DEMO) --overwrite
	$(BIN)/spikemesh raster $(DEMO) $(DEMO_RASTER)
	$(BIN)/spikemesh place $(DEMO) $(DEMO_PLACE)
	$(BIN)/spikemesh whatif $(DEMO) $(DEMO_WHATIF)

# The pictures of README.md are those of the demo.
pictures: demo
	cp $(addprefix $(DEMO)/,reconstruction.png code_vectors.png raster-0-1000.png link_load.png whatif.png) docs/pictures/

test: lint types tests

lint: $(DEVELOPMENT)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .

types: $(DEVELOPMENT)
	$(BIN)/mypy

tests: $(DEVELOPMENT)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

# Peers in other interpreters: make bench BENCH="--nest-python ... --brian2-python ..."
bench: $(DEVELOPMENT)
	$(BIN)/spikemesh bench $(BENCH)

accuracy: $(PEER)
	$(BIN)/spikemesh verify --against nest --full --out docs/accuracy.md

reproduce: $(DEVELOPMENT) accuracy
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m slow
	$(BIN)/python -m experiments.reproduce
	$(BIN)/spikemesh bench $(BENCH)

clean:
	rm -rf $(VENV) $(DEMO) build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  found=$$($(PYTHON) --version 2>/dev/null) || found="not found"; \
	  echo "Spikemesh needs Python >= 3.11, but '$(PYTHON)' is $$found." \
	    "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The locks name every version, so that two installs a year apart are the same.
$(RUNTIME): pyproject.toml requirements.lock | $(BIN)/python
	$(PIP_INSTALL) -r requirements.lock
	$(PIP_INSTALL) --no-build-isolation --no-deps --config-settings editable_mode=compat -e .
	@touch $@

$(DEVELOPMENT): requirements-dev.lock $(RUNTIME)
	$(PIP_INSTALL) -r requirements-dev.lock
	@touch $@

# No test needs the peer.
$(PEER): requirements-verify.lock $(DEVELOPMENT)
	$(PIP_INSTALL) -r requirements-verify.lock
	@touch $@
