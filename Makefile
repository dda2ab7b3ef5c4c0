# Every target builds what it needs in VENV once, and again only when the dependencies change.
#
#   make demo               code a photograph and compare it with JPEG and WebP
#   make demo IMAGE=a.png   the same with a picture of yours
#   make test               all tests, WORKERS files at a time
#   make fuzz MINUTES=10    mutated streams, pictures, metadata and weights files; says how many ran
#   make lint               ruff check, ruff format --check and mypy
#   make share              the man page and completions of shells, in share/
#   make docs               the API reference from the docstrings, in docs/reference/; warnings are errors
#   make dist               source distribution and wheel, in dist/
#   make clean              remove VENV and everything that these make

PYTHON ?= python3
VENV ?= .venv
IMAGE ?=
QUALITY ?= 50
WORKERS ?= 2
MINUTES ?= 10

BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt
SETUP := setup.cfg setup.py pyproject.toml constraints.txt

.PHONY: demo test fuzz lint docs share dist clean

demo: $(VENV)/demo.stamp
	$(BIN)/python -m benchmarks.demo --out demo --quality $(QUALITY) $(if $(IMAGE),--image "$(IMAGE)")

test: $(VENV)/dev.stamp
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

fuzz: $(VENV)/dev.stamp
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python tests/trust/fuzz.py $(MINUTES)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/dev.stamp
	$(BIN)/python docs/build_reference.py

share: $(VENV)/dev.stamp
	$(BIN)/python docs/build_share.py

dist: $(VENV)/dev.stamp
	$(BIN)/python -m build

clean:
	rm -rf "$(VENV)" demo docs/reference build dist

$(BIN)/python:
	$(PYTHON) -m venv "$(VENV)"

$(VENV)/%.stamp: $(SETUP) | $(BIN)/python
	$(PIP_INSTALL) -e ".[$*]"
	touch "$@"
