#!/usr/bin/env python3
"""run.py STANDPIPE: Flume's Java clients, default, failover and load balancing, plain, compressed and encrypted, of 1.11 and
of 1.9; its appender for Log4j 1 and Log4j 2's for Flume: all into this program's avro source, by their own jars. And events
from this program's avro sink into an agent of Flume 1.9, compressed and encrypted. Exits 77, saying why, where the jars
can't be had.
"""
import contextlib
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from agents import Agent, free_port, jars_of, listens, run_with_flume, wait_for  # noqa: E402
from avro_peer import Sink, send_batch  # noqa: E402
from stores import PASSWORD, make_stores  # noqa: E402


# Netty 3, which Flume 1.9 runs on, loses data in TLS 1.3's handshake: now and then also between two agents of Flume 1.9. Java 8,
# of their time, did not offer that version by itself.
NOT_OLD = {"exclude-protocols": "TLSv1.3"}


class Collector:
    """An agent of ours: an avro source on each port, behind all of them a channel and a sink to the test."""

    def __init__(self, program, folder, settings):
        self.receiver = Sink(enough=10**9)
        self.ports = [free_port() for _ in settings]
        text = f"""a1.sources = {' '.join(f'r{number}' for number in range(len(settings)))}
a1.channels = c1
a1.sinks = k1
a1.channels.c1.type = memory
a1.sinks.k1.type = avro
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = {self.receiver.port}
a1.sinks.k1.channel = c1
"""
        for number, (port, more) in enumerate(zip(self.ports, settings)):
            source = {"type": "avro", "bind": "127.0.0.1", "port": port, "channels": "c1", **more}
            text += "".join(f"a1.sources.r{number}.{key} = {value}\n" for key, value in source.items())
        self.agent = Agent([program, "agent"], folder, text)
        for port in self.ports:
            wait_for(lambda: listens(port), "our source listens")

    def take(self, count):
        """What has come since the last call: `count` events."""
        self.receiver.wait(lambda peer: len(peer.delivered) >= count, seconds=120)
        events, self.receiver.delivered = self.receiver.delivered, []
        assert len(events) == count, f"{len(events)} events came, not {count}"
        return events

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.agent.__exit__()
        self.receiver.close()


