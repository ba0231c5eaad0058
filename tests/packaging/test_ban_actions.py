# SPDX-License-Identifier: GPL-2.0-or-later
"""The fail2ban action and the CrowdSec bouncer call tcpguard as they should; it is a fake one here."""

import configparser
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / "packaging/fail2ban/tcpguard.conf"
BOUNCER = ROOT / "packaging/crowdsec/tcpguard-bouncer"
DEADLINE_S = 30


class Fake(unittest.TestCase):
    """A tcpguard that writes down its arguments, one JSON list a call, and ends as told."""

    def setUp(self):
        self.directory = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.directory)
        self.calls_file = self.directory / "calls"
        fake = self.directory / "tcpguard"
        fake.write_text("#!/usr/bin/python3\nimport json, os, sys\n"
                        f"here = {str(self.directory)!r}\n"
                        "open(here + '/calls', 'a').write(json.dumps(sys.argv[1:]) + '\\n')\n"
                        "sys.exit(int(open(here + '/status').read()) if 'block' in sys.argv else 0)\n")
        fake.chmod(0o755)
        self.end_with(0)
        self.environment = dict(os.environ, PATH=f"{self.directory}:{os.environ['PATH']}")

    def end_with(self, status):
        (self.directory / "status").write_text(str(status))

    def calls(self):
        if not self.calls_file.exists():
            return []
        return [json.loads(line) for line in self.calls_file.read_text().splitlines()]

    def run_it(self, *command):
        return subprocess.run([str(word) for word in command], env=self.environment, capture_output=True,
                              text=True, check=False)


class Bouncer(Fake):
    def test_ban_with_its_time_and_scenario(self):
        self.assertEqual(self.run_it(BOUNCER, "add", "192.0.2.7", "3599", "crowdsecurity/ssh-bf",
                                     '{"id":1}').returncode, 0)
        self.assertEqual(self.calls(), [["--quiet", "block", "add", "192.0.2.7", "--for", "3599s",
                                         "--reason", "crowdsec-crowdsecurity/ssh-bf"]])

    def test_prefix_of_ipv6(self):
        self.run_it(BOUNCER, "add", "2001:db8::/32", "60", "manual 'ban'; $(reboot)")
        self.assertEqual(self.calls(), [["--quiet", "block", "add", "2001:db8::/32", "--for", "60s",
                                         "--reason", "crowdsec-manual__ban_____reboot_"]])

    def test_unban(self):
        self.assertEqual(self.run_it(BOUNCER, "del", "192.0.2.7", "0", "x", "{}").returncode, 0)
        self.assertEqual(self.calls(), [["--quiet", "block", "del", "192.0.2.7"]])

    def test_unban_of_what_expired_is_no_failure_but_anything_else_is(self):
        for status, wanted in ((1, 0), (3, 3), (4, 4)):
            self.end_with(status)
            self.assertEqual(self.run_it(BOUNCER, "del", "192.0.2.7", "0", "x").returncode, wanted)

    def test_failed_ban_is_a_failure(self):
        for status in (1, 3, 4):
            self.end_with(status)
            self.assertEqual(self.run_it(BOUNCER, "add", "192.0.2.7", "60", "x").returncode, status)

    def test_ban_that_is_over_already(self):
        for seconds in ("0", "-30"):
            self.assertEqual(self.run_it(BOUNCER, "add", "192.0.2.7", seconds, "x").returncode, 0)
        self.assertEqual(self.calls(), [])

    def test_countries_and_options_are_refused(self):
        for value in ("FR", "AS64500", "--all", "192.0.2.7 --x", "$(id)", ""):
            done = self.run_it(BOUNCER, "add", value, "60", "x")
            self.assertEqual(done.returncode, 1, value)
            self.assertIn("neither an address nor a prefix", done.stderr)
        self.assertEqual(self.calls(), [])

    def test_wrong_usage(self):
        for words in ((), ("add",), ("add", "192.0.2.7"), ("list", "192.0.2.7", "60"),
                      ("add", "192.0.2.7", "soon", "x")):
            self.assertEqual(self.run_it(BOUNCER, *words).returncode, 2, words)
        self.assertEqual(self.calls(), [])


