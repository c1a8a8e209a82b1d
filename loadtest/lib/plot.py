"""Draws the results that loadtest/run recorded. Usage: plot.py RESULTS LIMITS INTO svg|png"""
import fnmatch
import glob
import json
import os
import sys

import matplotlib

matplotlib.use("Agg")
# The same picture from the same results, to be compared and kept.
matplotlib.rcParams.update({
    "svg.hashsalt": "reprise", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False,
    "axes.titlesize": 11, "axes.titleweight": "bold", "axes.titlelocation": "left"})
from matplotlib import pyplot  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402
from matplotlib.ticker import FuncFormatter  # noqa: E402

BAR, GOOD, BAD, GOAL = "#4878a8", "#2e8b57", "#c44e52", "#8172b3"
# Of pauses and of what is not told by its own field.
SPECIAL = {
    "@failover": lambda r: {"p50": r["p50_milliseconds"], "p99": r["p99_milliseconds"], "max": r["max_milliseconds"]},
    "@workers": lambda r: sum(p["peak_rss_bytes"] for p in r["processes"] if p["name"].startswith("worker")) / r["customers"],
    "@timers": lambda r: r["workers_armed_rss_bytes"] / r["timers"],
}


def values(result, figure):
    """What stands at that path; `*` stands for each of a list."""
    if figure in SPECIAL:
        return [SPECIAL[figure](result)]
    found = [result]
    for name in figure.split("."):
        found = [item for value in found for item in (value if name == "*" else [value.get(name)]) if item is not None]
    return found


def rows(results, limits):
    """(label, value, limit) of each figure that is recorded."""
    found = []
    for limit in limits:
        for name in sorted(results):
            where = limit.get("where", {}).items()
            if fnmatch.fnmatch(name, limit["result"]) and all(results[name].get(key) == value for key, value in where):
                for value in values(results[name], limit["figure"]):
                    found.append((f"{limit['title']}\n{name}", value, limit))
    return found


def number(value):
    return f"{value / 1e6:.3g}M" if value >= 1e6 else f"{value / 1e3:.3g}k" if value >= 1e4 else f"{value:,.0f}"


def finish(figure, axes, into, name, extension):
    figure.tight_layout()
    metadata = {"Date": None} if extension == "svg" else None
    figure.savefig(os.path.join(into, f"{name}.{extension}"), dpi=110, metadata=metadata)
    pyplot.close(figure)
    print(os.path.join(into, f"{name}.{extension}"))


def canvas(count, title):
    figure, axes = pyplot.subplots(figsize=(9, 1.5 + 0.46 * count))
    axes.set_title(title, pad=26)
    axes.grid(axis="x", color="#e0e0e0", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def marks(axes, y, limit):
    for kind, color in (("must", "black"), ("goal", GOAL)):
        if kind in limit:
            axes.plot([limit[kind]] * 2, [y - 0.4, y + 0.4], color=color, linewidth=2, linestyle="-" if kind == "must" else ":")


def legend(axes, items):
    axes.legend(handles=items, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(items), frameon=False, fontsize=8,
                borderaxespad=0.2, handlelength=1.6, columnspacing=1.2)


MUST = Line2D([], [], color="black", linewidth=2, label="must")
AIM = Line2D([], [], color=GOAL, linewidth=2, linestyle=":", label="goal")


def patch(color, label):
    return matplotlib.patches.Patch(color=color, label=label)


def bars(found, title, unit, name, into, extension, more_is_better):
    figure, axes = canvas(len(found), title)
    most = max([value for _, value, _ in found] + [limit.get(k, 0) for _, _, limit in found for k in ("must", "goal")])
    for y, (label, value, limit) in enumerate(found):
        edge = limit.get("must", limit.get("goal"))
        reached = None if edge is None else value >= edge if more_is_better else value <= edge
        axes.barh(y, value, height=0.56, color=BAR if reached is None else GOOD if reached else BAD)
        marks(axes, y, limit)
        axes.text(value + most * 0.008, y, number(value), va="center", ha="left", fontsize=8,
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.8})
    axes.set_yticks(range(len(found)), [label for label, _, _ in found], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, most * 1.1)
    axes.set_xlabel(unit)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    kinds = [(kind, line) for kind, line in (("must", MUST), ("goal", AIM)) if any(kind in limit for _, _, limit in found)]
    if kinds:
        legend(axes, [patch(GOOD, "reached"), patch(BAD, "not reached"), patch(BAR, "no limit")] + [line for _, line in kinds])
    finish(figure, axes, into, name, extension)


