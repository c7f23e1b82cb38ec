# Everything starts from `python3` (3.11 or later) and `make`; the rest is installed into .venv with
# the exact versions and hashes of requirements/*.txt. All paths are relative, so that the checkout
# may lie in a folder with spaces in its name.

# The first of these that is new enough: RHEL 9's python3, and that of macOS, are not.
PYTHON ?= $(or $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; \
	done),python3)
# More for pytest, for example: make test PYTEST_ARGS='-n 2 -k settings'
PYTEST_ARGS ?= -n 4 --dist worksteal
# More for the demo, for example: make demo DEMO_ARGS='--port 9000'
DEMO_ARGS ?=
# More for the benchmarks, for example: make bench BENCH_ARGS='--make-test 4:55'
BENCH_ARGS ?=
# More for the resolver, for example: make lock LOCK_ARGS=--upgrade
LOCK_ARGS ?=
# More for pip-audit, for example: make audit-dependencies AUDIT_ARGS='--vulnerability-service osv'
AUDIT_ARGS ?=

BIN := .venv/bin
PIP = PYTHONUNBUFFERED=1 $(BIN)/python -m pip --no-input --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help install install-dev browser test test-all check format demo bench pictures \
	audit-dependencies lock release image clean FORCE

help:
	@echo "make install      .venv with the console script $(BIN)/vr-unpair"
	@echo "make install-dev  the same, with what tests and checks need"
	@echo "make demo         the real bot against a simulated appliance and a local Slack, in a browser"
	@echo "make test         the tests that a change needs (more for pytest: PYTEST_ARGS='...')"
	@echo "make test-all     the same, and what takes longer: before a release, and nightly"
	@echo "make check        lint, format, types, who imports whom, docs: what CI runs first"
	@echo "make format       put every file into the one format"
	@echo "make bench        the benchmarks, in at most ten minutes (more: BENCH_ARGS='...')"
	@echo "make pictures     take the pictures in docs/ again"
	@echo "make audit-dependencies  look for known weaknesses in what the bot runs on; all of it, or it fails"
	@echo "make lock         remake requirements/*.txt (newer versions: LOCK_ARGS=--upgrade)"
	@echo "make release      into dist/: wheel, its locked requirements, deploy files, SBOM, image, checksums"
	@echo "make image        the image alone, on a base whose digest it looks up (another one: BASE=...)"
	@echo "make clean        remove what make made; your .env and database stay"

install: .venv/installed-project
	@echo "install: $(BIN)/vr-unpair is ready"

install-dev: .venv/installed-dev
	@echo "install-dev: the tools of tests and checks are ready in $(BIN)"

# The system's Chromium, else Playwright's own, else the package; one sentence where none can be had.
browser: .venv/installed-dev
	@$(BIN)/python -m tests.whole.browser.chromium

test: browser
	@echo "test: running every test"
	@$(BIN)/python -m pytest --durations=10 $(PYTEST_ARGS)

test-all: browser
	@echo "test-all: every test, the long ones too"
	@$(BIN)/python -m pytest --durations=10 -m "" $(PYTEST_ARGS)
	@echo "test-all: 100,000 histories, every planted change, a soak of kills"
	@$(BIN)/python -m tests.life.simulation 100000
	@$(BIN)/python -m tests.planted
	@$(BIN)/python -m tools.soak 150

check: .venv/installed-dev .venv/audit/installed
	@echo "check: lint, format, types, who imports whom, docs"
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy --strict bot sandbox tools
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest --quiet tests/docs tests/slack/cards/test_sentences.py
	@$(BIN)/python -m tools.known_weaknesses $(AUDIT_ARGS)
	@if command -v promtool >/dev/null; then \
		promtool check rules deploy/alerts.yml && promtool test rules tests/operate/alerts_test.yml; \
	else \
		echo "check: no promtool here, so of deploy/alerts.yml only names and links were checked" \
			"(Debian and Ubuntu: apt-get install promtool)"; \
	fi

