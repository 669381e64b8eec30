#!/bin/sh
# Starts the container: becomes the user that shall own the files, makes what is missing, tries the folders out, then
# becomes tini and supervisord.
#
# Started as root it takes on PUID and PGID, and no process stays root's; started as another user (compose `user:`) it
# stays that user. Only our own folders are given to that user, never the media tree.
# As root it needs the capabilities CHOWN, DAC_OVERRIDE, SETGID and SETUID; as another user none.
set -eu

root=$(cd "$(dirname "$0")" && pwd -P)
export MP_ROOT="$root" MP_PYTHON="${MEDIA_PIPELINE_VENV:-/opt/venv}/bin/python"
export MP_RUN_DIR="${MP_RUN_DIR:-/run/media-pipeline}"
state=$(dirname "$MEDIA_PIPELINE_CONFIG")
media=/media

fail() {
    echo "entrypoint: $*" >&2
    exit 1
}
# The kernel lets the first process of a container ignore a signal that it has no word for; tini has one later.
trap 'exit 143' TERM INT

case ${UMASK:-022} in *[!0-7]*) fail "UMASK must be an octal number as 022, not '$UMASK'" ;; esac
umask "${UMASK:-022}"

as_owner() { "$@"; }
become_owner() { exec "$@"; }
if [ "$(id -u)" = 0 ]; then
    case ${PUID:-} in '' | *[!0-9]*) fail "PUID must be a number, not '${PUID:-}'" ;; esac
    case ${PGID:-} in '' | *[!0-9]*) fail "PGID must be a number, not '${PGID:-}'" ;; esac
    mkdir -p "$state" "$MP_RUN_DIR"
    find "$state" "$MP_RUN_DIR" ! \( -user "$PUID" -group "$PGID" \) -exec chown -h "$PUID:$PGID" {} +
    # supervisord opens its standard output by name
    chown "$PUID" /proc/self/fd/1 /proc/self/fd/2 2>/dev/null || true
    give_to_owner() { chown "$PUID:$PGID" "$1"; }
    as_owner() { setpriv --reuid "$PUID" --regid "$PGID" --clear-groups --inh-caps=-all env HOME="$state" "$@"; }
    become_owner() {
        exec setpriv --reuid "$PUID" --regid "$PGID" --clear-groups --inh-caps=-all env HOME="$state" "$@"
    }
else
    export HOME="$state"
fi

make_folder() {
    if [ -d "$1" ] || as_owner mkdir "$1" 2>/dev/null; then return; fi
    mkdir "$1" 2>/dev/null || fail "$1 cannot be made by user $(id -u); make it, or let that user write in ${1%/*}"
    give_to_owner "$1"
}
# Folders of the media tree are made here when they are missing, so that they belong to the right user. A fresh volume
# belongs to root and is empty: its top folder is handed over.
if [ "$(id -u)" = 0 ] && [ "$(stat -c %u "$media")" = 0 ] && [ "$PUID" != 0 ]; then give_to_owner "$media"; fi
for name in ingest batches archive duplicates; do make_folder "$media/$name"; done

for folder in "$state" "$MP_RUN_DIR" "$media"; do
    as_owner test -w "$folder" || fail "$folder cannot be written by user $(as_owner id -u) (PUID, PGID or user:)"
done

cd "$root"
export PYTHONPATH="$root"
set_up_by() { as_owner "$MP_PYTHON" "scripts/$1" "$MEDIA_PIPELINE_CONFIG" --media "$media" --state "$state"; }

# A command is given (`docker compose run --rm media-pipeline media-pipeline rebuild`): that alone is done, without the
# set-up, for it may be there to mend what keeps the service from starting.
if [ "$#" -gt 0 ]; then
    set_up_by write_config.py
    become_owner tini -s -- "$@"
fi

setting_port_api='' setting_db_path='' setting_dbui_enabled=''
settings=$(set_up_by prepare_container.py)
eval "$settings"
note() { printf '%s\n' "$2" | as_owner tee "$MP_RUN_DIR/$1" >/dev/null; }
note api.url "http://127.0.0.1:$setting_port_api"
note db.path "$setting_db_path"

export MP_DBUI="$setting_dbui_enabled" MP_CONSOLE_MAX_BYTES=0
export MP_WEB_CONSOLE=/dev/fd/1 MP_WORKER_CONSOLE=/dev/fd/1 MP_DBUI_CONSOLE=/dev/fd/1
become_owner tini -s -- docker/remembered.sh supervisord "$MP_PYTHON" -m supervisor.supervisord -n -c docker/supervisord.conf
