# SPDX-License-Identifier: GPL-2.0-or-later
"""What the Python parts of the network tests share: namespaces, tcpguard's answers, raw segments, a wire
that holds packets until told, counters of what passed.  The world itself is built by lib.sh.
"""

import contextlib
import ctypes
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time

from query import outcomes

TCPGUARD = os.environ["TCPGUARD"]
FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32}
ETH_P_ALL = 3
SOL_PACKET, PACKET_STATISTICS, SO_ATTACH_FILTER = 263, 6, 26

_libc = ctypes.CDLL(None, use_errno=True)


def _setns(fd):
    if _libc.setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def inside(name):
    """Runs its block in the namespace; sockets made there stay there.  None: where we are."""
    if name is None:
        yield
        return
    back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        _setns(there)
        yield
    finally:
        _setns(back)
        os.close(there)
        os.close(back)


def wait_for(condition, seconds=10.0):
    """The first true value of condition(), or its last value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(0.01)


# --- reporting ------------------------------------------------------------------------------------------

class Cases:
    """TAP lines, numbered; finish() gives the exit code."""

    def __init__(self):
        self.number = 0
        self.failed = 0

    def check(self, name, good, remark=""):
        self.number += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.number} - {name}", flush=True)
        if not good and remark:
            print(f"# {remark}", flush=True)
        return good

    def equal(self, name, got, want):
        return self.check(name, got == want, f"got {got!r}, want {want!r}")

    def case(self, name):
        """Decorator: runs the function at once; an exception is the failure."""
        def run(function):
            try:
                function()
                self.check(name, True)
            except Exception as error:
                self.check(name, False, f"{type(error).__name__}: {error}")
        return run

    def skip(self, name, why):
        self.number += 1
        print(f"ok {self.number} - {name} # SKIP {why}", flush=True)

    def finish(self):
        sys.exit(1 if self.failed else 0)


# --- tcpguard -------------------------------------------------------------------------------------------

def tcpguard(*arguments):
    return subprocess.run([TCPGUARD, *arguments], capture_output=True, text=True, check=True).stdout


def stats():
    return json.loads(tcpguard("-j", "stats"))


def reasons(ifname="eth0"):
    """{(reason, "pass" | "drop" | "would_drop" | ...): packets}, only what has been seen."""
    return outcomes(next(i for i in stats()["interfaces"] if i["name"] == ifname)["reasons"])


def flows():
    return json.loads(tcpguard("-j", "flows", "list"))["flows"]


def flow(port):
    """The flow one of whose ports it is, or None."""
    for row in flows():
        if row["src"].endswith(f":{port}") or row["dst"].endswith(f":{port}"):
            return row
    return None


def states(port):
    row = flow(port)
    return f"{row['src_state']}/{row['dst_state']}" if row else "none"


def settled(port, want, seconds=3.0):
    """The states once they are those wanted, or what they still are after the time given."""
    return want if wait_for(lambda: states(port) == want, seconds) else states(port)


def dropped(ifname="eth0"):
    return {name: count for (name, how), count in reasons(ifname).items() if how != "pass"}


def tcp_ext(netns, name):
    """A counter of the namespace's own TCP, as in /proc/net/netstat."""
    with inside(netns):
        with open("/proc/thread-self/net/netstat") as file:
            names, values = [line.split() for line in file if line.startswith("TcpExt")]
    return int(values[names.index(name)])


# --- segments -------------------------------------------------------------------------------------------

