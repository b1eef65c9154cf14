# Each target makes the environment it needs in .venv; there is nothing to prepare.
PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin/python
PIP    := $(RUN) -m pip install --disable-pip-version-check -c constraints.txt
PORT   ?= 8000
SERVE  ?= 1
META   := settings.ini setup.py pyproject.toml constraints.txt

.PHONY: help book test lab bench run export clean
help:
	@echo "make book    build the site and serve it on http://127.0.0.1:$(PORT) (SERVE=0: build only)"
	@echo "make test    lint, notebooks and tests that depend on what changed since they passed (FORCE=1: all;"
	@echo "             T=neuron: those so named; SLOW=1: the slow cells too)"
	@echo "make lab     open a copy of the notebooks in JupyterLab (EDIT=1: the book's own)"
	@echo "make bench   speed beside other libraries, as ratios"
	@echo "make run CH=02   run a chapter for the book: export, execute, store outputs, clean"
	@echo "make export  write the library from the notebooks"
	@echo "make clean   remove what was built"

# The target is pip, not the folder: an environment whose making was aborted has none, and is made anew.
$(VENV)/bin/pip:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "nnbook needs Python 3.11 or newer, and this is " + sys.version.split()[0] + "; try make PYTHON=python3.12")'
	$(PYTHON) -m venv --clear $(VENV)

$(VENV)/.book: $(VENV)/bin/pip $(META)
	$(PIP) -e ".[book,notebooks,data]"
	@touch $@

# PyTorch for the processor alone, from its own index: on Linux the default is gigabytes for GPUs. CPU_TORCH= takes the default.
CPU_TORCH ?= https://download.pytorch.org/whl/cpu
$(VENV)/.torch: $(VENV)/.book
	$(if $(CPU_TORCH),-$(PIP) --retries 0 --no-deps --index-url $(CPU_TORCH) torch)
	$(PIP) -e ".[torch]"
	@touch $@

$(VENV)/.dev: $(VENV)/.torch
	$(PIP) -e ".[dev]"
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(PIP) -e ".[bench]"
	@touch $@

book: $(VENV)/.book
	$(RUN) -m tools.site $(if $(filter 0,$(SERVE)),,--serve --port $(PORT))

test: $(VENV)/.dev
	$(RUN) -m tools.check $(T)

lab: $(VENV)/.torch
	$(if $(EDIT),,$(RUN) -m tools.lab)
	$(VENV)/bin/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) $(if $(EDIT),nbs,lab)

bench: $(VENV)/.bench
	for bench in bench/*.py; do OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 $(RUN) $$bench || exit 1; done

run: $(VENV)/.dev
	$(RUN) -m tools.run $(if $(CELL),--cell '$(CELL)') $(CH)

export: $(VENV)/.book
	$(RUN) -m tools.export

clean:
	rm -rf _site _docs _proc .cache build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
