# `make` shows what there is.
help:
	@echo "make build   the release binary, .build/release/lyceum"
	@echo "make test    the tests"
	@echo "make tour    models from nothing, and a verdict on every claim"
	@echo "make format  the house style over every file"
	@echo "make check   everything that a change must pass, as .ci/run"

build:
	swift build -c release --product lyceum

test:
	swift test

tour:
	swift run -c release lyceum tour

format:
	git ls-files -z '*.swift' | xargs -0 swift format -i --parallel

check:
	.ci/run

.PHONY: help build test tour format check
