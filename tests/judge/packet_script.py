#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Plays packet scripts in the language of packetdrill against this kernel's TCP, over the tun interface
given first; one line a script: ok, not ok or skip, its name and why.

What is compared: results of system calls, and of each segment the kernel sends its flags (not PSH and
ECN), numbers and length.  What is not: options, windows, tcp_info and the moment, but that it comes.
A script that uses more of the language than this file knows is skipped."""
import errno
import fcntl
import os
import random
import re
import select
import socket
import struct
import subprocess
import sys
import threading
import time

LOCAL, REMOTE = '192.168.0.1', '192.0.2.1'
PORT = 8080
LATE_S = 2.5  # how much later than written an answer may come: the machine may be busy
FLAGS = {'F': 1, 'S': 2, 'R': 4, 'P': 8, '.': 16, 'U': 32, 'E': 64, 'W': 128, 'A': 256}
COMPARED = 1 | 2 | 4 | 16
COOKIES = {'TFO_COOKIE': '3021b9d889017eeb', 'TFO_COOKIE_ZERO': 'b7c12350a90dc8f5'}
NAMES = {'TCP_FASTOPEN': 23, 'TCP_USER_TIMEOUT': 18, 'TCP_INQ': 36, 'TCP_NOTSENT_LOWAT': 25, 'TCP_MAXSEG': 2,
         'SO_ZEROCOPY': 60, 'SOL_TCP': 6, 'IPPROTO_TCP': 6, 'TCP_NODELAY': 1, 'TCP_CORK': 3, 'SO_MARK': 36,
         'TCP_FASTOPEN_CONNECT': 30, 'TCP_FASTOPEN_NO_COOKIE': 34, 'TCP_SYNCNT': 7, 'TCP_RTO_MAX_MS': 44,
         'MSG_FASTOPEN': 0x20000000, 'MSG_ZEROCOPY': 0x4000000, 'MSG_MORE': 0x8000}
M32 = 0xffffffff


class Unknown(Exception):
    """The script says something that is not understood here."""


class Failed(Exception):
    """The kernel did something else than the script says."""


def number(text):
    """A number, a constant, or several of them with | between."""
    value = 0
    for part in text.split('|'):
        part = part.strip()
        if re.fullmatch(r'-?(0x)?[0-9a-fA-F]+', part):
            value |= int(part, 0)
        elif part in NAMES:
            value |= NAMES[part]
        elif hasattr(socket, part):
            value |= int(getattr(socket, part))
        else:
            raise Unknown(part)
    return value


EVENT = re.compile(r'(?P<time>\*|[+]?[\d.]*?(?:~[+]?[\d.]+)?)(?:\.\.\.(?P<until>[\d.]+))?\s+(?P<what>\S.*)', re.S)
PACKET = re.compile(r'(?:\[(\w+)\]\s*)?([FSRPUEWA.0-7]+)\s+(\d+):(\d+)\((\d+)\)(?:\s+ack\s+(\d+))?'
                    r'(?:\s+win\s+(\d+))?(?:\s+urg\s+\d+)?\s*(?:<(.*)>)?\s*$')
CALL = re.compile(r'(\w+)\s*\((.*)\)\s*=\s*(-?\w+)(?:\s+(E\w+))?(?:\s*\(.*\))?\s*', re.S)


def read_script(path):
    """-> [(time, until, kind, text)]; kind: < > call shell."""
    text = re.sub(r'/\*.*?\*/', '', open(path, encoding='utf-8').read(), flags=re.S)
    text = re.sub(r'%\{.*?\}%', '%', text, flags=re.S)
    text = re.sub(r'(^|\s)//.*', r'\1', text)
    shells = re.findall(r'`([^`]*)`', text)
    text = re.sub(r'`[^`]*`', '`', text)
    # An event that goes on in the next line begins there with neither a time nor a mark.
    lines = []
    for line in text.splitlines():
        line = re.sub(r'\s*(~|\.\.\.)\s*(?=[+\d.])', r'\1', line.strip(), count=1)
        if not line or line.startswith('--'):
            continue
        if line[0] in '`%' or EVENT.fullmatch(line) and re.match(r'[+*\d.]', line):
            lines.append(line)
        elif lines:
            lines[-1] += ' ' + line
        else:
            raise Unknown(line)
    events = []
    for line in lines:
        if line == '%':
            continue
        match = None if line[0] == '`' else EVENT.fullmatch(line)
        when, until, what = (match['time'], match['until'], match['what'].strip()) if match else ('+0', None, line)
        if what == '%':
            continue
        if what[0] == '`':
            events.append((when, until, 'shell', shells.pop(0)))
        elif what[0] in '<>':
            events.append((when, until, what[0], what[1:].strip()))
        elif CALL.fullmatch(what):
            events.append((when, until, 'call', what))
        else:
            raise Unknown(what)
    return events


def read_packet(text):
    match = PACKET.fullmatch(text)
    if not match:
        raise Unknown(text)
    ecn, letters, first, end, length, ack, window, options = match.groups()
    flags = 0
    for letter in letters:
        flags |= int(letter) << 6 if letter.isdigit() else FLAGS[letter]
    tos = {'ect0': 2, 'ect1': 1, 'ce': 3}.get(ecn, 0)
    return tos, flags, int(first), int(length), int(ack or 0), int(window or 65535), options


def checksum(data):
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Player:
    def __init__(self, tun, path):
        self.tun, self.folder = tun, os.path.dirname(path)
        self.files, self.waiting = {}, []
        self.local_port, self.remote_port = PORT, random.randrange(20000, 60000)
        self.local_isn = self.remote_isn = self.stamp = 0  # what is to be added to the script's numbers
        self.handshaken = True
        self.wake = threading.Event()

    # ---- segments

    def options(self, text):
        out = b''
        for option in filter(None, (part.strip() for part in (text or '').split(','))):
            name, *words = option.split()
            if name in ('nop', 'eol'):
                out += b'\1' if name == 'nop' else b'\0'
            elif name == 'sackOK':
                out += b'\4\2'
            elif name == 'mss':
                out += struct.pack('!BBH', 2, 4, int(words[0]))
            elif name == 'wscale':
                out += bytes((3, 3, int(words[0])))
            elif name == 'TS':
                echo = int(words[3])
                out += struct.pack('!BBII', 8, 10, int(words[1]), (echo + self.stamp) & M32 if echo else 0)
            elif name == 'sack':
                edges = [(int(edge) + self.local_isn) & M32 for word in words for edge in word.split(':')]
                out += struct.pack(f'!BB{len(edges)}I', 5, 2 + 4 * len(edges), *edges)
            elif name in ('FO', 'FOEXP') and len(words) < 2:
                cookie = bytes.fromhex(COOKIES.get(words[0], words[0])) if words else b''
                magic = b'\xf9\x89' if name == 'FOEXP' else b''
                out += bytes((254 if magic else 34, 2 + len(magic + cookie))) + magic + cookie
            elif name == 'ECN' and words and not len(words) % 2:  # AccECN, of either order
                fields = b''.join(int(word).to_bytes(3, 'big') for word in words[1::2])
                out += bytes((172 if words[0] == 'e0b' else 174, 2 + len(fields))) + fields
            else:
                raise Unknown(f'option {option}')
        return out + bytes(-len(out) % 4)

    def inject(self, text):
        tos, flags, seq, length, ack, window, options = read_packet(text)
        if flags & 18 == 2:
            if self.handshaken:  # a new connection, not the SYN sent again
                self.remote_port += 1
                self.local_port = PORT
                self.remote_isn = seq
            self.handshaken = False
        elif flags & 2:
            if not self.handshaken:
                self.remote_isn = seq
            self.handshaken = True
        else:
            self.handshaken = True
        options = self.options(options)
        live_ack = (ack + self.local_isn) & M32 if flags & 16 else 0
        if not flags & 2:  # a SYN's number is the script's own, the others are counted from it
            seq += self.remote_isn
        tcp = struct.pack('!HHIIHHHH', self.remote_port, self.local_port, seq & M32, live_ack,
                          (20 + len(options)) // 4 << 12 | flags, window, 0, 0) + options + bytes(length)
        ends = socket.inet_aton(REMOTE) + socket.inet_aton(LOCAL)
        sum_ = checksum(ends + struct.pack('!HH', 6, len(tcp)) + tcp)
        tcp = tcp[:16] + struct.pack('!H', sum_) + tcp[18:]
        head = struct.pack('!BBHHHBBH', 0x45, tos, 20 + len(tcp), 0, 0x4000, 64, 6, 0) + ends
        os.write(self.tun, head[:10] + struct.pack('!H', checksum(head)) + head[12:] + tcp)

    def sent(self, deadline):
        """The next TCP segment of the kernel: (source port, destination port, seq, ack, flags, length, options)"""
        while True:
            left = deadline - time.monotonic()
            if left < 0 or not select.select([self.tun], [], [], left)[0]:
                return None
            data = os.read(self.tun, 70000)
            if data[0] >> 4 != 4 or data[9] != 6:
                continue
            head = (data[0] & 15) * 4
            source, dest, seq, ack, flags = struct.unpack('!HHIIH', data[head:head + 14])
            offset = (flags >> 12) * 4
            opens = flags & 18 == 2  # or else of a connection of an earlier script, whose end nobody answers
            if not opens and (source, dest) != (self.local_port, self.remote_port):
                continue
            return (source, dest, seq, ack, flags & 0x1ff, len(data) - head - offset,
                    data[head + 20:head + offset])

    def sent_whole(self, seq, length, deadline):
        """The same, of pieces: the tun interface takes no segments larger than its MTU."""
        live = self.sent(deadline)
        while live and live[2] == (seq + self.local_isn) & M32 and 0 < live[5] < length:
            piece = self.sent(deadline)
            if not piece or piece[2] != (live[2] + live[5]) & M32:
                raise Failed(f'{live[5]} of {length} bytes from {seq}, then {piece and piece[:6]}')
            live = (*live[:3], *piece[3:5], live[5] + piece[5], piece[6])
        return live

    def learn(self, flags, seq, options, live):
        """What of the kernel's choice the script's numbers are relative to."""
        if flags & 2:
            self.local_isn = (live[2] - seq) & M32
            if not flags & 16 and live[0] != self.local_port:
                self.local_port, self.remote_port = live[0], live[1]
                self.handshaken = False
        match = re.search(r'TS val (\d+)', options or '')
        at = live[6].find(b'\x08\x0a')
        if match and at >= 0 and flags & 2:
            self.stamp = (struct.unpack('!I', live[6][at + 2:at + 6])[0] - int(match[1])) & M32

    def expect(self, text, deadline):
        _, flags, seq, length, ack, _, options = read_packet(text)
        live = self.sent_whole(seq, length, deadline)
        if live is None:
            raise Failed(f'no answer, wanted {text}')
        if flags & 2 and live[4] & 2:
            self.learn(flags, seq, options, live)
        want = (flags & COMPARED, seq, length, ack if flags & 16 else 0)
        got = (live[4] & COMPARED, (live[2] - self.local_isn) & M32, live[5],
               (live[3] - self.remote_isn) & M32 if live[4] & 16 else 0)
        if got != want:
            raise Failed(f'flags, seq, length, ack: wanted {want}, got {got}: {text}')

    # ---- system calls

    def run_call(self, text, until):
        name, arguments, result, error = CALL.fullmatch(text).groups()
        arguments = [a.strip() for a in re.split(r',(?![^\[{(]*[\]})])', arguments)]
        function = getattr(self, 'call_' + name, None)
        if not function or '{' in text or 'NULL' in text or 'AF_UNSPEC' in text:
            raise Unknown(name)
        if name in ('socket', 'accept'):
            arguments.append(result)
        outcome = {}

        def work():
            try:
                outcome['value'] = function(*arguments)
            except OSError as err:
                outcome['value'], outcome['error'] = -1, errno.errorcode.get(err.errno, '')
            except (Unknown, TypeError, ValueError) as why:
                outcome['unknown'] = why

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        if until is None:
            thread.join(LATE_S)
            self.check_call(text, result, error, thread, outcome)
        else:
            self.waiting.append((text, result, error, thread, outcome))

    @staticmethod
    def check_call(text, result, error, thread, outcome):
        if 'unknown' in outcome:
            raise Unknown(f'{text}: {outcome["unknown"]}')
        if thread.is_alive():
            raise Failed(f'still waiting: {text}')
        if outcome['value'] != number(result) or error and outcome.get('error') != error:
            raise Failed(f'{text}: got {outcome}')

    def finish_calls(self):
        for text, result, error, thread, outcome in self.waiting:
            thread.join(LATE_S)
            self.check_call(text, result, error, thread, outcome)

    def file(self, fd):
        if int(fd) not in self.files:
            raise Unknown(f'descriptor {fd}')
        return self.files[int(fd)]

    def call_socket(self, _domain, kind, _protocol, fd):
        self.files[int(fd)] = socket.socket(socket.AF_INET, number(kind))
        return int(fd)

    def call_bind(self, fd, *_):
        self.file(fd).setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.file(fd).bind((LOCAL, PORT))
        return 0

    def call_listen(self, fd, backlog):
        self.file(fd).listen(int(backlog))
        return 0

    def call_accept(self, fd, _address, _length, new):
        child, _ = self.file(fd).accept()
        child.setblocking(True)
        if int(new) >= 0:
            self.files[int(new)] = child
        return int(new)

    def call_connect(self, fd, *_):
        self.file(fd).connect((REMOTE, PORT))
        return 0

    def call_setsockopt(self, fd, level, name, value, _length):
        if not re.fullmatch(r'\[[-\w|]+\]', value):
            raise Unknown(value)
        self.file(fd).setsockopt(number(level), number(name), number(value[1:-1]))
        return 0

    def call_fcntl(self, fd, command, value='0'):
        sock = self.file(fd)
        if command == 'F_GETFL':
            return 2 | (0 if sock.getblocking() else os.O_NONBLOCK)
        sock.setblocking('O_NONBLOCK' not in value)
        return 0

    def call_write(self, fd, _buffer, size):
        return self.file(fd).send(bytes(int(size)))

    def call_send(self, fd, _buffer, size, flags):
        return self.file(fd).send(bytes(int(size)), number(flags))

    def call_sendto(self, fd, _buffer, size, flags, *_):
        return self.file(fd).sendto(bytes(int(size)), number(flags), (REMOTE, PORT))

    def call_read(self, fd, _buffer, size):
        return len(self.file(fd).recv(int(size)))

    def call_recv(self, fd, _buffer, size, flags):
        return len(self.file(fd).recv(int(size), number(flags)))

    def call_shutdown(self, fd, how):
        self.file(fd).shutdown(number(how))
        return 0

    def call_close(self, fd):
        self.file(fd).close()
        return 0

    # ---- the script

    def moment(self, when, start, last):
        """When to act; for what the kernel does, until when to wait."""
        if when == '*':
            return last, last + 20
        first, _, slack = when.partition('~')
        base = last if first.startswith('+') else start
        at = base + float(first.lstrip('+') or 0)
        return at, at + float(slack.lstrip('+') or 0)

    def play(self, events):
        start = last = time.monotonic()
        for when, until, kind, text in events:
            at, latest = self.moment(when, start, last)
            if kind == '>':
                self.expect(text, latest + LATE_S)
                last = max(at, time.monotonic()) if when == '*' else max(at, last)
                continue
            delay = at - time.monotonic()
            if delay > 0:
                time.sleep(delay)
            last = at if delay > -0.05 else time.monotonic()
            if kind == '<':
                self.inject(text)
            elif kind == 'call':
                self.run_call(text, until)
            else:
                self.run_shell(text)
        self.finish_calls()

    def run_shell(self, text):
        if re.search('conntrack|xtables|iptables', text):
            return  # another tracker's own books
        prepares = re.search('defaults.sh|common.sh', text)
        folder = self.folder + '/..' if 'packetdrill/' in text else self.folder
        done = subprocess.run(['sh', '-c', text], cwd=folder, capture_output=True, text=True,
                              env={**os.environ, 'xtables': 'true'}, check=False)
        if done.returncode and not prepares:
            raise Unknown(f'`{text.strip()}`: {done.stderr.strip()[:60]}')

    def close(self):
        for sock in self.files.values():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            sock.close()
        while self.sent(time.monotonic() + 0.05):
            pass


def open_tun(name):
    tun = os.open('/dev/net/tun', os.O_RDWR)
    fcntl.ioctl(tun, 0x400454ca, struct.pack('16sH22x', name.encode(), 0x1001))  # TUNSETIFF, TUN | NO_PI
    return tun


def restore(name):
    """A script may have taken the interface down or its routes away."""
    for command in (f'link set {name} up', f'addr replace {LOCAL}/16 dev {name}', f'route replace default dev {name}',
                    'tcp_metrics flush all'):
        subprocess.run(['ip', *command.split()], capture_output=True, check=False)


def main():
    tun = open_tun(sys.argv[1])
    for path in sys.argv[2:]:
        name = os.path.basename(path).removesuffix('.pkt')
        restore(sys.argv[1])
        player = Player(tun, os.path.abspath(path))
        try:
            player.play(read_script(path))
            print('ok', name, flush=True)
        except Unknown as why:
            print('skip', name, '|', str(why).replace('\n', ' ')[:120], flush=True)
        except (Failed, OSError) as why:
            print('not ok', name, '|', str(why)[:200], flush=True)
        finally:
            try:
                player.close()
            except OSError:
                pass


if __name__ == '__main__':
    main()
