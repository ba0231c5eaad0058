# SPDX-License-Identifier: GPL-2.0-or-later
"""What older kernels would refuse in the BPF objects and can be seen without booting one; the rest is
`make check-kernels`.
"""

import re
import unittest
from pathlib import Path

import cfg
import check
import stack

ROOT = Path(__file__).resolve().parents[2]
OBJECTS = ("build/tcpguard.bpf.o", "build/tcpguard_shared.bpf.o", "build/seed.bpf.o", "build/cookie_accept.bpf.o")
STACK_BYTES = 512

MOV, ADD_W, EXIT, JA, JLT = 0xb7, 0x04, 0x95, 0x05, 0xa5


class BackEdges(unittest.TestCase):
    def test_a_loop_that_falls_through_to_its_beginning_is_found(self):
        code = [(MOV, 0, 0), (JA, 2, 0),  # enter at the middle
                (ADD_W, 0, 1), (ADD_W, 0, 1), (JLT, -3, 9), (EXIT, 0, 0)]
        self.assertEqual(cfg.refused_back_edges(code), [(3, 4)])

    def test_a_loop_that_jumps_back_is_none(self):
        code = [(MOV, 0, 0), (ADD_W, 0, 1), (JLT, -2, 9), (EXIT, 0, 0)]
        self.assertEqual(cfg.refused_back_edges(code), [])

    def test_the_objects_have_none(self):
        for path in OBJECTS:
            functions = cfg.functions((ROOT / path).read_bytes())
            self.assertTrue(functions, path)
            for name, code in functions.items():
                self.assertEqual(cfg.refused_back_edges(code), [],
                                 f"{path}: {name}: write the loop so that it ends in a condition")


class Stack(unittest.TestCase):
    STORE, COPY, ADD, LOAD = 0x7b, 0xbf, 0x07, 0x79

    def test_a_frame_is_as_deep_as_what_is_touched_or_pointed_at(self):
        self.assertEqual(stack.frame([(self.STORE, 10, -16, 0), (self.LOAD, 10 << 4 | 1, -24, 0)]), 24)
        self.assertEqual(stack.frame([(self.COPY, 10 << 4 | 1, 0, 0), (self.ADD, 1, 0, -40)]), 40)
        self.assertEqual(stack.frame([(self.ADD, 1, 0, -40)]), 0)

    def test_each_frame_is_rounded_up(self):
        known = {"a": (33, {"b", "c"}), "b": (1, set()), "c": (32, {"b"})}
        self.assertEqual(stack.deepest(known, "a"), (128, ["a 33", "c 32", "b 1"]))

    def test_no_chain_of_calls_needs_more_than_there_is(self):
        for path in OBJECTS:
            known = stack.functions((ROOT / path).read_bytes())
            called = set().union(*(calls for _, calls in known.values()))
            entries = known.keys() - called
            self.assertTrue(entries, path)
            for name in entries:
                size, chain = stack.deepest(known, name)
                self.assertLessEqual(size, STACK_BYTES, f"{path}: {' > '.join(chain)}")


class Shared(unittest.TestCase):
    CHANGES_PACKETS = {44, 54, 65}  # bpf_xdp_adjust_head, _meta, _tail

    def changes(self, path):
        data = (ROOT / path).read_bytes()
        calls, code = stack.functions(data), cfg.functions(data)
        reached, left = set(), ["tg_xdp_ingress"]
        while left:
            name = left.pop()
            if name not in reached:
                reached.add(name)
                left += [callee for callee in calls[name][1] if callee in calls]
        return {immediate for name in reached for opcode, _, immediate in code[name]
                if opcode == stack.CALL} & self.CHANGES_PACKETS

    def test_the_program_that_is_shared_cannot_change_packets(self):
        self.assertTrue(self.changes("build/tcpguard.bpf.o"))
        self.assertEqual(self.changes("build/tcpguard_shared.bpf.o"), set())


class Results(unittest.TestCase):
    """What check.py makes of a machine's output."""

    TESTS = [("features", "tests/kernels/guest/features.sh 5.15"), ("test-run", "build/tests/bpf/test_x")]
    WHOLE = """# machine: 6.1.0 up after 9.0 s
# begin /tcpguard/tests/kernels/guest/features.sh 5.15
ok 1 - native: attach
ok 2 - tcx: refused with exit code 5
ok 3 - tcx: works # SKIP tcpguard: cannot
# end /tcpguard/tests/kernels/guest/features.sh 5.15: exit code 0, 20 s
# begin /tcpguard/build/tests/bpf/test_x
ok 1 - a
# end /tcpguard/build/tests/bpf/test_x: exit code 0, 30 s
# machine: done
"""

    class Boot:
        problem = None

        def __init__(self, tap):
            self.tap = tap

    def wrong(self, tap):
        return check.failures_of(check.parse(tap, self.TESTS), self.TESTS, self.Boot(tap))

    def test_a_good_run(self):
        self.assertEqual(self.wrong(self.WHOLE), [])
        features = check.feature_results(check.parse(self.WHOLE, self.TESTS))
        self.assertEqual(features["native"],
                         {"suite": "features", "passed": 1, "failed": 0, "refused": None})
        self.assertEqual(features["tcx"]["refused"], "cannot")
        self.assertEqual(features["test-run"]["passed"], 1)

    def test_a_failed_case(self):
        self.assertEqual(self.wrong(self.WHOLE.replace("ok 1 - a", "not ok 1 - a")), ["test_x: a"])

    def test_an_exit_code_without_a_failed_case(self):
        broken = re.sub(r"(test_x: exit code) 0", r"\1 139", self.WHOLE)
        self.assertEqual(self.wrong(broken), ["test_x: ended with exit code 139"])

    def test_a_test_without_cases(self):
        self.assertEqual(self.wrong(self.WHOLE.replace("ok 1 - a\n", "")), ["test_x: ran no test case"])

    def test_a_machine_that_stopped(self):
        cut = self.WHOLE[:self.WHOLE.index("# begin /tcpguard/build")]
        self.assertEqual(self.wrong(cut), ["1 of 2 tests were begun"])
        self.assertEqual(check.complete(check.parse(cut, self.TESTS), self.TESTS), {"features"})


if __name__ == "__main__":
    unittest.main()
