#!/bin/sh
# Runs one node:test file. Exit 77 (skipped, with the reason) when its npm packages are not installed.
here=$(dirname "$0")
[ -d "$here/node_modules" ] || { echo "skipped: tests/system/node_modules is missing; run tools/setup test"; exit 77; }
exec node --test --test-reporter=spec "$here/$1"
