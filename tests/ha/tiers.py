"""Three agents and two collectors, the lines that go in, and what is seen of them behind the collectors."""
import array
import collections
import os
import pathlib
import re
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop" / "support"))
from agents import Agent  # noqa: E402

AGENTS = 3
BATCH = 100
WINDOW = 64  # requests that two of our agents have under way on a connection
REQUEST_TIMEOUT_S = 2
MAX_PENALTY_S = 10
REPLICAS = ("a", "b")
LINE_PADDING = "x" * 180

AGENT = """\
a1.sources = r1
a1.channels = c1
a1.sinks = k1 k2
a1.sinkgroups = g1
a1.sinkgroups.g1.sinks = k1 k2
{group}
a1.sources.r1.type = spooldir
a1.sources.r1.spoolDir = {folder}/spool
a1.sources.r1.deletePolicy = immediate
a1.sources.r1.pollDelay = 50
a1.sources.r1.batchSize = {batch}
a1.sources.r1.channels = c1
a1.channels.c1.type = {channel}
a1.channels.c1.capacity = 200000
a1.channels.c1.transactionCapacity = 1000
{channel_folders}
a1.sinks.k1.type = avro
a1.sinks.k1.hostname = {hosts[0]}
a1.sinks.k1.port = {ports[0]}
a1.sinks.k1.channel = c1
a1.sinks.k1.batch-size = {batch}
a1.sinks.k1.connect-timeout = {timeout}
a1.sinks.k1.request-timeout = {timeout}
a1.sinks.k2.type = avro
a1.sinks.k2.hostname = {hosts[1]}
a1.sinks.k2.port = {ports[1]}
a1.sinks.k2.channel = c1
a1.sinks.k2.batch-size = {batch}
a1.sinks.k2.connect-timeout = {timeout}
a1.sinks.k2.request-timeout = {timeout}
"""

GROUPS = {"failover": f"""\
a1.sinkgroups.g1.processor.type = failover
a1.sinkgroups.g1.processor.priority.k1 = 10
a1.sinkgroups.g1.processor.priority.k2 = 5
a1.sinkgroups.g1.processor.maxpenalty = {MAX_PENALTY_S * 1000}""", "load_balance": f"""\
a1.sinkgroups.g1.processor.type = load_balance
a1.sinkgroups.g1.processor.backoff = true
a1.sinkgroups.g1.processor.selector.maxTimeOut = {MAX_PENALTY_S * 1000}"""}

COLLECTOR = """\
a1.sources = r1
a1.channels = ca cb
a1.sinks = ka kb
a1.sources.r1.type = avro
a1.sources.r1.bind = {host}
a1.sources.r1.port = {port}
a1.sources.r1.interceptors = i1
a1.sources.r1.interceptors.i1.type = static
a1.sources.r1.interceptors.i1.key = collector
a1.sources.r1.interceptors.i1.value = {name}
a1.sources.r1.selector.type = replicating
a1.sources.r1.channels = ca cb
"""

REPLICA = """\
a1.channels.c{replica}.type = file
a1.channels.c{replica}.capacity = 1000000
a1.channels.c{replica}.transactionCapacity = 1000
{channel_folders}
a1.sinks.k{replica}.type = file_roll
a1.sinks.k{replica}.channel = c{replica}
a1.sinks.k{replica}.sink.directory = {folder}/out-{replica}
a1.sinks.k{replica}.sink.rollInterval = 0
a1.sinks.k{replica}.sink.batchSize = 1000
a1.sinks.k{replica}.sink.serializer = HEADER_AND_TEXT
"""


def channel_folders(channel, folder):
    return f"a1.channels.{channel}.checkpointDir = {folder}/{channel}/checkpoint\n" \
           f"a1.channels.{channel}.dataDirs = {folder}/{channel}/data"


class Collector:
    """A process that is stopped, killed and started again, and its output."""

    def __init__(self, program, name, folder, host, port, prefix=(), environment=None):
        self.name, self.folder, self.host, self.port = name, folder, host, port
        self.command = [*prefix, str(program), "agent"]
        self.environment = environment
        text = COLLECTOR.format(name=name, host=host, port=port)
        for replica in REPLICAS:
            (folder / f"out-{replica}").mkdir(parents=True)
            text += REPLICA.format(replica=replica, folder=folder, channel_folders=channel_folders("c" + replica, folder))
        self.text = text
        self.start()

    def start(self):
        self.agent = Agent(self.command, self.folder, self.text, self.environment)

    def kill(self):
        self.agent.end(signal.SIGKILL)

    def freeze(self):
        self.agent.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.agent.process.send_signal(signal.SIGCONT)


