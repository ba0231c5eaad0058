#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What Prometheus gets: well-formed, the numbers of stats, in the format it asks for, however many other
# clients there are and however slow; and what the daemon does where it cannot listen.
. "$(dirname "$0")/lib.sh"

topology_switch client attacker
web 10.0.0.1
attach eth0 --mode monitor --no-daemon
"$TCPGUARD" block add 192.0.2.1 2001:db8::/32 198.51.100.0/24 > /dev/null
"$TCPGUARD" allow add 203.0.113.0/24 > /dev/null

URL=http://127.0.0.1:9844
OPENMETRICS='Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'

# --- without a daemon -------------------------------------------------------------------------------

fetch "http://10.0.0.1/page?[1-20]"
"$TCPGUARD" metrics > "$WORK/text"
"$TCPGUARD" metrics --openmetrics > "$WORK/openmetrics"

if promtool=$("$ROOT/scripts/promtool" 2> "$WORK/promtool"); then
	no_complaint() { # FILE: promtool says what it would rather see, and exits with 0
		"$promtool" check metrics < "$1" > "$WORK/lint" 2>&1 || return 1
		equal "$(cat "$WORK/lint")" ""
	}
	check "promtool check metrics is clean" no_complaint "$WORK/text"
else
	skip_case "promtool check metrics is clean" "$(cat "$WORK/promtool")"
fi

mode_of() {
	stat -c '%a %F' "$1"
}

as_file() {
	(umask 077 && "$TCPGUARD" metrics --textfile "$1")
}

echo precious > "$WORK/precious"
ln -s precious "$WORK/link.prom"
check "--textfile replaces a link" as_file "$WORK/link.prom"
check "with a file others can read" equal "$(mode_of "$WORK/link.prom")" "644 regular file"
check "and leaves alone what it led to" equal "$(cat "$WORK/precious")" precious
check "nothing else is left" equal "$(find "$WORK" -name '*.tmp')" ""
fails_with() {
	local wanted=$1 status=0

	shift
	"$@" || status=$?
	equal $status "$wanted"
}
check "a directory that is not there is an error" fails_with 2 as_file "$WORK/nowhere/x.prom"
check "metrics are text" fails_with 2 "$TCPGUARD" -j metrics

python_part <<'PYTHON'
import os
import random
import threading
from exposition import counters, from_cli, from_stats, key, parse
from world import Cases, Injector, segment

work = os.environ["WORK"]
cases = Cases()


def load(stop):
    """Strays of all sorts, some of them on a flow that carried data both ways."""
    forge = Injector("attacker", "eth0", "02:00:00:00:00:01")
    rng = random.Random(5)
    while not stop.is_set():
        source = ("10.0.0.2", rng.randrange(1024, 65536))
        forge.send(segment(source, ("10.0.0.1", 80), rng.choice(("ACK", "SYN", "FIN", "RST|ACK", "SYN|FIN")),
                           rng.randrange(2 ** 32), rng.randrange(2 ** 32)))


@cases.case("both formats are well-formed and have the same series")
def _():
    text = parse(open(f"{work}/text").read())
    openmetrics = parse(open(f"{work}/openmetrics").read(), openmetrics=True)
    assert text.keys() == openmetrics.keys()


@cases.case("under load each number lies between those of stats before and after")
def _():
    stop = threading.Event()
    thread = threading.Thread(target=load, args=(stop,))
    thread.start()
    moved, earlier = 0, None
    try:
        for _ in range(20):
            before, now, after = from_stats(), from_cli(), from_stats()
            for name, number in counters(before).items():
                assert number <= now[name] <= after[name], (name, number, now[name], after[name])
                moved += after[name] > number
            for name, number in counters(earlier or {}).items():
                assert number <= now[name], f"{name} fell from {number} to {now[name]}"
            earlier = now
    finally:
        stop.set()
        thread.join()
    assert moved > 20, f"only {moved} numbers moved"


@cases.case("in quiet they are equal")
def _():
    # The last strays are still on their way: quiet is when nothing moved from before to after.
    for _ in range(100):
        before, now, stats = from_stats(), from_cli(), from_stats()
        if counters(before) == counters(stats):
            break
    assert counters(before) == counters(stats), "packets never cease"
    for name, number in stats.items():
        assert abs(now[name] - number) < 1e-9, (name, number, now[name])
    assert len(stats) > 130, len(stats)
    assert now[key("tcpguard_would_drops_total", iface="eth0", reason="no_flow")] > 0
    assert now[key("tcpguard_interface_mode", iface="eth0", mode="monitor")] == 1
    assert now[key("tcpguard_ready")] == 1
    assert now[key("tcpguard_list_entries", list="block", family="ipv4", origin="cli")] == 2
    assert now[key("tcpguard_list_entries", list="block", family="ipv6", origin="cli")] == 1
    assert now[key("tcpguard_list_entries", list="allow", family="ipv4", origin="cli")] == 1


