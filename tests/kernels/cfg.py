# SPDX-License-Identifier: GPL-2.0-or-later
"""The order of a BPF program's instructions, as the verifiers of kernels before 6.12 walk it: depth first,
the fall-through of an instruction that does not jump must not lead back into the path walked.  They refuse
such a loop with "back-edge from insn N to M", whatever bounds it; newer ones do not mind, and whether clang
lays a loop out that way is luck.
"""

import struct

SHT_PROGBITS, SHT_SYMTAB, SHF_EXECINSTR, STT_FUNC = 1, 2, 4, 2
LD_IMM64, CALL, EXIT, JA, JA32 = 0x18, 0x85, 0x95, 0x05, 0x06
CLASS_JUMP, CLASS_JUMP32 = 5, 6


def sections(data):
    """[(name, type, flags, offset, size, link)] of a 64-bit ELF object."""
    table, = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    rows = [struct.unpack_from("<IIQQQQIIQQ", data, table + size * i) for i in range(count)]
    strings = rows[names][4]
    return [(text(data, strings + row[0]), row[1], row[2], row[4], row[5], row[6]) for row in rows]


def text(data, offset):
    return data[offset:data.index(b"\0", offset)].decode()


def functions(data):
    """{name: [instruction]} of every function; an instruction is (opcode, destination and source, jump)."""
    rows, found = sections(data), {}
    for _, kind, _, offset, size, link in rows:
        if kind != SHT_SYMTAB:
            continue
        strings = rows[link][3]
        for at in range(offset, offset + size, 24):
            name, info, _, section, value, length = struct.unpack_from("<IBBHQQ", data, at)
            if info & 15 == STT_FUNC and section < len(rows) and rows[section][2] & SHF_EXECINSTR:
                start = rows[section][3] + value
                code = data[start:start + length]
                found[text(data, strings + name)] = [(op, jump, immediate) for op, _, jump, immediate in
                                                     struct.iter_unpack("<BBhi", code)]
    return found


def edges(code, at):
    """[(next instruction, may it lead back)]."""
    opcode, jump, immediate = code[at]
    after = at + (2 if opcode == LD_IMM64 else 1)
    if opcode == EXIT:
        return []
    if opcode in (JA, JA32):
        return [(at + 1 + (jump if opcode == JA else immediate), True)]
    if opcode & 7 in (CLASS_JUMP, CLASS_JUMP32) and opcode != CALL:
        return [(after, True), (at + 1 + jump, True)]
    return [(after, False)]


def refused_back_edges(code):
    """[(from, to)] of what those verifiers refuse."""
    path, walked, taken, refused = [0], set(), {}, []
    on_path = {0}
    while path:
        at = path[-1]
        ways, number = edges(code, at), taken.get(at, 0)
        if number == len(ways):
            walked.add(at)
            on_path.discard(path.pop())
            continue
        taken[at] = number + 1
        to, may = ways[number]
        if to in on_path and not may:
            refused.append((at, to))
        if to not in on_path and to not in walked:
            on_path.add(to)
            path.append(to)
    return refused
