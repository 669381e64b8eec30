#!/usr/bin/env bash
# Makes this checkout ready to run, and changes nothing that is ready already: prerequisites, virtual
# environment, browser assets, configuration, folders, database.
#
#   setup.sh [--dev | --demo | --system [--user NAME] [--without-syncthing]]
#     --dev      also installs what the tests and checks need
#     --demo     with a sample library beside the configuration, delivered to a folder
#     --system   for a machine that it stays on, as root: the user NAME (default media-pipeline), the folders of the
#                system, Syncthing as that user, and the units where systemd runs
#
# A configuration that is not there yet is written for MEDIA_PIPELINE_STATE (default: the folder it lies in; with
# --system /var/lib/media-pipeline). As root with APT, DNF or YUM, or with Homebrew, missing system packages are
# installed; elsewhere they are named.
set -euo pipefail
# shellcheck source=scripts/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

# shellcheck source=scripts/packages.sh
. scripts/packages.sh

requirements=requirements.txt
assets=()
demo='' system=''
load_system
# Where install.sh has put the program, everything is as install.sh made it.
[[ -z $system_user ]] || system=yes
while (($#)); do
    case $1 in
        --dev)
            requirements='requirements-dev.txt'
            assets=(--dev)
            ;;
        --demo) demo=yes ;;
        --system)
            [[ $(id -u) == 0 ]] || fail "--system needs root: it makes a user, folders of the system and units."
            system=yes
            ;;
        --user)
            system_user=${2:?--user needs a name}
            shift
            ;;
        --without-syncthing) system_without_syncthing=yes ;;
        -h | --help) show_help ;;
        *) unknown "$1" ;;
    esac
    shift
done

prerequisites() {
    [[ -x $python ]] || require_python
    scripts/fetch_assets.sh --ready || command -v npm >/dev/null || require nodejs npm
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
    local text
    text=$(printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s" -m app.cli "$@"' "$root" "$python")
    # Whoever runs the service may not write here, and need not.
    [[ ! -x $venv/bin/media-pipeline || $(cat "$venv/bin/media-pipeline") != "$text" ]] || return 0
    printf '%s\n' "$text" >"$venv/bin/media-pipeline"
    chmod +x "$venv/bin/media-pipeline"
}

configuration() {
    [[ -e $MEDIA_PIPELINE_CONFIG ]] && return
    local choices=()
    if [[ -n $demo ]]; then
        choices=(--set sync.target=folder --set "sync.folder_dir=$state/media/delivered"
            --set scan.settle_seconds=1 --set batch.selection_mode=files --set batch.max_files=8
            --set workflow.delays.syncthing_settle_sec=0 --set workflow.delays.post_sync_sec=0)
    fi
    [[ -z $system ]] || choices=(--set "system.log_dir=$log_dir")
    as_service "$python" scripts/write_config.py "$MEDIA_PIPELINE_CONFIG" --media "$state/media" --state "$state" \
        ${choices[@]+"${choices[@]}"}
}

state=${MEDIA_PIPELINE_STATE:-$(dirname "$MEDIA_PIPELINE_CONFIG")}
[[ -z $demo && $(id -u) == 0 ]] || system=''
if [[ -n $system ]]; then
    # shellcheck source=scripts/system_setup.sh
    . scripts/system_setup.sh
    prepare_system
fi

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
PYTHONPATH=$root as_service "$python" -m app.cli setup >/dev/null || fail "set-up did not finish; nothing was started."
if [[ -n $system ]]; then
    system_syncthing
    system_units
fi
[[ -n $demo ]] || say "Ready: $MEDIA_PIPELINE_CONFIG"
