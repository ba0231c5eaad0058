#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Fills a pinned map with bytes, as the service's user could, and runs what root would: hostile_maps.py MAP TCPGUARD.

Each command ends by itself, with an exit code, and prints no control character.
"""

import json
import random
import struct
import subprocess
import sys

COMMANDS = ["status", "-j status", "stats", "-j stats", "flows list", "-j flows list", "-o conntrack flows list",
            "flows count", "config show", "-j config show", "metrics", "block list", "secret status", "confirm"]


def fill(pin, value_of):
    described = json.loads(subprocess.run(["bpftool", "-j", "map", "show", "pinned", pin], check=True,
                                          stdout=subprocess.PIPE).stdout)
    for entry in range(min(described["max_entries"], 4)):
        value = value_of(described["bytes_value"])
        subprocess.run(["bpftool", "map", "update", "pinned", pin, "key", *numbers(struct.pack("=I", entry)),
                        "value", *numbers(value)], check=True)


def numbers(data):
    return [f"{byte:#04x}" for byte in data]


def controls(text):
    return [byte for byte in text if (byte < 0x20 and byte != 0x0a) or byte == 0x7f]


def main(pin, program):
    faults = 0
    random.seed(7)
    for value_of in (lambda size: b"\xff" * size, lambda size: b"\x1b[8m" * (size // 4) + b"\x1b" * (size % 4),
                     random.randbytes):
        fill(pin, value_of)
        for command in COMMANDS:
            done = subprocess.run([program, *command.split()], capture_output=True, timeout=60)
            # A label of the metrics has what the name has, escaped as the format demands.
            if done.returncode < 0 or (command != "metrics" and controls(done.stdout)) or controls(done.stderr):
                print(command, done.returncode, done.stdout[-200:], done.stderr[-200:])
                faults += 1
    sys.exit(faults > 0)


main(*sys.argv[1:])
