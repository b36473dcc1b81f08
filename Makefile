# Set-up, the main job, tests: everything happens in .venv and needs Python 3.11 or later and the package index, no more.

PYTHON ?= python3
BIN := .venv/bin
RUN ?= runs/first

# Where a test needs a browser, it is Debian's Chromium; what cannot be installed here is skipped there, with its reason.
ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo -n)

.PHONY: help run test check format docs screenshots bench bench-lab bench-packing bench-recipes bench-photos slow ablations kills clean

# Two processes, each with whole files: their fixtures (a lab, a browser, a trained run) are made once.
PYTEST := $(BIN)/pytest -n 2 --dist loadfile

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/'

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
	$(PYTEST)

check: .venv/ready .venv/chromium  ## what CI runs: format, lint, types, tests, and the wheel in an environment of its own
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(PYTEST)
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

bench-lab: .venv/ready .venv/chromium  ## the lab's times, memory and 30 tabs; writes benchmarks/lab.md (quiet machine)
	$(BIN)/python benchmarks/lab.py

bench-packing: .venv/ready  ## packing 100,000 images, and training on more than memory; writes benchmarks/packing.md
	$(BIN)/python benchmarks/packing.py

bench-recipes: .venv/ready  ## Keras's MNIST example against `instant`, and few images; writes benchmarks/convnet.md and few.md
	$(BIN)/python benchmarks/few.py
	$(BIN)/python benchmarks/convnet.py

bench-photos: .venv/ready  ## photographs made here and foreign images with `strong`; writes photographs.md, scans.md and trust.md
	test -e runs/strong-mnist || $(BIN)/glassnet train strong --data mnist --out runs/strong-mnist
	test -e runs/strong-fashion || $(BIN)/glassnet train strong --data fashion-mnist --out runs/strong-fashion
	$(BIN)/python benchmarks/trust.py runs/strong-mnist runs/strong-fashion
	$(BIN)/python benchmarks/photographs.py runs/strong-mnist runs/strong-fashion
	$(BIN)/python benchmarks/scans.py runs/strong-mnist

slow: .venv/ready  ## the recipes with five seeds each on both sets, against their ranges; writes benchmarks/recipes.md (hours)
	$(BIN)/python benchmarks/recipes.py

ablations: .venv/ready  ## what the techniques of `strong` are worth, three epochs and three seeds each; writes benchmarks/ablations.md
	$(BIN)/python benchmarks/ablations.py strong --epochs 3

kills: .venv/ready  ## kill a training 20 times at random moments and compare its end with an uninterrupted one
	GLASSNET_KILLS=20 $(BIN)/pytest tests/test_checkpoints.py -k killed

clean:  ## remove what make and the tests have made; runs/ stays
	rm -rf .venv dist build .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
