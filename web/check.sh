#!/bin/sh
# The console's sources are well typed.
cd "$(dirname "$0")"
[ -d node_modules ] || { echo "skipped: web/node_modules is missing; run tools/setup build"; exit 77; }
exec node node_modules/typescript/bin/tsc --noEmit
