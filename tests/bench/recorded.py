# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers that must not grow unnoticed: recorded.json, and how it is written.

`make bench-record` measures them again; the change then shows in the diff, with the commit that made it.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build" / "tests" / "bench"
FILE = HERE / "recorded.json"


def output(*command):
    return subprocess.run([str(word) for word in command], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def version(compiler):
    """First line of --version: the numbers below are this compiler's."""
    return output(compiler, "--version").splitlines()[0]


def compilers():
    return {"cc": version(os.environ.get("CC", "cc")), "clang": version(os.environ.get("CLANG", "clang"))}


def instructions():
    """Returns {segment: instructions executed natively}."""
    with tempfile.TemporaryDirectory() as directory:
        trace = Path(directory) / "callgrind.out"
        output("valgrind", "--tool=callgrind", f"--callgrind-out-file={trace}", BUILD / "segments")
        listing = output("callgrind_annotate", "--inclusive=yes", "--threshold=100", trace)
    found = re.findall(r"^\s*([\d,]+)[^\n]*:segment_(\w+)", listing, re.M)
    return {name: int(count.replace(",", "")) for count, name in found}


def verifier():
    """Returns {program: {processed, stack}} as this kernel's verifier says."""
    return json.loads(output(BUILD / "verifier"))


def recorded():
    return json.loads(FILE.read_text())


def main():
    FILE.write_text(json.dumps({"compilers": compilers(), "instructions": instructions(),
                                "verifier": verifier()}, indent=1, sort_keys=True) + "\n")
    print(FILE.read_text(), end="")


if __name__ == "__main__":
    sys.exit(main())
