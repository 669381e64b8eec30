# shellcheck shell=bash
# Sourced after environment.sh: what the program needs from the system, by APT, DNF, YUM or Homebrew.
# Without one of them, or without root, what is missing is named instead.

#: The oldest Python that the program runs on.
oldest_python='(3, 11)'

find_python() { # -> a Python new enough that can make virtual environments
    local candidate
    for candidate in "${MEDIA_PIPELINE_PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        [[ -n $candidate ]] || continue
        command -v "$candidate" >/dev/null || continue
        if "$candidate" -c "import sys, venv, ensurepip; sys.exit(sys.version_info < $oldest_python)" 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

package_manager() { # -> apt-get, dnf, yum or brew
    local name
    for name in apt-get dnf yum brew; do
        if command -v "$name" >/dev/null; then
            printf '%s\n' "$name"
            return
        fi
    done
}

changing() { # COMMAND... or, in a dry run, its words
    if [[ -n ${dry_run:-} ]]; then say "would run: $*"; else "$@"; fi
}

install_packages() { # PACKAGE... Fails when the package manager does
    local manager
    manager=$(package_manager)
    say "Installing $* ..."
    case $manager in
        apt-get)
            export DEBIAN_FRONTEND=noninteractive
            changing apt-get update -qq
            changing apt-get install -y -qq --no-install-recommends "$@" >"${package_log:-/dev/stdout}"
            ;;
        dnf | yum) changing "$manager" install -y -q "$@" ;;
        # Homebrew refuses to run as root
        brew) changing ${SUDO_USER:+sudo -u "$SUDO_USER"} brew install --quiet "$@" ;;
    esac
}

may_install() { # whether packages are ours to install
    case $(package_manager) in
        '') return 1 ;;
        brew) [[ $(id -u) != 0 || -n ${SUDO_USER:-} ]] ;;
        *) [[ $(id -u) == 0 || -n ${dry_run:-} ]] ;;
    esac
}

require() { # PACKAGE... install them, or say that they are missing
    may_install || fail "missing: $*. Install them with your package manager, as root, and start again."
    install_packages "$@" || fail "$(package_manager) could not install $*. Mend what it says above and start again."
}

require_python() {
    [[ -z $(find_python) ]] || return 0
    case $(package_manager) in
        apt-get) require python3 python3-venv ;;
        brew) require python@3.13 ;;
        *)
            require python3
            # RHEL 9 and its kin call an older one python3
            [[ -n $(find_python) || -n ${dry_run:-} ]] || require python3.12
            ;;
    esac
    [[ -n $(find_python) || -n ${dry_run:-} ]] ||
        fail "no Python 3.11 or newer can be had here. Install one, name it in MEDIA_PIPELINE_PYTHON, and start again."
}

wish() { # PROGRAM PACKAGE WHY: installed when it can be had, else said
    ! command -v "$1" >/dev/null || return 0
    if ! may_install || ! install_packages "$2"; then
        say "$2 could not be installed: $3" >&2
    fi
}

exiftool_package() {
    case $(package_manager) in
        apt-get) echo libimage-exiftool-perl ;;
        dnf | yum) echo perl-Image-ExifTool ;;
        *) echo exiftool ;;
    esac
}

install_requirements() { # Python is needed; the others are worth having
    require_python
    command -v tar >/dev/null || require tar
    wish exiftool "$(exiftool_package)" "dates of some raw files and films will not be read. On RHEL and its kin it is in EPEL."
    [[ -n ${without_syncthing:-} ]] ||
        wish syncthing syncthing "deliver to a folder, or install it from syncthing.net. On RHEL and its kin it is in EPEL."
}
