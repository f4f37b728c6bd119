"""Pictures of a result file, by gnuplot, and a page that shows them. What was not measured is left
out."""
import subprocess

STYLE = """set terminal svg size 860,480 dynamic background rgb 'white' font 'sans-serif,13'
set output '{file}'
set title "{title}"
set xlabel "{x}"
set ylabel "{y}"
set key below
set grid ytics lc rgb '#e4e4e4'
set border 3
set tics nomirror
set yrange [0:*]
"""
COLORS = ["#1f6fb4", "#d9541e", "#2c9a4b", "#8447a8", "#b8860b", "#666666"]


def _plot(folder, name, title, x, y, extra, parts, blocks):
    script = STYLE.format(file=folder / f"{name}.svg", title=title, x=x, y=y) + extra
    for index, block in enumerate(blocks):
        script += f"$data{index} << EOD\n" + "\n".join(block) + "\nEOD\n"
    script += "plot " + ", ".join(parts) + "\n"
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
    return f"{name}.svg"


def curves(folder, name, title, x, y, lines, log_x=False, extra=""):
    """lines: [(title, [(x, median, min, max)])]"""
    parts, blocks = [], []
    for index, (label, points) in enumerate(lines):
        blocks.append([" ".join(str(value) for value in point) for point in points])
        color = COLORS[index % len(COLORS)]
        parts.append(f"$data{index} using 1:2:3:4 with yerrorlines lw 2 pt 7 ps 0.6 "
                     f"lc rgb '{color}' title '{label}'")
    return _plot(folder, name, title, x, y, extra + ("set logscale x\n" if log_x else ""), parts,
                 blocks)


def bars(folder, name, title, y, rows, names, log_y=False, stacked=True):
    """rows: [(label, [value per name])], those of a row stacked or side by side; None: no bar"""
    block = ["\t".join(['"' + label + '"'] + ["?" if value is None else str(value)
                                              for value in values])
             for label, values in rows]
    extra = ("set datafile separator tab\nset datafile missing '?'\n"
             "set style data histograms\nset style fill solid\n"
             "set boxwidth 0.9 relative\nset xtics rotate by -12 font ',11'\n")
    extra += f"set style histogram {'rowstacked' if stacked else 'clustered gap 1'}\n"
    extra += "set logscale y\nset yrange [1:*]\n" if log_y else ""
    extra += "set key off\n" if len(names) == 1 else ""
    parts = [f"$data0 using {index + 2}:xtic(1) lc rgb '{COLORS[index % len(COLORS)]}' "
             f"title '{label}'" for index, label in enumerate(names)]
    return _plot(folder, name, title, "", y, extra, parts, [block])


def point(x, value):
    return (x, value["median"], value["min"], value["max"])


def _pipeline(folder, result):
    rows = [row for row in result["rows"] if not row["cold"]]
    stages = [("floor", "plainfloor"), ("walk", "walk"), ("walk + decode", "decode"),
              ("whole pipeline", "pipeline")]
    mix = [row for row in rows if row["payload"] == 0]
    fixed = sorted((row for row in rows if row["payload"] > 0), key=lambda row: row["payload"])
    yield curves(folder, "flows", "Processor time per packet over the number of flows\\n"
                 "(payload 64, 576 and 1448 B as 7:4:1, flows in random order)",
                 "flows in the table", "ns per packet, one core",
                 [(label, [point(row["flows"], row[key]) for row in mix])
                  for label, key in stages], log_x=True)
    yield curves(folder, "payload", "Processor time per packet over its payload\\n"
                 "(10,000 flows in random order)",
                 "TCP payload in bytes", "ns per packet, one core",
                 [(label, [point(row["payload"], row[key]) for row in fixed])
                  for label, key in stages])
    stacked = []
    for row in mix:
        walk, decode, whole = (row[key]["median"] for key in ("walk", "decode", "pipeline"))
        stacked.append((f"{row['flows']:,} flows",
                        [walk, max(decode - walk, 0), max(whole - decode, 0)]))
    yield bars(folder, "stages", "Where the time goes: stages stacked\\n"
               "(payload 64, 576 and 1448 B as 7:4:1)", "ns per packet, one core", stacked,
               ["walk the ring", "decode", "key, hash, track"])


