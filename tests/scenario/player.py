"""Plays one scenario against one program: sections in order, every wait on a condition with a deadline."""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

from scenario import Pattern, difference, unescape

POLL = 0.015
STEP_LIMIT = {"standpipe": 15.0, "flume": 30.0}     # seconds one expectation may take to come true
SCENARIO_LIMIT = 120.0


class Failed(Exception):
    """An expectation that did not come true."""


class Skipped(Exception):
    """The machine lacks what the scenario needs."""


class Program:
    """What stands under test: how to start it and what a clean end looks like."""

    def __init__(self, name, agent, check=None):
        self.name, self.agent, self.check_command = name, agent, check
        # 143: the JVM's answer to SIGTERM. 3: our own, events were left in a memory channel.
        self.clean_exits = (0, 143) if name == "flume" else (0, 3)

    def environment(self, folder):
        env = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "LC_ALL", "JAVA_HOME", "LLVM_PROFILE_FILE")}
        env.update(HOME=str(folder), TZ="UTC", LANG="C.UTF-8")
        if self.name == "flume":
            env["JAVA_OPTS"] = f"-Xmx256m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Duser.home={folder}"
        return env


_ports_lock, _ports_given = threading.Lock(), set()


def free_port():
    """A port nobody listens on, below the range that the system hands out itself, never given twice."""
    with _ports_lock:
        while True:
            port = random.randint(15000, 31000)
            if port in _ports_given:
                continue
            with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
                try:
                    tcp.bind(("127.0.0.1", port))
                    udp.bind(("127.0.0.1", port))
                except OSError:
                    continue
            _ports_given.add(port)
            return port


def natural(path):
    return [int(x) if x.isdigit() else x for x in re.split(r"(\d+)", str(path))]


