#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds the unit tests for arm64 with the cross compiler and runs them under qemu-user.

usage: arm64.py [PART_OF_A_NAME...]

Libraries are Debian 12's for arm64, unpacked below build/kernels: nothing is installed on the host.  No
sanitizers: they do not run under qemu-user.  Exit code: 0 if every test passed.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import archive  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build/kernels"
OUT = CACHE / "arm64"
LIBRARIES = ("libcmocka0", "libcmocka-dev", "libpcap0.8", "libpcap0.8-dev", "libdbus-1-3", "zlib1g", "zlib1g-dev",
             "libsystemd0", "libcap2", "libgcrypt20", "libgpg-error0", "liblz4-1", "liblzma5", "libzstd1",
             "libbpf1", "libbpf-dev", "libelf1", "libelf-dev", "libjansson4", "libjansson-dev", "libyaml-0-2", "libyaml-dev")
COMPILER = "aarch64-linux-gnu-gcc"
FLAGS = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Wno-unknown-pragmas", "-Wno-address-of-packed-member",
         "-Iinclude", "-iquote", ".", "-Ibuild", "-D_GNU_SOURCE", "-pthread"]
LIMIT_S = 900


def sysroot():
    target = OUT / "root"
    if target.exists():
        return target
    apt = archive.Apt(CACHE / "apt", "bookworm", "arm64")
    apt.update()
    fresh, debs = OUT / "root.new", OUT / "deb"
    for directory in (fresh, debs):
        archive.run(["rm", "-rf", directory])
        directory.mkdir(parents=True)
    for name in LIBRARIES:
        apt.download(name, apt.show(name)[0], debs)
    for deb in debs.glob("*.deb"):
        archive.unpack(deb, fresh)
    fresh.rename(target)
    return target


def needs():
    """{test: (sources, libraries)} of tests/tests.mk."""
    text = (ROOT / "tests/tests.mk").read_text().replace("\\\n", " ")
    values = dict(re.findall(r"^(\w+_sources|sources_\w+) := (.*)$", text, re.M))
    sources = {name.removeprefix("sources_"): re.sub(r"\$\((\w+)\)", lambda other: values[other[1]], value)
               for name, value in values.items()}
    libraries = dict(re.findall(r"^libs_(\w+) := (.*)$", text, re.M))
    return {path.stem: (sources.get(path.stem, "").split(), libraries.get(path.stem, "").split())
            for path in sorted((ROOT / "tests/unit").glob("test_*.c"))}


def check(test, sources, libraries, root):
    """Builds and runs one; returns (passed, failed, what was said)."""
    lib = f"{root}/usr/lib/aarch64-linux-gnu"
    program = OUT / test
    archive.run([COMPILER, *FLAGS, f"-I{root}/usr/include", f"tests/unit/{test}.c", *sources, f"-L{lib}",
                 f"-Wl,-rpath-link,{lib}:{root}/lib/aarch64-linux-gnu", "-lcmocka", *libraries, "-lm", "-o", program], cwd=ROOT)
    done = subprocess.run(["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", "-E",
                           f"LD_LIBRARY_PATH={lib}:{root}/lib/aarch64-linux-gnu", str(program)],
                          env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"}, timeout=LIMIT_S, cwd=ROOT,
                          text=True, errors="replace", capture_output=True, check=False)
    passed = len(re.findall(r"^ok ", done.stdout, re.M))
    failed = len(re.findall(r"^not ok ", done.stdout, re.M))
    return passed, failed or int(done.returncode != 0 or not passed), done.stdout + done.stderr


def main(parts):
    root, bad, total = sysroot(), 0, 0
    for test, (sources, libraries) in needs().items():
        if parts and not any(part in test for part in parts):
            continue
        try:
            passed, failed, said = check(test, sources, libraries, root)
        except archive.Unavailable as why:
            passed, failed, said = 0, 1, str(why)
        except subprocess.TimeoutExpired:
            passed, failed, said = 0, 1, f"still running after {LIMIT_S} s"
        print(f"{'FAIL' if failed else 'ok':5} arm64/{test}: {passed} cases", flush=True)
        if failed:
            print("".join(f"      | {line}\n" for line in said.splitlines()[-20:]), end="", flush=True)
        bad += bool(failed)
        total += passed
    print(f"{total} cases passed, {bad} tests failed")
    return 1 if bad or not total else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
