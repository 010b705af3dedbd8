#!/usr/bin/env bash
# Checks types and style of the pages' JavaScript with TypeScript and ESLint; no page needs a package of npm.
#   tools/check_scripts.sh            installs the packages of package-lock.json where they changed, and checks
#   tools/check_scripts.sh packages   installs them only
set -euo pipefail
cd "${BASH_SOURCE[0]%/*}/.."

if ! command -v npm > /dev/null; then
    echo "npm is not installed: the JavaScript is not checked" >&2
    exit
fi
# the copy shows which lock file was installed; git changes the times of files that are the same
if ! cmp -s package-lock.json node_modules/.installed-lock.json; then
    npm ci --no-audit --no-fund --loglevel=error < /dev/null
    cp package-lock.json node_modules/.installed-lock.json
fi
if [ "${1:-}" != packages ]; then
    npm run --silent lint
fi
