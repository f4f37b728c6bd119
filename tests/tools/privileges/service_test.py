#!/usr/bin/env python3
"""The unit and the manifest in tools/service: their options are weir's, their capabilities the
ones that are needed, and they parse. Usage: service_test.py WEIR SOURCE_FOLDER"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

WEIR, SOURCE = (os.path.abspath(path) for path in sys.argv[1:3])
UNIT = f"{SOURCE}/tools/service/weir@.service"
MANIFEST = f"{SOURCE}/tools/service/weir-daemonset.yaml"
NEEDED = {"NET_RAW", "BPF"}
NO_INTERFACE = "no-such-if0"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def run_on_nothing(arguments):
    """Wrong usage ends with 2; an interface that is not there with 1."""
    return subprocess.run([WEIR] + arguments, capture_output=True, text=True, timeout=60,
                          check=False)


class Unit(unittest.TestCase):
    def value(self, name):
        return re.search(rf"^{name}=(.*)$", read(UNIT), re.M).group(1)

    def test_the_options_are_weirs(self):
        with tempfile.TemporaryDirectory() as logs:
            line = self.value("ExecStart").replace("%I", NO_INTERFACE)
            arguments = shlex.split(line.replace("${LOGS_DIRECTORY}", logs))
            result = run_on_nothing(arguments[1:])
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(NO_INTERFACE, result.stderr)

    def test_it_has_the_capabilities_that_are_needed_and_no_other(self):
        for name in ("AmbientCapabilities", "CapabilityBoundingSet"):
            self.assertEqual(set(self.value(name).replace("CAP_", "").split()), NEEDED)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is missing")
    def test_systemd_takes_it(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/weir@eth0.service"
            with open(path, "w", encoding="utf-8") as file:
                file.write(read(UNIT).replace("/usr/bin/weir", WEIR))
            result = subprocess.run(["systemd-analyze", "verify", "--man=no", path],
                                    capture_output=True, text=True, timeout=60, check=False)
        complaints = [line for line in result.stderr.splitlines() if "weir@" in line]
        self.assertEqual(complaints, [])


class Manifest(unittest.TestCase):
    def setUp(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("python3-yaml is missing")
        self.manifest = yaml.safe_load(read(MANIFEST))
        self.pod = self.manifest["spec"]["template"]["spec"]
        self.container = self.pod["containers"][0]

    def test_the_options_are_weirs(self):
        environment = {entry["name"]: NO_INTERFACE for entry in self.container["env"]}
        arguments = [re.sub(r"\$\((\w+)\)", lambda m: environment[m.group(1)], argument)
                     for argument in self.container["args"]]
        result = run_on_nothing(arguments)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(NO_INTERFACE, result.stderr)

    def test_it_has_the_capabilities_that_are_needed_and_no_other(self):
        capabilities = self.container["securityContext"]["capabilities"]
        self.assertEqual(capabilities["drop"], ["ALL"])
        self.assertEqual(set(capabilities["add"]), NEEDED)

    def test_it_counts_on_the_hosts_network(self):
        self.assertEqual(self.manifest["kind"], "DaemonSet")
        self.assertTrue(self.pod["hostNetwork"])

    def test_selector_and_port_fit(self):
        self.assertEqual(self.manifest["spec"]["selector"]["matchLabels"],
                         self.manifest["spec"]["template"]["metadata"]["labels"])
        port = self.container["ports"][0]["containerPort"]
        self.assertIn(f"--prometheus=:{port}", self.container["args"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
