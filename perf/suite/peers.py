"""Other programs beside weir, on the same bytes in the same run, their wrong answers counted.

What such a comparison cannot say stands beside each: whole process or in process, copies or not.
"""
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile

from . import measure

HERE = pathlib.Path(__file__).resolve().parents[2]
GOPACKET = "/usr/share/gocode/src/github.com/google/gopacket"
# By their numbers in bench/peers/flow_traffic.h and bench/stream_traffic.h.
SHAPES = {
    "flows": ["flows: mix 64/576/1448, 100,000 flows", "flows: 64 B frames, 10,000 flows"],
    "streams": ["streams: 1,000 flows of 1448 B, in order", "streams: the same, 5 % displaced",
                "streams: 100,000 flows of 5 packets"],
}
WEIR, LIBTINS, GOPACKET_FLOWS = "weir", "libtins", "gopacket"
TCPASSEMBLY, REASSEMBLY = "gopacket tcpassembly", "gopacket reassembly"
OPTIONS = {
    WEIR: "a shard with its defaults; of streams, checksums are known good and not verified",
    LIBTINS: "flows: EthernetII, std::unordered_map reserved; streams: StreamFollower, defaults",
    GOPACKET_FLOWS: "DecodingLayerParser, map by NetworkFlow and TransportFlow",
    TCPASSEMBLY: "DecodingLayerParser, Assembler with its defaults",
    REASSEMBLY: "DecodingLayerParser, Assembler with its defaults, each piece fetched",
}


def _gopacket(folder):
    """{program: path} of the three, built from Debian's package"""
    programs = {GOPACKET_FLOWS: "flows", TCPASSEMBLY: "tcpassembly", REASSEMBLY: "reassembly"}
    if not os.path.isdir(GOPACKET):
        return {}
    environment = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode", GOFLAGS="",
                       GOCACHE=str(folder / "go-cache"))
    source = HERE / "bench/peers/gopacket"
    for work in programs.values():
        try:
            subprocess.run(["go", "build", "-o", folder / work,
                            *(source / f"{name}.go" for name in ("main", "ring", work))],
                           env=environment, check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError):
            return {}
    return {name: folder / work for name, work in programs.items()}


def _one(program, peers, piped, arguments):
    """(ns per packet, the two numbers of bench/peers/peer_run.h)"""
    frames = None
    if piped:
        frames = subprocess.Popen([str(word) for word in (peers / "peer_frames", *arguments)],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        words = measure.run([program, *arguments], stdin=frames and frames.stdout).split()
    finally:
        if frames:
            frames.stdout.close()
            frames.kill()  # it has ended, unless its reader failed
            frames.wait()
    return float(words[2]), int(words[3]), int(words[4])


def in_process(context):
    """Flows and TCP streams in one process, frames from memory: libtins, gopacket beside weir"""
    peers = context.build / "bench" / "peers"
    packets = 200_000 if context.quick else 2_000_000
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        programs = {WEIR: peers / "peer_weir"}
        if (peers / "peer_libtins").exists():
            programs[LIBTINS] = peers / "peer_libtins"
        programs.update(_gopacket(pathlib.Path(folder)))
        for work, shapes in SHAPES.items():
            without = (TCPASSEMBLY, REASSEMBLY) if work == "flows" else (GOPACKET_FLOWS,)
            for shape, title in enumerate(shapes):
                found = {name: [] for name in programs if name not in without}
                for _ in range(context.rounds):
                    for name, runs in found.items():
                        runs.append(_one(programs[name], peers, name.startswith("gopacket"),
                                         (work, shape, packets)))
                weir = statistics.median(run[0] for run in found[WEIR])
                for name, runs in found.items():
                    ns = measure.summary([run[0] for run in runs])
                    _, said, right = runs[-1]
                    answer = ({"wrong": said, "of": right} if work == "flows" else
                              {"delivered": said / right})
                    rows.append({"traffic": title, "program": name, "ns": ns,
                                 "times_weir": ns["median"] / weir, "options": OPTIONS[name],
                                 **answer})
    return {"rows": rows,
            "says_not": "One thread's processor time, refilling apart; gopacket collects garbage "
                        "on other threads, which is not counted; libtins copies each payload. "
                        "All packets of the flows' runs go one way: a map is asked once. Bytes "
                        "that are not delivered wait for a segment that the run's end cut off."}


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
        measure.read_once(capture)
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
                        "What each does with a packet differs: see its remark. Memory is what was "
                        "resident at most; Linux counts what this script had (some 55 MB) as the "
                        "least."}