cases.finish()
PYTHON

# --- the daemon -------------------------------------------------------------------------------------

status_of() { # ARGUMENT... of curl
	curl -s -o /dev/null -w '%{http_code}' --max-time 20 "$@" || true
}

answers() {
	equal "$(status_of "$URL/-/healthy")" 200
}

start_daemon() { # OPTION...
	background "$TCPGUARD" daemon "$@" 2> "$WORK/daemon.log"
	DAEMON=$PID
}

end_daemon() { # SIGNAL
	kill "-$1" "$DAEMON"
	wait "$DAEMON" || true
}

metrics_in_status() {
	"$TCPGUARD" -j status | query "d['daemon']['metrics']"
}

start_daemon --socket "$WORK/events.sock"
wait_for 10 answers || die "the daemon does not answer"
check "status says where metrics are" equal "$(metrics_in_status)" 127.0.0.1:9844
check "/-/ready" equal "$(status_of $URL/-/ready)" 200
check "any other path is 404" equal "$(status_of $URL/) $(status_of $URL/metrics/)" "404 404"
check "any other method is 405" equal \
	"$(status_of -X POST -d x=y $URL/metrics) $(status_of -X DELETE $URL/-/ready)" "405 405"

type_of() {
	curl -s -o /dev/null -w '%{content_type}' "$@"
}
check "text by default" equal "$(type_of $URL/metrics)" "text/plain; version=0.0.4; charset=utf-8"
check "OpenMetrics when asked" equal "$(type_of -H "$OPENMETRICS" $URL/metrics)" \
	"application/openmetrics-text; version=1.0.0; charset=utf-8"

curl -s -H "$OPENMETRICS" $URL/metrics > "$WORK/openmetrics"
curl -s $URL/metrics > "$WORK/text"
curl -s --head $URL/metrics > "$WORK/head"
head_has_no_body() {
	grep -q '^Content-Length: [1-9]' "$WORK/head" && equal "$(sed -n '/^\r*$/,$p' "$WORK/head" | wc -c)" 2
}
check "HEAD is a head alone" head_has_no_body
if [ -n "${promtool-}" ]; then
	check "promtool: what the daemon serves is clean" no_complaint "$WORK/text"
else
	skip_case "promtool: what the daemon serves is clean" "no promtool"
fi

export DAEMON
python_part <<'PYTHON'
import os
import socket
import subprocess
import threading
import time
import urllib.request
from exposition import from_stats, key, parse
from world import TCPGUARD, Cases, Injector, segment, wait_for

cases = Cases()
URL = "http://127.0.0.1:9844"
daemon = os.environ["DAEMON"]
work = os.environ["WORK"]


def get(path="/metrics"):
    return urllib.request.urlopen(URL + path, timeout=30).read().decode()


def open_fds():
    return len(os.listdir(f"/proc/{daemon}/fd"))


@cases.case("what is served is well-formed, in both formats, and the daemon's own numbers are its own")
def _():
    text = parse(open(f"{work}/text").read())
    assert text.keys() == parse(open(f"{work}/openmetrics").read(), openmetrics=True).keys()
    assert abs(text[key("process_open_fds")] - open_fds()) < 8
    assert text[key("process_resident_memory_bytes")] > 1e6
    assert 0 < text[key("process_cpu_seconds_total")] < 1000
    ticks = int(open(f"/proc/{daemon}/stat").read().rsplit(")", 1)[1].split()[19])
    began = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")
    assert abs(text[key("process_start_time_seconds")] - began) < 0.1


@cases.case("in quiet the daemon serves what stats says")
def _():
    def equal():
        now, stats = parse(get()), from_stats()
        return all(abs(now[name] - number) < 1e-9 for name, number in stats.items())
    assert wait_for(equal, 10), from_stats().items() - parse(get()).items()


