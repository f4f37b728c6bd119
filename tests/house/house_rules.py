#!/usr/bin/env python3
"""Keeps the house rules that can be read off the files: layers, atomics, shape.

    house_rules.py [ROOT]   prints each violation as file:line: what; exit status 1 if there is one

Layers are those of the design: a folder may include what LAYERS says and itself, nothing else of
the project.
"""
import os
import re
import sys

# folder (longest prefix wins): what it may include, as prefixes of project paths.
LAYERS = {
    "bpf": [],
    "rings": ["bpf/"],
    "engine/packet": ["rings/frame.h", "rings/filter_reason.h", "rings/prefetch.h"],
    "engine/tcp": ["engine/packet/", "rings/frame.h", "rings/prefetch.h"],
    "engine/flow": ["engine/tcp/", "engine/packet/", "rings/frame.h", "rings/prefetch.h"],
    "engine/stats": ["engine/packet/", "engine/tcp/stream_counters.h",
                     "engine/flow/flow_counters.h", "engine/flow/interval_deltas.h",
                     "rings/frame.h", "rings/prefetch.h", "rings/frame_source.h",
                     "rings/filter_reason.h"],
    "engine/export": ["engine/flow/record.h", "engine/flow/event.h", "engine/packet/",
                      "engine/tcp/stream_counters.h",
                      "engine/stats/", "rings/frame_source.h"],
    "engine": ["engine/packet/", "engine/tcp/", "engine/flow/", "engine/stats/", "rings/"],
    "tools": ["bpf/", "rings/", "engine/"],
    "tests": ["bpf/", "rings/", "engine/", "tools/"],
    "bench": ["bpf/", "rings/", "engine/", "tools/", "tests/support/"],
    "perf": ["bpf/", "rings/", "engine/", "tools/", "tests/support/", "bench/"],
}
TOP_FOLDERS = sorted({layer.split("/")[0] for layer in LAYERS})

# Pure folders take time and bytes as arguments: no clock, no thread, no lock.
PURE = ("engine/packet", "engine/tcp", "engine/flow", "engine/stats")
IMPURE_HEADERS = {"chrono", "thread", "mutex", "shared_mutex", "condition_variable", "future",
                  "ctime", "time.h", "pthread.h", "sys/time.h", "sys/socket.h"}

# All atomics of the product live in rings/; bpf/ is the kernel's side and has its own.
NO_ATOMICS = ("engine", "tools")
ATOMIC = re.compile(r"std::atomic|std::memory_order|__atomic_|__sync_|_Atomic\b|<(std)?atomic")

# Thread-local storage comes off every thread's stack, also those of libraries, some of which are
# small: 64 KiB of it once made civetweb's threads overflow theirs.
THREAD_LOCAL = re.compile(r"\bthread_local\b|\b__thread\b")

# Calls of a function that only does this vanish: what is asked for goes through the helper.
PREFETCH = re.compile(r"__builtin_prefetch|_mm_prefetch")
PREFETCH_HELPER = "rings/prefetch.h"

USUAL_LINES = 400  # more is printed, not refused
MOST_LINES = 500
LINE_LENGTH = 100
CODE = (".h", ".cc", ".c")
SCRIPTS = (".py", ".sh", ".cmake")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def project_files(root):
    """Paths, relative to root, of everything that is ours below the top folders."""
    for top in TOP_FOLDERS:
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = [f for f in folders if not f.startswith((".", "__pycache__", "build"))]
            for name in names:
                script = top == "tools" and "." not in name
                if name.endswith(CODE + SCRIPTS) or script or name == "CMakeLists.txt":
                    yield os.path.relpath(os.path.join(folder, name), root)


def inside(path, folder):
    return path.startswith(folder + "/")


def layer_of(path):
    return max((layer for layer in LAYERS if inside(path, layer)), key=len)


