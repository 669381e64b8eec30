#!/bin/sh
# boot.sh SITE [PYTHON]: starts systemd as process 1 of namespaces of its own, over the units in SITE/units and nothing
# else. SITE is seen at /srv/site there, since units have a /tmp of their own. Nothing of the machine is changed.
# With PYTHON, the folder of a Python that every user can run then, an installer may be let loose: /etc is a copy,
# /etc/systemd/system is SITE/units, /var/lib is SITE/lib and /var/log is SITE/log.
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /srv
mkdir /srv/site
mount --bind "$1" /srv/site
# units have a /tmp and a /var/tmp of their own, whose folders would be left behind here
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /var/tmp
if [ -d /var/log/journal ]; then mount -t tmpfs tmpfs /var/log/journal; fi
mount -t tmpfs tmpfs /sys/fs/cgroup
mkdir /sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd || mount -t cgroup2 cgroup2 /sys/fs/cgroup
units=/srv/site/units
if [ -n "${2:-}" ]; then
    units=/etc/systemd/system
    cp -a /etc /run/etc
    mount --bind /run/etc /etc
    mkdir -p "$units" /srv/site/lib /srv/site/log
    mount --bind /srv/site/units "$units"
    mount --bind /srv/site/lib /var/lib
    mount --bind /srv/site/log /var/log
    case $2 in "$HOME"/*)
        mkdir /run/python
        mount --bind "$2" /run/python
        mount -t tmpfs -o mode=755 tmpfs "$HOME"
        mkdir -p "$2"
        mount --bind /run/python "$2"
        ;;
    esac
fi
exec env -i PATH="$PATH" container=other SYSTEMD_UNIT_PATH="$units" \
    /usr/lib/systemd/systemd --system --unit=boot.target --show-status=no
