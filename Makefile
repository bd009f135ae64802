# igdet's front door. `make demo` and `make test` set everything up by themselves.
PYTHON ?= python3
SEEDS ?= 1
# In the order in which one takes the pretrainings of another.
STUDIES := world world_recipe classes localisation learning_rate placing vocabulary label_space loss noise resampling shapes size families world_families world_experts detection_probe world_detection_probe
VENV := .venv
READY := $(VENV)/ready
BINDINGS := $(wildcard igdet/*/images/*.[ch])
# Detectron2 uses what recent torch deprecates: nothing that a user of igdet can fix.
export PYTHONWARNINGS := ignore::FutureWarning:torch.jit._script

.PHONY: help demo study studies test lint docs setup clean

help:
	@echo "make demo          world -> pretraining -> transfer -> runs/demo/report.html (SEEDS=3 adds seeds)"
	@echo "make study NAME=classes   one study, its page in docs/studies; make studies: all, in hours"
	@echo "make test          tests, linter, types, import contract"
	@echo "make lint          linter, types and import contract alone"
	@echo "make docs          the documents and the API reference as a site, in site/"
	@echo "make setup         the environment alone, in $(VENV)"

# Made again whenever one of the files that decide what is installed is newer.
$(READY): setup.py $(BINDINGS) constraints.txt tools/setup_environment.py tools/install_detectron2.py tools/detectron2_rewrites.py tools/pip_errors.py
	@$(PYTHON) tools/setup_environment.py $(VENV)

setup: $(READY)

demo: $(READY)
	@$(VENV)/bin/python tools/benchmark.py run configs/benchmark/demo.yaml --seeds $(SEEDS)
	@$(VENV)/bin/python tools/study.py run world SEEDS $(SEEDS)

study: $(READY)
	@$(VENV)/bin/python tools/study.py run $(NAME) --out docs/studies

studies: $(READY)
	@for study in $(STUDIES); do $(MAKE) study NAME=$$study || exit; done

lint: $(READY)
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

# Fails on a broken link. The variable silences an advertisement for the theme's successor.
docs: $(READY)
	@NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build

test: $(READY) lint
	@$(VENV)/bin/python -m pytest -n 2

clean:
	rm -rf $(VENV) build dist site *.egg-info
