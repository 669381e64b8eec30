#!/usr/bin/env bash
# Puts a newer version over this installation: backup, stop, install, start again when it ran. Settings, database,
# photos and Syncthing stay.
#
#   sudo scripts/upgrade.sh [--channel stable|TAG | --bundle FILE] [--dry-run]      default: the newest release
#
# When it fails behind the backup, start it again; the backup's place is printed.
set -euo pipefail
# shellcheck source=scripts/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

from=(--channel stable)
dry_run=''
while (($#)); do
    case $1 in
        --channel | --bundle)
            from=("$1" "${2:?$1 needs a value}")
            shift
            ;;
        --dry-run) dry_run=yes ;;
        -h | --help) show_help ;;
        *) unknown "$1" ;;
    esac
    shift
done
[[ ${from[0]} != --bundle ]] || from[1]=$(absolute "${from[1]}")

[[ -e $root/.installed ]] || fail "$root is no installation of install.sh. A checkout is upgraded with git pull."
[[ $(id -u) == 0 || -n $dry_run ]] || fail "needs root, as install.sh did. Start it with sudo."
load_system
install=(scripts/install.sh --install-dir "$root" "${from[@]}" ${system_user:+--user "$system_user"}
    ${system_without_syncthing:+--without-syncthing})

if [[ -n $dry_run ]]; then
    say "would make a backup, stop the service, and start it again afterwards if it runs"
    "${install[@]}" --dry-run
    exit
fi

backup() {
    [[ -e $MEDIA_PIPELINE_CONFIG ]] || return 0
    say "Making a backup ..."
    PYTHONPATH=$root as_service "$python" -m app.cli backup ||
        fail "no backup could be made, so nothing was changed. Mend what it says above and start again."
}

backup
start=''
if [[ $(scripts/stop.sh) == Stopped. ]]; then
    start=$root/scripts/run.sh
fi
# What runs from here on is read before the files under it are exchanged.
main() {
    MEDIA_PIPELINE_STATE=$system_state "${install[@]}"
    [[ -z $start ]] || $start
    say "Upgraded to $(PYTHONPATH=$root "$python" -m app.cli --version)."
    exit
}
main
