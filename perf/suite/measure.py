"""Runs programs in turn, several rounds of each, and keeps medians."""
import json
import os
import statistics
import subprocess
import threading
import time


# Of one command, far beyond what any takes: a machine that hangs ends the scenario, not the day.
MOST_SECONDS = 600


class Failed(Exception):
    pass


def summary(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values),
            "runs": len(values)}


def counters(program, filter_, rounds, names, seconds=0.1):
    """Google Benchmark's: {benchmark: {counter: summary}}, in nanoseconds. They take turns. A
    benchmark that says how often it runs does not heed `seconds`."""
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
        name = row["run_name"].replace("/manual_time", "").replace("/iterations:1", "")
        found = values.setdefault(name, {})
        for counter in names:
            found.setdefault(counter, []).append(row[counter])
    return {name: {counter: summary(list_) for counter, list_ in found.items()}
            for name, found in values.items()}


def benchmarks(program, filter_, rounds, counter="ns/packet"):
    """{benchmark: summary} of one counter"""
    found = counters(program, filter_, rounds, [counter])
    return {name: row[counter] for name, row in found.items()}


def run(command, **options):
    try:
        return subprocess.run([str(part) for part in command], check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=MOST_SECONDS, **options).stdout
    except OSError as error:
        raise Failed(f"{command[0]}: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise Failed(_too_long(command)) from error
    except subprocess.CalledProcessError as error:
        text = (error.stderr or error.stdout or "").strip().splitlines()
        raise Failed(f"{command[0]}: exit status {error.returncode}: {' '.join(text[-2:])}") \
            from error


def _too_long(command):
    words = " ".join(str(part) for part in command)
    return f"'{words}' did not end in {MOST_SECONDS} s, and was ended: is the machine busy?"


def read_once(path):
    """Brings a file into the page cache, in pieces: Linux counts what this process had at most as
    memory of each one that it starts from then on"""
    with open(path, "rb") as file:
        while file.read(1 << 20):
            pass


def timed(command, stdin=None):
    """(seconds of processor time, seconds of clock, bytes of memory at most, standard output)"""
    start = time.monotonic()
    with subprocess.Popen([str(part) for part in command], stdin=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as child:
        late = threading.Timer(MOST_SECONDS, child.kill)
        late.start()
        text = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        ended_late = not late.is_alive()
        late.cancel()
    if ended_late:
        raise Failed(_too_long(command))
    if child.returncode != 0:
        lines = text.decode(errors="replace").strip().splitlines()
        raise Failed(f"{command[0]}: exit status {child.returncode}: {' '.join(lines[-2:])}")
    return (usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss << 10,
            text.decode(errors="replace"))
