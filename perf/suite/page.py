"""The results as a page that a person reads: README.md in the result folder."""


def _ns(value):
    return f"{value['median']:.1f} ({value['min']:.1f}-{value['max']:.1f})"


def _table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _pipeline(result):
    def name(row):
        traffic = "mix 64/576/1448" if row["payload"] == 0 else f"{row['payload']} B"
        return f"{traffic}, {row['flows']:,} flows" + (", cold ring" if row["cold"] else "")
    return _table(["traffic", "floor", "walk", "walk + decode", "whole pipeline", "times floor"],
                  [(name(row), *(_ns(row[key]) for key in ("plainfloor", "walk", "decode",
                                                           "pipeline")), f"{row['ratio']:.2f}")
                   for row in result["rows"]])


def _streams(result):
    return _table(["traffic", "floor", "streams", "with checksums computed", "times floor"],
                  [(row["name"], _ns(row["floor"]), _ns(row["streams"]),
                    _ns(row["streamsunverified"]), f"{row['ratio']:.2f}")
                   for row in result["rows"]])


def _rates(result):
    return _table(["back-end", "frame bytes", "M frames/s without loss", "Gbit/s on the wire",
                   "sender's ceiling", "limit"],
                  [(row["backend"], int(row["frame_bytes"]),
                    f"{row['frames_per_second'] / 1e6:.3f}", f"{row['bits_per_second'] / 1e9:.2f}",
                    f"{row['sender_ceiling'] / 1e6:.3f}",
                    "the sender" if row["limited_by_sender"] else "the engine")
                   for row in result["rows"]])


def _peers(result):
    rows = []
    for row in result["rows"]:
        what = row.get("traffic", "")
        if "failed" in row:
            rows.append((row["program"], what, "failed: " + row["failed"], "", ""))
            continue
        answer = ""
        if "delivered" in row:
            answer = f"{row['delivered']:.4%} of the bytes"
        elif "wrong" in row:
            answer = f"{row['wrong']} wrong of {row['of']} flows"
        elif "flows" in row:
            answer = f"{row['flows']} flows of {row['expected']}"
        elif "copies" in row:
            answer = f"{row['copies']} copies dropped of {row['of']}"
        rows.append((row["program"], what, _ns(row["ns"]), f"{row['times_weir']:.1f}", answer))
    text = _table(["program", "traffic", "ns per packet", "times weir's", "answer, from the truth"],
                  rows)
    options = {row["program"]: row["options"] for row in result["rows"] if "options" in row}
    remarks = {row["program"]: row["remark"] for row in result["rows"] if "remark" in row}
    for program, words in options.items():
        text += f"\n- {program}: `{words}`" + (f" ({remarks[program]})" if program in remarks
                                               else "")
    return text + "\n\n" + result.get("says_not", "") + "\n"


def _memory(result):
    def mib(value):
        return f"{value / 2**20:.1f}"
    rows, before = [], None
    for row in result["rows"]:
        more = ["", ""]
        if before:
            number = row["flows"] - before["flows"]
            more = [f"{(row[key] - before[key]) / number:.0f}"
                    for key in ("resident_flows", "resident_streams")]
        rows.append((f"{row['flows']:,}", mib(row["table_bytes"]), mib(row["resident_flows"]),
                     mib(row["resident_streams"]), *more))
        before = row
    return _table(["TCP flows", "flow table, MiB", "resident, flows only, MiB",
                   "resident, flows and streams, MiB", "one flow more, B",
                   "one flow and its streams more, B"], rows)


def _plain(result):
    heads = list(result["rows"][0])
    return _table(heads, [[_ns(value) if isinstance(value, dict) else
                           f"{value:.1f}" if isinstance(value, float) else value
                           for value in (row[head] for head in heads)]
                          for row in result["rows"]])


TEXT = {"memory_per_flow": _memory, "pipeline": _pipeline, "streams": _streams,
        "no_loss": _rates, "peers_in_process": _peers,
        "peers_whole_programs": _peers, "peers_dedup": _peers}


def write(folder, results, titles, drawn):
    machine = results["machine"]
    text = "# weir: what was measured\n\n"
    text += (f"{machine['time']}, commit {machine['commit'][:12]}"
             + (" with changes" if machine["uncommitted_changes"] else "")
             + f"\n\n{machine['processor']}, {machine['processors']} processors, virtual: "
             f"{machine['virtual']}, Linux {machine['kernel']}, {machine['compiler']}; load before "
             f"the run: {machine['load_average']:.1f}\n\n"
             f"Medians of {results['rounds']} runs that took turns; least and most in brackets. "
             "ns are nanoseconds of processor time.\n\n"
             "The **floor** is the least that anything can do with the same frames in the same "
             "memory: walk them, read 64 bytes of each, update one line of memory per packet. It "
             "moves with the machine, as all figures do: compare the times of the floor.\n")
    if results["quick"]:
        text += "\nA quick run: small sizes and few runs. To compare, take a full one.\n"
    for name, result in results["scenarios"].items():
        text += f"\n## {titles[name]}\n\n"
        if "failed" in result:
            text += f"Not measured: {result['failed']}\n"
            continue
        text += TEXT.get(name, _plain)(result) + "\n"
        if TEXT.get(name) is not _peers and "says_not" in result:
            text += result["says_not"] + "\n\n"
        text += "".join(f"![{file}]({file})\n" for file in drawn.get(name, []))
    (folder / "README.md").write_text(text)
