# `make run` and `make test` work on a machine that has Python 3.11+ and a package index, and nothing else.

PYTHON ?= python3
SPACE ?= spaces/quickstart.toml
TORCH_INDEX ?=
ONLY ?=
FULL ?=

export DSE_CACHE ?= $(CURDIR)/.cache

BIN := .venv/bin
TORCH := $(if $(TORCH_INDEX),--torch-index $(TORCH_INDEX))
SETUP := $(PYTHON) scripts/setup.py $(TORCH)
EACH_CORE := --numprocesses auto --maxprocesses 8 --dist worksteal

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup run readme test test-slow lint docs wheel lowest format bench smoke clean

help:  ## list what make can do
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

setup:  ## create .venv and install dse (TORCH_INDEX=URL: where to take torch from; PYTHON=...: which Python)
	@$(SETUP)

run: setup  ## search a design space and print the front (SPACE=file: another than the quickstart)
	@$(BIN)/dse run $(SPACE)

readme:  ## run what README and the quickstart show, with nothing but what `make run` installs
	@$(SETUP)
	@$(BIN)/python scripts/readme.py

test:  ## install what the tests need and run them
	@$(SETUP) --group test
	@$(BIN)/python -m compileall -q dse plugins  # or each of some hundred processes compiles them, where Python may not write
	@$(BIN)/python -m pytest $(EACH_CORE) -m "not slow"

test-slow:  ## run the long proofs too
	@$(SETUP) --group test
	@$(BIN)/python -m pytest $(EACH_CORE)

lint:  ## check style and types
	@$(SETUP) --group test --group lint
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@$(BIN)/python -m mypy scripts/setup.py scripts/fresh.py scripts/readme.py scripts/commands.py scripts/outputs.py scripts/pictures.py

docs:  ## write the page of commands, build the site into site/ and test it; a link that leads nowhere is an error
	@$(SETUP) --group docs --group test
	@$(BIN)/python scripts/commands.py
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build
	@$(BIN)/python -m pytest -q tests/docs/test_site.py

wheel:  ## install the wheel into an empty environment and use it outside the repository
	@$(PYTHON) scripts/fresh.py wheel $(TORCH)

lowest:  ## run the light tests with the lowest declared versions (PYTHON=...: the oldest has their wheels)
	@$(PYTHON) scripts/fresh.py lowest $(TORCH)

format:  ## let ruff put the code in shape
	@$(SETUP) --group lint
	@$(BIN)/python -m ruff check --fix .
	@$(BIN)/python -m ruff format .

bench:  ## measure; JSON lines on stdout (ONLY=prefix: some of it; FULL=1: the long ones too)
	@$(SETUP) --group bench
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(FULL),--full)

smoke:  ## run every benchmark on a tiny problem, to see that it runs
	@$(SETUP) --group bench
	@$(BIN)/python -m benchmarks --smoke

clean:  ## remove the environment and caches, downloads and fine-tuned models among them; keep results/
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
