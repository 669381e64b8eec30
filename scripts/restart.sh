#!/usr/bin/env bash
# Stops and starts again what runs here: with the configuration and the ports that it was started with, the demo
# too. With --demo, or when MEDIA_PIPELINE_CONFIG names something, that is started then.
#
#   restart.sh [--demo]
set -euo pipefail
named=${MEDIA_PIPELINE_CONFIG:-}
# shellcheck source=scripts/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

case ${1:-} in
    '' | --demo) ;;
    -h | --help) show_help ;;
    *) unknown "$1" ;;
esac

# The scripts below are called from the checkout, where a relative path would mean something else.
export MEDIA_PIPELINE_RUN_DIR=$run_dir
[[ -z ${MEDIA_PIPELINE_VENV:-} ]] || export MEDIA_PIPELINE_VENV=$venv

if [[ -z $named && $# -eq 0 && -s $run_dir/config.path ]]; then
    MEDIA_PIPELINE_CONFIG=$(<"$run_dir/config.path")
    IFS=, read -r port_api port_dbui <"$run_dir/ports"
    export MEDIA_PIPELINE_SYSTEM__PORT_API=${MEDIA_PIPELINE_SYSTEM__PORT_API:-$port_api}
    export MEDIA_PIPELINE_SYSTEM__PORT_DBUI=${MEDIA_PIPELINE_SYSTEM__PORT_DBUI:-$port_dbui}
elif [[ -z $named ]]; then
    unset MEDIA_PIPELINE_CONFIG
fi
scripts/stop.sh
exec scripts/run.sh "$@"