class _Copies:
    """A capture with copies in it, and what drops them"""

    def __init__(self, context, folder, frame_bytes, packets):
        self.context, self.folder, self.packets = context, folder, packets
        self.capture = folder / f"{frame_bytes}-{packets}.pcap"
        traffic = ["--packets", packets, "--flows", 1000, "--udp", "100%", "--frame", frame_bytes,
                   "--duplicate", "1%"]
        measure.run([context.weir_load, "make", "-w", self.capture, *traffic])
        self.copies = json.loads(measure.run([context.weir_load, "memory", "--json", "-",
                                              *traffic]))["frames"]["copies"]

    def weir(self, depth, writes):
        return self._time([self.context.weir, "-r", self.capture, "--dedup",
                           f"content,window=0,depth={depth}",
                           *(["--write", self.folder / "out.pcap"] if writes else [])],
                          r"duplicate\s+([\d,]+)")

    def editcap(self, depth):
        return self._time(["editcap", *(["-D", depth] if depth else []), self.capture,
                           self.folder / "out.pcap"], r"seen, (\d+) packets? skipped")

    def _time(self, command, pattern):
        """(seconds of processor time, copies that it found)"""
        measure.read_once(self.capture)
        seconds, _, _, text = measure.timed(command)
        return seconds, _numbers(pattern, text)


def _dedup_rows(context, folder, frame_bytes, depth):
    packets = 120_000 if context.quick else 400_000
    copies = _Copies(context, folder, frame_bytes, packets)
    deep = depth > 1_000
    # editcap takes more than a minute to fill the deep window once: that is what is measured.
    filling = _Copies(context, folder, frame_bytes, depth) if deep else copies
    found = {"weir, writes nothing": [], "weir": [], "editcap without -D": [], "editcap -D": []}
    answers = {"editcap without -D": (None, None)}
    for round_ in range(context.rounds):
        for name, writes in (("weir, writes nothing", False), ("weir", True)):
            seconds, dropped = copies.weir(depth, writes)
            found[name].append(seconds * 1e9 / packets)
            answers[name] = (dropped, copies.copies)
        found["editcap without -D"].append(copies.editcap(0)[0] * 1e9 / packets)
        if deep and round_ > 0:
            continue
        seconds, dropped = filling.editcap(depth)
        found["editcap -D"].append(seconds * 1e9 / filling.packets)
        answers["editcap -D"] = (dropped, filling.copies)
    sums = {name: measure.summary(values) for name, values in found.items()}
    benched = 1500 if frame_bytes > 1000 else 64
    sums["weir, the stage alone"] = next(iter(measure.benchmarks(
        context.bench("dedup_bench"), f"BM_Dedup/bytes:{benched}/depth:{depth}$", context.rounds,
        counter="dedup_ns").values()))
    share = sums["editcap -D"]["median"] - sums["editcap without -D"]["median"]
    sums["what -D adds to editcap"] = {"median": share, "min": share, "max": share, "runs": 1}
    rows = []
    for name, ns in sums.items():
        beside = "weir, the stage alone" if "adds" in name or "alone" in name else "weir"
        dropped, sent = answers.get(name, (None, None))
        row = {"program": name, "traffic": f"frames of {frame_bytes} B, depth {depth:,}",
               "ns": ns, "times_weir": ns["median"] / sums[beside]["median"]}
        if dropped is not None:
            row.update(copies=dropped, of=sent)
        rows.append(row)
    return rows


def dedup(context):
    """Dropping copies: whole programs over a capture file, and what dropping adds in each"""
    rows = []
    if not shutil.which("editcap"):
        raise measure.Failed("editcap is not installed (tshark)")
    with tempfile.TemporaryDirectory() as folder:
        for depth in (256,) if context.quick else (256, 100_000):
            for frame_bytes in (64, 1500):
                rows += _dedup_rows(context, pathlib.Path(folder), frame_bytes, depth)
    return {"rows": rows,
            "says_not": "weir and editcap, with -D DEPTH and without: whole processes that read "
                        "the file and write what is left to the same disk, start and end included; "
                        "weir (--dedup content,window=0,depth=DEPTH --write) tracks flows besides. "
                        "At depth 100,000 editcap's one run ends when its window is full, which "
                        "is half full on average: behind that a packet costs twice the figure. "
                        "'The stage alone' is dedup_bench: frames in "
                        "memory, the window full; beside it what -D adds to editcap: these two "
                        "are compared with each other."}


ALL = {"peers_in_process": in_process, "peers_whole_programs": whole_programs,
       "peers_dedup": dedup}
