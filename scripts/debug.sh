#!/usr/bin/env bash
# Prints what a person needs who looks into a problem: platform, versions, configuration, database, logs,
# addresses, health, Syncthing. Keys and passwords are masked, so the output can be attached to a report.
set -uo pipefail
# shellcheck source=scripts/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
# shellcheck source=scripts/processes.sh
. scripts/processes.sh

title() { printf '\n== %s\n' "$*"; }

title "Platform"
uname -srm
[[ -r /etc/os-release ]] && sed -n 's/^PRETTY_NAME=//p' /etc/os-release
say "user $(id -un) ($(id -u)), checkout $root"

title "Versions"
if [[ ! -x $python ]]; then
    say "There is no virtual environment in $venv yet; run scripts/setup.sh."
    exit 1
fi
"$python" --version
PYTHONPATH=$root "$python" scripts/debug_state.py versions
for program in exiftool ffmpeg syncthing node; do
    printf '%-10s %s\n' "$program" "$(command -v "$program" || echo 'not installed')"
done

title "Configuration: $MEDIA_PIPELINE_CONFIG"
PYTHONPATH=$root "$python" scripts/debug_state.py config
load_settings

title "Processes"
for name in supervisord web worker dbui; do
    pid=$(recall "$run_dir/$name.pid")
    if [[ -n $pid ]]; then say "$name runs as process $pid"; else say "$name does not run"; fi
done

title "Database"
PYTHONPATH=$root "$python" scripts/debug_state.py database

title "Addresses"
host=$(uname -n)
say "dashboard         http://$host:$setting_port_api/dashboard"
say "control center    http://$host:$setting_port_api/control"
say "connect a peer    http://$host:$setting_port_api/peer"
say "diagnostics       http://$host:$setting_port_api/diagnostics"
say "API and docs      http://$host:$setting_port_api/docs"
say "database browser  http://$host:$setting_port_dbui"
say "Syncthing API     $setting_syncthing_url"
say "Syncthing pages   ${setting_syncthing_gui_url:-$setting_syncthing_url}"

title "Health"
PYTHONPATH=$root "$python" scripts/debug_state.py health

title "Syncthing"
PYTHONPATH=$root "$python" scripts/debug_state.py syncthing

title "Logs in $setting_log_dir"
for log in "$setting_log_dir"/*.log; do
    [[ -s $log ]] || continue
    say "--- $log"
    tail -n 20 "$log" | PYTHONPATH=$root "$python" scripts/debug_state.py mask
done
