#!/usr/bin/env python3
"""The manual says what is: every example of it goes through `standpipe check` and prints what the page says, and nothing
where it says nothing; the examples of component pages are run; every diagnostic class has its example; generated pages are
fresh; relative links lead somewhere; the metrics that exist are those that are listed.

    tests/manual/manual_test.py [--program PATH]      PATH: a standpipe binary (default: bin/standpipe of the checkout)
"""
import argparse
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop" / "support"))
import avro_peer  # noqa: E402
import spark_peer  # noqa: E402
import thrift_peer  # noqa: E402
from manual_pages import ROOT, blocks, examples, pages, properties  # noqa: E402

PROGRAM = ROOT / "bin" / "standpipe"
LIMIT_S = 20
SUMMARY = re.compile(r"^\d+ errors?, \d+ warnings?(, \d+ notes?)?$")
EXIT_STATUS = {"error": 2, "warning": 0, "note": 0}


def check(path, *arguments):
    return subprocess.run([str(PROGRAM), "check", *arguments, path.name], cwd=path.parent, capture_output=True, text=True,
                          timeout=LIMIT_S, check=False)


def diagnostics_of(output):
    """What stands before the line that counts."""
    lines = output.split("\n")
    end = next((i for i, line in enumerate(lines) if SUMMARY.match(line)), len(lines))
    return "".join(line + "\n" for line in lines[:end])


class Examples(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="manual-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def test_check_prints_what_the_page_says(self):
        count = 0
        for page in pages():
            for example in examples(page):
                count += 1
                with self.subTest(example.place):
                    self.check_example(example)
        self.assertGreater(count, 60, "the examples were not found")

    def check_example(self, example):
        path = self.folder / "agent.conf"
        path.write_bytes(example.bytes())
        result = check(path)
        self.assertEqual(diagnostics_of(result.stdout), example.diagnostics, result.stderr)
        severities = set(re.findall(r"^agent\.conf:\d+: (error|warning|note): ", example.diagnostics, re.MULTILINE))
        wanted = max((EXIT_STATUS[each] for each in severities), default=0)
        self.assertEqual(result.returncode, wanted)
        self.assertEqual(check(path, "--strict").returncode, max(wanted, 1 if "warning" in severities else 0))

    def test_examples_of_component_pages_run(self):
        count = 0
        for page in pages():
            if page.name != "README.md" and ROOT / "src" not in page.parents:
                continue
            for number, example in enumerate(examples(page)):
                count += 1
                with self.subTest(example.place):
                    run_for_real(self, example, self.folder / "-".join((*page.relative_to(ROOT).with_suffix("").parts, str(number))))
        self.assertGreater(count, 20, "the examples were not found")


def run_for_real(test, example, folder):
    """Starts an agent with the example, its absolute paths moved into `folder` and its ports made free ones, and stops it."""
    folder.mkdir(parents=True)
    text = example.bytes().decode()
    for path in sorted(set(re.findall(r"(?:(?<=[\s=])|(?<=file://))/(?:var|data|srv)/[^\s#]*", text)), key=len, reverse=True):
        text = re.sub(rf"(?<![\w.]){re.escape(path)}(?!\S)", f"{folder}{path}".replace("\\", r"\\"), text)
    text = re.sub(r"(\.port\s*=\s*)\d+", lambda match: f"{match[1]}{free_port()}", text)
    text = with_receivers(test, text)
    for key, value in properties(text):
        if not value.startswith(str(folder)):
            continue
        is_folder = key.endswith((".spoolDir", ".sink.directory"))
        pathlib.Path(value if is_folder else value.rpartition("/")[0]).mkdir(parents=True, exist_ok=True)
        if re.search(r"\.encryption\.keyProvider\.keys\.[\w-]+\.file$", key):
            pathlib.Path(value).write_text("0123456789abcdef" * 4, encoding="utf-8")
            pathlib.Path(value).chmod(0o600)
    configuration = folder / "agent.conf"
    configuration.write_text(text, encoding="utf-8")
    agent = next(key[:key.index(".")] for key, _ in properties(text) if key.endswith(".sources"))
    output, status = start_and_stop([str(PROGRAM), "agent", "--name", agent, "--conf", str(folder), "--conf-file", str(configuration),
                                     f"-Dstandpipe.state.dir={folder}/state"], folder, f"agent {agent} runs")
    test.assertEqual(status, 0, output)
    test.assertNotIn(" ERROR ", output)


def with_receivers(test, text):
    """Has each avro and thrift sink send to a receiver of the test's own, which says OK to everything, and one pull from
    each Spark sink."""
    for sink in re.findall(r"^(\w+\.sinks\.\w+)\.type\s*=\s*[\w.]*SparkSink\s*$", text, re.M):
        port = re.search(rf"^{re.escape(sink)}\.port\s*=\s*(\d+)", text, re.M)
        test.addCleanup(spark_peer.Receiver(int(port[1])).close)
    for sink, kind in re.findall(r"^(\w+\.sinks\.\w+)\.type\s*=\s*(avro|thrift)\s*$", text, re.M):
        receiver = avro_peer.Sink(enough=10**9) if kind == "avro" else thrift_peer.Sink()
        test.addCleanup(receiver.close)
        text = re.sub(rf"^({re.escape(sink)}\.hostname\s*=\s*).*", r"\g<1>127.0.0.1", text, flags=re.M)
        text = re.sub(rf"^({re.escape(sink)}\.port\s*=\s*).*", rf"\g<1>{receiver.port}", text, flags=re.M)
    return text


def start_and_stop(command, folder, sign):
    """What the agent logs and its exit status; it is stopped as soon as `sign` was logged."""
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          env={**os.environ, "HOME": str(folder)}) as process:
        output, deadline, stopped = b"", time.monotonic() + LIMIT_S, False
        while time.monotonic() < deadline:
            if not stopped and sign.encode() in output:
                process.send_signal(signal.SIGTERM)
                stopped = True
            if not select.select([process.stderr], [], [], 0.2)[0]:
                continue
            more = os.read(process.stderr.fileno(), 65536)
            if not more:
                return output.decode(errors="replace"), process.wait(timeout=LIMIT_S)
            output += more
        process.kill()
        return output.decode(errors="replace"), f"did not end within {LIMIT_S} s"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class QuickStart(unittest.TestCase):
    """The commands of the page, as a newcomer types them: `sh` blocks in one shell, what they print as the page shows it."""

    def test_its_commands_do_what_it_says(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="manual-"))
        self.addCleanup(shutil.rmtree, folder)
        script, expected = ["set -m", f"cd {ROOT}"], []
        for block in blocks(ROOT / "docs/manual/quick-start.md"):
            text = block.text.replace("/tmp/quick-start", f"{folder}/quick-start")
            if block.language == "sh" and text.startswith("cat ") and "<<" not in text:
                script.append(f"for try in {{1..400}}; do {text.strip()} >/dev/null 2>&1 && break; sleep 0.05; done")
            if block.language == "sh":
                script += ["echo == >&3", f"{{ {text}}} >&3"]
            elif block.language == "text":
                expected.append((sum(line == "echo == >&3" for line in script), text))
        chosen = {} if PROGRAM.parent == ROOT / "bin" else {"STANDPIPE_PROGRAM": str(PROGRAM)}
        output, log = run_script("exec 3>&1 >/dev/null\n" + "\n".join(script), {**os.environ, "HOME": str(folder), **chosen})
        printed = output.split("==\n")
        self.assertEqual(len(expected), 2)
        for number, text in expected:
            self.assertEqual(printed[number], text, log)
        self.assertRegex(printed[-1], r"\bapp\.\d+\.log\n$", "the file has its final name")
        self.assertIn("agent a1 has stopped", log)


