#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# replay and explain: real captures lose nothing, every link type is judged alike, a forged segment is
# found and explained, bad input gets one line and its exit code, and nothing is left behind.
. "$(dirname "$0")/lib.sh"

topology_pair

NO=1 USAGE=2 NOT_ATTACHED=3 PERMISSION=4 PARTLY=9
DATA=$ROOT/tests/data

# Captures made here: the same conversation under every link header, whole, cut, forged, out of order.
(cd "$WORK" && "$PYTHON" -) <<'PYTHON'
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MSS_WSCALE = bytes.fromhex("020405b4 0402 080a0000000100000000 01 030307")  # as Linux, 20 bytes
A, B = (bytes([10, 0, 0, 1]), 40000), (bytes([10, 0, 0, 2]), 80)
A6, B6 = (bytes.fromhex("fd00" + "00" * 13 + "01"), 40000), (bytes.fromhex("fd00" + "00" * 13 + "02"), 80)


def packet(src, dst, flags, seq, ack, payload=0, options=b"", window=500, length=None):
    offset = (20 + len(options)) // 4 << 4
    tcp = struct.pack("!HHIIBBHHH", src[1], dst[1], seq, ack, offset, flags, window, 0, 0) + options
    size = len(tcp) + payload if length is None else length
    if len(src[0]) == 16:
        return struct.pack("!IHBB", 6 << 28, size, 6, 64) + src[0] + dst[0] + tcp + bytes(min(payload, 1400))
    total = 20 + size if length is None else length
    return (struct.pack("!BBHHHBBH", 0x45, 0, total, 0, 0x4000, 64, 6, 0) + src[0] + dst[0] + tcp +
            bytes(min(payload, 1400)))


def conversation(a, b):
    """Handshake, 100 KB in a scaled window before the first acknowledgement, an orderly end."""
    yield packet(a, b, SYN, 1000, 0, options=MSS_WSCALE)
    yield packet(b, a, SYN | ACK, 5000, 1001, options=MSS_WSCALE)
    yield packet(a, b, ACK, 1001, 5001)
    yield packet(a, b, ACK | PSH, 1001, 5001, 100)
    for i in range(40):
        yield packet(b, a, ACK, 5001 + i * 1400, 1101, 1400)
    yield packet(a, b, ACK, 1101, 5001 + 40 * 1400)
    yield packet(a, b, ACK | FIN, 1101, 5001 + 40 * 1400)
    yield packet(b, a, ACK | FIN, 5001 + 40 * 1400, 1102)
    yield packet(a, b, ACK, 1102, 5002 + 40 * 1400)


def save(name, link, header, packets, snap=65535, times=None, lengths=None):
    with open(name, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snap, link))
        for i, data in enumerate(packets):
            data = header(data) + data
            length = lengths[i] if lengths and lengths[i] else len(data)
            ms = times[i] if times else i
            out.write(struct.pack("<IIII", 1700000000 + ms // 1000, ms % 1000 * 1000,
                                  min(snap, len(data)), length) + data[:snap])


def ether(data):
    return bytes(12) + (b"\x86\xdd" if data[0] >> 4 == 6 else b"\x08\x00")


