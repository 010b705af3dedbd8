# gmd-vae: MIDI in, trained model, MIDI out. `make` lists what there is to make.
# Every target makes what it needs first, and prints the command lines it runs.

# --- what to work on: any of these can be given on the command line, as in `make train STEPS=5000`
DATASET = groove
CONFIG = hierdec-drum_4bar_small
STYLE =
BEAT_TYPE =
STEPS =
HPARAMS =
NUM_OUTPUTS =
TEMPERATURE =
WAV =
PNG =
SEED =
RUN = $(CONFIG)$(if $(filter-out groove,$(NOTES)),-$(NOTES))
DEMO_STEPS = 100
CLUSTER_CONFIG = flat-drum_4bar_small
KILL =
PYTEST_ARGS =
BENCH_ARGS =
MINUTES = 10
MODELS =
ARCHIVE =

# --- the environment
PYTHON ?= python3
VENV ?= .venv
GPU = $(if $(wildcard $(VENV)/.gpu),1)# an environment made with GPU=1 stays so, until GPU=0

# --- where things are
empty :=
NOTES := $(subst $(empty) ,-,$(subst /,-,$(strip $(DATASET) $(sort $(STYLE)) $(sort $(BEAT_TYPE)))))
RAW_MANIFEST := data/raw/$(DATASET)/manifest.json
NOTES_MANIFEST := data/notes/$(NOTES)/manifest.json
EXAMPLES_MANIFEST := data/examples/$(NOTES)/$(CONFIG)/manifest.json
RUN_FILE := runs/$(RUN)/run.json

# The environment is complete when it holds the two stamps that carry the checksums of the lock and
# of pyproject.toml (and of this folder's name: environments cannot be moved).
LOCK := requirements$(if $(filter-out 0,$(GPU)),-gpu).txt
checksum = $(shell { pwd -P; cat $(1); } | cksum | tr ' ' -)
PACKAGES := $(VENV)/.packages-$(call checksum,$(LOCK))
PROJECT := $(VENV)/.project-$(call checksum,pyproject.toml)
GMD_VAE := $(VENV)/bin/gmd-vae

.DEFAULT_GOAL := help
.NOTPARALLEL:
# every command leaves a whole manifest or none, so an interrupted make must not delete what is there
.PRECIOUS: $(RAW_MANIFEST) $(NOTES_MANIFEST) $(EXAMPLES_MANIFEST) $(RUN_FILE)
.PHONY: help setup data train generate evaluate demo cluster-demo data-cluster-demo bench bench-data weights figures doctor test fuzz attack lint format docs pictures lock clean

help: ## this list
	@echo "make TARGET [VARIABLE=value ...]"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "Variables: DATASET=$(DATASET) (or starter)  CONFIG=$(CONFIG)  STEPS=5000"
	@echo "           STYLE=rock  BEAT_TYPE=beat  RUN=name  HPARAMS=k=v,...  NUM_OUTPUTS=8  TEMPERATURE=0.5  SEED=1  WAV=1  PNG=1"
	@echo "           PYTHON=python3.12  GPU=1 (with NVIDIA's libraries)"

setup: $(PROJECT) ## the environment in .venv (every other target makes it when it needs it)
	@tools/setup.sh same $(VENV) "$(if $(filter file,$(origin PYTHON)),,$(PYTHON))"

$(PACKAGES):
	@tools/setup.sh packages "$(PYTHON)" $(VENV) $(LOCK)
	@$(if $(filter-out 0,$(GPU)),touch $(VENV)/.gpu)
	@touch $@

$(PROJECT): $(PACKAGES)
	@tools/setup.sh project $(VENV)
	@rm -f $(VENV)/.project-*
	@touch $@

data: $(EXAMPLES_MANIFEST) ## fetch, convert and prepare DATASET for CONFIG
	@echo "Ready: $(<D)"

$(RAW_MANIFEST): | $(PROJECT)
	$(GMD_VAE) fetch $(DATASET) --output-dir data/raw/$(DATASET)

SELECTION = $(addprefix --style ,$(STYLE)) $(addprefix --beat-type ,$(BEAT_TYPE))

$(NOTES_MANIFEST): $(RAW_MANIFEST) | $(PROJECT)
	$(strip $(GMD_VAE) convert data/raw/$(DATASET) --output-dir data/notes/$(NOTES) $(SELECTION))

$(EXAMPLES_MANIFEST): $(NOTES_MANIFEST) | $(PROJECT)
	$(GMD_VAE) preprocess data/notes/$(NOTES) --config $(CONFIG) --output-dir $(@D)

train: $(EXAMPLES_MANIFEST) ## train CONFIG into runs/RUN, for STEPS steps or the config's own; goes on where it stopped
	$(TRAIN)

TRAIN = $(strip $(GMD_VAE) train --config $(CONFIG) --examples-path $(EXAMPLES_MANIFEST:/manifest.json=) \
	--run-dir runs/$(RUN) $(if $(STEPS),--num-steps $(STEPS)) $(if $(HPARAMS),--hparams $(HPARAMS)) $(if $(SEED),--seed $(SEED)))

