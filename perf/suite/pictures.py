"""Pictures of a result file, by gnuplot, and a page that shows them. What was not measured is left
out."""
import subprocess

STYLE = """set terminal svg size 860,480 dynamic background rgb 'white' font 'sans-serif,13'
set output '{file}'
set title "{title}"
set xlabel "{x}"
set ylabel "{y}"
set key outside right top
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


def bars(folder, name, title, y, rows, names, log_y=False):
    """rows: [(label, [value per name])], stacked where there are several names"""
    block = ["\t".join(['"' + label + '"'] + [str(value) for value in values])
             for label, values in rows]
    extra = ("set datafile separator tab\nset style data histograms\nset style fill solid\n"
             "set boxwidth 0.7\nset xtics rotate by -25\n")
    extra += "set style histogram rowstacked\n" if len(names) > 1 else ""
    extra += "set logscale y\nset yrange [1:*]\n" if log_y else ""
    parts = [f"$data0 using {index + 2}:xtic(1) lc rgb '{COLORS[index]}' title '{label}'"
             for index, label in enumerate(names)]
    return _plot(folder, name, title, "", y, extra, parts, [block])


def point(x, value):
    return (x, value["median"], value["min"], value["max"])


def _pipeline(folder, result):
    rows = [row for row in result["rows"] if not row["cold"]]
    stages = [("floor", "plainfloor"), ("walk", "walk"), ("walk + decode", "decode"),
              ("whole pipeline", "pipeline")]
    mix = [row for row in rows if row["payload"] == 0]
    fixed = sorted((row for row in rows if row["payload"] > 0), key=lambda row: row["payload"])
    yield curves(folder, "flows", "Cost over flows: mix of 64, 576 and 1448 B, random order",
                 "flows", "ns per packet, one core",
                 [(label, [point(row["flows"], row[key]) for row in mix])
                  for label, key in stages], log_x=True)
    yield curves(folder, "payload", "Cost over payload: 10,000 flows, random order",
                 "payload bytes", "ns per packet, one core",
                 [(label, [point(row["payload"], row[key]) for row in fixed])
                  for label, key in stages])
    stacked = []
    for row in mix:
        walk, decode, whole = (row[key]["median"] for key in ("walk", "decode", "pipeline"))
        stacked.append((f"{row['flows']:,} flows",
                        [walk, max(decode - walk, 0), max(whole - decode, 0)]))
    yield bars(folder, "stages", "Where the time goes (mix)", "ns per packet", stacked,
               ["walk the ring", "decode", "key, hash, track"])


def _streams(folder, result):
    yield bars(folder, "streams", "TCP reassembly", "ns per packet",
               [(f"{row['name']}: {label}", [row[key]["median"]]) for row in result["rows"]
                for label, key in (("floor", "floor"), ("weir", "streams"),
                                   ("weir, sums", "streamsunverified"))], ["ns per packet"])


def _reordering(folder, result):
    yield curves(folder, "reordering", "Streams over reordering: 1,000 flows of 1448 B",
                 "% of segments displaced by 1 to 8", "ns per packet",
                 [("weir", [point(row["share"], row["ns"]) for row in result["rows"]])])


def _shards(folder, result):
    yield curves(folder, "shards", "Cost over shards, each on a processor (100,000 flows, mix)",
                 "shards", "ns of processor time per packet",
                 [("weir", [point(row["shards"], row["ns"]) for row in result["rows"]])],
                 extra="set xtics 1\n")


def _layouts(folder, result):
    yield bars(folder, "layouts", "Frames in memory: blocks or chunks (100,000 flows, mix)",
               "ns per packet", [(row["layout"], [row["ns"]["median"]]) for row in result["rows"]],
               ["ns per packet"])


def _dedup(folder, result):
    lines = []
    for size in sorted({row["bytes"] for row in result["rows"]}):
        rows = [row for row in result["rows"] if row["bytes"] == size]
        lines += [(f"{size} B: {label}", [point(row["depth"], row[key]) for row in rows])
                  for label, key in (("dedup", "dedup_ns"), ("floor", "floor_ns"))]
    yield curves(folder, "dedup", "Content dedup over its depth", "depth in packets",
                 "ns per packet", lines, log_x=True)


def _memory(folder, result):
    yield bars(folder, "memory", "Memory per flow", "bytes",
               [(row["name"], [row["bytes"]]) for row in result["rows"]], ["bytes per flow"])


def _no_loss(_folder, _result):
    yield "no_loss.svg"  # drawn by weir-load


def _peers(folder, result, name, title):
    rows = [(f"{row['program']} {row.get('traffic', '')}"[:46],
             [row["ns"]["median"]]) for row in result["rows"] if "ns" in row]
    yield bars(folder, name, title, "ns per packet, logarithmic", rows, ["ns per packet"],
               log_y=True)


DRAW = {
    "pipeline": _pipeline, "streams": _streams, "reordering": _reordering, "shards": _shards,
    "layouts": _layouts, "dedup": _dedup, "memory_per_flow": _memory, "no_loss": _no_loss,
    "peers_in_process": lambda folder, result: _peers(
        folder, result, "peers_in_process", "In one process, same frames"),
    "peers_whole_programs": lambda folder, result: _peers(
        folder, result, "peers_whole_programs", "Whole programs over one capture file"),
    "peers_dedup": lambda folder, result: _peers(
        folder, result, "peers_dedup", "Dropping copies"),
}


def draw(folder, results):
    """Names of the files drawn, by scenario."""
    drawn = {}
    for name, result in results["scenarios"].items():
        if "failed" not in result:
            drawn[name] = list(DRAW[name](folder, result))
    return drawn
