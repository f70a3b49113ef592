# Needs python3 (3.11 or newer, with venv), make and git. `make help` lists what there is.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export DVC_NO_ANALYTICS := 1
export MPLCONFIGDIR := $(CURDIR)/.mpl
unexport PYTHONDONTWRITEBYTECODE
# seconds for packages to compile; 60 are too few where others work on the machine
export UV_COMPILE_BYTECODE_TIMEOUT := 1200
PY := .venv/bin/python
UV := uv==0.13.9

.DEFAULT_GOAL := help
.PHONY: help setup setup-spark lock-spark reproduce restore repair figure export telemetry verify test lock clean

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' Makefile

setup: .venv/.installed  ## create or update .venv from the hash-pinned lock

.venv/.installed: requirements.lock
	@echo "== Environment: installing the locked packages into .venv"
	@test -x $(PY) || python3 -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check "$(UV)" 2>/dev/null || $(PY) -m pip install "$(UV)"
	@.venv/bin/uv pip sync --quiet --python $(PY) --require-hashes --compile-bytecode requirements.lock
	@touch $@

setup-spark: .venv-spark/.installed  ## create .venv-spark: the same packages and Spark (needs Java 17 to run)

.venv-spark/.installed: .venv/.installed requirements.lock requirements-spark.lock
	@echo "== Environment: installing the locked packages and Spark into .venv-spark"
	@test -x .venv-spark/bin/python || python3 -m venv .venv-spark
	@.venv/bin/uv pip sync --quiet --python .venv-spark/bin/python --require-hashes --compile-bytecode \
		requirements.lock requirements-spark.lock
	@touch $@

reproduce: setup  ## recompute every result, figure and table; say what came out identical
	@$(PY) -m pipeline.reproduce

restore: setup  ## put params.yaml and every result back as git has them, after what-ifs
	@$(PY) -m pipeline.reproduce --restore

repair: setup  ## put right what a killed run left broken (reproduce, restore and telemetry begin so)
	@$(PY) -m pipeline.repair

figure: setup  ## draw one figure again: NAME=fig-l1-scale; without NAME, list them
	@$(PY) -m pipeline.figure $(NAME)

export: setup  ## figures, tables, factors, metadata and the release archive into dist/ (after reproduce)
	@$(PY) -m pipeline.export

telemetry: setup  ## fetch upstream telemetry (TELEMETRY_MIRROR, else the network), derive its tables again
	@$(PY) -m pipeline.telemetry

verify: setup  ## quick stages under other hash seeds, kernels, time zones ...: the same bytes?
	@$(PY) -m benchmarks.trust verify

test: setup  ## lint, types, direction of imports, quick tests; ALL=1: also clones, browser, fuzz, Spark
	@start=$$(date +%s); set -e; \
	echo "== Lint and format"; ruff check --quiet .; ruff format --quiet --check .; \
	echo "== Types"; mypy; \
	echo "== Direction of imports"; lint-imports --no-cache | tail -n 3; \
	echo "== Tests (what a machine lacks is skipped and named)"; \
	pytest -n 2 --dist loadscope --no-loadscope-reorder -rs --durations=20 --durations-min=5 $(if $(ALL),,-m "not slow"); \
	echo "== All passed in $$(( $$(date +%s) - start )) s. What is tested: tests/; results: data/results/, figures/, paper/"

lock-spark: setup  ## resolve requirements-spark.in into requirements-spark.lock
	@.venv/bin/uv pip compile --quiet requirements-spark.in -c requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements-spark.lock

lock: setup  ## resolve requirements.in into requirements.lock
	@.venv/bin/uv pip compile --quiet requirements.in --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate -o requirements.lock

clean:  ## remove what can be made again (not .venv)
	rm -rf build dist site .mpl .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
