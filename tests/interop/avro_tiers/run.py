#!/usr/bin/env python3
"""run.py STANDPIPE: events through two tiers, one of this program and one of real Flume 1.11, in both orders, plain and
compressed; and the avro-client of each into the source of the other. Fed and drained by the test itself, so that every event is known
to the byte. Exits 77, saying why, where Flume is not installed and can't be.
"""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agents import Agent, free_port, listens, run_with_flume, wait_for  # noqa: E402
from avro_peer import Sink, send_batch  # noqa: E402
from stores import PASSWORD, make_stores  # noqa: E402
from tier_events import make_events  # noqa: E402

BATCH = 20


class Flow:
    """From the test into the first agent, over to the second, and back to the test."""

    def __init__(self, name, number, compressed=False, tls=None):
        self.name, self.number, self.tls = name, number, tls
        self.entry, self.between = free_port(), free_port()
        self.compression = "deflate" if compressed else "none"
        self.receiver = Sink(enough=10**9)

    def agent_text(self, first):
        n = f"{self.number}"
        port, target = (self.entry, self.between) if first else (self.between, self.receiver.port)
        between = "sinks.k" if first else "sources.r"
        return f"""a1.sources.r{n}.type = avro
a1.sources.r{n}.bind = 127.0.0.1
a1.sources.r{n}.port = {port}
a1.sources.r{n}.channels = c{n}
a1.channels.c{n}.type = memory
a1.channels.c{n}.capacity = 10000
a1.channels.c{n}.transactionCapacity = 1000
a1.sinks.k{n}.type = avro
a1.sinks.k{n}.hostname = 127.0.0.1
a1.sinks.k{n}.port = {target}
a1.sinks.k{n}.batch-size = {BATCH}
a1.sinks.k{n}.channel = c{n}
a1.{between}{n}.compression-type = {self.compression}
""" + self.tls_text(f"a1.{between}{n}", first)

    def tls_text(self, between, first):
        if not self.tls:
            return ""
        kind = "truststore" if first else "keystore"
        return f"""{between}.ssl = true
{between}.{kind} = {self.tls[kind]}
{between}.{kind}-password = {PASSWORD}
{between}.{kind}-type = {self.tls[kind].suffix[1:]}
"""

    def run(self, events):
        for at in range(0, len(events), BATCH):
            send_batch(self.entry, events[at:at + BATCH])
        self.receiver.wait(lambda peer: len(peer.delivered) >= len(events), seconds=120)
        delivered = self.receiver.delivered
        assert len(delivered) == len(events), f"{self.name}: {len(delivered)} events, {len(events)} were sent"
        for number, (sent, got) in enumerate(zip(events, delivered)):
            assert sent == got, f"{self.name}: event {number} came as {str(got)[:200]}, sent was {str(sent)[:200]}"
        print(f"ok: {self.name}: {len(events)} events", flush=True)


def agent_text(flows, first):
    names = {letter: " ".join(f"{letter}{flow.number}" for flow in flows) for letter in "rck"}
    lists = f"a1.sources = {names['r']}\na1.channels = {names['c']}\na1.sinks = {names['k']}\n"
    return lists + "".join(flow.agent_text(flow in first) for flow in flows)


def avro_client(program, what, flow, work):
    lines = ["first", "", "größe", "x" * 5000] + [f"line {number}" for number in range(100)]
    file, headers = work / "lines.txt", work / "headers.properties"
    file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    headers.write_text("from = avro-client\n", encoding="utf-8")
    before = len(flow.receiver.delivered)
    subprocess.run([*program, "avro-client", "-H", "127.0.0.1", "-p", str(flow.entry), "-F", str(file), "-R", str(headers)], check=True,
                   capture_output=True, timeout=120, env={"PATH": "/usr/bin:/bin", "JAVA_OPTS": "-Xmx64m -Dfile.encoding=UTF-8"})
    flow.receiver.wait(lambda peer: len(peer.delivered) >= before + len(lines))
    expected = [((("from", "avro-client"),), line.encode()) for line in lines]
    assert flow.receiver.delivered[before:] == expected, f"{what}: the lines came otherwise"
    print(f"ok: {what}: {len(lines)} lines", flush=True)


def run(flume, standpipe, work):
    tls = make_stores(work, "JKS")
    ours_first = [Flow("ours to Flume", 1), Flow("ours to Flume, deflate", 2, True), Flow("ours to Flume, TLS", 3, tls=tls),
                  Flow("ours to Flume, TLS and deflate", 4, True, tls)]
    flume_first = [Flow("Flume to ours", 5), Flow("Flume to ours, deflate", 6, True), Flow("Flume to ours, TLS", 7, tls=tls),
                   Flow("Flume to ours, TLS and deflate", 8, True, tls)]
    flows = ours_first + flume_first
    events = make_events()
    with Agent([standpipe, "agent"], work / "standpipe", agent_text(flows, ours_first)), \
            Agent([flume, "agent"], work / "flume", agent_text(flows, flume_first), {"JAVA_OPTS": "-Xmx512m"}):
        for flow in flows:
            wait_for(lambda: listens(flow.entry) and listens(flow.between), f"{flow.name} listens")
        for flow in flows:
            flow.run(events)
        avro_client([flume], "Flume's avro-client into our source", ours_first[0], work)
        ours = work / "flume-ng"
        ours.symlink_to(standpipe)
        avro_client([ours], "our avro-client into Flume's source", flume_first[0], work)


sys.exit(run_with_flume("avro_tiers", run))
