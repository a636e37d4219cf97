#!/usr/bin/env python3
"""run.py STANDPIPE: 100,000 numbered events into receivers of real Spark Streaming 2.4.8, pulled from our Spark sink by
a job that is killed and started again, with and without Spark's write-ahead log; and pushed by our Avro sink, plain and
with deflate. Headers and bodies of every event are compared. Exits 77, saying why, where Spark is not installed and can't be.
"""
import collections
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from agents import Agent, free_port, wait_for  # noqa: E402
from avro_peer import send_batch  # noqa: E402

EVENTS = 100_000
PIECE = 1000  # events that go into the agent at a time
KILL_AT = 20_000  # events that are acknowledged when the first job is killed
TIMEOUT = 5  # seconds until an unacknowledged batch goes back
OPENED = ["java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util", "java.util.concurrent",
          "java.util.concurrent.atomic", "sun.nio.ch", "sun.nio.cs", "sun.security.action", "sun.util.calendar"]


def install():
    for tool in ("java", "javac", "mvn"):
        if not shutil.which(tool):
            return None, f"'{tool}' is missing"
    result = subprocess.run([HERE / "install.sh"], capture_output=True, text=True, check=False)
    return (pathlib.Path(result.stdout.strip()), "") if result.returncode == 0 else (None, result.stderr.strip()[-2000:])


def event(number):
    body = f"{number} ".encode() + bytes(range(256))[:number % 257]
    return (("größe", "日本"), ("n", str(number))), body


def line(number):
    headers, body = event(number)
    return "{" + ", ".join(f"{name}={value}" for name, value in headers) + "} " + f"{zlib.crc32(body):x}"


class Job:
    """A Spark job in a process of its own; killed at the end of the with-block if it still runs."""

    def __init__(self, spark, work, *arguments):
        self.log = work / "job.log"
        work.mkdir(parents=True, exist_ok=True)
        command = ["java", *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED), "-Djava.net.preferIPv4Stack=true",
                   f"-Djava.io.tmpdir={work}", f"-Dspark.local.dir={work}", "-Dfile.encoding=UTF-8", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                   "-Xmx640m", "-cp", f"{spark}/classes:{spark}/lib/*", "SparkJob", *map(str, arguments)]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=work, env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"})

    def __enter__(self):
        return self

    def __exit__(self, kind, *unused):
        self.kill()
        if kind:
            print(f"the end of {self.log}:\n{self.log.read_text(errors='replace')[-3000:]}", file=sys.stderr)

    def signal(self, number):
        self.process.send_signal(number)

    def stand_still(self):
        self.signal(signal.SIGSTOP)
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        wait_for(lambda: all(" T " in (task / "stat").read_text() for task in tasks.iterdir()), "the job stands still")

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait(60)

    def runs(self):
        assert self.process.poll() is None, f"the job has ended: {self.log.read_text(errors='replace')[-3000:]}"
        return True


class Output:
    """The lines that a job has written, read file by file."""

    def __init__(self, folder):
        self.folder, self.known, self.times = folder, set(), collections.Counter()

    def look(self):
        for file in list(self.folder.glob("[0-9]*")):
            if file.name not in self.known and file.is_file():
                self.known.add(file.name)
                self.times.update(file.read_text(encoding="utf-8").splitlines())
        return self.times

    def expect(self, numbers, what, job):
        """Exactly these come, and each at least once; how many of them came again."""
        expected = {line(number) for number in numbers}
        wait_for(lambda: job.runs() and len(self.look()) >= len(expected), what, seconds=180)
        missing, strange = expected - set(self.times), set(self.times) - expected
        assert not missing and not strange, f"{what}: {len(missing)} missing, {len(strange)} that should not be there, as {list(strange)[:3]}"
        return sum(self.times.values()) - len(self.times)