good = list(conversation(A, B))
save("ethernet.pcap", 1, ether, good)
save("ethernet6.pcap", 1, ether, list(conversation(A6, B6)))
save("vlan.pcap", 1, lambda d: bytes(12) + b"\x81\x00\x00\x05\x08\x00", good)
save("sll.pcap", 113, lambda d: bytes(14) + ether(d)[12:], good)
save("sll2.pcap", 276, lambda d: ether(d)[12:] + bytes(18), good)
save("raw.pcap", 101, lambda d: b"", good)
save("raw6.pcap", 229, lambda d: b"", list(conversation(A6, B6)))
save("null.pcap", 0, lambda d: b"\x02\x00\x00\x00", good)
save("loop.pcap", 108, lambda d: b"\x00\x00\x00\x02", good)
save("wifi.pcap", 127, lambda d: bytes(8), good)
save("snap68.pcap", 1, ether, good, 68)
save("snap40.pcap", 1, ether, good, 40)
save("backwards.pcap", 1, ether, good, times=[i if i % 2 else 2 * 86400000 - i for i in range(len(good))])
save("wild.pcap", 1, ether, good, times=[[0, 10**11, 5, 2 * 10**12][i % 4] for i in range(len(good))])
save("half1.pcap", 1, ether, good[:20])
save("half2.pcap", 1, ether, good[20:])
save("none.pcap", 1, ether, [])
open("empty.pcap", "wb")
open("text.pcap", "w").write("this is no capture, whatever its name says\n")
whole = open("ethernet.pcap", "rb").read()
open("cut.pcap", "wb").write(whole[:-10])

# A blind injection: far beyond the window, in an established connection.  It is packet 5.
save("gap.pcap", 1, ether, good[:43] + good[44:])
save("late.pcap", 1, ether, good[:43] + [good[44], good[43]] + good[45:])
forged = good[:4] + [packet(A, B, ACK | PSH, 9000000, 5001, 10)] + good[4:]
save("forged.pcap", 1, ether, forged)

# Segmentation offload: 40 000 and 200 000 bytes in one buffer, without a length in the IP header, cut at 200 bytes.
big = good[:4]
big.append(packet(B, A, ACK, 5001, 1101, 40000, length=0))
big.append(packet(A, B, ACK, 1101, 45001, window=60000))
big.append(packet(B, A, ACK, 45001, 1101, 200000, length=0))
big.append(packet(A, B, ACK, 1101, 245001, window=60000))
big.append(packet(B, A, ACK, 245001, 1101, 10))
save("big.pcap", 1, ether, big, 200, lengths=[0] * 4 + [54 + 40000, 0, 54 + 200000, 0, 0])
PYTHON
cd "$WORK"

# run COMMAND...: its exit code in $code, its output in $WORK/out and $WORK/err, and shown if the case fails.
run() {
	code=0
	"$@" > "$WORK/out" 2> "$WORK/err" < /dev/null || code=$?
	head -n 40 "$WORK/out" "$WORK/err"
}

tg() {
	"$TCPGUARD" "$@"
}

# value EXPRESSION: of the JSON document in $WORK/out.
value() {
	query "$1" < "$WORK/out"
}

# --- captures ---------------------------------------------------------------------------------------

no_drop() { # FILE OPTION...
	run tg replay -j --fail-on-drop "$@"
	equal $code 0 && equal "$(value "d['verdicts']['drop']")" 0 && at_least "$(value "d['tcp_packets']")" 1000
}
for file in clean r_loss r_reo_nosack g_clean g_drop; do
	check "$file: nothing is dropped" no_drop "$DATA/$file.pcap.gz"
	check "$file: nothing is dropped, strict windows aside, when it is one-way" \
		no_drop "$DATA/$file.pcap.gz" --profile oneway
done
check "in the view of a host, too" no_drop "$DATA/clean.pcap.gz" --local 10.0.0.0/8

from_stdin() {
	run tg replay -j "$DATA/clean.pcap.gz"
	value "(d['packets'], d['flows'], sorted((r['name'], r['packets']) for r in d['reasons']))" > file.txt
	for how in cat zcat; do
		$how "$DATA/clean.pcap.gz" | tg replay -j - > out
		value "(d['packets'], d['flows'], sorted((r['name'], r['packets']) for r in d['reasons']))" > pipe.txt
		cmp file.txt pipe.txt || return 1
	done
}
check "standard input, plain and compressed, gives the same" from_stdin

