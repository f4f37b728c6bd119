#!/usr/bin/env python3
"""Shows that tools/tidy, which looks at many sources in one run, misses nothing that a run for each
would find, and invents nothing: each test plants a fault, or what looks like one."""
import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import shutil
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
loader = importlib.machinery.SourceFileLoader("tidy", os.path.join(ROOT, "tools", "tidy"))
tidy = importlib.util.module_from_spec(importlib.util.spec_from_loader("tidy", loader))
loader.exec_module(tidy)

# A comparison of equals.
FAULT = "inline int {0}(int a, int b) {{ return a - b == a - b; }}\n"
QUIET = "int {0}(int a);\nint {0}(int a) {{ return a + 1; }}\n"


@unittest.skipUnless(shutil.which("clang-tidy"), "clang-tidy is not there")
class Grouped(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = directory.name
        self.entries = []
        shutil.copy(os.path.join(ROOT, ".clang-tidy"), self.root)
        os.makedirs(os.path.join(self.root, "build"))
        for name in ("a", "e", "i", "o"):
            self.write(f"engine/{name}.cc", QUIET.format("Next" + name))

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
        if path.endswith(".cc"):
            command = f"c++ -I{self.root} -Wall -Wshadow -std=c++20 -o {path}.o -c {full}"
            self.entries.append({"directory": self.root, "command": command, "file": full})

    def run_tidy(self):
        build = os.path.join(self.root, "build")
        with open(os.path.join(build, "compile_commands.json"), "w", encoding="utf-8") as file:
            json.dump(self.entries, file)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            status = tidy.main(self.root, build)
        return status, said.getvalue()

    def assert_found(self, *words):
        status, said = self.run_tidy()
        self.assertEqual(status, 1, said)
        for word in words:
            self.assertIn(word, said)

    def assert_quiet(self, summary):
        status, said = self.run_tidy()
        self.assertEqual((status, said.strip()), (0, summary))

    def test_quiet_sources_take_one_run(self):
        self.assert_quiet("4 sources in 1 groups, 1 runs of clang-tidy")

    def test_fault_amid_a_group_is_found_and_its_file_named(self):
        self.write("engine/g.cc", FAULT.format("Same"))
        self.assert_found("engine/g.cc:1", "misc-redundant-expression")

    def test_each_of_two_faults_is_found(self):
        self.write("engine/b.cc", FAULT.format("SameB"))
        self.write("engine/u.cc", FAULT.format("SameU"))
        self.assert_found("engine/b.cc:1", "engine/u.cc:1")

    def test_fault_in_a_header_is_found(self):
        self.write("engine/g.h", "#pragma once\n" + FAULT.format("Same"))
        self.write("engine/g.cc", '#include "engine/g.h"\n')
        self.assert_found("engine/g.h:2", "misc-redundant-expression")

    def test_warning_of_the_compiler_about_a_sources_own_names_is_found(self):
        self.write("engine/g.cc", "namespace {\nconstexpr int kUnused = 1;\n}\n")
        self.assert_found("engine/g.cc:2", "unused-const-variable")

    def test_header_twice_in_one_source_is_found(self):
        self.write("engine/g.h", "#pragma once\n")
        self.write("engine/g.cc", '#include "engine/g.h"\n#include "engine/g.h"\n')
        self.assert_found("engine/g.cc:2", "readability-duplicate-include")

    def test_header_of_two_sources_is_no_finding(self):
        self.write("engine/g.h", "#pragma once\n")
        for name in ("g", "h"):
            self.write(f"engine/{name}.cc", '#include "engine/g.h"\n')
        self.assert_quiet("6 sources in 1 groups, 1 runs of clang-tidy")

    def test_same_name_in_two_sources_makes_two_groups(self):
        for name in ("g", "h"):
            self.write(f"engine/{name}.cc", f"namespace {{\nint Mine() {{ return 1; }}\n}}\n"
                                            f"int {name}();\nint {name}() {{ return Mine(); }}\n")
        self.assert_quiet("6 sources in 2 groups, 2 runs of clang-tidy")

    def test_clash_that_reading_lines_does_not_show_is_no_finding(self):
        self.write("engine/g.h", "struct Both {};\n")
        for name in ("g", "h"):
            self.write(f"engine/{name}.cc", '#include "engine/g.h"\n')
        status, said = self.run_tidy()
        self.assertEqual(status, 0, said)
        self.assertIn("6 sources in 1 groups", said)

    def test_source_that_does_not_compile_is_found(self):
        self.write("engine/g.cc", "int broken(\n")
        self.assert_found("engine/g.cc:", "clang-diagnostic-error")

    def test_source_that_no_target_compiles_is_found(self):
        self.write("engine/g.cc", "")
        self.entries.pop()
        self.assert_found("engine/g.cc: no target compiles it")


if __name__ == "__main__":
    unittest.main()
