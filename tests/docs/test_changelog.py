# SPDX-License-Identifier: GPL-2.0-or-later
"""CHANGELOG.md lists every JSON schema that the commands write, once, and no other."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def written():
    """{"tcpguard.stats/1", ...}: the strings of the code."""
    found = set()
    for path in (ROOT / "daemon").glob("*.c"):
        found.update(re.findall(r'"(?:\{\\"schema\\":\\")?(tcpguard(?:\.[a-z]+)+/\d+)\b', path.read_text()))
    return found


def listed():
    interfaces = re.search(r"^### Interfaces\n(.*?)(?=^##|\Z)", (ROOT / "CHANGELOG.md").read_text(), re.M | re.S)
    version = re.search(r"JSON schemas, all `/(\d+)`", interfaces.group(1)).group(1)
    return [f"{name}/{version}" for name in re.findall(r"`(tcpguard(?:\.[a-z]+)+)`", interfaces.group(1))]


class Changelog(unittest.TestCase):
    def test_every_schema_is_listed_once(self):
        self.assertGreater(len(written()), 20)
        self.assertEqual(sorted(listed()), sorted(written()))


if __name__ == "__main__":
    unittest.main()
