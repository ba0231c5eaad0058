#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Does to the pins what the service's user could, who owns them, and runs what root would.

    hostile_pins.py types PINS TCPGUARD         a map of each other type in the place of every one
    hostile_pins.py fill PINS MAP TCPGUARD      every byte of it that can be mapped: no text ends
    hostile_pins.py services PINS NAME          names all services, and says there are more, over and over
    hostile_pins.py payload                     prints what a packet must hold for
    hostile_pins.py daemon PINS PID             names another process in the settings
    hostile_pins.py rewind PINS                 which has the reader of captures take it for a record

Each command ends by itself, with an exit code, and prints no control character.
"""

import ctypes
import mmap
import os
import struct
import subprocess
import sys
import time

BPF_MAP_CREATE, BPF_OBJ_PIN, BPF_OBJ_GET, BPF_OBJ_GET_INFO_BY_FD = 0, 6, 7, 15
HASH, ARRAY, PERCPU_HASH, PERCPU_ARRAY, RINGBUF = 1, 2, 5, 6, 27
SYS_BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
EPROTO = 70  # exit code for what is not tcpguard's
PAGE = mmap.PAGESIZE
DAEMON_PID = 40  # where it is in struct tg_settings
MARK = b"tcpguard-taken-over"
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, 128)
    result = libc.syscall(SYS_BPF, command, buffer, 128)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command})")
    return result


def path_of(text):
    return ctypes.create_string_buffer(text.encode())


def get(path):
    name = path_of(path)
    return bpf(BPF_OBJ_GET, struct.pack("=QII", ctypes.addressof(name), 0, 0))


def pin(descriptor, path):
    name = path_of(path)
    bpf(BPF_OBJ_PIN, struct.pack("=QII", ctypes.addressof(name), descriptor, 0))


def info(descriptor):
    """type, key_size, value_size, max_entries"""
    out = ctypes.create_string_buffer(128)
    bpf(BPF_OBJ_GET_INFO_BY_FD, struct.pack("=IIQ", descriptor, 128, ctypes.addressof(out)))
    kind, _, key, value, entries = struct.unpack_from("=IIIII", out.raw)
    return kind, key, value, entries


def create(kind, key, value, entries):
    return bpf(BPF_MAP_CREATE, struct.pack("=IIIIII", kind, key, value, entries, 0, 0))


def faults_of(program, commands):
    faults = 0
    for command in commands:
        done = subprocess.run([program, *command], capture_output=True, timeout=60, check=False)
        said = done.stdout + done.stderr
        # A label of the metrics has what the name has, escaped as the format demands.
        controls = command != ["metrics"] and [c for c in said if (c < 0x20 and c != 0x0a) or c == 0x7f]
        if done.returncode < 0 or done.returncode >= 128 or b"Sanitizer" in said or controls:
            print(command, done.returncode, said[-300:])
            faults += 1
    return faults


def strange_types(value, entries):
    value = value or 8
    yield PERCPU_ARRAY, 4, value, entries
    yield PERCPU_HASH, 4, value, entries
    yield HASH, 4, value, entries
    yield HASH, 256, value, entries
    yield ARRAY, 4, value, entries
    yield RINGBUF, 0, 0, PAGE


def types(directory, program):
    faults = 0
    for name in sorted(os.listdir(f"{directory}/maps")):
        path = f"{directory}/maps/{name}"
        genuine = get(path)
        kind, key, value, entries = info(genuine)
        for strange in strange_types(value, min(entries, 64)):
            if strange[:3] == (kind, key, value):
                continue
            try:
                intruder = create(*strange)
            except OSError:
                continue  # the kernel has no such map
            os.unlink(path)
            pin(intruder, path)
            done = subprocess.run([program, "status"], capture_output=True, timeout=60, check=False)
            if done.returncode != EPROTO or b"another layout than this tcpguard" not in done.stderr:
                print(name, strange, done.returncode, done.stdout[-100:], done.stderr[-300:])
                faults += 1
            os.close(intruder)
            os.unlink(path)
            pin(genuine, path)
        os.close(genuine)
    return faults


READ = [command.split() for command in (
    "status", "-j stats", "flows list", "-j flows list", "flows count", "metrics", "config show", "secret status")]
CHANGE = [command.split() for command in (
    "monitor eth0", "enforce", "confirm", "revert", "upgrade --no-daemon", "-j upgrade --no-daemon",
    "upgrade --rollback --no-daemon", "doctor eth0", "attach eth0 --no-daemon", "detach eth0", "detach --purge eth0",
    "-j detach --all")]


def fill(directory, name, program):
    descriptor = get(f"{directory}/maps/{name}")
    _, _, value, entries = info(descriptor)
    size = (-(-value // 8) * 8 * entries + PAGE - 1) // PAGE * PAGE
    memory = mmap.mmap(descriptor, size)
    before, faults = memory[:], 0
    for command in READ + (CHANGE if name in ("tg_ifaces", "tg_settings") else []):
        memory[:] = (b"\xff\x1b[8m" * (size // 5 + 1))[:size]
        faults += faults_of(program, [command])
    memory[:] = before
    return faults


def services(directory, name):
    """Both configurations have had a first service of that name: its place says where all others are."""
    descriptor = get(f"{directory}/maps/tg_settings")
    memory = mmap.mmap(descriptor, (info(descriptor)[2] + PAGE - 1) // PAGE * PAGE)
    first = memory.find(name.encode())
    names = [first, memory.find(name.encode(), first + 1)]
    assert min(names) > 0
    print("begun", flush=True)
    while True:
        for at in names:
            memory[at - 600:at - 596] = b"\xff\xff\xff\xff"  # struct tg_config: services
            memory[at:at + 63 * 56:56] = b"x" * 63


def daemon(directory, pid):
    descriptor = get(f"{directory}/maps/tg_settings")
    memory = mmap.mmap(descriptor, PAGE)
    struct.pack_into("=I", memory, DAEMON_PID, int(pid))
    return 0


def payload():
    """What capture_live.c would take for a record of its first request: a gigabyte, or so it says."""
    captured = 0x3fffff00
    head = struct.pack("=QQIIIIIBBBBBB6x", 0, 0, 0, 0, 1, captured, captured, 1, 0, 0, 0, 0, 0)
    return MARK + struct.pack("=II", len(head) + captured, 0) + head


def rewind(directory):
    """Once the payload has arrived in the ring, its reader is to go on there."""
    descriptor = get(f"{directory}/maps/tg_captures")
    size = info(descriptor)[3]
    consumer = mmap.mmap(descriptor, PAGE)
    data = mmap.mmap(descriptor, PAGE + 2 * size, prot=mmap.PROT_READ, offset=PAGE)
    until = time.monotonic() + 30
    place = -1
    while place < 0 and time.monotonic() < until:
        place = data.find(MARK, PAGE, PAGE + size)
    read_to = (place - PAGE + len(MARK)) % size
    consumer[:8] = struct.pack("=Q", read_to)
    while place >= 0 and struct.unpack("=Q", consumer[:8])[0] == read_to:
        assert time.monotonic() < until, "nobody reads"
    return place < 0


def main(verb, *arguments):
    if verb == "payload":
        sys.stdout.buffer.write(payload())
        return
    verbs = {"types": types, "fill": fill, "services": services, "daemon": daemon, "rewind": rewind}
    sys.exit(verbs[verb](*arguments) > 0)


main(*sys.argv[1:])
