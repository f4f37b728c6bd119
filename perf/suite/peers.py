"""Other programs beside weir, on the same bytes in the same run, their wrong answers counted.

What such a comparison cannot say stands beside each: whole process or in process, copies or not.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from . import measure

HERE = pathlib.Path(__file__).resolve().parents[2]
GOPACKET = "/usr/share/gocode/src/github.com/google/gopacket"
SHAPES = ["1,000 flows of 1448 B, in order", "the same, 5 % displaced",
          "100,000 flows of 5 packets"]


def _gopacket(folder):
    if not os.path.isdir(GOPACKET):
        return None
    program = folder / "gopacket"
    environment = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode", GOFLAGS="",
                       GOCACHE=str(folder / "go-cache"))
    try:
        subprocess.run(["go", "build", "-o", program, HERE / "bench/peers/gopacket.go"],
                       env=environment, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return program


def _one(name, program, peers, shape, packets):
    """(ns per packet, share of the bytes that was delivered)"""
    frames = None
    if name == "gopacket tcpassembly":
        frames = subprocess.Popen([peers / "peer_frames", str(shape), str(packets)],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    words = measure.run([program, shape, packets], stdin=frames and frames.stdout).split()
    if frames:
        frames.stdout.close()
        frames.wait()
    return float(words[2]), int(words[3]) / int(words[4])


def in_process(context):
    """TCP streams in one process, frames from memory: libtins and gopacket beside weir"""
    peers = context.build / "bench" / "peers"
    packets = 400_000 if context.quick else 2_000_000
    with tempfile.TemporaryDirectory() as folder:
        programs = {"weir": peers / "peer_weir"}
        if (peers / "peer_libtins").exists():
            programs["libtins"] = peers / "peer_libtins"
        gopacket = _gopacket(pathlib.Path(folder))
        if gopacket:
            programs["gopacket tcpassembly"] = gopacket
        rows = []
        for shape, title in enumerate(SHAPES):
            found = {name: [] for name in programs}
            for _ in range(context.rounds):
                for name, program in programs.items():
                    found[name].append(_one(name, program, peers, shape, packets))
            weir = measure.summary([ns for ns, _ in found["weir"]])
            for name, runs in found.items():
                ns = measure.summary([run[0] for run in runs])
                rows.append({"traffic": title, "program": name, "ns": ns,
                             "times_weir": ns["median"] / weir["median"],
                             "delivered": runs[0][1],
                             "options": "defaults; weir verifies no checksum that is known good"})
    return {"rows": rows,
            "says_not": "One thread's processor time, refilling apart; gopacket collects garbage "
                        "on other threads, which is not counted; libtins copies each payload."}


def _numbers(pattern, text):
    found = re.search(pattern, text)
    return int(found.group(1).replace(",", "")) if found else None


def _nfpcapd(folder):
    """Its own sum of the flows it wrote: records are of one direction."""
    text = measure.run(["nfdump", "-R", folder, "-I"])
    return _numbers(r"Flows:\s*(\d+)", text)


def _programs(context, capture, flows, folder):
    """name -> (command, what finds its flows in its output, remark)"""
    cache = folder / "nfcapd"
    cache.mkdir(exist_ok=True)

    def weir_flows(text):
        return _numbers(r"packets, [^,]*, ([\d,]+) flows", text)

    wanted = {
        "weir": ([context.weir, "-r", capture, "--max-flows", flows + flows // 8], weir_flows,
                 "flows, TCP state, the busiest ones and talkers, the ledger"),
        "weir, records": ([context.weir, "-r", capture, "--max-flows", flows + flows // 8, "--eve",
                           "/dev/null", "--no-reassembly"], weir_flows,
                          "the same, and a record of each flow as EVE JSON with its Community ID"),
        "weir, streams": ([context.weir, "-r", capture, "--max-flows", flows + flows // 8, "--eve",
                           "/dev/null"], weir_flows,
                          "the same, and TCP streams reassembled, their checksums verified"),
        "tcpdump -w /dev/null": (["tcpdump", "-r", capture, "-w", "/dev/null"], None,
                                 "reading and writing only: the floor of reading"),
        "nfpcapd": (["nfpcapd", "-r", capture, "-l", cache], lambda _: _nfpcapd(cache),
                    "flows of one direction; its files are written"),
        "softflowd": (["softflowd", "-r", capture, "-m", str(2 * flows), "-d", "-n",
                       "127.0.0.1:9"],
                      lambda text: _numbers(r"Flows exported: (\d+)", text),
                      "table of twice the flows; exports to a port where nobody listens"),
        "tshark": (["tshark", "-r", capture, "-q", "-z", "conv,tcp"],
                   lambda text: sum("<->" in line for line in text.splitlines()),
                   "full dissection"),
    }
    return {name: program for name, program in wanted.items()
            if shutil.which(str(program[0][0]))}


def whole_programs(context):
    """Whole programs over one capture file, reading included: processor time per packet"""
    packets = 200_000 if context.quick else 1_000_000
    flows = 20_000 if context.quick else 100_000
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        capture = folder / "mix.pcap"
        measure.run([context.weir_load, "make", "-w", capture, "--packets", packets, "--flows",
                     flows, "--midstream", "--ack-every", 0, "--from-server", "0%"])
        truth = measure.run([context.weir_load, "memory", "--packets", packets, "--flows", flows,
                             "--midstream", "--ack-every", 0, "--from-server", "0%", "--json",
                             "-"])
        expected = json.loads(truth)["flows"]["found"]
        capture.read_bytes()  # into the page cache
        programs = _programs(context, capture, flows, folder)
        found = {name: [] for name in programs}
        answers = {}
        failures = {}
        for _ in range(context.rounds):
            for name, (command, count, _) in programs.items():
                if name in failures or (name == "tshark" and found[name]):
                    continue  # once is enough of what takes minutes
                try:
                    seconds, _, memory, text = measure.timed(command)
                except measure.Failed as failure:
                    failures[name] = str(failure)
                    continue
                found[name].append(seconds * 1e9 / packets)
                if count:
                    answers[name] = count(text)
                answers[name + " memory"] = memory
        rows = []
        weir = measure.summary(found["weir"])["median"]
        for name, (command, count, remark) in programs.items():
            row = {"program": name, "remark": remark,
                   "options": " ".join(pathlib.Path(str(word)).name if "/" in str(word)
                                       and str(word) != "/dev/null" else str(word)
                                       for word in command)}
            if name in failures:
                rows.append({**row, "failed": failures[name]})
                continue
            ns = measure.summary(found[name])
            row.update(ns=ns, times_weir=ns["median"] / weir, memory=answers[name + " memory"])
            if count:
                row.update(flows=answers[name], expected=expected)
            rows.append(row)
    return {"rows": rows, "packets": packets, "flows": expected,
            "says_not": "Whole processes, start and end included; the file is in the page cache. "
                        "What each does with a packet differs: see its remark."}


def dedup(context):
    """Whole programs that drop copies: weir --dedup content beside editcap -D and -w"""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for depth, packets in ((256, 200_000), (100_000, 120_000)):
            if depth > 256 and context.quick:
                continue
            capture = folder / f"{depth}.pcap"
            measure.run([context.weir_load, "make", "-w", capture, "--packets", packets,
                         "--flows", 1000, "--payload", 1448, "--duplicate", "1%"])
            capture.read_bytes()
            ways = {
                "weir": ([context.weir, "-r", capture, "--dedup",
                          f"content,window=0,depth={depth}", "--write", "/dev/null"],
                         lambda text: _numbers(r"duplicate\s+([\d,]+)", text)),
                "editcap -D": (["editcap", "-D", min(depth, 1_000_000), capture,
                                folder / "out.pcap"],
                               lambda text: _numbers(r"(\d+) packets? seen, \d+ packets? skipped",
                                                     text) and
                               _numbers(r"seen, (\d+) packets? skipped", text)),
            }
            found = {name: [] for name in ways}
            copies = {}
            for round_ in range(context.rounds):
                for name, (command, count) in ways.items():
                    if depth > 256 and name != "weir" and round_ > 0:
                        continue  # it takes minutes
                    seconds, _, _, text = measure.timed(command)
                    found[name].append(seconds * 1e9 / packets)
                    copies[name] = count(text)
            weir = measure.summary(found["weir"])["median"]
            for name, (command, _) in ways.items():
                ns = measure.summary(found[name])
                rows.append({"program": name, "depth": depth, "ns": ns, "copies": copies[name],
                             "times_weir": ns["median"] / weir})
    return {"rows": rows, "says_not": "Whole processes that read the file and write what is left."}


ALL = {"peers_in_process": in_process, "peers_whole_programs": whole_programs,
       "peers_dedup": dedup}
