#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the whole of tcpguard takes, at the sizes it is made for (`make bench-product`): attaching, tables
full of flows, listing and sweeping them, an idle daemon, and throughput (G17).

usage: product.py [--rounds N] [--flows-max N] [--idle SECONDS] [--json FILE]     (as root)
"""

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import time
import urllib.request
from pathlib import Path

from peers import GENERATOR_OBJECT, IN_WORLD, ROOT, TCPGUARD, enter_world, machine, sh

FILL = ROOT / "build" / "tests" / "bench" / "fill"
METRICS = "http://127.0.0.1:9844/metrics"
MI = 1 << 20
BYTES_A_FLOW = 400  # at least, of memory

rows = []


def put(group, name, flows, unit, samples):
    row = {"group": group, "name": name, "flows": flows, "unit": unit, "valid": True, "why": "",
           "min": min(samples), "median": statistics.median(samples), "max": max(samples)}
    rows.append(row)
    print(f"  {group:10} {flows:9} {name:36} {row['min']:10.2f} {row['median']:10.2f} {row['max']:10.2f} {unit}",
          flush=True)


def found(name, flows, which="median"):
    return next((row[which] for row in rows if (row["name"], row["flows"]) == (name, flows)), None)


def timed(command):
    """Seconds by the clock and by the CPU, and what it printed."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    text = sh(command)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, text


def purge():
    if Path("/sys/fs/bpf/tcpguard").exists():
        sh(f"{TCPGUARD} detach --all --purge")


def wait_for(seconds, condition):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"product.py: waited {seconds} s for {condition.__doc__}")
        time.sleep(0.05)


# --- attaching, and a table of flows ------------------------------------------------------------------

def attach(flows, rounds):
    samples = []
    for _ in range(rounds):
        purge()
        samples.append(timed(f"{TCPGUARD} attach d0 --max-flows {flows} --no-daemon")[:2])
    put("attach", "attach", flows, "s", [wall for wall, _ in samples])
    put("attach", "attach, CPU", flows, "s", [cpu for _, cpu in samples])


def load(flows):
    """A table for so many flows with nine tenths of them in it; returns how many there are."""
    wall, _, text = timed(f"{FILL} {flows * 9 // 10}")
    put("table", "load by one CPU, all of them", flows, "s", [wall])
    return int(text)


def listing(flows, there, rounds):
    for name, words in (("flows list -o ndjson > FILE", "flows list -o ndjson > /run/flows"),
                        ("flows list -o conntrack > FILE", "flows list -o conntrack > /run/flows"),
                        ("flows count", "flows count > /run/count")):
        samples = []
        for _ in range(rounds):
            samples.append(timed(f"{TCPGUARD} {words}")[0])
            lines = int(sh("wc -l < /run/flows"))
            if "list" in words and lines < there:
                raise SystemExit(f"product.py: {name}: {lines} lines for {there} flows")
        put("table", name, flows, "s", samples)
    Path("/run/flows").unlink()


def metrics():
    text = urllib.request.urlopen(METRICS, timeout=60).read().decode()
    return {name: float(value) for name, value in re.findall(r"^(\S+) (\S+)$", text, re.M)}


def idle(flows, seconds):
    """A daemon with nothing to do but to age: its CPU, and a pass over the table."""
    sh(f"{TCPGUARD} attach d0")  # once more: starts the daemon

    def swept():
        """the daemon's metrics"""
        try:
            return metrics()["tcpguard_sweep_duration_seconds_count"] >= 1
        except OSError:
            return False
    wait_for(120, swept)
    pid = int(json.loads(sh(f"{TCPGUARD} -j status"))["daemon"]["pid"])

    def cpu():
        return sum(int(part) for part in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13])
    ticks, began, before = cpu(), time.monotonic(), metrics()
    time.sleep(seconds)
    used = (cpu() - ticks) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began)
    after = metrics()
    passes = after["tcpguard_sweep_duration_seconds_count"] - before["tcpguard_sweep_duration_seconds_count"]
    put("idle", "CPU of the daemon", flows, "%", [used * 100])
    if passes:
        spent = after["tcpguard_sweep_duration_seconds_sum"] - before["tcpguard_sweep_duration_seconds_sum"]
        put("idle", "CPU of a pass over the table", flows, "s", [spent / passes])
    put("table", "memory of the maps, a flow", flows, "bytes",
        [sum(value for name, value in after.items() if name.startswith("tcpguard_map_bytes")) / flows])


