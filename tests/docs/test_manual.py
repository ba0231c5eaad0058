# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual pages against the program: each command and option is in both, by the same name."""

import re
import shutil
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TCPGUARD = ROOT / "build/tcpguard"
OPTION = re.compile(r"(?:-(\w), |    )--([a-z0-9-]+)")


def output(*command, **kwargs):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True,
                          **kwargs).stdout


def options_of(help_text):
    """{(letter, name)} of the rows of one list of a help."""
    return {match.groups(default="") for match in
            (re.match(r"  " + OPTION.pattern, line) for line in help_text.splitlines()) if match}


def help_of(command):
    own, _, _ = output(TCPGUARD, command, "--help").partition("\nGlobal options:\n")
    return options_of(own)


def commands():
    listed = re.search(r"Commands:\n(.*?)\n\n", output(TCPGUARD, "help"), re.S).group(1)
    return re.findall(r"^  (\S+)", listed, re.M)


def page():
    return (ROOT / "docs/tcpguard.8.scd").read_text().replace("\\", "")


def section_of(name):
    """What stands below every heading that begins with the command."""
    parts = re.split(r"(?m)^##? ", page())
    return "".join(part for part in parts if re.match(rf"(\*\w+\*\|)*\*{name}\*", part))


def with_sections_referred_to(text):
    return text + "".join(map(section_of, re.findall(r"Options as for \*(\w+)\*", text)))


def defined_in(text):
    """{(letter, name)} that the text defines: a line of options above an indented one."""
    found = set()
    for line in re.findall(r"(?m)^(\*-.*)\n\t", text):
        for letter, name in re.findall(r"(?:\*-(\w)\*, )?\*--([a-z0-9-]+)\*", line):
            found.add((letter, name))
    return found


class Manual(unittest.TestCase):
    def test_every_command_has_a_section(self):
        for name in commands():
            self.assertTrue(section_of(name), f"tcpguard(8) has no section for {name}")

    def test_every_section_is_of_a_command(self):
        part = page().partition("# COMMANDS\n")[2]
        part = re.split(r"(?m)^# ", part)[0]
        for name in re.findall(r"(?m)^## \*(\w+)\*", part):
            self.assertIn(name, commands())

    def test_every_option_is_described_in_its_section(self):
        compared = 0
        for command in commands():
            if command == "help":
                continue
            text = section_of(command)
            for letter, name in help_of(command):
                self.assertIn(f"*--{name}*", text, f"tcpguard {command}")
                if letter:
                    self.assertIn(f"*-{letter}*, *--{name}*", text, f"tcpguard {command}")
                compared += 1
        self.assertGreater(compared, 30)

    def test_every_described_option_is_one(self):
        for command in commands():
            if command != "help":
                self.assertLessEqual(defined_in(section_of(command)), help_of(command),
                                     f"tcpguard {command}")

    def test_global_options_are_the_same(self):
        own = re.split(r"(?m)^# ", page().partition("\n# OPTIONS\n")[2])[0]
        self.assertEqual(defined_in(own), options_of(output(TCPGUARD, "help")))

    def test_every_value_the_help_names_is_in_the_page(self):
        for command in commands():
            if command == "help":
                continue
            own, _, _ = output(TCPGUARD, command, "--help").partition("\nGlobal options:\n")
            for name, value in re.findall(r"--([a-z0-9-]+) ([a-z]+(?:\|[a-z]+)+)", own):
                for word in value.split("|"):
                    self.assertRegex(with_sections_referred_to(section_of(command)), rf"[_*]{word}[_*]",
                                     f"tcpguard {command} --{name}")

    @unittest.skipUnless(shutil.which("scdoc"), "no scdoc (Debian package scdoc)")
    def test_every_page_is_one(self):
        pages = {path.stem: path.read_text() for path in (ROOT / "docs").glob("*.scd")}
        pages["tcpguard-reasons.7"] = output(ROOT / "scripts/verdict-table", "--manual")
        pages["tcpguard-metrics.7"] = output(ROOT / "scripts/metrics-table")
        for name, text in pages.items():
            roff = output("scdoc", input=text)
            self.assertIn(".SH NAME", roff, name)
            self.assertTrue(text.startswith(f"{name[:-2]}({name[-1]})\n"), name)

    def test_reasons_page_has_every_row(self):
        text = output(ROOT / "scripts/verdict-table", "--manual")
        rows = re.findall(r'^\s*X\(\w+,\s*\w+,\s*(\d+), "(\w+)",\s*\w+,\s*"([^"]*)"',
                          (ROOT / "include/tcpguard/verdict.h").read_text(), re.M)
        self.assertGreater(len(rows), 50)
        for code, reason, meaning in rows:
            self.assertIn(f"*{reason}* ({code})", text)
            self.assertIn(f": {meaning}\n", text)


if __name__ == "__main__":
    unittest.main()
