#!/usr/bin/env python3
"""Shows that house_rules.py finds what it is there to find: each test plants one violation."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import house_rules  # noqa: E402

HEADER = "// What it is for.\n#pragma once\n"


class Planted(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def faults(self, path, text):
        full = os.path.join(self.directory.name, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
        return house_rules.faults(self.directory.name)

    def assert_found(self, words, path, text):
        found = self.faults(path, text)
        self.assertEqual(len(found), 1, found)
        self.assertIn(words, found[0])
        self.assertTrue(found[0].startswith(path + ":"), found[0])

    def test_clean_header_passes(self):
        text = HEADER + '#include "rings/frame.h"\n#include "absl/status/status.h"\n'
        self.assertEqual(self.faults("engine/packet/a.h", text), [])

    def test_packet_may_not_include_flow(self):
        text = HEADER + '#include "engine/flow/table.h"\n'
        self.assert_found("may not include", "engine/packet/a.h", text)

    def test_packet_may_include_only_the_frame_of_rings(self):
        text = '#include "rings/frame_source.h"\n'
        self.assert_found("may not include", "engine/packet/a.cc", text)

    def test_rings_may_not_include_engine(self):
        self.assert_found("may not include", "rings/a.cc", '#include "engine/packet/packet.h"\n')

    def test_bpf_includes_nothing_of_ours(self):
        self.assert_found("it may include: nothing", "bpf/a.h", HEADER + '#include "rings/a.h"\n')

    def test_bpf_program_without_licence(self):
        found = self.faults("tests/support/a.bpf.c", "int x;\n")
        self.assertEqual(["SPDX" in f or "Dual" in f for f in found], [True, True])

    def test_core_may_not_include_an_exporter(self):
        self.assert_found("may not include", "engine/shard.cc", '#include "engine/export/eve.h"\n')

    def test_nothing_of_the_product_includes_tests(self):
        self.assert_found("may not include", "tools/a.cc", '#include "tests/support/builder.h"\n')

    def test_relative_include(self):
        self.assert_found("full path", "engine/flow/a.cc", '#include "../packet/packet.h"\n')

    def test_generated_skeleton_is_included_by_its_name(self):
        self.assertEqual(self.faults("tests/a.cc", '#include "filter.skel.h"\n'), [])

    def test_include_inside_a_comment_is_none(self):
        self.assertEqual(self.faults("rings/a.cc", '/*\n#include "engine/shard.h"\n*/\n'), [])

    def test_clock_in_a_pure_folder(self):
        self.assert_found("pure", "engine/flow/a.cc", "#include <chrono>\n")

    def test_thread_local_storage(self):
        self.assert_found("thread-local", "rings/a.cc", "static thread_local char buffer[9];\n")

    def test_prefetch_outside_the_helper(self):
        self.assert_found("prefetch", "engine/a.cc", "void f(int* p) { __builtin_prefetch(p); }\n")

    def test_prefetch_in_the_helper_is_fine(self):
        helper = "// What it is for.\n#pragma once\ninline void F() { __builtin_prefetch(p); }\n"
        self.assertEqual(self.faults("rings/prefetch.h", helper), [])

    def test_atomic_outside_rings(self):
        self.assert_found("atomics", "engine/shard.cc", "std::atomic<int> count;\n")
        os.remove(os.path.join(self.directory.name, "engine/shard.cc"))
        self.assert_found("atomics", "tools/a.cc", "int x = __atomic_load_n(&y, 0);\n")

    def test_atomic_in_rings_and_in_words_is_fine(self):
        self.assertEqual(self.faults("rings/a.cc", "std::atomic<int> count;\n"), [])
        self.assertEqual(self.faults("engine/a.cc", "// std::atomic would be wrong here\n"), [])

    def test_long_line(self):
        self.assert_found("columns", "tools/a.cc", "// " + "x" * 98 + "\n")

    def test_long_file(self):
        self.assert_found("601 lines", "tools/a.cc", "\n" * 601)

    def test_trailing_space(self):
        self.assert_found("white space", "tools/a.cc", "int x; \n")

    def test_missing_final_newline(self):
        self.assert_found("no newline", "tools/a.cc", "int x;")

    def test_header_without_guard(self):
        self.assert_found("#pragma once", "rings/a.h", "// What it is for.\n")

    def test_header_without_purpose(self):
        self.assert_found("what it is for", "rings/a.h", "#pragma once\n")

    def test_test_without_its_folder(self):
        self.assert_found("mirror", "tests/engine/nowhere/a_test.cc", "\n")


if __name__ == "__main__":
    unittest.main()
