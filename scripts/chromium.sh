#!/bin/sh
# Installs Debian's Chromium for the tests of the page, once, where that is possible. Without it they are skipped.
set -eu
for path in "${CHROMIUM:-/usr/bin/chromium}" /usr/bin/chromium-browser /usr/bin/google-chrome; do
  if [ -x "$path" ]; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo 'installing Chromium for the tests of the page'
  if apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; then exit 0; fi
fi
echo 'there is no Chromium, so that the tests of the page are skipped: install the package chromium, or set CHROMIUM' >&2
