#!/usr/bin/env python3
"""Macro benchmarks: the release build of this checkout against Apache Flume 1.11, in alternating runs of the same work.

  bench/run.py                      all rows, five rounds; writes docs/benchmarks.md and the README's table (two hours)
  bench/run.py --quick              small counts, one round, prints the page: does everything still run? (some minutes)
  bench/run.py --rows taildir --pairs 3
                                    only these rows; the page shows the others as they were last measured
  bench/run.py --page               writes the page from what was measured before
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import types

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import report  # noqa: E402
import tiers  # noqa: E402
import workloads  # noqa: E402
from measured import BenchError, Contender, Folder  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
KEPT = ROOT / "build" / "bench"           # one JSON file a row: its last measurement


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: few events, one round, nothing written")
    parser.add_argument("--rows", default="", help="only the row of this key, or rows whose key contains this; or one of several with commas")
    parser.add_argument("--list", action="store_true", help="print the rows' keys and end")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page")
    parser.add_argument("--pairs", type=int, help="rounds (default 5)")
    parser.add_argument("--events", type=int, help="base number of events a run (default 1,000,000)")
    parser.add_argument("--build", default=str(ROOT / "build/release"), help="build folder with standpipe and loadgen")
    parser.add_argument("--program", help="the standpipe binary (default: the one of the build folder)")
    parser.add_argument("--no-flume", action="store_true", help="Standpipe and the floor only; nothing is written")
    parser.add_argument("--no-ours", action="store_true", help="Flume and the floor only; nothing is written")
    parser.add_argument("--best-only", action="store_true", help="leave out the runs at defaults; nothing is written")
    parser.add_argument("--scratch", default=str(workloads.scratch_default()), help="folder for the data, on a real disk")
    return parser.parse_args()


def contenders(options, build):
    found = []
    if not options.no_ours:
        program = options.program or str(build / "src/app/standpipe")
        if not pathlib.Path(program).exists():
            sys.exit(f"run.py: no {program}: ./dev build release makes it")
        found += [Contender("ours-default", [program, "agent"], best=False), Contender("ours-best", [program, "agent"], best=True)]
    if not options.no_flume:
        home = subprocess.run([ROOT / "tests/interop/flume/install.sh"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        flume = [f"{home}/bin/flume-ng", "agent"]
        found += [Contender("flume-default", flume, best=False, java_options="-Xmx20m"),
                  Contender("flume-best", flume, best=True, java_options="-Xmx1g")]
    return [c for c in found if c.best or not options.best_only]


def measure(row, programs, tools, pairs, events):
    """All rounds of one row. A program that fails or does not come to its end is not tried again; the page says it."""
    count = int(events * row.factor)
    programs = [p for p in programs if row.takes(p)]
    outcome = {**declared(row), "events": count, "floor": [],
               "runs": {p.name: [] for p in programs}, "failures": [], "pairs": pairs, **facts()}
    for turn in range(pairs):
        if count:
            outcome["floor"].append(row.floor(tools, count))
        for program in programs if turn % 2 == 0 else programs[::-1]:
            if any(name == program.name for name, _ in outcome["failures"]):
                continue
            shown = one_run(row, program, tools, count, outcome)
            print(f"{row.key} {turn + 1}/{pairs} {program.name}: {shown}", file=sys.stderr, flush=True)
    return outcome


def declared(row):
    """What the page has to know of a row, whenever it was measured."""
    names = ("key", "title", "line", "kind", "floor_name", "floor_share", "flume_ratio", "cpu_ratio", "beside", "bound")
    return {name: getattr(row, name) for name in names}


def one_run(row, program, tools, count, outcome):
    """Adds the run's result to `outcome`; what to print about it."""
    try:
        result = row.run(program, tools, count)
    except BenchError as error:
        outcome["failures"].append((program.name, str(error).strip().splitlines()[0]))
        return f"FAILED: {error}"
    outcome["runs"][program.name].append(result)
    if result.get("unfinished"):
        outcome["failures"].append((program.name, result["unfinished"]))
        return "not finished: " + result["unfinished"]
    return row.shown(result)


def chosen(key, part, every):
    return key == part if any(row.key == part for row in every) else part in key


def git(*words):
    return subprocess.run(["git", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()


def facts():
    return {"commit": git("rev-parse", "--short=10", "HEAD"), "load": os.getloadavg()[0], "date": datetime.date.today().isoformat(),
            "machine": f"{cores()}, {platform.freedesktop_os_release()['PRETTY_NAME'].replace('GNU/Linux ', '')}"}


def cores():
    count = len(os.sched_getaffinity(0))
    return "Two cores" if count == 2 else f"{count} cores"


def kept_rows(rows):
    """What is known about these rows, measured now or before."""
    found = []
    for row in rows:
        path = KEPT / f"{row.key}.json"
        if path.exists():
            found.append({**json.loads(path.read_text()), **declared(row)})
        else:
            print(f"run.py: row {row.key} has not been measured yet", file=sys.stderr)
    return found


def write_pages(every):
    rows = kept_rows(every)
    known = {row["key"] for row in rows}
    (ROOT / "docs/benchmarks.md").write_text(report.page(rows, [row.title for row in every if row.key not in known]))
    readme = ROOT / "README.md"
    readme.write_text(report.with_summary(readme.read_text(), rows))
    print("written: docs/benchmarks.md and the table in README.md", file=sys.stderr)


def main():
    options = arguments()
    every = workloads.rows(options.quick) + tiers.rows(options.quick)
    rows = [r for r in every if any(chosen(r.key, part, every) for part in options.rows.split(","))]
    if options.list:
        print("\n".join(r.key for r in rows))
        return 0
    if options.page:
        write_pages(every)
        return 0
    build = pathlib.Path(options.build)
    for tool in ("loadgen", "hop_latency", "idle_connections"):
        if not (build / "bench" / tool).exists():
            sys.exit(f"run.py: no {tool} in {build}: cmake --build {build} --target {tool}")
    pairs = options.pairs or (1 if options.quick else 5)
    events = options.events or (20_000 if options.quick else 1_000_000)
    programs = contenders(options, build)
    whole = len(programs) == 4 and not options.quick
    outcomes = []
    for row in rows:
        with Folder(options.scratch) as inputs:
            bench = build / "bench"
            tools = types.SimpleNamespace(loadgen=str(bench / "loadgen"), slow_sync=str(bench / "libslow_sync.so"),
                                          hop_latency=str(bench / "hop_latency"), idle_connections=str(bench / "idle_connections"),
                                          scratch=options.scratch, inputs=inputs)
            outcomes.append(measure(row, programs, tools, pairs, events))
        if whole:
            KEPT.mkdir(parents=True, exist_ok=True)
            (KEPT / f"{row.key}.json").write_text(json.dumps(outcomes[-1], indent=1))
    if whole:
        write_pages(every)
    else:
        print(report.page(outcomes))
    # Flume at its defaults may not come to an end; ours must.
    return 1 if any(name.startswith("ours") for o in outcomes for name, _ in o["failures"]) else 0


if __name__ == "__main__":
    sys.exit(main())
