#!/usr/bin/env python3
"""Runs the scenarios of this folder against this checkout's program, or (--against-flume) against Apache Flume 1.11.

The last line is 'N passed, N failed, N skipped'; the exit status is 1 when one failed. `--compatibility` prints the
manual's compatibility page, made from the scenarios' `== differs` notes.
"""
import argparse
import concurrent.futures
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import compatibility  # noqa: E402
from player import Failed, Player, Program, Skipped  # noqa: E402
from scenario import ScenarioError, parse  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="*", help="files to run instead of all")
    parser.add_argument("--program", help="the standpipe binary (default: bin/flume-ng and bin/standpipe of the checkout)")
    parser.add_argument("--against-flume", action="store_true", help="put real Flume 1.11 in the program's place")
    parser.add_argument("--filter", default="", help="only scenarios whose name contains this")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help="keep the folders of all runs, not only of failed ones")
    parser.add_argument("--compatibility", action="store_true", help="print the compatibility page and end")
    return parser.parse_args()


def choose_program(options):
    if options.against_flume:
        install = ROOT / "tests/interop/flume/install.sh"
        home = subprocess.run([str(install)], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        return Program("flume", [f"{home}/bin/flume-ng", "agent"])
    if options.program:
        path = str(pathlib.Path(options.program).resolve())
        return Program("standpipe", [path, "agent"], [path, "check"])
    return Program("standpipe", [str(ROOT / "bin/flume-ng"), "agent"], [str(ROOT / "bin/standpipe"), "check"])


def play(path, program, keep):
    """(verdict, line to print) of one scenario."""
    started = time.monotonic()
    player = None
    try:
        scenario = parse(path)
        player = Player(scenario, program)
        player.play()
        verdict, text = "passed", ""
    except Skipped as reason:
        verdict, text = "skipped", f": {reason}"
    except (Failed, ScenarioError) as error:
        verdict, text = "failed", f": {error}"
    except Exception as error:  # pylint: disable=broad-except  # one broken scenario must not end the others
        verdict, text = "failed", f": {type(error).__name__}: {error}"
    if player is not None:
        if verdict == "failed":
            tail = "\n".join("    | " + line for line in player.log_lines()[-12:])
            text += f"\n    kept: {player.folder}\n{tail}"
        elif not keep:
            player.cleanup()
    return verdict, f"{verdict:8}{pathlib.Path(path).stem} ({time.monotonic() - started:.1f} s){text}"


def main():
    options = arguments()
    paths = [pathlib.Path(p) for p in options.scenario] or sorted(HERE.glob("*.scenario"))
    paths = [p for p in paths if options.filter in p.stem]
    if options.compatibility:
        print(compatibility.page([parse(p) for p in paths]), end="")
        return 0
    program = choose_program(options)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    with concurrent.futures.ThreadPoolExecutor(max_workers=options.jobs) as pool:
        for verdict, line in pool.map(lambda p: play(p, program, options.keep), paths):
            counts[verdict] += 1
            print(line, flush=True)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
