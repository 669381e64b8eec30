#!/usr/bin/env bash
# Stops what run.sh started, or systemd: asks first, waits for the worker's next safe point, then insists.
# Goes by the noted process ids, never by name.
#
#   stop.sh [--quiet]
set -euo pipefail
# shellcheck source=scripts/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
# shellcheck source=scripts/processes.sh
. scripts/processes.sh

quiet=
case ${1:-} in
    '') ;;
    --quiet) quiet=yes ;;
    -h | --help) show_help ;;
    *) unknown "$1" ;;
esac

#: supervisord stops its programs one after another: worker 60, web 15, browser 10 seconds.
grace_seconds=${MEDIA_PIPELINE_STOP_SECONDS:-90}

programs=("$run_dir/web.pid" "$run_dir/worker.pid" "$run_dir/dbui.pid")
everything=("$run_dir/supervisord.pid" "${programs[@]}")

signal_all() { # SIGNAL FILE...
    local signal=$1 file pid
    shift
    for file in "$@"; do
        pid=$(recall "$file")
        [[ -n $pid ]] || continue
        # each program leads a process group of its own; supervisord does not
        if [[ $signal == KILL && $file != */supervisord.pid ]]; then
            kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
        else
            kill "-$signal" "$pid" 2>/dev/null || true
        fi
    done
}

running=
if unit_runs; then
    [[ $(id -u) == 0 ]] || fail "systemd runs it, which only root may stop. Start this again with sudo."
    running=yes
    systemctl stop media-pipeline.service
fi
noted=
for file in "${everything[@]}"; do
    [[ -n $(recall "$file") ]] && noted=yes running=yes
done

if [[ -n $noted ]]; then
    if [[ -n $(recall "$run_dir/supervisord.pid") ]]; then
        signal_all TERM "$run_dir/supervisord.pid"
    else
        signal_all TERM "${programs[@]}"
    fi
    if ! gone_within "$grace_seconds" "${everything[@]}"; then
        say "Not stopped after $grace_seconds seconds; ending it by force. The next start recovers what was cut off." >&2
        signal_all KILL "${everything[@]}"
        gone_within 10 "${everything[@]}" || fail "some processes cannot be ended: $(cat "${everything[@]}" 2>/dev/null)"
    fi
fi
rm -f "${everything[@]}" "$run_dir/api.url" "$run_dir/db.path" "$run_dir/config.path" "$run_dir/ports" "$run_dir/supervisord.own.pid"
if [[ -z $quiet ]]; then
    if [[ -n $running ]]; then say "Stopped."; else say "Nothing was running."; fi
fi
