"""What is measured of weir itself. Each function takes a Context and returns a dict of results."""
import json
import os
import pathlib
import tempfile

from . import measure

# The design's definitions: payload 0 is the mix of 64, 576 and 1448 bytes, 7:4:1.
MIX, SMALL, LARGE = 0, 10, 1448


class Context:
    def __init__(self, build, folder, rounds, quick):
        self.build, self.folder, self.rounds, self.quick = build, folder, rounds, quick
        self.weir, self.weir_load = build / "weir", build / "weir-load"

    def bench(self, name):
        return self.build / "bench" / name

    def pipeline(self, payload, flows, cold=0, stages="Floor|PlainFloor|Walk|Decode|Pipeline"):
        place = f"payload:{payload}/flows:{flows}/cold:{cold}"
        found = measure.benchmarks(self.bench("pipeline_bench"), f"BM_({stages})/{place}/",
                                   self.rounds)
        row = {name.split("/")[0].removeprefix("BM_").lower(): value
               for name, value in found.items()}
        row.update(payload=payload, flows=flows, cold=bool(cold))
        row["ratio"] = row["pipeline"]["median"] / row["plainfloor"]["median"]
        return row


def pipeline(context):
    """ns/packet of one core, memory to flows, over flows and payload sizes; stages of each"""
    flows = [1, 1_000, 100_000] if context.quick else [1, 1_000, 10_000, 100_000, 1_000_000,
                                                        10_000_000]
    rows = [context.pipeline(MIX, number) for number in flows]
    sizes = [SMALL, LARGE] if context.quick else [SMALL, 64, 256, 576, LARGE]
    rows += [context.pipeline(size, 10_000) for size in sizes]
    rows.append(context.pipeline(MIX, 100_000, cold=1))
    return {"rows": rows}


def streams(context):
    """ns/packet with reassembly, checksums known good or computed: 1,000 flows of 1448 B, in
    order and 5 % displaced; 100,000 flows of 5 packets"""
    found = measure.benchmarks(context.bench("stream_bench"), "BM_(Floor|Streams.*)/shape",
                               context.rounds)
    names = ["in order", "5 % displaced", "short flows"]
    rows = []
    for shape, name in enumerate(names):
        row = {key.split("/")[0].removeprefix("BM_").lower(): value
               for key, value in found.items() if key.endswith(f"shape:{shape}")}
        row.update(name=name, ratio=row["streams"]["median"] / row["floor"]["median"])
        rows.append(row)
    return {"rows": rows}


def _memory_run(context, *options):
    out = measure.run([context.weir_load, "memory", "--time-only", "--json", "-", "--seed", 1,
                       *options])
    result = json.loads(out)
    if not result["good"]:
        raise measure.Failed("weir-load memory: " + "; ".join(result["faults"]))
    return result


def reordering(context):
    """ns/packet of streams over the share of displaced segments (by up to 8)"""
    shares = ["0%", "5%", "20%"] if context.quick else ["0%", "1%", "2%", "5%", "10%", "20%"]
    packets = 500_000 if context.quick else 1_000_000
    values = {share: [] for share in shares}
    for _ in range(context.rounds):
        for share in shares:
            values[share].append(_memory_run(
                context, "--packets", packets, "--warm-up", packets // 4, "--flows", 1000,
                "--payload", 1448, "--midstream", "--ack-every", 0, "--from-server", "0%",
                "--reorder", share)["ns_per_frame"])
    return {"rows": [{"share": float(share[:-1]), "ns": measure.summary(values[share])}
                     for share in shares]}


def shards(context):
    """ns of processor time per packet over shards, each on a processor of its own, from memory"""
    usable = sorted(os.sched_getaffinity(0))
    numbers = [n for n in (1, 2, 4, 8, 16) if n <= len(usable)]
    values = {number: [] for number in numbers}
    for _ in range(context.rounds):
        for number in numbers:
            values[number].append(_memory_run(
                context, "--packets", "1M", "--flows", "100k", "--midstream", "--ack-every", 0,
                "--no-streams", "--shards", number, "--cpus",
                ",".join(map(str, usable[:number])),
                "--warm-up", 300_000)["ns_per_frame"])
    return {"rows": [{"shards": number, "ns": measure.summary(values[number])}
                     for number in numbers]}


