#!/usr/bin/env python3
"""run.py STANDPIPE: an agent whose configuration is in a real ZooKeeper 3.8: it starts from it, as real Flume 1.11 does from the same
node; changes are applied, broken ones refused; the server is killed and comes back, the session expires, the node goes, the server is
away at a start. What is written there is checked with ZooKeeper's own shell. Exits 77, saying why, where Flume or ZooKeeper can't be
installed.
"""
import functools
import pathlib
import re
import signal
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agents import Agent, PATIENCE, free_port, jars_of, run_with_flume, wait_for  # noqa: E402

SESSION_MS = 2000  # what the server grants at most


def agent_text(value):
    """Ticks that carry `value`, into files below the agent's own folder."""
    return f"""# größer
a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.sources.r1.type = exec
a1.sources.r1.shell = /bin/sh -c
a1.sources.r1.command = while echo tick; do sleep 0.1; done
a1.sources.r1.batchTimeout = 100
a1.sources.r1.channels = c1
a1.sources.r1.interceptors = i1
a1.sources.r1.interceptors.i1.type = static
a1.sources.r1.interceptors.i1.key = k
a1.sources.r1.interceptors.i1.value = {value}
a1.channels.c1.type = memory
a1.sinks.k1.type = file_roll
a1.sinks.k1.sink.directory = out
a1.sinks.k1.sink.rollInterval = 0
a1.sinks.k1.sink.serializer = HEADER_AND_TEXT
a1.sinks.k1.channel = c1
"""


