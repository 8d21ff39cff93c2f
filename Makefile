# What people type, and what CI runs. Every target brings what it needs; nothing is installed twice.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LIGHT := $(VENV)/.light
DEV := $(VENV)/.dev
NODE := $(VENV)/node/.done
NPM := $(addprefix tests/editor/,package.json package-lock.json .npmrc)
# One more than there are cores, commonly: many tests wait for a watch or a browser.
JOBS ?= 3

.PHONY: help demo test check bench bench-gpu clean
.DELETE_ON_ERROR:

help:
	@echo "make demo    render projects/firewalls and say where the film is"
	@echo "make test    run every test"
	@echo "make check   ruff, mypy, the projects, the schemas, the layers, the pages"
	@echo "make bench   measure; make bench-gpu: models of full size on this machine's GPU"
	@echo "make clean   remove what the above made; films, store and $(VENV) stay"

demo: $(LIGHT)
	$(BIN)/mikebot render projects/firewalls

# Tests of one file stay together: they share what they build.
test: $(DEV) $(NODE)
	$(BIN)/python tools/system_packages.py
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mikebot check projects/*
	$(BIN)/python -m pytest tests/test_layers.py tests/test_schema.py
	$(BIN)/python tools/storyboard_docs.py --check

bench: $(DEV)
	$(BIN)/python -m benchmarks

# Torch as it is for the GPU, not as tests pin it; float8 and four bits where torchao and bitsandbytes are there.
bench-gpu: $(LIGHT)
	$(BIN)/python -m pip install --quiet --editable '.[final]'
	$(BIN)/python -m benchmarks.gpu

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) tools/make_venv.py $(VENV)

$(LIGHT): pyproject.toml setup.py | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(DEV): pyproject.toml setup.py | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(LIGHT)

# What the tests of the editor and of the page run: the lock file's versions, beside the virtual environment's.
$(NODE): $(NPM) | $(BIN)/python
	$(BIN)/python tools/system_packages.py
	@mkdir -p $(@D) && cp $(NPM) $(@D)
	npm ci --prefix $(@D) --loglevel=error --no-audit --no-fund
	@touch $@
