"""Reads what callgrind counted for each benchmark of `micro`, and compares it with what is recorded."""
import argparse
import json
import os
import re
import sys

# Each is one allocation; what they call among themselves has other names.
ALLOCATORS = {"malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc", "memalign", "valloc", "pvalloc"}
NAME = re.compile(r"(c?fn)=\((\d+)\)(?: (.*))?$")
# For a new file. Instructions differ a little between processors, whose memory functions differ; allocations do not.
TOLERANCE_PERCENT = 3
TOLERANCE_ALLOCATIONS = 0.01


def counts(path):
    """Instructions and allocations of one dump. Names are written once, with a number that stands for them from then on."""
    names, callee, instructions, allocations = {}, None, None, 0
    with open(path) as file:
        for line in file:
            if match := NAME.match(line.rstrip("\n")):
                kind, number, name = match.groups()
                if name is not None:
                    names[number] = name
                if kind == "cfn":
                    callee = names[number]
            elif line.startswith("calls=") and callee in ALLOCATORS:
                allocations += int(line[len("calls="):].split()[0])
            elif line.startswith("totals:"):
                instructions = int(line.split()[1])
    if instructions is None:
        sys.exit(f"error: {path} has no totals")
    return instructions, allocations


def measured(folder):
    """Counts are written before and behind each benchmark: the second of each pair is the benchmark's."""
    with open(os.path.join(folder, "names")) as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    found = {}
    for index, (name, times, _, unit) in enumerate(lines):
        instructions, allocations = counts(os.path.join(folder, f"counts.{2 * index + 2}"))
        times = int(times)
        found[name] = {
            "unit": unit, "instructions": round(instructions / times, 1), "allocations": round(allocations / times, 3)}
    return found


def compared(found, recorded, tolerance):
    """Rows to print, and what is wrong."""
    rows, problems = [], []
    for name, now in found.items():
        before = recorded["benchmarks"].get(name)
        if before is None:
            problems.append(f"{name}: not recorded yet")
            rows.append((name, now, None, "not recorded"))
            continue
        change = 100 * (now["instructions"] / before["instructions"] - 1)
        verdict = f"{change:+.1f} %"
        most = before["instructions"] * (1 + tolerance / 100)
        if now["instructions"] > most:
            verdict += "  TOO MANY INSTRUCTIONS"
            problems.append(
                f"{name}: {now['instructions']:,.0f} instructions for each {now['unit']}; "
                f"recorded {before['instructions']:,.0f}, allowed {most:,.0f}")
        elif change < -tolerance:
            verdict += "  less: record it"
        most = before["allocations"] + recorded["tolerance_allocations"]
        if now["allocations"] > most:
            verdict += "  TOO MANY ALLOCATIONS"
            problems.append(
                f"{name}: {now['allocations']:.3f} allocations for each {now['unit']}; "
                f"recorded {before['allocations']:.3f}, allowed {most:.3f}")
        rows.append((name, now, before, verdict))
    for name in recorded["benchmarks"]:
        if name not in found:
            problems.append(f"{name}: recorded, but there is no such benchmark")
    return rows, problems


def show(rows):
    print(f"{'':15}{'instructions':>13}{'recorded':>12}{'allocations':>13}{'recorded':>10}")
    for name, now, before, verdict in rows:
        before = before or {"instructions": 0, "allocations": 0}
        print(f"{name:15}{now['instructions']:13,.0f}{before['instructions']:12,.0f}"
              f"{now['allocations']:13.3f}{before['allocations']:10.3f}  {verdict}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("recorded")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--tolerance", type=float)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    recorded = {"tolerance_percent": TOLERANCE_PERCENT, "tolerance_allocations": TOLERANCE_ALLOCATIONS, "benchmarks": {}}
    if os.path.exists(options.recorded):
        with open(options.recorded) as file:
            recorded = json.load(file)
    found = measured(options.folder)
    swift = os.environ.get("REPRISE_LOAD_SWIFT", "unknown")
    tolerance = recorded["tolerance_percent"] if options.tolerance is None else options.tolerance
    rows, problems = compared(found, recorded, tolerance)
    if options.json:
        print(json.dumps({"scenario": "micro", "tolerance_percent": tolerance, "benchmarks": found, "problems": problems,
                          "context": {"swift": swift, "commit": os.environ.get("REPRISE_LOAD_COMMIT", "unknown")}}))
    else:
        show(rows)
    if options.record:
        with open(options.recorded, "w") as file:
            json.dump({**recorded, "swift": swift, "benchmarks": found}, file, indent=2)
            file.write("\n")
        print(f"recorded in {options.recorded}", file=sys.stderr)
        return 0
    if problems:
        print("\n".join(f"error: {problem}" for problem in problems), file=sys.stderr)
        if recorded.get("swift", swift) != swift:
            print(f"the recorded counts are of Swift {recorded['swift']}, these of {swift}", file=sys.stderr)
        print("what is meant to cost more, or less: ./loadtest/run micro --record, and commit loadtest/micro.json",
              file=sys.stderr)
    return 1 if problems else 0


sys.exit(main())
