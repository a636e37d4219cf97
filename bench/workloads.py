"""The rows of the table: for each the configuration, the work, how its end is seen, its physical floor and its target.

`{batch}` lines stand in the configuration only at a contender's best: the default file says nothing that Flume does not
require. Both programs read the same text.
"""
import json
import os
import pathlib
import subprocess
import time

from measured import Agent, BenchError, Folder, Progress, free_port

LINE = 300
MIB = 1 << 20


def file_of_lines(tools, path, first, count, line=LINE, varied=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([tools.loadgen, "make", str(path), str(first), str(count), str(line),
                    *(["varied"] if varied else [])], check=True)


def link_lines(folder, tools, count, parts, name):
    """The row's lines in `parts` files, made once for all runs and linked into `folder`: the same bytes for everybody, and
    none of them still on its way to the disk when the clock starts. `name` maps a part's number to its path."""
    made = tools.inputs / f"{count}-{parts}"
    if not made.exists():
        for i in range(parts):
            first, end = count * i // parts, count * (i + 1) // parts
            file_of_lines(tools, made / str(i), first, end - first)
        os.sync()
    for i in range(parts):
        target = folder / name(i)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(made / str(i), target)


def verify(tools, count, paths):
    done = subprocess.run([tools.loadgen, "verify", str(count), *map(str, paths)], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def timed(command, cwd, more_environment=None):
    """Lines a second of a shell command over the file `floor`; the best a disk or a pipe can do here."""
    began = time.monotonic()
    subprocess.run(["bash", "-c", command], cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env={**os.environ, **(more_environment or {})})
    return time.monotonic() - began


WRITING = ("`cat` copies each byte once, inside the kernel; here each is copied out of the page cache and into it again: in a profile "
           "five in six samples of the sink's thread are in `pwrite`. A full channel holds 100,000 events of 300 bytes, 29 MiB, "
           "which is most of the peak. The rows that write vary from round to round, as the disk's write-back does.")
READING = ("`wc -l` reads and counts line ends; here one thread also checks the bytes, makes a row of a batch of every line and hands the "
           "batches over, and a second one takes and commits them.")
ROUTING = ("Each line is matched, five groups become headers of its own, and its body is copied once: what goes one way must not keep "
           "the memory of what went another. The source's one thread does all of that.")
MEMORY = """
a1.channels.{c}.type = memory
"""
MEMORY_BEST = """a1.channels.{c}.capacity = 100000
a1.channels.{c}.transactionCapacity = 1000
"""


class Workload:
    key = title = floor_command = floor_name = ""
    factor = 1.0                      # of the run's base count of events
    floor_share = None                # what part of the floor we want to reach
    flume_ratio = None                # how many times Flume at its best
    cpu_ratio = 6                     # how much less CPU an event costs than with Flume
    beside = None                     # {"key", "name", "share"} of a row of ours that this one is held against
    kind = "throughput"               # which table of the page it stands in
    bound = ""                        # where a target is missed: what limits the row
    channels = ("c1",)
    sinks = "k1"
    sink = "null"
    limit = 60                        # seconds one run may take
    line = LINE                       # bytes of an event
    best_only = False                 # defaults make no sense here
    counter = "EventTakeSuccessCount"  # of the channels: an event that counts

    def config(self, contender, folder):
        text = [f"a1.sources = r1\na1.channels = {' '.join(self.channels)}\na1.sinks = {self.sinks}\n", self.source()]
        for channel, sink in zip(self.channels, self.sinks.split()):
            text.append(MEMORY.format(c=channel) + (MEMORY_BEST.format(c=channel) if contender.best else ""))
            text.append(self.sink_text(sink, channel, contender.best))
        if contender.best and self.batch_key():
            text.append(f"a1.sources.r1.{self.batch_key()} = 1000\n")
        return "".join(text).replace("{dir}", str(folder))

    def batch_key(self):
        return "batchSize"

    def sink_text(self, sink, channel, best):
        text = f"a1.sinks.{sink}.type = {self.sink}\na1.sinks.{sink}.channel = {channel}\n"
        if self.sink == "file_roll":
            text += f"a1.sinks.{sink}.sink.directory = {{dir}}/out\na1.sinks.{sink}.sink.rollInterval = 0\n"
        key = "sink.batchSize" if self.sink == "file_roll" else "batchSize"
        return text + (f"a1.sinks.{sink}.{key} = 1000\n" if best else "")

    def run(self, contender, tools, count):
        with Folder(tools.scratch) as folder:
            self.prepare(tools, folder, count)
            os.sync()                     # what an earlier run left in the page cache is not this one's work
            with Agent(contender, folder, self.config(contender, folder), self.environment(tools)) as agent:
                agent.wait_ready(len(self.channels))
                self.settle(agent)
                progress = Progress(agent, count, self.counter)
                self.work(agent, progress, tools, folder, count)
                result = progress.result()
                agent.stop()
                if not result["unfinished"]:
                    result.update(self.receiving_end(tools, folder, count, result))
                return result

    def takes(self, contender):
        """Whether this program is measured in the row."""
        return contender.best or not self.best_only

    def shown(self, result):
        """A run's result on one line."""
        return (f"{result['rate']:,.0f} events/s, {result['cpu_per_million']:.2f} CPU s per million, "
                f"{result['peak_mib']:.0f} MiB, first after {result['first_event'] * 1000:.0f} ms")

    def environment(self, tools):
        """Variables that both programs get."""
        return {}

    def prepare(self, tools, folder, count):
        (folder / "in").mkdir()
        (folder / "out").mkdir()

    def settle(self, agent):
        """What has to be true beyond the counters' answering before the work begins."""

    def receiving_end(self, tools, folder, count, result):
        if self.sink == "null":        # nothing is kept: the channel's counters are all there is
            return {"lost": 0, "duplicates": result["excess"], "counted": "counters"}
        found = verify(tools, count, [p for p in sorted((folder / "out").rglob("*"))
                                      if p.is_file() and not p.name.endswith(".crc")])
        if found["foreign"]:
            raise BenchError(f"{found['foreign']} lines that nobody wrote")
        return {"lost": found["lost"], "duplicates": found["duplicates"], "counted": "receiver"}

    def floor(self, tools, count):
        """Events a second of the floor command, on a file of the same lines."""
        with Folder(tools.scratch) as folder:
            link_lines(folder, tools, count, 1, lambda _: "floor")
            os.sync()
            return count / timed(self.floor_command, folder)


class Netcat(Workload):
    floor_name = "loopback copy"

    def __init__(self, connections, ratio, factor):
        self.key = f"netcat-null-{connections}"
        self.title = f"netcat → null, {connections} connection{'s' if connections > 1 else ''}"
        self.connections, self.flume_ratio, self.factor = connections, ratio, factor
        self.port = None

    def source(self):
        self.port = free_port()
        return (f"a1.sources.r1.type = netcat\na1.sources.r1.bind = 127.0.0.1\na1.sources.r1.port = {self.port}\n"
                "a1.sources.r1.channels = c1\n")

    def batch_key(self):
        return None

    def settle(self, agent):
        agent.wait_listening(self.port)

    def work(self, agent, progress, tools, folder, count):
        client = subprocess.Popen([tools.loadgen, "send", str(self.port), str(self.connections), str(count), str(LINE)],
                                  stdout=subprocess.PIPE)
        try:
            progress.until_done(self.limit, lambda done: self.check_client(client, done, count))
        finally:
            client.kill() if client.poll() is None and progress.samples[-1][1] < count else client.wait()
        answer = json.loads(client.stdout.read() or "{}")
        if answer.get("ok") != count and not progress.unfinished:
            raise BenchError(f"the client got {answer}")

    @staticmethod
    def check_client(client, done, count):
        if client.poll() is not None and client.returncode != 0:
            raise BenchError(f"the load generator ended with {client.returncode} after {done} of {count}")

    def floor(self, tools, count):
        done = subprocess.run([tools.loadgen, "loopback", str(max(1, count * LINE // MIB))], check=True, stdout=subprocess.PIPE)
        answer = json.loads(done.stdout)
        return answer["bytes"] / LINE / answer["seconds"]


class Taildir(Workload):
    """Files are moved in whole, so that the agent, not a writer, sets the pace; with rotation the second half of each
    appears under the next name when 40 % is delivered."""
    floor_name, floor_command = "wc -l", "wc -l floor"

    def __init__(self, sink, files, rotated, share, ratio, factor):
        self.key = f"taildir-{sink}-{files}{'-rotated' if rotated else ''}"
        self.title = f"taildir → {sink}, {files} file{'s' if files > 1 else ''}{', rotated' if rotated else ''}"
        self.sink, self.files, self.rotated = sink, files, rotated
        self.floor_share, self.flume_ratio, self.factor = share, ratio, factor
        if sink == "file_roll":
            self.floor_name, self.floor_command = "cat F > G", "cat floor > G"
            self.bound = WRITING
        else:
            self.bound = READING

    def source(self):
        return ("a1.sources.r1.type = TAILDIR\na1.sources.r1.positionFile = {dir}/position.json\n"
                "a1.sources.r1.filegroups = g\na1.sources.r1.filegroups.g = {dir}/in/.*\\\\.log.*\n"
                "a1.sources.r1.channels = c1\n")

    def prepare(self, tools, folder, count):
        super().prepare(tools, folder, count)
        def name(i):
            wave, file = divmod(i, self.files)
            return f"wave{wave}/{file:03d}.log" + (f".{wave}" if self.rotated else "")
        link_lines(folder, tools, count, self.files * (2 if self.rotated else 1), name)

    def work(self, agent, progress, tools, folder, count):
        waves = [sorted(p.iterdir()) for p in sorted(folder.glob("wave*"))]

        def move_in(done):
            if waves and (len(waves) == 2 or not self.rotated or done >= 0.4 * count):
                for path in waves.pop(0):
                    path.rename(folder / "in" / path.name)
        move_in(0)
        progress.until_done(self.limit, move_in)


class Spooldir(Workload):
    sink, flume_ratio, floor_share = "hdfs", 25, 0.6

    def __init__(self, sync, factor):
        self.key = "spooldir-hdfs-sync" if sync else "spooldir-hdfs-nosync"
        self.title = "spooldir → hdfs on file://, " + ("synced" if sync else "fileSync = false")
        self.sync, self.factor, self.bound = sync, factor, WRITING
        if sync:
            self.flume_ratio = None       # Flume never syncs
            self.floor_name, self.floor_command = "dd conv=fdatasync", "dd if=floor of=G bs=1M conv=fdatasync"
        else:
            self.floor_name, self.floor_command = "cat F > G", "cat floor > G"

    def source(self):
        return "a1.sources.r1.type = spooldir\na1.sources.r1.spoolDir = {dir}/in\na1.sources.r1.channels = c1\n"

    def sink_text(self, sink, channel, best):
        text = (f"a1.sinks.{sink}.type = hdfs\na1.sinks.{sink}.channel = {channel}\n"
                f"a1.sinks.{sink}.hdfs.path = file://{{dir}}/out\na1.sinks.{sink}.hdfs.fileType = DataStream\n"
                f"a1.sinks.{sink}.hdfs.rollInterval = 0\na1.sinks.{sink}.hdfs.rollSize = 0\na1.sinks.{sink}.hdfs.rollCount = 0\n")
        if not self.sync:
            text += f"a1.sinks.{sink}.hdfs.fileSync = false\n"
        return text + (f"a1.sinks.{sink}.hdfs.batchSize = 1000\n" if best else "")

    def prepare(self, tools, folder, count):
        super().prepare(tools, folder, count)
        link_lines(folder, tools, count, 1, lambda _: "ready/a.log")

    def work(self, agent, progress, tools, folder, count):
        (folder / "ready" / "a.log").rename(folder / "in" / "a.log")
        progress.until_done(self.limit)


class Exec(Workload):
    """The command waits for the file, so that the clock starts with the work and not with the agent."""
    key, title, flume_ratio, floor_share = "exec-null", "exec → null", 4, 0.6
    floor_name, floor_command = "cat | cat", "cat floor | cat"

    def source(self):
        return ("a1.sources.r1.type = exec\na1.sources.r1.shell = /bin/sh -c\n"
                "a1.sources.r1.command = until [ -e {dir}/in/a.log ]; do sleep 0.02; done; exec cat {dir}/in/a.log\n"
                "a1.sources.r1.channels = c1\n")

    def prepare(self, tools, folder, count):
        super().prepare(tools, folder, count)
        link_lines(folder, tools, count, 1, lambda _: "ready/a.log")

    def work(self, agent, progress, tools, folder, count):
        (folder / "ready" / "a.log").rename(folder / "in" / "a.log")
        progress.until_done(self.limit)


class Route(Taildir):
    """Five groups taken from each line, and a route by one of them to three channels."""

    def __init__(self, factor):
        super().__init__("null", 1, False, None, 4, factor)
        self.key, self.title = "regex-route", "taildir → regex_extractor (five groups) → multiplexing → three null"
        self.channels, self.sinks = ("c1", "c2", "c3"), "k1 k2 k3"
        self.bound = ROUTING
        self.limit = 25                # Flume's default channels are too small for its own batches here: it never ends

    def source(self):
        serializers = "".join(f"a1.sources.r1.interceptors.i1.serializers.s{i}.name = {name}\n"
                              for i, name in enumerate(("number", "server", "method", "path", "status"), start=1))
        return (super().source().replace("channels = c1", "channels = c1 c2 c3")
                + "a1.sources.r1.interceptors = i1\na1.sources.r1.interceptors.i1.type = regex_extractor\n"
                + "a1.sources.r1.interceptors.i1.regex = ^(\\\\d+) (\\\\S+) (\\\\S+) (\\\\S+) (\\\\d+)\n"
                + "a1.sources.r1.interceptors.i1.serializers = s1 s2 s3 s4 s5\n" + serializers
                + "a1.sources.r1.selector.type = multiplexing\na1.sources.r1.selector.header = status\n"
                + "a1.sources.r1.selector.mapping.200 = c1\na1.sources.r1.selector.mapping.404 = c2\n"
                + "a1.sources.r1.selector.default = c3\n")


class FileChannel(Workload):
    """Clients in the agent's own process (the stress source) that put into a file channel and each wait until their batch is on
    disk. Put only: nobody takes. Drained: a null sink takes at the same time, which is what counts then. With `slow` each sync
    takes that many microseconds more, in both programs and in the floor."""
    line, best_only, sink = 500, True, "null"

    def __init__(self, clients, batch, drained, ratio, share, factor, slow=0, bound=""):
        self.clients, self.batch, self.drained, self.slow, self.bound = clients, batch, drained, slow, bound
        self.flume_ratio, self.floor_share, self.factor = ratio, share, factor
        self.key = f"file-channel-{clients}x{batch}{'-drained' if drained else ''}{'-slow' if slow else ''}"
        self.title = (f"file channel, {clients} client{'s' if clients > 1 else ''}, batch {batch}, " +
                      ("drained by a null sink" if drained else "put only") + (", 1 ms more a sync" if slow else ""))
        self.counter = "EventTakeSuccessCount" if drained else "EventPutSuccessCount"
        size = batch * self.line
        self.floor_name = ("dd conv=fdatasync" if batch >= 1000 else
                           f"dd oflag=dsync bs={size}" if clients == 1 else f"{clients} × dd oflag=dsync bs={size}")

    def config(self, contender, folder):
        text = file_channel_text([f"r{i}" for i in range(self.clients)], self.batch, self.each, self.line, self.drained)
        if self.drained:
            text += self.sink_text("k1", "c1", True)
        return text.replace("{dir}", str(folder))

    def environment(self, tools):
        return {"LD_PRELOAD": tools.slow_sync, "SLOW_SYNC_US": str(self.slow)} if self.slow else {}

    def run(self, contender, tools, count):
        self.each = count // self.clients // self.batch * self.batch
        return super().run(contender, tools, self.each * self.clients)

    def work(self, agent, progress, tools, folder, count):
        progress.until_done(self.limit)

    def receiving_end(self, tools, folder, count, result):
        return {"lost": 0, "duplicates": result["excess"], "counted": "counters"}

    def floor(self, tools, count):
        with Folder(tools.scratch) as folder:
            if self.batch >= 1000:
                blocks = count * self.line // MIB
                return count / timed(f"dd if=/dev/zero of=G bs=1M count={blocks} conv=fdatasync", folder, self.environment(tools))
            writes = 1000 if self.slow else 3000
            seconds = timed(f"dd if=/dev/zero of=G bs={self.batch * self.line} count={writes} oflag=dsync", folder,
                            self.environment(tools))
            return writes * self.batch / seconds * self.clients


def file_channel_text(stress, batch, each, size, drained):
    """A file channel and stress sources that give it `each` events."""
    text = (f"a1.sources = {' '.join(stress)}\na1.channels = c1\na1.sinks ={' k1' if drained else ''}\n"
            "a1.channels.c1.type = file\na1.channels.c1.checkpointDir = {dir}/checkpoint\na1.channels.c1.dataDirs = {dir}/data\n"
            "a1.channels.c1.capacity = 20000000\n")
    for name in stress:
        text += (f"a1.sources.{name}.type = org.apache.flume.source.StressSource\na1.sources.{name}.size = {size}\n"
                 f"a1.sources.{name}.batchSize = {batch}\na1.sources.{name}.maxTotalEvents = {each}\n"
                 f"a1.sources.{name}.channels = c1\n")
    return text


class FileChannelStart(Workload):
    """An agent is killed with -9 while events wait in its file channel; another starts on what it left and a null sink drains it.
    First event: from exec to the first event that the sink has taken."""
    line, best_only, limit = 500, True, 900
    bound = "What was just written is read from the page cache, checked and counted out; one thread does it."

    def __init__(self, waiting, ratio):
        self.flume_ratio, self.factor = ratio, waiting / 1_000_000
        self.key = f"file-channel-start-{waiting // 1_000_000}m"
        self.title = f"file channel, start after kill -9 with {waiting // 1_000_000:,} million events waiting, then drained"
        self.floor_name = "cat F > /dev/null"

    def run(self, contender, tools, count):
        with Folder(tools.scratch) as folder:
            fill = file_channel_text(["r1"], 1000, count, self.line, False).replace("{dir}", str(folder))
            with Agent(contender, folder, fill) as agent:
                Progress(agent, count, "EventPutSuccessCount").until_done(self.limit)
                if agent.total("EventPutSuccessCount") < count:
                    raise BenchError(f"{count} events were not put within {self.limit} s")
                agent.kill()
            idle = f"a1.sources.r1.type = netcat\na1.sources.r1.bind = 127.0.0.1\na1.sources.r1.port = {free_port()}\n"
            drain = file_channel_text([], 0, 0, 0, True).replace("a1.sources =", "a1.sources = r1").replace("{dir}", str(folder))
            drain += idle + "a1.sources.r1.channels = c1\n" + self.sink_text("k1", "c1", True)
            with Agent(contender, folder, drain) as agent:
                progress = Progress(agent, count)
                progress.began = agent.started
                progress.until_done(self.limit)
                return {**progress.result(), "lost": 0, "duplicates": 0, "counted": "counters"}

    def floor(self, tools, count):
        with Folder(tools.scratch) as folder:
            timed(f"dd if=/dev/zero of=F bs=1M count={count * self.line // MIB}", folder)
            return count / timed("cat F > /dev/null", folder)


class StartAndIdle(Netcat):
    """No events at all: from exec to listening, then memory, switches and CPU of an agent that has nothing to do."""

    def __init__(self, seconds):
        super().__init__(1, None, 0)
        self.key, self.title, self.seconds = "start-idle", "start and idle (netcat → null)", seconds
        self.kind = "idle"

    def shown(self, result):
        return f"{result['listening'] * 1000:.0f} ms to listening, {result['resident_mib']:.1f} MiB"

    def run(self, contender, tools, _count):
        with Folder(tools.scratch) as folder:
            config = self.config(contender, folder)
            with Agent(contender, folder, config) as agent:
                listening = agent.wait_listening(self.port)
                agent.wait_ready(1)
                time.sleep(2)              # the start's own work is not idleness
                agent.connection = None
                switches, cpu, began = agent.voluntary_switches(), agent.cpu_seconds(), time.monotonic()
                time.sleep(self.seconds)
                elapsed = time.monotonic() - began
                return {"listening": listening, "resident_mib": agent.resident_mib(),
                        "switches": (agent.voluntary_switches() - switches) / elapsed,
                        "cpu_ms": (agent.cpu_seconds() - cpu) / elapsed * 1000}


ONE_CLIENT = ("One client waits for each sync: it cannot be faster than the bare loop of writes and syncs. Per put two threads wake each "
              "other, and the kernel's part of a sync is the same for both programs.")
STREAM = ("The floor writes everything and syncs once; here each 500 KB are synced before the client goes on, so that writing and "
          "syncing take turns.")
SIXTEEN = ("Sixteen threads wait for their receipts: in a profile more than half of the samples are in waking them and switching to "
           "them. `file_channel_bench`'s put_from_one_thread drives as many clients from one thread.")
GROUPS = ("All sixteen clients wait for the same group of 800 KB: while it is written and synced nobody has anything new to put.")


def file_channel_rows():
    slow = 1000
    return [
        FileChannel(1, 1, False, None, 0.9, 0.06, bound=ONE_CLIENT), FileChannel(1, 100, False, 6, None, 0.6, bound=ONE_CLIENT),
        FileChannel(1, 1000, False, 10, 0.6, 2, bound=STREAM), FileChannel(16, 1, False, None, 0.6, 0.15, bound=SIXTEEN),
        FileChannel(16, 100, False, 8, None, 2, bound=GROUPS), FileChannel(1, 1000, True, 20, None, 0.6, bound=STREAM),
        FileChannel(16, 100, True, 40, None, 0.4, bound=GROUPS),
        FileChannel(1, 1, False, None, 0.9, 0.01, slow, ONE_CLIENT), FileChannel(1, 100, False, None, None, 0.3, slow, ONE_CLIENT),
        FileChannel(1, 1000, False, None, None, 1, slow, STREAM), FileChannel(16, 1, False, None, 0.6, 0.1, slow, SIXTEEN),
        FileChannel(16, 100, False, None, None, 1, slow, GROUPS), FileChannel(1, 1000, True, None, None, 0.5, slow, STREAM),
        FileChannel(16, 100, True, None, None, 0.4, slow, GROUPS),
        FileChannelStart(1_000_000, 10), FileChannelStart(10_000_000, None),
    ]


def rows(quick):
    return [
        Netcat(1, 10, 2), Netcat(5, 8, 2),
        Taildir("null", 1, False, 0.5, 5, 4), Taildir("null", 10, False, 0.5, 5, 4), Taildir("null", 100, False, 0.5, 5, 4),
        Taildir("null", 10, True, 0.5, 5, 4),
        Taildir("file_roll", 1, False, 0.8, None, 2), Taildir("file_roll", 10, False, 0.8, None, 2),
        Taildir("file_roll", 100, False, 0.8, None, 2), Taildir("file_roll", 10, True, 0.8, None, 2),
        Spooldir(False, 1), Spooldir(True, 1),
        Exec(), Route(2),
        *file_channel_rows(),
        StartAndIdle(2 if quick else 10),
    ]


def scratch_default():
    return pathlib.Path("/var/tmp")        # a real disk: /tmp may be memory
