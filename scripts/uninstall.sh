#!/usr/bin/env bash
# Takes the program away and keeps everything that is yours: settings, database, backups, logs, photos, Syncthing.
#
#   sudo scripts/uninstall.sh [--dry-run]
#
# Removed are the files that install.sh put there, the virtual environment, process files and the units. To remove
# the settings and the database too, delete the folders that it names at the end.
set -euo pipefail
# shellcheck source=scripts/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
# shellcheck source=scripts/installed_files.sh
. scripts/installed_files.sh

dry_run=''
case ${1:-} in
    '') ;;
    --dry-run) dry_run=yes ;;
    -h | --help) show_help ;;
    *) unknown "$1" ;;
esac

[[ -e $root/.installed ]] || fail "$root is no installation of install.sh; nothing is removed."
load_system
own=(.installed .system .units)
if [[ -n $dry_run ]]; then
    say "would stop the service, and remove $(wc -l <"$root/.installed" | tr -d ' ') files, .venv and run from $root"
    [[ ! -e $root/.units ]] || sed 's/^/would remove the unit /' "$root/.units"
    exit
fi
[[ $(id -u) == 0 || -w $root ]] || fail "needs root, as install.sh did. Start it with sudo."

remove_units() {
    [[ -s $root/.units ]] || return 0
    local unit
    if [[ -d /run/systemd/system ]]; then systemctl disable --now media-pipeline.service || true; fi
    while IFS= read -r unit; do rm -f -- "$unit"; done <"$root/.units"
    if [[ -d /run/systemd/system ]]; then systemctl daemon-reload; fi
}

# What runs from here on is read before the files under it go.
main() {
    remove_units
    scripts/stop.sh --quiet
    local listed
    listed=$(mktemp)
    cp "$root/.installed" "$listed"
    [[ $venv != "$root/.venv" ]] || rm -rf -- "$root/.venv"
    [[ $run_dir != "$root/run" ]] || rm -rf -- "$root/run"
    remove_files "$root" <"$listed"
    rm -f -- "$listed" "${own[@]/#/$root/}"
    cd /
    rmdir -- "$root" 2>/dev/null || say "Kept in $root: $(ls -A "$root" | tr '\n' ' ')"
    say "Uninstalled. Kept: $(dirname "$MEDIA_PIPELINE_CONFIG")${system_state:+ and $system_state}, and every photo."
    exit
}
main
