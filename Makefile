# Short names for what people do often; hotline.py does the work.
.PHONY: run test check format

run:
	python3 hotline.py run

test:
	python3 hotline.py test

check:
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy .
	.venv/bin/lint-imports

format:
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
