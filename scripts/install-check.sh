#!/bin/sh
# The Dockerfile's steps without a container engine: installs the production packages into an empty folder, starts the three
# programs from there, and stops them. Exit code 0 when all went well. Needs what `npm ci` installed here, and npm.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
PATH="$here/node_modules/.bin:$PATH" exec node "$here/scripts/install-check/main.ts"
