#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Some rows of `make bench`, derived a second time, by a program that shares no code with the first.

tcpguard is attached by its own command and its program found by id; what it is compared with, and what chooses
flows in front of it, are a few instructions put together here.  A flow is chosen by a program that writes its
address into the frame and tail-calls what is measured.  What a row did is read from `tcpguard stats`.

usage: independent.py [--rounds N] [--repeat N] [--flows N]     (as root)
"""

import argparse
import ctypes
import json
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

TCPGUARD = Path(__file__).resolve().parents[2] / "build" / "tcpguard"
CLIENTS, STRANGERS, SERVER = 0x0a000000, 0x0b000000, 0xc0000201
PORTS = (40000, 443)
HEADERS = 54  # Ethernet, IPv4, TCP

libc = ctypes.CDLL(None, use_errno=True)


# --- bpf(2) ---------------------------------------------------------------------------------------------

MAP_CREATE, MAP_LOOKUP, MAP_UPDATE, PROG_LOAD, TEST_RUN, PROG_FD_BY_ID, UPDATE_BATCH = 0, 1, 2, 5, 10, 13, 26
HASH, ARRAY, PROG_ARRAY = 1, 2, 3
XDP, ATTACH_XDP, HAS_FRAGS = 6, 37, 1 << 5
SYSCALL = {"x86_64": 321, "aarch64": 280}[os.uname().machine]


def bpf(command, layout, *values, size=128):
    attributes = ctypes.create_string_buffer(struct.pack(layout, *values), size)
    result = libc.syscall(SYSCALL, command, attributes, size)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command}): {os.strerror(ctypes.get_errno())}")
    return result, attributes.raw


def make_map(kind, key, value, entries):
    return bpf(MAP_CREATE, "=5I", kind, key, value, entries, 0)[0]


def update(fd, key, value):
    keys, values = ctypes.create_string_buffer(key), ctypes.create_string_buffer(value)
    bpf(MAP_UPDATE, "=IIQQQ", fd, 0, ctypes.addressof(keys), ctypes.addressof(values), 0)


def first_word(fd):
    key, value = ctypes.create_string_buffer(4), ctypes.create_string_buffer(8)
    bpf(MAP_LOOKUP, "=IIQQQ", fd, 0, ctypes.addressof(key), ctypes.addressof(value), 0)
    return struct.unpack("=Q", value.raw)[0]


def fill(fd, keys, value_bytes):
    """All at once: keys is bytes of so many keys of 16."""
    for at in range(0, len(keys), 16 * 65536):
        part = ctypes.create_string_buffer(keys[at:at + 16 * 65536], min(16 * 65536, len(keys) - at))
        count = len(part) // 16
        values = ctypes.create_string_buffer(count * value_bytes)
        bpf(UPDATE_BATCH, "=QQQQIIQQ", 0, 0, ctypes.addressof(part), ctypes.addressof(values), count, fd, 0, 0)


def load(instructions):
    code, license_text = ctypes.create_string_buffer(b"".join(instructions)), ctypes.create_string_buffer(b"GPL")
    log = ctypes.create_string_buffer(1 << 16)
    try:
        return bpf(PROG_LOAD, "=IIQQIIQII16sIIII", XDP, len(code) // 8, ctypes.addressof(code),
                   ctypes.addressof(license_text), 1, len(log), ctypes.addressof(log), 0, HAS_FRAGS, b"measured", 0,
                   ATTACH_XDP, 0, 0)[0]
    except OSError as error:
        raise SystemExit(f"independent.py: {error}: {log.value.decode()[-2000:]}") from error


def run(fd, frame, repeat):
    """Nanoseconds of this thread by the run."""
    data = ctypes.create_string_buffer(frame, len(frame))
    began = time.thread_time_ns()
    bpf(TEST_RUN, "=IIIIQQII", fd, 0, len(frame), 0, ctypes.addressof(data), 0, repeat, 0)
    return (time.thread_time_ns() - began) / repeat


# --- programs, put together by hand -----------------------------------------------------------------------

def ins(code, dst=0, src=0, offset=0, value=0):
    return struct.pack("=BBhi", code, dst | src << 4, offset, value)


def wide(dst, pseudo, low, high=0):
    """A map (1) or the value of an array's only entry (2)."""
    return ins(0x18, dst, pseudo, 0, low) + ins(0, value=high)


def mov(dst, value):
    return ins(0xb7, dst, value=value)


def move(dst, src):
    return ins(0xbf, dst, src)


EXIT = ins(0x95)


def call(helper):
    return ins(0x85, value=helper)


END = 0x7fff
TO_THE_END = struct.pack("=h", END)


def with_frame(body):
    """r6 = context, r7 = the frame, if it is long enough; then body, whose end is XDP_PASS."""
    slots = len(b"".join(body)) // 8
    done = 0
    patched = []
    for one in body:
        done += len(one) // 8
        patched.append(one[:2] + struct.pack("=h", slots - done) + one[4:] if one[2:4] == TO_THE_END else one)
    return [move(6, 1), ins(0x61, 7, 1, 0), ins(0x61, 2, 1, 4), move(3, 7), ins(0x07, 3, value=HEADERS),
            ins(0x2d, 3, 2, slots)] + patched + [mov(0, 2), EXIT]


