"""Prints the main figures of results that the scenarios of loadtest/run wrote, one line for each file."""
import json
import os
import sys


def milliseconds(value):
    return f"p50 {value['p50']:,.0f} ms, p99 {value['p99']:,.0f} ms, max {value['max']:,.0f} ms"


def figures(result):
    kind = result.get("scenario", "reference")
    if kind == "reference":
        workers = sum(p["peak_rss_bytes"] for p in result["processes"] if p["name"].startswith("worker"))
        return (f"{result['customers']:,} customers, {result['events']:,} events: {result['events_per_second']:,.0f} events/s, "
                f"workers {workers / result['customers']:,.0f} bytes a customer, "
                f"answers {'right' if result.get('correct') else 'not known'}")
    if kind == "engine":
        return (f"the engine alone, clock records {result['clocks']}: {result['customers']:,} customers, "
                f"{result['events']:,} events: {result['events_per_second']:,.0f} events/s of processor time, "
                f"{result['bytes_per_customer']:,.0f} bytes a customer, "
                f"answers {'right' if result.get('correct') else 'not known'}")
    if kind == "failover":
        return (f"{result['customers_on_worker']:,} customers on the worker, {result['shards']} shards, "
                f"{result['standbys']} standbys: p50 {result['p50_milliseconds']:,.0f} ms, "
                f"p99 {result['p99_milliseconds']:,.0f} ms")
    if kind == "rescale":
        return "; ".join(f"{c['what']}: {c['moved']} shards of at most {c['bound']}, pause {milliseconds(c['pause_milliseconds'])}"
                         for c in result["changes"])
    if kind == "hot":
        return f"alone {milliseconds(result['alone_milliseconds'])}; beside it {milliseconds(result['beside_milliseconds'])}"
    if kind == "timers":
        return f"{result['timers']:,} timers: {result['fires_per_second']:,.0f} fires/s"
    if kind == "lateness":
        return f"{result['sent_per_second']:,.0f} fires/s: late {milliseconds(result['lateness_milliseconds'])}"
    if kind == "micro":
        counts = result["benchmarks"]
        return ", ".join(f"{name} {counts[name]['instructions']:,.0f}" for name in ("order", "view", "click", "wake-up")) + \
            " instructions"
    if kind == "gateway":
        return (f"batches of {result['batch']}: {result['events_per_second']:,.0f} events/s, "
                f"{result['events_per_gateway_processor_second']:,.0f} a core of the gateway; "
                f"{result['rate']:,} requests/s: {milliseconds(result['single_milliseconds'])}")
    if kind == "backup":
        parts = (f"{name} {result[name]['seconds']:,.1f} s at {result[name]['megabytes_per_second']:,.0f} MB/s"
                 for name in ("backup", "verify", "restore"))
        return (f"{result['customers']:,} customers, {result['bytes'] / 1e6:,.0f} MB: {', '.join(parts)}; "
                f"served after {result['serving_seconds']:,.1f} s")
    if kind == "overdue":
        return (f"{result['customers']:,} timers: {result['fires_per_second']:,.0f} a second of at most "
                f"{result['bound_per_second']:,.0f}, {result['out_of_order']} out of order; others before "
                f"{milliseconds(result['before_milliseconds'])}; meanwhile {milliseconds(result['meanwhile_milliseconds'])}")
    if kind == "soak":
        grown = ", ".join(
            f"{p['name']} {(p['rss_bytes']['after'] - p['rss_bytes']['before']) / 1e6:+,.1f} MB" for p in result["processes"])
        return (f"{result['rate']:,} events/s for {result['minutes']:g} minutes: {grown}; batches "
                f"{milliseconds(result['latency_milliseconds'])}; answers {'right' if result['correct'] else 'WRONG'}")
    if kind == "shop":
        return (f"{result['customers']:,} customers, {result['days']} days, {result['events']:,} events, {result['rules']} rules, "
                f"{result['segments']} segments: {result['events_per_second']:,.0f} events/s, workers "
                f"{result['bytes_per_customer']:,.0f} bytes a customer, sums {'right' if result['correct'] else 'WRONG'}")
    if kind == "snapshot":
        parts = (f"{name} a snapshot {result[name]['events_per_second']:,.0f} events/s, "
                 f"batches {milliseconds(result[name]['latency_milliseconds'])}" for name in ("with", "without"))
        return (f"{result['customers']:,} customers, {result['snapshots']} snapshots: {'; '.join(parts)}; slower by "
                f"{result.get('slowdown_percent', 0)} % of at most {result['slowdown_percent_max']:g} %")
    return ", ".join(f"{name} {value}" for name, value in result.items() if isinstance(value, (int, float)))


for path in sys.argv[1:]:
    with open(path) as file:
        print(f"{os.path.basename(path).removesuffix('.json'):26} {figures(json.load(file))}")