def tables(options):
    for flows in (MI, 4 * MI, 16 * MI):
        if flows > options.flows_max or flows * BYTES_A_FLOW * 1.5 > os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"):
            print(f"  {flows} flows: LEFT OUT: beyond --flows-max or the memory that is free", flush=True)
            continue
        attach(flows, options.rounds)
        there = load(flows)
        listing(flows, there, options.rounds if flows == MI else 1)
        idle(flows, options.idle)
        purge()


# --- throughput ---------------------------------------------------------------------------------------

def goodput():
    answer = json.loads(sh("iperf3 -J -c 198.18.0.1 -t 3 -O 1", "peer", check=False))
    if "error" in answer:
        raise SystemExit(f"product.py: iperf3: {answer['error']}")
    return answer["end"]["sum_received"]["bits_per_second"] / 1e9


def throughput(options):
    """Over the same veth, in turn: an XDP program that passes everything, and tcpguard."""
    with subprocess.Popen(["iperf3", "-s"], stdout=subprocess.DEVNULL) as server:
        wait_for(10, lambda: sh("ss -Hltn sport = :5201").strip())
        samples = {"xdp_pass": [], "tcpguard": []}
        for _ in range(options.rounds):
            sh(f"ip link set dev d0 xdpdrv object {GENERATOR_OBJECT} program bench_pass")
            samples["xdp_pass"].append(goodput())
            sh("ip link set dev d0 xdpdrv off")
            sh(f"{TCPGUARD} attach d0 --no-daemon")
            samples["tcpguard"].append(goodput())
            purge()
        server.terminate()
    for name, numbers in samples.items():
        put("throughput", f"TCP goodput, {name}", 1, "Gbit/s", numbers)
    return statistics.median(ours / theirs for ours, theirs in zip(samples["tcpguard"], samples["xdp_pass"]))


# --- all of it ----------------------------------------------------------------------------------------

def goals(ratio):
    table = [
        ("G17", "TCP goodput over veth / XDP_PASS on the same veth, median of pairs", True, 0.88, 0.95, ratio),
        ("S1", "attach with room for 4 Mi flows, seconds", False, 2, None, found("attach", 4 * MI)),
        ("S2", "flows list -o ndjson of 1 Mi flows (nine tenths in use), seconds", False, 3, None,
         found("flows list -o ndjson > FILE", MI)),
        ("S3", "CPU of the daemon at 1 Mi idle flows, %", False, 1, None, found("CPU of the daemon", MI)),
    ]
    result = []
    for name, text, at_least, must, stretch, value in table:
        reached = lambda bound, value=value, at_least=at_least: value >= bound if at_least else value <= bound
        grade = "not measured" if value is None else "MISSED" if not reached(must) else \
            "stretch" if stretch is not None and reached(stretch) else "must"
        result.append({"id": name, "text": text, "must": must, "stretch": stretch, "value": value,
                       "at_least": at_least, "grade": grade})
        print(f"  {name:4} {grade:12} {'' if value is None else f'{value:.2f}'} {'>=' if at_least else '<='} {must}  {text}")
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--flows-max", type=int, default=16 * MI)
    parser.add_argument("--idle", type=int, default=60, help="seconds the daemon is watched")
    parser.add_argument("--json")
    options = parser.parse_args()
    if os.geteuid():
        raise SystemExit("product.py: needs root")
    if IN_WORLD not in os.environ:
        enter_world()
    sh("mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t tmpfs tmpfs /run; mkdir /run/netns; mount -t bpf bpf /sys/fs/bpf")
    sh("ip netns add peer; ip link set lo up; ip link add d0 type veth peer name e0 netns peer; ip link set d0 up;"
       "ip addr add 198.18.0.1/24 dev d0")
    sh("ip link set lo up; ip link set e0 up; ip addr add 198.18.0.2/24 dev e0", "peer")
    tables(options)
    reached = goals(throughput(options))
    if options.json:
        Path(options.json).write_text(json.dumps(
            {"schema": "tcpguard.bench/1", "machine": machine(), "goals": reached, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
