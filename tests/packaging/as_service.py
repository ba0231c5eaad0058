#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a command as a unit's ExecStart would be run, without systemd as process 1.

usage: as_service.py UNIT prepare            what ExecStartPre=+ does, as root
       as_service.py UNIT run COMMAND...     user, capabilities, mounts and system calls of the unit

Of the mounts those that matter to a program that lives in the bpffs: /sys read-only, TemporaryFileSystem
and BindPaths.  To be called in a mount namespace that may be thrown away.
"""

import os
import shlex
import subprocess
import sys


def read_unit(path):
    """Every assignment, in order."""
    with open(path, encoding="utf-8") as unit:
        lines = [line.strip() for line in unit]
    return [line.partition("=")[::2] for line in lines if "=" in line and line[0] not in "#;"]


def values(unit, name):
    return [value for key, value in unit if key == name]


def prepare(unit):
    for command in values(unit, "ExecStartPre"):
        assert command[0] == "+", "only what runs as root"
        subprocess.run(shlex.split(command[1:]), check=True)


def read_groups():
    """{"@group": its members}, as this systemd knows them."""
    text = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True,
                          text=True, check=True).stdout
    groups, members = {}, []
    for line in text.splitlines():
        if line[:1] == "@":
            members = groups.setdefault(line.strip(), [])
        elif line.strip() and line.strip()[0] != "#":
            members.append(line.strip())
    return groups


def allowed(unit):
    groups = read_groups()

    def expand(name):
        return set().union(*map(expand, groups[name])) if name[0] == "@" else {name}

    calls = expand("@default")
    for line in values(unit, "SystemCallFilter"):
        named = set().union(*map(expand, line.lstrip("~").split()))
        calls = calls - named if line[0] == "~" else calls | named
    return sorted(calls)


def bind_mounts(unit):
    """Before the tmpfs hides them, what is to be seen through it is remembered by a descriptor."""
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    paths = [path.lstrip("-") for line in values(unit, "BindPaths") for path in line.split()]
    kept = {path: os.open(path, os.O_PATH) for path in paths if os.path.isdir(path)}
    subprocess.run(["mount", "-o", "remount,bind,ro", "/sys"], check=True)
    for line in values(unit, "TemporaryFileSystem"):
        path, _, options = line.partition(":")
        subprocess.run(["mount", "-t", "tmpfs", "-o", options or "defaults", "tmpfs", path], check=True)
    for path, descriptor in kept.items():
        os.makedirs(path)
        subprocess.run(["mount", "--no-canonicalize", "--bind", f"/proc/{os.getpid()}/fd/{descriptor}", path], check=True)
        os.close(descriptor)


def run(unit, unit_path, command):
    bind_mounts(unit)
    capabilities = ",".join("+" + name.removeprefix("CAP_").lower()
                            for name in values(unit, "AmbientCapabilities")[-1].split())
    user = values(unit, "User")[-1]
    os.execvp("setpriv", ["setpriv", "--reuid", user, "--regid", values(unit, "Group")[-1],
                          "--clear-groups", "--no-new-privs", "--inh-caps=-all," + capabilities,
                          "--ambient-caps=-all," + capabilities,
                          "--bounding-set=-all," + capabilities,
                          sys.executable, __file__, unit_path, "confine", *command])


def confine(unit, command):
    import seccomp  # Debian package python3-seccomp

    os.umask(int(values(unit, "UMask")[-1], 8))
    confined = seccomp.SyscallFilter(seccomp.ERRNO(1))
    for name in allowed(unit):
        try:
            confined.add_rule(seccomp.ALLOW, name)
        except (RuntimeError, ValueError, OSError):
            pass  # a call of another architecture, or younger than this libseccomp
    os.environ.pop("PYTHONPATH", None)
    confined.load()
    os.execv(command[0], command)


def main(path, verb, *command):
    unit = read_unit(path)
    if verb == "prepare":
        prepare(unit)
    elif verb == "run":
        run(unit, path, list(command))
    elif verb == "confine":
        confine(unit, list(command))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
