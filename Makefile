# Short names for the scripts; each target can be run alone.
VENV ?= .venv
PY = $(VENV)/bin/python
# what `make torture` has shown of the code that is here
LEDGER ?= torture.ledger

.PHONY: help setup run stop test check torture torture-sample bench bench-sort bench-dedup bench-million bench-lists bench-groups bench-delivery bench-waiting bench-pages bench-thumbnails bench-image screenshots image image-test image-torture

help: ## show these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: ## virtual environment, assets, configuration, database
	./scripts/setup.sh

run: ## start web, worker and database browser in the background
	./scripts/run.sh

stop: ## stop them
	./scripts/stop.sh

test: ## checks and every test that takes no hours and no Docker engine
	./scripts/test.sh

check: ## ruff, mypy and import contracts only
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

torture: ## every kill, power cut and injected fault; goes on where it was cut off (long)
	$(PY) -m pytest -p tests.torture.ledger --ledger $(LEDGER) -m "torture and not container"

torture-sample: ## a sample of it, another one each day
	$(PY) -m pytest tests/torture

bench: ## throughput of the whole pipeline beside cp -a
	$(PY) bench/pipeline.py

bench-lists: ## every list and search with a million files
	$(PY) bench/lists.py

bench-sort: ## sorting 2,000 files beside phockup
	$(PY) bench/sort.py

bench-dedup: ## finding duplicates beside the programs for that which are installed
	$(PY) bench/dedup.py

bench-million: ## scan and dedup of 10,000 to 1,000,000 files
	$(PY) bench/million.py

bench-groups: ## how the work on groups grows with their size
	$(PY) bench/groups.py

bench-delivery: ## a batch of 10,000 files proven at a peer, over two real Syncthings
	$(PY) bench/delivery.py

bench-waiting: ## what it costs to wait for a peer
	$(PY) bench/waiting.py

bench-pages: ## every page with a million files, the bytes of a first visit, ten open tabs
	$(PY) bench/pages.py

bench-thumbnails: ## how much drawing thumbnails slows a run
	$(PY) bench/thumbnails.py

bench-image: ## size of the image, memory at rest, seconds to healthy
	$(PY) bench/image.py

screenshots: ## pictures of every page, into docs/screenshots
	$(PY) scripts/screenshots.py

image: ## build the container image
	docker compose build

image-test: ## build and start the image in a real Docker engine
	$(PY) -m pytest -m "container and not torture" tests/container

image-torture: ## the container stopped and killed thirty times each, and the data of an earlier image
	$(PY) -m pytest -m "container and torture" tests/container
