#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the seeds of tests/fuzz/corpus: inputs made by hand, from which the fuzzers start.

usage: seeds.py

What the fuzzers added bears the SHA-1 names libFuzzer gives; seeds have names.
"""

import gzip
import struct
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "data"
FIN, SYN, RST, ACK = 1, 2, 4, 16
LO, HI = 0, 1


def save(target, name, content):
    path = HERE / "corpus" / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


# --- path: scripts of fuzz_path.c -------------------------------------------------------------------

def step(side, flags, seq=0, ack=0, seq_offset=0, ack_offset=0, payload=0, options=0, window=200, flow=0,
         kind=0, own=0):
    """Anchors 0 and offsets 0 mean: the next number in order."""
    return bytes([side | flow << 1 | own << 5 | kind << 6, flags, seq | ack << 4, seq_offset, ack_offset,
                  payload, options, window])


def world(change, advance):
    return bytes([3 << 6, change, 0, advance, 0, 0, 0, 0])


def handshake(flow=0, own=0):
    return (step(LO, SYN, seq_offset=100, options=0x71, flow=flow) +
            step(HI, SYN | ACK, seq_offset=50, options=0x71, flow=flow, own=own) +
            step(LO, ACK, flow=flow))


def path_seeds():
    talk = handshake() + step(LO, ACK, payload=100) + step(HI, ACK, payload=200) + step(LO, ACK)
    close = step(LO, FIN | ACK) + step(HI, ACK) + step(HI, FIN | ACK) + step(LO, ACK)
    plain = bytes([0])
    save("path", "orderly", plain + talk + close)
    save("path", "ipv6_gateway", bytes([8 | 64]) + handshake(flow=9) + step(LO, ACK, payload=9, flow=9))
    save("path", "host_own", plain + handshake(own=1) + step(HI, ACK, payload=250, own=1) + step(LO, ACK))
    save("path", "reset", plain + talk + step(LO, RST) + step(HI, ACK, payload=5) + step(LO, SYN))
    save("path", "reset_undone", plain + talk + step(HI, RST) + step(HI, ACK, payload=9) + step(LO, ACK))
    save("path", "simultaneous_open", plain + step(LO, SYN, seq_offset=9) + step(HI, SYN, seq_offset=70) +
         step(LO, SYN | ACK, seq=6) + step(HI, SYN | ACK, seq=6))
    save("path", "crossing_fins", plain + talk + step(LO, FIN | ACK) + step(HI, FIN | ACK, ack_offset=0x81) +
         step(LO, ACK) + step(HI, ACK))
    save("path", "reuse", plain + talk + close + step(LO, SYN, seq_offset=99) + world(0, 24) +
         step(LO, SYN, seq_offset=99))
    save("path", "challenge", plain + talk + step(LO, SYN, seq_offset=120) + step(HI, ACK) + step(LO, RST))
    save("path", "reopen", plain + talk + step(LO, SYN, seq_offset=120, options=0x51) +
         step(HI, SYN | ACK, seq_offset=77, ack=8, ack_offset=1) + step(LO, ACK))
    save("path", "learning", bytes([4 | 8]) + step(LO, ACK, seq_offset=100, ack_offset=80, payload=50) +
         step(HI, ACK, payload=50) + step(LO, ACK))
    save("path", "one_way", bytes([16]) + b"".join(
        step(LO, ACK, seq_offset=122 if i == 20 else 0, payload=9) + world(0, 13) for i in range(24)))
    save("path", "monitor", bytes([2]) + talk + step(LO, ACK, seq=4, seq_offset=1, payload=9) + close)
    save("path", "strict", bytes([1]) + talk + step(LO, ACK, seq=10, seq_offset=0x85) + close)
    save("path", "full_table", plain + b"".join(handshake(flow=i) for i in range(12)))
    save("path", "syn_flood", plain + b"".join(step(LO, SYN, flow=i % 16, seq_offset=i) for i in range(40)))
    save("path", "icmp", plain + talk + step(LO, ACK, kind=2, window=0) + step(HI, ACK, kind=2, window=0))
    save("path", "fragments", bytes([64]) + handshake(flow=9) +
         step(LO, ACK, payload=90, flow=9, kind=2, window=2) + step(HI, ACK, flow=9))
    save("path", "expiry", plain + handshake() + world(0, 24) * 12 + step(LO, ACK, payload=3))
    save("path", "vouched", bytes([32]) + step(LO, ACK, seq_offset=99) + step(HI, ACK))


# --- frames -----------------------------------------------------------------------------------------

def packets(name, count):
    """The first packets of a capture that differ in length."""
    raw = gzip.decompress((DATA / name).read_bytes())
    order = "<" if raw[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    link = struct.unpack(order + "I", raw[20:24])[0]
    at, seen, found = 24, set(), []
    while at + 16 <= len(raw) and len(found) < count:
        head = raw[at:at + 16]
        size = struct.unpack(order + "I", head[8:12])[0]
        if size not in seen:
            seen.add(size)
            found.append((head, raw[at + 16:at + 16 + size]))
        at += 16 + size
    return raw[:24], link, found


def tcp(flags=ACK, options=b"", payload=b""):
    return struct.pack(">HHIIBBHHH", 40000, 80, 1000, 2000, (20 + len(options)) // 4 << 4, flags, 1000, 0,
                       0) + options + payload


def ipv4(protocol, content, fragment=0, options=b""):
    size = 20 + len(options)
    return struct.pack(">BBHHHBBH4s4s", 0x40 | size // 4, 0, size + len(content), 1, fragment, 64, protocol, 0,
                       bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])) + options + content


def ipv6(following, content, length=None):
    low, high = bytes([0xfd] + [0] * 14 + [1]), bytes([0xfd] + [0] * 14 + [2])
    return struct.pack(">IHBB", 6 << 28, len(content) if length is None else length, following, 64) + \
        low + high + content


def ethernet(kind, content, tags=b""):
    return bytes(12) + tags + struct.pack(">H", kind) + content


def parse_seeds():
    syn = bytes([2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7])
    sack = bytes([1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 8, 1, 1, 5, 18]) + struct.pack(">4I", 5, 9, 20, 30)
    stamps = bytes([1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 8])
    extensions = bytes([60, 0, 1, 4, 0, 0, 0, 0]) + bytes([43, 0, 1, 4, 0, 0, 0, 0]) + \
        bytes([6, 0, 0, 0, 0, 0, 0, 0])
    frames = {
        "syn": ethernet(0x800, ipv4(6, tcp(SYN, syn))),
        "sack": ethernet(0x800, ipv4(6, tcp(ACK, sack))),
        "data": ethernet(0x800, ipv4(6, tcp(ACK, stamps, bytes(9)))),
        "ip_options": ethernet(0x800, ipv4(6, tcp(), options=bytes([1, 1, 1, 0]))),
        "first_fragment": ethernet(0x800, ipv4(6, tcp(ACK, b"", bytes(16)), 0x2000)),
        "later_fragment": ethernet(0x800, ipv4(6, bytes(32), 0x2003)),
        "tiny_fragment": ethernet(0x800, ipv4(6, bytes(32), 1)),
        "vlan": ethernet(0x800, ipv4(6, tcp()), bytes([0x81, 0, 0, 5])),
        "qinq": ethernet(0x86dd, ipv6(6, tcp()), bytes([0x88, 0xa8, 0, 5, 0x81, 0, 0, 6])),
        "ipv6": ethernet(0x86dd, ipv6(6, tcp(SYN, syn))),
        "extensions": ethernet(0x86dd, ipv6(0, extensions + tcp())),
        "fragment6": ethernet(0x86dd, ipv6(44, bytes([6, 0, 0, 1, 0, 0, 0, 9]) + tcp(ACK, b"", bytes(8)))),
        "big_tcp": ethernet(0x86dd, ipv6(0, bytes([6, 0, 0xc2, 4, 0, 1, 0, 0]) + tcp(), 0)),
        "icmp": ethernet(0x800, ipv4(1, bytes([3, 4, 0, 0, 0, 0, 5, 0]) + ipv4(6, tcp()[:8]))),
        "icmp6": ethernet(0x86dd, ipv6(58, bytes([2, 0, 0, 0, 0, 0, 5, 0]) + ipv6(6, tcp()))),
        "udp": ethernet(0x800, ipv4(17, bytes(8))),
    }
    for name, frame in frames.items():
        save("parse", name, bytes([4]) + frame)
    save("parse", "bare_ip", bytes([1]) + ipv4(6, tcp(SYN, syn)))


def pcapng(link, content, options=b""):
    def block(kind, body):
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    blocks = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
    blocks += block(1, struct.pack("<HHI", link, 0, 0) + options)
    for packet in content:
        blocks += block(6, struct.pack("<5I", 0, 0x60000, 7, len(packet), len(packet)) + packet)
        blocks += block(3, struct.pack("<I", len(packet)) + packet)
        blocks += block(2, struct.pack("<HH4I", 0, 0, 0x60000, 7, len(packet), len(packet)) + packet)
    return blocks


def capture_seeds():
    header, link, some = packets("clean.pcap.gz", 5)
    whole = header + b"".join(head + packet[:200] if len(packet) <= 200 else
                              head[:8] + struct.pack("<I", 200) + head[12:] + packet[:200]
                              for head, packet in some)
    contents = [packet[:120] for _, packet in some]
    save("capture", "pcap", whole)
    save("capture", "gzip", gzip.compress(whole, mtime=0))
    save("capture", "cut_off", whole[:-7])
    save("capture", "pcapng", pcapng(link, contents[:2]))
    save("capture", "pcapng_times", pcapng(link, contents[:1], struct.pack("<HHBxxxHHqHH", 9, 1, 0x8a, 14, 8,
                                                                           -5, 0, 0)))
    save("capture", "big_endian", struct.pack(">IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1) +
         struct.pack(">IIII", 1, 2, len(contents[0]), 900) + contents[0])
    for number in (0, 12, 101, 104, 108, 113, 127, 276):
        body = bytes([69, 0]) if number == 127 else bytes(20)
        save("capture", f"link_{number}", struct.pack("<IHHIIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, number) +
             struct.pack("<IIII", 1, 2, len(body) + 64, len(body) + 64) + body + bytes([69, 0]) + bytes(62))
    big = ethernet(0x86dd, ipv6(0, bytes([6, 0, 0xc2, 4, 0, 1, 0, 0]) + tcp(), 0))
    save("capture", "longer_than_any", struct.pack("<IHHIIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1) +
         struct.pack("<IIII", 1, 2, len(big), 0xfffffff0) + big)
    for name, fraction in (("time_negative", 0xffffffff), ("time_too_late", 0x7fffffff)):
        save("capture", name, struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1) +
             struct.pack("<IIII", 1, fraction, len(big), len(big)) + big)
    save("capture", "big_tcp", struct.pack("<IHHIIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1) +
         struct.pack("<IIII", 1, 2, len(big), 200000) + big)


def argument_seeds():
    words = {
        "numbers": ["4000000000", "--max-flows", "65536", "-t", "5m", "-fp", "80"],
        "durations": ["49710d", "--timeout=1h", "--older", "86400s", "word"],
        "prefixes": ["2001:db8::/32", "--src", "192.0.2.0/24", "--dst=::1", "--local", "10.0.0.0/8,fd00::/8"],
        "states": ["FIN_WAIT_1", "--state", "established", "--state=SYN_RECEIVED"],
        "ids": ["1f3a-2", "--id", "0-0", "--", "-f"],
        "choices": ["monitor", "--mode", "ENFORCE", "--profile", "gateway", "--mo", "x"],
        "flow": ["192.0.2.1:40000-192.0.2.2:80"],
        "flow6": ["[2001:db8::2]:80-[2001:db8::1]:40000"],
        "listener": ["[::1]:9844"],
        "listener4": ["127.0.0.1:9844"],
        "socket": ["unix:/run/tcpguard/metrics.sock"],
        "mapped": ["::ffff:192.0.2.1/120", "--frobnicate", "-q", "-p"],
    }
    for name, lines in words.items():
        save("arguments", name, b"\0" + "\n".join(lines).encode())


# --- config: files of fuzz_config.c, an even byte before them; settings behind an odd one ---------------

def config_seeds():
    files = {
        "interfaces": """mode: monitor
