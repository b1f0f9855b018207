# Two commands do everything: `make scan` and `make test`. Both set up what they need.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
APP := $(BIN)/python -m expansion_assets
TEXTS ?=
SOURCES ?=
DATA ?=
EXTRA := $(if $(SOURCES),--sources "$(SOURCES)") $(if $(DATA),--data "$(DATA)")

.DEFAULT_GOAL := help
.PHONY: help setup scan test listen forget ui docs lint truth eval train doctor bench lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/.installed ## install the pinned packages into .venv and parse the dbt project

$(VENV)/.installed: requirements/dev.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -c "import pathlib, site; pathlib.Path(site.getsitepackages()[0], 'expansion_assets.pth').write_text('$(CURDIR)')"
	$(APP) prepare
	@touch $@

scan: setup ## build the demo world, backfill its history, scan its last day and print the scan
	$(APP) $(EXTRA) scan

test: setup ## run every test
	$(BIN)/python -m pytest

listen: setup ## take signed webhooks into the landing files (PORT=8400; key: EXPANSION_WEBHOOK_SECRET)
	$(APP) $(EXTRA) listen $(if $(PORT),--port $(PORT))

forget: setup ## take a person out of all data and keep them out (EMAIL=jane@x.com; DRY=1 only counts; no EMAIL: by the list)
	$(APP) $(EXTRA) forget $(if $(EMAIL),"$(EMAIL)") $(if $(DRY),--dry-run)

ui: setup ## open the Dagster UI and its daemon on a history kept in the project's folder
	$(APP) $(EXTRA) ui

docs: setup ## write the dbt docs site as one static page
	$(APP) $(EXTRA) docs

lint: setup ## ruff, import contracts, types
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

truth: setup ## hold the firings against the planted truth of the hard world (DEMO=1: of the demo world)
	$(APP) truth $(if $(DEMO),--demo)

eval: setup ## measure the text tagger (TEXTS=file, default: our own hold-out lines)
	$(APP) eval $(if $(TEXTS),--texts "$(TEXTS)")

train: setup ## train the text tagger on this workspace's reviews (accepted cards, cards rejected as misread)
	$(APP) $(EXTRA) train

doctor: setup ## say which triggers can be watched, and why not
	$(APP) $(EXTRA) doctor

bench: setup ## measure raw load, expectations, webhooks, trailing windows and the language-model tagger beside something bare
	$(BIN)/python benchmarks/raw_load.py
	$(BIN)/python benchmarks/expectations.py
	$(BIN)/python benchmarks/intake.py
	$(BIN)/python benchmarks/trailing_window.py
	$(BIN)/python benchmarks/llm.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/tagger.py

lock: ## pin every package with hashes
	$(BIN)/python -m piptools compile --quiet --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --no-header --no-annotate --allow-unsafe -o requirements/main.txt pyproject.toml
	$(BIN)/python -m piptools compile --quiet --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --no-header --no-annotate --allow-unsafe --extra dev -o requirements/dev.txt pyproject.toml

clean: ## drop everything that a run or a set-up made
	rm -rf $(VENV) data/landing data/warehouse data/published data/dagster_home data/dbt_target data/workspaces data/eval data/model data/tagger
