# shellcheck shell=bash disable=SC2034
# Sourced by the scripts beside it: where the checkout, its virtual environment, the configuration and
# the process files are. Leaves the shell in the checkout.
#
#   MEDIA_PIPELINE_CONFIG    the configuration file (default: /etc/media-pipeline/config.yaml when it can
#                            be read, else data/config.yaml in the checkout)
#   MEDIA_PIPELINE_VENV      a virtual environment made elsewhere, used as it is (default: .venv, kept up to date)
#   MEDIA_PIPELINE_RUN_DIR   where process files are kept (default: run in the checkout)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
called_from=$PWD

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}
show_help() { # the comment that the script begins with
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$root/scripts/${0##*/}"
    exit 0
}
unknown() { fail "unknown argument $1; try --help"; }
absolute() { # PATH, taken from where the script was called
    case $1 in
        /*) printf '%s\n' "$1" ;;
        *) printf '%s\n' "$called_from/$1" ;;
    esac
}

venv=$(absolute "${MEDIA_PIPELINE_VENV:-$root/.venv}")
python=$venv/bin/python
run_dir=$(absolute "${MEDIA_PIPELINE_RUN_DIR:-$root/run}")

if [[ -n ${MEDIA_PIPELINE_CONFIG:-} ]]; then
    MEDIA_PIPELINE_CONFIG=$(absolute "$MEDIA_PIPELINE_CONFIG")
elif [[ -r /etc/media-pipeline/config.yaml ]]; then
    MEDIA_PIPELINE_CONFIG=/etc/media-pipeline/config.yaml
else
    MEDIA_PIPELINE_CONFIG=$root/data/config.yaml
fi
export MEDIA_PIPELINE_CONFIG

cd "$root" || fail "cannot enter $root"

load_settings() { # sets the setting_* variables from the configuration in force
    local lines
    setting_port_api='' setting_port_dbui='' setting_bind_host='' setting_dbui_enabled='' setting_db_path=''
    setting_log_dir='' setting_source_dir='' setting_sorted_dir='' setting_syncthing_url='' setting_syncthing_gui_url=''
    lines=$("$python" scripts/read_settings.py) || exit 1
    eval "$lines"
}

load_system() { # sets what setup.sh --system has noted; empty for a checkout that nobody installed
    system_user='' system_state='' system_without_syncthing=''
    # shellcheck source=/dev/null
    [[ ! -e $root/.system ]] || . "$root/.system"
}

under_systemd() { # whether systemd carries this installation: then all is done by its units
    [[ -s $root/.units && -d /run/systemd/system ]] && command -v systemctl >/dev/null
}
unit_runs() { under_systemd && systemctl is-active --quiet media-pipeline.service; }

as_service() { # COMMAND... as the user that the service runs as; load_system goes before
    if [[ $(id -u) != 0 || -z $system_user || $system_user == "$(id -un)" ]]; then
        "$@"
    elif command -v setpriv >/dev/null; then
        setpriv --reuid "$system_user" --regid "$(id -g "$system_user")" --init-groups env HOME="$(eval echo "~$system_user")" "$@"
    else
        sudo -u "$system_user" -H --preserve-env "$@"
    fi
}
