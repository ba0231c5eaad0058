# SPDX-License-Identifier: GPL-2.0-or-later
"""What the documents repeat from the sources is what the sources say."""

import re
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def read(path):
    return (ROOT / path).read_text()


class Documents(unittest.TestCase):
    def test_verdict_table_of_the_readme(self):
        wanted = subprocess.run([ROOT / "scripts/verdict-table"], capture_output=True, text=True,
                                check=True).stdout
        self.assertIn(wanted, read("README.md"), "run scripts/verdict-table --write")

    def test_every_row_of_the_verdict_list_is_in_the_table(self):
        rows = re.findall(r"^\s*X\(", read("include/tcpguard/verdict.h"), re.M)
        table = [line for line in read("README.md").splitlines()
                 if re.match(r"\| (\*\*drop\*\*|challenge|pass)", line)]
        self.assertEqual(len(table), len(rows))

    def test_every_defence_names_tests_that_exist(self):
        rows = [line for line in read("SECURITY.md").splitlines()
                if line.startswith("| ") and not line.startswith(("| attack ", "| who, ", "| what he ", "| file "))]
        self.assertGreater(len(rows), 20)
        for row in rows:
            tests = re.findall(r"`(tests/[^`]+)`", row)
            if "on the path" not in row: # no defence
                self.assertTrue(tests, row)
            for test in tests:
                self.assertTrue((ROOT / test).is_file(), test)

    def test_manual_page_has_every_command_and_option(self):
        page = read("docs/tcpguard.8.scd").replace("\\", "")
        sources = "".join(path.read_text() for path in sorted((ROOT / "daemon").glob("*.c")))
        for name in re.findall(r"struct command command_(\w+) =", sources):
            self.assertIn(f"*{name}*", page)
        # Rows of options: { 'x', "name", "VALUE" or NULL, ...
        for name in re.findall(r"\{ (?:0|'.'), \"([a-z-]+)\",\s", sources):
            self.assertIn(f"--{name}", page)

    def test_manual_page_has_every_exit_code(self):
        page = read("docs/tcpguard.8.scd")
        for name, code in re.findall(r"(EXIT_\w+) = (\d+),", read("daemon/command.h")):
            if name not in ("EXIT_CONFIG", "EXIT_REVERTED"):  # of commands that come later
                self.assertRegex(page, rf"(?m)^\*{code}\*", name)


if __name__ == "__main__":
    unittest.main()
