#!/usr/bin/env python3
"""Runs the fuzz targets of a build for a while each and prints executions and the line coverage of the code they aim at.

    ./dev fuzz [--seconds 30] [TARGET...]

A target reads seeds from tests/fuzz/seeds/<target>/ and keeps what it finds in build/fuzz-corpus/<target>/. The file
tests/fuzz/aims.txt says which sources each target aims at. Exit status 1 when a target crashed.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def aims():
    """target -> the source files whose coverage counts."""
    rows = {}
    for line in (ROOT / "tests/fuzz/aims.txt").read_text().splitlines():
        words = line.split("#")[0].split()
        if words:
            rows[words[0]] = words[1:]
    return rows


def coverage(program, profile, sources):
    merged = profile.with_suffix(".profdata")
    subprocess.run(["llvm-profdata-16", "merge", "-sparse", str(profile), "-o", str(merged)], check=True)
    export = subprocess.run(["llvm-cov-16", "export", "--summary-only", f"--instr-profile={merged}", str(program)],
                            check=True, capture_output=True, text=True).stdout
    covered = total = 0
    for entry in json.loads(export)["data"][0]["files"]:
        if any(entry["filename"].endswith("/" + source) for source in sources):
            lines = entry["summary"]["lines"]
            covered, total = covered + lines["covered"], total + lines["count"]
    return 100 * covered / total if total else 0


def run(build, target, sources, seconds):
    program = build / "tests" / "fuzz" / target
    corpus = ROOT / "build" / "fuzz-corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    seeds = ROOT / "tests/fuzz/seeds" / target
    profile = build / f"{target}.profraw"
    command = [str(program), f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
               f"-artifact_prefix={corpus.parent}/{target}-", str(corpus)] + ([str(seeds)] if seeds.is_dir() else [])
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LLVM_PROFILE_FILE": str(profile)})
    executions = re.search(r"stat::number_of_executed_units:\s*(\d+)", result.stderr)
    if result.returncode or not executions:
        print(result.stderr[-3000:])
        print(f"{target:28} FAILED, exit status {result.returncode}")
        return False
    print(f"{target:28} {int(executions.group(1)):12,} executions  {coverage(program, profile, sources):5.1f} % of {' '.join(sources)}",
          flush=True)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/fuzz")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("targets", nargs="*")
    options = parser.parse_args()
    rows = aims()
    wanted = options.targets or sorted(rows)
    results = [run(options.build.resolve(), target, rows[target], options.seconds) for target in wanted]
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    return 0 if results and all(results) else 1


sys.exit(main())
