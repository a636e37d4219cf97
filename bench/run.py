#!/usr/bin/env python3
"""Macro benchmarks: the release build of this checkout against Apache Flume 1.11, in alternating runs of the same work.

  bench/run.py                      all rows, five rounds; writes docs/benchmarks.md (an hour)
  bench/run.py --quick              small counts, one round, prints the page: does everything still run? (a minute or two)
  bench/run.py --rows taildir --pairs 3
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
import workloads  # noqa: E402
from measured import BenchError, Contender  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: few events, one round, nothing written")
    parser.add_argument("--rows", default="", help="only rows whose key contains this")
    parser.add_argument("--list", action="store_true", help="print the rows' keys and end")
    parser.add_argument("--pairs", type=int, help="rounds (default 5)")
    parser.add_argument("--events", type=int, help="base number of events a run (default 1,000,000)")
    parser.add_argument("--build", default=str(ROOT / "build/release"), help="build folder with standpipe and loadgen")
    parser.add_argument("--program", help="the standpipe binary (default: found in the build folder)")
    parser.add_argument("--no-flume", action="store_true")
    parser.add_argument("--no-ours", action="store_true")
    parser.add_argument("--scratch", default=str(workloads.scratch_default()), help="folder for the data, on a real disk")
    parser.add_argument("--output", help="the page to write (default docs/benchmarks.md; with --quick standard output)")
    parser.add_argument("--json", help="also write every single measurement here")
    return parser.parse_args()


def contenders(options, build):
    found = []
    if not options.no_ours:
        program = options.program or next((str(p) for p in (build / "src/app/standpipe", build / "bin/standpipe",
                                                            build / "standpipe") if p.exists()), None)
        if program is None:
            sys.exit(f"run.py: no standpipe in {build}: cmake --preset release && cmake --build build/release "
                     "--target standpipe loadgen, or name it with --program")
        found += [Contender("ours-default", [program, "agent"], best=False), Contender("ours-best", [program, "agent"], best=True)]
    if not options.no_flume:
        home = subprocess.run([ROOT / "tests/interop/flume/install.sh"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        flume = [f"{home}/bin/flume-ng", "agent"]
        found += [Contender("flume-default", flume, best=False, java_options="-Xmx20m"),
                  Contender("flume-best", flume, best=True, java_options="-Xmx1g")]
    return found


def measure(row, programs, tools, pairs, events):
    """All rounds of one row. A program that fails twice is not tried again; the reason goes into the page."""
    count = int(events * row.factor)
    outcome = {"key": row.key, "title": row.title, "line": workloads.LINE, "events": count, "floor": [],
               "floor_name": row.floor_name, "floor_share": row.floor_share, "flume_ratio": row.flume_ratio,
               "runs": {p.name: [] for p in programs}, "failures": []}
    for turn in range(pairs):
        if count:
            outcome["floor"].append(row.floor(tools, count))
        order = programs if turn % 2 == 0 else programs[::-1]
        for program in order:
            if sum(name == program.name for name, _ in outcome["failures"]) >= 2:
                continue
            try:
                result = row.run(program, tools, count)
                outcome["runs"][program.name].append(result)
                shown = f"{result['rate']:,.0f} events/s" if "rate" in result else f"{result['listening'] * 1000:.0f} ms to listening"
            except BenchError as error:
                outcome["failures"].append((program.name, str(error).strip().splitlines()[0]))
                shown = f"FAILED: {error}"
            print(f"{row.key} {turn + 1}/{pairs} {program.name}: {shown}", file=sys.stderr, flush=True)
    return outcome


def facts(pairs):
    def git(*words):
        return subprocess.run(["git", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"command": "bench/run.py " + " ".join(sys.argv[1:]), "pairs": pairs,
            "commit": git("rev-parse", "--short=12", "HEAD") + (" with changes" if git("status", "--porcelain", "-uno") else ""),
            "date": datetime.date.today().isoformat(),
            "machine": f"{os.cpu_count()} cores ({cpu_model()}), {memory:.0f} GiB, Linux {platform.release()}"}


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def main():
    options = arguments()
    rows = [r for r in workloads.all_rows(options.quick) if options.rows in r.key]
    if options.list:
        print("\n".join(r.key for r in rows))
        return 0
    build = pathlib.Path(options.build)
    tools = types.SimpleNamespace(loadgen=str(build / "bench/loadgen"), scratch=options.scratch)
    if not pathlib.Path(tools.loadgen).exists():
        sys.exit(f"run.py: no loadgen in {build}: cmake --build {build} --target loadgen")
    pairs = options.pairs or (1 if options.quick else 5)
    events = options.events or (20_000 if options.quick else 1_000_000)
    programs = contenders(options, build)
    outcomes = [measure(row, programs, tools, pairs, events) for row in rows]
    page = report.page(facts(pairs), outcomes)
    output = options.output or (None if options.quick else str(ROOT / "docs/benchmarks.md"))
    if output:
        pathlib.Path(output).write_text(page)
    else:
        print(page)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(outcomes, indent=1))
    return 1 if any(o["failures"] for o in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