format: .venv/installed-dev
	@echo "format: putting every file into the one format"
	@$(BIN)/python -m ruff check --fix-only .
	@$(BIN)/python -m ruff format .

demo: .venv/installed-demo
	@echo "demo: the real bot and two simulated servers on this machine"
	@$(BIN)/vr-unpair demo $(DEMO_ARGS)

bench: .venv/installed-dev .venv/plain/installed
	@echo "bench: running the benchmarks"
	@$(BIN)/python -m tools.bench $(BENCH_ARGS)

pictures: browser
	@echo "pictures: playing the demo in a browser and taking its pictures"
	@$(BIN)/python -m tools.pictures

# Not in `check`: it needs a service that knows of weaknesses, and a package registry is no such one.
# `--strict`, since where that service answers "not known" to everything, nothing was looked at.
audit-dependencies: .venv/audit/installed
	@echo "audit-dependencies: asking for known weaknesses in what is installed"
	@$(BIN)/python -m tools.known_weaknesses --strict $(AUDIT_ARGS)

# Extras stay in the pins: without `[filecache]` behind its name, pip takes the newest of a package that
# another one wants with that extra, and refuses it for having no hash, from its next release on.
lock: .venv/installed-lock
	@echo "lock: remaking requirements/*.txt"
	@for name in build run demo dev audit lock; do \
		echo "  requirements/$$name.txt"; \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --no-emit-find-links --no-strip-extras --custom-compile-command "make lock" \
			$$([ $$name = demo ] && echo --constraint requirements/run.txt) \
			$(LOCK_ARGS) "requirements/$$name.in" --output-file "requirements/$$name.txt" || exit 1; \
	done

# The same commit gives the same files: every time in them is that of the commit. `SIGN` is run in dist/,
# with SHA256SUMS as its last word.
SIGN ?=
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' bot/__init__.py)
RELEASE = dist/vr-unpair-$(VERSION)
release: EPOCH = $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
release: .venv/installed-run
	@echo "release: $(VERSION), into dist/"
	@rm -rf dist build *.egg-info && mkdir dist
	@SOURCE_DATE_EPOCH=$(EPOCH) $(PIP) wheel --quiet --no-build-isolation --no-deps --wheel-dir dist . </dev/null
	@rm -rf build *.egg-info
	@cp requirements/run.txt $(RELEASE)-requirements.txt
	@$(BIN)/python -m tools.sbom $(RELEASE).cdx.json
	@tar --create --sort=name --mtime=@$(EPOCH) --owner=0 --group=0 --numeric-owner --mode=go=rX \
		--transform 's,^,vr-unpair-$(VERSION)/,' README.md CHANGELOG.md LICENSE SECURITY.md .env.example \
		deploy docs | gzip -n > $(RELEASE)-deploy.tar.gz
	@cd dist && sha256sum * > SHA256SUMS && sed 's/^/  /' SHA256SUMS
	@if [ -n "$(SIGN)" ]; then cd dist && $(SIGN) SHA256SUMS; \
	else echo "  not signed: SIGN='minisign -Sm', or as docs/deploy.md says, signs SHA256SUMS"; fi
	@if [ -n "$(ENGINE)" ]; then $(MAKE) --no-print-directory image; \
	else echo "  no podman and no docker here, so no image was built: make image, where one is"; fi

# An address of a base image by its digest, as in BASE=python@sha256:...; a tag is looked up, and the
# digest that it has today is what the image is built on and says of itself.
ENGINE ?= $(shell command -v podman || command -v docker)
BASE ?= python:3.12-slim
image:
	@[ -n "$(ENGINE)" ] || { echo "An image needs podman or docker, and neither is here." >&2; exit 1; }
	@mkdir -p dist
	@set -e; base="$(BASE)"; case "$$base" in *@sha256:*) ;; *) \
		"$(ENGINE)" pull --quiet "$$base" >/dev/null; \
		base=$$("$(ENGINE)" image inspect --format '{{index .RepoDigests 0}}' "$$base");; esac; \
	echo "image: vr-unpair:$(VERSION) on $$base"; \
	"$(ENGINE)" build --build-arg BASE="$$base" --label org.opencontainers.image.base.name="$$base" \
		--label org.opencontainers.image.version=$(VERSION) \
		--tag vr-unpair:$(VERSION) --file deploy/Containerfile .; \
	echo "$$base" > $(RELEASE)-image-base.txt