@cases.case("with readers of events, who see a flood, it still does")
def _():
    readers = [subprocess.Popen([TCPGUARD, "events", "-f", "--socket", f"{work}/events.sock"],
                                stdout=subprocess.DEVNULL) for _ in range(3)]
    try:
        assert wait_for(lambda: parse(get())[key("tcpguard_event_readers")] == 3, 10), "no readers"
        forge = Injector("attacker", "eth0", "02:00:00:00:00:01")
        for port in range(2000):
            forge.send(segment(("10.0.0.2", 1024 + port), ("10.0.0.1", 81), "ACK", port, port))  # of no connection

        def all_counted():
            now = parse(get())
            return sum(now[key(f"tcpguard_events{how}_total", type="drop")] for how in ("", "_lost", "_suppressed")) >= 2000
        assert wait_for(all_counted, 10), "not every drop is an event told, lost or left out"
        assert parse(get())[key("tcpguard_events_total", type="drop")] >= 10

        def equal():
            now, stats = parse(get()), from_stats()
            return all(abs(now[name] - number) < 1e-9 for name, number in stats.items())
        assert wait_for(equal, 10), from_stats().items() - parse(get()).items()
    finally:
        for reader in readers:
            reader.kill()
            reader.wait()


wait_for(lambda: parse(get())[key("tcpguard_event_readers")] == 0)
at_rest = open_fds()


