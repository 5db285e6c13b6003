# The two commands of the README are `make run` and `make test`; both need Go
# and nothing else. `make check` is what CI runs.

GOLANGCI_LINT_VERSION := v2.15.0
STATICCHECK_VERSION   := v0.8.2
# The newest nfpm that builds: later ones need modules that the Go proxy does not have.
NFPM_VERSION          := v2.45.2
CYCLONEDX_VERSION     := v1.10.0
MD2MAN_VERSION        := v2.0.7

TOOLS := $(CURDIR)/.cache/tools
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)

export CGO_ENABLED ?= 0

.PHONY: build run test check vet lint race fuzz-seeds e2e soak screenshots bench bench-go fuzz fuzz-long cover tools clean

build: ## bin/ps4kit, one static binary
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ps4kit ./cmd/ps4kit

run: build ## the HomeKit server with one simulated console
	./bin/ps4kit serve --simulate 1

test: ## every test that needs Go alone; prints which others are skipped, and why
	go run ./test/gotest ./...

check: test vet lint race fuzz-seeds e2e packages ## everything that CI runs, in this order

vet:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo 'not formatted:'; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go mod verify
	go mod tidy -diff

lint: $(TOOLS)/staticcheck-$(STATICCHECK_VERSION) $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
	$(TOOLS)/staticcheck-$(STATICCHECK_VERSION) -checks all ./...
	$(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION) run ./...

race: ## needs a C compiler for the race detector
	CGO_ENABLED=1 go test -race ./...

# The seeds of every fuzz test run in `test` and `race` too; here a package
# whose fuzz test lost its seeds is found.
fuzz-seeds:
	./test/fuzz-seeds.sh

e2e: build ## against real peers: npm's ps4-waker and hap-controller, Chromium; nothing is skipped
	PS4KIT_REQUIRE_ALL=1 PS4KIT_BIN=$(CURDIR)/bin/ps4kit go run ./test/gotest -count=1 ./test/e2e/... ./test/bench/...
	PS4KIT_REQUIRE_ALL=1 go run ./test/gotest -count=1 -run Namespace ./internal/mdns
	go run ./test/soak -bin bin/ps4kit -time 45s -seed 1

# docs/soak.md. Linux, as root or with user namespaces.
SOAKTIME ?= 1h
SOAKSEED ?= 1
soak: build ## everything that may go wrong, for SOAKTIME, in the order of SOAKSEED
	go run ./test/soak/clock -o bin/ps4kit-clock
	go run ./test/soak -bin bin/ps4kit -clock-bin bin/ps4kit-clock -time $(SOAKTIME) -seed $(SOAKSEED) -json bin/soak.json -log bin/soak.log

screenshots: build ## the pictures of docs/page.md, anew
	PS4KIT_SCREENSHOTS=$(CURDIR)/docs/images PS4KIT_REQUIRE_ALL=1 PS4KIT_BIN=$(CURDIR)/bin/ps4kit go test -count=1 ./test/e2e/browser

.PHONY: dist image packages dist-tools
DIST_TOOLS := NFPM=$(TOOLS)/nfpm-$(NFPM_VERSION) CYCLONEDX=$(TOOLS)/cyclonedx-gomod-$(CYCLONEDX_VERSION) MD2MAN=$(TOOLS)/go-md2man-$(MD2MAN_VERSION)

dist: dist-tools ## what is released, into dist/: archives, Debian packages, SBOMs, SHA256SUMS
	$(DIST_TOOLS) deploy/dist.sh

image: dist ## dist/ps4kit-image.tar, a container image for four kinds of machine; needs buildah
	deploy/image.sh

packages: dist-tools ## installs, upgrades and purges the package on a Debian machine made for it; needs root
	$(DIST_TOOLS) PS4KIT_REQUIRE_ALL=1 go run ./test/gotest -count=1 -timeout 20m ./test/packages

# About six minutes; leave the machine alone meanwhile (docs/benchmarks.md).
bench: build test/bench/node_modules/.ps4kit-lock.json ## ps4kit beside its peers; writes docs/benchmarks.md
	go build -o bin/bench ./test/bench
	bin/bench

test/bench/node_modules/.ps4kit-lock.json: test/bench/package-lock.json
	npm ci --prefix test/bench --ignore-scripts --no-audit --no-fund
	cp $< $@

bench-go: ## the micro-benchmarks of the packages
	go test -run '^$$' -bench . -benchmem ./...

FUZZTIME ?= 30s
fuzz: ## each fuzz test for FUZZTIME
	./test/fuzz-seeds.sh $(FUZZTIME)

# The parsers of what a console sends, 10 million executions each (docs/fuzzing.md).
FUZZLONG := ps4/internal/ddp:FuzzParseReply ps4/internal/ddp:FuzzParseRequest ps4/internal/wire:FuzzStream ps4/internal/wire:FuzzPackets
fuzz-long:
	@set -e; for t in $(FUZZLONG); do \
		echo "$$t"; go test -run '^$$' -fuzz "^$${t##*:}\$$" -fuzztime 10000000x "./$${t%%:*}"; \
	done

cover:
	go test -coverprofile=coverage.out ./...
	go tool cover -func=coverage.out | tail -n 1

dist-tools: $(TOOLS)/nfpm-$(NFPM_VERSION) $(TOOLS)/cyclonedx-gomod-$(CYCLONEDX_VERSION) $(TOOLS)/go-md2man-$(MD2MAN_VERSION)

tools: dist-tools $(TOOLS)/staticcheck-$(STATICCHECK_VERSION) $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)

$(TOOLS)/staticcheck-$(STATICCHECK_VERSION):
	GOBIN=$(TOOLS) go install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)
	mv $(TOOLS)/staticcheck $@

$(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION):
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mv $(TOOLS)/golangci-lint $@

$(TOOLS)/nfpm-$(NFPM_VERSION):
	GOBIN=$(TOOLS) go install github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM_VERSION)
	mv $(TOOLS)/nfpm $@

$(TOOLS)/cyclonedx-gomod-$(CYCLONEDX_VERSION):
	GOBIN=$(TOOLS) go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX_VERSION)
	mv $(TOOLS)/cyclonedx-gomod $@

$(TOOLS)/go-md2man-$(MD2MAN_VERSION):
	GOBIN=$(TOOLS) go install github.com/cpuguy83/go-md2man/v2@$(MD2MAN_VERSION)
	mv $(TOOLS)/go-md2man $@

clean:
	rm -rf bin dist .cache coverage.out
