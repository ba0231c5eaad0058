#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Evaluates one expression over the JSON document on stdin and prints it.

The document is `d`; the functions below know tcpguard's shapes.
"""

import json
import sys

d = None


def iface(name):
    return next(entry for entry in d["interfaces"] if entry["name"] == name)


def packets(name, kind):
    return iface(name)["packets"][kind]


def reason(name, wanted):
    return sum(row["packets"] for row in iface(name)["reasons"] if row["name"] == wanted)


def outcomes(rows):
    """{(name, what was done): packets}; a packet judged "drop" may have been passed after all."""
    done = {}
    for row in rows:
        judged = row["packets"]
        for how in ("drop", "would_drop", "bypass", "own"):
            if row[how]:
                done[row["name"], how] = done.get((row["name"], how), 0) + row[how]
                judged -= row[how]
        if judged:
            done[row["name"], "pass"] = done.get((row["name"], "pass"), 0) + judged
    return done


def drops(name):
    """What was, or in mode monitor would have been, dropped: "no_flow=3 rst_old=1"."""
    bad = {}
    for (reason_name, how), packets in outcomes(iface(name)["reasons"]).items():
        if how != "pass":
            bad[reason_name] = bad.get(reason_name, 0) + packets
    return " ".join(f"{key}={bad[key]}" for key in sorted(bad))


def verdicts(name, wanted):
    """How the packets of one reason were treated: "drop=3 would_drop=10"."""
    seen = {how: packets for (reason_name, how), packets in outcomes(iface(name)["reasons"]).items()
            if reason_name == wanted}
    return " ".join(f"{key}={seen[key]}" for key in sorted(seen))


def finding(name, check):
    """What doctor says: "severity command" of the gravest finding of a check; name "" is the machine."""
    gravity = ("ok", "note", "unchecked", "warning", "blocks")
    rows = [row for row in d["findings"] if (row["interface"] or "") == name and row["check"] == check]
    row = max(rows, key=lambda row: gravity.index(row["severity"]))
    return f"{row['severity']} {row['command'] or ''}".rstrip()


def flow(port, fields):
    """The fields, in one line, of the flow one of whose ports it is; src.X and dst.X of a direction."""
    found = [row for row in d["flows"]
             if row["src"].endswith(f":{port}") or row["dst"].endswith(f":{port}")]
    if not found:
        return "none"
    row = found[-1]
    for side, direction in zip(("src", "dst"), row["directions"]):
        row.update({f"{side}.{key}": value for key, value in direction.items()})
    return " ".join(str(row[field]) for field in fields.split())


if __name__ == "__main__":
    d = json.load(sys.stdin)
    print(eval(sys.argv[1]))