def layouts(context):
    """ns/packet of one core from memory laid out in TPACKET_V3 blocks or in a UMEM's chunks"""
    ways = {"TPACKET_V3 blocks": [], "UMEM, chunks of 2048 B": ["--umem", 2048],
            "UMEM, chunks of 4096 B": ["--umem", 4096]}
    values = {name: [] for name in ways}
    for _ in range(context.rounds):
        for name, options in ways.items():
            values[name].append(_memory_run(
                context, "--packets", "1M", "--flows", "100k", "--midstream", "--ack-every", 0,
                "--no-streams", "--warm-up", 300_000, *options)["ns_per_frame"])
    return {"rows": [{"layout": name, "ns": measure.summary(found)}
                     for name, found in values.items()]}


def dedup(context):
    """ns/packet of content dedup over its depth"""
    rows = []
    for size in (64, 1500):
        for depth in (256, 4096, 65536, 1_000_000):
            if context.quick and depth > 4096:
                continue
            found = measure.counters(context.bench("dedup_bench"),
                                     f"BM_Dedup/bytes:{size}/depth:{depth}$", context.rounds,
                                     ["dedup_ns", "floor_ns"])
            rows.append({"bytes": size, "depth": depth, **next(iter(found.values()))})
    return {"rows": rows}


def memory_per_flow(context):
    """Memory over flows, one shard: what the flow table reserves, and what is really resident in
    a whole weir that holds so many TCP flows, without and with reassembly"""
    rows = []
    for flows in [1_000, 10_000, 100_000] + ([] if context.quick else [1_000_000]):
        table = _memory_run(context, "--packets", 10_000, "--flows", 100, "--max-flows", flows,
                            "--no-streams")["engine_bytes"]
        with tempfile.TemporaryDirectory() as folder:
            capture = pathlib.Path(folder) / "flows.pcap"
            # Flows are drawn at random: of 4 packets a flow 2 % of the flows get none.
            measure.run([context.weir_load, "make", "-w", capture, "--packets", 4 * flows,
                         "--flows", flows, "--payload", 64, "--midstream", "--ack-every", 0,
                         "--from-server", "0%"])
            resident = [measure.timed([context.weir, "-r", capture, "--max-flows", flows,
                                       *options])[2] for options in ([], ["--eve", "/dev/null"])]
        rows.append({"flows": flows, "table_bytes": table, "resident_flows": resident[0],
                     "resident_streams": resident[1]})
    return {"rows": rows,
            "says_not": "Resident is the most that the process had (getrusage), the program and "
                        "its libraries included, the file not. What stands with few flows is "
                        "there in any case: the program, lists of the busiest, and with streams "
                        "the pool of --stream-memory for bytes that come early. 'One flow more' is "
                        "the difference to the line above."}


def no_loss(context):
    """Highest rate without loss on a veth pair, by back-end and frame size (RFC 2544)"""
    out = context.folder / "no_loss.json"
    frames = "60,1514" if context.quick else "60,252,508,1020,1514"
    measure.run([context.weir_load, "search", "--veth", "--frames", frames,
                 "--backends", "packet,xdp", "--seconds", 0.3,
                 "--realtime", "--resolution", 0.02, "--json", out, "--picture",
                 context.folder / "no_loss.svg"])
    return {"rows": json.loads(out.read_text())["rates"]}


ALL = {"pipeline": pipeline, "streams": streams, "reordering": reordering, "shards": shards,
       "layouts": layouts, "dedup": dedup, "memory_per_flow": memory_per_flow, "no_loss": no_loss}
