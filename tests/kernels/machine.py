# SPDX-License-Identifier: GPL-2.0-or-later
"""One boot of one kernel in qemu, from an initramfs, with a bounded time.  No disk, no network, nothing of
the host.  By emulation, which works everywhere; ACCEL=kvm where KVM is known to work: a virtual machine
may offer a /dev/kvm that stops at the guest's first instructions.
"""

import os
import subprocess
import time

ARGUMENTS = {
    "kvm": ["-accel", "kvm", "-cpu", "host"],
    "tcg": ["-accel", "tcg,thread=multi", "-cpu", "max"],
}
MEMORY_MB = 2048
PROCESSORS = 2
DONE = "# machine: done"


def accelerator():
    wanted = os.environ.get("ACCEL") or "tcg"
    if wanted not in ARGUMENTS:
        raise SystemExit(f"check-kernels: ACCEL must be one of {', '.join(ARGUMENTS)}")
    return wanted


def read(path):
    return path.read_text(errors="replace").replace("\r", "") if path.exists() else ""


class Boot:
    """What became of a boot: the TAP, the kernel's own log, and whether the machine ended by itself."""

    def __init__(self, tap, console, seconds, timed_out):
        self.tap, self.console, self.seconds = tap, console, seconds
        self.problem = None
        if DONE not in tap:
            self.problem = (f"still running after {seconds:.0f} s" if timed_out else
                            "kernel panic" if "Kernel panic" in console else "ended too early")


def boot(kernel, initramfs, logs, limit_s, accel):
    """logs: the beginning of a path; .tap and .console are written."""
    tap, console = (logs.with_name(f"{logs.name}.{ending}") for ending in ("tap", "console"))
    command = [
        "qemu-system-x86_64", *ARGUMENTS[accel], "-m", str(MEMORY_MB), "-smp", str(PROCESSORS),
        "-nodefaults", "-display", "none", "-no-reboot",
        "-kernel", str(kernel), "-initrd", str(initramfs),
        "-append", "console=ttyS0 panic=-1 oops=panic random.trust_cpu=on",
        "-serial", f"file:{console}", "-serial", f"file:{tap}",
    ]
    began = time.monotonic()
    timed_out = False
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as machine:
        try:
            _, said = machine.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            machine.kill()
            _, said = machine.communicate()
            timed_out = True
    result = Boot(read(tap), read(console), time.monotonic() - began, timed_out)
    if said.strip() and result.problem:
        result.problem += f" (qemu: {said.strip().splitlines()[-1]})"
    return result
