# 善行存折: `make help` says what there is. All it needs is python3 (3.11 or newer) and make.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
PYTHON ?= python3
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE := 1

help:  ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.venv/run: requirements/run.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed / 需要 Python 3.11 或更新版本"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; echo "python3 -m venv does not work here: on Debian and Ubuntu install the package python3-venv"; exit 1; }
	@echo "installing what the service needs (about half a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/run.txt
	@touch $@

.venv/dev: requirements/dev.txt .venv/run
	@echo "installing what the tests need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

setup: .venv/run .venv/dev  ## make the environment in .venv, with hash-checked packages

serve: .venv/run  ## serve on http://localhost:8000 with a small demonstration community; a second start keeps the data
	@$(BIN)/python scripts/serve.py

browser: .venv/dev  ## see to it that there is a Chromium for tests and pictures: the one that is there, or get one
	@$(BIN)/python scripts/browser.py

vendor: .venv/dev  ## copy anew what pages and prints take from npm (needs npm)
	@$(BIN)/python scripts/vendor.py

test: browser  ## run all tests on SQLite and on PostgreSQL (make test ARGS="-k journal --db sqlite")
	@$(BIN)/python -m pytest -n 2 -q $(ARGS)

lint: .venv/dev  ## ruff: style and mistakes
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

fix: .venv/dev  ## put the format right, and what ruff can mend
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

types: .venv/dev  ## mypy, strict
	@$(BIN)/mypy

imports: .venv/dev  ## the import contracts of pyproject.toml
	@$(BIN)/lint-imports

security: .venv/dev  ## the 45 lines of security, each pass or fail, the matrix of routes, and bandit (ARGS="--db both")
	@$(BIN)/python scripts/security.py $(ARGS)

sbom: .venv/run  ## print what the service is made of, as CycloneDX
	@$(BIN)/python scripts/sbom.py

timing: .venv/dev  ## measure that somebody and nobody are refused in the same time
	@$(BIN)/python bench/timing.py

bandit: .venv/dev  ## bandit over what is served
	@$(BIN)/bandit -q -c pyproject.toml -r ledger redeem wsgi.py scripts

check: lint types imports bandit test  ## what CI runs; the 45 lines of `make security` are among the tests

fuzz: .venv/dev  ## ask the API much more of what it forbids, other examples each time (EXAMPLES=200)
	@PASSBOOK_FUZZ=$(or $(EXAMPLES),200) $(BIN)/python -m pytest -q tests/house/test_contract.py $(ARGS)

docs: .venv/run  ## write the tables of docs/ that follow from the code: routes, problem types, commands
	@$(BIN)/python scripts/reference.py

picture: browser  ## draw docs/img/faces.png from the pages as they are
	@$(BIN)/python -m scripts.picture

story: .venv/dev  ## play a month of a large community through the API (DATABASE_URL=... for PostgreSQL, SIZE=small)
	@$(BIN)/python bench/story.py

bench: .venv/dev  ## measure, each figure beside its floor (SIZE=full for the large one)
	@$(BIN)/python bench/bench.py

bench-seal: .venv/dev  ## what the seal costs those who post, and how long it takes (SIZE=100000; a million otherwise)
	@$(BIN)/python -m bench.seal

weigh: browser  ## open every page in a real browser, in every way of looking: bytes, requests, paint, axe, sizes (LOOKS="zh; en, dark")
	@$(BIN)/python -m bench.weigh

tamper: .venv/dev  ## tamper with a sealed book in ten ways, 100 places each, and see that the stand-alone checker finds all of it (PLACES=10)
	@$(BIN)/python bench/tamper.py

race: .venv/dev  ## 64 parallel uses of one code at two tills (ROUNDS=1000)
	@$(BIN)/python bench/race.py

translations: .venv/dev  ## collect the texts of the pages and compile their translations
	@$(BIN)/pybabel -q extract -F babel.cfg --ignore-dirs=".*" -o translations/messages.pot --no-location --project="Good-Deed Passbook" .
	@$(BIN)/pybabel -q update -i translations/messages.pot -d translations --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	@$(BIN)/pybabel -q compile -d translations

lock: .venv/dev  ## write requirements/*.txt anew from pyproject.toml, with hashes and without addresses (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-annotate --no-header -q -o requirements/run.txt
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-annotate --no-header -q -c requirements/run.txt -o requirements/dev.txt

clean:  ## remove the environment, and what tests and tools left; the demonstration's data in var/ stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.PHONY: help setup serve browser vendor test lint fix types imports bandit security sbom timing check fuzz docs picture story bench bench-seal weigh tamper race translations lock clean