class Player:
    def __init__(self, scenario, program):
        self.scenario, self.program = scenario, program
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"scenario-{scenario.name}-"))
        self.log = self.folder / "agent.log"
        self.log.touch()
        self.process = None
        self.extra_environment = {}
        self.finals = {}                     # expectations that must still hold when the agent has ended
        self.ends = time.monotonic() + SCENARIO_LIMIT
        self.step_limit = STEP_LIMIT[program.name]
        self.variables = {"dir": self.folder, **{name: free_port() for name in scenario.ports()}}
        self.connections = {}

    def play(self):
        (self.folder / "conf").mkdir()
        try:
            for section in self.scenario.sections:
                if section.only in (None, self.program.name):
                    self.step(section.fill(self.variables))
            if self.process is not None:
                self.do_stop(None)
            for section, again in self.finals.values():
                self.guard(section, again)
        finally:
            for connection in self.connections.values():
                connection.close()
            self.kill()

    def step(self, section):
        self.guard(section, lambda: getattr(self, "do_" + section.kind.replace(" ", "_"))(section))

    def guard(self, section, action):
        try:
            action()
        except (Failed, OSError) as error:
            where = f"{self.scenario.path.name}:{section.line}" if section else self.scenario.path.name
            raise Failed(f"{where}: {section.kind if section else ''} {section.argument if section else ''}: {error}") from None

    def cleanup(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- setting up -----------------------------------------------------------------------------------------------
    def path(self, name):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def do_config(self, section):
        self.path("agent.conf").write_bytes(section.content())

    def do_file(self, section):
        if section.argument.endswith("/"):
            self.path(section.argument + "x").parent.mkdir(exist_ok=True)
            return
        # Written aside and renamed: the agent never sees half a file.
        whole = self.path(".scenario-new")
        whole.write_bytes(section.content())
        whole.rename(self.path(section.argument))

    def do_append(self, section):
        with open(self.path(section.argument), "ab") as out:
            out.write(section.content())

    def do_environment(self, section):
        for line in section.lines:
            name, _, value = line.partition("=")
            self.extra_environment[name.strip()] = value.strip()

    def do_shell(self, section):
        self.shell("\n".join(section.lines))

    def shell(self, command):
        done = subprocess.run(["bash", "-euc", command], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=30, env={**os.environ, **self.extra_environment, "TZ": "UTC"}, check=False)
        if done.returncode != 0:
            raise Failed(f"exit status {done.returncode}: {done.stderr.decode(errors='replace')[-400:]}")
        return done.stdout

    def do_needs(self, section):
        for tool in section.argument.split():
            if tool == "host-name":
                self.need_host_name()
            elif shutil.which(tool) is None:
                raise Skipped(f"'{tool}' is not installed")

    @staticmethod
    def need_host_name():
        """A bare root may lack /etc/hosts: then neither program knows this machine's address."""
        try:
            socket.gethostbyname(socket.gethostname())
        except OSError as error:
            raise Skipped(f"the name '{socket.gethostname()}' of this machine has no address ({error}): add it to /etc/hosts") from error

    def do_limit(self, section):
        self.step_limit = float(section.argument)

    def do_differs(self, section):
        pass

    # --- the agent ------------------------------------------------------------------------------------------------
    def do_run(self, section):
        arguments = list(section.lines)
        if not any(a.startswith("--name") for a in arguments):
            arguments.append("--name=a1")
        if not any(a.startswith("--conf-file") for a in arguments):
            arguments.append(f"--conf-file={self.folder / 'agent.conf'}")
        words = [w for a in arguments for w in (a.split("=", 1) if a.startswith("--") else [a])]
        command = [*self.program.agent, "--conf", str(self.folder / "conf"), *words]
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            start_new_session=True,
                                            env={**self.program.environment(self.folder), **self.extra_environment})

    def do_stop(self, section):
        """`stop`, or `stop exit N` where the status is the point."""
        wanted = section is not None and re.fullmatch(r"exit (\d+)", section.argument)
        self.process.terminate()
        status = self.wait_for_end()
        if status not in ((int(wanted[1]),) if wanted else self.program.clean_exits):
            raise Failed(f"the agent ended with status {status} after SIGTERM")

    def do_kill(self, _section):
        self.kill()

    def kill(self):
        """The agent and whatever it left in its own process group."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None

    def wait_for_end(self):
        try:
            status = self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            raise Failed("the agent did not end within 20 s") from None
        self.kill()
        return status

    def until(self, question):
        """Asks until the answer is None (good); the last answer becomes the failure when time is up or the agent gone."""
        ends = min(self.ends, time.monotonic() + self.step_limit)
        while True:
            gone = self.process is not None and self.process.poll() is not None
            answer = question()
            if answer is None:
                return
            if gone:
                raise Failed(f"the agent has ended with status {self.process.returncode}; {answer}")
            if self.process is None or time.monotonic() > ends:
                raise Failed(answer)
            time.sleep(POLL)

    # --- talking to it --------------------------------------------------------------------------------------------
    def connect(self, port):
        ends = time.monotonic() + self.step_limit
        while True:
            try:
                connection = socket.create_connection(("127.0.0.1", port), timeout=self.step_limit)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return connection
            except ConnectionRefusedError:
                if self.process is None or self.process.poll() is not None:
                    raise Failed("the agent has ended") from None
                if time.monotonic() > ends:
                    raise Failed(f"nobody listens on port {port}") from None
                time.sleep(POLL)

    def do_tcp(self, section):
        """`> text` sends a line, `>| text` raw escaped bytes, `< text` is the next line that must come back."""
        port = int(section.argument)
        connection = self.connections.pop(port, None) or self.connect(port)
        self.connections[port] = connection
        replies = connection.makefile("rb")
        for line in section.lines:
            if line.startswith(">| "):
                connection.sendall(unescape(line[3:]))
            elif line.startswith(">"):
                connection.sendall(line[2:].encode() + b"\n")
            elif line.startswith("< "):
                reply = replies.readline().decode(errors="surrogateescape")
                if not reply.endswith("\n") or not Pattern(line[2:]).matches(reply[:-1]):
                    raise Failed(f"the reply is {reply!r}, expected {line[2:]!r}")
            elif line == "close":
                self.connections.pop(port).close()
            else:
                raise Failed(f"'{line}' is neither '> text', '>| bytes', '< text' nor 'close'")

    def do_expect_closed(self, section):
        connection = self.connections.pop(int(section.argument))
        with connection:
            if connection.recv(1):
                raise Failed("more bytes came instead of the end")

    def do_udp(self, section):
        with socket.socket(type=socket.SOCK_DGRAM) as udp:
            for line in section.lines:
                udp.sendto(line.encode(), ("127.0.0.1", int(section.argument)))

    # --- looking at what came out ---------------------------------------------------------------------------------
    def log_lines(self):
        return self.log.read_text(encoding="utf-8", errors="surrogateescape").split("\n")

    def finally_too(self, section, question):
        def again():
            answer = question()
            if answer is not None:
                raise Failed(f"(after the end) {answer}")
        self.finals[(section.kind, section.argument)] = (section, again)

    def do_expect_text(self, section):
        expected = lines_of(section.content())

        def question():
            paths = sorted((p for p in self.folder.glob(section.argument) if p.is_file() and not is_checksum(p)), key=natural)
            actual = b"".join(read(p) for p in paths)
            return difference(expected, lines_of(actual), section.modifiers)
        self.until(question)
        self.finally_too(section, question)

    def do_expect_files(self, section):
        base = self.folder / section.argument

        def question():
            actual = [str(p.relative_to(base)) for p in base.rglob("*") if p.is_file() and not is_checksum(p)]
            return difference(section.lines, sorted(actual, key=natural), {"any order"})
        self.until(question)

    def do_expect_log(self, section):
        def question():
            lines = self.log_lines()
            missing = [e for e in section.lines if not any(Pattern(e).within(x) for x in lines)]
            return f"no log line has {missing[0]!r}" if missing else None
        self.until(question)

    def do_expect_no_log(self, section):
        def question():
            for line in self.log_lines():
                for unwanted in section.lines:
                    if Pattern(unwanted).within(line):
                        return f"the log has {line!r}"
            return None
        self.finally_too(section, question)

    def do_expect_events(self, section):
        def question():
            found = [m[1] for m in (re.search(r"Event: (\{ headers:.*)", line) for line in self.log_lines()) if m]
            return difference(section.lines, [f.rstrip() for f in found], section.modifiers | {"headers in any order"})
        self.until(question)
        self.finally_too(section, question)

    def do_expect_output_of(self, section):
        expected = lines_of(section.content())

        def question():
            try:
                return difference(expected, lines_of(self.shell(section.argument)), section.modifiers)
            except Failed as error:
                return str(error)
        self.until(question)

    def do_expect_metrics(self, section):
        def question():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{section.argument}/metrics", timeout=5) as answer:
                    groups = json.load(answer)
            except (OSError, ValueError) as error:
                return f"/metrics: {error}"
            for line in section.lines:
                group, name, value = re.fullmatch(r"(\S+) (\S+) = (.*)", line).groups()
                actual = groups.get(group, {}).get(name)
                if actual is None or not Pattern(value).matches(actual):
                    return f"{group} {name} is {actual!r}, expected {value!r}; groups: {', '.join(sorted(groups))}"
            return None
        self.until(question)

    def do_expect_exit(self, section):
        status = self.wait_for_end()
        if status != int(section.argument):
            raise Failed(f"exit status {status}")

    def do_check(self, section):
        """`standpipe check` on the configuration: its argument is `exit N` and options, each line must be printed."""
        if self.program.check_command is None:
            return
        match = re.fullmatch(r"(?:exit (\d+))?\s*(.*)", section.argument)
        command = [*self.program.check_command, str(self.folder / "agent.conf"), *(match[2].split() or ["--name", "a1"])]
        done = subprocess.run(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=20, check=False,
                              env={**self.program.environment(self.folder), **self.extra_environment})
        output = done.stdout.decode(errors="surrogateescape").replace(str(self.folder) + "/", "")
        for line in section.lines:
            if not any(Pattern(line).within(x) for x in output.split("\n")):
                raise Failed(f"not printed: {line!r}; output:\n{output}")
        if match[1] and done.returncode != int(match[1]):
            raise Failed(f"exit status {done.returncode}; output:\n{output}")


def is_checksum(path):
    """Hadoop's local file system leaves .NAME.crc beside every file: no part of the output."""
    return path.name.startswith(".") and path.name.endswith(".crc")


def read(path):
    try:
        return path.read_bytes()
    except FileNotFoundError:      # renamed between listing and reading: the next look will see it
        return b""


def lines_of(content):
    """Lines without their line feed; bytes after the last one become a line marked as unfinished."""
    lines = content.decode("utf-8", errors="surrogateescape").split("\n")
    last = lines.pop()
    return lines + ([last + "<no newline>"] if last else [])
