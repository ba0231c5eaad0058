# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads what tcpguard exports, strictly, and says what `tcpguard -j stats` must have said."""

import json
import os
import re
import subprocess

TCPGUARD = os.environ["TCPGUARD"]
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\.)*",?)+)\})? ([0-9.e+-]+)')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\\n]|\\.)*)"')
SUFFIXES = {"counter": ("_total",), "info": ("_info",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def parse(text, openmetrics=False):
    """{(name, frozenset of labels): value}; every line is checked."""
    series, types, helps, family = {}, {}, set(), None
    lines = text.split("\n")
    assert lines.pop() == "", "the last line does not end"
    if openmetrics:
        assert lines.pop() == "# EOF", "no # EOF"
    for line in lines:
        head = re.fullmatch(r"# (HELP|TYPE|UNIT) (\S+) (.+)", line)
        if head:
            what, name, rest = head.groups()
            if what == "HELP":
                assert name not in helps, f"{name}: two heads"
                helps.add(name)
                family = name
            assert name == family, f"{name}: heads of two families are mixed"
            if what == "TYPE":
                types[name] = rest
            if what == "UNIT":
                assert openmetrics and name.endswith("_" + rest), line
            continue
        match = SAMPLE.fullmatch(line)
        assert match, f"no sample: {line!r}"
        name, labels, value = match.groups()
        kind = types[family]
        wanted = [family + suffix for suffix in SUFFIXES[kind]] if openmetrics or kind == "histogram" else [family]
        assert name in wanted, f"{name} stands below {family}"
        key = name, frozenset(LABEL.findall(labels or ""))
        assert key not in series, f"twice: {line}"
        series[key] = float(value)
    assert helps == set(types) and len(helps) > 25
    return series


def counters(series):
    return {key: value for key, value in series.items()
            if re.search(r"_(total|bucket|sum|count)$", key[0]) and not key[0].startswith("process_")}


def key(name, **labels):
    return name, frozenset(labels.items())


def from_cli(*options):
    text = subprocess.run([TCPGUARD, "metrics", *options], capture_output=True, text=True, check=True).stdout
    return parse(text, "--openmetrics" in options)


def from_stats():
    """The series that can be told from the JSON of stats."""
    stats = json.loads(subprocess.run([TCPGUARD, "-j", "stats"], capture_output=True, check=True).stdout)
    out = {key("tcpguard_flow_entries"): stats["flows"]["entries"],
           key("tcpguard_flow_entries_limit"): stats["flows"]["limit"]}
    for state, number in stats["flows"]["by_state"].items():
        out[key("tcpguard_flows", state=state)] = number
    for service in stats["services"]:
        for group, drops in service["drops"].items():
            for verdict, number in drops.items():
                out[key("tcpguard_service_drops_total", service=service["name"], **{"class": group},
                        verdict=verdict)] = number
    for iface in stats["interfaces"]:
        out.update(of_iface(iface, iface["name"]))
    for kind, counts in stats["events"]["types"].items():
        for name, number in (("events", "emitted"), ("events_lost", "lost"), ("events_suppressed", "suppressed")):
            out[key(f"tcpguard_{name}_total", type=kind)] = counts[number]
    out[key("tcpguard_event_readers")] = stats["events"]["readers"]
    out[key("tcpguard_capture_packets_total")] = stats["events"]["captured"]
    out[key("tcpguard_capture_lost_total")] = stats["events"]["capture_lost"]
    for name, families in stats["list_entries"].items():
        for family, origins in families.items():
            for origin, number in origins.items():
                out[key("tcpguard_list_entries", list=name, family=family, origin=origin)] = number
    # No drop is of these classes.
    return {name: value for name, value in out.items()
            if not name[1] & {("class", "info"), ("class", "internal")}}


def of_iface(row, iface):
    out, tallies = {}, row["tallies"]
    for verdict in row["packets"]:
        out[key("tcpguard_packets_total", iface=iface, verdict=verdict)] = row["packets"][verdict]
        out[key("tcpguard_bytes_total", iface=iface, verdict=verdict)] = row["bytes"][verdict]
    for reason in row["reasons"]:
        if reason["verdict"] == "drop":
            for name, number in (("drops", "drop"), ("would_drops", "would_drop")):
                where = key(f"tcpguard_{name}_total", iface=iface, reason=reason["name"])
                out[where] = out.get(where, 0) + reason[number]
    for group, drops in tallies["established_drops"].items():
        for verdict, number in drops.items():
            out[key("tcpguard_established_drops_total", iface=iface, **{"class": group}, verdict=verdict)] = number
    for group, number in tallies["flows_hit"].items():
        out[key("tcpguard_established_flows_hit_total", iface=iface, **{"class": group})] = number
    for flags in ("syn", "synack", "fin", "rst"):
        out[key("tcpguard_tcp_segments_total", iface=iface, flags=flags)] = tallies[f"segments_{flags}"]
    for proto in ("udp", "icmp"):
        out[key("tcpguard_non_tcp_packets_total", iface=iface, proto=proto)] = tallies[f"not_tcp_{proto}"]
    for origin in ("inbound", "outbound"):
        out[key("tcpguard_flow_created_total", iface=iface, origin=origin)] = tallies[f"flows_{origin}"]
    out[key("tcpguard_handshakes_total", iface=iface, result="completed")] = tallies["handshakes_done"]
    for result in ("invalid", "expired", "no_listener"):
        out[key("tcpguard_syncookies_total", iface=iface, result=result)] = tallies[f"cookies_{result}"]
    buckets = tallies["handshake"]["below_ms_power_of_2"]
    for i in range(len(buckets)):
        le = "+Inf" if i + 1 == len(buckets) else f"{2 ** i / 1000:.15g}"
        out[key("tcpguard_handshake_duration_seconds_bucket", iface=iface, le=le)] = sum(buckets[:i + 1])
    out[key("tcpguard_handshake_duration_seconds_count", iface=iface)] = sum(buckets)
    out[key("tcpguard_handshake_duration_seconds_sum", iface=iface)] = tallies["handshake"]["sum_ms"] / 1000
    return out