def without_comments(text):
    """The same lines with comments blanked, so that words in them do not count."""
    def blank(match):
        kept = match.group(0)
        return kept if kept.startswith(("'", '"')) else re.sub(r"[^\n]", " ", kept)
    return re.sub(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', blank, text, flags=re.DOTALL)


def include_faults(path, lines):
    layer = layer_of(path)
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quoted, system = match.groups()
        if system and system in IMPURE_HEADERS and any(inside(path, p) for p in PURE):
            yield number, f"{layer} is pure: time is an argument, no threads; not <{system}>"
        if not quoted:
            continue
        if quoted.endswith(".skel.h"):
            continue  # bpftool's, in the build folder
        if quoted.startswith(".") or "/" not in quoted:
            yield number, f'include "{quoted}" by its full path from the top folder'
        elif quoted.split("/")[0] in TOP_FOLDERS and layer_of(quoted) != layer:
            if not quoted.startswith(tuple(LAYERS[layer])):
                allowed = ", ".join(LAYERS[layer]) or "nothing"
                yield number, f'{layer} may not include "{quoted}" (it may include: {allowed})'


def atomic_faults(path, lines):
    if any(inside(path, folder) for folder in NO_ATOMICS):
        for number, line in enumerate(lines, 1):
            if ATOMIC.search(line):
                yield number, "atomics live in rings/ only"


def thread_local_faults(path, lines):
    if not path.startswith(("engine/", "rings/", "tools/")):
        return
    for number, line in enumerate(lines, 1):
        if THREAD_LOCAL.search(line):
            yield number, "no thread-local storage: it comes off every thread's stack"


def prefetch_faults(path, lines):
    if path == PREFETCH_HELPER:
        return
    for number, line in enumerate(lines, 1):
        if PREFETCH.search(line):
            yield number, f"prefetch with the functions of {PREFETCH_HELPER}"


def shape_faults(path, text):
    lines = text.split("\n")
    if text and not text.endswith("\n"):
        yield len(lines), "no newline at the end of the file"
    if len(lines) - 1 > MOST_LINES:
        yield len(lines) - 1, f"{len(lines) - 1} lines: 60-200 are usual, {MOST_LINES} the most"
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield number, "white space at the end of the line"
        if len(line) > LINE_LENGTH and "http" not in line:
            yield number, f"{len(line)} columns: {LINE_LENGTH} at most"
    if path.endswith(".h"):
        if "#pragma once" not in lines:
            yield 1, "#pragma once is missing"
        if not text.startswith(("//", "/*")):
            yield 1, "a header's first line says what it is for"


def licence_faults(path, text):
    """The kernel asks a BPF program for its licence, and offers less to one without the GPL."""
    if path.endswith(".bpf.c") or (inside(path, "bpf") and path.endswith(".c")):
        if not text.startswith("// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)\n"):
            yield 1, "a BPF program's first line is its SPDX licence, see bpf/LICENSE"
        if 'SEC("license") = "Dual BSD/GPL"' not in text:
            yield 1, "a BPF program tells the kernel Dual BSD/GPL, see bpf/LICENSE"


def mirror_faults(root, path):
    """tests/X/y_test.cc tests something of the folder X."""
    parts = path.split("/")
    if parts[0] == "tests" and parts[1] in ("bpf", "rings", "engine", "tools"):
        folder = os.path.dirname(path[len("tests/"):])
        if not os.path.isdir(os.path.join(root, folder)):
            yield 1, f"tests mirror the tree, and there is no {folder}/"


def faults(root):
    """All violations below root, as "file:line: what"."""
    found = []
    for path in sorted(project_files(root)):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = file.read()
        here = list(shape_faults(path, text)) + list(mirror_faults(root, path))
        here += licence_faults(path, text)
        if path.endswith(CODE):
            lines = without_comments(text).split("\n")
            here += include_faults(path, lines)
            here += atomic_faults(path, lines)
            here += prefetch_faults(path, lines)
            here += thread_local_faults(path, lines)
        found += [f"{path}:{number}: {what}" for number, what in sorted(here)]
    return found


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../..")
    found = faults(root)
    files = 0
    for path in project_files(root):
        files += 1
        with open(os.path.join(root, path), encoding="utf-8") as file:
            lines = sum(1 for _ in file)
        if lines > USUAL_LINES:
            print(f"{path}: {lines} lines, over {USUAL_LINES}: think of splitting it")
    print("\n".join(found + [f"{files} files read, {len(found)} violations"]))
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())
