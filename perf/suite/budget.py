"""The last accepted figures, as ratios to the floor of the same run, and what is worse by now."""
import json
import pathlib

FILE = pathlib.Path(__file__).resolve().parents[1] / "budget.json"
MOST_WORSE = 1.15


def ratios(results):
    """{what: times the floor}"""
    found = {}
    scenarios = results["scenarios"]
    for row in scenarios.get("pipeline", {}).get("rows", []):
        if row["cold"]:
            continue
        place = f"payload {row['payload']}, {row['flows']} flows"
        floor = row["plainfloor"]["median"]
        for stage in ("walk", "decode", "pipeline"):
            found[f"{stage}: {place}"] = row[stage]["median"] / floor
    for row in scenarios.get("streams", {}).get("rows", []):
        for stage in ("streamsunverified", "streams"):
            found[f"{stage}: {row['name']}"] = row[stage]["median"] / row["floor"]["median"]
    for row in scenarios.get("dedup", {}).get("rows", []):
        place = f"{row['bytes']} B, depth {row['depth']}"
        found[f"dedup: {place}"] = row["dedup_ns"]["median"] / row["floor_ns"]["median"]
    return {name: round(value, 3) for name, value in found.items()}


def accept(results):
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    known.update(ratios(results))
    FILE.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


def worse(results):
    """Sentences about each stage that is worse than its budget."""
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    if not known:
        return [f"no run was accepted yet: perf/run --accept writes {FILE.name}"]
    return [f"{name}: {value:.2f} times the floor, {known[name]:.2f} were accepted"
            for name, value in ratios(results).items()
            if name in known and value > known[name] * MOST_WORSE]
