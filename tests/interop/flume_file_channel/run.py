#!/usr/bin/env python3
"""run.py STANDPIPE: file channel folders that real Flume wrote (1.11; 1.10 and 1.9 too), taken over by this program and handed back.

Flume is fed and drained over its own Avro source and sink, so that every event is known to the byte. Exits 77, saying why,
where Flume is not installed and can't be.
"""
import pathlib
import random
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agents import PATIENCE, Agent, free_port, jars_of, listens, run_with_flume, wait_for  # noqa: E402
from avro_peer import Sink, read_container, send_batch  # noqa: E402


def channel_text(folder, more=""):
    return f"""a1.channels.c1.type = file
a1.channels.c1.checkpointDir = {folder}/checkpoint
a1.channels.c1.dataDirs = {folder}/data1,{folder}/data2
a1.channels.c1.checkpointInterval = 1000
a1.channels.c1.minimumRequiredSpace = 1048576
a1.channels.c1.transactionCapacity = 1000
a1.channels.c1.capacity = 100000
{more}
"""


class Test:
    def __init__(self, flume, standpipe, work):
        self.flume, self.standpipe, self.work = flume, standpipe, work
        self.random = random.Random(17)
        self.made = 0

    def events(self, count):
        """Bodies with every byte, headers that are not ASCII, some of both empty."""
        made = []
        for _ in range(count):
            self.made += 1
            size = self.random.choice([0, 3, 40, 700, 5000])
            headers = [("n", str(self.made))]
            if self.made % 3 == 0:
                headers.append(("größe", "日本 %d" % size))
            if self.made % 5 == 0:
                headers.append(("empty", ""))
            made.append((tuple(sorted(headers)), self.random.randbytes(size)))
        return made

    def run_flume(self, folder, text, older=None):
        if older:
            java = ["java", "-Xmx256m", "-cp", f"{older}/*", "org.apache.flume.node.Application"]
            return Agent(java, folder / "flume", text, bare=True)
        return Agent([self.flume, "agent"], folder / "flume", text, {"JAVA_OPTS": "-Xmx256m"})

    def fill(self, name, count, sink=None, more="", older=None):
        """Has Flume write a folder and kills it; what it was given, in order. `older`: the jars of an older one."""
        folder = self.work / name
        port = free_port()
        text = channel_text(folder, more) + f"""a1.channels = c1
a1.sources = r1
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = {port}
a1.sources.r1.channels = c1
"""
        if sink:
            text += f"""a1.sinks = k1
a1.sinks.k1.type = avro
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = {sink.port}
a1.sinks.k1.batch-size = 20
a1.sinks.k1.request-timeout = 600000
a1.sinks.k1.channel = c1
"""
        given = self.events(count)
        with self.run_flume(folder, text, older) as agent:
            wait_for(lambda: listens(port), "the Avro source listens")
            for at in range(0, count, 10):
                send_batch(port, given[at:at + 10])
            if sink:
                sink.wait(lambda peer: peer.held)
                # A checkpoint while takes are outstanding, and events behind it.
                wait_for(lambda: (folder / "checkpoint/inflighttakes").stat().st_size > 32, "a checkpoint")
                if "useDualCheckpoints" in more:
                    wait_for(lambda: (folder / "backup/inflighttakes").exists()
                             and (folder / "backup/inflighttakes").stat().st_size > 32
                             and (folder / "backup/backupComplete").exists(), "a backup of the checkpoint")
                later = self.events(30)
                send_batch(port, later)
                given += later
            agent.end(signal.SIGKILL)
        return folder, given

    def standpipe_text(self, folder, more=""):
        out = folder / "out"
        out.mkdir(exist_ok=True)
        return channel_text(folder, more) + f"""a1.channels = c1
a1.sinks = k1
a1.sinks.k1.type = file_roll
a1.sinks.k1.sink.directory = {out}
a1.sinks.k1.sink.rollInterval = 0
a1.sinks.k1.sink.serializer = avro_event
a1.sinks.k1.channel = c1
"""

    def take_over(self, folder, expected, more="", killed_at=()):
        """Runs this program on the folder, killed at each of the places first; what its sink wrote is what was expected."""
        text = self.standpipe_text(folder, more)
        for place in killed_at:
            with Agent([self.standpipe, "agent"], folder / "killed", text,
                       {"STANDPIPE_FAILPOINTS": f"{place}=kill"}) as agent:
                wait_for(lambda: agent.process.poll() is not None, f"killed at {place}")
                assert agent.process.returncode == -signal.SIGKILL, (place, agent.text()[-2000:])
        with Agent([self.standpipe, "agent"], folder / "standpipe", text) as agent:
            agent.wait_for_log(rf"took over {len(expected)} events")
            out = folder / "out"
            wait_for(lambda: sum(1 for _ in self.delivered(out)) >= len(expected), "all events are delivered")
            agent.end(signal.SIGTERM)
        self.compare(list(self.delivered(out)), expected, folder.name)
        assert list((folder / "data1").glob("flume-taken-over-1/log-*")), "the old files are gone"

    @staticmethod
    def delivered(out):
        for path in sorted(out.iterdir()):
            try:
                yield from read_container(path)
            except AssertionError:
                return  # being written

    @staticmethod
    def compare(found, expected, what):
        if found == expected:
            return
        lost = [event for event in expected if event not in found]
        invented = [event for event in found if event not in expected]
        raise AssertionError(f"{what}: {len(found)} events instead of {len(expected)}; lost {lost[:3]}, invented or "
                             f"twice {invented[:3]}, order {'differs' if not lost and not invented else 'unknown'}")

    @staticmethod
    def rest(given, sink):
        """What Flume did not deliver."""
        count = len(sink.delivered)
        assert sink.enough <= count < sink.enough + 20 and sink.delivered == given[:count], f"{count} delivered"
        return given[count:]

    def export(self, folder, to, output):
        result = subprocess.run([self.standpipe, "tool", "file-channel", "export", "--to", to, "--output", str(output),
                                 str(folder)], capture_output=True, text=True, timeout=60, check=False)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def refused_by_flume(self, folder, what):
        """Flume does not start its channel on the folder, and changes nothing in it."""
        before = self.files_of(folder)
        text = channel_text(folder) + "a1.channels = c1\na1.sinks = k1\na1.sinks.k1.type = null\na1.sinks.k1.channel = c1\n"
        with self.run_flume(folder, text) as agent:
            agent.wait_for_log(r"has bad version")
            agent.end(signal.SIGKILL)
        after = self.files_of(folder)
        changed = [str(path) for path in {**before, **after} if before.get(path) != after.get(path)]
        assert not changed, f"{what}: Flume changed {changed}"
        (folder / "flume/agent.log").unlink()

    def given_back(self, exported, expected):
        """Real Flume delivers what was exported for it."""
        sink = Sink(10**9)
        text = channel_text(exported).replace(f"{exported}/data1,{exported}/data2", f"{exported}/data") + f"""a1.channels = c1
a1.sinks = k1
a1.sinks.k1.type = avro
a1.sinks.k1.hostname = 127.0.0.1
a1.sinks.k1.port = {sink.port}
a1.sinks.k1.batch-size = 100
a1.sinks.k1.channel = c1
"""
        with self.run_flume(self.work / "back", text) as agent:
            try:
                sink.wait(lambda peer: len(peer.delivered) >= len(expected), PATIENCE)
            except AssertionError as error:
                raise AssertionError(f"{error}:\n{agent.text()[-3000:]}") from error
            agent.end(signal.SIGTERM)
        self.compare(sink.delivered, expected, "handed back to Flume")

    def run(self):
        copied = 0

        def copy_of(folder):
            nonlocal copied
            copied += 1
            target = self.work / f"{folder.name}-copy{copied}"
            shutil.copytree(folder, target)
            return target

        # A plain backlog. Killed at every step of the take-over; in between Flume must not start where it could repeat.
        plain, given = self.fill("plain", 300)
        guarded = copy_of(plain)
        with Agent([self.standpipe, "agent"], guarded / "killed", self.standpipe_text(guarded),
                   {"STANDPIPE_FAILPOINTS": "file.take_over_guarded=kill"}) as agent:
            wait_for(lambda: agent.process.poll() is not None, "killed when Flume's folder is guarded")
        self.refused_by_flume(guarded, "a take-over under way")
        self.take_over(guarded, given)
        self.done("a plain backlog, one try killed before the decision; Flume refuses it in between")
        self.take_over(plain, given, killed_at=["file.take_over_copied", "file.take_over_guarded", "file.take_over_decided",
                                                "file.take_over_file_moved", "file.take_over_file_moved",
                                                "file.take_over_folder_done", "file.take_over_moved"])
        self.done("a plain backlog, killed at every step")

        # The way back.
        backlog, given = self.fill("backlog", 500)
        text = channel_text(backlog) + ("a1.channels = c1\na1.sources = r1\na1.sources.r1.type = netcat\n"
                                        f"a1.sources.r1.bind = 127.0.0.1\na1.sources.r1.port = {free_port()}\n"
                                        "a1.sources.r1.channels = c1\n")
        with Agent([self.standpipe, "agent"], backlog / "standpipe", text) as agent:
            agent.wait_for_log("took over 500 events")
            agent.end(signal.SIGTERM)
        self.refused_by_flume(backlog, "our backlog")
        self.done("Flume refuses a folder with our backlog and changes nothing")
        self.export(backlog, "avro", self.work / "out.avro")
        self.compare(read_container(self.work / "out.avro"), given, "exported to Avro")
        print(self.export(backlog, "flume", self.work / "exported").strip())
        self.given_back(self.work / "exported", given)
        self.done("exported to Avro and to Flume, which delivers it")

        # Takes outstanding, in a checkpoint and behind it; a second checkpoint.
        dual = f"a1.channels.c1.useDualCheckpoints = true\na1.channels.c1.backupCheckpointDir = {self.work}/NAME/backup\n"
        sink = Sink(60)
        outstanding, given = self.fill("outstanding", 200, sink, dual.replace("NAME", "outstanding"))
        sink.close()
        expected = self.rest(given, sink)
        logs = sum(1 for path in outstanding.glob("data*/log-*") if path.suffix != ".meta")
        for what, damage in {
                "takes outstanding": lambda folder: None,
                "a damaged checkpoint": lambda folder: (folder / "checkpoint/checkpoint").write_bytes(bytes(9032)),
                "a damaged .meta of the checkpoint": lambda folder: (folder / "checkpoint/checkpoint.meta").write_bytes(b"x"),
                "a missing checkpoint": lambda folder: shutil.rmtree(folder / "checkpoint"),
        }.items():
            folder = copy_of(outstanding)
            damage(folder)
            self.take_over(folder, expected)
            self.done(f"{what}, {logs} logs")
        folder = copy_of(outstanding)
        (folder / "checkpoint/checkpoint").write_bytes(bytes(9032))
        self.take_over(folder, expected, dual.replace("NAME", folder.name))
        assert "the backup checkpoint is used" in (folder / "standpipe/agent.log").read_text()
        self.done("a damaged checkpoint and the backup of it")

        # Many logs, most of them consumed.
        sink = Sink(300)
        several, given = self.fill("several", 400, sink, "a1.channels.c1.maxFileSize = 60000\n")
        sink.close()
        logs = sum(1 for path in several.glob("data*/log-*") if path.suffix != ".meta")
        assert logs >= 6, f"only {logs} logs"
        expected = self.rest(given, sink)
        self.take_over(several, expected)
        self.done(f"{logs} logs, some consumed")

        for version in ("1.9", "1.10"):
            self.written_by_older(version)
        self.encrypted_is_refused()

    def written_by_older(self, version):
        jars = jars_of(f"flume-{version}")
        if not jars:
            print(f"skipped: folders of Flume {version}", flush=True)
            return
        sink = Sink(60)
        folder, given = self.fill(f"flume-{version}", 200, sink, "a1.channels.c1.maxFileSize = 60000\n", jars)
        sink.close()
        self.take_over(folder, self.rest(given, sink))
        self.done(f"takes outstanding in a folder of Flume {version}")

    def encrypted_is_refused(self):
        store, password = self.work / "keystore", self.work / "password"
        password.write_text("keyStorePassword")
        subprocess.run(["keytool", "-genseckey", "-alias", "key-0", "-keyalg", "AES", "-keysize", "128", "-keystore", store,
                        "-storetype", "jceks", "-storepass", "keyStorePassword", "-keypass", "keyStorePassword"],
                       check=True, capture_output=True)
        folder, _ = self.fill("encrypted", 50, more=f"""a1.channels.c1.encryption.activeKey = key-0
a1.channels.c1.encryption.cipherProvider = AESCTRNOPADDING
a1.channels.c1.encryption.keyProvider = JCEKSFILE
a1.channels.c1.encryption.keyProvider.keyStoreFile = {store}
a1.channels.c1.encryption.keyProvider.keyStorePasswordFile = {password}
a1.channels.c1.encryption.keyProvider.keys = key-0
""")
        before = self.files_of(folder)
        with Agent([self.standpipe, "agent"], folder / "standpipe", self.standpipe_text(folder)) as agent:
            agent.wait_for_log("encrypted with cipher AESCTRNOPADDING, key key-0, which is not read here")
            agent.end(signal.SIGKILL)
        assert self.files_of(folder) == before, "something was changed"
        self.done("what Flume encrypted is refused and left untouched")

    @staticmethod
    def files_of(folder):
        """Contents by path, without locks and without what agents of this test write for themselves."""
        return {path: path.read_bytes() for inner in ("checkpoint", "data1", "data2") for path in (folder / inner).rglob("*")
                if path.is_file() and not path.name.endswith(".lock")}

    def done(self, what):
        print(f"ok: {what}", flush=True)


sys.exit(run_with_flume("flume_file_channel", lambda *peers: Test(*peers).run()))
