#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the table of kernels and features in docs/kernels.md from the results of `make check-kernels`.

usage: table.py [--write]

Prints it without --write.  A kernel that was not run this time keeps no row: run them all first.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "build/kernels/results"
DOCUMENT = ROOT / "docs/kernels.md"
BEGIN, END = "<!-- kernels: written by tests/kernels/table.py -->\n", "<!-- end of kernels -->\n"

# Columns: heading, and the features whose cases it sums up.
COLUMNS = [
    ("suite", "test-run"), ("native XDP, clsact", "native"), ("generic XDP, clsact", "generic"),
    ("tcx", "tcx"), ("by default", "auto"), ("live sockets", "seeding"), ("wall clock set", "clock"),
    ("jumbo frames, native", "jumbo"), ("jumbo frames, generic", "jumbo generic"), ("`--share`", "share"),
]


def cell(entry):
    if entry is None:
        return "not run"
    if entry["failed"]:
        return f"**FAILED** ({entry['failed']} of {entry['failed'] + entry['passed']})"
    if entry["refused"]:
        return "refused"
    return f"yes ({entry['passed']})"


def row(result):
    features = result["features"]
    head = [result["kernel"], result["release"] or "did not boot"]
    if "minimum" in features:
        refused = features["minimum"]
        return head + [cell(refused) if refused["failed"] else "refused"] * len(COLUMNS)
    return head + [cell(features.get(name)) for _, name in COLUMNS]


def remarks(results):
    """What tcpguard said where it refused, once for each kernel and feature."""
    for result in results:
        for feature, entry in result["features"].items():
            if entry["refused"] and not entry["failed"]:
                yield f"* {result['kernel']}, {feature}: `{entry['refused']}`"


def version(result):
    number, _, arch = result["kernel"].partition(" ")
    try:
        return arch, [int(part) for part in number.split(".")]
    except ValueError:
        return arch, [1 << 30]


def table(results):
    results = sorted(results, key=version)
    lines = ["| kernel | release | " + " | ".join(heading for heading, _ in COLUMNS) + " |",
             "|---|---|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(row(result)) + " |" for result in results]
    said = list(remarks(results))
    if said:
        lines += ["", "Where it refuses, `tcpguard attach` says:", "", *said]
    return "\n".join(lines) + "\n"


def main(arguments):
    results = [json.loads(path.read_text()) for path in RESULTS.glob("*.json")]
    if not results:
        print("table.py: no results: run 'make check-kernels' first", file=sys.stderr)
        return 1
    written = table(results)
    if "--write" not in arguments:
        print(written, end="")
        return 0
    before, rest = DOCUMENT.read_text().split(BEGIN)
    DOCUMENT.write_text(before + BEGIN + written + END + rest.split(END)[1])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
