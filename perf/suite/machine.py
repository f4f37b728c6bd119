"""Where and on what something was measured."""
import datetime
import os
import pathlib
import platform
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def output(*command, **options):
    """What a command prints; None where it is not there or fails."""
    try:
        return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, **options).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def facts(build):
    cache = pathlib.Path(build, "CMakeCache.txt").read_text()
    compiler = next((line.split("=", 1)[1] for line in cache.splitlines()
                     if line.startswith("CMAKE_CXX_COMPILER:")), "?")
    changed = output("git", "status", "--porcelain", "--untracked-files=no", cwd=ROOT)
    return {
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "virtual": output("systemd-detect-virt") or "not told",
        "kernel": platform.release(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "compiler": (output(compiler, "--version") or compiler).splitlines()[0],
        "commit": output("git", "rev-parse", "HEAD", cwd=ROOT) or "not told",
        "uncommitted_changes": bool(changed),
        "load_average": os.getloadavg()[0],
    }
