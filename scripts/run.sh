#!/usr/bin/env bash
# Starts Media Pipeline in the background and prints its addresses. On a fresh checkout it makes everything
# ready first; if it runs already, it is stopped and started again. Where setup.sh has installed units, systemd
# starts and keeps it.
#
#   run.sh            with MEDIA_PIPELINE_CONFIG, else /etc/media-pipeline/config.yaml, else data/config.yaml
#   run.sh --demo     with a sample library in data/demo: runs the workflow once, prints the balance sheet
#                     and the resulting tree, and stays up. Safe to repeat.
#
#   UVICORN_RELOAD=1  restart the web process when its code changes; without systemd
set -euo pipefail

# shellcheck source=scripts/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
# shellcheck source=scripts/processes.sh
. scripts/processes.sh

demo=
case ${1:-} in
    '') ;;
    --demo)
        demo=yes
        MEDIA_PIPELINE_CONFIG=$root/data/demo/config.yaml
        ;;
    -h | --help) show_help ;;
    *) unknown "$1" ;;
esac

#: How long the service may take until it says that it is ready.
ready_seconds=${MEDIA_PIPELINE_READY_SECONDS:-60}

mkdir -p "$run_dir"
if command -v flock >/dev/null; then
    exec 9>"$run_dir/start.lock"
    flock -n 9 || fail "another start is under way."
fi

show_logs() {
    local log
    if by_units; then journalctl --no-pager -n 30 -u 'media-pipeline*' >&2; fi
    for log in supervisord api.console worker.console dbui.console; do
        [[ -s $setting_log_dir/$log.log ]] || continue
        say "--- the last lines of $setting_log_dir/$log.log" >&2
        tail -n 15 "$setting_log_dir/$log.log" >&2
    done
}

require_free_ports() {
    local ports=("$setting_port_api")
    [[ $setting_dbui_enabled != true ]] || ports+=("$setting_port_dbui")
    "$python" scripts/free_ports.py --require "$setting_bind_host" "${ports[@]}" ||
        fail "choose other ports in $MEDIA_PIPELINE_CONFIG (system.port_api, system.port_dbui)."
}

other_ports_when_taken() { # the demo must not stand in the way of anything
    local api dbui
    read -r api dbui < <("$python" scripts/free_ports.py --choose "$setting_port_api" "$setting_port_dbui")
    if [[ $api != "$setting_port_api" || $dbui != "$setting_port_dbui" ]]; then
        say "Port $setting_port_api or $setting_port_dbui is in use; the demo takes $api and $dbui."
    fi
    export MEDIA_PIPELINE_SYSTEM__PORT_API=$api MEDIA_PIPELINE_SYSTEM__PORT_DBUI=$dbui
    setting_port_api=$api setting_port_dbui=$dbui
}

by_units() { [[ -z $demo && -z ${UVICORN_RELOAD:-} ]] && under_systemd; }

note_start() { # for healthcheck.py and restart.sh
    printf '%s\n' "$url" >"$run_dir/api.url"
    printf '%s\n' "$setting_db_path" >"$run_dir/db.path"
    printf '%s\n' "$MEDIA_PIPELINE_CONFIG" >"$run_dir/config.path"
    printf '%s,%s\n' "${MEDIA_PIPELINE_SYSTEM__PORT_API:-}" "${MEDIA_PIPELINE_SYSTEM__PORT_DBUI:-}" >"$run_dir/ports"
}

start() {
    export MP_ROOT=$root MP_PYTHON=$python MP_RUN_DIR=$run_dir
    export MP_WEB_CONSOLE=$setting_log_dir/api.console.log MP_WORKER_CONSOLE=$setting_log_dir/worker.console.log
    export MP_DBUI_CONSOLE=$setting_log_dir/dbui.console.log MP_DBUI=$setting_dbui_enabled
    export MP_CONSOLE_MAX_BYTES=1000000
    mkdir -p "$setting_log_dir"
    local detach=()
    command -v setsid >/dev/null && detach=(setsid)
    as_service ${detach[@]+"${detach[@]}"} nohup docker/remembered.sh supervisord \
        "$python" -m supervisor.supervisord -n -c docker/supervisord.conf \
        >"$setting_log_dir/supervisord.log" 2>&1 </dev/null 9>&- &
    disown
    until [[ -s $run_dir/supervisord.pid ]] || ((SECONDS >= limit)); do sleep 0.1; done
}

carried() { # whether something keeps the service running
    if by_units; then unit_runs; else [[ -n $(recall "$run_dir/supervisord.pid") ]]; fi
}

wait_until_ready() { # sets answer: "ready", or which folder is away
    answer=
    while ((SECONDS < limit)); do
        answer=$("$python" docker/healthcheck.py --started) && return
        carried || break
        sleep 0.3
    done
    show_logs
    scripts/stop.sh --quiet
    fail "the service did not become ready: ${answer:-it ended}"
}

load_system
if by_units && [[ $(id -u) != 0 ]]; then
    fail "systemd runs it, which only root may start. Start this again with sudo."
fi
scripts/stop.sh --quiet
scripts/setup.sh ${demo:+--demo}
load_settings
if [[ -n $demo ]]; then
    other_ports_when_taken
fi
host=$setting_bind_host
case $host in '' | 0.0.0.0 | ::) host=127.0.0.1 ;; *:*) host="[$host]" ;; esac
url=http://$host:$setting_port_api

require_free_ports
note_start
limit=$((SECONDS + ready_seconds))
if by_units; then systemctl start media-pipeline.service; else start; fi
wait_until_ready

say "Media Pipeline is running."
[[ $answer == ready ]] || say "  BUT NOTHING MOVES: $answer"
say "  dashboard         $url/dashboard"
say "  control center    $url/control"
say "  set it up         $url/welcome"
say "  API and docs      $url/docs"
if [[ $setting_dbui_enabled == true ]]; then
    say "  database browser  http://$host:$setting_port_dbui"
fi
say "  configuration     $MEDIA_PIPELINE_CONFIG"
say "  ingest folder     $setting_source_dir"
say "  logs              $setting_log_dir"
say "  stop it           scripts/stop.sh"
if [[ -n $demo ]]; then
    "$python" scripts/demo_run.py "$url"
fi