$(RUN_FILE): | $(EXAMPLES_MANIFEST)
	$(TRAIN)

generate: $(RUN_FILE) ## write NUM_OUTPUTS new beats as MIDI files into runs/RUN/generated
	$(GENERATE)

GENERATE = $(strip $(GMD_VAE) generate --run-dir runs/$(RUN) --mode sample \
	$(if $(NUM_OUTPUTS),--num-outputs $(NUM_OUTPUTS)) \
	$(if $(TEMPERATURE),--temperature $(TEMPERATURE)) $(if $(SEED),--seed $(SEED)) \
	$(if $(filter-out 0,$(WAV)),--wav) $(if $(filter-out 0,$(PNG)),--png))

evaluate: $(RUN_FILE) ## measure what runs/RUN learned, on windows it has not seen; into runs/RUN/eval
	$(GMD_VAE) evaluate runs/$(RUN)

demo: ## the whole path in under 5 minutes: built-in grooves, DEMO_STEPS steps, a few beats
	@$(MAKE) --no-print-directory data train generate DATASET=starter STEPS=$(DEMO_STEPS) RUN=demo
	@echo "Your beats: $$(ls -dt runs/demo/generated/*/ | head -n 1)"

cluster-demo: ## train with three processes, as on three machines (KILL=worker or chief: it dies and comes back)
	@$(MAKE) --no-print-directory data DATASET=starter CONFIG=$(CLUSTER_CONFIG)
	$(strip $(VENV)/bin/python tools/cluster_demo.py --config $(CLUSTER_CONFIG) \
		--examples-path data/examples/starter/$(CLUSTER_CONFIG) $(if $(KILL),--kill $(KILL)))

data-cluster-demo: | $(PROJECT) ## prepare data with Dask workers, as on several machines; one of them is killed
	@[ -e $(RAW_MANIFEST) ] || $(MAKE) --no-print-directory data/raw/starter/manifest.json DATASET=starter
	$(VENV)/bin/python tools/data_cluster_demo.py $(if $(wildcard $(RAW_MANIFEST)),$(RAW_MANIFEST:/manifest.json=),data/raw/starter)

bench: $(PROJECT) $(NOTES_MANIFEST) ## compare with stock Magenta on this machine (BENCH_ARGS=--quick: 10 minutes)
	$(strip $(VENV)/bin/python -m benchmarks $(BENCH_ARGS))

bench-data: $(PROJECT) $(RAW_MANIFEST) ## compare the preparation of data with stock Magenta's (BENCH_ARGS=--quick: minutes)
	$(strip $(VENV)/bin/python -m benchmarks.data $(BENCH_ARGS))

weights: $(PROJECT) ## make the models of the package again (MODELS=name, ARCHIVE=file.zip): hours; goes on where it stopped
	$(strip $(VENV)/bin/python tools/make_weights.py $(if $(ARCHIVE),--archive "$(ARCHIVE)") $(MODELS))

doctor: $(PROJECT) ## check this machine: versions, devices, memory, disk
	$(GMD_VAE) doctor

test: $(PROJECT) ## run the tests
	$(VENV)/bin/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

fuzz: $(PROJECT) ## read MIDI files that nobody has written, for MINUTES minutes, as note_seq reads them
	$(VENV)/bin/python tools/fuzz_midi.py --minutes $(MINUTES)

attack: $(PROJECT) ## attack the installed command with hostile files, odd values, signals and races, for MINUTES minutes
	$(VENV)/bin/python tools/attack.py --minutes $(MINUTES)

lint: $(PROJECT) ## check style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	tools/check_scripts.sh

format: $(PROJECT) ## put the code into the style that lint wants
	$(VENV)/bin/ruff check --fix-only --quiet .
	$(VENV)/bin/ruff format .

figures: $(EXAMPLES_MANIFEST) ## measure the figures of the documentation that need no training, and write them into it
	$(VENV)/bin/python tools/figures.py --notes data/notes/$(NOTES) --examples $(EXAMPLES_MANIFEST:/manifest.json=)

docs: $(PROJECT) ## write docs/cli.md and the schemas from the code, and build the site: build/site/index.html
	$(VENV)/bin/python tools/cli_reference.py
	$(VENV)/bin/python tools/format_schemas.py
	$(VENV)/bin/python -m sphinx -W --keep-going -q -b html -c docs . build/site

pictures: $(PROJECT) ## make the pictures of README and documentation again (needs Chromium)
	$(VENV)/bin/python tools/make_pictures.py

lock: ## pin all dependencies anew (UPGRADE=1: to their newest versions)
	tools/lock.sh "$(PYTHON)"

clean: ## remove data/notes, data/examples and what tools leave behind
	rm -rf data/notes/* data/examples/* data/*/.*.partial data/*/.*.previous data/*/.*.parts data/*/.*.gmd-vae.lock
	rm -rf build *.egg-info .ruff_cache .mypy_cache .pytest_cache .hypothesis
	find . -path ./$(VENV) -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +
	@echo "Kept: data/raw, runs and $(VENV). Remove them by hand if you mean to."
