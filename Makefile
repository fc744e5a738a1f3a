# The short names of what is done often. The work itself is in dev/, which can be read and run by itself.

.DEFAULT_GOAL := help
.PHONY: help up down build web test test-all soak fuzz bench base-images lint clean

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ## set this machine up, build, start Ergon (ERGON_LISTEN, ERGON_DATA)
	@dev/up

down: ## stop what `make up` started
	@dev/up --stop

build: ## target/release/ergon and aish
	@dev/setup
	@dev/build

web: ## the browser UI, into web/dist
	@dev/web

test: ## everything that must pass
	@dev/test

test-all: ## and what takes too long for every change
	@dev/test --all

soak: build ## healthy containers, and the directory at half its load, each for a long time (SECONDS, an hour unless told)
	@dev/soak

fuzz: ## the readers, fed by a fuzzer (FUZZ_SECONDS for each)
	@dev/fuzz

bench: build ## ergon build against docker build, ergon detect against nixpacks, hashing against openssl, the registry against docker-registry, watching against docker stats, logs against drain3, the directory against etcd, what the gateway adds
	@benches/docker-build
	@benches/detect
	@benches/hashing
	@benches/registry
	@benches/watching
	@benches/logs
	@benches/directory
	@benches/gateway

base-images: ## the bases of the examples, from Debian packages
	@dev/setup
	@dev/base-images

lint: ## formatting, clippy, the rules of the house, the browser UI's lints and types
	@dev/test --lint

clean: ## what can be built again; not data, not caches of bases and builds
	cargo clean
	rm -rf web/dist
