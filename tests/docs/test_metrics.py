# SPDX-License-Identifier: GPL-2.0-or-later
"""Dashboard, alerts and the manual page name metrics and labels that tcpguard exports."""

import json
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "docs/dashboard/tcpguard.json"
RULES = ROOT / "docs/alerts/tcpguard.rules.yaml"
TABLE = ROOT / "scripts/metrics-table"
# Added by Prometheus, or of a histogram.
OTHER_LABELS = {"instance", "job", "le"}
SELECTOR = re.compile(r"\b((?:tcpguard|process)_\w+)(?:\{([^}]*)\})?")
GROUPING = re.compile(r"\b(?:by|without) \(([^)]*)\)")


def exported():
    """{name of a sample: its labels}"""
    rows = re.findall(r'X\(\w+, (\w+), "\w*", "(\w+)", "([\w,]*)"',
                      (ROOT / "daemon/metrics_families.h").read_text())
    suffixes = {"COUNTER": ["_total"], "INFO": ["_info"], "GAUGE": [""],
                "HISTOGRAM": ["_bucket", "_sum", "_count"]}
    return {name + suffix: set(filter(None, labels.split(",")))
            for kind, name, labels in rows for suffix in suffixes[kind]}


def expressions(panel):
    yield from (target["expr"] for target in panel.get("targets", []))
    for inner in panel.get("panels", []):
        yield from expressions(inner)


