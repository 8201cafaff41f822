# `make demo` and `make test` need nothing but Python 3.11 or newer: they make their own environment in .venv.

ifeq ($(OS),Windows_NT)
# In Git Bash, or any other shell with sed and touch.
SHELL := bash
PYTHON ?= python
BIN := .venv/Scripts
else
PYTHON ?= python3
BIN := .venv/bin
endif
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
SCHEMA := $(BIN)/check-jsonschema --quiet --builtin-schema vendor.github
# One thread for each process: tests and workers are what runs side by side.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

.PHONY: help demo train-smoke gpu-check learning test test-fast check check-docs package format docs notebooks site screenshot bench kills ladders predictor first-settings severity coverage observers people goldens shortcuts clean

help:  ## what there is
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

.venv/base: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) --editable '.[bench]'
	@touch $@

.venv/test: .venv/base
	$(INSTALL) --editable '.[test,albumentations,plots,bench,train,remote,ray,observers]'
	@touch $@

.venv/train: .venv/base
	$(INSTALL) --editable '.[train]'
	@touch $@

.venv/notebooks: .venv/base
	$(INSTALL) --editable '.[notebooks,bench,train]'
	@touch $@

.venv/site: .venv/base
	$(INSTALL) --editable '.[site]'
	@touch $@

.venv/package: .venv/base
	$(INSTALL) build twine
	@touch $@

demo: .venv/base  ## 200 images from the built-in references, their questions, a contact sheet and a page to look at them
	$(BIN)/distortlab generate --recipe smoke --out demo/data
	$(BIN)/distortlab sheet demo/data -o demo/sheet.png
	$(BIN)/distortlab view demo/data -o demo/view.html
	@echo "data set: demo/data   contact sheet: demo/sheet.png   open in a browser: demo/view.html"

train-smoke: .venv/train  ## tiny model, generated data: cold start, stage 1, stage 2, scores; on a CPU, in minutes
	rm -rf demo/train
	$(BIN)/distortlab generate --recipe recipes/smoke-data.toml --out demo/train/data
	$(BIN)/python -m refine_iqa_train mock-ratings --data demo/train/data --out demo/train/rated
	$(BIN)/python -m refine_iqa_train tiny --out demo/train/tiny
	$(BIN)/python -m refine_iqa_train sft --config recipes/smoke-sft.yaml
	$(BIN)/python -m refine_iqa_train stage1 --config recipes/smoke-stage1.yaml
	$(BIN)/python -m refine_iqa_train stage2 --config recipes/smoke-stage2.yaml
	$(BIN)/python -m refine_iqa_train scores demo/train/stage1 demo/train/stage2

gpu-check: .venv/train  ## what training takes on the GPU at hand, beside what is computed (hours; ends with code 3 where there is none)
	$(BIN)/python benchmarks/gpu_check/run.py $(if $(ONLY),--only "$(ONLY)") $(if $(SCRATCH),--scratch $(SCRATCH))

learning: .venv/test  ## whether it learns, on a CPU in half an hour (FREEZE=1: into the docs; FULL=1: twelve families, two hours)
	$(BIN)/python benchmarks/learning/run.py $(if $(FULL),full) --split report $(if $(FREEZE),--freeze)

test: .venv/test  ## the whole suite
	$(BIN)/python -m pytest -n auto --dist worksteal

kills: .venv/test  ## 200 kills over the whole life of a run, each gone on with (ten minutes)
	DISTORTLAB_KILLS=200 $(BIN)/python -m pytest tests/generation/test_kills.py -k any_moment

test-fast: .venv/test  ## without what takes more than a few seconds
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not slow'

check: .venv/test check-docs  ## lint, format, types, import directions, spelling, stale docs, links, workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/zizmor --offline --persona=auditor --strict-collection --no-progress --quiet .github .pre-commit-config.yaml
	$(SCHEMA)-workflows $(wildcard .github/workflows/*.yml)
	$(SCHEMA)-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	$(SCHEMA)-issue-config .github/ISSUE_TEMPLATE/config.yml

check-docs: .venv/test  ## tables, pictures and links of the docs
	$(BIN)/python docs/generate.py --check
	$(BIN)/python tools/check_links.py

package: .venv/package  ## build the source archive and the wheel, and try the wheel away from the repository
	$(BIN)/python tools/check_package.py

format: .venv/test  ## what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/test  ## tables and pictures of the docs, from the code
	$(BIN)/python docs/generate.py

notebooks: .venv/notebooks  ## run all notebooks of examples/; their outputs are shown in the site
	$(BIN)/python tools/run_notebooks.py

site: .venv/site  ## the documentation as a site in out/site/html; any warning and any broken link is an error
	PYTHONPATH=tools $(BIN)/python docs/site/build_site.py

screenshot: .venv/test  ## the picture of the page in the docs; needs Chromium (tools/system_packages.sh)
	$(BIN)/python docs/screenshot.py

bench: .venv/test  ## what an image costs beside the floor and the script that people write: make bench REFS=coco:FILE.json,FOLDER
	$(BIN)/python benchmarks/speed/bench.py $(if $(REFS),--refs $(REFS))

ladders: .venv/test  ## what the severities do to regions: make ladders REFS=coco:FILE.json,FOLDER
	$(BIN)/python benchmarks/severity/ladders.py --refs $(or $(REFS),scenes)

predictor: .venv/test  ## fit what predicts first settings: make predictor REFS=coco:FILE.json,FOLDER TEST=coco:...
	$(BIN)/python benchmarks/severity/fit_predictor.py --refs $(REFS) --test $(TEST) \
		$(if $(PHOTOGRAPHS),--photographs "$(PHOTOGRAPHS)") $(if $(ONLY),--only $(ONLY))
	$(BIN)/python benchmarks/severity/fit_lookalikes.py --refs $(REFS) --test $(TEST)

first-settings: .venv/test  ## how good first settings are in draws: make first-settings REFS=coco:FILE.json,FOLDER
	$(BIN)/python benchmarks/severity/first_settings.py --refs $(or $(REFS),scenes)

severity: .venv/test  ## docs/severity.md: make severity REFS=coco:FILE.json,FOLDER LARGE=folder:PHOTOGRAPHS DATA=data/
	$(BIN)/python benchmarks/severity/study.py --refs $(or $(REFS),scenes) $(if $(LARGE),--large $(LARGE)) \
		$(if $(DATA),--data $(DATA))

coverage: .venv/test  ## how often the intervals of the harness hold the truth, simulated (docs/bench-statistics.md)
	$(BIN)/python benchmarks/statistics/coverage.py

shortcuts: .venv/test  ## what a model wins without looking: make shortcuts REFS=coco:FILE.json,FOLDER
	$(BIN)/python benchmarks/shortcuts.py --refs $(or $(REFS),scenes)

observers: .venv/test  ## docs/observers.md: make observers REFS=coco:FILE.json,FOLDER TEST=coco:OTHER.json,FOLDER (FREEZE=1)
	$(BIN)/python benchmarks/observers/observe.py --refs $(REFS) --test $(TEST) $(if $(N),--n $(N)) --draws out/observers \
		$(if $(FREEZE),--freeze)

people: .venv/test  ## docs/people.md, V against people: make people REFS=coco:FILE.json,FOLDER
	$(BIN)/python benchmarks/people/study.py $(if $(REFS),--refs $(REFS)) --measured out/people.npz $(if $(NOTE),--note "$(NOTE)")

goldens: .venv/test  ## record the block means again (raise the operator's version first)
	$(BIN)/python tests/goldens/record_goldens.py

clean:  ## everything that make made
	rm -rf .venv demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
