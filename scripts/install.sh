#!/usr/bin/env bash
# Installs Media Pipeline into a folder of its own, or puts a newer version over an older one.
#
#   curl -fsSL https://github.com/media-pipeline/media-pipeline/releases/latest/download/install.sh | bash
#   scripts/install.sh [--install-dir DIR] [--channel stable|TAG] [--bundle FILE] [--user NAME] [--without-syncthing]
#                      [--dry-run]
#
#   --install-dir DIR     default /opt/media-pipeline
#   --channel NAME        fetch a release: stable is the newest, v1.2.3 that one. Default when piped: stable;
#                         from a checkout or an unpacked bundle: what lies there
#   --bundle FILE         a release bundle that is here already; checked against SHA256SUMS beside it
#   --user NAME           who runs it and owns what it writes; default media-pipeline, made when missing
#   --without-syncthing   Syncthing runs elsewhere, or is not wanted
#   --dry-run             say what would be done
#
# Makes /etc/media-pipeline/config.yaml and /var/lib/media-pipeline (or what MEDIA_PIPELINE_CONFIG and
# MEDIA_PIPELINE_STATE name) when they are not there. Removes nothing but files of an earlier version of the program.
set -euo pipefail
umask 022

repository=${MEDIA_PIPELINE_PUBLIC_REPOSITORY:-media-pipeline/media-pipeline}
releases=${MEDIA_PIPELINE_RELEASES:-https://github.com/$repository/releases}
arguments=("$@")
install_dir=/opt/media-pipeline
channel='' bundle='' user='' dry_run='' without_syncthing='' unpacked=''

fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}
help() {
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
}

while (($#)); do
    case $1 in
        --install-dir) install_dir=${2:?--install-dir needs a folder} ;;
        --channel) channel=${2:?--channel needs a name} ;;
        --bundle) bundle=${2:?--bundle needs a file} ;;
        --user) user=${2:?--user needs a name} ;;
        --without-syncthing) without_syncthing=yes && set -- "$1" "$@" ;;
        --dry-run) dry_run=yes && set -- "$1" "$@" ;;
        -h | --help) help ;;
        *) fail "unknown argument $1; try --help" ;;
    esac
    shift 2
done

here=''
if [[ -n ${BASH_SOURCE[0]:-} && -f $(dirname "${BASH_SOURCE[0]}")/environment.sh ]]; then
    here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
fi

as_root() { # COMMAND... by sudo when that is needed and there
    if [[ $(id -u) == 0 || -n $dry_run ]]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo --preserve-env=MEDIA_PIPELINE_CONFIG,MEDIA_PIPELINE_STATE,MEDIA_PIPELINE_VENV "$@"
    else
        fail "needs root to write to /etc, /var/lib and $install_dir, and there is no sudo. Start it again as root."
    fi
}

checksum() { # FILE -> its SHA-256
    if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1
}

verify() { # BUNDLE SUMS: fails unless the sums name this very content
    local wanted
    wanted=$(awk '$2 == "media-pipeline.tar.gz" || $2 == "*media-pipeline.tar.gz" { print $1 }' "$2")
    [[ -n $wanted ]] || fail "$2 names no media-pipeline.tar.gz; nothing was installed."
    [[ $(checksum "$1") == "$wanted" ]] ||
        fail "the bundle is not what SHA256SUMS says; nothing was installed. Start it again: the download may have been cut."
}

fetch() { # FOLDER: the bundle of the channel and its checksums
    local from=$releases/latest/download file
    [[ $channel == stable ]] || from=$releases/download/$channel
    command -v curl >/dev/null || fail "missing: curl."
    printf 'Fetching %s/media-pipeline.tar.gz ...\n' "$from"
    for file in SHA256SUMS media-pipeline.tar.gz; do
        curl -fsSL --retry 3 -o "$1/$file" "$from/$file" || fail "$from/$file cannot be fetched; try again later."
    done
}

install_bundle() { # fetches and checks it, and goes on with the installer that lies in it
    command -v tar >/dev/null || fail "missing: tar."
    unpacked=$(mktemp -d)
    trap 'rm -rf "$unpacked"' EXIT
    if [[ -z $bundle ]]; then
        fetch "$unpacked"
        bundle=$unpacked/media-pipeline.tar.gz
        verify "$bundle" "$unpacked/SHA256SUMS"
    elif [[ -f $(dirname "$bundle")/SHA256SUMS ]]; then
        verify "$bundle" "$(dirname "$bundle")/SHA256SUMS"
    fi
    mkdir "$unpacked/program"
    tar -xzf "$bundle" -C "$unpacked/program" --strip-components=1
    as_root "$unpacked/program/scripts/install.sh" --install-dir "$install_dir" ${user:+--user "$user"} \
        ${without_syncthing:+--without-syncthing} ${dry_run:+--dry-run}
}

[[ $install_dir == /* ]] || install_dir=$PWD/$install_dir
[[ -n $bundle || -n $here ]] || channel=${channel:-stable}
if [[ -n $bundle || -n $channel ]]; then
    install_bundle
    exit
fi
if [[ $(id -u) != 0 && -z $dry_run ]]; then
    as_root "$here/install.sh" ${arguments[@]+"${arguments[@]}"}
    exit
fi

config=${MEDIA_PIPELINE_CONFIG:-/etc/media-pipeline/config.yaml}
state=${MEDIA_PIPELINE_STATE:-/var/lib/media-pipeline}
# shellcheck source=scripts/environment.sh
. "$here/environment.sh"
# shellcheck source=scripts/packages.sh
. scripts/packages.sh
# shellcheck source=scripts/installed_files.sh
. scripts/installed_files.sh

install_requirements
copy_program "$root" "$install_dir"
system=(--system ${user:+--user "$user"} ${without_syncthing:+--without-syncthing})
if [[ -n $dry_run ]]; then
    say "would run: $install_dir/scripts/setup.sh ${system[*]}"
    exit
fi
cd "$install_dir"
MEDIA_PIPELINE_CONFIG=$(absolute "$config") MEDIA_PIPELINE_STATE=$(absolute "$state") scripts/setup.sh "${system[@]}"
say "Installed. Start it with: sudo $install_dir/scripts/run.sh"
