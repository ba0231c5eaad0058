#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds for arm64 with the cross compiler: the unit tests run under qemu-user, attach, traffic and detach
(and the BPF_PROG_TEST_RUN suite) on arm64 kernels in qemu-system.

usage: arm64.py units [PART_OF_A_NAME...]
       arm64.py kernels [KERNEL...]         (as check.py; 6.12 if none is named, and without test-run unless
                                             SUITES asks for it: hours)

Libraries and the guest's programs are Debian 12's for arm64, unpacked below build/kernels: nothing is installed
on the host.  No sanitizers: they do not run under qemu-user.  Exit code: 0 if everything passed.
"""

import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True

import archive  # noqa: E402
import check  # noqa: E402
import image  # noqa: E402
from image import ROOT  # noqa: E402

ROOTS = check.CACHE / "arm64"
BUILD = "build/arm64"
PACKAGES = """libbpf-dev libxdp-dev libelf-dev zlib1g-dev libuv1-dev libjansson-dev libpcap-dev libncurses-dev
	libmicrohttpd-dev libyaml-dev libcmocka-dev
	busybox-static bash coreutils grep sed findutils mawk util-linux mount procps iproute2 ethtool curl iperf3 bpftool
	python3-minimal libpython3-stdlib""".split()
COMPILER = "aarch64-linux-gnu-gcc"
LIMIT_S = 900


def sysroot():
    target = ROOTS / "root"
    if target.exists():
        return target
    apt = archive.Apt(check.CACHE / "apt", "bookworm", "arm64")
    apt.update()
    fresh = ROOTS / "root.new"
    archive.run(["rm", "-rf", fresh])
    fresh.mkdir(parents=True)
    for deb in apt.download_with_needs(PACKAGES):
        archive.unpack(deb, fresh)
        deb.unlink()
    fresh.rename(target)
    return target


def make(root, targets):
    """The Makefile's own rules, with another compiler and other libraries."""
    libraries = f"{root}/usr/lib/aarch64-linux-gnu"
    archive.run(
        ["make", "-s", f"-j{os.cpu_count()}", f"BUILD={BUILD}", f"CC={COMPILER} --sysroot={root}",
         f"LDFLAGS=-pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code"
         f" -Wl,-rpath-link,{libraries}:{root}/lib/aarch64-linux-gnu",
         "SANITIZE=-D_GNU_SOURCE -O1 -g -pthread", "tsan_works=", *(f"{BUILD}/{target}" for target in targets)],
        cwd=ROOT, env={**os.environ, "PKG_CONFIG_LIBDIR": f"{libraries}/pkgconfig:{root}/usr/share/pkgconfig",
                       "PKG_CONFIG_SYSROOT_DIR": str(root)})


def tests_in(directory):
    return [f"tests/{directory}/{path.stem}" for path in sorted((ROOT / "tests" / directory).glob("test_*.c"))]


def run_unit(test, root):
    """(passed, failed, what was said)."""
    done = subprocess.run(["qemu-aarch64", "-L", str(root), str(ROOT / BUILD / test)],
                          env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"}, timeout=LIMIT_S, cwd=ROOT,
                          text=True, errors="replace", capture_output=True, check=False)
    # A case that is skipped is "not ok 2 # SKIP name" to cmocka 1.1.5.
    passed = len(re.findall(r"^ok (?!.*# SKIP)", done.stdout, re.M))
    failed = len(re.findall(r"^not ok (?!.*# SKIP)", done.stdout, re.M))
    return passed, failed or int(done.returncode != 0 or not passed), done.stdout + done.stderr


def units(parts):
    bad = total = 0
    tests = [test for test in tests_in("unit") if not parts or any(part in test for part in parts)]
    root = sysroot()
    make(root, tests)
    for test in tests:
        try:
            passed, failed, said = run_unit(test, root)
        except subprocess.TimeoutExpired:
            passed, failed, said = 0, 1, f"still running after {LIMIT_S} s"
        print(f"{'FAIL' if failed else 'ok':5} arm64/{test.rsplit('/', 1)[-1]}: {passed} cases", flush=True)
        if failed:
            print("".join(f"      | {line}\n" for line in said.splitlines()[-20:]), end="", flush=True)
        bad += bool(failed)
        total += passed
    print(f"{total} cases passed, {bad} tests failed", flush=True)
    return 1 if bad or not total else 0


def kernels(names):
    os.environ.setdefault("SUITES", "features sharing")
    root = sysroot()
    make(root, ["tcpguard", "demo/attack", "tests/kernels/neighbour", "tests/kernels/neighbour.bpf.o", *tests_in("bpf")])
    return check.check_all(names or ["6.12"], image.base_of_packages(root, ROOT / BUILD), "tcg", "arm64")


def main(words):
    what = {"units": units, "kernels": kernels}.get(words[0] if words else "")
    if not what:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return what(words[1:])
    except archive.Unavailable as why:
        print(f"check-arm64: {why}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