def ranges(found, title, name, into, extension):
    figure, axes = canvas(len(found), title)
    for y, (label, value, limit) in enumerate(found):
        within = "must" not in limit or value["p99"] <= limit["must"]
        color = BAR if "must" not in limit else GOOD if within else BAD
        low = max(value["p50"], 0.1)
        axes.plot([low, value["max"]], [y, y], color=color, linewidth=1.2, alpha=0.7)
        axes.plot([low, value["p99"]], [y, y], color=color, linewidth=5, solid_capstyle="butt")
        axes.plot([low], [y], "o", color="white", markeredgecolor=color, markersize=6)
        axes.plot([value["max"]], [y], "|", color=color, markersize=9)
        marks(axes, y, limit)
        axes.text(1.01, y, f"{value['p50']:,.0f} / {value['p99']:,.0f} / {value['max']:,.0f}", va="center", fontsize=8,
                  transform=axes.get_yaxis_transform())
    axes.set_yticks(range(len(found)), [label for label, _, _ in found], fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(1, 10_000)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1000:g} s" if value >= 1000 else f"{value:g} ms"))
    legend(axes, [
        Line2D([], [], marker="o", color="white", markeredgecolor=BAR, label="p50"),
        Line2D([], [], color=BAR, linewidth=5, label="to p99"), Line2D([], [], color=BAR, linewidth=1.2, label="to the longest"),
        patch(GOOD, "p99 within"), patch(BAD, "p99 beyond"), MUST])
    finish(figure, axes, into, name, extension)


def distributions(results, into, extension):
    for prefix, title in (("lateness", "How late timers are decided"), ("failover", "How soon a killed worker's shards serve again")):
        chosen = {n: r["distribution"] for n, r in sorted(results.items()) if n.startswith(prefix) and r.get("distribution")}
        if not chosen:
            continue
        figure, axes = pyplot.subplots(figsize=(9, 4))
        axes.set_title(title)
        axes.grid(color="#e0e0e0", linewidth=0.8)
        for name, curve in chosen.items():
            pairs = sorted(zip(curve["percent"], curve["milliseconds"]))
            axes.plot([ms for _, ms in pairs], [percent for percent, _ in pairs], marker=".", label=name)
        axes.set_xlabel("milliseconds")
        axes.set_ylabel("percent that took no longer")
        axes.set_ylim(0, 101)
        axes.set_xlim(left=0)
        axes.legend(frameon=False, loc="lower right")
        finish(figure, axes, into, prefix, extension)


def soak(result, into, extension):
    samples = result["samples"]
    minutes = [sample["seconds"] / 60 for sample in samples]
    figure, (above, below) = pyplot.subplots(2, 1, figsize=(9, 6), sharex=True, height_ratios=[3, 2])
    above.set_title(f"A soak: {result['rate']:,} events a second for {result['minutes']:g} minutes")
    for name in sorted(samples[0]["processes"]):
        above.plot(minutes, [s["processes"][name]["rss_bytes"] / 1e6 for s in samples], label=f"memory of {name}")
    above.plot(minutes, [s["stream_bytes"] / 1e6 if s.get("stream_bytes") else None for s in samples], color="grey", linestyle="--", label="streams")
    above.axvspan(0, minutes[-1] / 3, color="#f0f0f0", zorder=0)
    above.text(minutes[-1] / 6, 0.97, "warm-up", transform=above.get_xaxis_transform(), ha="center", va="top", color="grey")
    above.set_ylabel("MB")
    above.set_ylim(bottom=0)
    above.legend(frameon=False, fontsize=8, ncols=3, loc="center", bbox_to_anchor=(0.5, 0.6))
    for kind, color in (("p50", GOOD), ("p99", BAR), ("max", BAD)):
        below.plot(minutes, [s["latency_milliseconds"][kind] for s in samples], color=color, label=kind, linewidth=1)
    below.set_ylabel("a batch's way\nto its commit, ms")
    below.set_xlabel("minutes")
    below.set_ylim(bottom=0)
    below.legend(frameon=False, fontsize=8, ncols=3, loc="upper right")
    for axes in (above, below):
        axes.grid(color="#e0e0e0", linewidth=0.8)
    finish(figure, above, into, "soak", extension)


def main():
    folder, limits, into, extension = sys.argv[1:]
    results = {}
    for path in glob.glob(os.path.join(folder, "*.json")):
        with open(path) as file:
            results[os.path.basename(path).removesuffix(".json")] = json.load(file)
    with open(limits) as file:
        limits = json.load(file)
    os.makedirs(into, exist_ok=True)
    if found := rows(results, limits["per_second"]):
        bars(found, "How much in a second", "a second", "throughput", into, extension, True)
    if found := rows(results, limits["milliseconds"]):
        ranges(found, "What is waited for (p50 / p99 / longest, ms)", "waiting", into, extension)
    if found := rows(results, limits["bytes_per_customer"]):
        bars(found, "Memory", "bytes a customer", "memory", into, extension, False)
    if micro := results.get("micro"):
        counts = [(f"{name}", one["instructions"], {}) for name, one in micro["benchmarks"].items() if one["instructions"] < 1e5]
        bars(counts, "Instructions of each piece of an event's way", "instructions", "micro", into, extension, False)
    distributions(results, into, extension)
    if "soak" in results:
        soak(results["soak"], into, extension)


main()