class Action(Fake):
    """By fail2ban's rules: options of [Definition], tags replaced, run by sh."""

    def command(self, option, **tags):
        conf = configparser.ConfigParser(inline_comment_prefixes=(";",))
        conf.read(ACTION)
        text = conf["Definition"][option]
        for tag, value in dict(conf["Init"], **tags).items():
            text = text.replace(f"<{tag}>", str(value))
        self.assertNotRegex(text, r"<[a-z]+>", "a tag fail2ban does not know")
        return self.run_it("sh", "-c", text)

    def test_ban_and_unban(self):
        self.assertEqual(self.command("actionban", ip="192.0.2.7", bantime=600, name="sshd").returncode, 0)
        self.assertEqual(self.command("actionunban", ip="192.0.2.7", name="sshd").returncode, 0)
        self.assertEqual(self.calls(), [
            ["--quiet", "block", "add", "192.0.2.7", "--for", "600s", "--reason", "fail2ban-sshd"],
            ["--quiet", "block", "del", "192.0.2.7"]])

    def test_ban_for_ever(self):
        self.command("actionban", ip="2001:db8::7", bantime=-1, name="sshd")
        self.assertEqual(self.calls(), [["--quiet", "block", "add", "2001:db8::7", "--reason",
                                         "fail2ban-sshd"]])

    def test_prolonging_is_banning(self):
        self.command("actionprolong", ip="192.0.2.7", bantime=1200, name="sshd")
        self.assertEqual(self.calls()[0][4:6], ["--for", "1200s"])

    def test_failures(self):
        for status, unban in ((1, 0), (3, 1), (4, 1)):
            self.end_with(status)
            self.assertNotEqual(self.command("actionban", ip="192.0.2.7", bantime=60).returncode, 0)
            self.assertEqual(self.command("actionunban", ip="192.0.2.7").returncode, unban)


@unittest.skipUnless(shutil.which("fail2ban-server"), "no fail2ban-server (Debian package fail2ban)")
class RealFail2ban(Fake):
    def client(self, *words):
        return self.run_it("fail2ban-client", "-c", self.directory / "conf", "-s",
                           self.directory / "socket", "-p", self.directory / "pid", *words)

    def test_ban_and_unban_by_the_server(self):
        conf = self.directory / "conf"
        (conf / "action.d").mkdir(parents=True)
        (conf / "filter.d").mkdir()
        shutil.copy(ACTION, conf / "action.d")
        (conf / "fail2ban.conf").write_text("[Definition]\nlogtarget = STDERR\nloglevel = INFO\n"
                                            "dbfile = None\nsyslogsocket = auto\n")
        (conf / "filter.d/x.conf").write_text("[Definition]\nfailregex = from <HOST>\n")
        (self.directory / "log").touch()
        (conf / "jail.conf").write_text(
            f"[x]\nenabled = true\nfilter = x\nbackend = polling\nlogpath = {self.directory}/log\n"
            f"bantime = 600\naction = tcpguard[name=x, tcpguard={self.directory}/tcpguard]\n")
        server = subprocess.Popen(
            ["fail2ban-server", "-f", "-c", conf, "-s", self.directory / "socket", "-p",
             self.directory / "pid", "start"], env=self.environment, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        try:
            self.wait_until(lambda: self.client("status", "x").returncode == 0)
            self.client("set", "x", "banip", "192.0.2.7")
            wanted = ["--quiet", "block", "add", "192.0.2.7", "--for", "600s", "--reason", "fail2ban-x"]
            self.wait_until(lambda: wanted in self.calls())
            self.client("set", "x", "unbanip", "192.0.2.7")
            self.wait_until(lambda: ["--quiet", "block", "del", "192.0.2.7"] in self.calls())
        finally:
            server.terminate()
            server.wait()

    def wait_until(self, condition):
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            self.assertLess(time.monotonic(), deadline, self.calls())
            time.sleep(0.05)


if __name__ == "__main__":
    unittest.main()