class Server:
    """A real ZooKeeper server, by itself; what it knows stays in its folder."""

    def __init__(self, jars, folder):
        self.folder, self.port, self.process = folder, free_port(), None
        (folder / "data").mkdir(parents=True)
        (folder / "zoo.cfg").write_text(f"dataDir={folder}/data\nclientPort={self.port}\nclientPortAddress=127.0.0.1\ntickTime=200\n"
                                        f"maxSessionTimeout={SESSION_MS}\nadmin.enableServer=false\n")
        (folder / "logback.xml").write_text(
            '<configuration><appender name="E" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%-5p %c{1} %m%n</pattern>'
            '</encoder></appender><root level="INFO"><appender-ref ref="E"/></root></configuration>')
        self.command = ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dzookeeper.jmx.log4j.disable=true", "-cp",
                        f"{folder}:{jars}/*", "org.apache.zookeeper.server.quorum.QuorumPeerMain", str(folder / "zoo.cfg")]

    def start(self):
        with open(self.folder / "zookeeper.log", "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        wait_for(self.serves, "ZooKeeper serves")

    def serves(self):
        """It listens a while before."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(b"srvr")
                return b"Mode:" in b"".join(iter(lambda: connection.recv(4096), b""))
        except OSError:
            return False

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait(60)

    def log(self):
        return (self.folder / "zookeeper.log").read_text(errors="replace")


class Case:
    """The parts of the test: a server, a way to push, and what an agent has written."""

    def __init__(self, flume, standpipe, work, server):
        self.flume, self.standpipe, self.work, self.server = flume, standpipe, work, server
        self.where = ["--zkConnString", f"127.0.0.1:{server.port}", f"-Dstandpipe.zookeeper.connect.timeout.ms={1000 * PATIENCE}"]

    def config(self, verb, *arguments, expect=0):
        done = subprocess.run([self.standpipe, "config", verb, "-n", "a1", *self.where, *arguments], capture_output=True, timeout=120,
                              check=False, cwd=self.work)
        out, err = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == expect, f"config {verb} {arguments}: status {done.returncode}, not {expect}\n{out}{err}"
        return out, err

    def push(self, text, *arguments, expect=0):
        (self.work / "a1.conf").write_text(text, encoding="utf-8")
        return self.config("push", "a1.conf", *arguments, expect=expect)

    def shell(self, *words):
        """ZooKeeper's own client, of the release that Flume has."""
        lib = pathlib.Path(self.flume).parent.parent / "lib"
        done = subprocess.run(["java", "-Xmx64m", "-Dfile.encoding=UTF-8", "-cp", f"{lib}/*", "org.apache.zookeeper.ZooKeeperMain", "-server",
                               f"127.0.0.1:{self.server.port}", *words], capture_output=True, timeout=120, check=True)
        return done.stdout.decode()

    def agent(self, name, *more, command=None, environment=None):
        folder = self.work / name
        (folder / "out").mkdir(parents=True, exist_ok=True)
        return Agent(command or [self.standpipe, "agent"], folder, "", environment, switches=[*self.where, "-p", "/flume", *more])

    def written(self, name):
        return "".join(file.read_text(errors="replace") for file in sorted((self.work / name / "out").iterdir()))

    def wait_for_ticks(self, name, value):
        wait_for(lambda: f"{{k={value}}} tick" in self.written(name), f"{name}: ticks with {value}")

    def goes_on(self, name):
        before = self.written(name).count("tick")
        wait_for(lambda: self.written(name).count("tick") > before + 3, f"{name} goes on")


def say(text):
    print(f"ok: {text}", flush=True)


def starts_and_reloads(case):
    _, error = case.config("pull", expect=3)
    assert "there is no such node" in error, error
    case.push(agent_text("before-ä"))
    there = case.shell("get", "/flume/a1")
    assert agent_text("before-ä") in there, f"ZooKeeper's shell reads {there}"
    assert case.config("pull")[0] == agent_text("before-ä")
    flume = case.agent("flume", command=[case.flume, "agent"], environment={"JAVA_OPTS": "-Xmx128m -Dfile.encoding=UTF-8"})
    with case.agent("ours", "--poll-interval", "300") as ours, flume:
        for name in ("ours", "flume"):
            case.wait_for_ticks(name, "before-ä")
        say("this program and Flume run what stands in one node")
        case.push(agent_text("after"))
        for name in ("ours", "flume"):
            case.wait_for_ticks(name, "after")
        assert "the new configuration is applied" in ours.text()
        say("both apply a change, without being asked")
        ours.end(signal.SIGTERM)
        assert ours.process.returncode == 0, ours.text()[-2000:]


def refuses_what_is_broken(case, ours):
    broken = agent_text("after").replace("type = file_roll", "type = file_rol")
    out, _ = case.push(broken, expect=2)
    assert "a1.conf:15: error: a1.sinks.k1.type" in out, out
    assert case.config("pull")[0] == agent_text("after"), "nothing was pushed"
    assert case.config("diff", "a1.conf", expect=1)[0].endswith("- a1.sinks.k1.type=file_roll\n+ a1.sinks.k1.type=file_rol\n")
    case.push(broken, "--force")
    ours.wait_for_log(r"zookeeper:/flume/a1:15: a1\.sinks\.k1\.type: ")
    ours.wait_for_log("refused: ")
    case.goes_on("ours")
    assert "- a1.sinks.k1.type=file_roll\n" in case.config("diff", f"-Dstandpipe.state.dir={case.work}/ours/state", expect=1)[0]
    case.push(agent_text("mended"))
    case.wait_for_ticks("ours", "mended")
    assert case.config("diff", f"-Dstandpipe.state.dir={case.work}/ours/state")[0] == ""
    say("a broken change is refused with its line; the next sound one is taken")


def survives_the_server(case, ours):
    case.server.kill()
    ours.wait_for_log("the connection is lost")
    for _ in range(2):
        case.goes_on("ours")
        ours.process.send_signal(signal.SIGHUP)
    ours.wait_for_log("the configuration can't be read, the agent goes on as it is")
    case.goes_on("ours")
    assert ours.text().count("can't be read") == 1, "said more than once"
    case.config("pull", "-Dstandpipe.zookeeper.connect.timeout.ms=300", expect=3)
    case.server.start()
    ours.wait_for_log("the configuration can be read again")
    case.push(agent_text("server-back"))
    case.wait_for_ticks("ours", "server-back")
    say("the server is killed and comes back; the agent goes on and takes the next change")


def survives_an_expired_session(case, ours):
    expired = case.server.log().count("Expiring session")
    ours.process.send_signal(signal.SIGSTOP)
    wait_for(lambda: case.server.log().count("Expiring session") > expired, "the session expires")
    case.push(agent_text("while-asleep"))
    ours.process.send_signal(signal.SIGCONT)
    ours.wait_for_log("the session expired")
    case.wait_for_ticks("ours", "while-asleep")
    case.push(agent_text("new-session"))
    case.wait_for_ticks("ours", "new-session")
    say("an expired session is followed by a new one; what changed meanwhile is applied, and what comes after")


def survives_the_nodes_end(case, ours):
    case.shell("delete", "/flume/a1")
    ours.wait_for_log("read /flume/a1 in ZooKeeper .*: there is no such node")
    case.goes_on("ours")
    case.push(agent_text("made-again"))
    case.wait_for_ticks("ours", "made-again")
    say("the node is deleted: the agent goes on; it is made again: it is applied")


def starts_without_the_server(case):
    last = case.work / "ours/state/last-configuration.properties"
    assert last.read_text(encoding="utf-8") == agent_text("made-again")
    assert last.stat().st_mode & 0o777 == 0o600, oct(last.stat().st_mode)
    case.server.kill()
    for file in (case.work / "ours/out").iterdir():
        file.unlink()
    mark = len((case.work / "ours/agent.log").read_text(errors="replace"))
    with case.agent("ours", "--poll-interval", "300", "-Dstandpipe.zookeeper.connect.timeout.ms=1000") as ours:
        case.wait_for_ticks("ours", "made-again")
        warnings = [line for line in ours.text()[mark:].splitlines() if " WARN " in line]
        started = [line for line in warnings if "last-configuration.properties takes its place" in line]
        assert len(started) == 1 and len(re.findall("ZooKeeper", "".join(warnings))) == 1, warnings
        case.server.start()
        ours.wait_for_log("the configuration can be read again")
        case.push(agent_text("found-again"))
        case.wait_for_ticks("ours", "found-again")
        ours.end(signal.SIGTERM)
    say("ZooKeeper is away at the start: what ran last runs, and the next change is taken once it is back")


def refuses_to_start(case):
    case.shell("delete", "/flume/a1")
    with case.agent("ours") as ours:
        ours.process.wait(60)
        assert ours.process.returncode == 1, ours.process.returncode
        assert "there is no such node; standpipe config push puts one there" in ours.text()
    say("a node that is not there is no configuration: exit status 1")


def run(jars, flume, standpipe, work):
    server = Server(jars, work / "zookeeper")
    case = Case(flume, standpipe, work, server)
    try:
        server.start()
        starts_and_reloads(case)
        with case.agent("ours", "--poll-interval", "300") as ours:
            case.wait_for_ticks("ours", "after")
            for part in (refuses_what_is_broken, survives_the_server, survives_an_expired_session, survives_the_nodes_end):
                part(case, ours)
            ours.end(signal.SIGTERM)
            assert ours.process.returncode == 0, ours.process.returncode
        starts_without_the_server(case)
        refuses_to_start(case)
    finally:
        server.kill()


def main():
    jars = jars_of("zookeeper-3.8")
    if not jars:
        print("zookeeper_configuration: skipped: ZooKeeper can't be installed")
        return 77
    return run_with_flume("zookeeper_configuration", functools.partial(run, jars))


sys.exit(main())
