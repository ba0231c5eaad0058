#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Loads "r0 = XDP_PASS; exit" as an XDP program, or "r0 = TC_ACT_SHOT; exit" as one of TC, and pins it.

usage: foreign_xdp.py PIN [tc]
"""

import ctypes
import os
import struct
import sys

NR_BPF = {"x86_64": 321, "aarch64": 280, "riscv64": 280}[os.uname().machine]
BPF_PROG_LOAD, BPF_OBJ_PIN, SCHED_CLS, XDP = 5, 6, 3, 6
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    result = libc.syscall(NR_BPF, command, ctypes.create_string_buffer(attributes, len(attributes)),
                          len(attributes))
    if result < 0:
        raise OSError(ctypes.get_errno(), "bpf")
    return result


code = ctypes.create_string_buffer(struct.pack("<BBhiBBhi", 0xb7, 0, 0, 2, 0x95, 0, 0, 0))
licence = ctypes.create_string_buffer(b"GPL")
program = bpf(BPF_PROG_LOAD, struct.pack(
    "<IIQQIIQII16s", SCHED_CLS if sys.argv[2:] == ["tc"] else XDP, 2, ctypes.addressof(code), ctypes.addressof(licence), 0, 0, 0, 0, 0,
    b"somebody"))
path = ctypes.create_string_buffer(sys.argv[1].encode())
bpf(BPF_OBJ_PIN, struct.pack("<QI", ctypes.addressof(path), program))
