#!/usr/bin/env bash
# `make lock`: pins everything this project installs, with hashes, for all its Pythons and platforms.
#   requirements.txt      from pyproject.toml and requirements.in
#   requirements-gpu.txt  the same versions, and NVIDIA's CUDA libraries
# What is pinned already stays, unless UPGRADE=1. Needs uv: the one on PATH, or else one that is
# installed from the package index into a temporary folder.
# Usage: tools/lock.sh PYTHON
set -euo pipefail
cd "$(dirname "$0")/.."

uv=$(command -v uv || true)
if [ -z "$uv" ]; then
    echo "==> Getting uv, for this once"
    temporary=$(mktemp -d)
    trap 'rm -rf "$temporary"' EXIT
    "$1" -m venv "$temporary"
    "$temporary/bin/pip" install -qq --disable-pip-version-check uv
    uv=$temporary/bin/uv
fi

# "fewest": one version of a package for all Pythons where there is one, so that what was tested on
# one Python is what runs on the others.
lock() {
    echo "==> $1"
    UV_PYTHON_DOWNLOADS=never "$uv" pip compile --quiet pyproject.toml requirements.in --extra train --group dev \
        --universal --python-version 3.10 --fork-strategy fewest --generate-hashes \
        --custom-compile-command "make lock" ${UPGRADE:+--upgrade} --output-file "$@"
}
lock requirements.txt
lock requirements-gpu.txt --extra gpu --constraint requirements.txt
