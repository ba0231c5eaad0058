#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes to the lists' image what the service's user could: FIELD=NUMBER of its head, here and in the settings.

    hostile_image.py PINS FIELD=NUMBER...

With rule=HEX instead the bytes of the first rule from its offset 16 on (until, reason, added, length, ipv4, list);
with disorder=NUMBER so many rules, a prefix and one inside it in turns, that expire later and later.
"""

import json
import os
import struct
import subprocess
import sys

LINE = 64
FIELDS = ["prefixes", "rules0", "rules1", "slot", "format", "reserved0", "reserved1", "seed", "lines", "direct0", "direct1",
          "level0", "level1", "nodes", "slots", "first_rule", "text", "slots_lines"]
HEAD = struct.Struct("=IIIBBBBQIIIIIIIIII")


def bpftool(*arguments):
    return subprocess.run(["bpftool", "-j", "map", *arguments], check=True, stdout=subprocess.PIPE).stdout


def words(number):
    return [f"{byte:#04x}" for byte in struct.pack("=I", number)]


def read(pin, entry):
    value = json.loads(bpftool("lookup", "pinned", pin, "key", *words(entry)))["value"]
    return bytes(int(byte, 16) for byte in value)


def write(pin, entry, value):
    bpftool("update", "pinned", pin, "key", *words(entry), "value", *(f"{byte:#04x}" for byte in value))


def disorder(image, line, rules):
    for number in range(0, rules, 2):
        write(image, line + number // 2, b"".join(
            struct.pack("=QQIIIBBBB", 0, 0xffffcb007100, 4000000000 + number, 0, 0, length, 1, 0, 0) for length in (120, 121)))


def main(pins, *changes):
    image = f"{pins}/lists/{os.listdir(f'{pins}/lists')[0]}"
    head = read(image, 0)
    fields = dict(zip(FIELDS, HEAD.unpack_from(head)))
    for change in changes:
        name, _, value = change.partition("=")
        if name == "rule":
            line = fields["first_rule"]
            rule = read(image, line)
            raw = bytes.fromhex(value)
            write(image, line, rule[:16] + raw + rule[16 + len(raw):])
        elif name == "disorder":
            disorder(image, fields["first_rule"], int(value, 0))
        else:
            assert name in fields, name
            fields[name] = int(value, 0)
    changed = HEAD.pack(*fields.values()) + head[HEAD.size:]
    settings = read(f"{pins}/maps/tg_settings", 0)
    assert settings.count(head) >= 1
    write(f"{pins}/maps/tg_settings", 0, settings.replace(head, changed))
    write(image, 0, changed)


main(*sys.argv[1:])
