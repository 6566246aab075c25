# The front door. Everything real is in meson.build and tools/; these are the names people type.
#
#   make            build the program (build/gemel)
#   make run        build, start the demo plants, print the console's address
#   make test       every test under gcc, clang + address and undefined-behaviour sanitizers, and thread sanitizer
#   make test-deep  the same with long fuzzing and hundreds of crash rounds
#   make bench      measure against peers; tables on screen, JSON in build/bench-results/
#   make golden     rewrite the golden files; read the diff before committing it
#   make install    into PREFIX (default /usr/local); make clean removes what was built
BUILD  ?= build
PREFIX ?= /usr/local

.PHONY: all setup run test test-deep bench golden install clean
all: setup
	@tools/build $(BUILD)

setup:
	@tools/setup build

run: all
	@tools/run $(BUILD)

test:
	@tools/setup test
	@tools/test

test-deep:
	@tools/setup test
	@tools/test --deep

bench:
	@tools/setup bench
	@tools/build $(BUILD)
	@tools/bench $(BUILD)

golden: all
	@GM_GOLDEN=write meson test -C $(BUILD) --suite golden --print-errorlogs

install: all
	@meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf build build-* web/dist
