#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers of a tcpguard whose flow table has another layout, made of the present ones.

usage: headers.py SOURCE TARGET later|again

later: slots and halves hold the same in another order, details are longer: layout + 1.
again: the present structures: layout + 2.
Either way former.h has the structures of the one before, named former_*, for layout_rows.c.
"""

import re
import sys
from pathlib import Path

STRUCTURES = ("half", "slot", "half_count", "detail")
LONGER_DETAIL = "\t__u64 later[8];\n"


def body(text, name):
    """(where it begins, where it ends) of what struct tg_NAME holds."""
    found = re.search(rf"^struct tg_{name} {{\n(.*?)^}};\n", text, re.M | re.S)
    if not found:
        raise SystemExit(f"headers.py: no struct tg_{name}")
    return found.span(1)


def members(text, name):
    begin, end = body(text, name)
    without_comments = re.sub(r"/\*.*?\*/", "", text[begin:end], flags=re.S)
    return [f"\t{member.strip()};\n" for member in without_comments.split(";") if member.strip()]


def exchange(text, name, lines):
    begin, end = body(text, name)
    return text[:begin] + "".join(lines) + text[end:]


def later(text):
    """Another order that keeps the alignment of what is compared and swapped, and a longer detail."""
    tag, claim, stamp, halves = members(text, "slot")
    text = exchange(text, "slot", [halves, stamp, claim, tag])
    text = exchange(text, "half", reversed(members(text, "half")))
    text = exchange(text, "detail", [LONGER_DETAIL, *members(text, "detail")])
    text, assertions = re.subn(r"^_Static_assert\(sizeof\(struct tg_detail\) == \d+.*\n", "", text, flags=re.M)
    if assertions != 1:
        raise SystemExit("headers.py: the size of a detail is not asserted as it was")
    return text


def former(text):
    """The structures by another name; the others, and all constants, are as they are."""
    written = ""
    for name in STRUCTURES:
        written += f"struct former_{name} {{\n{''.join(members(text, name))}}};\n\n"
    return re.sub(rf"struct tg_({'|'.join(STRUCTURES)})\b", r"struct former_\1", written)


def main(source, target, kind):
    source, target = Path(source), Path(target)
    (target / "tcpguard").mkdir(parents=True, exist_ok=True)
    present = (source / "tcpguard/flow.h").read_text()
    other = later(present)
    for header in (source / "tcpguard").glob("*.h"):
        text = header.read_text()
        if header.name == "flow.h" and kind == "later":
            text = other
        if header.name == "config.h":
            text, found = re.subn(r"(?<=#define TG_LAYOUT_VERSION )\d+",
                                  lambda number: str(int(number[0]) + 1 + (kind == "again")), text)
            if found != 1:
                raise SystemExit("headers.py: no TG_LAYOUT_VERSION")
        (target / "tcpguard" / header.name).write_text(text)
    (target / "former.h").write_text('#include "tcpguard/flow.h"\n\n' +
                                     former(other if kind == "again" else present))


if __name__ == "__main__":
    main(*sys.argv[1:])
