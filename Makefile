# make help lists what there is to make.
.DEFAULT_GOAL := help
DOMAIN ?= medical
CONFIG ?= configs/$(DOMAIN).yaml
MODEL  ?=
RUN    ?= results/$(DOMAIN)
SET    ?=
GO     ?= go
BIN    := bin/pepbench

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  RUN=results/medical (for figures and rate)"
	@echo "  DOMAIN=medical|math|social|commonsense  CONFIG=file.yaml  SET='path=value ...'  FRESH=1 (start over)"
	@echo "  MODEL=gpt-4o-mini (a model of the server at \$$OPENAI_BASE_URL, key in \$$OPENAI_API_KEY, in place of the embedded one)"
	@echo "  e.g. make bench SET='budget=3 out=results/three'"

.PHONY: build
build: ## compile the command to bin/pepbench
	@$(GO) build -trimpath -buildvcs=auto -o $(BIN) ./bench/cmd/pepbench

.PHONY: bench
bench: build ## run the benchmark of DOMAIN (or CONFIG) and report it
	@$(BIN) run $(CONFIG) $(if $(MODEL),--model '$(MODEL)') $(foreach s,$(SET),--set $(s)) $(if $(FRESH),--fresh)

.PHONY: figures
figures: build ## draw tables and figures of RUN again from its files
	@$(BIN) report $(RUN)

# What regress is gated by; its exit code is that of compare, of which make says
# "Error 6" where the gate fails, to end with 2 as it always does.
REGRESS := results/regress

.PHONY: regress
regress: build ## run configs/smoke.yaml and gate it against results/baseline (JUnit and Markdown in results/regress)
	@rm -f $(REGRESS)/junit.xml $(REGRESS)/compare.md
	@$(BIN) run configs/smoke.yaml --out $(REGRESS) --fresh --quiet
	@$(BIN) compare results/baseline $(REGRESS) --gate configs/gate.yaml --junit $(REGRESS)/junit.xml --markdown $(REGRESS)/compare.md

.PHONY: baseline
baseline: build ## renew results/baseline from configs/smoke.yaml, and say what changes
	@$(BIN) run configs/smoke.yaml --out $(REGRESS) --fresh --quiet
	@$(BIN) baseline $(REGRESS) results/baseline

.PHONY: readme
readme: build ## make the README's table and figures again
	scripts/readme.sh

.PHONY: grid
grid: build ## run beliefs x acquisitions on all domains for the README (some minutes)
	scripts/grid.sh

.PHONY: surveys
surveys: build ## run real surveys for the README: SURVEYS='name=DIR ...'
	scripts/surveys.sh $(SURVEYS)

.PHONY: paper-train
paper-train: build ## train the policies of make paper (some minutes, once); SURVEYS=DIR,DIR: those of surveys, too
	scripts/paper.sh --train $(SURVEYS)

.PHONY: paper
paper: build ## the full comparison, from training to results/paper/paper.pdf; SURVEYS=DIR,DIR adds surveys
	scripts/paper.sh $(SURVEYS)

.PHONY: paper-readme
paper-readme: ## put what make paper found into the README
	scripts/paper.sh --readme

.PHONY: parity
parity: ## hold the released models to reference outputs: PARITY=DIR (default: the excerpt in the repository)
	$(if $(PARITY),PEPBENCH_PARITY=$(abspath $(PARITY))) $(GO) test -count=1 -run Parity ./strategies/belief ./reports ./bench

# Rooms that start no goroutine (a test holds them to it), all of domains and reports but
# for the server in reports/view: the race detector has nothing to find there, and drawing
# under it takes minutes.
SINGLE = $(shell $(GO) list ./domains/... ./reports/... | grep -v ^pepbench/reports/view)

.PHONY: clients
clients: build ## try third-party OpenAI clients against serve-sim (needs Node.js, npm and the network)
	scripts/clients.sh

# Arithmetic on many beliefs and policies, whose goroutines other tests of theirs race.
ARITHMETIC := ^(TestNoStructureNoGain|TestEveryPair|TestSharedPolicy|TestReplayOfPolicy|TestCloning|TestPolicyIsRefused|TestBrokenBelief)$$

# The command wires what the rooms race themselves; one run that is stopped and resumed is raced, too.
COMMAND := ./bench/cmd/pepbench
RACED := ^TestScripts$$/^resume$$

.PHONY: test
test: ## all tests, with the race detector wherever there are goroutines
	@$(MAKE) --no-print-directory -j2 -Otarget race plain

.PHONY: race plain
race:
	$(GO) test -race -skip '$(ARITHMETIC)' $$($(GO) list ./... | grep -v -x $(addprefix -e ,$(SINGLE)) | grep -v ^pepbench/bench/cmd)
	$(GO) test -race -run '$(RACED)' $(COMMAND)
plain:
	$(GO) test -run '$(ARITHMETIC)' ./bench
	$(GO) test -skip '$(RACED)' $(COMMAND)
	$(GO) test $(SINGLE)

.PHONY: lint
lint: ## formatting, vet, staticcheck, tidy go.mod
	scripts/lint.sh

.PHONY: perf
perf: ## benchmarks and the machine's floor, in the form benchstat reads (COUNT=5 BENCHTIME=1s)
	PEPBENCH_PERF=$${PEPBENCH_PERF:-31} $(GO) test -run '^$$' -bench . -benchmem -timeout 60m -count $${COUNT:-5} -benchtime $${BENCHTIME:-1s} ./...

.PHONY: rate
rate: ## MB/s at which sessions of RUN are decoded, loaded and reported
	PEPBENCH_RUN=$(abspath $(RUN)) $(GO) test -run '^$$' -bench '^BenchmarkLoad$$' -benchmem -benchtime 3x ./reports

.PHONY: clean
clean: ## remove the command
	rm -rf bin

.PHONY: clean-results
clean-results: ## remove the results of all runs, which may have cost money (not results/readme and the cache)
	find results -mindepth 1 -maxdepth 1 ! -name baseline ! -name readme ! -name 'cache.sqlite*' -exec rm -rf {} +