def _streams(folder, result):
    keys = {"floor": "floor", "weir, checksums known good": "streams",
            "weir, checksums computed": "streamsunverified"}
    yield bars(folder, "streams", "TCP reassembly, from packets to ordered bytes",
               "ns per packet, one core",
               [(row["name"], [row[key]["median"] for key in keys.values()])
                for row in result["rows"]], list(keys), stacked=False)


def _reordering(folder, result):
    yield curves(folder, "reordering", "TCP reassembly over reordering (1,000 flows of 1448 B)",
                 "segments displaced by 1 to 8 places, %", "ns per packet, one core",
                 [("weir", [point(row["share"], row["ns"]) for row in result["rows"]])])


def _shards(folder, result):
    yield curves(folder, "shards", "Cost over shards, each on a processor (100,000 flows, mix)",
                 "shards", "ns of processor time per packet",
                 [("weir", [point(row["shards"], row["ns"]) for row in result["rows"]])],
                 extra="set xtics 1\n")


def _layouts(folder, result):
    yield bars(folder, "layouts", "Memory laid out as AF_PACKET's blocks or AF_XDP's chunks\\n"
               "(100,000 flows, payload 64, 576 and 1448 B as 7:4:1)",
               "ns per packet", [(row["layout"], [row["ns"]["median"]]) for row in result["rows"]],
               ["ns per packet"])


def _dedup(folder, result):
    lines = []
    for size in sorted({row["bytes"] for row in result["rows"]}):
        rows = [row for row in result["rows"] if row["bytes"] == size]
        lines += [(f"{size} B: {label}", [point(row["depth"], row[key]) for row in rows])
                  for label, key in (("dedup", "dedup_ns"), ("floor", "floor_ns"))]
    yield curves(folder, "dedup", "Dropping duplicates, over how far back they are looked for",
                 "depth in packets", "ns per packet, one core", lines, log_x=True)


def _memory(folder, result):
    def line(key):
        return [(row["flows"], *[row[key] / 2**20] * 3) for row in result["rows"]]
    yield curves(folder, "memory", "Memory of one shard over the flows that it holds", "TCP flows",
                 "MiB", [("whole weir, flows and streams",
                          line("resident_streams")),
                         ("whole weir, flows only", line("resident_flows")),
                         ("of it the flow table", line("table_bytes"))], log_x=True,
                 extra="set logscale y\nset yrange [0.1:*]\n")


def _no_loss(_folder, _result):
    yield "no_loss.svg"  # drawn by weir-load


def _peers(folder, result, name, title):
    found = {(row.get("traffic", ""), row["program"]): row["ns"]["median"]
             for row in result["rows"] if "ns" in row}
    traffics = list(dict.fromkeys(traffic for traffic, _ in found))
    programs = list(dict.fromkeys(program for _, program in found))
    if len(traffics) == 1:
        rows, names = [(program, [found[traffics[0], program]]) for program in programs], ["ns"]
    else:
        rows = [(traffic, [found.get((traffic, program)) for program in programs])
                for traffic in traffics]
        names = programs
    yield bars(folder, name, title + "\\n(a shorter bar is better)",
               "ns of processor time per packet, logarithmic", rows, names, log_y=True,
               stacked=False)


DRAW = {
    "pipeline": _pipeline, "streams": _streams, "reordering": _reordering, "shards": _shards,
    "layouts": _layouts, "dedup": _dedup, "memory_per_flow": _memory, "no_loss": _no_loss,
    "peers_in_process": lambda folder, result: _peers(
        folder, result, "peers_in_process", "Libraries in one process on the same frames"),
    "peers_whole_programs": lambda folder, result: _peers(
        folder, result, "peers_whole_programs", "Whole programs over one capture file"),
    "peers_dedup": lambda folder, result: _peers(
        folder, result, "peers_dedup", "Dropping duplicates from a capture file"),
}


def draw(folder, results):
    """Names of the files drawn, by scenario."""
    drawn = {}
    for name, result in results["scenarios"].items():
        if "failed" not in result:
            drawn[name] = list(DRAW[name](folder, result))
    return drawn
