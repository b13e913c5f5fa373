# The book's two commands (`make book`, `make test`) and the helpers around them.
PYTHON ?= python3

ifneq ($(firstword $(sort 3.81 $(MAKE_VERSION))),3.81)
$(error GNU make 3.81 or newer is needed; this is $(MAKE_VERSION))
endif

# Two of these at once would use each other's half-built files, so the first takes a lock.
BUILDS := book test quick notebooks pdf epub test-class bench bench-run versions
ifneq ($(BOOK_ALONE),yes)
ifneq ($(filter $(BUILDS),$(MAKECMDGOALS)),)
NEEDS_LOCK := yes
endif
endif

ifdef NEEDS_LOCK
.PHONY: $(MAKECMDGOALS)
$(firstword $(MAKECMDGOALS)):
	@command -v "$(PYTHON)" >/dev/null || { echo "error: $(PYTHON) was not found; PYTHON=python3.12 make … uses another one" >&2; exit 1; }
	@"$(PYTHON)" tools/alone.py $(MAKE) --no-print-directory BOOK_ALONE=yes $(MAKECMDGOALS)
$(wordlist 2,99,$(MAKECMDGOALS)): ;
else
VENV   ?= .venv
BIN    := $(VENV)/bin
SITE   := _build/html
JOBS   ?= 2
# run=1: readers can run the pages' code, and the site includes Python; run=https://… loads Python from that host.
# lite=1: also JupyterLite with every chapter.
export BOOK_LITE ?= $(lite)
export BOOK_RUN ?= $(or $(run),$(filter 1,$(BOOK_LITE)))

# Each stamp's name contains a checksum of the files that list the packages, so only a change of these installs them again.
CHECKSUM    := $(shell cat pyproject.toml requirements.txt | cksum | cut -d' ' -f1)
BOOK_STAMP  := $(VENV)/.book-$(CHECKSUM)
TEST_STAMP  := $(VENV)/.test-$(CHECKSUM)
LAB_STAMP   := $(VENV)/.lab-$(CHECKSUM)
CLASS_STAMP := $(VENV)/.class-$(CHECKSUM)
PRINT_STAMP := $(VENV)/.print-$(CHECKSUM)
PIP         := $(BIN)/python -m pip --disable-pip-version-check
NO_PACKAGE   = { echo "error: pip could not install the package named above (No matching distribution found for …); is this machine connected to the internet?" >&2; exit 1; }

.DEFAULT_GOAL := help
.PHONY: fuzz help book serve lab test quick lint lint-chapters types types-of-editors notebooks notebooks-check bench bench-run bench-live \
        new-chapter watch assignment grade hub progress pdf epub test-class sandbox \
        frontend frontend-check assets clean distclean site-for-tests browser scripts versions

help:
	@echo "make book    install what the book needs, run every notebook, build the site"
	@echo "make book run=1           the same, and its code runs in the page (downloads 90 MB once)"
	@echo "make book lite=1          that, and every chapter opens in JupyterLite (110 MB once)"
	@echo "make serve   build if needed, serve the site on this machine, open it"
	@echo "make test    everything: lint, types, package, chapters, the built site in browsers"
	@echo "make test all=yes     also the tests of pages that have not changed since they passed"
	@echo "make test browsers=\"firefox webkit\"   every page in these browsers too, not only some"
	@echo "make quick   the same without the slow parts (under 2 minutes)"
	@echo "make lab     JupyterLab on the chapters, in a copy of your own (reading/); port=… browser=no"
	@echo "make new-chapter name=…   start a chapter     make watch name=…   its page, after each save"
	@echo "make assignment name=…    a chapter as a graded assignment   make grade name=…   its points (docs/teaching.md)"
	@echo "make pdf, make epub       the whole book on paper, as an e-book (address=https://… for its figures' addresses)"
	@echo "make fuzz minutes=…       look for programs on which nnlib and PyTorch differ"
	@echo "make notebooks            make stubs, run chapters, store outputs (CHAPTER=… for one)"
	@echo "make clean   remove what was built        (distclean: also .venv and downloads)"
	@echo "docs/commands.md lists the others"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "error: Python 3.11 or newer is needed; PYTHON=python3.12 make book uses another one" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	    && echo "installing Debian's python3-venv" && apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; } \
	  || { echo "error: this Python cannot create a virtual environment; on Debian: sudo apt-get install python3-venv" >&2; exit 1; }
	@rm -rf $(VENV)  # an interrupted installation may have left an incomplete one
	$(PYTHON) -m venv $(VENV)

$(BOOK_STAMP): | $(BIN)/python
	@echo "installing the book's packages into $(VENV) (about 150 MB to download)"
	@$(PIP) install -q -r requirements.txt || $(NO_PACKAGE)
	@rm -f $(VENV)/.book-*; touch $@

$(TEST_STAMP): $(BOOK_STAMP)
	@$(BIN)/python tools/install_torch.py
	@echo "installing the tests' packages into $(VENV) (about 200 MB, without PyTorch)"
	@$(PIP) install -q -r requirements.txt -e '.[test]' || $(NO_PACKAGE)
	@rm -f $(VENV)/.test-*; touch $@