def run_script(script, environment):
    """(standard output, standard error) of a bash script; nothing of it is left running."""
    with subprocess.Popen(["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
                          stdin=subprocess.DEVNULL, start_new_session=True) as shell:
        try:
            return shell.communicate(timeout=60)
        finally:
            kill_session(shell.pid)


def kill_session(leader):
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if os.getsid(int(entry.name)) == leader:
                os.kill(int(entry.name), signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


class Completeness(unittest.TestCase):
    def test_every_diagnostic_class_has_an_example(self):
        code = (ROOT / "src/config/diagnostic.cc").read_text(encoding="utf-8")
        classes = set(re.findall(r'DiagnosticCode::\w+: return "([\w-]+)"', code))
        self.assertGreater(len(classes), 30)
        page = ROOT / "docs/manual/configuration.md"
        shown = set()
        for example in examples(page):
            shown |= set(re.findall(r" \[([\w-]+)\]$", example.diagnostics, re.MULTILINE))
        self.assertEqual(classes - shown, set(), f"{page}: no example provokes these")

    def test_every_metric_is_listed(self):
        code = (ROOT / "src/monitor/metrics.cc").read_text(encoding="utf-8")
        metrics = re.findall(r'^ +\{"(\w+)", "(\w+)"', code, re.MULTILINE)
        self.assertGreater(len(metrics), 30)
        listed = (ROOT / "src/monitor/manual.md").read_text(encoding="utf-8")
        for attribute, name in metrics:
            with self.subTest(attribute):
                self.assertRegex(listed, rf"\| {attribute}( \(ours\))? \| {name} \|")

    def test_every_built_component_has_a_page(self):
        index = (ROOT / "docs/manual/components/index.md").read_text(encoding="utf-8")
        rows = [line for line in index.split("\n") if line.startswith("| ") and not line.startswith("| name |")]
        self.assertGreater(len(rows), 50)
        self.assertEqual([row for row in rows if "](" not in row and "*Not yet here.*" not in row], [])

    def test_generated_pages_are_fresh(self):
        result = subprocess.run([sys.executable, str(ROOT / "docs/generate.py"), "--check", "--program", str(PROGRAM)],
                                capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 0, f"run ./dev docs and commit what it writes\n{result.stdout}{result.stderr}")


class Links(unittest.TestCase):
    def test_relative_links_lead_somewhere(self):
        count = 0
        for page in [*sorted((ROOT / "docs").glob("**/*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
            prose = re.sub(r"^(`{3,}).*?^\1$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
            for target in re.findall(r"(?<!`)\[[^\]\n]+\]\(([^)\s]+)\)", prose):
                if re.match(r"[a-z]+:", target):
                    continue
                count += 1
                with self.subTest(f"{page.relative_to(ROOT)}: {target}"):
                    self.follow(page, target)
        self.assertGreater(count, 50, "the links were not found")

    def follow(self, page, target):
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        self.assertTrue(there.exists(), "leads nowhere")
        if anchor:
            self.assertIn(anchor, anchors(there))


def anchors(page):
    """As a web forge makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).lower()).replace(" ", "-") for heading in headings}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=PROGRAM)
    known, rest = parser.parse_known_args()
    PROGRAM = known.program.resolve()
    unittest.main(argv=[sys.argv[0], *rest])
