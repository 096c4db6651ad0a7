.DEFAULT_GOAL := help
.PHONY: help install dev build start lint type test test-long test-nodes bench crash check clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## install the npm packages that are missing
	@node scripts/install.mjs

dev: ## install what it needs, start for development and print where to go
	@node scripts/dev.mjs

build: install ## compile to dist/
	@npm run --silent build

start: build ## run the built service with the settings of the environment
	@exec npm run --silent start

lint: install ## check style and the borders between folders
	@npm run --silent lint

type: install ## check types
	@npm run --silent type

test: install ## install the system packages that the tests need (as root), and run all tests
	@scripts/system-packages.sh
	@npm run --silent test

test-long: install ## run all tests with more rounds, more clients and longer waits: takes hours
	@scripts/system-packages.sh
	@npm run --silent test:long

test-nodes: install ## run the core of the tests on other versions of Node.js, fetched from npm
	@scripts/test-nodes.sh

bench: build ## measure the service beside other servers, conversion and several nodes; print tables
	@test -d bench/peers/node_modules || npm ci --silent --prefix bench/peers || echo 'The peers cannot be installed: only our own figures follow.'
	@npm run --silent bench
	@npm run --silent bench:convert
	@npm run --silent bench:cluster

crash: install ## kill the service repeatedly under load; ROUNDS=300; SEED=… repeats a run
	@npm run --silent crash

check: ## what CI runs: lint, type, build, test, test-nodes
	@.ci/run

clean: ## remove the output of builds and tests; documents in ./data stay
	@rm -rf dist .tap
