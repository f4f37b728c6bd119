"""Runs programs in turn, several rounds of each, and keeps medians."""
import json
import os
import statistics
import subprocess
import time


class Failed(Exception):
    pass


def summary(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values),
            "runs": len(values)}


def benchmarks(program, filter_, rounds, counter="ns/packet", seconds=0.3):
    """Google Benchmark's: {name: summary of `counter`, in nanoseconds}. They take turns."""
    # A counter that is a rate is printed in seconds: here nanoseconds stand in it as they are.
    out = run([program, f"--benchmark_filter={filter_}", f"--benchmark_repetitions={rounds}",
               "--benchmark_enable_random_interleaving=true", f"--benchmark_min_time={seconds}",
               "--benchmark_format=json"])
    values = {}
    for row in json.loads(out)["benchmarks"]:
        if row.get("error_occurred"):
            raise Failed(f"{row['name']}: {row['error_message']}")
        if row.get("run_type") != "iteration":
            continue
        values.setdefault(row["run_name"].replace("/manual_time", ""), []).append(row[counter])
    return {name: summary(list_) for name, list_ in values.items()}


def run(command, **options):
    try:
        return subprocess.run([str(part) for part in command], check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options).stdout
    except OSError as error:
        raise Failed(f"{command[0]}: {error}") from error
    except subprocess.CalledProcessError as error:
        text = (error.stderr or error.stdout or "").strip().splitlines()
        raise Failed(f"{command[0]}: exit status {error.returncode}: {' '.join(text[-2:])}") \
            from error


def timed(command, stdin=None):
    """(seconds of processor time, seconds of clock, bytes of memory at most, standard output)"""
    start = time.monotonic()
    with subprocess.Popen([str(part) for part in command], stdin=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as child:
        text = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        lines = text.decode(errors="replace").strip().splitlines()
        raise Failed(f"{command[0]}: exit status {child.returncode}: {' '.join(lines[-2:])}")
    return (usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss << 10,
            text.decode(errors="replace"))
