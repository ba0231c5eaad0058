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
# Only by emulation; not -cpu max, which signs pointers as slowly as the architecture can.
ARM64 = ["-M", "virt", "-accel", "tcg,thread=multi", "-cpu", "neoverse-n1"]
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


def ports(arch, console, tap):
    """A port for the kernel and one for the tests: (qemu's arguments, the kernel's)."""
    if arch == "arm64":
        return (["-serial", f"file:{console}", "-chardev", f"file,id=tap,path={tap}", "-device", "pci-serial,chardev=tap"],
                "console=ttyAMA0 tap=ttyS0")
    return ["-serial", f"file:{console}", "-serial", f"file:{tap}"], "console=ttyS0 tap=ttyS1"


def boot(kernel, initramfs, logs, limit_s, accel, arch="amd64"):
    """logs: the beginning of a path; .tap and .console are written."""
    tap, console = (logs.with_name(f"{logs.name}.{ending}") for ending in ("tap", "console"))
    machine = ["qemu-system-aarch64", *ARM64] if arch == "arm64" else ["qemu-system-x86_64", *ARGUMENTS[accel]]
    devices, words = ports(arch, console, tap)
    command = [
        *machine, "-m", str(MEMORY_MB), "-smp", str(PROCESSORS), "-nodefaults", "-display", "none", "-no-reboot",
        "-kernel", str(kernel), "-initrd", str(initramfs),
        "-append", f"{words} panic=-1 oops=panic random.trust_cpu=on", *devices,
    ]
    began = time.monotonic()
    timed_out = False
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as running:
        try:
            _, said = running.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            running.kill()
            _, said = running.communicate()
            timed_out = True
    result = Boot(read(tap), read(console), time.monotonic() - began, timed_out)
    if said.strip() and result.problem:
        result.problem += f" (qemu: {said.strip().splitlines()[-1]})"
    return result
