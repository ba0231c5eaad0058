# SPDX-License-Identifier: GPL-2.0-or-later
"""The cost of the data path, in what does not depend on the machine's mood.

Native instructions of ten segments, within 5 % of those recorded with the same compiler; the verifier's
work and the stack, which bound what can still be added.  Recorded anew by `make bench-record`.
"""

import os
import shutil
import unittest

import recorded

BAND = 0.05
VERIFIER_GROWTH = 1.25
VERIFIER_LIMIT = 1_000_000  # the kernel's own
VERIFIER_MOST = VERIFIER_LIMIT * 3 // 4  # other compilers and kernels need room, too
STACK_LIMIT = 512


class Instructions(unittest.TestCase):
    def test_ten_segments_cost_what_was_recorded(self):
        if not shutil.which("valgrind"):
            self.skipTest("no valgrind (Debian package valgrind)")
        was, now = recorded.recorded(), recorded.compilers()
        if was["compilers"]["cc"] != now["cc"]:
            self.skipTest(f"recorded with {was['compilers']['cc']}, this is {now['cc']}")
        counts = recorded.instructions()
        self.assertEqual(set(counts), set(was["instructions"]))
        for name, count in counts.items():
            with self.subTest(segment=name):
                expected = was["instructions"][name]
                self.assertLessEqual(
                    abs(count - expected), expected * BAND,
                    f"{name}: {count} instructions, recorded {expected}; if meant, make bench-record")


class Verifier(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if os.geteuid():
            raise unittest.SkipTest("needs root")
        cls.now = recorded.verifier()

    def test_its_work_stays_far_below_its_limit(self):
        for name, program in self.now.items():
            with self.subTest(program=name):
                self.assertGreater(program["processed"], 0)
                self.assertLess(program["processed"], VERIFIER_MOST)

    def test_its_work_did_not_grow(self):
        was = recorded.recorded()
        if was["compilers"]["clang"] != recorded.compilers()["clang"]:
            self.skipTest(f"recorded with {was['compilers']['clang']}")
        for name, program in self.now.items():
            with self.subTest(program=name):
                self.assertLess(program["processed"],
                                was["verifier"][name]["processed"] * VERIFIER_GROWTH,
                                "if meant, make bench-record")

    def test_the_stack_suffices(self):
        for name, program in self.now.items():
            with self.subTest(program=name):
                self.assertLessEqual(program["stack"], STACK_LIMIT)
                self.assertGreaterEqual(program["stack"], 0)


if __name__ == "__main__":
    unittest.main()