lines() {
	run tg replay -o ndjson "$DATA/clean.pcap.gz"
	equal $code 0 || return 1
	"$PYTHON" - "$WORK/out" <<'PYTHON'
import json, re, sys
FIELDS = "n time verdict reason flow dir src dst src_state dst_state".split()
count = 0
for count, line in enumerate(open(sys.argv[1]), 1):
    packet = json.loads(line)
    assert list(packet)[:10] == FIELDS, packet
    assert packet["n"] == count
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", packet["time"]), packet
    assert packet["verdict"] in ("pass", "noupd", "drop")
    if packet["reason"] == "not_tcp":
        assert packet["verdict"] == "pass" and packet["flow"] is None and packet["src"] is None
    else:
        assert re.fullmatch(r"[0-9a-f]+-[0-9a-f]+", packet["flow"]) and packet["dir"] in (0, 1)
        assert re.fullmatch(r"10\.\d+\.\d+\.\d+:\d+", packet["src"]), packet
assert count == 9281, count
PYTHON
}
check "ndjson: one object a packet, the promised fields" lines

# What happens to each packet, without where it lies.
judgements() {
	tg replay -o ndjson "$@" | "$PYTHON" -c '
import json, sys
for line in sys.stdin:
    p = json.loads(line)
    print(p["n"], p["verdict"], p["reason"], p["dir"], p["src_state"], p["dst_state"])'
}
judgements ethernet.pcap > wanted.txt
same_judgements() {
	judgements "$@" > got.txt
	diff wanted.txt got.txt
}
check "the conversation is one, to its end" equal "$(tail -n 1 wanted.txt)" "48 pass ok 0 TIME_WAIT CLOSED"
for file in ethernet6 vlan sll sll2 raw raw6 null loop snap68; do
	check "$file: the same judgements" same_judgements $file.pcap
done
check "time going backwards" same_judgements backwards.pcap
joined() {
	judgements half1.pcap half2.pcap --join | cut -d ' ' -f 2- > got.txt
	cut -d ' ' -f 2- wanted.txt | diff - got.txt
}
check "two parts of one capture, joined" joined
apart() {
	run tg replay -j half1.pcap half2.pcap
	equal $code 0 && equal "$(value "[f['drops'] for f in d['files']]")" "[0, 28]"
}
check "two captures, each with a table of its own" apart
check "two parts, adopting" tg replay --fail-on-drop --learn half1.pcap half2.pcap
check "segments larger than a length field" tg replay --fail-on-drop big.pcap

wild() {
	run tg replay -j wild.pcap
	equal $code 0 && equal "$(value "d['packets']")" 48
}
check "a clock that jumps by decades" wild

unreadable() {
	run tg replay -j --fail-on-drop snap40.pcap
	equal $code 0 && equal "$(value "d['headers_cut']")" 48
}
check "headers cut off: passed unjudged, and said" unreadable

# --- a capture that lost segments or holds them in another order ------------------------------------
blames_capture() {
	run tg replay --fail-on-drop "$1"
	equal $code $NO || return 1
	head -n 2 out | grep -q "$1#$2 $3 ($4" || return 1
	grep -q "^$5 dropped in connections of which the capture seems to lack segments" out
}
check "data that the capture lacks is named" blames_capture gap.pcap 44 ack_above \
	'acknowledges data that is not in the capture' '4 packets'
check "data recorded after its acknowledgement is named" blames_capture late.pcap 44 ack_above \
	'acknowledges data that is not in the capture' '1 packet'
blames_sender() {
	run tg replay forged.pcap
	grep -q seq_above out && ! grep -q 'lack segments' out
}
check "a segment beyond the window is not blamed on the capture" blames_sender

# --- a forged segment -------------------------------------------------------------------------------

found() {
	run tg replay --fail-on-drop -w dropped.pcap forged.pcap
	equal $code $NO && head -n 2 out | grep -q '10.0.0.1:40000 -> 10.0.0.2:80 *1 dropped, first forged.pcap#5 seq_above' &&
		run tg replay -j dropped.pcap && equal "$(value "d['packets']")" 1
}
check "found, listed first, written" found

