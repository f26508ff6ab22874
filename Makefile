# Each target makes the virtual environment first, if that has not happened yet.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/ready
# What users need, what development needs, and the extra `cluster`, for its tests.
REQUIREMENTS := -r requirements.txt -r requirements-dev.txt -r requirements-cluster.txt

.PHONY: demo check test test-environments lint settings docs notebooks benchmarks constraints

demo: $(READY)
	$(RUN) -m tasks.sentiment train --run runs/sentiment --overwrite
	$(RUN) -m tasks.sentiment evaluate --run runs/sentiment
	$(RUN) -m tasks.sentiment export --run runs/sentiment --to saved_models/sentiment
	$(RUN) -m tasks.sentiment predict --model saved_models/sentiment \
	    "The plot was dull, but the acting was superb." \
	    "No one would call the service friendly." \
	    "직원은 무례했지만 음식이 맛있었어요."

# An S3 server for the tests of remote files, which are skipped without it. Its packages need an older python-dateutil.
S3 := .venv-s3/bin/moto_server

# Lint and every quick test, in about five minutes on two cores.
check: lint
	$(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow and not environment"

# The whole suite, in 24 to 40 minutes on two cores.
test: $(READY) $(S3)
	$(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not environment"

# What needs an environment of its own, such as another version of TensorFlow. pytest ends with 5 where there is none.
test-environments: $(READY)
	$(RUN) -m pytest -s -m environment || test $$? -eq 5

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

# Writes tasks/NAME/SETTINGS.md, the reference of every setting.
settings: $(READY)
	$(RUN) -m tasks.cli.settings_reference

# Writes the API reference, from the docstrings, to docs/; index.html is its first page.
docs: $(READY)
	$(RUN) -m tasks.cli.api_reference

# Runs every notebook from top to bottom and stores its outputs; FAST=1 is a short trial that stores nothing.
notebooks: $(READY)
	$(RUN) notebooks/run.py

# Timings and other measurements, about which the tests assert nothing.
benchmarks: $(READY)
	$(RUN) -m pytest tests/benchmarks --override-ini addopts= -rs -s $(OPTIONS)

$(S3): tests/s3_server.txt
	$(PYTHON) -m venv .venv-s3
	.venv-s3/bin/python -m pip install --quiet -r tests/s3_server.txt
	touch $(S3)

# Installs the newest versions that the requirements allow, and writes them to constraints.txt.
constraints: $(READY)
	$(RUN) -m pip install --quiet --upgrade --upgrade-strategy eager $(REQUIREMENTS)
	sed -n 1p constraints.txt > constraints.part
	$(RUN) -m pip freeze --exclude-editable >> constraints.part
	mv constraints.part constraints.txt
	touch $(READY)

# The editable mode puts this folder on Python's path, so that a folder `models` of the user without code does not hide ours.
$(READY): $(filter %.txt,$(REQUIREMENTS)) constraints.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13) and "Python 3.11, 3.12 or 3.13 is needed, for TensorFlow: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --upgrade pip
	$(RUN) -m pip install --quiet $(REQUIREMENTS) -c constraints.txt
	$(RUN) -m pip install --quiet --no-deps --config-settings editable_mode=compat -e .
	touch $(READY)
