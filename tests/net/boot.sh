#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Becomes systemd, as process 1 of a machine that has tcpguard installed: this one, with layers of memory
# over its files.  usage: boot.sh ROOT LAYER CGROUPS, in new mount, pid, cgroup and other namespaces, the
# network's excepted; ROOT is what `make install DESTDIR=ROOT` made, LAYER an empty directory in memory,
# CGROUPS where to mount our part of the hierarchy.
set -eu
root=$1 layer=$2

# Everything the real machine could notice: settings of the kernel, devices, its files.
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -t tmpfs -o mode=755 dev "$layer"
mkdir -p "$layer"/dev/{pts,shm,mqueue,hugepages}
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$layer/dev/pts"
ln -s pts/ptmx "$layer/dev/ptmx"
for node in null zero full random urandom tty; do
	touch "$layer/dev/$node"
	mount --bind "/dev/$node" "$layer/dev/$node"
done
[ ! -e "$root/lib" ] || cp -a "$root/lib" "$root/usr/" # /lib is a link to usr/lib
for directory in etc usr var; do
	mkdir -p "$layer/$directory" "$layer/$directory.work"
	[ ! -e "$root/$directory" ] || cp -a "$root/$directory/." "$layer/$directory"
	mount -t overlay "over-$directory" "/$directory" \
		-o "lowerdir=/$directory,upperdir=$layer/$directory,workdir=$layer/$directory.work"
done
mount --rbind "$layer/dev" /dev
mount -t tmpfs tmpfs /run
mount -t tmpfs sysfs-cgroup /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup

# The journal, and nothing else that a machine starts by itself.
units=/usr/lib/systemd/system
rm -rf $units/{sysinit,local-fs,multi-user,timers,sockets,basic}.target.wants \
	/etc/systemd/system/*.wants
mkdir $units/sysinit.target.wants
ln -s ../systemd-journald.service $units/sysinit.target.wants/
printf '[Unit]\nRequires=basic.target\n' > $units/tested.target
export container=other
exec /usr/lib/systemd/systemd --system --unit=tested.target --log-target=journal
