"""What the examples have in common: agents as processes, a log that grows, lines counted where they arrive."""
import argparse
import contextlib
import json
import os
import pathlib
import random
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

HERE = pathlib.Path(__file__).resolve().parent
NUMBER = re.compile(rb"\bn=(\d+)\b")


def free_port():
    """Below the ports that the system gives to who connects."""
    while True:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", random.randrange(15000, 32000))) as server:
            return server.getsockname()[1]


def wait_until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"NOT in order: {what}: not within {seconds} s")
        time.sleep(0.02)  # the pace of the look


class Example:
    """The command line, the folder in which everything lies, and the agents."""

    def __init__(self, text, arguments=()):
        parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--rate", type=int, default=2000, help="lines per second and log (2000)")
        parser.add_argument("--directory", type=pathlib.Path, help="where everything lies (a temporary folder, removed)")
        parser.add_argument("--program", type=pathlib.Path, default=HERE.parent.parent / "bin" / "standpipe")
        for name, options in arguments:
            parser.add_argument(name, **options)
        self.options = parser.parse_args()
        self.keep = self.options.directory is not None
        self.work = (self.options.directory or pathlib.Path(tempfile.mkdtemp(prefix="standpipe-tiers-"))).resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        self.agents, self.logs = [], []
        print(f"everything lies in {self.work}")

    def __enter__(self):
        return self

    def __exit__(self, kind, *unused):
        for log in self.logs:
            log.end()
        for agent in self.agents:
            agent.kill()
        if kind is None and not self.keep:
            shutil.rmtree(self.work)

    def agent(self, name, configuration, **values):
        """Starts an agent. `values` are what the configuration file finds in the environment."""
        agent = Agent(self, name, HERE / configuration, {**values, "WORK": str(self.work / name)})
        self.agents.append(agent)
        return agent

    def log(self, path, line=None):
        log = GrowingLog(path, self.options.rate, line) if line else GrowingLog(path, self.options.rate)
        self.logs.append(log)
        return log

    def stop_agents(self):
        """In order, the senders first: what is under way arrives."""
        for agent in reversed(self.agents):
            agent.stop()


class Agent:
    def __init__(self, example, name, configuration, values):
        self.example, self.name, self.configuration, self.values = example, name, configuration, values
        self.work = example.work / name
        self.work.mkdir(parents=True, exist_ok=True)
        self.monitoring = free_port()
        self.start()

    def start(self):
        command = [str(self.example.options.program), "agent", "--name", "a1", "--conf-file", str(self.configuration),
                   "--no-reload-conf", "-Dflume.root.logger=INFO,console", f"-Dstandpipe.state.dir={self.work}/state",
                   "-Dflume.monitoring.type=http", "-Dflume.monitoring.host=127.0.0.1",
                   f"-Dflume.monitoring.port={self.monitoring}"]
        with open(self.work / "agent.log", "ab") as log:
            self.process = subprocess.Popen(command, env={**os.environ, **self.values}, stdout=log, stderr=log,
                                            start_new_session=True)  # Ctrl-C is for us: we end it in order
        values = " ".join(f"{key}={value}" for key, value in self.values.items())
        print(f"  {self.name}: {values} {' '.join(command[:6])}")

    def counter(self, component, name):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.monitoring}/metrics", timeout=2) as answer:
                return int(json.load(answer).get(component, {}).get(name, 0))
        except (OSError, ValueError):
            return 0

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        if status != 0:
            raise SystemExit(f"NOT in order: {self.name} ended with {status}, see {self.work}/agent.log")


class GrowingLog(threading.Thread):
    """Appends numbered lines, `rate` a second, until it is told to end."""

    def __init__(self, path, rate, line=lambda number: f"GET /item/{number % 977}?n={number}"):
        super().__init__(daemon=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.rate, self.line, self.made = path, rate, line, 0
        self.ending = threading.Event()
        self.start()

    def run(self):
        began = time.monotonic()
        with open(self.path, "ab", buffering=0) as out:
            while not self.ending.wait(0.02):  # the pace of the log
                due = int((time.monotonic() - began) * self.rate)
                out.write("".join(f"{self.line(number)}\n" for number in range(self.made, due)).encode())
                self.made = due

    def end(self):
        self.ending.set()
        self.join()


def numbers_in(folder):
    """The numbers of all lines in all files below."""
    return [int(match[1]) for path in sorted(folder.rglob("*")) if path.is_file()
            for match in map(NUMBER.search, path.read_bytes().splitlines()) if match]


def compare(what, expected, stored):
    """Prints how many are missing and how many came twice; whether none is missing."""
    missing = len(set(expected) - set(stored))
    twice = len(stored) - len(set(stored))
    foreign = len(set(stored) - set(expected))
    print(f"{what}: made {len(expected):,}   stored {len(stored):,}   missing {missing:,}   twice {twice:,}"
          + (f"   NOT meant for it {foreign:,}" if foreign else ""))
    return missing == 0 and foreign == 0 and len(expected) > 0


def verdict(good, text):
    print(text if good else "NOT in order")
    return 0 if good else 1


def seconds(text):
    return float(text.removesuffix("s"))


FOR = ("--for", {"dest": "duration", "type": seconds, "default": 10.0, "metavar": "10s", "help": "how long lines are made"})


def run(main):
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
