# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/floods.md: the tables between its marks, from what `make bench-floods` measured last."""

import json
import statistics
import sys
from pathlib import Path

BEGIN, END = "<!-- measured: written by tests/bench/floods.py -->", "<!-- end of measured -->"


def number(value, digits=1):
    return "-" if value is None else f"{value:.{digits}f}"


def cost_cell(row, base):
    if not row["valid"]:
        return f"invalid: {row['seen']} of {row['sent']} accounted for"
    median = statistics.median(row["ns"])
    if row is base:
        return f"{median:.0f}"
    ratio = statistics.median(x / y for x, y in zip(row["ns"], base["ns"]))
    return f"{median:.0f} ({ratio:.1f} ×)"


def service_cell(row):
    failed = f"**{row['failed']}**" if row["failed"] else "0"
    kept = f", **{row['kept_failed']} kept**" if row["kept_failed"] else ""
    return (f"{failed} of {row['visits']}{kept}; {number(row['median_ms'], 2)} / {number(row['p99_ms'])}; "
            f"{row['late']} ({row['cable_lost']})")


def did_cell(row):
    shares = [(name, packets * 100 / row["sent"]) for name, packets in row["did"].items() if row["sent"]]
    return ", ".join(f"`{name}` {share:.0f} %" for name, share in sorted(shares, key=lambda item: -item[1])[:3]
                     if share >= 1)


def tables(result):
    machine, options, rows = result["machine"], result["options"], result["rows"]
    names = list(dict.fromkeys(row["receiver"] for row in rows))
    titles = {row["receiver"]: row["title"] for row in rows}
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    table = {(row["kind"], row["receiver"]): row for row in rows}
    heads = " | ".join(titles[name] for name in names)
    yield (f"{machine['date']}, {machine['cpu']}, {machine['processors']} processors, Linux {machine['kernel']}, "
           f"load {machine['load']}; {options['rounds']} rounds, {options['packets']} packets, "
           f"{options['seconds']:g} s.")
    yield ""
    yield "CPU time by the packet, ns, median; in brackets: how many times tcpguard's, median of the rounds' ratios."
    yield ""
    yield f"| flood | {heads} |"
    yield "|---" * (len(names) + 1) + "|"
    for kind in kinds:
        if kind != "none":
            cells = [cost_cell(table[kind, name], table[kind, "tcpguard"]) for name in names]
            yield f"| {kind} | {' | '.join(cells)} |"
    yield ""
    yield ("Clients: connections that failed; milliseconds to connect, median / 99th percentile; connections that took "
           "more than 500 ms, and in brackets the clients' packets that the full cable lost on the way there.")
    yield ""
    yield f"| flood | {heads} |"
    yield "|---" * (len(names) + 1) + "|"
    for kind in kinds:
        yield f"| {kind} | {' | '.join(service_cell(table[kind, name]) for name in names)} |"
    yield ""
    yield "Packets a second of the flood beside the clients, millions, and what became of those of the first table."
    yield ""
    yield f"| flood | {heads} |"
    yield "|---" * (len(names) + 1) + "|"
    for kind in kinds:
        if kind != "none":
            cells = [f"{table[kind, name]['rate'] / 1e6:.2f}: {did_cell(table[kind, name])}" for name in names]
            yield f"| {kind} | {' | '.join(cells)} |"


def document(source, file):
    head, begin, rest = Path(file).read_text().partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        print(f"floods.py: {file} lacks the marks {BEGIN} and {END}", file=sys.stderr)
        return 1
    Path(file).write_text(f"{head}{BEGIN}\n" + "\n".join(tables(json.loads(Path(source).read_text()))) +
                          f"\n{END}{tail}")
    return 0
