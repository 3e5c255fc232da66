# Two commands are all a newcomer needs: `make demo` (the main job, on real parts) and `make test` (lint and every
# tests/**/test_*.py). tests/bench/bench_*.py and tests/**/fault_*.py are run by `make bench` and `make deaths`: the latter
# are deaths, and tests that take the one cluster for half a minute or more each.

SHELL       := /bin/bash
PYTHON      ?= python3
CACHE       := $(or $(DISKSNAPSHOT_LAB_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/disksnapshot-lab)
LOCK_DIGEST := $(shell cat requirements-dev.lock | sha256sum | cut -c1-12)
VENV        := $(CACHE)/venv-$(LOCK_DIGEST)
IN_VENV     := PATH="$(VENV)/bin:$$PATH" PYTHONPATH=operator:tests

.DEFAULT_GOAL := help
.PHONY: help venv lint test demo lab-up lab-down figures bench deaths refusals bounded damage cloud-errors protocol campaign install-yaml crds lock

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

venv: $(VENV)/.complete

# Its name is made from what is in it, so a file's date can't make it stale: another checkout with the same
# lock may be at work in it. The lock keeps two first runs apart.
$(VENV)/.complete:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed" if sys.version_info < (3, 11) else 0)'
	@mkdir -p "$(CACHE)" && flock --no-fork "$(VENV).lock" bash -c 'test -e $@ || { \
		echo "Installing Python packages into $(VENV)"; rm -rf "$(VENV)"; $(PYTHON) -m venv "$(VENV)" \
		&& "$(VENV)/bin/pip" install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock \
		&& touch $@; }'

lint: venv ## Check format, types and the architecture
	@$(IN_VENV) ruff format --check . && $(IN_VENV) ruff check .
	@$(IN_VENV) mypy operator tests
	@$(IN_VENV) lint-imports

lab-up: venv ## Start the lab: a real Kubernetes with emulated CBS disks
	@$(IN_VENV) python -m lab up

lab-down: venv ## Stop the lab and leave the machine as it was
	@$(IN_VENV) python -m lab down

test: lint lab-up ## Run lint and every test but those of `make bench` and `make deaths`
	@$(IN_VENV) python -m pytest --numprocesses 2

demo: venv ## Watch a proven snapshot of a real database on a real cluster
	@$(IN_VENV) python -m lab demo

figures: lab-up ## Measure 100 holds on the cluster; write docs/figures.md and docs/timeline.svg
	@$(IN_VENV) python -m lab.demo.figures

bench: lab-up ## Assert ratios to a bare loop, and counts of calls and writes, each with a bad build; tell times
	@$(IN_VENV) python -m pytest tests/bench -o python_files='bench_*.py'

deaths: lab-up ## Kill every part in a hold, and at random; write docs/deaths.md; then what takes long on the cluster
	@$(IN_VENV) python -m lab.deaths run && $(IN_VENV) python -m lab.deaths storm \
		&& $(IN_VENV) python -m lab.deaths page
	@$(IN_VENV) python -m pytest tests/faults tests/cluster -o python_files='fault_*.py'

refusals: lab-up ## Give the cluster every bad input; write docs/refusals.md and docs/reasons.md
	@$(IN_VENV) python -m lab.refusals run && $(IN_VENV) python -m lab.refusals page

cloud-errors: venv ## Meet every error code of the cloud for an hour; write docs/cloud-errors-seen.md
	@$(IN_VENV) python -m lab.lives

damage: venv ## Cut local databases in every way, judge each copy; write docs/what-a-snapshot-holds.md
	@$(IN_VENV) python -m lab.damage

bounded: venv ## End the window at every moment of a hold; write docs/bounded.md
	@$(IN_VENV) python -m lab.bounded

protocol: venv ## Walk every state that the protocol can reach; write docs/protocol.md
	@$(IN_VENV) python -m model page

campaign: venv ## Let every fault befall every effect, three times in a row; write docs/reliability.md
	@export $(IN_VENV); for run in 1 2 3; do python -m campaign || exit 1; done

# The lab's Helm if there is a lab, else the one on the PATH.
HELM ?= $(firstword $(wildcard $(or $(DISKSNAPSHOT_LAB_STATE),/var/lib/disksnapshot-lab)/bin/helm) helm)
install-yaml: venv ## Write dist/install.yaml: IMAGE=..., REGION=..., optional OPEN=shop,store EXEC=shop SCALE=shop FREEZER=1
	@$(IN_VENV) python charts/render_install.py --into dist/install.yaml --helm "$(HELM)" --image "$(IMAGE)" \
		--region "$(REGION)" --open "$(OPEN)" --open-exec "$(EXEC)" --open-scale "$(SCALE)" $(if $(FREEZER),--freezer)

crds: venv ## Write the chart's copy of the definitions, and the pages made from the code
	@$(IN_VENV) python charts/render_crds.py
	@$(IN_VENV) python -m lab.refusals reasons
	@$(IN_VENV) python -m disksnapshot.cbs.errors > docs/cloud-errors.md

lock: ## Renew the two lock files from pyproject.toml
	@uv pip compile --python-version 3.11 --generate-hashes --no-header -q pyproject.toml -o requirements.lock
	@uv pip compile --python-version 3.11 --generate-hashes --no-header -q --group dev pyproject.toml -o requirements-dev.lock
