# Every target is a line or two that can be typed by hand. Nothing is needed beforehand but Python >= 3.11,
# make and a package registry: `make run PYTHON=python3.12` names another Python.

PYTHON ?= python3
# How many processes run the tests.
WORKERS ?= 2
BIN := .venv/bin
INSTALLED := .venv/installed
GENERATED := docs/proofs.md docs/conformance.md docs/configuration.md config.example.toml docs/export.schema.json

.DEFAULT_GOAL := help
.PHONY: help install browser run check test quick coverage e2e bench migration migrate docs sizes lock clean

help: ## show this list
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' Makefile | expand -t 12

install: $(INSTALLED) ## make the environment .venv from requirements.lock

# Made once for each version of the lock: `make run` afterwards costs a comparison of dates.
$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q idp  # else the very first start pays for it
	@touch $@

browser: install ## install a Chromium for the tests where there is none
	$(BIN)/python -m tests.support.install_browser

run: install ## start the whole demonstration; args="--port-base 9000 --data DIR"
	@exec $(BIN)/idp demo $(args)

check: install ## format, lint, types, layers, generated documents
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@$(MAKE) --no-print-directory generated FOLDER=build/generated
	@for file in $(GENERATED); do diff -u $$file build/generated/$$file || { echo "Run: make docs"; exit 1; }; done

test: install browser check ## everything: checks, then every test on SQLite, PostgreSQL and a browser
	$(BIN)/pytest --numprocesses=$(WORKERS) --dist=loadgroup $(args)

quick: install ## what answers within a minute: no PostgreSQL, no browser, no long race
	$(BIN)/pytest --numprocesses=$(WORKERS) --ignore=tests/e2e --ignore=tests/concurrency -k "not postgresql" $(args)

coverage: install ## which branches no test takes, SQLite only
	$(BIN)/pytest --numprocesses=$(WORKERS) --ignore=tests/e2e -k "not postgresql" --cov --cov-report=term-missing $(args)

e2e: install browser ## the browser tests only
	$(BIN)/pytest tests/e2e $(args)

bench: install ## measure every endpoint on SQLite and PostgreSQL
	$(BIN)/python -m tests.bench $(args)

migration: install ## write a migration from the tables: m="add a column"
	$(BIN)/python -m tests.support.migration "$(m)"
	$(BIN)/ruff check --quiet --fix migrations; $(BIN)/ruff format --quiet migrations

migrate: install ## bring the configured database to the newest migration
	$(BIN)/idp database upgrade $(args)

docs: install ## write the generated documents
	@$(MAKE) --no-print-directory generated FOLDER=.

.PHONY: generated
generated: # below $(FOLDER); the marks are read by collecting the tests, none of which runs
	@mkdir -p build
	$(BIN)/python -m tests.support.documents $(FOLDER)
	$(BIN)/pytest -qq --collect-only --write-proofs=$(FOLDER)/docs > build/collected || { cat build/collected; exit 1; }

sizes: install ## the ten longest files and functions
	$(BIN)/python -m tests.support.sizes

lock: install ## write requirements.lock from pyproject.toml
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --all-extras --python-version 3.11 pyproject.toml -o requirements.lock

clean: ## remove what was built and measured; the environment and the data stay
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
