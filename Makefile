# pgvouch: the commands of a day. The first target used makes .venv and installs into it; later runs
# cost no pip time, unless pyproject.toml has changed.
#
#   make migrate            apply what is pending, to a server of the project's own
#   make migrate DB=name    one database
#   make rollback DB=name   take the newest migration of a database back   (STEPS=n, ALL=1, DISCARD=1, ACCEPT=1)
#   make verify DB=name     run every promise again              (VERBOSE=1: all that was found)
#   make test               see why to trust it: what fits into three minutes
#   make help               every target

PYTHON       ?= python3
DATABASE_URL ?= embedded:
export DATABASE_URL

# What an error tells to do next is told as a target of this file, where there is one.
migrate rollback status plan verify drift seed stamp: export PGVOUCH_HINTS := make

VENV    := .venv
PGVOUCH := $(VENV)/bin/pgvouch
STAMP   := $(VENV)/installed
# A worker with nothing left to do takes over from one that has more than the next test.
PYTEST   = $(VENV)/bin/python -m pytest -n $(or $(WORKERS),auto) --dist worksteal

.PHONY: help migrate rollback status plan verify drift seed stamp quick test test-all torture bench bench-fleet lint clean install

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

migrate: $(STAMP) ## apply what is pending                               (DB=name, VERBOSE=1)
	@$(PGVOUCH) migrate $(DB) $(if $(VERBOSE),--verbose)

rollback: $(STAMP) ## take the newest migration of a database back    (DB=name, STEPS=n, ALL=1, DISCARD=1, ACCEPT=1)
	@$(PGVOUCH) rollback $(DB) $(if $(ALL),--all,$(if $(STEPS),--steps $(STEPS))) \
		$(if $(DISCARD),--discard-data) $(if $(ACCEPT),--accept-difference)

status: $(STAMP) ## what is applied and what is pending              (DB=name)
	@$(PGVOUCH) status $(DB)

plan: $(STAMP) ## what migrate would do                            (DB=name)
	@$(PGVOUCH) plan $(DB)

verify: $(STAMP) ## run every promise again                          (DB=name, VERBOSE=1)
	@$(PGVOUCH) verify $(DB) $(if $(VERBOSE),--verbose)

drift: $(STAMP) ## is the database what its migrations made?            (DB=name, VERBOSE=1)
	@$(PGVOUCH) drift $(DB) $(if $(VERBOSE),--verbose)

seed: $(STAMP) ## load the development data                        (DB=name)
	@$(PGVOUCH) seed $(DB)

stamp: $(STAMP) ## expand the stamped policies                      (DB=name)
	@$(PGVOUCH) stamp $(DB)

# tests/tiers.py says which tests are in which of the three.
quick: lint ## lint, types, and the tests that need no server; seconds
	@$(PYTEST) -q -m 'not thorough' tests/unit tests/test_layers.py $(ARGS)

test: $(STAMP) ## what fits into three minutes; says what it left out  (ARGS=… for pytest)
	@$(PYTEST) -m 'not thorough' $(ARGS)

test-all: $(STAMP) ## every test: old servers, mutants, large files, …      (ARGS=… for pytest)
	@$(PYTEST) $(ARGS)

torture: $(STAMP) ## faults at random points, into docs/reliability.md     (MINUTES=n, SEED=n)
	@PYTHONPATH=tests $(VENV)/bin/python -m faults.torture --minutes $(or $(MINUTES),10) --seed $(or $(SEED),1) \
		--write docs/reliability.md

bench: $(STAMP) ## times beside a floor and other tools, into docs/performance.md (AGAINST=commit)
	@PYTHONPATH=tests $(VENV)/bin/python -m bench $(if $(AGAINST),--against $(AGAINST)) \
		--write docs/performance.md $(ARGS)

bench-fleet: $(STAMP) ## a fleet beside a loop and xargs, into docs/fleets.md (DATABASES=n)
	@PYTHONPATH=tests $(VENV)/bin/python -m bench.fleet --databases $(or $(DATABASES),200) \
		--write docs/fleets.md

lint: $(STAMP) ## ruff, mypy, and whether the stamped policies are up to date
	@$(VENV)/bin/ruff format --check runner tests examples
	@$(VENV)/bin/ruff check runner tests examples
	@$(VENV)/bin/mypy
	@$(PGVOUCH) stamp --check

clean: ## stop the server, and remove what make has made
	@if [ -x $(PGVOUCH) ]; then $(PGVOUCH) server stop; fi
	rm -rf $(VENV) .pgvouch .pytest_cache .mypy_cache .ruff_cache .hypothesis dist

install: $(STAMP) ## make .venv

$(STAMP): pyproject.toml
	@echo "installing into $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded,fleet,dev]'
	@touch $@
