# AgentxSuite. Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help demo serve test conformance tools faults fuzz openapi check mutants bench lock clean
help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## the main job on the embedded default, told step by step, then keeps serving
	@$(BIN)/python -m demo

serve: $(READY) ## the server on the embedded default
	@$(BIN)/agentxsuite migrate && $(BIN)/agentxsuite serve

test: $(READY) tools ## every test, on SQLite and on real PostgreSQL and Redis
	@$(BIN)/python -m tests

conformance: $(READY) tools ## only the protocol's own suite and the clients that people have
	@$(BIN)/pytest tests/story/test_conformance.py tests/story/test_clients.py tests/browser/test_login_suite.py

tools:
	@sh tests/tools.sh

faults: $(READY) ## kill, freeze and restart everything under load, and count what was lost (10 minutes)
	@$(BIN)/python -m tests.faults $(FAULTS)

fuzz: $(READY) ## ask the whole API what nobody would ask: no defect, no answer that is not described (10 minutes)
	@$(BIN)/python -m tests.fuzz $(FUZZ)

openapi: $(READY) ## renew docs/api/openapi.yaml after a change of the API
	@$(BIN)/python -m tests.openapi

check: $(READY) ## lint, types, import contracts, budgets, migrations
	@$(BIN)/ruff format --check . && $(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.house

mutants: $(READY) ## change the decision engine in every small way: a test must notice
	@$(BIN)/python -m pip install -qq --require-hashes -r requirements-mutants.lock
	@$(BIN)/python -m tests.unit.engines.pdp.mutants

bench: $(READY) ## measure, and print the figures of benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks

lock: $(READY) ## resolve the newest allowed versions again (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-index-url --no-annotate --group dev --group demo pyproject.toml -o requirements.lock

clean: ## forget the virtual environment and all caches
	rm -rf .venv tests/clients/node_modules .coverage* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(READY): requirements.lock pyproject.toml
	@sh bootstrap.sh "$(PYTHON)"