$(LAB_STAMP): $(BOOK_STAMP)
	@echo "installing JupyterLab into $(VENV)"
	@$(PIP) install -q -r requirements.txt 'jupyterlab>=4.3' || $(NO_PACKAGE)
	@rm -f $(VENV)/.lab-*; touch $@

$(CLASS_STAMP): $(BOOK_STAMP)
	@echo "installing what a class needs into $(VENV): nbgrader, JupyterLab, JupyterHub (about 120 MB to download)"
	@$(PIP) install -q -r requirements.txt -e '.[class]' || $(NO_PACKAGE)
	@rm -f $(VENV)/.class-*; touch $@

book: $(BOOK_STAMP)
	@if test -e _build/.unfinished; then echo "the last build was interrupted: starting over"; \
	    rm -rf $(SITE) _build/.doctrees; fi; mkdir -p _build; touch _build/.unfinished
	$(BIN)/jupyter-book build . -W -n --keep-going; status=$$?; \
	  test $$status -gt 128 || rm -f _build/.unfinished; exit $$status
	@echo
	@echo "The book is in $(SITE)/. Open $(SITE)/index.html, or run \`make serve\`."
	@$(if $(BOOK_RUN),,echo "Readers cannot run its code in the page: \`make book run=1\` includes Python for that, lite=1 also JupyterLite.")

serve: book
	$(BIN)/python tools/serve.py $(SITE)

# A reader's own copy in plain Markdown; `make lab on=chapters` edits the chapters themselves.
# port=9999 chooses the port, browser=no opens no browser, ip=0.0.0.0 is for containers.
lab: $(LAB_STAMP)
	@$(if $(on),,$(BIN)/python _ext/plain_notebooks.py reading)
	NNLIB_COURSE=reader NNLIB_PROGRESS= $(BIN)/jupyter lab --notebook-dir=. $(if $(port),--port=$(port) --ServerApp.port_retries=0) \
	  $(if $(filter no,$(browser)),--no-browser) $(if $(ip),--ip=$(ip)) $(or $(on),reading)

lint: $(TEST_STAMP)
	$(BIN)/ruff check .

types: $(TEST_STAMP)
	$(BIN)/mypy

# Also checks with pyright's engine which types an editor shows for nnlib's public names (a 300 MB package).
types-of-editors: $(TEST_STAMP)
	@$(PIP) install -q basedpyright==1.40.2 || $(NO_PACKAGE)
	$(BIN)/python -m pytest -q tests/nnlib/test_types.py

# CHAPTER=name runs one chapter; without it, all of them.
CHAPTERS := $(if $(CHAPTER),chapters/$(CHAPTER).ipynb,index.ipynb chapters)
# As an author: a wrong number in the text is an error, and no reader's progress is shown (course/kit/mode.py).
export NNLIB_COURSE   ?= author
export NNLIB_PROGRESS ?= off

# Several processes run at once here: one thread each is faster than all threads for each.
book test quick notebooks fuzz: export OPENBLAS_NUM_THREADS := 1
book test quick notebooks fuzz: export OMP_NUM_THREADS := 1

notebooks: $(BOOK_STAMP)
	$(BIN)/python tools/exercises.py $(CHAPTERS)
	$(BIN)/python tools/notebooks.py --execute $(CHAPTERS)

lint-chapters: $(TEST_STAMP)
	$(BIN)/python tools/lint_chapters.py $(CHAPTERS)

new-chapter: $(BOOK_STAMP)
	@test -n "$(name)" || { echo "error: a chapter's name is missing: make new-chapter name=my-topic" >&2; exit 1; }
	$(BIN)/python tools/new_chapter.py $(name)

watch: $(TEST_STAMP)
	@test -n "$(name)" || { echo "error: a chapter's name is missing: make watch name=my-topic" >&2; exit 1; }
	$(BIN)/python tools/watch.py $(name)

# For a class (docs/teaching.md): an assignment from a chapter, points for what was handed in.
assignment: $(CLASS_STAMP)
	@test -n "$(name)" || { echo "error: a chapter's name is missing: make assignment name=xor" >&2; exit 1; }
	$(BIN)/python tools/grade.py --assign $(name)

grade: $(CLASS_STAMP)
	@test -n "$(name)" || { echo "error: a chapter's name is missing: make grade name=xor" >&2; exit 1; }
	$(BIN)/python tools/grade.py $(name)

# Runs a hub on this machine with made-up students, measures it and stops it (docs/hub.md).
hub: $(CLASS_STAMP)
	$(BIN)/python tools/hub.py --users $(or $(users),15) --chapter $(or $(chapter),xor)

# The files that students have exported and handed in, as one table (folder=… names their folder).
progress: $(BOOK_STAMP)
	@test -n "$(folder)" || { echo "error: the files' folder is missing: make progress folder=handed-in" >&2; exit 1; }
	$(BIN)/python tools/merge_progress.py $(folder) --csv progress.csv