def read_headers():
    """TCP over IPv4 without options?"""
    return [ins(0x69, 2, 7, 12), ins(0x55, 2, offset=END, value=0x0008), ins(0x71, 2, 7, 14),
            ins(0x55, 2, offset=END, value=0x45), ins(0x71, 2, 7, 23), ins(0x55, 2, offset=END, value=6)]


def key_on_stack(ports_apart=False):
    """
    Addresses and ports, 16 bytes at r10 - 16.  The kernel's hash reads words of 32 bits: where each port was stored
    by itself, as a struct with two fields is, the processor cannot forward the stores, and waits.
    """
    ports = [ins(0x61, 2, 7, 34), ins(0x63, 10, 2, -8)]
    if ports_apart:
        ports = [ins(0x69, 2, 7, 34), ins(0x6b, 10, 2, -8), ins(0x69, 2, 7, 36), ins(0x6b, 10, 2, -6)]
    return [ins(0x61, 2, 7, 26), ins(0x63, 10, 2, -16), ins(0x61, 2, 7, 30), ins(0x63, 10, 2, -12)] + ports + \
           [ins(0x62, 10, offset=-4, value=0)]


def parser():
    return with_frame(read_headers() + key_on_stack())


def hash_lookup(table, misses, ports_apart):
    """A look-up in a kernel's hash table, and one word of what was found changed; what is not found is counted."""
    return with_frame(read_headers() + key_on_stack(ports_apart) +
                      [wide(1, 1, table), move(2, 10), ins(0x07, 2, value=-16), call(1),
                       ins(0x55, 0, offset=2), wide(0, 2, misses),
                       ins(0x79, 1, 0, 0), ins(0x07, 1, value=1), ins(0x7b, 0, 1, 0)])


def chooser(state, programs, index, address_at):
    """
    The next flow's address goes into the frame, then on to program `index`.  state: counter, mask, base, 1 if flows
    come in order; else each is mixed from the counter (multiply, fold).
    """
    flow = [wide(8, 2, state), ins(0x79, 1, 8, 0), move(2, 1), ins(0x07, 2, value=1), ins(0x7b, 8, 2, 0),
            ins(0x79, 2, 8, 24), ins(0x55, 2, offset=10),
            ins(0x18, 3, 0, 0, 0x7f4a7c15) + ins(0, value=-0x61c88647), ins(0x2f, 1, 3), move(3, 1),
            ins(0x77, 3, value=32), ins(0xaf, 1, 3), ins(0x18, 3, 0, 0, 0x1ce4e5b9) + ins(0, value=-0x40a7b893),
            ins(0x2f, 1, 3), ins(0x77, 1, value=29),
            ins(0x79, 2, 8, 8), ins(0x5f, 1, 2), ins(0x79, 2, 8, 16), ins(0x0f, 1, 2), ins(0xdc, 1, value=32),
            ins(0x63, 7, 1, address_at)]
    return with_frame(flow + [move(1, 6), wide(2, 1, programs), mov(3, index), call(12)])


# --- frames -----------------------------------------------------------------------------------------------

def ones_sum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def frame(source, destination, ports, seq, ack, flags):
    ip = struct.pack("!BBHHHBBHII", 0x45, 0, 40, 1, 0x4000, 64, 6, 0, source, destination)
    ip = ip[:10] + struct.pack("!H", ones_sum(ip)) + ip[12:]
    tcp = struct.pack("!HHIIBBHHH", *ports, seq, ack, 0x50, flags, 0xfaf0, 0, 0)
    tcp = tcp[:16] + struct.pack("!H", ones_sum(ip[12:] + struct.pack("!HH", 6, 20) + tcp)) + tcp[18:]
    return b"\x02\0\0\0\0\x02" + b"\x02\0\0\0\0\x01" + b"\x08\0" + ip + tcp


def from_client(seq, ack, flags, source=CLIENTS):
    return frame(source, SERVER, PORTS, seq, ack, flags)


ACK_FRAME = from_client(101, 501, 0x10)
HANDSHAKE = [(26, from_client(100, 0, 0x02)), (30, frame(SERVER, CLIENTS, PORTS[::-1], 500, 101, 0x12)),
             (26, ACK_FRAME)]


# --- what is measured -------------------------------------------------------------------------------------

def command(words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"independent.py: {' '.join(map(str, words))}: {done.stdout}")
    return done.stdout


def counters():
    rows = json.loads(command([TCPGUARD, "-j", "stats"]))["interfaces"][0]["reasons"]
    return {row["name"]: row["packets"] for row in rows}


def attach(flows):
    """The attached program's descriptor: of all that is loaded, the one the interface names."""
    command(["ip", "link", "add", "d0", "type", "veth", "peer", "name", "p0"])
    command(["ip", "link", "set", "d0", "up"])
    command([TCPGUARD, "attach", "d0", "--no-daemon", "--no-seed", "--profile", "gateway", "--synflood", "off",
             "--learn", "0s", "--max-flows", str(flows)])
    link = json.loads(command(["ip", "-j", "-d", "link", "show", "d0"]))[0]
    return bpf(PROG_FD_BY_ID, "=I", link["xdp"]["prog"]["id"])[0]


