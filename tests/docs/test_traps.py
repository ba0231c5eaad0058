# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/false-positives-and-attacks.md has a row for each trap and attack, and every test it names exists."""

import functools
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs/false-positives-and-attacks.md"
WANTED = [str(number) for number in range(1, 51)] + [f"A{number}" for number in range(1, 29)]
LEVELS = {"inj", "wire", "real", "race", "review"}


def c_cases(text):
    """Functions that are defined and registered."""
    defined = set(re.findall(r"^static void (\w+)\(void \*\*state\)", text, re.M))
    registered = set(re.findall(r"(?:\bTEST6?|cmocka_unit_test\w*)\(\s*(\w+)", text))
    return defined & registered


def shell_cases(text):
    """Names given to check, skip_case, cases.check, cases.equal and cases.skip, as they are written."""
    calls = re.findall(r"""^[^#\n]*\b(?:check|skip_case|cases\.(?:check|equal|skip))[ (]f?("[^"]*"|'[^']*')""",
                       text, re.M)
    return {call[1:-1] for call in calls}


def python_cases(text):
    return set(re.findall(r"^    def (test_\w+)\(self\)", text, re.M))


CASES = {".c": c_cases, ".sh": shell_cases, ".py": python_cases}


@functools.cache
def cases_of(path):
    return CASES[path.suffix](path.read_text())


def named_tests(cell):
    """-> [(file, case)] of "`file`: `case`, `case`; `file`: ..." """
    tests, file = [], None
    for word, colon in re.findall(r"`([^`]+)`(:?)", cell):
        if colon and word.startswith("tests/"):
            file = word
        elif file:
            tests.append((file, word))
    return tests


def rows(text):
    """{number: cells} of both tables; a number that comes twice is an error."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and re.fullmatch(r"A?\d+", cells[0]):
            if cells[0] in found:
                raise AssertionError(f"{cells[0]} is there twice")
            found[cells[0]] = cells
    return found


def problems(text):
    """What is wrong with the tables, one line each."""
    wrong, found = [], rows(text)
    wrong += [f"{number} has no row" for number in WANTED if number not in found]
    wrong += [f"{number} is no number of the list" for number in found if number not in WANTED]
    for number, cells in found.items():
        if len(cells) != 6 or not cells[1]:
            wrong.append(f"{number} is not complete")
            continue
        names, tests = re.findall(r"`([^`]+)`", cells[3]), named_tests(cells[4])
        if not names or not tests:
            wrong.append(f"{number} names no test")
        if not set(cells[2].split(", ")) <= LEVELS:
            wrong.append(f"{number}: how is '{cells[2]}'")
        for name in names:
            if not has_word(name, cells, tests):
                wrong.append(f"{number}: no test is named after {name}")
    for file, case in named_tests(text_of_tables(text)):
        if not (ROOT / file).exists():
            wrong.append(f"there is no {file}")
        elif case not in cases_of(ROOT / file):
            wrong.append(f"{file} has no test '{case}'")
    return wrong


def has_word(name, cells, tests):
    """The name in one of the row's tests; of a script that gives names by arguments, in the script."""
    word = re.compile(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])")
    if cells[2] == "review" or any(word.search(case) for _, case in tests):
        return True
    return any(case.startswith(("$", "{")) and word.search((ROOT / file).read_text()) for file, case in tests)


def text_of_tables(text):
    """The cells with tests: of the two tables, and of the properties."""
    kept = [cells[4] for cells in rows(text).values() if len(cells) == 6]
    kept += re.findall(r"^\| [^|\n]+ \| (`tests/[^|\n]+) \|$", text, re.M)
    return "; ".join(kept)


class Traps(unittest.TestCase):
    def setUp(self):
        self.text = TABLE.read_text()

    def test_every_trap_and_attack_has_its_tests(self):
        self.assertEqual(problems(self.text), [])

    def test_a_missing_row_is_noticed(self):
        for number in WANTED:
            without = re.sub(rf"(?m)^\| {number} \|.*\n", "", self.text)
            self.assertEqual(problems(without), [f"{number} has no row"])

    def test_a_missing_test_is_noticed(self):
        for file, case in named_tests(text_of_tables(self.text)):
            with self.subTest(file=file, case=case):
                wrong = problems(self.text.replace(f"`{case}`", f"`{case}x`"))
                self.assertIn(f"{file} has no test '{case}x'", wrong)

    def test_a_test_that_is_not_registered_is_noticed(self):
        text = "static void a(void **state)\n{\n}\nstatic void b(void **state)\n{\n}\nTEST(a),\n"
        self.assertEqual(c_cases(text), {"a"})

    def test_a_properties_row_is_read(self):
        self.assertIn(("tests/unit/test_flow_race.c", "numbers_only_grow"),
                      named_tests(text_of_tables(self.text)))


if __name__ == "__main__":
    unittest.main()
