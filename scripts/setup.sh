#!/usr/bin/env bash
# Makes this checkout ready to run, and changes nothing that is ready already: prerequisites, virtual
# environment, browser assets, configuration, folders, database.
#
#   setup.sh [--dev | --demo]
#     --dev    also installs what the tests and checks need
#     --demo   with a sample library beside the configuration, delivered to a folder
#
# A configuration that is not there yet is written for MEDIA_PIPELINE_STATE (default: the folder it lies in).
# As root where apt-get exists, missing system packages are installed; elsewhere they are named.
set -euo pipefail
# shellcheck source=scripts/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

requirements=requirements.txt
assets=()
demo=
case ${1:-} in
    '') ;;
    --dev)
        requirements='requirements-dev.txt'
        assets=(--dev)
        ;;
    --demo) demo=yes ;;
    -h | --help)
        sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    *) fail "unknown argument $1; try --help" ;;
esac

#: The oldest Python that the program runs on.
oldest='(3, 11)'

find_python() { # -> a Python new enough that can make virtual environments
    local candidate
    for candidate in "${MEDIA_PIPELINE_PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        [[ -n $candidate ]] || continue
        command -v "$candidate" >/dev/null || continue
        if "$candidate" -c "import sys, venv, ensurepip; sys.exit(sys.version_info < $oldest)" 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

assets_ready() { [[ -s app/web/static/vendor/htmx.min.js ]]; }

install_missing() { # PACKAGE... by apt-get when that is ours to do, else say what to do
    if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
        fail "missing: $*. Install them with your package manager (Debian: sudo apt-get install $*) and start again."
    fi
    say "Installing $* ..."
    DEBIAN_FRONTEND=noninteractive apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

prerequisites() {
    local missing=()
    [[ -x $python || -n $(find_python) ]] || missing+=(python3 python3-venv)
    assets_ready || command -v npm >/dev/null || missing+=(nodejs npm)
    ((${#missing[@]} == 0)) || install_missing "${missing[@]}"
}

virtual_environment() {
    local interpreter stamp wanted
    stamp=$venv/.requirements.sha256
    if ! "$python" -c '' 2>/dev/null; then
        interpreter=$(find_python)
        [[ -n $interpreter ]] || fail "no Python 3.11 or newer with its venv module was found."
        say "Making a virtual environment with $("$interpreter" --version) in $venv ..."
        "$interpreter" -m venv --clear "$venv"
    fi
    wanted=$(cat "$requirements" requirements.txt constraints.txt | "$python" -c \
        'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
    # what the tests need includes what the program needs: never step back from one to the other
    [[ -e $stamp && $(cat "$stamp") == "$wanted" ]] && return
    [[ $requirements == requirements.txt && -e $stamp.dev && $(cat "$stamp.dev") == "$wanted" ]] && return
    say "Installing Python packages ..."
    "$python" -m pip install -qq --disable-pip-version-check -r "$requirements"
    printf '%s\n' "$wanted" >"$stamp"
    if [[ $requirements != requirements.txt ]]; then
        cat requirements.txt requirements.txt constraints.txt | "$python" -c \
            'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())' >"$stamp.dev"
    fi
}

command_in_venv() { # the media-pipeline command
    printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s" -m app.cli "$@"\n' "$root" "$python" >"$venv/bin/media-pipeline"
    chmod +x "$venv/bin/media-pipeline"
}

configuration() {
    [[ -e $MEDIA_PIPELINE_CONFIG ]] && return
    local state choices=()
    state=${MEDIA_PIPELINE_STATE:-$(dirname "$MEDIA_PIPELINE_CONFIG")}
    if [[ -n $demo ]]; then
        choices=(--set sync.target=folder --set "sync.folder_dir=$state/media/delivered"
            --set scan.settle_seconds=1 --set batch.selection_mode=files --set batch.max_files=8
            --set workflow.delays.syncthing_settle_sec=0 --set workflow.delays.post_sync_sec=0)
    fi
    "$python" scripts/write_config.py "$MEDIA_PIPELINE_CONFIG" --media "$state/media" --state "$state" \
        ${choices[@]+"${choices[@]}"}
}

prerequisites
if [[ -z ${MEDIA_PIPELINE_VENV:-} ]]; then
    virtual_environment
    command_in_venv
fi
scripts/fetch_assets.sh ${assets[@]+"${assets[@]}"}
configuration
if [[ -n $demo ]]; then
    "$python" scripts/demo_library.py "$(dirname "$MEDIA_PIPELINE_CONFIG")/media/ingest"
fi
PYTHONPATH=$root "$python" -m app.cli setup >/dev/null || fail "set-up did not finish; nothing was started."
[[ ${1:-} == --demo ]] || say "Ready: $MEDIA_PIPELINE_CONFIG"
