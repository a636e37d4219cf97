#!/usr/bin/env python3
"""The main job on one machine: nginx access lines are appended to a log that rotates, an agent tails it through a channel
into files partitioned by day and hour. Shows a live line, and at the end compares lines made with lines stored.

    ./dev run [--for 20s] [--rate LINES_PER_SECOND] [--directory DIR]
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CONFIGURATION = """\
# An nginx log that rotates, into files by day and hour.
a1.sources = r1
a1.channels = c1
a1.sinks = k1

a1.sources.r1.type = TAILDIR
a1.sources.r1.filegroups = g1
a1.sources.r1.filegroups.g1 = {logs}/access.log.*
a1.sources.r1.positionFile = {work}/taildir_position.json
a1.sources.r1.batchSize = 1000
a1.sources.r1.interceptors = i1
a1.sources.r1.interceptors.i1.type = timestamp
a1.sources.r1.channels = c1

a1.channels.c1.type = memory
a1.channels.c1.capacity = 100000
a1.channels.c1.transactionCapacity = 1000

a1.sinks.k1.type = hdfs
a1.sinks.k1.hdfs.path = file://{out}/%Y-%m-%d/%H
a1.sinks.k1.hdfs.filePrefix = access
a1.sinks.k1.hdfs.fileSuffix = .log
a1.sinks.k1.hdfs.fileType = DataStream
a1.sinks.k1.hdfs.batchSize = 1000
a1.sinks.k1.hdfs.rollInterval = 30
a1.sinks.k1.hdfs.rollSize = 134217728
a1.sinks.k1.hdfs.rollCount = 0
a1.sinks.k1.hdfs.idleTimeout = 60
a1.sinks.k1.channel = c1
"""
LINES_PER_FILE = 100_000
SEQUENCE = re.compile(rb"[?&]n=(\d+) ")


class Generator(threading.Thread):
    """Appends numbered lines and rotates by rename-and-create, as logrotate does."""

    def __init__(self, log, rate):
        super().__init__(daemon=True)
        self.log, self.rate, self.made = log, rate, 0
        self.bytes = 0
        self.ending = threading.Event()

    def run(self):
        out = open(self.log, "ab", buffering=0)
        rotations, in_file, began = 0, 0, time.monotonic()
        while not self.ending.is_set():
            due = int((time.monotonic() - began) * self.rate) - self.made
            chunk = b"".join(self.line(self.made + i) for i in range(min(due, 5000)))
            if chunk:
                out.write(chunk)
                self.bytes += len(chunk)
                self.made += min(due, 5000)
                in_file += min(due, 5000)
            if in_file >= LINES_PER_FILE:
                out.close()
                rotations, in_file = rotations + 1, 0
                os.rename(self.log, f"{self.log}.{rotations}")
                out = open(self.log, "ab", buffering=0)
            self.ending.wait(0.02)
        out.close()

    @staticmethod
    def line(number):
        now = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
        return (f'10.0.{number >> 8 & 255}.{number & 255} - - [{now}] "GET /item/{number % 977}?n={number} HTTP/1.1" 200 '
                f'{512 + number % 4096} "https://shop.example/list?page={number % 31}" "Mozilla/5.0 (X11; Linux x86_64) '
                f'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"\n').encode()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def metrics(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return {}


def number(values, component, name):
    return float(values.get(component, {}).get(name, 0) or 0)


def stored(out):
    """(lines, different sequence numbers) in all finished and unfinished files."""
    lines, seen = 0, set()
    for path in out.rglob("*"):
        if path.is_file():
            for line in path.read_bytes().splitlines():
                lines += 1
                match = SEQUENCE.search(line)
                if match:
                    seen.add(int(match.group(1)))
    return lines, seen


def seconds(text):
    units = {"s": 1, "m": 60, "h": 3600}
    return float(text[:-1]) * units[text[-1]] if text[-1] in units else float(text)


def ended_by_ctrl_c():
    """Set by the first Ctrl-C. Those that follow change nothing: the agent is ended in order all the same."""
    pressed = threading.Event()

    def end(*unused):
        pressed.set()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Python's own end would bring the default back

    signal.signal(signal.SIGINT, end)
    return pressed


def watch(port, generator, out, agent, until, ended):
    """The live line, until the time is over, Ctrl-C, or the agent ends."""
    before, then = 0.0, time.monotonic()
    interactive = sys.stdout.isatty()
    while time.monotonic() < until and agent.poll() is None and not ended.wait(1):  # the pace of the display
        values, now = metrics(port), time.monotonic()
        drained = number(values, "SINK.k1", "EventDrainSuccessCount")
        rate = (drained - before) / (now - then)
        mean = generator.bytes / max(generator.made, 1)
        files = sum(1 for path in out.rglob("*") if path.is_file())
        text = (f"{rate:10,.0f} events/s {rate * mean / 2**20:8.1f} MiB/s   channel "
                f"{number(values, 'CHANNEL.c1', 'ChannelFillPercentage'):5.1f} %   {files} files   {drained:,.0f} events")
        print(("\r" if interactive else "") + text, end="" if interactive else "\n", flush=True)
        before, then = drained, now
    if interactive:
        print()


def wait_until_drained(port, generator, agent):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and agent.poll() is None:
        if number(metrics(port), "SINK.k1", "EventDrainSuccessCount") >= generator.made:
            return
        time.sleep(0.05)  # the pace of the look


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--for", dest="duration", type=seconds, default=float("inf"), metavar="20s")
    parser.add_argument("--rate", type=int, default=20_000, help="lines per second (20000)")
    parser.add_argument("--directory", type=pathlib.Path, help="where everything lies (a temporary folder)")
    options = parser.parse_args()

    work = options.directory or pathlib.Path(tempfile.mkdtemp(prefix="standpipe-run-"))
    work = work.resolve()
    logs, out = work / "logs", work / "out"
    for folder in (logs, out):
        folder.mkdir(parents=True, exist_ok=True)
    configuration = work / "a1.conf"
    configuration.write_text(CONFIGURATION.format(logs=logs, out=out, work=work).replace("access.log.*", "access\\\\.log.*"))
    port = free_port()
    command = [str(ROOT / "bin" / "flume-ng"), "agent", "--conf", str(work), "--conf-file", str(configuration), "--name", "a1",
               "-Dflume.monitoring.type=http", f"-Dflume.monitoring.port={port}", "-Dflume.monitoring.host=127.0.0.1",
               "-Dflume.root.logger=INFO,LOGFILE", f"-Dflume.log.dir={work}"]
    print(f"log:           {logs}/access.log (rotates every {LINES_PER_FILE:,} lines)\n"
          f"configuration: {configuration}\nfiles:         {out}/<day>/<hour>/\n"
          f"agent's log:   {work}/flume.log\nmetrics:       http://127.0.0.1:{port}/metrics  /metrics/prometheus  /healthz\n"
          f"command:       {' '.join(command)}\n")
    generator = Generator(str(logs / "access.log"), options.rate)
    ended = ended_by_ctrl_c()
    agent = subprocess.Popen(command, start_new_session=True)  # Ctrl-C is for us: we end it in order
    generator.start()
    watch(port, generator, out, agent, time.monotonic() + options.duration, ended)
    generator.ending.set()
    generator.join()
    wait_until_drained(port, generator, agent)
    agent.send_signal(signal.SIGTERM)
    status = agent.wait(timeout=60)

    lines, seen = stored(out)
    unfinished = sum(1 for path in out.rglob("*.tmp"))
    missing, twice = generator.made - len(seen), lines - len(seen)
    print(f"lines made {generator.made:,}   stored {lines:,}   missing {missing:,}   twice {twice:,}   "
          f"files {sum(1 for path in out.rglob('*') if path.is_file())}   unfinished {unfinished}   agent's exit status {status}")
    good = missing == 0 and twice == 0 and status == 0 and generator.made > 0 and unfinished == 0
    print("every line was stored once" if good else f"NOT in order: see {work}/flume.log")
    if good and options.directory is None and options.duration != float("inf"):
        shutil.rmtree(work)
    return 0 if good else 1


sys.exit(main())