def metrics(port, component="SINK.k1"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return {name: int(value) for name, value in json.load(answer).get(component, {}).items() if str(value).isdigit()}


def feed(port):
    for first in range(0, EVENTS, PIECE):
        send_batch(port, [event(number) for number in range(first, first + PIECE)])


def source_text(entry, channels):
    names = " ".join(channels)
    text = f"""a1.sources = r1
a1.channels = {names}
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = {entry}
a1.sources.r1.channels = {names}
"""
    return text + "".join(f"a1.channels.{c}.type = memory\na1.channels.{c}.capacity = {EVENTS}\na1.channels.{c}.transactionCapacity = {PIECE}\n"
                          for c in channels)


def agent(standpipe, folder, text, monitor):
    command = [standpipe, "agent", "-Dflume.monitoring.type=http", f"-Dflume.monitoring.port={monitor}"]
    return Agent(command, folder, text)


class Pulled:
    """An agent with a Spark sink that holds all events, and a job that is killed while it pulls them."""

    def __init__(self, standpipe, spark, work, connections, durable):
        self.spark, self.work = spark, work
        self.entry, self.port, self.monitor = free_port(), free_port(), free_port()
        self.arguments = ["pull", work / "out", work / "checkpoint" if durable else "-", 200, *[self.port] * connections]
        text = source_text(self.entry, ["c1"]) + f"""a1.sinks = k1
a1.sinks.k1.type = org.apache.spark.streaming.flume.sink.SparkSink
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = {self.port}
a1.sinks.k1.timeout = {TIMEOUT}
a1.sinks.k1.channel = c1
"""
        self.agent = agent(standpipe, work / "agent", text, self.monitor)

    def job(self, number):
        arguments = list(self.arguments)
        if arguments[2] == "-":
            arguments[1] = self.work / f"out{number}"
        return Job(self.spark, self.work / f"job{number}", *arguments), Output(arguments[1])

    def counters(self):
        return metrics(self.monitor)

    def kill_one_at_work(self):
        """How many events its receiver had acknowledged."""
        wait_for(lambda: self.agent.process.poll() is None and "listening on" in self.agent.text(), "the agent listens")
        feed(self.entry)
        job, output = self.job(1)
        with job:
            wait_for(lambda: job.runs() and self.counters().get("EventDrainSuccessCount", 0) >= KILL_AT, "the job pulls", seconds=120)
            self.stop_with_a_batch(job)
            job.kill()
        counters = self.settled()
        acknowledged = counters["EventDrainSuccessCount"]
        assert acknowledged < EVENTS, "the job was faster than its killer"
        return acknowledged, counters["EventDrainAttemptCount"] - acknowledged, output

    def stop_with_a_batch(self, job):
        """It stands still while it has something that it has not acknowledged."""
        def holds_one():
            job.stand_still()
            counters = self.steady()
            if counters["EventDrainAttemptCount"] > counters["EventDrainSuccessCount"]:
                return True
            job.signal(signal.SIGCONT)
            return False
        wait_for(holds_one, "the job has a batch")

    def settled(self):
        """The counters once the sink has seen its receivers go, and what they sent last."""
        wait_for(lambda: self.counters()["ConnectionClosedCount"] == self.counters()["ConnectionCreatedCount"], "the sink sees it go")
        return self.steady()

    def steady(self):
        before = self.counters()
        while (now := self.counters())["EventDrainSuccessCount"] != before["EventDrainSuccessCount"]:
            before = now
        return now


def pull(standpipe, spark, work):
    """One connection, so that the acknowledged events are the first ones: the second job gets exactly the others."""
    flow = Pulled(standpipe, spark, work, 1, durable=False)
    with flow.agent:
        acknowledged, open_, _ = flow.kill_one_at_work()
        job, output = flow.job(2)
        with job:
            again = output.expect(range(acknowledged, EVENTS), "what was not acknowledged comes again", job)
            wait_for(lambda: flow.counters()["EventDrainSuccessCount"] == EVENTS, "all is acknowledged")
        assert again == 0, f"{again} events came twice"
        counters = flow.counters()
        assert counters.get("LateAckCount", 0) == 0, counters
        print(f"ok: pull: killed after {acknowledged} of {EVENTS} events with {open_} more handed out; the next job got exactly the others")


def pull_durable(standpipe, spark, work):
    """Three connections, with a write-ahead log and a checkpoint: nothing is missing from what the job has written."""
    flow = Pulled(standpipe, spark, work, 3, durable=True)
    with flow.agent:
        acknowledged, open_, _ = flow.kill_one_at_work()
        job, output = flow.job(2)
        with job:
            again = output.expect(range(EVENTS), "the output is complete", job)
        print(f"ok: pull with a write-ahead log, 3 connections: killed after {acknowledged} of {EVENTS} events with {open_} more handed out; "
              f"none is missing, {again} are there twice")


def push(standpipe, spark, work):
    entry, monitor, plain, deflate = free_port(), free_port(), free_port(), free_port()
    text = source_text(entry, ["c1", "c2"]) + "a1.sinks = k1 k2\n"
    for number, port in ((1, plain), (2, deflate)):
        text += f"""a1.sinks.k{number}.type = avro
a1.sinks.k{number}.hostname = 127.0.0.1
a1.sinks.k{number}.port = {port}
a1.sinks.k{number}.batch-size = 1000
a1.sinks.k{number}.channel = c{number}
"""
    text += "a1.sinks.k2.compression-type = deflate\n"
    with agent(standpipe, work / "agent", text, monitor) as ours, \
            Job(spark, work / "job", "push", work / "out", "-", 1000, plain, deflate) as job:
        wait_for(lambda: "listening on" in ours.text(), "the agent listens")
        feed(entry)
        for folder, what in (("0", "plain"), ("1", "deflate")):
            again = Output(work / "out" / folder).expect(range(EVENTS), f"pushed, {what}", job)
            print(f"ok: push, {what}: {EVENTS} events, {again} twice")


def main():
    spark, why = install()
    if not spark:
        print(f"spark_receivers: skipped: Spark can't be installed: {why}")
        return 77
    standpipe = pathlib.Path(sys.argv[1]).resolve()
    chosen = sys.argv[2:]
    work = pathlib.Path(tempfile.mkdtemp(prefix="spark-receivers-"))
    try:
        for part in (pull, pull_durable, push):
            if chosen and part.__name__ not in chosen:
                continue
            began = time.monotonic()
            part(standpipe, spark, work / part.__name__)
            print(f"    {time.monotonic() - began:.0f} s", flush=True)
    except BaseException:
        print(f"what was written stays in {work}", file=sys.stderr)
        raise
    shutil.rmtree(work)
    return 0


sys.exit(main())
