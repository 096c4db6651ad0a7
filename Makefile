.DEFAULT_GOAL := help
.PHONY: help install dev build start lint type test bench crash check clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## install the npm packages, unless they are there already
	@node scripts/install.mjs

dev: ## install, start for development and print where to go
	@node scripts/dev.mjs

build: install ## compile to dist/
	@npm run --silent build

start: build ## run the built service with the settings of the environment
	@exec npm run --silent start

lint: install ## check style and the borders between folders
	@npm run --silent lint

type: install ## check types
	@npm run --silent type

test: install ## install what the tests need (system packages too, where it may) and run all of them
	@scripts/system-packages.sh
	@npm run --silent test

bench: build ## measure the service beside its peers, conversion and several nodes; print tables
	@npm run --silent bench
	@npm run --silent bench:convert
	@npm run --silent bench:cluster

crash: build ## kill the service again and again under load; ROUNDS=300, SEED=… repeats a run
	@npm run --silent crash

check: ## what CI runs: lint, type, build, test
	@.ci/run

clean: ## remove what build and tests have made; documents in ./data stay
	@rm -rf dist .tap