# The whole book on paper and as an e-book (address=https://… is printed below each figure).
$(PRINT_STAMP): $(BOOK_STAMP)
	@$(PIP) install -q -r requirements.txt -e '.[print]' || $(NO_PACKAGE)
	@$(BIN)/python tools/browser.py
	@rm -f $(VENV)/.print-*; touch $@

pdf: book $(PRINT_STAMP)
	$(BIN)/python tools/print_book.py $(SITE) _build/book.pdf --address "$(or $(address),$(BOOK_URL))"

epub: book $(PRINT_STAMP)
	$(BIN)/python tools/make_epub.py $(SITE) _build/book.epub --address "$(or $(address),$(BOOK_URL))"

# Tests that take minutes and need more packages: a class, a hub, the printed book, the contrast of every text.
test-class: $(TEST_STAMP) $(CLASS_STAMP) browser
	@$(BIN)/python tools/class_machine.py all
	$(BIN)/python -m pytest -q --durations 10 -m weekly tests
	$(BIN)/python tools/check_values.py --fetch

notebooks-check: $(BOOK_STAMP)
	$(BIN)/python tools/exercises.py --check index.ipynb chapters
	$(BIN)/python tools/notebooks.py --check index.ipynb chapters

# The tests need a site whose code runs; if the page's Python cannot be fetched, they get the book without it.
site-for-tests: $(TEST_STAMP)
	@if $(BIN)/python _ext/fetch_python.py --with test lite; \
	  then $(MAKE) --no-print-directory book BOOK_RUN=1 BOOK_LITE=1; \
	  else echo "NOTE: the site is built without the page's Python; the tests of code in the page are skipped." >&2; \
	    $(MAKE) --no-print-directory book BOOK_RUN= BOOK_LITE=; fi

# Run first, so that a missing browser is noticed at once and not after 20 minutes.
# Some pages are tested in Firefox and WebKit too; browsers="firefox webkit" tests every page there.
export BOOK_BROWSERS ?= $(browsers)
browser: $(TEST_STAMP)
	@$(BIN)/python tools/browser.py

sandbox: $(TEST_STAMP)
	@$(BIN)/python tools/class_machine.py sandbox

# If Node is installed, the built scripts must equal a new build of their sources.
scripts:
	@if command -v npm >/dev/null && (cd frontend && npm ci --no-audit --no-fund --silent); \
	  then $(MAKE) --no-print-directory frontend-check; \
	  else echo "NOTE: without Node's packages the scripts are not rebuilt; their stamps are compared with the sources."; fi

# Tests of pages that have passed are left out until something that they read changes (tests/unchanged.py).
test: browser sandbox lint types notebooks-check scripts site-for-tests
	BOOK_SITE=$(SITE) $(BIN)/python -m pytest -q -p tests.unchanged $(if $(filter yes,$(all)),--also-unchanged) -n $(JOBS) --dist loadfile --durations 10 -m "not weekly" \
	  --doctest-modules --nbval --nbval-sanitize-with tools/nbval.cfg nnlib tests index.ipynb chapters

quick: $(TEST_STAMP) lint notebooks-check
	$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile -m "not slow and not browser and not weekly" \
	  --ignore=tests/live/test_controls.py --ignore=tests/live/test_evaluator_parity.py tests

# Tests on every Python that is found, with the oldest and the newest NumPy (pythons="python3.12 python3.13" for these alone).
versions: $(TEST_STAMP)
	$(BIN)/python tools/versions.py $(if $(pythons),--pythons $(pythons)) $(if $(book),--book)

# Searches for pure programs whose results change when compiled (programs=…) and for programs on which nnlib
# and PyTorch differ (minutes=…), then runs the Hypothesis tests with fresh seeds.
fuzz: $(TEST_STAMP)
	$(BIN)/python tools/fuzz_compile.py --programs $(or $(programs),20000)
	$(BIN)/python tools/fuzz.py --minutes $(or $(minutes),5)

bench: $(TEST_STAMP)
	@$(PIP) install -q -r requirements.txt -e '.[bench]' || $(NO_PACKAGE)
	$(BIN)/python -m benchmarks

# Measures how fast figures are: the evaluator by itself, whole figures, the built pages with an empty cache.
bench-live: $(TEST_STAMP)
	$(BIN)/python -m benchmarks.live.evaluator
	$(BIN)/python -m benchmarks.live.figures
	$(BIN)/python -m benchmarks.live.pages $(SITE)

# Measures how soon code runs in the page and in JupyterLite, how much is downloaded, how long a cell's round trip takes.
bench-run: $(TEST_STAMP)
	$(MAKE) --no-print-directory book BOOK_RUN=1 BOOK_LITE=1
	$(BIN)/python -m benchmarks.live.python

# The page's scripts: only those who change them need Node.
frontend:
	cd frontend && npm ci --no-audit --no-fund && npm run build

frontend-check: frontend
	git diff --exit-code --stat -- nnlib/live/static _ext/built

assets: $(BOOK_STAMP)
	$(BIN)/python _ext/book_assets.py

clean:
	rm -rf _build

distclean: clean
	rm -rf $(VENV) .cache *.egg-info

endif
