"""The rows of two agents, one sending to the other: what a hop costs, by protocol, channel, batch and connections.

Both programs get the same two configurations. The load is made in the first agent, by the stress source or, where what the
events hold matters, by a taildir source; a null sink ends it in the second one.
"""
import json
import re
import subprocess

from measured import Agent, BenchError, Folder, Progress, free_port
from workloads import MIB, Workload, file_of_lines

PASSWORD = "changeit"
SMALL = ("Each event is a request, a lease, a batch and an answer of its own: in a profile the samples are in switches between threads, "
         "allocation and locks, hardly any in its bytes.")
WINDOWS = ("Each of the sixteen connections may have 64 requests under way, in both agents: of 100 events of 500 bytes that is 3 MiB a "
           "connection and agent. Flume has one.")
SYNCED = "Each agent waits for the disk: what is put is written and synced before it is acknowledged, twice on the way."
ZLIB = "One thread deflates the connection's one stream, by the same zlib and at the same level as Flume's, and is never idle."
CIPHER = "Each byte is encrypted and decrypted once, on the two cores that do the rest as well."
LOAD_BATCH = 1000                         # of the load and of what ends it, whatever the hop's own is


def make_stores(folder):
    """A server's key and a store that trusts it; made once a row."""
    stores = {"keystore": folder / "server.jks", "truststore": folder / "trusted.jks"}
    if not stores["truststore"].exists():
        common = ["-storetype", "JKS", "-storepass", PASSWORD, "-alias", "server"]
        certificate = folder / "server.crt"
        for command in (["-genkeypair", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=server", "-validity", "2",
                         "-ext", "san=ip:127.0.0.1", "-keypass", PASSWORD, "-keystore", stores["keystore"]],
                        ["-exportcert", "-rfc", "-file", certificate, "-keystore", stores["keystore"]],
                        ["-importcert", "-noprompt", "-file", certificate, "-keystore", stores["truststore"]]):
            subprocess.run(["keytool", *command, *common], check=True, capture_output=True, timeout=60)
    return stores


class Tiers:
    """Two agents looked at as one: what has arrived is counted in the second, what it costs in both."""

    def __init__(self, first, second):
        self.first, self.second = first, second

    def total(self, counter):
        return self.second.total(counter)

    def cpu_seconds(self):
        return self.first.cpu_seconds() + self.second.cpu_seconds()

    def peak_mib(self):
        return self.first.peak_mib() + self.second.peak_mib()