class Metrics(unittest.TestCase):
    def check(self, expression, known):
        labels = set()
        found = SELECTOR.findall(expression)
        self.assertTrue(found, f"no metric in {expression}")
        for name, matchers in found:
            self.assertIn(name, known, expression)
            labels |= known[name]
            for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers):
                self.assertIn(label, known[name] | OTHER_LABELS, expression)
        for group in GROUPING.findall(expression):
            for label in re.split(r",\s*", group):
                self.assertIn(label, labels | OTHER_LABELS, expression)

    def test_dashboard(self):
        dashboard, known = json.loads(DASHBOARD.read_text()), exported()
        seen = [expression for panel in dashboard["panels"] for expression in expressions(panel)]
        self.assertGreater(len(seen), 25)
        for expression in seen:
            self.check(expression, known)
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                self.check(variable["query"]["query"], known)
        numbers = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(numbers), len(set(numbers)))

    def test_legends_show_labels_the_expression_has(self):
        known = exported()
        for panel in json.loads(DASHBOARD.read_text())["panels"]:
            for target in panel.get("targets", []):
                labels = set().union(*(known[name] for name, _ in SELECTOR.findall(target["expr"])))
                for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                    self.assertIn(label, labels | OTHER_LABELS, target["expr"])

    def test_alerts(self):
        text, known = RULES.read_text(), exported()
        rules = re.findall(r"- alert: (\w+)\n +expr: (.*)\n", text)
        self.assertEqual(len(rules), text.count("- alert:"))
        self.assertGreater(len(rules), 5)
        for _, expression in rules:
            self.check(expression, known)
        # What the texts name.
        for name in re.findall(r"\btcpguard_\w+", text):
            self.assertIn(name, known)

    def test_alerts_pass_promtool(self):
        tool = subprocess.run([ROOT / "scripts/promtool"], capture_output=True, text=True)
        if tool.returncode:
            self.skipTest(tool.stderr.strip())
        run = subprocess.run([tool.stdout.strip(), "check", "rules", RULES], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_dashboard_passes_promtool(self):
        """As rules, with what Grafana puts in for its variables."""
        tool = subprocess.run([ROOT / "scripts/promtool"], capture_output=True, text=True)
        if tool.returncode:
            self.skipTest(tool.stderr.strip())
        text = DASHBOARD.read_text()
        for variable, value in (("$__rate_interval", "1m"), ("$__range", "1h")):
            text = text.replace(variable, value)
        rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(
            expression for panel in json.loads(text)["panels"] for expression in expressions(panel))]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)  # JSON is YAML
            file.flush()
            run = subprocess.run([tool.stdout.strip(), "check", "rules", file.name], capture_output=True,
                                 text=True)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_alerts_fire(self):
        """The series on the left for ten minutes, or a week, and the alerts that must then be on."""
        tool = subprocess.run([ROOT / "scripts/promtool"], capture_output=True, text=True)
        if tool.returncode:
            self.skipTest(tool.stderr.strip())
        drops = 'tcpguard_established_drops_total{iface="eth0",class="window",verdict="%s",instance="a"}'
        cases = (
            ("10m", {drops % "drop": "0+1x10"}, {"TcpguardEstablishedDrops"}),
            ("10m", {drops % "would_drop": "0+1x10", drops % "drop": "7x10"}, set()),
            ("10m", {"tcpguard_flow_entries": "801x10", "tcpguard_flow_entries_limit": "1000x10"},
             {"TcpguardFlowTable"}),
            ("10m", {"tcpguard_flow_entries": "800x10", "tcpguard_flow_entries_limit": "1000x10"}, set()),
            ("10m", {'tcpguard_guard_state{iface="eth0",class="state"}': "0x9 1"}, {"TcpguardGuardTripped"}),
            ("20m", {'tcpguard_interface_xdp_info{iface="eth0",xdp="generic",driver="x"}': "1x20"},
             {"TcpguardGenericMode"}),
            ("20m", {'tcpguard_interface_xdp_info{iface="eth0",xdp="native",driver="x"}': "1x20"}, set()),
            ("10m", {"tcpguard_ready": "0x10", "tcpguard_daemon_running": "1x10"}, {"TcpguardNotReady"}),
            ("10m", {"tcpguard_ready": "1x10", "tcpguard_daemon_running": "0x10"}, {"TcpguardNotReady"}),
            ("20m", {"tcpguard_ready": "1x20", "tcpguard_daemon_running": "1x20", "tcpguard_bypass_active": "1x20"},
             {"TcpguardBypass"}),
            ("10m", {"tcpguard_config_last_reload_success": "0x10"}, {"TcpguardConfigRejected"}),
            ("10m", {'tcpguard_events_lost_total{type="drop",instance="a"}': "0+9x10"}, {"TcpguardEventsLost"}),
            ("10m", {'tcpguard_events_lost_total{type="drop",instance="a"}': "9x10"}, set()),
            ("169h", {'tcpguard_interface_mode{iface="eth0",mode="monitor"}': "1x169"},
             {"TcpguardMonitorForgotten"}),
            ("169h", {'tcpguard_interface_mode{iface="eth0",mode="monitor"}': "1x100 0 1x68"}, set()),
        )
        alerts = re.findall(r"- alert: (\w+)", RULES.read_text())
        self.assertEqual(set(alerts), set().union(*(wanted for _, _, wanted in cases)))
        self.run_cases(tool.stdout.strip(), alerts, "1m", [case for case in cases if case[0] != "169h"])
        # Every minute of a week would take half a minute.
        self.run_cases(tool.stdout.strip(), alerts, "1h", [case for case in cases if case[0] == "169h"])

    def run_cases(self, promtool, alerts, interval, cases):
        self.assertTrue(cases)
        tests = [{"interval": interval, "input_series": [{"series": name, "values": values}
                                                         for name, values in series.items()],
                  "promql_expr_test": [{
                      "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)',
                      "eval_time": when, "exp_samples": [{"labels": "{}", "value": int(alert in wanted)}]}
                      for alert in alerts]} for when, series, wanted in cases]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump({"rule_files": [str(RULES)], "evaluation_interval": interval, "tests": tests}, file)
            file.flush()
            run = subprocess.run([promtool, "test", "rules", file.name], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_manual_page_has_every_family(self):
        page = subprocess.run([TABLE], capture_output=True, text=True, check=True).stdout.replace("\\", "")
        heads = re.findall(r"(?m)^\*((?:tcpguard|process)_\w+)\*", page.partition("# METRICS\n")[2])
        families = {re.sub(r"(?<=seconds)_(bucket|sum|count)$", "", name) for name in exported()}
        self.assertEqual(set(heads), families)
        self.assertEqual(len(heads), len(families))
        names = subprocess.run([TABLE, "--names"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(set(names.split()), set(exported()))

    def test_every_family_is_a_row_of_the_table(self):
        text = (ROOT / "daemon/metrics_families.h").read_text()
        self.assertEqual(len(re.findall(r"(?m)^\tX\(", text)),
                         len(re.findall(r'X\(\w+, \w+, "\w*", "\w+", "[\w,]*"', text)))

    def test_no_address_is_a_label(self):
        for name, labels in exported().items():
            self.assertFalse(labels & {"src", "dst", "address", "ip", "port", "flow", "source", "id"}, name)

    def test_shipped_files_are_installed(self):
        makefile = (ROOT / "Makefile").read_text()
        for path in (DASHBOARD, RULES):
            self.assertIn(str(path.relative_to(ROOT)), makefile)


if __name__ == "__main__":
    unittest.main()
