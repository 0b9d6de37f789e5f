# Everything that netlab is set up, checked and shipped with. `make` lists it.
SHELL := /bin/sh
# Debian leaves ip, ifconfig and brctl out of an ordinary user's path.
export PATH := $(PATH):/usr/sbin:/sbin
BIN := .venv/bin
LAB ?= 01-packet-path
PYTEST := $(BIN)/python -m pytest -q -n auto --dist loadgroup

.DEFAULT_GOAL := help
.PHONY: help lab check format test test-long bench speedups image test-image clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

lab: .venv/.lab ## set everything up and open a lab in JupyterLab (LAB=01-packet-path)
	@.ci/debs .ci/mininet-packages
	@$(BIN)/nlab lab open $(LAB) --start

check: .venv/.dev ## format, lint, types and import layers: quick, changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy netlab
	@# every lab has a lab.py, so labs are typed one at a time; what a student reads or writes there may leave types out
	@for lab in labs/*/; do echo "mypy $$lab"; $(BIN)/mypy $$lab/lab.py && \
	  $(BIN)/mypy --allow-untyped-defs --allow-untyped-calls $$lab/starter.py $$lab/answer.py $$lab/wrong/*.py || exit 1; done
	$(BIN)/lint-imports

format: .venv/.dev ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: .venv/.dev ## every test that this machine can run, the long ones left out
	@.ci/debs .ci/mininet-packages .ci/test-packages
	$(PYTEST) -m "not long" $(ARGS)

test-long: .venv/.dev ## the tests that take minutes
	@.ci/debs .ci/mininet-packages .ci/test-packages
	$(PYTEST) -m long $(ARGS)

bench: .venv/.dev ## measure speed, beside the peers
	$(BIN)/nlab bench

speedups: .venv/.dev ## compile the hot modules into build/speedups: PYTHONPATH=build/speedups nlab ...
	$(BIN)/python .ci/speedups

image: ## build the workshop image with docker or podman
	docker/build

test-image: ## start the image and run lab 01 in it, in both worlds
	"$$(.ci/python)" docker/try.py

clean: ## remove what make made; a student's work/ stays
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find netlab labs topologies tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is older than pyproject.toml when dependencies may have changed.
.venv/.lab: pyproject.toml
	@.ci/venv
	@touch $@

.venv/.dev: .venv/.lab
	@.ci/venv dev
	@touch $@
