#!/usr/bin/env bash
# Installs what the tests need and runs them.
#
#   test.sh                 ruff, mypy, import contracts, shell syntax, then every test
#                           (of the kill sweeps a sample; `make torture` runs them whole)
#   test.sh ARGUMENTS...    pytest with these arguments only
#
# As root where apt-get exists, missing programs are installed; elsewhere they are named and the script fails:
# a test that cannot run is a failure, never a skip.
set -euo pipefail
# shellcheck source=scripts/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

#: program and the Debian package that brings it
needed=(
    exiftool:libimage-exiftool-perl ffmpeg:ffmpeg syncthing:syncthing chromium:chromium strace:strace
    setpriv:util-linux ps:procps git:git mkfs.ext4:e2fsprogs mkfs.xfs:xfsprogs systemd-analyze:systemd
    promtool:prometheus mkfs.btrfs:btrfs-progs mkfs.exfat:exfatprogs mount.exfat-fuse:exfat-fuse ntfs-3g:ntfs-3g
    mergerfs:mergerfs bindfs:bindfs fusermount3:fuse3
    mosquitto:mosquitto nginx:nginx-light caddy:caddy apache2:apache2-bin haproxy:haproxy debootstrap:debootstrap
)

# Debian keeps servers and makers of file systems where an ordinary user does not look
export PATH=$PATH:/usr/sbin:/sbin

install_programs() {
    local entry missing=()
    for entry in "${needed[@]}"; do
        command -v "${entry%%:*}" >/dev/null || missing+=("${entry##*:}")
    done
    ((${#missing[@]})) || return 0
    if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
        fail "the tests need: ${missing[*]}. Install them (Debian: sudo apt-get install ${missing[*]}) and start again."
    fi
    say "Installing ${missing[*]} ..."
    DEBIAN_FRONTEND=noninteractive apt-get update -qq
    # a runlevel in which no service is started: the tests start what they need
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

install_programs
# tests never touch the configuration of this machine
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
MEDIA_PIPELINE_CONFIG=$state/config.yaml scripts/setup.sh --dev
unset MEDIA_PIPELINE_CONFIG

if (($#)); then
    "$python" -m pytest "$@"
    exit
fi

"$python" -m ruff check .
"$python" -m mypy
"$venv/bin/lint-imports" --config .importlinter
for script in scripts/*.sh docker/*.sh entrypoint.sh .ci/run; do
    bash -n "$script"
done
# two at a time: most tests wait for a process, a disk or a peer
"$python" -m pytest -n 2 --dist loadfile --durations=30
