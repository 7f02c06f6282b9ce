# make demo: watch it work.  make test: every test.  make soak: the same at full size.  make lint: every check of style.
# Each target makes .venv by itself, with uv when it is there, else with venv and pip.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
ARGS ?=
CORES := $(shell getconf _NPROCESSORS_ONLN)
# The quick part in so many processes of its own, one more than there are cores: a part may wait.
PARTS ?= $(shell echo $$(($(CORES) + 1)))
# Two test processes for each core, since many wait for servers; `make test SIDE_BY_SIDE=` runs one after the other.
SIDE_BY_SIDE ?= -n $(shell echo $$((2 * $(CORES)))) --dist worksteal

.PHONY: demo test quick soak lint bench reference pictures release clean

demo: .venv/ready
	@$(BIN)/confbus demo $(ARGS)

test: .venv/ready
	$(BIN)/pytest $(SIDE_BY_SIDE) $(ARGS)

quick: .venv/ready
	@running=(); \
	for part in $$(seq $(PARTS)); do \
	  PART=$$part/$(PARTS) $(BIN)/pytest -q -p no:xdist -m "not slow" --hypothesis-profile quick tests/unit tests/house tests/basics $(ARGS) & \
	  running+=($$!); \
	done; \
	for each in "$${running[@]}"; do wait $$each || failed=yes; done; test -z "$$failed"

soak: .venv/ready
	SCALE=full $(BIN)/pytest $(SIDE_BY_SIDE) -m "slow or hypothesis" --timeout 900 $(ARGS)

lint: .venv/ready .venv/deploy-ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports
	luacheck --no-cache lua
	$(BIN)/codespell
	$(BIN)/hadolint publisher/Dockerfile deploy/worker/Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/kubernetes-validate --strict --quiet deploy/kubernetes/*.yaml

bench: .venv/ready
	$(BIN)/python -m bench $(ARGS)

# The pages of docs/reference, from the code.
reference: .venv/ready
	PYTHONPATH=tests $(BIN)/python -m support.reference

# The recording in the README, of a demo that runs for it.
pictures: .venv/ready
	PYTHONPATH=tests $(BIN)/python -m support.picture

# All that a release takes, but for handing it out; PUBLISH=yes does that too.
release: .venv/ready
	deploy/release

.venv/ready: pyproject.toml
	@echo 'Installing into .venv, once: about a minute.' >&2
	@if command -v uv >/dev/null; then \
	  test -x $(BIN)/python || uv venv --quiet --python $(PYTHON) .venv; \
	  uv pip install --quiet --python $(BIN)/python -e '.[all]' --group dev; \
	else \
	  test -x $(BIN)/python || $(PYTHON) -m venv .venv; \
	  $(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'; \
	  $(BIN)/python -m pip install --quiet -e '.[all]' --group dev; \
	fi
	@touch $@

.venv/deploy-ready: .venv/ready
	@if command -v uv >/dev/null; then uv pip install --quiet --python $(BIN)/python --group deploy; \
	else $(BIN)/python -m pip install --quiet --group deploy; fi
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