@cases.case("200 clients at once are all served")
def _():
    results = []
    threads = [threading.Thread(target=lambda: results.append(len(parse(get())))) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 200 and len(set(results)) == 1, f"{len(results)} answers"


@cases.case("150 clients that never finish their request hold no more than 64 connections, and end")
def _():
    assert wait_for(lambda: open_fds() <= at_rest), f"{open_fds()} descriptors, {at_rest} at rest"
    slow = [socket.create_connection(("127.0.0.1", 9844)) for _ in range(150)]
    stop = threading.Event()

    def drip():
        while not stop.is_set():
            for client in slow:
                try:
                    client.send(b"G")
                except OSError:
                    pass
            stop.wait(0.5)

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        assert wait_for(lambda: open_fds() >= at_rest + 60, 10), f"{open_fds()} descriptors, {at_rest} at rest"
        assert open_fds() <= at_rest + 64 + 2, f"{open_fds()} descriptors, {at_rest} at rest"
        assert "healthy" in get("/-/healthy")
    finally:
        stop.set()
        thread.join()
        for client in slow:
            client.close()
    assert wait_for(lambda: open_fds() <= at_rest + 2, 20), f"{open_fds()} descriptors, {at_rest} at rest"


@cases.case("clients that do not take their answer hold nobody else out")
def _():
    deaf = []
    for _ in range(100):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect(("127.0.0.1", 9844))
        client.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        deaf.append(client)
    assert "tcpguard_ready 1" in get()
    for client in deaf:
        client.close()


@cases.case("what is no HTTP is not answered with metrics")
def _():
    for request in (b"\0\xff\0\r\n\r\n", b"GET /metrics\r\n" + b"A" * 100000, b"GET " + b"/" * 40000 + b" HTTP/1.1\r\n\r\n",
                    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", 9844)) as client:
            client.settimeout(30)
            got = b""
            try:
                client.sendall(request)
                client.shutdown(socket.SHUT_WR)
                while data := client.recv(65536):
                    got += data
            except OSError:
                pass
            assert b"tcpguard_" not in got, got[:200]
    assert "healthy" in get("/-/healthy")


cases.finish()
PYTHON

# --- where it cannot listen -------------------------------------------------------------------------

end_daemon TERM
background "$PYTHON" -m http.server --bind 127.0.0.1 9844 > "$WORK/other" 2>&1
OTHER=$PID
wait_for 10 listening 9844 || die "nobody takes the port"
start_daemon
unavailable() {
	[[ $(metrics_in_status) == "unavailable, 127.0.0.1:9844: Address already in use" ]]
}
check "a port in use: the daemon runs and status says so" wait_for 10 unavailable
check "and its log names the remedy" grep -q 'cannot listen on 127.0.0.1:9844.*--metrics' "$WORK/daemon.log"
end_daemon TERM
kill "$OTHER"
wait "$OTHER" 2> /dev/null || true

by_path() {
	equal "$(status_of --unix-socket "$WORK/socket" http://tcpguard/metrics)" 200
}
start_daemon --metrics "unix:$WORK/socket"
check "a Unix socket answers" wait_for 10 by_path
check "for its owner and group" equal "$(mode_of "$WORK/socket")" "660 socket"
end_daemon KILL
check "a daemon that is killed leaves it" equal "$(mode_of "$WORK/socket")" "660 socket"
start_daemon --metrics "unix:$WORK/socket"
check "the next one replaces it" wait_for 10 by_path
end_daemon TERM
check "and takes it away" fails_with 1 test -e "$WORK/socket"
start_daemon --metrics off
is_off() {
	equal "$(metrics_in_status)" off
}
check "off is off" wait_for 10 is_off
check "nobody listens then" fails_with 1 listening 9844
end_daemon TERM
check "what is no place is refused" fails_with 2 "$TCPGUARD" daemon --metrics localhost:9844

# --- where the configuration says -------------------------------------------------------------------

listen_at() { # PLACE
	printf '%s\n' 'version: 1' "metrics: {listen: '$1'}" > "$WORK/tcpguard.yaml"
}
is_at() {
	equal "$(metrics_in_status)" "$1"
}
listen_at "$WORK/socket"
start_daemon --config "$WORK/tcpguard.yaml"
check "the file's Unix socket answers" wait_for 10 by_path
listen_at 127.0.0.1:9845
kill -HUP "$DAEMON"
check "after a reload its address" wait_for 10 is_at 127.0.0.1:9845
check "answers" equal "$(status_of http://127.0.0.1:9845/metrics)" 200
check "and the socket is gone" fails_with 1 test -e "$WORK/socket"
value() { # NAME: what is served at 9845
	curl -s http://127.0.0.1:9845/metrics | sed -n "s/^$1 //p"
}
value_is() {
	equal "$(value "$1")" "$2"
}
in_force=$("$TCPGUARD" -j config show | query "d['hash']")
check "the hash in force" wait_for 10 value_is "tcpguard_config_hash_info{hash=\"$in_force\"}" 1
check "read without a fault" value_is tcpguard_config_last_reload_success 1
check "nothing has gone back" value_is tcpguard_confirm_reverts_total 0
# Longer than the daemon looks away: what it has not seen enforcing does not go back.
"$TCPGUARD" enforce eth0 --confirm 3s > /dev/null
check "a mode nobody confirms is counted" wait_for 10 value_is tcpguard_confirm_reverts_total 1
listen_at localhost:9845
kill -HUP "$DAEMON"
check "a fault in the file is told" wait_for 10 value_is tcpguard_config_last_reload_success 0
check "what is no place is a fault of the file" fails_with 6 "$TCPGUARD" config check "$WORK/tcpguard.yaml"
listen_at off
"$TCPGUARD" config reload "$WORK/tcpguard.yaml" > /dev/null
check "config reload tells the daemon, too" wait_for 10 is_off
end_daemon TERM
start_daemon --config "$WORK/tcpguard.yaml" --metrics 127.0.0.1:9844
check "the command line wins over the file" wait_for 10 answers
end_daemon TERM

# --- what ageing has freed --------------------------------------------------------------------------

printf '%s\n' 'version: 1' 'flows: {timeouts: {time_wait: 1s, handshake: 1s}}' > "$WORK/short.yaml"
start_daemon --config "$WORK/short.yaml" --metrics 127.0.0.1:9845
"$TCPGUARD" config reload "$WORK/short.yaml" > /dev/null
ended() { # CAUSE: more than before
	[ "$(value "tcpguard_flow_ended_total{cause=\"$1\"}")" -gt "${2:-0}" ]
}
fetch http://10.0.0.1/page
check "a connection that ended by FIN" wait_for 30 ended fin
check "its duration" [ "$(value tcpguard_flow_duration_seconds_count)" -gt 0 ]
# 10.0.0.77 is nobody: no answer comes.
ip neigh replace 10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0
! curl -s --max-time 1 http://10.0.0.77/ > /dev/null || die "10.0.0.77 is somebody"
check "a handshake nobody answered" wait_for 30 ended handshake_timeout
check "passes over the table" [ "$(value tcpguard_sweep_duration_seconds_count)" -gt 0 ]
end_daemon TERM

# --- ready, and not any more ------------------------------------------------------------------------

start_daemon
wait_for 10 answers || die "the daemon does not answer"
check "ready while attached" equal "$(status_of $URL/-/ready)" 200
"$TCPGUARD" detach eth0 > /dev/null
# The daemon of nothing ends after a while; refused is not ready, too.
check "not ready when detached" equal "$(status_of $URL/-/ready | sed s/000/503/)" 503