monitored() {
	run tg replay -o ndjson --mode monitor forged.pcap
	sed -n 5p out | grep -q '"verdict":"drop","reason":"seq_above".*"outcome":"would_drop"'
}
check "monitor mode: it would be dropped" monitored

own() {
	run tg replay -o ndjson --local 192.168.7.0/24,10.0.0.1 forged.pcap
	equal $code 0 && sed -n 5p out | grep -q '"outcome":"own"'
}
check "the host's own segments are never dropped" own

explained() {
	run tg explain -j --pcap forged.pcap#5
	equal $code 0 && equal "$(value "(d['verdict'], d['reason'])")" "('drop', 'seq_above')" &&
		equal "$(value "[(c['rule'], c['left_value'], c['holds']) for c in d['checks'] if c['decided']]")" \
			"[('I', 9000000, False)]" &&
		equal "$(value "[e['n'] for e in d['timeline']]")" "[1, 2, 3, 4, 5]" &&
		run tg explain --pcap forged.pcap#5 && grep -q 'this decided' out && grep -q '^To change' out
}
check "explained: the comparison that decided, its numbers, the story" explained
check "explained: a packet that passes" tg explain --pcap "$DATA/r_loss.pcap.gz#4000"
check "explained: IPv6" tg explain --pcap ethernet6.pcap#48
check "explained: no TCP" tg explain --pcap "$DATA/clean.pcap.gz#1"

# --- nothing is left behind -------------------------------------------------------------------------

untouched() {
	bpffs_is_empty && ! ip -d link show | grep -q prog/xdp
}
check "nothing is attached, nothing is pinned" untouched
check "no bpffs is needed" unshare --mount sh -c 'umount /sys/fs/bpf; exec "$@"' sh "$TCPGUARD" replay ethernet.pcap

# --- bad input --------------------------------------------------------------------------------------

# refuses EXIT_CODE PATTERN COMMAND...: says why in one line that matches.
refuses() {
	local want=$1 pattern=$2

	shift 2
	run "$@"
	equal $code "$want" && equal "$(wc -l < err)" 1 && grep -q '^tcpguard: ' err && grep -qi -e "$pattern" err
}
check "no file named" refuses $USAGE capture tg replay
check "a file that is not there" refuses $USAGE 'gone.pcap.*No such file' tg replay gone.pcap
check "a directory" refuses $USAGE 'directory' tg replay /tmp
check "an empty file" refuses $USAGE 'empty.pcap.*empty' tg replay empty.pcap
check "no capture" refuses $USAGE 'text.pcap.*no capture' tg replay text.pcap
check "802.11" refuses $USAGE '802.11' tg replay wifi.pcap
check "a truncated file: what is there is judged" refuses $PARTLY 'cut.pcap.*after packet 47' tg replay cut.pcap
check "one of two is missing: the other is judged" refuses $PARTLY gone.pcap tg replay gone.pcap ethernet.pcap
check "zero packets" refuses 0 'none.pcap.*no packets' tg replay none.pcap
check "a wrong prefix" refuses $USAGE 10.0.0.0/33 tg replay --local 10.0.0.0/8,10.0.0.0/33 ethernet.pcap
check "a wrong profile" refuses $USAGE spaceship tg replay --profile spaceship ethernet.pcap
check "standard input twice" refuses $USAGE 'standard input' tg replay - -
check "an output that cannot be written" refuses $USAGE nonexistent tg replay -w /nonexistent/x forged.pcap
check "no capabilities" refuses $PERMISSION CAP_ setpriv --bounding-set=-all --inh-caps=-all -- "$TCPGUARD" replay ethernet.pcap
check "explain nothing" refuses $USAGE explain tg explain
check "explain packet 0" refuses $USAGE 'FILE#N' tg explain --pcap ethernet.pcap#0
check "explain no number" refuses $USAGE 'FILE#N' tg explain --pcap ethernet.pcap
check "explain a packet behind the end" refuses $NO 'ends after 48' tg explain --pcap ethernet.pcap#999999
check "explain a connection nobody can have" refuses $USAGE 'no connection' tg explain 10.0.0.1-10.0.0.2
check "explain with nothing attached" refuses $NOT_ATTACHED attach tg explain 10.0.0.1:1-10.0.0.2:2

