"""Agents as processes, ours and real Flume's, for the tests that put the two together."""
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 90  # seconds, for machines with much else to do


def wait_for(condition, what, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.05)


def free_port():
    """Below the ports that the system gives to who connects: a client that tries before the other one listens would
    otherwise, now and then, be connected to itself."""
    while True:
        try:
            with socket.create_server(("127.0.0.1", random.randrange(15000, 32000))) as server:
                return server.getsockname()[1]
        except OSError:
            pass


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return True
    except OSError:
        return False


class Agent:
    """A process that runs an agent; killed at the end of the with-block if it still runs. `bare`: a Java machine by itself,
    without the script that knows more switches. `switches`: where its configuration is, when that is not `text`."""

    def __init__(self, command, folder, text, environment=None, bare=False, switches=None):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "agent.conf").write_text(text)
        self.log = folder / "agent.log"
        with open(self.log, "ab") as log:
            switches = ["--name", "a1", *(switches or ["--conf-file", str(folder / "agent.conf"), "--no-reload-conf"])]
            more = ["--conf", str(folder), "-Dflume.root.logger=INFO,console", f"-Dstandpipe.state.dir={folder}/state"]
            self.process = subprocess.Popen(
                [*command, *switches, *([] if bare else more)],
                stdout=log, stderr=log, cwd=folder, env={**os.environ, **(environment or {})})

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.end(signal.SIGKILL)

    def end(self, with_signal):
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        self.process.wait(60)

    def text(self):
        return self.log.read_text(errors="replace")

    def wait_for_log(self, pattern):
        wait_for(lambda: re.search(pattern, self.text()) or self.process.poll() is not None, pattern)
        assert re.search(pattern, self.text()), f"{pattern} is not in the log:\n{self.text()[-3000:]}"


def install():
    for tool in ("java", "mvn"):
        if not shutil.which(tool):
            return None, f"'{tool}' is missing"
    result = subprocess.run([HERE.parent / "flume/install.sh"], capture_output=True, text=True, check=False)
    return (result.stdout.strip() + "/bin/flume-ng", "") if result.returncode == 0 else (None, result.stderr.strip())


def jars_of(name):
    """The folder with the jars of jars/NAME.xml; None, saying why, where they can't be had."""
    result = subprocess.run([HERE.parent / "jars/install.sh", name], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        print(f"no jars of {name}: {result.stderr.strip()[-500:]}", flush=True)
    return result.stdout.strip() if result.returncode == 0 else None


def run_with_flume(name, run):
    """A test program that needs real Flume: calls run(flume, standpipe, work folder). 77 where Flume can't be had; the folder stays
    when the test fails."""
    flume, why = install()
    if not flume:
        print(f"{name}: skipped: Flume can't be installed: {why}")
        return 77
    work = pathlib.Path(tempfile.mkdtemp(prefix=f"{name.replace('_', '-')}-"))
    try:
        run(flume, pathlib.Path(sys.argv[1]).resolve(), work)
    except BaseException:
        print(f"what was written stays in {work}", file=sys.stderr)
        raise
    shutil.rmtree(work)
    return 0
