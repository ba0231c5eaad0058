#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots other kernels and runs tests inside each; writes down what each can do.

usage: check.py [KERNEL...]         (5.10 6.1 6.12 newest; all of them if none is named)

environment: SUITES="features sharing test-run network"   which tests (all but network)
             OFFLINE=1   use the kernels fetched before     DEBIAN_MIRROR=http://deb.debian.org
             ACCEL=kvm   instead of emulation

The outcome of each kernel goes to build/kernels/results/KERNEL.json (that of suites not run this time is kept
if it is of the same kernel package), which tests/kernels/table.py makes the
table in docs/kernels.md of.  Exit code: 0 if every kernel did what it should.
"""

import json
import os
import re
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True

import archive  # noqa: E402
import image  # noqa: E402
import machine  # noqa: E402
from image import ROOT  # noqa: E402

CACHE = ROOT / "build/kernels"
RESULTS = CACHE / "results"
TAP = re.compile(r"^(not ok|ok)\b[ \t]*\d*[ \t]*(?:- )?(.*)$")
# Emulation takes several times as long as a processor; a test's limit is for that.
LIMIT_S = {"kvm": 900, "tcg": 3600}
TEST_LIMIT_S = {"kvm": 300, "tcg": 1500}


def minimum():
    """The oldest kernel, as the program states it."""
    return re.search(r'#define KERNEL_MINIMUM "([\d.]+)"', (ROOT / "daemon/kernel.h").read_text())[1]


def older(name, than):
    def numbers(text):
        return [int(part) for part in text.split(".")]
    return name[0].isdigit() and numbers(name) < numbers(than)


def tests_of(name):
    """[(what it is called, command)], as the guest shall run them."""
    features = ("features", f"tests/kernels/guest/features.sh {minimum()}")
    if older(name, minimum()):
        return [features]
    tests = [features, ("sharing", "tests/kernels/guest/sharing.sh")]
    for suite, kind, ending in (("test-run", "bpf", ".c"), ("network", "net", ".sh")):
        for path in sorted((ROOT / "tests" / kind).glob(f"test_*{ending}")):
            tests.append((suite, f"build/tests/bpf/{path.stem}" if kind == "bpf" else f"tests/net/{path.name}"))
    wanted = os.environ.get("SUITES", "features sharing test-run").split()
    return [test for test in tests if test[0] in wanted]


def add_tests(common, tests, limit_s):
    common.add("/tests", "".join(f"{limit_s} {image.GUEST_ROOT}/{command}\n"
                                 for _, command in tests).encode())


def parse(tap, tests):
    """The cases of each test that was begun: [(suite, command, exit code or None, [(outcome, name)])]."""
    suites = {f"{image.GUEST_ROOT}/{command}": suite for suite, command in tests}
    seen = []
    for line in tap.splitlines():
        if line.startswith("# begin "):
            command = line[len("# begin "):]
            seen.append([suites[command], command, None, []])
            continue
        end = re.match(r"# end .*: exit code (\d+),", line)
        if end and seen:
            seen[-1][2] = int(end[1])
        match = TAP.match(line)
        if match and seen:
            outcome, name = match.groups()
            name, mark, reason = (part.strip() for part in name.partition("# SKIP"))
            seen[-1][3].append(("skip" if mark else outcome, f"{name}: {reason}" if mark else name))
    return seen


def failures_of(seen, tests, boot):
    """What went wrong, one line each."""
    wrong = [f"the machine: {boot.problem}"] if boot.problem else []
    wrong += [f"the machine: {line}" for line in re.findall(r"^not ok - insmod.*$", boot.tap, re.M)]
    for _, command, code, cases in seen:
        test = command.rsplit("/", 1)[-1]
        failed = [name for outcome, name in cases if outcome == "not ok"]
        wrong += [f"{test}: {name}" for name in failed]
        if not failed and code != 0 and not (code == 77 and "tests/net/" in command):
            wrong.append(f"{test}: ended with exit code {code}" if code is not None else
                         f"{test}: did not end")
        if not cases and code == 0:
            wrong.append(f"{test}: ran no test case")
    if not boot.problem and len(seen) != len(tests):
        wrong.append(f"{len(seen)} of {len(tests)} tests were begun")
    return wrong


def feature_results(seen):
    """{feature: {"passed": n, "failed": n, "refused": what tcpguard said}}, by the names' first part."""
    features = {}
    for suite, _, _, cases in seen:
        for outcome, name in cases:
            feature = name.split(":")[0] if suite in ("features", "sharing") else suite
            entry = features.setdefault(feature, {"suite": suite, "passed": 0, "failed": 0, "refused": None})
            if outcome == "skip":
                if suite in ("features", "sharing"):
                    entry["refused"] = name.split(": tcpguard: ")[-1]
            else:
                entry["passed" if outcome == "ok" else "failed"] += 1
    return features