# --- beside a running tcpguard ----------------------------------------------------------------------

attach eth0 --no-daemon
# A configuration file in place of the defaults, and what would change with it.
printf 'version: 1\nmode: monitor\n' > "$WORK/monitor.yaml"
printf 'version: 1\nmode: enforce\n' > "$WORK/enforce.yaml"
printf 'version: 1\nmood: monitor\n' > "$WORK/bad.yaml"
drops=$("$TCPGUARD" replay forged.pcap -o ndjson | grep -c '"verdict":"drop"') || true
check "the capture has drops" test "$drops" -gt 0
changes() { # FILE OPTION...
	"$TCPGUARD" replay forged.pcap --compare "$@" | grep -c '^packet [0-9]*: '
}
check "--config takes the file's mode" equal \
	"$("$TCPGUARD" replay forged.pcap --config "$WORK/monitor.yaml" -o ndjson |
		grep -c '"outcome":"would_drop"')" "$drops"
check "an option goes before the file" equal \
	"$("$TCPGUARD" replay forged.pcap --config "$WORK/monitor.yaml" --mode enforce -o ndjson |
		grep -c '"outcome":"would_drop"')" 0
check "--compare shows each packet that would fare otherwise" equal "$(changes "$WORK/monitor.yaml")" "$drops"
check "and none when nothing would" equal "$(changes "$WORK/enforce.yaml")" 0
refuses_a_bad_file() {
	run tg replay forged.pcap --config "$WORK/bad.yaml"
	equal $code 6
}
check "a bad file: exit code 6" refuses_a_bad_file

# Neighbours are looked for at any time: only what is TCP counts.
books() {
	tg -j flows count
	tg -j stats | query "packets('eth0', 'pass') - reason('eth0', 'not_tcp')"
	find /sys/fs/bpf
}
beside() {
	local before

	before=$(books)
	tg replay "$DATA/clean.pcap.gz" > /dev/null || return 1
	equal "$(books)" "$before"
}
check "a running tcpguard is not touched" beside

"$PYTHON" - <<'PYTHON' || FAILED=1
import json, os, socket, subprocess
from world import Cases, inside

cases = Cases()
listener = socket.create_server(("10.0.0.1", 8001))
listener6 = socket.create_server(("fd00:0::1", 8001), family=socket.AF_INET6)
with inside("client"):
    client = socket.create_connection(("10.0.0.1", 8001), 5, ("10.0.0.2", 18001))
    client6 = socket.create_connection(("fd00:0::1", 8001), 5, ("fd00:0::2", 18001))
server, server6 = listener.accept()[0], listener6.accept()[0]
for a, b in ((client, server), (client6, server6)):
    a.send(b"question")
    b.recv(100)


def explain(flow, *options):
    return subprocess.run([os.environ["TCPGUARD"], "explain", *options, flow], capture_output=True, text=True)


for flow in ("10.0.0.2:18001-10.0.0.1:8001", "10.0.0.1:8001-10.0.0.2:18001",
             "[fd00::2]:18001-[fd00::1]:8001"):
    answer = json.loads(explain(flow, "-j").stdout)
    cases.equal(f"{flow}: states", (answer["src"]["state"], answer["dst"]["state"]), ("ESTABLISHED", "ESTABLISHED"))
    cases.equal(f"{flow}: bytes", answer["src"]["bytes"], 8)
answer = explain("10.0.0.2:18001-10.0.0.1:8001")
cases.check("as text", "may send up to" in answer.stdout and "HASACK" in answer.stdout)
cases.equal("a connection that is not known", explain("10.9.9.9:1-10.0.0.1:2").returncode, 1)
cases.finish()
PYTHON
