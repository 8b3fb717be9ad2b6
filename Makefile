PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
MODEL ?= sd15-unet

.PHONY: demo test test-slow lint format clean bench

# Make the environment, install, and run the main job on real layers.
demo: $(VENV)/installed
	$(BIN)/gngen compare --model $(MODEL)

# Install what the tests need and run all of them but the slow ones.
test: $(VENV)/installed-test
	$(BIN)/python -m pytest -n auto -m "not slow" --durations=25

# The tests that take many seconds or gigabytes each.
test-slow: $(VENV)/installed-test
	$(BIN)/python -m pytest -n auto -m slow --durations=25

lint: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Time the project against PyTorch and the copy limit, and measure errors, into docs/; leave the machine otherwise idle.
bench: $(VENV)/installed-test
	$(BIN)/python benchmarks/compare.py
	$(BIN)/python benchmarks/accuracy.py

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@