class Hop(Workload):
    floor_name = "loopback copy"
    line, best_only = 500, True

    def __init__(self, protocol, channel, batch, connections, ours, flume, over="", ratio=8, cpu=None, beside=None, bound=""):
        """`ours` and `flume`: events of a run in parts of the base count, for some seconds of either's work."""
        self.protocol, self.channel, self.batch, self.connections, self.over = protocol, channel, batch, connections, over
        self.factor, self.flume_part = ours, flume / ours
        self.flume_ratio, self.cpu_ratio, self.beside, self.bound = ratio, cpu, beside, bound
        self.key = f"hop-{protocol}-{channel}-{connections}x{batch}" + (f"-{over}" if over else "")
        self.title = (f"{protocol} hop, {channel} channels, {connections} connection{'s' if connections > 1 else ''}, "
                      f"batch {batch:,}" + (f", {over.replace('tls', 'TLS')}" if over else ""))

    # -- the two configurations -------------------------------------------------------------------------------------------

    def first_text(self, folder, port, count, stores):
        sinks = [f"k{i}" for i in range(self.connections)]
        text = f"a1.sources = r1\na1.channels = c1\na1.sinks = {' '.join(sinks)}\n"
        text += self.load_text(folder, count) + self.channel_text(folder / "first")
        for sink in sinks:
            text += (f"a1.sinks.{sink}.type = {self.protocol}\na1.sinks.{sink}.hostname = 127.0.0.1\n"
                     f"a1.sinks.{sink}.port = {port}\na1.sinks.{sink}.batch-size = {self.batch}\n"
                     f"a1.sinks.{sink}.channel = c1\n" + self.over_text(f"a1.sinks.{sink}", "truststore", stores))
        return text

    def second_text(self, folder, port, stores):
        text = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\n" + self.channel_text(folder / "second")
        text += (f"a1.sources.r1.type = {self.protocol}\na1.sources.r1.bind = 127.0.0.1\na1.sources.r1.port = {port}\n"
                 "a1.sources.r1.channels = c1\n" + self.over_text("a1.sources.r1", "keystore", stores))
        return text + f"a1.sinks.k1.type = null\na1.sinks.k1.channel = c1\na1.sinks.k1.batchSize = {LOAD_BATCH}\n"

    def load_text(self, folder, count):
        if self.over == "deflate":
            return ("a1.sources.r1.type = TAILDIR\na1.sources.r1.filegroups = g\n"
                    f"a1.sources.r1.positionFile = {folder}/position.json\na1.sources.r1.filegroups.g = {folder}/in/.*\\\\.log\n"
                    f"a1.sources.r1.batchSize = {LOAD_BATCH}\na1.sources.r1.channels = c1\n")
        return (f"a1.sources.r1.type = org.apache.flume.source.StressSource\na1.sources.r1.size = {self.line}\n"
                f"a1.sources.r1.batchSize = {LOAD_BATCH}\na1.sources.r1.maxTotalEvents = {count}\na1.sources.r1.channels = c1\n")

    def channel_text(self, folder):
        if self.channel == "memory":
            return ("a1.channels.c1.type = memory\na1.channels.c1.capacity = 100000\n"
                    f"a1.channels.c1.transactionCapacity = {LOAD_BATCH}\n")
        return (f"a1.channels.c1.type = file\na1.channels.c1.checkpointDir = {folder}/checkpoint\n"
                f"a1.channels.c1.dataDirs = {folder}/data\na1.channels.c1.capacity = 1000000\n")

    def over_text(self, component, kind, stores):
        if self.over == "deflate":
            return f"{component}.compression-type = deflate\n"
        if self.over == "tls":
            return (f"{component}.ssl = true\n{component}.{kind} = {stores[kind]}\n{component}.{kind}-password = {PASSWORD}\n"
                    f"{component}.{kind}-type = JKS\n")
        return ""

    # -- a run ------------------------------------------------------------------------------------------------------------

    def run(self, contender, tools, count):
        count = max(LOAD_BATCH, int(count * (self.flume_part if contender.is_flume else 1)) // LOAD_BATCH * LOAD_BATCH)
        stores = make_stores(tools.inputs) if self.over == "tls" else {}
        port = free_port()
        with Folder(tools.scratch) as folder:
            self.prepare(tools, folder, count)
            with Agent(contender, folder / "second", self.second_text(folder, port, stores)) as second:
                second.wait_ready(1)
                second.wait_listening(port)
                with Agent(contender, folder / "first", self.first_text(folder, port, count, stores)) as first:
                    first.wait_ready(1)
                    return self.measure(first, second, folder, count)

    def prepare(self, tools, folder, count):
        if self.over != "deflate":
            return
        lines = tools.inputs / f"{count}.log"
        if not lines.exists():
            file_of_lines(tools, lines, 0, count, self.line, varied=True)
        (folder / "in").mkdir()
        (folder / "in" / "a.log").hardlink_to(lines)

    def measure(self, first, second, folder, count):
        progress = Progress(Tiers(first, second), count, self.counter)
        progress.began = first.started
        progress.until_done(self.limit)
        result = progress.result()
        if not result["unfinished"]:
            arrived = second.total("EventPutSuccessCount")
            result.update({"lost": max(0, count - arrived), "duplicates": max(0, arrived - count), "counted": "counters"})
        return result

    def floor(self, tools, count):
        done = subprocess.run([tools.loadgen, "loopback", str(max(1, count * self.line // MIB))], check=True,
                              stdout=subprocess.PIPE)
        answer = json.loads(done.stdout)
        return answer["bytes"] / self.line / answer["seconds"]


class HopLatency(Hop):
    """Events that know when they were due, from the load generator through two agents back to it, at half of the rate that these
    carry: hop_latency.cc finds that rate first."""

    def __init__(self, channel, batch, quick):
        super().__init__("avro", channel, batch, 1, 1, 1)
        self.factor, self.kind, self.floor_name = 0, "latency", ""
        self.key = f"hop-latency-{channel}-{batch}"
        self.title = f"avro hop, {channel} channels, 1 connection, batch {batch:,}"
        self.warm, self.seconds = (4, 2) if quick else (12, 8)

    def run(self, contender, tools, _count):
        entry, between = free_port(), free_port()
        with Folder(tools.scratch) as folder:
            load = subprocess.Popen([tools.hop_latency, str(self.batch), str(self.warm), str(self.seconds)], text=True,
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                exit_port = int(load.stdout.readline())
                with Agent(contender, folder / "second", self.passing_text(folder / "second", between, exit_port)) as second:
                    second.wait_listening(between)
                    with Agent(contender, folder / "first", self.passing_text(folder / "first", entry, between)) as first:
                        first.wait_listening(entry)
                        told, complaint = load.communicate(f"{entry}\n", timeout=self.warm + self.seconds + 150)
            finally:
                load.kill()
                load.wait()
        if load.returncode != 0:
            raise BenchError(complaint.strip() or "hop_latency was ended")
        return json.loads(told)

    def passing_text(self, folder, port, target):
        return ("a1.sources = r1\na1.channels = c1\na1.sinks = k1\n" + self.channel_text(folder) +
                f"a1.sources.r1.type = avro\na1.sources.r1.bind = 127.0.0.1\na1.sources.r1.port = {port}\n"
                "a1.sources.r1.channels = c1\na1.sinks.k1.type = avro\na1.sinks.k1.hostname = 127.0.0.1\n"
                f"a1.sinks.k1.port = {target}\na1.sinks.k1.batch-size = {self.batch}\na1.sinks.k1.channel = c1\n")

    def shown(self, result):
        return (f"{result['full_rate']:,.0f} events/s at full load; at half of it p50 {result['p50_ms']:.2f} ms, "
                f"p99 {result['p99_ms']:.2f} ms")


class IdleConnections(Workload):
    """Ten thousand connections of an Avro source on which nothing happens; no matter of Flume's."""
    kind, best_only, factor, key = "connections", True, 0, "idle-connections"

    def __init__(self, quick):
        self.connections = 500 if quick else 10_000
        self.title = f"{self.connections:,} idle connections of an Avro source"

    def takes(self, contender):
        return contender.best and not contender.is_flume

    def run(self, _contender, tools, _count):
        tools.inputs.mkdir(parents=True, exist_ok=True)
        stores = make_stores(tools.inputs)
        return {"connections": self.connections,
                "each": {name: self.bytes_each(tools, kind, stores) for name, kind in
                         (("plain", "plain"), ("TLS", "tls"), ("deflate", "deflate"), ("TLS and deflate", "both"))}}

    def bytes_each(self, tools, kind, stores):
        command = [tools.idle_connections, "hold", kind, str(self.connections), str(stores["keystore"]), str(stores["truststore"]),
                   PASSWORD]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise BenchError(f"idle_connections, {kind}: {done.stderr.strip()}")
        return int(re.search(r"(-?\d+) bytes each", done.stdout)[1])

    def shown(self, result):
        return ", ".join(f"{name} {each:,} bytes each" for name, each in result["each"].items())


def rows(quick):
    """How many events a run has, in millions, of ours and of Flume's, is for some seconds of either."""
    plain = [(1, 0.5, 0.05), (100, 5, 0.6), (1000, 6, 1)]
    on_disk = [(1, 0.2, 0.01), (100, 1, 0.1), (1000, 2, 0.25)]
    one = {"key": "hop-avro-memory-1x1000", "name": "batch 1,000", "share": 1}
    one_thrift = {"key": "hop-thrift-memory-1x1000", "name": "batch 1,000", "share": 1}
    unencrypted = {"key": "hop-avro-memory-1x1000", "name": "plain", "share": 0.7}

    def plain_rows(protocol, other):
        return [Hop(protocol, "memory", batch, connections, ours, flume, cpu=10, bound=SMALL if batch == 1 else WINDOWS if connections > 1 else "",
                    beside=other if (batch, connections) == (100, 1) else None)
                for connections in (1, 16) for batch, ours, flume in plain]
    return [
        *plain_rows("avro", one),
        *(Hop("avro", "file", batch, connections, ours, flume, bound=SYNCED) for connections in (1, 16) for batch, ours, flume in on_disk),
        Hop("avro", "memory", 1000, 1, 1, 0.15, over="deflate", ratio=3, bound=ZLIB),
        Hop("avro", "memory", 1000, 1, 3, 0.6, over="tls", ratio=None, beside=unencrypted, bound=CIPHER),
        *plain_rows("thrift", one_thrift),
        *(HopLatency(channel, batch, quick) for channel in ("memory", "file") for batch in (100, 1000)),
        IdleConnections(quick),
    ]
