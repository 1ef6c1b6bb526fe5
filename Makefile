# One environment for everything: .venv, made by pip with the versions of constraints.txt when that or pyproject.toml is
# newer than it.
PYTHON ?= python3.11
BIN := .venv/bin
DEMO ?= .demo
COVERAGE_ARGS ?= -q -m 'not slow'
GROWTH ?= 1000 10000 50000
INSTALL := $(BIN)/python -m pip install -qq
LOCKED := $(INSTALL) --constraint constraints.txt

.PHONY: demo test lint docs bench fuzz audit coverage lock upgrade clean
.DEFAULT_GOAL := test

.venv/ready: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo 'Installing into .venv; PyTorch is large, this takes minutes.'
	$(LOCKED) --editable '.[dev]'
	touch $@

demo: .venv/ready  ## the whole chain on a corpus that it generates: PDFs to report
	PATH="$(CURDIR)/$(BIN):$$PATH" sh data/demo.sh $(DEMO)

lint: .venv/ready  ## style, dangerous calls, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml polydata polymodel
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint  ## everything that what is at hand allows
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

coverage: .venv/ready  ## lines and branches that the tests reach; COVERAGE_ARGS= takes the slow ones too
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=term --cov-report=json:coverage.json $(COVERAGE_ARGS)

docs: .venv/ready  ## the manual, into site/; docs/notebook.py and docs/pictures.py make anew what it shows
	$(LOCKED) --editable '.[docs]'
	$(BIN)/python docs/cli_reference.py
	$(BIN)/mkdocs build --strict

bench: export BENCH_WRITE = 1
bench: .venv/ready  ## measured ratios, into docs/benchmarks.md; BENCH_ARGS='FOLDER --truth FILE' prints those of your PDFs
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/extraction.py $(BENCH_ARGS)
	$(BIN)/python benchmarks/predicting.py
	$(BIN)/python benchmarks/views.py
	$(BIN)/python benchmarks/growth.py $(GROWTH)

fuzz: .venv/ready  ## damaged files and invented captions for a minute
	$(BIN)/python benchmarks/fuzz.py --seconds 60

audit: .venv/ready  ## known vulnerabilities of what constraints.txt names, asked of PyPI; fails where that does not answer
	$(INSTALL) 'pip-audit>=2.8'
	$(BIN)/pip-audit --strict --requirement constraints.txt --no-deps --disable-pip --progress-spinner off

lock:  ## constraints.txt from .venv, after a dependency was added to pyproject.toml; what is there keeps its version
	$(INSTALL) --editable '.[dev,docs]'
	$(BIN)/python data/lock.py
	touch .venv/ready

upgrade:  ## the newest versions in a fresh .venv, constraints.txt from them, and the suite
	rm -rf .venv
	$(PYTHON) -m venv .venv
	$(MAKE) lock
	$(MAKE) test

clean:  ## all that was made here, the environment included
	rm -rf .venv .demo .cache site dist build .coverage* coverage.json .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
