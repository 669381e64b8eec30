#!/usr/bin/env bash
# Stops and starts again; arguments go to run.sh.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
"$here/stop.sh"
exec "$here/run.sh" "$@"
