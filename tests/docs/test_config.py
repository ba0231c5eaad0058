#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""tcpguard.yaml(5) and the default file against the table of keys in the code."""

import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TCPGUARD = ROOT / "build" / "tcpguard"
PAGE = (ROOT / "docs" / "tcpguard.yaml.5.scd").read_text()


def default_file():
    return subprocess.run([TCPGUARD, "config", "default"], check=True, capture_output=True, text=True).stdout


def keys_of(section):
    """{key}, each explained as "## KEY: ..." in the default file; those of the section, or the outermost."""
    found, inside = set(), None
    for line in default_file().splitlines():
        match = re.match(r"## ( *)([a-z0-9_]+): ", line)
        if match and not match[1]:
            inside = match[2]
        if match and (section == inside if match[1] else section is None):
            found.add(match[2])
    return found


def sections():
    """{name: keys it defines}"""
    defined = {}
    for part in re.split(r"(?m)^# ", PAGE)[1:]:
        name, text = part.split("\n", 1)
        lines = re.findall(r"(?m)^\*.*\*$", text) + re.findall(r"(?m)^\t?\*[a-z_]+\* \(", text)
        defined[name.lower()] = set(re.findall(r"\*([a-z0-9_]+)\*", "\n".join(lines)))
    return defined


def check(text):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        return subprocess.run([TCPGUARD, "config", "check", file.name], capture_output=True, text=True)


class Config(unittest.TestCase):
    def test_every_key_is_in_the_page_and_the_page_has_no_other(self):
        self.assertEqual(sections()["keys"], keys_of(None))
        compared = 0
        for section in keys_of(None):
            keys = keys_of(section)
            if keys:
                self.assertEqual(sections()[section], keys, section)
                compared += len(keys)
        self.assertGreater(compared, 30)

    def test_the_page_s_example_is_valid(self):
        example = re.search(r"(?m)^\tversion: 1(.*\n)+?\n", PAGE)[0].replace("++\n", "\n").lstrip("\t")
        self.assertEqual(check(example).stderr, "")

    def test_the_default_file_is_valid_as_it_is_and_with_every_setting(self):
        text = default_file()
        self.assertEqual(check(text).returncode, 0)
        bare = re.sub(r"(?m)^#(?!#)", "", text)
        self.assertNotEqual(bare, text)
        with tempfile.TemporaryDirectory() as directory:  # for the examples of lists, which must be there
            here = re.sub(r"(?m)^( +(?:allow|block): )\[.*\]$", rf"\1[{directory}]", bare)
            self.assertEqual(here.count(directory), 2)
            self.assertEqual(check(here).stderr, "")


if __name__ == "__main__":
    unittest.main()
