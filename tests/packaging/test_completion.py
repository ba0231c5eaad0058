# SPDX-License-Identifier: GPL-2.0-or-later
"""Completion is what the option tables say, in each shell; and the tables say what the parsers take."""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import shells
from shells import TCPGUARD

INTERFACES = sorted(path.parent.name for path in Path("/sys/class/net").glob("*/ifindex"))
SHELLS = ("bash", "zsh", "fish")


def run(*words):
    return subprocess.run([TCPGUARD, *words], capture_output=True, text=True, check=False)


def commands():
    listed = re.search(r"Commands:\n(.*?)\n\n", run("help").stdout, re.S).group(1)
    return sorted(re.findall(r"^  (\S+)", listed, re.M))


def options(command):
    """(letter or "", name, value or "") of each row of --help, the global ones too."""
    text = run(command, "--help").stdout
    return re.findall(r"^  (?:-(\w), |    )--([a-z-]+)(?: (\S+))?", text, re.M)


def enumerated(value):
    return value.split("|") if re.fullmatch(r"[a-z]+(\|[a-z]+)+", value) else None


class Tables(unittest.TestCase):
    def test_every_value_the_help_names_is_taken_and_no_other(self):
        tried = 0
        for command in commands():
            if command == "help":
                continue
            for _, name, value in options(command):
                for word in enumerated(value) or []:
                    done = run(command, f"--{name}", word, "--help")
                    self.assertEqual(done.returncode, 0, f"{command} --{name} {word}: {done.stderr}")
                    tried += 1
                if enumerated(value):
                    done = run(command, f"--{name}", "nonesuch", "--help")
                    self.assertEqual(done.returncode, 2, f"{command} --{name} nonesuch")
                    taken = re.search(r"is none of (.*)", done.stderr).group(1).split(", ")
                    self.assertLessEqual(set(taken) - {"none"}, set(enumerated(value)),
                                         f"{command} --{name}: the help does not name all")
        self.assertGreater(tried, 30)

    def test_words_of_an_unknown_shell_are_refused(self):
        self.assertEqual(run("completion").returncode, 2)
        self.assertEqual(run("completion", "tcsh").returncode, 2)
        self.assertEqual(run("completion", "bash", "zsh").returncode, 2)


class Completion:
    """The same lines for each shell; a subclass names the shell."""

    shell = ""

    @classmethod
    def setUpClass(cls):
        if not shutil.which(cls.shell):
            raise unittest.SkipTest(f"no {cls.shell} (Debian package {cls.shell})")

    def complete(self, *lines, directory="/"):
        """What is offered for a line; for several, a list of that."""
        found = getattr(shells, self.shell)(lines, directory)
        self.assertEqual(len(found), len(lines))
        return found if len(lines) > 1 else found[0]

    def test_commands(self):
        self.assertEqual(self.complete("tcpguard "), commands())

    def test_command_behind_options_with_a_value(self):
        self.assertEqual(self.complete("tcpguard -o json -j byp"), ["bypass"])

    def test_every_option_of_every_command(self):
        names = [name for name in commands() if name != "help"]
        offered = self.complete(*(f"tcpguard {name} --" for name in names))
        for command, found in zip(names, offered):
            self.assertEqual([word.rstrip("=") for word in found],
                             sorted(f"--{name}" for _, name, _ in options(command)), command)

    def test_values_of_an_option(self):
        self.assertEqual(self.complete("tcpguard attach --mode ", "tcpguard attach lo --xdp "),
                         [["enforce", "monitor"], ["auto", "generic", "native"]])

    def test_value_behind_an_equals_sign(self):
        self.assertEqual(self.complete("tcpguard attach --mode=mon"), ["monitor"])

    def test_values_of_a_global_option_by_its_letter(self):
        self.assertEqual(self.complete("tcpguard -o ", "tcpguard stats -o nd"),
                         [["conntrack", "json", "ndjson", "text"], ["ndjson"]])

    def test_states(self):
        self.assertEqual(self.complete("tcpguard flows list --state FIN_"),
                         ["FIN_WAIT_1", "FIN_WAIT_2"])

    def test_interfaces_again_and_again(self):
        self.assertEqual(self.complete("tcpguard attach ", "tcpguard attach --mode monitor lo "),
                         [INTERFACES, INTERFACES])

    def test_words_of_the_first_position_only(self):
        self.assertEqual(self.complete("tcpguard flows ", "tcpguard flows --sort age l",
                                       "tcpguard bypass "),
                         [["count", "delete", "list", "show"], ["list"], ["off", "on"]])
        # zsh offers options where no word can follow.
        left = [word for word in self.complete("tcpguard bypass on ") if word[0] != "-"]
        self.assertEqual(left, [])

    def test_files(self):
        with tempfile.TemporaryDirectory() as directory:
            Path(directory, "one.pcap").touch()
            self.assertEqual(self.complete("tcpguard replay --join on", directory=directory), ["one.pcap"])

    def test_commands_behind_help(self):
        self.assertEqual(self.complete("tcpguard help att"), ["attach"])


class Bash(Completion, unittest.TestCase):
    shell = "bash"


class Zsh(Completion, unittest.TestCase):
    shell = "zsh"


class Fish(Completion, unittest.TestCase):
    shell = "fish"


if __name__ == "__main__":
    unittest.main()
