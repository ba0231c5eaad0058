# SPDX-License-Identifier: GPL-2.0-or-later
"""Runbooks and other documents name commands, options, reasons and files that exist."""

import re
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TCPGUARD = ROOT / "build/tcpguard"
DOCUMENTS = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))
RUNBOOKS = sorted((ROOT / "docs/runbooks").glob("*.md"))


def help_of(*words):
    return subprocess.run([TCPGUARD, *words], capture_output=True, text=True, check=True).stdout


def commands():
    listed = re.search(r"Commands:\n(.*?)\n\n", help_of("help"), re.S).group(1)
    return set(re.findall(r"^  (\S+)", listed, re.M))


def command_lines(text):
    """(command, rest of the line) of every `tcpguard ...` in code."""
    code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"(?m)^    (.*)$", text)
    for line in code:
        line = re.sub(r"\s#.*", "", line)
        for match in re.finditer(r"(?:^|[\s/])tcpguard ((?:-[a-z] )?[a-z]\S*)(.*)", line):
            yield match.group(1).split()[-1], match.group(2)


class Runbooks(unittest.TestCase):
    def test_commands_and_options_exist(self):
        known, seen = commands(), 0
        for path in RUNBOOKS:
            for command, rest in command_lines(path.read_text()):
                seen += 1
                self.assertIn(command, known, path.name)
                if command == "help":
                    continue
                text = help_of(command, "--help")
                for option in re.findall(r"--([a-z][a-z-]+)", rest):
                    self.assertIn(f"--{option}", text, f"{path.name}: tcpguard {command}")
        self.assertGreater(seen, 40)

    def test_reasons_exist(self):
        reasons = set(re.findall(r'X\(\w+,\s*\w+,\s*\d+, "(\w+)"',
                                 (ROOT / "include/tcpguard/verdict.h").read_text()))
        seen = 0
        for path in RUNBOOKS:
            for row in re.findall(r"(?m)^\| (`[a-z_`, ]+`)", path.read_text()):
                for name in re.findall(r"`(\w+)`", row):
                    self.assertIn(name, reasons, path.name)
                    seen += 1
        self.assertGreater(seen, 10)

    def test_links_lead_somewhere(self):
        for path in DOCUMENTS:
            for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
                if not re.match(r"[a-z]+:", target):
                    self.assertTrue((path.parent / target).exists(), f"{path.name}: {target}")


if __name__ == "__main__":
    unittest.main()
