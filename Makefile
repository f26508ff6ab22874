# Each target makes the virtual environment first, if that has not happened yet.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/ready

.PHONY: demo test lint benchmarks

demo: $(READY)
	$(RUN) -m tasks.sentiment train --run runs/sentiment --overwrite
	$(RUN) -m tasks.sentiment evaluate --run runs/sentiment
	$(RUN) -m tasks.sentiment export --run runs/sentiment --to saved_models/sentiment
	$(RUN) -m tasks.sentiment predict --model saved_models/sentiment \
	    "The plot was dull, but the acting was superb." \
	    "No one would call the service friendly." \
	    "직원은 무례했지만 음식이 맛있었어요."

test: $(READY)
	$(RUN) -m pytest -n 2 --dist loadfile

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

# Timings and other measurements; nothing is asserted about them in the tests.
benchmarks: $(READY)
	$(RUN) -m pytest tests/benchmarks --override-ini addopts= -s

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --upgrade pip
	$(RUN) -m pip install --quiet -r requirements.txt
	$(RUN) -m pip install --quiet --no-deps -e .
	touch $(READY)
