# SPDX-License-Identifier: GPL-2.0-or-later
"""The stack a BPF program needs with all it calls, as kernels before 6.7 add it up: each function's frame
rounded up to 32 bytes.  512 bytes are allowed.
"""

import struct

import cfg

SHT_REL, STT_FUNC, SYMBOL_BYTES = 9, 2, 24
FRAME_POINTER, LDX, ST, STX, MOV64, ADD64, CALL, PSEUDO_CALL = 10, 1, 2, 3, 0xbf, 0x07, 0x85, 1
UNIT = 32


def symbols(data, rows):
    """[(name, is a function, section, value, size)], and the section names stand in for themselves."""
    _, _, _, offset, size, link = next(row for row in rows if row[1] == cfg.SHT_SYMTAB)
    found = []
    for at in range(offset, offset + size, SYMBOL_BYTES):
        name, info, _, section, value, length = struct.unpack_from("<IBBHQQ", data, at)
        found.append((cfg.text(data, rows[link][3] + name), info & 15 == STT_FUNC, section, value, length))
    return found


def relocations(data, table):
    """{(section, offset): symbol}"""
    start, = struct.unpack_from("<Q", data, 0x28)
    size, count = struct.unpack_from("<HH", data, 0x3A)
    found = {}
    for i in range(count):
        row = struct.unpack_from("<IIQQQQIIQQ", data, start + size * i)
        if row[1] != SHT_REL:
            continue
        for at in range(row[4], row[4] + row[5], 16):
            offset, info = struct.unpack_from("<QQ", data, at)
            found[row[7], offset] = table[info >> 32]
    return found


def frame(code):
    """Bytes below the frame pointer that a function touches, or takes the address of."""
    lowest, copies = 0, set()
    for opcode, registers, jump, immediate in code:
        to, source = registers & 15, registers >> 4
        if opcode & 7 == LDX and source == FRAME_POINTER or opcode & 7 in (ST, STX) and to == FRAME_POINTER:
            lowest = min(lowest, jump)
        if opcode == ADD64 and to in copies:
            lowest = min(lowest, immediate)
        if opcode == MOV64 and source == FRAME_POINTER:
            copies.add(to)
        elif opcode & 7 not in (ST, STX):
            copies.discard(to)
    return -lowest


def functions(data):
    """{name: (bytes of its frame, {names of what it calls})}"""
    rows = cfg.sections(data)
    table = symbols(data, rows)
    relocated = relocations(data, table)
    known = [row for row in table if row[1] and 0 < row[2] < len(rows) and rows[row[2]][2] & cfg.SHF_EXECINSTR]
    names = {(section, value): name for name, _, section, value, _ in known}
    found = {}
    for name, _, section, value, length in known:
        start = rows[section][3] + value
        code = list(struct.iter_unpack("<BBhi", data[start:start + length]))
        calls = set()
        for number, (opcode, registers, _, immediate) in enumerate(code):
            if opcode != CALL or registers >> 4 != PSEUDO_CALL:
                continue
            at = value + 8 * number
            symbol = relocated.get((section, at))
            if symbol and symbol[1]:
                calls.add(symbol[0])
            elif symbol:  # a section, or nothing: a function of the kernel's
                calls.add(names.get((symbol[2], symbol[3] + 8 * (immediate + 1))))
            else:
                calls.add(names[section, at + 8 * (immediate + 1)])
        found[name] = (frame(code), calls - {None})
    return found


def deepest(known, name):
    """(bytes, [names]) of the chain of calls from name that needs most."""
    own, calls = known[name]
    below = max((deepest(known, callee) for callee in calls if callee in known), default=(0, []))
    return -(-max(own, 1) // UNIT) * UNIT + below[0], [f"{name} {own}", *below[1]]
