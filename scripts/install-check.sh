#!/bin/sh
# Runs the Dockerfile's steps without a container engine: builds dist/ in an empty folder, starts the three programs
# from the files of the images and stops them. Exits with 0 on success. Needs npm, and the packages of `npm ci` here.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
PATH="$here/node_modules/.bin:$PATH" exec node "$here/scripts/install-check/main.ts"
