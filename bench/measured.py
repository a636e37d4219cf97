"""A process that is looked at while it runs: CPU time, peak memory, switches, and the agent's counters."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

CLOCK_TICK = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """A run that cannot be measured; the message says why."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Contender:
    """One way to run an agent. `batch` fills the configuration's {batch}, {settings} where given override defaults."""

    def __init__(self, name, command, best, java_options=None):
        self.name, self.command, self.best, self.java_options = name, command, best, java_options

    @property
    def is_flume(self):
        return self.java_options is not None


class Agent:
    """A started agent. Use as a context manager: it is ended and reaped whatever happens."""

    def __init__(self, contender, folder, config, more_environment=None):
        self.folder = pathlib.Path(folder)
        (self.folder / "conf").mkdir(parents=True, exist_ok=True)
        conf = self.folder / "agent.conf"
        conf.write_text(config)
        self.monitoring_port = free_port()
        environment = {**os.environ, "HOME": str(self.folder), **(more_environment or {})}
        options = []
        if contender.is_flume:
            environment["JAVA_OPTS"] = contender.java_options
            options = ["-Duser.home=" + str(self.folder)]
        self.log = open(self.folder / "agent.log", "wb")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [*contender.command, "--conf", str(self.folder / "conf"), "--conf-file", str(conf), "--name", "a1",
             "-Dflume.monitoring.type=http", f"-Dflume.monitoring.port={self.monitoring_port}", *options],
            cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            start_new_session=True)
        self.connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, patience=30):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=patience)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.log.close()

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def counters(self):
        """The groups of /metrics; {} while nobody answers there."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.monitoring_port, timeout=10)
            self.connection.request("GET", "/metrics")
            return json.loads(self.connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            self.connection = None
            if self.process.poll() is not None:
                tail = (self.folder / "agent.log").read_text(errors="replace")[-2000:]
                raise BenchError(f"the agent ended with status {self.process.returncode}:\n{tail}") from None
            return {}

    def total(self, counter, kind="CHANNEL"):
        return sum(int(values.get(counter, 0)) for name, values in self.counters().items() if name.startswith(kind + "."))

    def wait_until(self, condition, limit, pause=0.02):
        ends = time.monotonic() + limit
        while not (value := condition()):
            if time.monotonic() > ends:
                raise BenchError(f"not within {limit} s")
            time.sleep(pause)
        return value

    def wait_ready(self, channels):
        """Counters of every channel answer and the sources have been started: only then work is given to it."""
        self.wait_until(lambda: sum(n.startswith("CHANNEL.") for n in self.counters()) >= channels, 60)

    def wait_listening(self, port):
        """Seconds from exec to the first connection that is accepted."""
        def try_connect():
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", port)) == 0
        self.wait_until(try_connect, 60, pause=0.001)
        return time.monotonic() - self.started

    def cpu_seconds(self):
        fields = self.proc("stat").rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICK

    def status(self, key):
        for line in self.proc("status").splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1])
        return 0

    def peak_mib(self):
        return self.status("VmHWM") / 1024

    def resident_mib(self):
        return self.status("VmRSS") / 1024

    def voluntary_switches(self):
        total = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            for line in (task / "status").read_text().splitlines():
                if line.startswith("voluntary_ctxt_switches:"):
                    total += int(line.split()[1])
        return total

    def proc(self, name):
        return pathlib.Path(f"/proc/{self.process.pid}/{name}").read_text()


class Progress:
    """Events delivered over time. The rate leaves out the first quarter: start delays and, for a JVM, compiling."""

    def __init__(self, agent, count, counter="EventTakeSuccessCount"):
        self.agent, self.count, self.counter = agent, count, counter
        self.began = time.monotonic()
        self.before = agent.total(counter)     # of work that begins with the agent
        self.cpu_before = agent.cpu_seconds()
        self.first_event = None
        self.unfinished = False
        self.samples = []

    def until_done(self, limit, between=lambda done: None):
        """Polls until all events were taken or the time is over. `between` is called with the count after each look."""
        ends = time.monotonic() + limit
        while True:
            done, now = self.agent.total(self.counter), time.monotonic()
            if done and self.first_event is None:
                self.first_event = now - self.began
            self.samples.append((now, done))
            if done >= self.count:
                return
            if now > ends:
                self.unfinished = True
                return
            between(done)
            time.sleep(0.003 if self.first_event is None else 0.01)

    def result(self):
        end_time, end_count = self.samples[-1]
        if not end_count:
            raise BenchError(f"not one of {self.count} events within {end_time - self.began:.0f} s")
        quarter = next((t, n) for t, n in self.samples if n >= end_count / 4)
        if end_time > quarter[0]:
            rate = (end_count - quarter[1]) / (end_time - quarter[0])
        else:                      # over before the second look
            rate = end_count / (end_time - self.began)
        return {
            "rate": rate,
            "whole_rate": end_count / (end_time - self.began),
            "first_event": self.first_event,
            "cpu_per_million": (self.agent.cpu_seconds() - self.cpu_before) / max(1, end_count - self.before) * 1e6,
            "peak_mib": self.agent.peak_mib(),
            "excess": max(0, end_count - self.count),
            "unfinished": f"{end_count:,} of {self.count:,} events in {end_time - self.began:.0f} s" if self.unfinished else "",
        }


class Folder:
    """A fresh folder that is removed again; the data of a run can be a few hundred megabytes."""

    def __init__(self, base):
        self.path = pathlib.Path(base) / f"bench-{os.getpid()}-{time.monotonic_ns()}"

    def __enter__(self):
        self.path.mkdir(parents=True)
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)