def _sum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def segment(src, dst, flags, seq=0, ack=0, window=64240, payload=b"", options=b""):
    """The IPv4 or IPv6 packet of one TCP segment; src and dst are (address, port)."""
    options += b"\0" * (-len(options) % 4)
    family = socket.AF_INET6 if ":" in src[0] else socket.AF_INET
    addresses = socket.inet_pton(family, src[0]) + socket.inet_pton(family, dst[0])
    bits = sum(FLAGS[name] for name in flags.split("|") if name)
    header = bytearray(struct.pack("!HHIIBBHHH", src[1], dst[1], seq & 0xffffffff, ack & 0xffffffff,
                                   (5 + len(options) // 4) << 4, bits, window, 0, 0))
    tcp = header + options + payload
    if family == socket.AF_INET6:
        pseudo = addresses + struct.pack("!II", len(tcp), 6)
    else:
        pseudo = addresses + struct.pack("!HH", 6, len(tcp))
    tcp[16:18] = struct.pack("!H", _sum(bytes(pseudo + tcp)))
    if family == socket.AF_INET6:
        return struct.pack("!IHBB", 6 << 28, len(tcp), 6, 64) + addresses + tcp
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0) + addresses
    return ip[:10] + struct.pack("!H", _sum(ip)) + ip[12:] + tcp


class Injector:
    """Puts frames on an interface of a namespace, with whatever addresses inside."""

    def __init__(self, netns, ifname, to_mac):
        with inside(netns):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.socket.bind((ifname, 0))
        self.to_mac = bytes.fromhex(to_mac.replace(":", ""))

    def send(self, packet):
        kind = b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"
        self.socket.send(self.to_mac + b"\x02\0\0\0\xbb\xbb" + kind + packet)


class Counter:
    """Counts TCP segments that arrive on an interface behind XDP (IPv4, from one source MAC)."""

    def __init__(self, ifname, from_mac):
        mac = bytes.fromhex(from_mac.replace(":", ""))
        high, low = struct.unpack("!IH", mac)
        program = [
            (0x20, 0, 0, 6), (0x15, 0, 3, high),  # ld [6]; jeq
            (0x28, 0, 0, 10), (0x15, 0, 1, low),  # ldh [10]; jeq
            (0x06, 0, 0, 1), (0x06, 0, 0, 0),     # accept one byte; refuse
        ]
        code = b"".join(struct.pack("HBBI", *row) for row in program)
        self._code = ctypes.create_string_buffer(code)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack(
            "HP", len(program), ctypes.addressof(self._code)))
        self.socket.bind((ifname, ETH_P_ALL))
        self.total = 0

    def read(self):
        """All so far; what the socket had no room for included."""
        seen, _ = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        self.total += seen
        return self.total


def is_tcp(data):
    if data[12:14] == b"\x86\xdd":
        return data[20] == 6
    return data[12:14] == b"\x08\x00" and data[23] == 6


class Frame:
    """One TCP frame, IPv4 or IPv6 without extension headers."""

    def __init__(self, data, origin):
        self.data = data
        self.origin = origin
        if data[12:14] == b"\x86\xdd":
            header, end = 54, 54 + struct.unpack("!H", data[18:20])[0]
        else:
            header, end = 14 + (data[14] & 15) * 4, 14 + struct.unpack("!H", data[16:18])[0]
        (self.sport, self.dport, self.seq, self.ack, offset, bits, self.window) = struct.unpack(
            "!HHIIBBH", data[header:header + 16])
        self.payload = data[header + (offset >> 4) * 4:end]
        self.flags = "|".join(name for name in FLAGS if bits & FLAGS[name] and name != "PSH")
        self.end = (self.seq + len(self.payload) + bool(bits & 2) + bool(bits & 1)) & 0xffffffff

    def identity(self):
        """The same for a segment sent again.  A SYN with data (Fast Open) is sent again without."""
        length = 0 if "SYN" in self.flags else len(self.payload)
        return (self.origin, self.sport, self.dport, self.seq, self.flags, self.ack, length)


class Wire:
    """Joins interfaces of a namespace two by two.  TCP waits for step(); the rest passes at once.

    A segment sent again while the first copy waits, or after it passed, is lost: the steps stay those of
    the textbook however slow the machine is.
    """

    def __init__(self, netns, pairs):
        self.ends = {}
        self.other = {}
        self.held = []
        self.seen = set()
        self.port = None
        self.changed = threading.Condition()
        with inside(netns):
            for pair in pairs:
                for name in pair:
                    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
                    end.bind((name, ETH_P_ALL))
                    self.ends[name] = end
                self.other[pair[0]], self.other[pair[1]] = pair[1], pair[0]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        names = {end: name for name, end in self.ends.items()}
        while True:
            for end in select.select(list(names), [], [])[0]:
                data, address = end.recvfrom(65536)
                if address[2] == socket.PACKET_OUTGOING:
                    continue
                self._arrived(data, names[end])

    def _arrived(self, data, origin):
        if not is_tcp(data):
            self.ends[self.other[origin]].send(data)
            return
        frame = Frame(data, origin)
        with self.changed:
            if self.port in (frame.sport, frame.dport) and frame.identity() not in self.seen:
                self.seen.add(frame.identity())
                self.held.append(frame)
                self.changed.notify_all()

    def listen_to(self, port):
        """From now on only this connection exists; what earlier ones still send is lost."""
        with self.changed:
            self.port = port
            self.held.clear()

    def step(self, origin, flags, seconds=5.0):
        """Lets the first segment held at that end pass; returns it.  It must carry these flags."""
        frame = self._take(lambda frame: frame.origin == origin, seconds, f"{flags} from {origin}")
        if frame.flags != flags:
            raise AssertionError(f"{origin} sent {frame.flags}, expected {flags}")
        self.ends[self.other[origin]].send(frame.data)
        return frame

    def overtake(self, origin, flags, seconds=5.0):
        """The same for the first one with these flags, ahead of those held before it."""
        frame = self.lose(origin, flags, seconds)
        self.ends[self.other[origin]].send(frame.data)
        return frame

    def lose(self, origin, flags, seconds=5.0):
        """Takes the first one with these flags off the wire; returns it."""
        return self._take(lambda frame: (frame.origin, frame.flags) == (origin, flags), seconds,
                          f"{flags} from {origin}")

    def _take(self, wanted, seconds, what):
        deadline = time.monotonic() + seconds
        with self.changed:
            while True:
                frame = next((frame for frame in self.held if wanted(frame)), None)
                if frame:
                    self.held.remove(frame)
                    return frame
                if not self.changed.wait(deadline - time.monotonic()):
                    raise AssertionError(f"no segment: expected {what}; "
                                         f"held: {[(f.origin, f.flags) for f in self.held]}")


# --- connections ----------------------------------------------------------------------------------------

class Connection:
    """A live connection from the namespace `client` to a server where we are, and its numbers.

    client_next, server_next: the next sequence number of each side once all is acknowledged.
    """

    def __init__(self, port, family=4, client_port=None):
        net = "10.0.0." if family == 4 else "fd00:0::"
        self.server_name = (net + "1", port)
        self.client_name = (net + "2", client_port or port + 10000)
        with inside("client"):
            self.sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.sniffer.bind(("eth0", ETH_P_ALL))
        self.sniffer.settimeout(2)
        kind = socket.AF_INET if family == 4 else socket.AF_INET6
        listener = socket.create_server(self.server_name, family=kind)
        with inside("client"):
            self.client = socket.create_connection(self.server_name, 5, self.client_name)
        self.server, _ = listener.accept()
        self.server.settimeout(5)
        listener.close()
        self.client_next = self.server_next = None
        self.exchange()

    def exchange(self):
        """Data both ways, until the last of it is acknowledged."""
        for sender, receiver in ((self.client, self.server), (self.server, self.client)):
            sender.sendall(b"ping-pong")
            got = b""
            while len(got) < 9:
                got += receiver.recv(100)
        self._follow()

    def _follow(self):
        acked = None
        while self.server_next is None or acked != self.server_next:
            data = self.sniffer.recv(65536)
            if not is_tcp(data):
                continue
            frame = Frame(data, None)
            if (frame.sport, frame.dport) == (self.client_name[1], self.server_name[1]):
                self.client_next, acked = frame.end, frame.ack
            elif (frame.dport, frame.sport) == (self.client_name[1], self.server_name[1]):
                self.server_next = frame.end

    def alive(self):
        """Data still passes both ways; else the reason."""
        try:
            self.exchange()
            return "alive"
        except OSError as error:
            return str(error)
