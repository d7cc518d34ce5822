# make test, make demo, ...: each target makes the virtual environment it needs.

VENV ?= .venv
PARITY ?= 0
PYTEST_ARGS ?= -n 2
BENCH_ARGS ?=

# The newest Python found that is new enough, can make environments and really runs
# (a version manager's stand-in may be on PATH and fail when called).
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -I -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' \
	>/dev/null 2>&1 && echo $$python && break; done)

# pip, pytest and the rest are called as scripts, never as `python -m`: that would put the
# repository's root, whose folders have common names, first on the import path.
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check
# What users get: the package as the wheel holds it, away from the tree. mypy and doctest run there,
# since in the tree they would see a second copy under the folder's name.
COPY := $(VENV)/copy
PAGE_TOOLS := $(VENV)/page-tools
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

ifeq ($(PARITY),1)
TEST_ENV := $(VENV)/.dev $(VENV)/.parity
else
TEST_ENV := $(VENV)/.dev
endif

.PHONY: help demo test coverage lint lint-page format types doctest copy bench faults fuzz samples mutants figures listings clean
.DEFAULT_GOAL := help

help:
	@echo "make demo      train a small network on digits"
	@echo "make test      run the tests; PARITY=1 also compares with PyTorch (and installs it)"
	@echo "make coverage  run the tests and show which lines they miss"
	@echo "make lint      ruff: rules and format"
	@echo "make lint-page ESLint and Prettier on the page's modules, by npm"
	@echo "make format    let ruff rewrite the files"
	@echo "make types     mypy --strict"
	@echo "make doctest   run the examples in the docstrings"
	@echo "make bench     measure speed against NumPy by hand"
	@echo "make faults    plant faults and see that the tests catch them"
	@echo "make fuzz      run random programs under PyTorch too; FUZZ_ARGS=\"--programs 20000 --seed 7\""
	@echo "make samples   run PyTorch's own sample inputs of its ops through both engines"
	@echo "make mutants   break every gradient rule in every small way and see what the tests miss"
	@echo "make figures   measure again what docs/reliability.md says"
	@echo "make listings  write tests/listings/ anew, the generated code of three ops"
	@echo "make clean     remove the environment and everything built"
	@echo "variables: PYTHON, VENV, PARITY, PYTEST_ARGS, BENCH_ARGS"

demo: $(VENV)/.demo
	$(BIN)/python examples/train_digits.py

test: $(TEST_ENV)
	PARITY=$(PARITY) $(ONE_THREAD) $(BIN)/pytest $(PYTEST_ARGS)

coverage: $(TEST_ENV)
	PARITY=$(PARITY) $(ONE_THREAD) $(BIN)/pytest --cov --cov-report=term $(PYTEST_ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

# ESLint finds its own modules beside its configuration: the configuration is copied to where they are.
lint-page: $(PAGE_TOOLS)/.made
	@cp tools/page/eslint.config.mjs $(PAGE_TOOLS)
	$(PAGE_TOOLS)/node_modules/.bin/eslint --config $(PAGE_TOOLS)/eslint.config.mjs --max-warnings 0 viz/page
	$(PAGE_TOOLS)/node_modules/.bin/prettier --config tools/page/prettier.json --check viz/page tools/page

format: $(VENV)/.dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: copy
	MYPYPATH=$(COPY) $(BIN)/mypy -p rushlight

doctest: copy
	PYTHONPATH=$(COPY) $(ONE_THREAD) $(BIN)/pytest --doctest-modules --pyargs rushlight

# build/ is removed on both sides: setuptools would ship files that the tree no longer has.
copy: $(VENV)/.dev
	@rm -rf $(COPY) build
	@$(INSTALL) --no-index --no-deps --no-build-isolation --target $(COPY) .
	@rm -rf build

bench: $(VENV)/.dev
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(ONE_THREAD) \
		$(BIN)/python benchmarks/run.py $(BENCH_ARGS)

faults: $(VENV)/.dev
	$(ONE_THREAD) $(BIN)/python -P tools/faults.py

fuzz: $(VENV)/.dev $(VENV)/.parity
	$(ONE_THREAD) $(BIN)/python -P tools/fuzz_programs.py $(or $(FUZZ_ARGS),--programs 20000)

samples: $(VENV)/.dev $(VENV)/.parity
	$(INSTALL) expecttest
	for dtype in float64 float32 int64 uint8 bool; do \
		$(ONE_THREAD) $(BIN)/python -P tools/torch_samples.py --dtype $$dtype || exit 1; done

mutants: $(VENV)/.dev
	$(ONE_THREAD) $(BIN)/python -P tools/mutants.py

figures: $(VENV)/.dev $(VENV)/.parity
	$(ONE_THREAD) $(BIN)/python -P tools/reliability.py

listings: $(VENV)/.dev
	$(BIN)/python -P tests/test_listings.py

clean:
	rm -rf $(VENV) build dist rushlight.egg-info demo-output .coverage htmlcov .hypothesis
	rm -rf .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer found; set PYTHON=..." >&2; exit 1; }
	$(PYTHON) -I -m venv --clear $(VENV)
	@touch $@

$(VENV)/.demo: pyproject.toml $(VENV)/.made
	$(INSTALL) --editable '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.made
	$(INSTALL) --editable '.[dev]'
	@touch $@

$(VENV)/.parity: pyproject.toml $(VENV)/.made
	$(INSTALL) --editable '.[parity]'
	@touch $@

$(PAGE_TOOLS)/.made: tools/page/package.json
	@mkdir -p $(PAGE_TOOLS)
	@cp $< $(PAGE_TOOLS)
	npm install --prefix $(PAGE_TOOLS) --silent --no-audit --no-fund --no-package-lock
	@touch $@

# What users' checkers make of the package: the stubs are those of the code, and mypy and pyright agree on them.
.PHONY: types-user
types-user: copy $(VENV)/.pyright
	$(BIN)/python -P tools/stubs.py --check
	$(BIN)/python -P tests/types/check.py --package $(COPY)
	cd $(COPY) && MYPYPATH=. PYTHONPATH=. $(abspath $(BIN))/stubtest --concise --ignore-missing-stub \
		rushlight.arrays.return_types rushlight.linalg rushlight.nn.functional rushlight.special

$(VENV)/.pyright: $(VENV)/.dev
	$(INSTALL) pyright
	@touch $@