class Sender(Agent):
    """An agent with the two sinks; its lines are numbered, whole files of them are moved into its folder."""

    def __init__(self, program, number, folder, channel, group, hosts, ports, environment=None):
        self.number, self.spool, self.made = number, folder / "spool", 0
        self.aside = folder / "aside"
        for each in (self.spool, self.aside):
            each.mkdir(parents=True)
        super().__init__([str(program), "agent"], folder, AGENT.format(
            folder=folder, channel=channel, group=GROUPS[group], hosts=hosts, ports=ports, batch=BATCH,
            timeout=REQUEST_TIMEOUT_S * 1000, channel_folders=channel_folders("c1", folder) if channel == "file" else ""),
            environment)

    def drop(self, lines):
        name = f"{self.made:012d}.log"
        with open(self.aside / name, "w", encoding="ascii") as out:
            out.writelines(f"{self.number} {number} {LINE_PADDING}\n" for number in range(self.made, self.made + lines))
        os.rename(self.aside / name, self.spool / name)
        self.made += lines


class Load(threading.Thread):
    """Drops files at a steady rate until it is told to end."""

    def __init__(self, senders, lines_per_second, chance):
        super().__init__(daemon=True)
        self.senders, self.rate, self.chance = senders, lines_per_second, chance
        self.ending = threading.Event()

    def run(self):
        while not self.ending.is_set():
            lines = self.chance.randrange(self.rate // 40, self.rate // 10)
            for sender in self.senders:
                sender.drop(lines)
            self.ending.wait(lines / self.rate)  # the pace of the load


class Output:
    """What the sinks of a collector have written, read as it grows."""

    LINE = re.compile(rb"\{collector=(\w+)\} (\d+) (\d+) x+\n")

    def __init__(self, collectors):
        self.folders = {(each.name, replica): each.folder / f"out-{replica}" for each in collectors for replica in REPLICAS}
        self.bits = {each.name: 1 << index for index, each in enumerate(collectors)}
        self.offsets = collections.Counter()
        self.numbers = {}  # (collector, replica, agent) -> numbers in their order
        self.seen = {}  # (replica, agent) -> a byte a number: a bit for each collector
        self.again = collections.Counter()  # (replica, agent) -> lines that another collector had already
        self.again_there = collections.Counter()  # (replica, agent) -> lines that the same collector had already
        self.newest = collections.Counter()  # (collector, agent) -> one above the largest number in its first replica
        for collector, replica in self.folders:
            for agent in range(AGENTS):
                self.numbers[collector, replica, agent] = array.array("I")
                self.seen[replica, agent] = bytearray()

    def read(self):
        for (collector, replica), folder in self.folders.items():
            for path in sorted(folder.iterdir()):
                self.read_file(collector, replica, path)

    def read_file(self, collector, replica, path):
        if path.stat().st_size <= self.offsets[path]:
            return
        with open(path, "rb") as file:
            file.seek(self.offsets[path])
            data = file.read()
        whole = data.rfind(b"\n") + 1  # the rest is being written, or its writer was killed
        self.offsets[path] += whole
        at = 0
        for match in self.LINE.finditer(data, 0, whole):
            assert match.start() == at, f"{path}: what is this? {data[at:at + 300]}"
            at = match.end()
            assert match[1].decode() == collector, f"{path}: {match[0][:100]}"
            self.note(collector, replica, int(match[2]), int(match[3]))
        assert at == whole, f"{path}: what is this? {data[at:at + 300]}"

    def note(self, collector, replica, agent, number):
        self.numbers[collector, replica, agent].append(number)
        seen = self.seen[replica, agent]
        if number >= len(seen):
            seen.extend(bytes(number + 1000 - len(seen)))
        bit = self.bits[collector]
        if seen[number] & bit:
            self.again_there[replica, agent] += 1
        elif seen[number]:
            self.again[replica, agent] += 1
        seen[number] |= bit
        if replica == REPLICAS[0]:
            self.newest[collector, agent] = max(self.newest[collector, agent], number + 1)

    def count(self, collector, agent):
        return len(self.numbers[collector, REPLICAS[0], agent])

    def whole(self, replica, agent, made):
        """Whether the first `made` lines are all there."""
        seen = self.seen[replica, agent]
        return len(seen) >= made and seen.find(0, 0, made) < 0

    def missing(self, replica, agent, made):
        seen = self.seen[replica, agent]
        return [number for number in range(made) if number >= len(seen) or seen[number] == 0]


def late_at_once(numbers):
    """Of how many events at most others of the same sender had gone ahead: each came after a later one."""
    latest, gap, most = -1, set(), 0
    there = set(numbers)
    for number in numbers:
        if number > latest:
            if latest >= 0:
                gap.update(skipped for skipped in range(latest + 1, number) if skipped in there)
            latest = number
        else:
            gap.discard(number)
        most = max(most, len(gap))
    return most


def eventually(condition, what, output, seconds):
    """Reads the output until it holds; returns how long that took."""
    began = time.monotonic()
    while True:
        output.read()
        took = time.monotonic() - began
        if condition():
            return took
        assert took < seconds, f"{what}: not within {seconds} s"
        time.sleep(0.005)  # the pace of the look
