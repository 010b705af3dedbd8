#!/usr/bin/env bash
# What the Makefile runs to make the environment (see `make setup`): with uv, which pip fetches where it is not on PATH.
# Usage: tools/setup.sh packages PYTHON VENV LOCK    a new VENV with every package in LOCK
#        tools/setup.sh project VENV                 this project in VENV, editable
#        tools/setup.sh same VENV [PYTHON]           says what VENV is, or refuses when PYTHON is another
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE  # byte code is made here, once: TensorFlow and Magenta start three times as fast

ours=.made-by-make  # in an environment of ours, and so in one that may be replaced

fail() { echo "Error: $*" >&2; exit 1; }

check() {  # refuses in one line what the lock was not made for
    local found="" other version
    for other in python3.13 python3.12 python3.11 python3.10; do
        if "$other" --version > /dev/null 2>&1; then found=$other; fi
    done
    local action="Install one, then run: make setup PYTHON=python3.12"
    [ -z "$found" ] || action="You have one: make setup PYTHON=$found"
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2> /dev/null) \
        || fail "Python 3.10 to 3.13 is needed, and '$python' does not run. $action"
    case $version in
        3.10 | 3.11 | 3.12 | 3.13) ;;
        *) fail "Python 3.10 to 3.13 is needed, and '$python' is Python $version. $action" ;;
    esac
    case "$(uname -sm) $lock" in
        "Darwin x86_64 "*) fail "TensorFlow is no longer made for Macs with Intel processors. Use Linux or a newer Mac." ;;
        "Darwin "*gpu*) fail "NVIDIA's libraries are not made for macOS. Leave GPU=1 away." ;;
    esac
    [ ! -e "$venv" ] || [ -e "$venv/$ours" ] \
        || fail "'$venv' is there and was not made by make. Move it away, or name another: make setup VENV=.venv-gmd"
    echo "==> Making $venv with Python $version and uv, from $lock"
}

install() {  # installs without looking at dependencies: the lock is complete
    local quiet=--quiet
    [ ! -t 2 ] || quiet=""
    "$uv" pip install $quiet --python "$venv/bin/python" --no-deps --compile-bytecode "$@"
}

pinned() {  # writes the lock's entry of one package into a file, and its name to stdout
    sed -n "/^$1==/,/[^\\\\]$/p" "$lock" > "$venv/$1.txt"
    echo "$venv/$1.txt"
}

packages() {
    python=$1 venv=$2 lock=$3
    check
    case $lock in
        *gpu*) echo "    Downloads about 3.8 GB once; $venv takes about 8 GB. Some 10 minutes, on a slow machine far more." ;;
        *) echo "    Downloads about 1 GB once; $venv takes about 3.6 GB. 3 to 15 minutes." ;;
    esac
    if [ -e "$venv" ]; then
        echo "    (the old $venv was made from something else, or was not finished: it goes)"
        rm -rf "$venv"
    fi
    mkdir -p "$venv"
    touch "$venv/$ours"
    if [ -n "$uv" ]; then
        "$uv" venv --quiet --allow-existing --python "$python" "$venv"
        # uv makes environments without pip: there, `pip install` would go into another Python
        "$venv/bin/python" -m ensurepip --default-pip > /dev/null 2>&1 || true
    else
        "$python" -m venv "$venv" \
            || fail "'$python' cannot make environments. Install its venv module (on Debian: apt install python3-venv)."
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes \
            -r "$(pinned uv)"
        uv=$venv/bin/uv
    fi
    # two packages come as source (pretty-midi, promise): setuptools first, so that they are built with
    # the pinned one and nothing is fetched that has no hash
    install --require-hashes -r "$(pinned setuptools)"
    # a line each half minute, until the descriptor is closed: by the end of the installation, or of this script
    exec 3> >(while read -r -t 30 || [ $? -gt 128 ]; do echo "    still installing, $SECONDS seconds so far"; done)
    install --require-hashes --no-build-isolation -r "$lock"
    exec 3>&-
}

uv=$(command -v uv || true)
case $1 in
    packages) packages "$2" "$3" "$4" ;;
    project)
        venv=$2
        [ -n "$uv" ] || uv=$venv/bin/uv
        install --no-build-isolation --editable .
        "$venv/bin/python" -m compileall -q pipeline/gmd_vae configs.py
        ;;
    same)
        venv=$2 has=$("$2/bin/python" -V)
        if [ -n "${3:-}" ]; then
            other=$("$3" -V 2> /dev/null) || fail "$venv has $has, and '$3' does not run. Leave PYTHON=$3 away."
            [ "$other" = "$has" ] || fail "$venv has $has, not $other. To change: rm -rf $venv; make setup PYTHON=$3"
        fi
        echo "Ready: $has in $venv. Next: 'make data train generate', or 'make demo'. All there is: 'make help'"
        echo "With your own MIDI files: 'source $venv/bin/activate', then 'gmd-vae convert my_midi'"
        ;;
esac
