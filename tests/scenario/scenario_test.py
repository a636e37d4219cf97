"""The runner is tested too: a comparison that cannot fail would make every scenario pass."""
import pathlib
import re
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import compatibility  # noqa: E402
from player import Failed, Player, Program, lines_of  # noqa: E402
from scenario import Pattern, ScenarioError, difference, parse, sort_headers, unescape  # noqa: E402

NONE = frozenset()


def scenario_of(text):
    with tempfile.NamedTemporaryFile("w", suffix=".scenario", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        return parse(file.name)


class Comparing(unittest.TestCase):
    def test_lines_in_order(self):
        self.assertIsNone(difference(["a", "b"], ["a", "b"], NONE))
        self.assertIn("line 1", difference(["a", "b"], ["b", "a"], NONE))
        self.assertIn("1 lines", difference(["a", "b"], ["a"], NONE))
        self.assertIn("3 lines", difference(["a", "b"], ["a", "b", "b"], NONE))

    def test_any_order_still_counts(self):
        self.assertIsNone(difference(["a", "b", "b"], ["b", "a", "b"], {"any order"}))
        self.assertIn("unexpected", difference(["a", "b"], ["b", "a", "b"], {"any order"}))
        self.assertIn("missing", difference(["a", "b", "b"], ["b", "a"], {"any order"}))

    def test_at_least_once_allows_repeats_only(self):
        self.assertIsNone(difference(["a", "b"], ["a", "a", "b"], {"at least once"}))
        self.assertIn("missing", difference(["a", "b"], ["a", "a"], {"at least once"}))
        self.assertIn("unexpected", difference(["a"], ["a", "c"], {"at least once"}))

    def test_headers(self):
        self.assertEqual(sort_headers("{b=2, a=1} x"), "{a=1, b=2} x")
        self.assertEqual(sort_headers("{ headers:{b=2, a=1} body: 41 A }"), "{ headers:{a=1, b=2} body: 41 A }")
        self.assertIsNone(difference(["{b=<<\\d>>, a=1} x"], ["{a=1, b=2} x"], {"headers in any order"}))

    def test_patterns(self):
        self.assertTrue(Pattern("a.b<<\\d+>>").matches("a.b12"))
        self.assertFalse(Pattern("a.b").matches("axb"))
        self.assertFalse(Pattern("<<a|b>>c").matches("a"))
        self.assertTrue(Pattern("part").within("a part of it"))

    def test_bytes(self):
        self.assertEqual(unescape("a\\n\\xffé\\\\n"), b"a\n\xff\xc3\xa9\\n")
        self.assertEqual(lines_of(b"a\nb"), ["a", "b<no newline>"])
        self.assertEqual(lines_of(b""), [])


class Reading(unittest.TestCase):
    def test_sections(self):
        scenario = scenario_of("# Title\nprose\n== config\na = 1\n\n== run\n== expect text out/* (any order)\nx\n\n")
        self.assertEqual([s.kind for s in scenario.sections], ["config", "run", "expect text"])
        self.assertEqual(scenario.sections[0].content(), b"a = 1\n")
        self.assertEqual((scenario.sections[2].argument, scenario.sections[2].modifiers), ("out/*", {"any order"}))

    def test_refused(self):
        for text in ("no title\n", "# T\n== unknown\n", "# T\n== run\n", "# T\n== expect text\n", "# T\n== expect log (sorted)\n",
                     "# T\n== flume expect log\nx\n", "# T\n== expect log\nx\n== differs sources 1\nreason\n",
                     "# T\n== flume expect log\nx\n== differs sources 1\n"):
            with self.subTest(text=text), self.assertRaises(ScenarioError):
                scenario_of(text)


class Playing(unittest.TestCase):
    """Against a shell script in the agent's place."""

    def play(self, script, text):
        player = Player(scenario_of(text), Program("standpipe", ["sh", "-c", script]))
        player.step_limit = 2
        try:
            player.play()
        finally:
            player.cleanup()

    def test_passes(self):
        self.play("echo hello > out; echo started; exec sleep 60",
                  "# T\n== run\n== expect text out\nhello\n== expect log\nstarted\n== kill\n")

    def test_wrong_text(self):
        with self.assertRaisesRegex(Failed, "expected"):
            self.play("echo hello > out; exec sleep 60", "# T\n== run\n== expect text out\nhallo\n")

    def test_too_much_at_the_end(self):
        with self.assertRaisesRegex(Failed, "after the end"):
            self.play("echo a > out; trap 'echo b >> out; exit 0' TERM; echo ready; while :; do sleep 0.05; done",
                      "# T\n== run\n== expect log\nready\n== expect text out\na\n== stop\n")

    def test_death_is_noticed(self):
        with self.assertRaisesRegex(Failed, "ended with status 7"):
            self.play("exit 7", "# T\n== run\n== expect text out\nx\n")

    def test_unclean_end(self):
        with self.assertRaisesRegex(Failed, "status 9"):
            self.play("trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done", "# T\n== run\n== expect log\nready\n")

    def test_unwanted_log_line(self):
        with self.assertRaisesRegex(Failed, "the log has"):
            self.play("trap 'exit 0' TERM; echo bad; while :; do sleep 0.05; done",
                      "# T\n== run\n== expect no log\nbad\n== expect log\nbad\n")


class Compatibility(unittest.TestCase):
    def test_entry_shows_both(self):
        page = compatibility.page([scenario_of(
            "# Title\n== flume expect text o\nold\n== standpipe expect text o\nnew\n== differs sinks 1 B1\nThe reason.\n")])
        for part in ("## Sinks", "### Title", "The reason.", "    old", "    new", "sinks 1 B1"):
            self.assertIn(part, page)


class Diagnostics(unittest.TestCase):
    def test_each_class_has_a_scenario_that_asserts_file_and_line(self):
        source = (HERE.parent.parent / "src/config/diagnostic.cc").read_text(encoding="utf-8")
        classes = set(re.findall(r"DiagnosticCode::\w+: return \"([a-z-]+)\"", source))
        self.assertGreater(len(classes), 30)
        asserted = set()
        for path in HERE.glob("*.scenario"):
            for section in parse(path).sections:
                if section.kind == "check":
                    asserted |= {m[1] for m in (re.match(r"agent\.conf:\d+: .* \[([a-z-]+)\]$", x) for x in section.lines) if m}
        self.assertEqual(classes - asserted, set())


if __name__ == "__main__":
    unittest.main()
