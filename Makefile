# Set-up, the main job, tests: everything happens in .venv and needs Python 3.11 or later and the package index, no more.

PYTHON ?= python3
BIN := .venv/bin
RUN ?= runs/first

# Where a test needs a browser, it is Debian's Chromium; what cannot be installed here is skipped there, with its reason.
ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo -n)

.PHONY: help run test check format docs screenshots bench slow kills clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/'

# The stamp makes set-up happen once, and again when the dependencies change.
.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(BIN)/python -c 'import matplotlib.font_manager'  # builds its list of fonts, which takes seconds, now
	touch $@

.venv/chromium: .venv/ready
	command -v chromium >/dev/null || { $(ROOT) apt-get update -qq && \
	$(ROOT) apt-get install -y -qq --no-install-recommends chromium; } >/dev/null || \
	echo "Chromium cannot be installed here: the tests that need it are skipped"
	touch $@

run: .venv/ready  ## train the baseline on Fashion-MNIST, evaluate it, predict the first test images
	$(BIN)/glassnet train baseline --out $(RUN) --replace
	$(BIN)/glassnet evaluate $(RUN)
	$(BIN)/glassnet predict $(RUN) --index 0 --index 1 --index 2 --index 3 --index 4 --out $(RUN)/first.png

test: .venv/ready .venv/chromium  ## all tests (under 10 minutes on two cores)
	$(BIN)/pytest

check: .venv/ready .venv/chromium  ## what CI runs: format, lint, types, tests, and the wheel in an environment of its own
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/pytest
	$(BIN)/python scripts/smoke_wheel.py

format: .venv/ready  ## format the code and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: .venv/ready  ## write docs/cli.md anew from the commands' own help
	$(BIN)/python scripts/write_cli_reference.py

screenshots: .venv/ready .venv/chromium  ## draw the panels of the lab into docs/lab
	$(BIN)/python scripts/lab_screenshots.py

bench: .venv/ready  ## Keras or PyTorch? Measure them and glassnet here; writes benchmarks/results/ (quiet machine, gigabytes)
	$(BIN)/glassnet bench --out benchmarks/results

slow: .venv/ready  ## the five recipes with five seeds each against their accuracy ranges; writes benchmarks/recipes.md
	$(BIN)/python benchmarks/recipes.py

kills: .venv/ready  ## kill a training 20 times at random moments and compare its end with an uninterrupted one
	GLASSNET_KILLS=20 $(BIN)/pytest tests/test_checkpoints.py -k killed

clean:  ## remove what make and the tests have made; runs/ stays
	rm -rf .venv dist build .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
