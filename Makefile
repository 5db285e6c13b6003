# `make run` and `make test` need nothing but Go. `make check` is what CI runs.

VERSION := $(shell deploy/version.sh)
LDFLAGS := -s -w -X main.version=$(VERSION)

# The pinned versions of the tools are in tools/go.mod and tools/golangci-lint.mod.
TOOL := go tool -modfile=tools/go.mod
# Prints a line for each package, and at the end each skipped test and its reason.
# Tests wait more than they compute, hence -p 4.
GOTEST := $(TOOL) gotestsum --format pkgname-and-test-fails -- -p 4

export CGO_ENABLED ?= 0

.PHONY: build run test check vet lint race fuzz-seeds e2e soak screenshots bench bench-go fuzz fuzz-long cover clean

build: ## bin/ps4kit, one static binary
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ps4kit ./cmd/ps4kit

# Without the environment, whose PS4KIT_ variables may mean a real installation, and on a port that it leaves free.
run: build ## the HomeKit server with one simulated console; its state is in .cache/run
	mkdir -p .cache/run
	test -s .cache/run/config.yaml || echo 'web: {listen: ":8991"}' >.cache/run/config.yaml
	env -i PATH="$$PATH" TERM="$$TERM" ./bin/ps4kit --config .cache/run/config.yaml --state-dir .cache/run/state serve --simulate 1

test: ## every test that needs nothing but Go, the longest first; e2e and packages have the others
	$(GOTEST) $$(go list ./cmd/... ./internal/app ./ps4 ./... | grep -vE /test/'(e2e|bench|packages)')

check: test vet lint race fuzz-seeds e2e packages ## everything that CI runs, in this order

vet:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo 'not formatted:'; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go mod verify
	go mod tidy -diff

lint:
	$(TOOL) staticcheck -checks all ./...
	go tool -modfile=tools/golangci-lint.mod golangci-lint run ./...

race: ## needs a C compiler; -parallel because the detector makes tests compute more, except scripts, which wait
	CGO_ENABLED=1 go test -race -vet=off -parallel 2 $$(go list ./... | grep -v /cmd/)
	CGO_ENABLED=1 go test -race -vet=off -parallel 6 ./cmd/...

fuzz-seeds: ## finds fuzz tests without seeds
	./test/fuzz-seeds.sh

e2e: build ## against independent programs, with nothing skipped, and a short soak
	PS4KIT_REQUIRE_ALL=1 PS4KIT_BIN=$(CURDIR)/bin/ps4kit $(GOTEST) -count=1 ./test/e2e/... ./test/bench/...
	PS4KIT_REQUIRE_ALL=1 $(GOTEST) -count=1 -run Namespace ./internal/mdns
	go run ./test/soak -bin bin/ps4kit -time 45s -seed 1

SOAKTIME ?= 1h
SOAKSEED ?= 1
soak: build ## docs/soak.md; Linux, as root or with user namespaces
	go run ./test/soak/clock -o bin/ps4kit-clock
	go run ./test/soak -bin bin/ps4kit -clock-bin bin/ps4kit-clock -time $(SOAKTIME) -seed $(SOAKSEED) -log bin/soak.log

screenshots: build ## takes the screenshots of docs/page.md
	PS4KIT_SCREENSHOTS=$(CURDIR)/docs/images PS4KIT_REQUIRE_ALL=1 PS4KIT_BIN=$(CURDIR)/bin/ps4kit go test -count=1 ./test/e2e/browser

.PHONY: dist image packages
DIST_TOOLS = NFPM="$$($(TOOL) -n nfpm)" CYCLONEDX="$$($(TOOL) -n cyclonedx-gomod)" MD2MAN="$$($(TOOL) -n go-md2man)"

dist: ## builds a release into dist/: archives, Debian packages, SBOMs, SHA256SUMS
	$(DIST_TOOLS) deploy/dist.sh

image: dist ## dist/ps4kit-image.tar, a container image for four architectures; needs buildah
	deploy/image.sh

packages: ## tests the packages on a Debian machine made for it; needs root
	$(DIST_TOOLS) PS4KIT_REQUIRE_ALL=1 $(GOTEST) -count=1 -timeout 20m ./test/packages

bench: build test/bench/node_modules/.ps4kit-lock.json ## writes docs/benchmarks.md; about ten minutes, on an idle machine
	go build -o bin/bench ./test/bench
	bin/bench

test/bench/node_modules/.ps4kit-lock.json: test/bench/package-lock.json
	npm ci --prefix test/bench --ignore-scripts --no-audit --no-fund
	cp $< $@

bench-go: ## the microbenchmarks of the packages
	go test -run '^$$' -bench . -benchmem ./...

FUZZTIME ?= 30s
fuzz: ## each fuzz test for FUZZTIME
	./test/fuzz-seeds.sh $(FUZZTIME)

FUZZLONG := ps4/internal/ddp:FuzzParseReply ps4/internal/ddp:FuzzParseRequest ps4/internal/wire:FuzzStream ps4/internal/wire:FuzzPackets
fuzz-long: ## 10 million executions for each parser of what a console sends
	@set -e; for t in $(FUZZLONG); do \
		echo "$$t"; go test -run '^$$' -fuzz "^$${t##*:}\$$" -fuzztime 10000000x "./$${t%%:*}"; \
	done

cover: ## test coverage
	go test -coverprofile=coverage.out ./...
	go tool cover -func=coverage.out | tail -n 1

clean:
	rm -rf bin dist .cache coverage.out