clean:
	@echo "clean: removing .venv, builds and caches"
	@rm -rf .venv build dist *.egg-info .hypothesis .import_linter_cache .mypy_cache \
		.pytest_cache .ruff_cache
	@find bot sandbox tests tools -type d -name __pycache__ -prune -exec rm -rf {} +

# A virtual environment knows the folder that it was made in. One that was moved or copied, or whose
# python3 is gone, fails in ways that nobody would trace to that, so it is made again.
ifneq ($(shell test -x $(BIN)/python && cat .venv/made 2>/dev/null),$(CURDIR))
.venv/made: FORCE
endif
FORCE:

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or later is needed and \`$(PYTHON)\` is not that:" \
			"install one, or name it with make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "making .venv with $$($(PYTHON) --version)"
	@rm -rf .venv
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "Python cannot make a virtual environment here:" \
			"install its venv module (Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	@pwd -P > .venv/made

# Wheels alone, since building from a source would run code of its author's before it is looked at.
# pip's own words are many and its silence is long: one line for each package stands between. What
# pip says on stderr comes through, and its exit status goes around the pipe by way of a file.
define pip-install
@{ $(PIP) install --progress-bar off --require-hashes --only-binary :all: $(1) </dev/null; echo $$? > .venv/status; } \
	| sed -n -e 's/^Collecting \([^ ]*\).*/  \1/p' -e 's/^Installing collected.*/  unpacking/p'; \
	test "$$(cat .venv/status)" = 0 || { \
	echo "Installing failed, see above: is a package registry within reach?" >&2; exit 1; }
endef

.venv/installed-run: .venv/made requirements/build.txt requirements/run.txt
	@echo "installing what the bot runs on"
	$(call pip-install,-r requirements/build.txt -r requirements/run.txt)
	@touch $@

# An ordinary package, which stays as it is while the checkout changes; for development the checkout
# itself. Both are made anew after a change: of the package's files, or of what names them.
PACKAGE := pyproject.toml README.md requirements/run.in requirements/demo.in bot/__init__.py
ifeq ($(wildcard .venv/installed-dev),)
PACKAGE += $(shell find bot sandbox -type f -not -name '*.pyc')
endif

.venv/installed-project: .venv/installed-run $(PACKAGE)
	@echo "installing the console script"
	@rm -rf build
	@$(PIP) install --quiet --no-build-isolation --no-deps --force-reinstall \
		$(if $(wildcard .venv/installed-dev),--editable) . </dev/null
	@rm -rf build
	@touch $@

.venv/installed-demo: .venv/installed-project requirements/demo.txt
	@echo "installing what the demo needs"
	$(call pip-install,-r requirements/demo.txt)
	@touch $@

.venv/installed-dev: .venv/installed-demo requirements/dev.txt
	@echo "installing what tests and checks need"
	$(call pip-install,-r requirements/dev.txt)
	@$(PIP) install --quiet --no-build-isolation --no-deps --editable . </dev/null
	@touch $@

.venv/installed-lock: .venv/made requirements/lock.txt
	@echo "installing the resolver"
	$(call pip-install,-r requirements/lock.txt)
	@touch $@

# Environments of their own: pip-audit's, and one with what the bot runs on and nothing else, in which
# `bench` measures it from this checkout.
.venv/audit/installed: requirements/audit.txt
.venv/plain/installed: requirements/run.txt
.venv/audit/installed .venv/plain/installed: BIN = $(@D)/bin
.venv/audit/installed .venv/plain/installed: .venv/made
	@echo "installing $(filter %.txt,$^) into $(@D)"
	@rm -rf $(@D) && $(PYTHON) -m venv $(@D)
	$(call pip-install,-r $(filter %.txt,$^))
	@touch $@
