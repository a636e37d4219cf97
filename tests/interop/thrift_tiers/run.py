#!/usr/bin/env python3
"""run.py STANDPIPE: events through two tiers, one of this program and one of real Flume 1.11, in both orders: compact, binary and TLS.
Fed and drained by the test itself, so that every event is known to the byte. Exits 77, saying why, where Flume is not installed and
can't be.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agents import Agent, free_port, listens, run_with_flume, wait_for  # noqa: E402
from stores import PASSWORD, make_stores  # noqa: E402
from thrift_peer import Sink, send_batch  # noqa: E402
from tier_events import make_events  # noqa: E402

BATCH = 20


class Flow:
    """From the test into the first agent, over to the second, and back to the test."""

    def __init__(self, name, number, protocol="compact", tls=None):
        self.name, self.number, self.protocol, self.tls = name, number, protocol, tls
        self.entry, self.between = free_port(), free_port()
        self.receiver = Sink(protocol == "compact")

    def agent_text(self, first):
        n = f"{self.number}"
        port, target = (self.entry, self.between) if first else (self.between, self.receiver.port)
        return f"""a1.sources.r{n}.type = thrift
a1.sources.r{n}.bind = 127.0.0.1
a1.sources.r{n}.port = {port}
a1.sources.r{n}.protocol = {self.protocol}
a1.sources.r{n}.channels = c{n}
a1.channels.c{n}.type = memory
a1.channels.c{n}.capacity = 10000
a1.channels.c{n}.transactionCapacity = 1000
a1.sinks.k{n}.type = thrift
a1.sinks.k{n}.hostname = 127.0.0.1
a1.sinks.k{n}.port = {target}
a1.sinks.k{n}.protocol = {self.protocol}
a1.sinks.k{n}.batch-size = {BATCH}
a1.sinks.k{n}.channel = c{n}
""" + self.tls_text(first)

    def tls_text(self, first):
        if not self.tls:
            return ""
        between = f"a1.{'sinks.k' if first else 'sources.r'}{self.number}"
        kind = "truststore" if first else "keystore"
        return f"""{between}.ssl = true
{between}.{kind} = {self.tls[kind]}
{between}.{kind}-password = {PASSWORD}
{between}.{kind}-type = PKCS12
"""

    def run(self, events):
        for at in range(0, len(events), BATCH):
            send_batch(self.entry, events[at:at + BATCH], self.protocol == "compact")
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


def run(flume, standpipe, work):
    tls = make_stores(work, "PKCS12")
    ours_first = [Flow("ours to Flume, compact", 1), Flow("ours to Flume, binary", 2, "binary"), Flow("ours to Flume, TLS", 3, tls=tls),
                  Flow("ours to Flume, binary over TLS", 4, "binary", tls)]
    flume_first = [Flow("Flume to ours, compact", 5), Flow("Flume to ours, binary", 6, "binary"), Flow("Flume to ours, TLS", 7, tls=tls),
                   Flow("Flume to ours, binary over TLS", 8, "binary", tls)]
    flows = ours_first + flume_first
    events = make_events()
    with Agent([standpipe, "agent"], work / "standpipe", agent_text(flows, ours_first)) as ours, \
            Agent([flume, "agent"], work / "flume", agent_text(flows, flume_first), {"JAVA_OPTS": "-Xmx512m"}):
        for flow in flows:
            wait_for(lambda: listens(flow.entry) and listens(flow.between), f"{flow.name} listens")
        for flow in flows:
            flow.run(events)
        # Flume knows no window: each of its sources said so, and the connection went on.
        errors = [line for line in ours.text().splitlines() if " ERROR " in line and "can't connect" not in line]
        assert not errors, "\n".join(errors)


sys.exit(run_with_flume("thrift_tiers", run))