class Client:
    """A process with one of Flume's clients."""

    def __init__(self, jars, folder, properties):
        file = folder / "client.properties"
        file.write_text("".join(f"{key} = {value}\n" for key, value in properties.items()))
        self.process = subprocess.Popen(["java", "-Xmx256m", "-Dfile.encoding=UTF-8", "-cp", f"{jars}/*", HERE / "Clients.java", file],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(folder / "client.log", "wb"), text=True)
        self.expect_ok()

    def expect_ok(self):
        answer = self.process.stdout.readline().strip()
        assert answer == "ok", f"the client says '{answer}'"

    def do(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        self.expect_ok()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        self.process.kill()


def numbered(first, count):
    return [((("number", str(number)),), f"event {number}".encode()) for number in range(first, first + count)]


def odd_events():
    headers = {f"name {i}": f"value {i}" for i in range(1000)}
    headers |= {"größe": "日本 \U0001f30a", "empty": ""}
    return [((), bytes(range(256))), ((), b""), ((), bytes(i * 7 % 251 for i in range(10 << 20))),
            (tuple(sorted(headers.items())), "тело".encode())]


def hosts(*ports):
    names = [f"h{number}" for number in range(len(ports))]
    return {"hosts": " ".join(names)} | {f"hosts.{name}": f"127.0.0.1:{port}" for name, port in zip(names, ports)}


def default_client(what, jars, collector, port, work, more):
    with Client(jars, work, hosts(port) | more) as client:
        client.do("append 0 10")
        client.do("batch 10 250")  # in requests of a hundred
        assert collector.take(260) == numbered(0, 260), f"{what}: other events came"
        client.do("odd")
        assert collector.take(4) == odd_events(), f"{what}: other odd events came"
        client.do("threads 0 400")
        assert sorted(collector.take(400)) == sorted(numbered(0, 400)), f"{what}: other events came from threads"
    print(f"ok: {what}", flush=True)


def failover_client(jars, program, work):
    with Collector(program, work / "first", [{}]) as first, Collector(program, work / "second", [{}]) as second:
        properties = hosts(first.ports[0], second.ports[0]) | {"client.type": "default_failover", "max-attempts": "2"}
        with Client(jars, work, properties) as client:
            client.do("batch 0 50")
            assert first.take(50) == numbered(0, 50)
            first.agent.process.kill()
            client.do("batch 50 50")
            client.do("append 100 5")
            assert second.take(55) == numbered(50, 55)
    print("ok: failover client, the first server killed", flush=True)


def balancing_client(jars, program, work):
    with Collector(program, work / "left", [{}]) as left, Collector(program, work / "right", [{}]) as right:
        properties = hosts(left.ports[0], right.ports[0]) | {"client.type": "default_loadbalance", "backoff": "true"}
        with Client(jars, work, properties) as client:
            for number in range(10):
                client.do(f"batch {number * 10} 10")
            assert sorted(left.take(50) + right.take(50)) == sorted(numbered(0, 100))
            left.agent.process.kill()
            for number in range(10, 14):
                client.do(f"batch {number * 10} 10")
            assert right.take(40) == numbered(100, 40)
    print("ok: load balancing client, one server killed", flush=True)


def run_java(jars, program, *arguments, more=()):
    subprocess.run(["java", "-Xmx256m", "-Dfile.encoding=UTF-8", *more, "-cp", f"{jars}/*", HERE / program, *arguments], check=True,
                   capture_output=True, timeout=120)


def log4j1(jars, collector, work):
    settings = {"log4j.rootLogger": "INFO, flume", "log4j.appender.flume": "org.apache.flume.clients.log4jappender.Log4jAppender",
                "log4j.appender.flume.Hostname": "127.0.0.1", "log4j.appender.flume.Port": collector.ports[0],
                "log4j.appender.flume.layout": "org.apache.log4j.PatternLayout", "log4j.appender.flume.layout.ConversionPattern": "%p %m"}
    file = work / "log4j1.properties"
    file.write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
    run_java(jars, "Log4j1.java", file, "100")
    events = collector.take(103)
    lines = [body.decode() for _, body in events]
    assert lines[:101] == [f"INFO line {number}" for number in range(100)] + ["WARN größe 日本"], f"other lines came: {lines}"
    assert [line.split(" ", 1)[-1] for line in lines[101:]] == ["one of two", "two of two"], f"other lines came: {lines[101:]}"
    headers = dict(events[0][0])
    assert headers["flume.client.log4j.logger.name"] == "shop.orders" and headers["flume.client.log4j.log.level"] == "20000", headers
    assert headers["flume.client.log4j.message.encoding"] == "UTF8" and int(headers["flume.client.log4j.timestamp"]) > 0, headers
    print("ok: Flume's appender for Log4j 1", flush=True)


def log4j2(jars, collector, work):
    file = work / "log4j2.xml"
    file.write_text(f"""<Configuration><Appenders><Flume name="flume" type="Avro" compress="false" batchSize="1">
<Agent host="127.0.0.1" port="{collector.ports[0]}"/><PatternLayout pattern="%p %m" charset="UTF-8"/></Flume></Appenders>
<Loggers><Logger name="shop" level="INFO"><AppenderRef ref="flume"/></Logger><Root level="OFF"/></Loggers></Configuration>""")
    run_java(jars, "Log4j2.java", "100", more=[f"-Dlog4j2.configurationFile={file}"])
    events = collector.take(101)
    lines = [body.decode() for _, body in events]
    assert lines == [f"INFO line {number}" for number in range(100)] + ["WARN größe 日本"], f"other lines came: {lines}"
    assert {"guId", "timeStamp"} <= dict(events[0][0]).keys(), events[0][0]
    print("ok: Log4j 2's appender for Flume", flush=True)


def into_old_flume(old, program, stores, work):
    """Our sink, compressed inside TLS, to a source of Flume 1.9."""
    receiver = Sink(enough=10**9)
    entry, between = free_port(), free_port()
    flume = f"""a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = {between}
a1.sources.r1.channels = c1
a1.sources.r1.compression-type = deflate
a1.sources.r1.ssl = true
a1.sources.r1.keystore = {stores["keystore"]}
a1.sources.r1.keystore-password = {PASSWORD}
a1.channels.c1.type = memory
a1.channels.c1.capacity = 10000
a1.sinks.k1.type = avro
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = {receiver.port}
a1.sinks.k1.channel = c1
"""
    ours = f"""a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = {entry}
a1.sources.r1.channels = c1
a1.channels.c1.type = memory
a1.channels.c1.capacity = 10000
a1.sinks.k1.type = avro
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = {between}
a1.sinks.k1.channel = c1
a1.sinks.k1.compression-type = deflate
a1.sinks.k1.deflate-outside-tls = false
a1.sinks.k1.ssl = true
a1.sinks.k1.exclude-protocols = {NOT_OLD["exclude-protocols"]}
a1.sinks.k1.truststore = {stores["truststore"]}
a1.sinks.k1.truststore-password = {PASSWORD}
"""
    java = ["java", "-Xmx256m", "-cp", f"{old}/*", "org.apache.flume.node.Application"]
    with Agent(java, work / "flume-1.9", flume, bare=True), Agent([program, "agent"], work / "ours", ours):
        for port in (between, entry):
            wait_for(lambda: listens(port), "an agent listens")
        events = numbered(0, 200) + odd_events()
        for at in range(0, len(events), 20):
            send_batch(entry, events[at:at + 20])
        receiver.wait(lambda peer: len(peer.delivered) >= len(events), seconds=120)
        assert receiver.delivered == events, "other events came"
    print("ok: our sink into Flume 1.9, compressed and encrypted", flush=True)


def run(flume, program, work):
    stores = make_stores(work, "JKS")
    server = {"ssl": "true", "keystore": stores["keystore"], "keystore-password": PASSWORD}
    client = {"ssl": "true", "truststore": stores["truststore"], "truststore-password": PASSWORD, "truststore-type": "JKS"}
    deflate = {"compression-type": "deflate"}
    sides = [("plain", {}, {}), ("deflate", deflate, deflate), ("TLS", server, client), ("TLS and deflate", server | deflate, client | deflate)]
    jars = pathlib.Path(flume).parent.parent / "lib"
    old, one, two = (jars_of(name) for name in ("flume-1.9", "log4j1", "log4j2"))
    with Collector(program, work / "collector", [side[1] for side in sides]) as collector:
        for (name, _, settings), port in zip(sides, collector.ports):
            default_client(f"client of 1.11, {name}", jars, collector, port, work, settings)
            if old:
                default_client(f"client of 1.9, {name}", old, collector, port, work, settings | NOT_OLD)
        if one:
            log4j1(one, collector, work)
        if two:
            log4j2(two, collector, work)
    failover_client(jars, program, work)
    balancing_client(jars, program, work)
    if old:
        into_old_flume(old, program, stores, work)


sys.exit(run_with_flume("java_clients", run))
