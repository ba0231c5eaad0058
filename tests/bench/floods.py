#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Floods of every kind against a web server behind tcpguard, behind nftables synproxy, and alone, while real
clients use it (`make bench-floods`).

For each kind, round after round, each receiver in turn:
  cost      a number of packets without clients: CPU time of all of it, by the packet
  service   as many as go in some seconds: what the clients' connections came to
A cost is valid only if the receiver's own counters account for the packets.

usage: floods.py [--rounds N] [--packets N] [--seconds S] [--kinds KIND,...] [--json FILE]     (as root)
       floods.py --document RESULT.JSON FILE    writes the tables between the marks in FILE
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from flood_peers import ADDRESS, RECEIVERS, SERVICE
from flood_tables import document
from peers import IN_WORLD, ROOT, enter_world, machine, sh

FLOOD = ROOT / "build" / "tests" / "bench" / "flood"
TOLERANCE = 0.98
PACKETS_MAX = 50_000_000
LATE_MS = 500  # a SYN or its answer was sent again


def processors():
    """The flood's and everybody else's."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def flood_command(kind, packets, seconds, receiver):
    return ["taskset", "-c", str(processors()[0]), FLOOD, kind, str(packets), str(seconds), receiver.target()]


def difference(before, after):
    return {name: after[name] - before.get(name, 0) for name in after if after[name] > before.get(name, 0)}


def measure_cost(kind, receiver, options):
    """Nanoseconds a packet, and what became of the packets by the receiver's own counters."""
    subprocess.run(flood_command(kind, options.packets // 8, 10, receiver), check=True, stdout=subprocess.DEVNULL)
    before = receiver.counters()
    done = subprocess.run(flood_command(kind, options.packets, 30, receiver), check=True, stdout=subprocess.PIPE)
    result = json.loads(done.stdout)
    did = difference(before, receiver.counters())
    seen = did.pop("seen", 0)
    return {"ns": result["cpu_ns"] / result["sent"], "sent": result["sent"], "seen": seen, "did": did,
            "valid": result["sent"] * TOLERANCE <= seen <= result["sent"] * 1.02 + 100}


def measure_service(kind, receiver, options):
    """The clients' errors and times while the flood lasts; kind None: without one."""
    address = ADDRESS[6 if kind == "syn_64" else 4]
    lost = receiver.cable_lost()
    visitors = subprocess.Popen(
        ["nsenter", f"--net=/run/netns/{receiver.name}_g", "taskset", "-c", str(processors()[1]), sys.executable,
         SERVICE, "visit", address, str(options.seconds)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if visitors.stderr.readline().strip() != "ready":
        raise SystemExit(f"floods.py: {receiver.name}: no connection before the flood: {visitors.stderr.read()}")
    rate = 0
    if kind:
        done = subprocess.run(flood_command(kind, PACKETS_MAX, options.seconds, receiver), check=True,
                              stdout=subprocess.PIPE)
        flood = json.loads(done.stdout)
        rate = flood["sent"] / flood["seconds"]
    answer, remarks = visitors.communicate()
    if visitors.returncode:
        raise SystemExit(f"floods.py: {receiver.name}: {remarks}")
    return {**json.loads(answer), "rate": rate, "cable_lost": receiver.cable_lost() - lost}


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else None


def summary(kind, receiver, costs, services):
    connects = [ms for service in services for ms in service["connect_ms"]]
    errors = [error for service in services for error in service["errors"]]
    kept = [service["kept_error"] for service in services if service["kept_error"]]
    did = {}
    for cost in costs:
        for name, packets in cost["did"].items():
            did[name] = did.get(name, 0) + packets
    return {"kind": kind or "none", "receiver": receiver.name, "title": receiver.title,
            "valid": all(cost["valid"] for cost in costs), "ns": [cost["ns"] for cost in costs],
            "sent": sum(cost["sent"] for cost in costs), "seen": sum(cost["seen"] for cost in costs), "did": did,
            "rate": statistics.median(service["rate"] for service in services),
            "visits": len(connects) + len(errors), "failed": len(errors), "errors": sorted(set(errors)),
            "kept_failed": len(kept), "kept_errors": sorted(set(kept)),
            "late": sum(ms > LATE_MS for ms in connects),
            "cable_lost": sum(service["cable_lost"] for service in services),
            "words": sum(service["words"] for service in services),
            "median_ms": percentile(connects, 0.5), "p99_ms": percentile(connects, 0.99),
            "max_ms": max(connects, default=None)}


def show(row):
    def figure(value, width=8, digits=2):
        return f"{value:{width}.{digits}f}" if value is not None else " " * (width - 1) + "-"

    cost = statistics.median(row["ns"]) if row["ns"] else None
    mark = "" if row["valid"] else f"   INVALID: {row['seen']} of {row['sent']} accounted for"
    did = ", ".join(f"{name} {packets * 100 // max(row['sent'], 1)}%" for name, packets in
                    sorted(row["did"].items(), key=lambda item: -item[1])[:3])
    print(f"  {row['kind']:10} {row['receiver']:9} {figure(cost, 7, 0)} ns  {row['rate'] / 1e6:5.2f} M/s  failed "
          f"{row['failed']}/{row['visits']} +{row['kept_failed']}  late {row['late']} "
          f"cable {row['cable_lost']}  connect {figure(row['median_ms'])} "
          f"{figure(row['p99_ms'])} {figure(row['max_ms'])} ms  {did}{mark}", flush=True)
    for error in row["errors"][:3] + row["kept_errors"][:3]:
        print(f"      {error}", flush=True)


def run(options):
    for receiver in RECEIVERS:
        receiver.set_up(processors()[1])
    rows = []
    for kind in [None, *options.kinds]:
        costs = {receiver.name: [] for receiver in RECEIVERS}
        services = {receiver.name: [] for receiver in RECEIVERS}
        for _ in range(options.rounds):
            for receiver in RECEIVERS:
                if kind:
                    costs[receiver.name].append(measure_cost(kind, receiver, options))
                services[receiver.name].append(measure_service(kind, receiver, options))
        for receiver in RECEIVERS:
            rows.append(summary(kind, receiver, costs[receiver.name], services[receiver.name]))
            show(rows[-1])
    return rows


def main():
    kinds = subprocess.run([FLOOD, "kinds"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--packets", type=int, default=300_000)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--kinds", default=",".join(kinds), help="of " + " ".join(kinds))
    parser.add_argument("--json")
    parser.add_argument("--document", nargs=2, metavar=("RESULT", "FILE"))
    options = parser.parse_args()
    if options.document:
        return document(*options.document)
    options.kinds = options.kinds.split(",")
    if not set(options.kinds) <= set(kinds):
        parser.error(f"--kinds: of {' '.join(kinds)}")
    if os.geteuid():
        raise SystemExit("floods.py: needs root")
    if IN_WORLD not in os.environ:
        enter_world()
    sh("mount -t sysfs sysfs /sys; mount -t tmpfs tmpfs /run; mkdir /run/netns; mount -t bpf bpf /sys/fs/bpf")
    rows = run(options)
    if options.json:
        result = {"schema": "tcpguard.floods/1", "machine": machine(), "options": {
            "rounds": options.rounds, "packets": options.packets, "seconds": options.seconds}, "rows": rows}
        Path(options.json).write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