class Bench:
    def __init__(self, options):
        self.options = options
        self.guard = attach(options.flows * 2)
        self.table = make_map(HASH, 16, 128, options.flows)
        self.state = make_map(ARRAY, 4, 32, 1)
        self.misses = make_map(ARRAY, 4, 8, 1)
        self.programs = make_map(PROG_ARRAY, 4, 4, 8)
        self.fds = {"empty": load([mov(0, 2), EXIT]), "parser": load(parser()),
                    "HASH": load(hash_lookup(self.table, self.misses, False)),
                    "HASH, ports apart": load(hash_lookup(self.table, self.misses, True)), "tcpguard": self.guard}
        for index, fd in enumerate(self.fds.values()):
            update(self.programs, struct.pack("=I", index), struct.pack("=I", fd))
        self.choosers = {(name, at): load(chooser(self.state, self.programs, index, at))
                         for index, name in enumerate(self.fds) for at in (26, 30)}
        self.counter = 1

    def choose(self, base, in_order=False, counter=None):
        counter = self.counter if counter is None else counter
        update(self.state, struct.pack("=I", 0),
               struct.pack("=4Q", counter, self.options.flows - 1, base, in_order))

    def fill(self):
        flows = self.options.flows
        for at, packet in HANDSHAKE:
            self.choose(CLIENTS, True, 0)
            run(self.choosers["tcpguard", at], packet, flows)
        fill(self.table, b"".join(struct.pack("!IIHHI", CLIENTS + flow, SERVER, *PORTS, 0) for flow in range(flows)),
             128)

    def random(self, name, packet, base):
        """Every program is given the same flows in a round."""
        self.choose(base)
        return run(self.choosers[name, 26], packet, self.options.repeat)

    def rows(self):
        stray = from_client(101, 501, 0x10, STRANGERS)
        return [(f"one flow: {name}", None if name != "tcpguard" else "ok",
                 lambda name=name: run(self.fds[name], ACK_FRAME, self.options.repeat)) for name in self.fds] + \
               [(f"random flows: {name}", None if name != "tcpguard" else "ok",
                 lambda name=name: self.random(name, ACK_FRAME, CLIENTS)) for name in self.fds] + \
               [("stray: parser", None, lambda: self.random("parser", stray, STRANGERS)),
                ("stray: tcpguard", "no_flow", lambda: self.random("tcpguard", stray, STRANGERS))]

    def measure(self):
        """Minima of the rounds; a row whose packets were not judged as they should have been ends it."""
        found = {}
        for _ in range(self.options.rounds):
            for name, reason, row in self.rows():
                before = counters() if reason else {}
                ns = row()
                if reason and counters()[reason] - before.get(reason, 0) != self.options.repeat:
                    raise SystemExit(f"independent.py: {name}: not every packet was {reason}: {counters()}")
                found.setdefault(name, []).append(ns)
            self.counter += self.options.repeat
        if first_word(self.misses):
            raise SystemExit(f"independent.py: HASH missed {first_word(self.misses)} times")
        return {name: min(values) for name, values in found.items()}


def main():
    parser_of_arguments = argparse.ArgumentParser()
    parser_of_arguments.add_argument("--rounds", type=int, default=9)
    parser_of_arguments.add_argument("--repeat", type=int, default=1_000_000)
    parser_of_arguments.add_argument("--flows", type=int, default=1 << 20)
    options = parser_of_arguments.parse_args()
    if options.flows & (options.flows - 1) or not 1 < options.flows <= 1 << 24:
        parser_of_arguments.error("--flows must be a power of two, at most 16777216")
    if os.geteuid():
        raise SystemExit("independent.py: needs root")
    if "TG_INDEPENDENT" not in os.environ:
        os.environ["TG_INDEPENDENT"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, *sys.argv])
    command(["mount", "-t", "sysfs", "sysfs", "/sys"])
    command(["mount", "-t", "bpf", "bpf", "/sys/fs/bpf"])
    bench = Bench(options)
    bench.fill()
    least = bench.measure()
    for name, ns in least.items():
        print(f"{name:32} {ns:7.1f} ns")
    print("net of the parser:")
    for kind in ("one flow", "random flows"):
        guard, *tables = (least[f"{kind}: {name}"] - least[f"{kind}: parser"]
                          for name in ("tcpguard", "HASH", "HASH, ports apart"))
        print(f"{kind:32} tcpguard {guard:.1f} ns, HASH {tables[0]:.1f} ns, ratio {guard / tables[0]:.2f}; "
              f"ports apart {tables[1]:.1f} ns, {guard / tables[1]:.2f}")
    print(f"{'stray':32} tcpguard {least['stray: tcpguard'] - least['stray: parser']:.1f} ns")


if __name__ == "__main__":
    main()
