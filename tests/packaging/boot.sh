#!/bin/sh
# boot.sh SITE: starts systemd as process 1 of namespaces of its own, over the units in SITE/units and nothing else.
# SITE is seen at /srv/site there, since units have a /tmp of their own. Nothing of the machine is changed.
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
exec env -i PATH="$PATH" container=other SYSTEMD_UNIT_PATH=/srv/site/units \
    /usr/lib/systemd/systemd --system --unit=boot.target --show-status=no
