# SPDX-License-Identifier: GPL-2.0-or-later
"""The systemd units, judged by systemd's own tools; that they work is tests/net/test_service.sh."""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNITS = [ROOT / "build/systemd" / name for name in ("tcpguard.service", "tcpguard-attach.service")]
EXPOSURE_MAX = 2.0


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


def assignments(unit, name):
    return re.findall(rf"(?m)^{name}=(.*)$", unit.read_text())


@unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze (Debian package systemd)")
class Units(unittest.TestCase):
    def test_exposure_is_low(self):
        for unit in UNITS:
            done = run("systemd-analyze", "security", "--offline=true", "--no-pager", unit)
            level = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
            self.assertIsNotNone(level, done.stdout + done.stderr)
            self.assertLessEqual(float(level.group(1)), EXPOSURE_MAX, done.stdout)

    def test_systemd_has_nothing_to_say_about_them(self):
        with tempfile.TemporaryDirectory() as directory:
            for unit in UNITS:
                text = re.sub(r"=\S+/tcpguard (attach|detach|daemon)", r"=/bin/true \1", unit.read_text())
                Path(directory, unit.name).write_text(text)
            done = run("systemd-analyze", "verify", "--man=no",
                       *sorted(Path(directory).glob("*.service")))
        ours = [line for line in done.stderr.splitlines() if "tcpguard" in line]
        self.assertEqual(ours, [])
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_three_capabilities_and_no_more(self):
        for unit in UNITS:
            for name in ("AmbientCapabilities", "CapabilityBoundingSet"):
                self.assertEqual(assignments(unit, name), ["CAP_BPF CAP_NET_ADMIN CAP_PERFMON"])
            self.assertEqual(assignments(unit, "User"), ["tcpguard"])

    def test_no_dump_holds_the_coefficients_of_the_hash(self):
        for unit in UNITS:
            self.assertEqual(assignments(unit, "LimitCORE"), ["0"])

    def test_nothing_that_happens_to_the_daemon_detaches(self):
        daemon, attach = UNITS
        text = daemon.read_text()
        self.assertNotIn("detach", re.sub(r"(?m)^#.*", "", text))
        for name in ("Requires", "BindsTo", "PartOf", "Upholds", "PropagatesStopTo"):
            for unit in (daemon, attach):
                self.assertEqual(assignments(unit, name), [])
        self.assertEqual(assignments(daemon, "Restart"), ["always"])

    def test_user_and_directories_are_made(self):
        with tempfile.TemporaryDirectory() as root:
            root = Path(root)
            (root / "etc").mkdir()
            made = run("systemd-sysusers", f"--root={root}", ROOT / "packaging/systemd/sysusers.conf")
            self.assertEqual(made.returncode, 0, made.stderr)
            self.assertRegex((root / "etc/passwd").read_text(), r"(?m)^tcpguard:.*nologin$")
            made = run("systemd-tmpfiles", "--create", f"--root={root}",
                       ROOT / "packaging/systemd/tmpfiles.conf")
            self.assertEqual(made.returncode, 0, made.stderr)
            user = re.search(r"(?m)^tcpguard:x:(\d+)", (root / "etc/passwd").read_text()).group(1)
            status = (root / "sys/fs/bpf/tcpguard").stat()
            self.assertEqual((str(status.st_uid), status.st_mode & 0o777), (user, 0o700))


if __name__ == "__main__":
    unittest.main()