interfaces:
  - {name: eth0, mode: enforce, xdp: native, profile: gateway, strict: true, zone: 7}
  - name: "wg0"
    xdp: generic
    share: false
    profile: auto
""",
        "services": """services:
  - {name: web, ports: [80, 443, 8000-8100], synflood: challenge}
  - name: 'ssh'
    ports: [22]
    mode: monitor
    window: loose
""",
        "synflood": """synflood:
  start_pps: 20000
  stop_pps: 10000
  half_open_start: 5000
  half_open_stop: 2000
  action: defer
  source_pps: 100
  source_burst: 50
  source_conns: 1000
  source_prefix4: 24
  source_prefix6: 64
""",
        "flows": """flows:
  max: 65536
  timeouts: {handshake: 30s, established: 1d, half_closed: 1h, last: 2m, time_wait: 240s, closed: 10,
             unconfirmed: 5m}
state: {no_flow: adopt, adopt_for: 0s, window: loose, seed: false}
""",
        "rest": """lists:
  allow: [/etc/tcpguard/allow.txt]
  block: ["/etc/tcpguard/block.d", '/a ''b']
  force: true
events: {sample: 1, max_per_second: 10}
metrics: {listen: "[::1]:9844"}
on_daemon_loss: monitor
daemon_loss_after: 1m
guard: {enabled: false, ratio: 0.125%, flows: 1, packets: 2, rearm: 10s}
""",
        "part": "mode: enforce\n\n\f\nmode: monitor\nservices: [{name: a, ports: [1]}]\n",
        "anchors": "mode: &m monitor\nservices: [&s {name: a, ports: &p [1], mode: *m}, *s, {name: b, ports: *p}]\n",
        "faults": "mode: maybe\nguard: {ratio: 1, flows: -1, rearm: 1y}\nnone: 1\nservices: [{}]\nlists: {allow: a}\n",
        "twice": "interfaces: [{name: a}, {name: a}]\nservices: [{name: a, ports: [1-9]}, {name: a, ports: [9]}]\n",
        "escapes": 'metrics: {listen: "/a\\tb\\u00e9\\U0001F600"}\nlists: {allow: ["/x\\0"], block: ["/\\e[1m"]}\n',
        "separators": 'metrics: {listen: "/a\\L\\P"}\nlists: {allow: ["/\\uFEFF"], block: ["/\\uFFFE"]}\n',
        "documents": "---\nmode: monitor\n...\n---\nmode: enforce\n",
        "unclosed": "services: [{name: 'a, ports: [\n",
    }
    for name, text in files.items():
        save("config", name, b"\0version: 1\n" + text.encode())
    save("config", "no_version", b"\0mode: monitor\n")
    save("config", "no_utf8", b"\0version: 1\nmode: \xff\n")
    save("config", "utf16", b"\0" + "version: 1\nmode: monitor\n".encode("utf-16"))
    save("config", "deep", b"\0" + b"[" * 101)
    # A service with a name that speaks to the terminal, at its places in struct tg_config.
    patch = lambda at, content: struct.pack("<HBB", at, len(content) - 1, 0) + content
    save("config", "settings_name", b"\1" + patch(160, b"\2") + patch(760, b"a\x1b[1m\xff"))
    save("config", "settings", bytes([1, 0, 0, 3, 0, 1, 2, 3, 4, 80, 0, 63, 1, 5, 0, 8, 0, 0] + [255] * 60))


# --- lists: files of fuzz_lists.c, and changes to the image of the odd kind ------------------------------

def list_seeds():
    block = b"192.0.2.0/24\n198.51.100.7 10m port scan\n203.0.113.0/25 - by hand # or not\n2001:db8::/32 1d\n"
    allow = b"# comment\n192.0.2.128/25\n2001:db8:1::/48 5s x\n\t; too\n192.0.2.7\n"
    nested = b"".join(b"10.0.0.0/%d %ds\n" % (bits, bits) for bits in range(8, 33)) + \
        b"".join(b"2001:db8::/%d\n" % bits for bits in range(32, 129, 7))
    save("lists", "block", b"\0\x07" + block)
    save("lists", "both", b"\0\x07" + block + b"\f" + allow)
    save("lists", "four", b"\0\x07" + block + b"\f" + allow + b"\f" + allow + b"\f" + block)
    save("lists", "nested", b"\0\x07" + nested + b"\f" + nested.replace(b"s\n", b"m\n"))
    save("lists", "whole", b"\0\x07" + b"0.0.0.0/0\n::/0 5s\n255.255.255.255\n0.0.0.0\n::\nffff::/16\n\f::/1\n1::\n")
    save("lists", "twice", b"\0\x07" + b"192.0.2.1 5m a\n192.0.2.1 - b\n192.0.2.1 6m b\n")
    save("lists", "aged", b"\x0e\x07\x3c\x0a" + b"192.0.2.1\n192.0.2.2 9s\n192.0.2.3 11s\n")
    save("lists", "late", b"\0\xff" + b"192.0.2.1\n192.0.2.2 1s\n192.0.2.3 100s\n")
    save("lists", "guarded", b"\x10\0" + b"1.0.0.0/7\n127.0.0.1\n::1\n\f0.0.0.0/0\n")
    save("lists", "host_bits", b"\0\0" + b"192.0.2.1/24\n::ffff:192.0.2.1\n192.0.2.0/33\nexample.org\n/8\n")
    save("lists", "bad_reasons", b"\0\0" + b"::1 - \x1b[1m\n::2 - \xff\n::3 - " + b"x" * 128 + b"\n::4 1y\n::5\0\n")
    save("lists", "no_end", b"\0\0" + b"192.0.2.1 - \xc3\xa9t\xc3\xa9")
    # Where, at which byte, and what: the head's table bits, first rule, text; a rule's length; a reason.
    changed = block + b"\f" + allow + b"\f\f\f"
    for name, change in (("bits", b"\x10\x24\xc8\xc8"), ("bits_none", b"\x10\x24\x07\x07"), ("rule", b"\x20\x34\0\0\0\0"),
                         ("rule_far", b"\x20\x34\xff\xff\xff\xff"), ("mask", b"\x20\x30\xff\xff\xff\xff"),
                         ("length", b"\x0d\x1c\xff"), ("origin", b"\x0d\x1f\xff"),
                         ("host_bits", b"\x0d\x08\x01"), ("reason", b"\x0e\x01\x1b"), ("entry", b"\x38\x00" + b"\xff" * 7)):
        save("lists", "image_" + name, b"\1\x07" + changed + change)
    # All of one address, every second one with a length of 64, each until later: ever deeper, out of order.
    many = b"".join(b"::%x %ds\n" % (number, number) for number in range(1, 280))
    save("lists", "image_disorder", b"\1\x07" + many + b"\f\f\f\f" + b"\xc0\x08\0" + b"\xc0\x09\0" + b"\xe0\x1c\x40")
    # Each around the next: more than there are lengths.
    save("lists", "image_deep", b"\1\x07" + b"".join(b"10.0.0.%d %ds\n" % (i, i) for i in range(1, 160)) +
         b"\f\f\f\f" + b"\xc0\x1c\x61")


# --- server: what readers do, a script of fuzz_server.c --------------------------------------------------

def server_seeds():
    def come(client, user=0):
        return bytes([client << 4, user])

    def ask(client, flags, types, key=0):
        return bytes([client << 4 | 2, 0, flags]) + struct.pack("<H", types) + bytes([key])

    def ring(*types):
        return bytes([12, len(types)]) + b"".join(bytes([kind, 3]) for kind in types)

    def say(kind, count):
        return bytes([kind << 4 | 13, count])

    every, follow, history, flows, trace = 0x7bf, 2, 1, 0x3e, 0x40
    read, drain, gone = (lambda c, n: bytes([c << 4 | 6, n])), (lambda c: bytes([c << 4 | 7, 0])), \
        (lambda c: bytes([c << 4 | 8, 0]))
    save("server", "follow", come(0) + ask(0, follow, every) + say(0, 5) + read(0, 9) + say(1, 9) + drain(0))
    save("server", "history", say(0, 20) + come(0, 1) + ask(0, history, every) + drain(0) + gone(0))
    save("server", "both", say(0, 20) + come(0, 1) + ask(0, history | follow, every) + say(2, 20) + drain(0))
    save("server", "slow", come(0) + ask(0, follow, every) + say(0, 255) + say(1, 255) + drain(0))
    save("server", "late", say(0, 255) + say(1, 255) + come(0) + ask(0, 3, every) + drain(0) + come(1, 1) +
         ask(1, history, 0x80) + drain(1))
    save("server", "ring", come(0) + ask(0, follow, flows) + ring(1, 2, 3, 4, 5, 0x83, 0x61) + drain(0) + gone(0))
    save("server", "traces", b"".join(come(i) + ask(i, follow, trace, i) for i in range(6)) + ring(6, 6) +
         drain(0) + gone(1) + come(1, 1) + ask(1, follow, trace, 5))
    save("server", "quotas", b"".join(come(i, i) for i in range(12)) + b"".join(drain(i) for i in range(12)))
    save("server", "one_user", b"".join(come(i, 1) + ask(i, follow, every) for i in range(5)) + drain(2) + drain(4))
    save("server", "stranger", come(0, 7) + ask(0, follow, every) + drain(0))
    save("server", "silent", come(0) + come(1, 1) + bytes([11, 60]) + drain(0) + ask(1, 3, every) + drain(1))
    save("server", "twice", come(0) + ask(0, follow, every) + ask(0, follow, flows) + drain(0))
    save("server", "nonsense", come(0) + bytes([5, 0, 20, 1]) + bytes(20) + come(1) + bytes([0x15, 0, 0, 0]) +
         come(2) + bytes([0x25, 0, 56, 0]) + bytes(56) + come(3) + bytes([0x35, 0, 9, 1]) + bytes(9))
    save("server", "too_long", come(0) + bytes([5, 0, 60, 1, 3, 0, 0, 0, 0xbe, 7]) + bytes(54) + say(0, 3) + drain(0))
    save("server", "shut", come(0) + ask(0, follow, every) + bytes([9, 1]) + come(1) + ask(1, follow, every) +
         bytes([0x19, 0]) + say(0, 3) + drain(1))
    save("server", "no_files", come(0) + bytes([0x1a, 1]) + ask(1, follow, every) + bytes([0x2a, 0]) + drain(1))


# --- client: what a daemon says to fuzz_client.c ---------------------------------------------------------

def client_seeds():
    def event(kind, fill=0, *patches):
        return bytes([len(patches), fill, kind]) + b"".join(bytes(patch) for patch in patches)

    def events(*content, count=None, wrong=1, more=b""):
        return bytes([2, len(content) if count is None else count, wrong]) + more + b"".join(content)

    words = b"\x01flow,drop,would_drop\nno_flow,seq_above\n"
    flow = ((36, 1), (28, 1), (56, 10), (72, 10), (24, 2))
    save("client", "kinds", words + events(*(event(kind, 0, *flow) for kind in range(1, 8))))
    save("client", "texts", words + events(event(7, 65), event(8, 0x1b), event(9, 0xc3), event(10, 0)))
    save("client", "names", words + events(event(1, 0, (232, 0x1b), (233, 65)), event(4, 0xff), event(2, 0x80)))
    save("client", "states", words + events(event(2, 7, *flow), event(3, 255), event(6, 127), event(3, 1, *flow)))
    save("client", "lost", words + events(event(7, 66), wrong=0x79, more=b"\xff") + events(count=64))
    save("client", "count", words + events(*[event(7, 66)] * 8, count=64, wrong=0x89) + b"\xff" + events(event(1)))
    save("client", "no_event", words + events(event(0), event(11)))
    save("client", "too_long", words + events(count=64, wrong=0) + event(7, 66) * 8 + b"\xff")
    save("client", "refused", words + b"".join(bytes([1, 1, err]) for err in (13, 16, 71, 87)) + bytes([1, 0, 5]))
    save("client", "bytes", b"\0all\nnone\n" + bytes([0, 24]) + b"gtE1" + bytes(20) + bytes([0, 3, 1, 2, 3]))
    save("client", "silence", b"\x0elist,mode,guard,daemon\nbad_hdr\n")


# --- http: what clients do to fuzz_http.c ----------------------------------------------------------------

def http_seeds():
    def text(client, content):
        return bytes([client << 4, len(content)]) + content

    def ask(choice, accept):
        return bytes([5, choice, len(accept)]) + accept

    both = b" text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=\"1.0.0\";q=0.9,*/*;q=0.1"
    save("http", "asks", both.strip() + b"\n" + ask(0, both) + ask(1, b"") + ask(2, b"") + ask(3, b"") + ask(12, b""))
    save("http", "fails", b"text/plain\n" + bytes([7, 1]) + ask(0, b" application/openmetrics-text") + ask(1, b""))
    save("http", "pieces", b"\n" + text(0, b"GET /met") + text(1, b"HEAD /metrics HTTP/1.0\r\n\r\n") +
         text(0, b"rics HTTP/1.1\r\nHost: a\r\n\r\n") + bytes([2, 0, 0x12, 0]))
    save("http", "slow", b"\n" + text(0, b"GET / HTTP/1.1\r\n") + bytes([6, 30]) + text(0, b"A: b\r\n") + bytes([6, 99]) +
         text(2, b"G") + bytes([0x23, 1, 0x33, 0, 0x34, 0]))
    save("http", "garbage", b"q=;,;q\n" + text(0, bytes(range(200))) + text(1, b"GET  HTTP/9.9\r\n\r\n") +
         text(2, b"POST /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n"))
    save("http", "long", b"\n" + (text(0, b"GET /" + b"a" * 250) + text(0, b"b" * 255)) * 3)
    save("http", "versions", b"\n" + b"".join(ask(0, b" application/openmetrics-text" + rest) for rest in (
        b";version=0.0.1", b"; version=1.0.0 ;q=nan", b";q=0", b";q=-1", b";q=1e9, text/plain;q=2", b" ; VERSION=1.0.0")))


if __name__ == "__main__":
    path_seeds()
    parse_seeds()
    capture_seeds()
    argument_seeds()
    config_seeds()
    list_seeds()
    server_seeds()
    client_seeds()
    http_seeds()
