# shellcheck shell=bash
# Sourced by setup.sh --system: the user, the folders, Syncthing and the units of an installation that stays.
# Everything is made when it is missing and left alone when it is there.

#: The folder with the units of this machine.
units=${MEDIA_PIPELINE_UNITS:-/etc/systemd/system}

systemd_runs() { [[ -d /run/systemd/system ]] && command -v systemctl >/dev/null; }

make_user() { # sets group and home
    if ! id "$system_user" >/dev/null 2>&1; then
        command -v useradd >/dev/null || fail "there is no user $system_user. Make it, or name another with --user."
        say "Making the user $system_user ..."
        useradd --system --user-group --home-dir "$system_state" --no-create-home \
            --shell "$(command -v nologin || echo /bin/false)" "$system_user"
    fi
    group=$(id -gn "$system_user")
    home=$(eval echo "~$system_user")
}

default_user() { # whom the settings belong to; a new one where users can be made, else the person who installs
    if [[ -e $MEDIA_PIPELINE_CONFIG ]]; then
        ls -ld "$MEDIA_PIPELINE_CONFIG" | awk '{ print $3 }'
    elif command -v useradd >/dev/null; then
        echo media-pipeline
    else
        echo "${SUDO_USER:-root}"
    fi
}

note_system() { # for the scripts that come later
    printf 'system_user=%q system_state=%q system_without_syncthing=%q\n' \
        "$system_user" "$system_state" "$system_without_syncthing" >"$root/.system"
}

own_folder() { # FOLDER MODE: made for the user; one that is there keeps its owner
    [[ ! -d $1 ]] || return 0
    mkdir -p "$1"
    chmod "$2" "$1"
    chown "$system_user:$group" "$1"
}

system_folders() {
    own_folder "$(dirname "$MEDIA_PIPELINE_CONFIG")" 750
    own_folder "$system_state" 755
    own_folder "$log_dir" 750
    own_folder "$run_dir" 755
}

syncthing_config() { # -> the user's config.xml of Syncthing, when it is there
    local file
    for file in "$home/.local/state/syncthing/config.xml" "$home/.config/syncthing/config.xml"; do
        if [[ -s $file ]]; then
            printf '%s\n' "$file"
            return
        fi
    done
}

system_syncthing() { # enabled for the user, and reachable from other machines
    local before file waited=0
    [[ -z $system_without_syncthing ]] && command -v syncthing >/dev/null || return 0
    if systemd_runs; then
        systemctl enable --now "syncthing@$system_user.service"
        until [[ -n $(syncthing_config) ]] || ((waited++ >= 30)); do sleep 1; done
    elif [[ -z $(syncthing_config) ]]; then
        as_service syncthing generate >/dev/null 2>&1 || true
        say "No systemd runs here: start Syncthing yourself, as the user $system_user."
    fi
    file=$(syncthing_config)
    if [[ -z $file ]]; then
        say "Syncthing has no settings of $system_user yet: start it as $system_user, then run scripts/configure_syncthing.py." >&2
        return
    fi
    before=$(cksum "$file")
    as_service "$python" "$root/scripts/configure_syncthing.py" --config "$file" >/dev/null
    if systemd_runs && [[ $(cksum "$file") != "$before" ]]; then
        systemctl restart "syncthing@$system_user.service"
    fi
}

system_units() {
    systemd_runs || [[ -n ${MEDIA_PIPELINE_UNITS:-} ]] || return 0
    "$python" scripts/system_units.py --install-dir "$root" --user "$system_user" --config "$MEDIA_PIPELINE_CONFIG" \
        --python "$python" --into "$units" >"$root/.units"
    systemd_runs || return 0
    systemctl daemon-reload
    systemctl enable media-pipeline.service
}

prepare_system() { # user and folders; sets state and log_dir
    umask 022
    system_state=${MEDIA_PIPELINE_STATE:-${system_state:-/var/lib/media-pipeline}}
    state=$system_state
    log_dir=$state/logs
    [[ $state != /var/lib/media-pipeline ]] || log_dir=/var/log/media-pipeline
    system_user=${system_user:-$(default_user)}
    make_user
    system_folders
    note_system
}
