#!/bin/sh
# The command line in the container. `docker exec` comes in as root: what it writes shall belong to PUID and PGID.
set -eu
umask "${UMASK:-022}"
export PYTHONPATH=/opt/media-pipeline
set -- /opt/venv/bin/python -m app.cli "$@"
if [ "$(id -u)" = 0 ]; then set -- setpriv --reuid "$PUID" --regid "$PGID" --clear-groups --inh-caps=-all "$@"; fi
exec env HOME="$(dirname "$MEDIA_PIPELINE_CONFIG")" "$@"
