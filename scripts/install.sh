#!/usr/bin/env bash
# Installs Media Pipeline from this checkout into a folder of its own, for a machine that it shall stay on.
#
#   sudo scripts/install.sh [--install-dir DIR]      default /opt/media-pipeline
#
# Copies the program, makes /etc/media-pipeline/config.yaml and /var/lib/media-pipeline (or what MEDIA_PIPELINE_CONFIG
# and MEDIA_PIPELINE_STATE name) when they are not there, and ends by saying how to start. Nothing that exists is
# overwritten but the program's own files.
set -euo pipefail
config=${MEDIA_PIPELINE_CONFIG:-/etc/media-pipeline/config.yaml}
state=${MEDIA_PIPELINE_STATE:-/var/lib/media-pipeline}
# shellcheck source=scripts/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

install_dir=/opt/media-pipeline
while (($#)); do
    case $1 in
        --install-dir)
            install_dir=$(absolute "${2:?--install-dir needs a folder}")
            shift 2
            ;;
        -h | --help)
            sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *) fail "unknown argument $1; try --help" ;;
    esac
done

[[ $(id -u) == 0 ]] || fail "needs root to write to /etc, /var/lib and $install_dir; without root use scripts/run.sh here."
command -v tar >/dev/null || fail "missing: tar."

program=(app worker templates config docker scripts docs LICENSE README.md CHANGELOG.md
    Makefile pyproject.toml requirements.txt requirements-dev.txt constraints.txt package.json package-lock.json .npmrc)

if [[ $install_dir != "$root" ]]; then
    say "Copying the program to $install_dir ..."
    mkdir -p "$install_dir"
    tar -cf - --exclude=__pycache__ "${program[@]}" | tar -xf - -C "$install_dir" --no-same-owner
fi

cd "$install_dir"
MEDIA_PIPELINE_CONFIG=$(absolute "$config") MEDIA_PIPELINE_STATE=$(absolute "$state") scripts/setup.sh
say "Installed. Start it with: sudo $install_dir/scripts/run.sh"