def complete(seen, tests):
    """The suites all of whose tests came to an end: of others nothing is known."""
    ended = {command for _, command, code, _ in seen if code is not None}
    return {suite for suite, _ in tests} - {suite for suite, command in tests
                                            if f"{image.GUEST_ROOT}/{command}" not in ended}


def earlier(path, package, tests):
    """Features that suites not run now have shown on the same kernel before."""
    if not path.exists():
        return {}
    before = json.loads(path.read_text())
    ran = {suite for suite, _ in tests}
    if before["package"] != package:
        return {}
    return {name: entry for name, entry in before["features"].items() if entry["suite"] not in ran}


def record(name, package, tests, boot, accel):
    """Writes down what a boot has shown: (what went wrong, features, release, seconds until it was up)."""
    seen = parse(boot.tap, tests)
    wrong = failures_of(seen, tests, boot)
    up = re.search(r"# machine: (\S+) up after ([\d.]+) s", boot.tap)
    whole = complete(seen, tests)
    features = feature_results([entry for entry in seen if entry[0] in whole])
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({
        "kernel": name, "release": up[1] if up else None, "package": package, "accelerator": accel,
        "features": {**earlier(path, package, tests), **features},
        "wrong": wrong,
    }, indent=1) + "\n")
    return wrong, features, up[1] if up else None, up[2] if up else None


def check(name, common, accel, arch="amd64"):
    """Returns True if the kernel did what it should; says how it went."""
    began = time.monotonic()
    try:
        kernel, version = archive.fetch(name, CACHE, arch, offline=bool(os.environ.get("OFFLINE")))
        tests = tests_of(name)
        if arch != "amd64":
            name = f"{name} {arch}"
        initramfs = CACHE / f"{name}.cpio"
        add_tests(common, tests, TEST_LIMIT_S[accel])
        image.make(common, kernel, initramfs)
        fetched = time.monotonic() - began
        boot = machine.boot(image.kernel_image(kernel), initramfs, RESULTS / name, LIMIT_S[accel], accel, arch)
        initramfs.unlink()
    except archive.Unavailable as why:
        print(f"FAIL  {name}: {why}", flush=True)
        return False
    wrong, features, release, up_s = record(name, version, tests, boot, accel)
    passed = sum(entry["passed"] for entry in features.values())
    print(f"{'FAIL' if wrong else 'ok':5} {name}: {release or version}, {passed} cases, "
          f"prepared in {fetched:.0f} s, up after {up_s or '?'} s, {boot.seconds:.0f} s in all ({accel})")
    for line in wrong:
        print(f"      {line}")
    if wrong:
        text = boot.console if boot.problem else boot.tap
        print("".join(f"      | {line}\n" for line in text.splitlines()[-60:]), end="")
        print(f"      logs: {(RESULTS / name).relative_to(ROOT)}.tap, .console")
    sys.stdout.flush()
    return not wrong


def check_all(names, common, accel, arch="amd64"):
    """The exit code."""
    unknown = [name for name in names if name not in archive.KERNELS]
    if unknown:
        print(f"check-kernels: unknown kernel {unknown[0]}; known: {' '.join(archive.KERNELS)}", file=sys.stderr)
        return 2
    RESULTS.mkdir(parents=True, exist_ok=True)
    good = [check(name, common, accel, arch) for name in names]
    return 0 if all(good) else 1


def main(names):
    return check_all(names or list(archive.KERNELS), image.base(), machine.accelerator())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
