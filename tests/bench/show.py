#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What `make bench` measured, for people who were not there.

usage: show.py plot BENCH.JSON DIRECTORY     curves as PNG, by gnuplot
       show.py document BENCH.JSON... FILE   writes the tables between the marks in FILE; of files with the
                                             same goals, runs of one bench, each goal has all values
"""

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CURVES = {
    "dependent": ["tcpguard, dependent", "kernel HASH, dependent", "kernel LRU_HASH, dependent",
                  "one line, dependent", "memory line, dependent, 128 MiB"],
    "independent": ["tcpguard", "kernel HASH", "one line", "base"],
}
BEGIN, END = "<!-- measured: written by tests/bench/show.py -->", "<!-- end of measured -->"


def minima(bench, group):
    """Returns {(name, flows): minimum} of a group's valid rows."""
    return {(row["name"], row["flows"]): row["min"] for row in bench["rows"]
            if row["group"] == group and row["valid"]}


def write_curve(bench, names, file):
    found = minima(bench, "curve")
    sizes = sorted({flows for _, flows in found})
    lines = ["flows " + " ".join(json.dumps(name) for name in names)]
    for flows in sizes:
        values = [found.get((name, flows), math.nan) for name in names]
        lines.append(" ".join(str(value) for value in [flows, *values]))
    file.write_text("\n".join(lines) + "\n")
    return len(sizes) > 1


def plot(source, directory):
    bench = json.loads(Path(source).read_text())
    if not shutil.which("gnuplot"):
        print("show.py: no gnuplot (Debian package gnuplot-nox): no plots", file=sys.stderr)
        return 1
    for kind, names in CURVES.items():
        data = Path(directory) / f"{kind}.dat"
        if not write_curve(bench, names, data):
            print(f"show.py: {kind}: group curve was not measured: no plot", file=sys.stderr)
            continue
        picture = data.with_suffix(".png")
        subprocess.run(["gnuplot", "-e", f"data='{data}'; out='{picture}'", HERE / "plot.gp"], check=True)
        print(picture)
    return 0


def number(value):
    return "" if value is None else f"{value:.4g}"


def worst(goals):
    return (min if goals[0]["at_least"] else max)(goals, key=lambda goal: goal["value"])


def goal_table(runs):
    yield "| goal | measured | must | stretch | reached | what |"
    yield "|---|---|---|---|---|---|"
    for goals in zip(*(run["goals"] for run in runs)):
        goal = worst(goals)
        sign = "≥" if goal["at_least"] else "≤"
        escaped = goal["text"].replace("|", "\\|")
        values = ", ".join(number(each["value"]) for each in goals)
        stretch = f"{sign} {number(goal['stretch'])}" if goal["stretch"] is not None else ""
        yield (f"| {goal['id']} | {values} | {sign} {number(goal['must'])} | {stretch} | "
               f"{goal['grade']} | {escaped} |")


def row_table(bench):
    yield "| group | flows | row | min | median | max | |"
    yield "|---|---|---|---|---|---|---|"
    for row in bench["rows"]:
        if row["valid"]:
            figures = f"{row['min']:.1f} | {row['median']:.1f} | {row['max']:.1f} | {row['unit']}"
        else:
            figures = f"invalid: {row['why']} | | | "
        yield f"| {row['group']} | {row['flows']} | {row['name']} | {figures} |"


def by_goals(sources):
    """Returns the runs of each bench, the earliest first."""
    benches = {}
    for source in sources:
        run = json.loads(Path(source).read_text())
        benches.setdefault(tuple(goal["id"] for goal in run["goals"]), []).append(run)
    return [sorted(runs, key=lambda run: run["machine"]["date"]) for runs in benches.values()]


def section(runs):
    machine = runs[-1]["machine"]
    yield (f"{machine['date']}, {machine['cpu']}, {machine['processors']} processors, "
           f"{machine['memory_bytes'] >> 30} GiB, Linux {machine['kernel']}, load {machine['load']}.")
    yield "Mitigations: " + "; ".join(f"{name}: {text}" for name, text in machine["mitigations"].items()) + "."
    yield ""
    yield from goal_table(runs)
    yield ""
    if len(runs) > 1:
        yield f"Each goal by all {len(runs)} runs, reached if the worst reached it; the rows of the last run:"
        yield ""
    yield from row_table(runs[-1])


def document(sources, file):
    text = Path(file).read_text()
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        print(f"show.py: {file} lacks the marks {BEGIN} and {END}", file=sys.stderr)
        return 1
    tables = "\n\n".join("\n".join(section(runs)) for runs in by_goals(sources))
    Path(file).write_text(f"{head}{BEGIN}\n{tables}\n{END}{tail}")
    return 0


def main(arguments):
    if len(arguments) == 3 and arguments[0] == "plot":
        return plot(*arguments[1:])
    if len(arguments) >= 3 and arguments[0] == "document":
        return document(arguments[1:-1], arguments[-1])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
