#!/bin/sh
# Starts the container: becomes the user that shall own the files, makes what is missing, then supervisord.
#
# Started as root it takes on PUID and PGID; started as another user (compose `user:`) it stays that user.
# Only our own folders are given to that user, never the media tree.
set -eu

root=$(cd "$(dirname "$0")" && pwd -P)
export MP_ROOT="$root" MP_PYTHON="${MEDIA_PIPELINE_VENV:-/opt/venv}/bin/python"
export MP_RUN_DIR="${MP_RUN_DIR:-/run/media-pipeline}"
state=$(dirname "$MEDIA_PIPELINE_CONFIG")
media=/media
umask "${UMASK:-022}"

fail() {
    echo "entrypoint: $*" >&2
    exit 1
}

as_owner() { "$@"; }
become_owner() { exec "$@"; }
if [ "$(id -u)" = 0 ]; then
    case ${PUID:-} in '' | *[!0-9]*) fail "PUID must be a number, not '${PUID:-}'" ;; esac
    case ${PGID:-} in '' | *[!0-9]*) fail "PGID must be a number, not '${PGID:-}'" ;; esac
    mkdir -p "$state" "$MP_RUN_DIR"
    find "$state" "$MP_RUN_DIR" ! \( -user "$PUID" -group "$PGID" \) -exec chown -h "$PUID:$PGID" {} +
    # folders of the media tree are made here when they are missing, so that they belong to the right user
    for name in . ingest batches archive duplicates; do
        [ -d "$media/$name" ] || { mkdir "$media/$name" && chown "$PUID:$PGID" "$media/$name"; }
    done
    # a fresh volume belongs to root and is empty but for what was just made: hand its top folder over
    if [ "$(stat -c %u "$media")" = 0 ] && [ "$PUID" != 0 ]; then chown "$PUID:$PGID" "$media"; fi
    # supervisord opens its standard output by name
    chown "$PUID" /proc/self/fd/1 /proc/self/fd/2 2>/dev/null || true
    as_owner() { setpriv --reuid "$PUID" --regid "$PGID" --clear-groups --inh-caps=-all env HOME="$state" "$@"; }
    become_owner() {
        exec setpriv --reuid "$PUID" --regid "$PGID" --clear-groups --inh-caps=-all env HOME="$state" "$@"
    }
fi

for folder in "$state" "$MP_RUN_DIR" "$media"; do
    as_owner test -w "$folder" || fail "$folder cannot be written by user $(as_owner id -u) (PUID, PGID or user:)"
done

cd "$root"
export PYTHONPATH="$root"
as_owner "$MP_PYTHON" scripts/write_config.py "$MEDIA_PIPELINE_CONFIG" --media "$media" --state "$state"

# A command is given (`docker compose run --rm media-pipeline media-pipeline rebuild`): that alone is done, without the
# set-up, for it may be there to mend what keeps the service from starting.
if [ "$#" -gt 0 ]; then become_owner "$@"; fi

as_owner "$MP_PYTHON" -m app.cli setup

setting_port_api='' setting_db_path='' setting_dbui_enabled=''
settings=$(as_owner "$MP_PYTHON" scripts/read_settings.py)
eval "$settings"
note() { printf '%s\n' "$2" | as_owner tee "$MP_RUN_DIR/$1" >/dev/null; }
note api.url "http://127.0.0.1:$setting_port_api"
note db.path "$setting_db_path"

export MP_DBUI="$setting_dbui_enabled" MP_CONSOLE_MAX_BYTES=0
export MP_WEB_CONSOLE=/dev/fd/1 MP_WORKER_CONSOLE=/dev/fd/1 MP_DBUI_CONSOLE=/dev/fd/1
become_owner docker/remembered.sh supervisord "$MP_PYTHON" -m supervisor.supervisord -n -c docker/supervisord.conf
