"""Reads a .scenario file: a title, some prose, then sections that are carried out in the order they are written.

    # A line sent to netcat is acknowledged
    == config
    a1.sources = r1
    == run
    == tcp {port1}
    > hello
    < OK
    == flume expect log            only when real Flume runs
    == standpipe expect log        only when our program runs
    == differs sources 8 B1        why the two expectations differ, in words for the compatibility page

docs/design/scenarios.md is the manual of the format.
"""
import dataclasses
import pathlib
import re

KINDS = {
    "config": 0, "environment": 0, "file": 1, "append": 1, "shell": 0, "run": 0, "stop": 0, "kill": 0, "tcp": 1, "udp": 1,
    "check": 0, "differs": 0, "needs": 1, "limit": 1,
    "expect text": 1, "expect files": 1, "expect log": 0, "expect no log": 0, "expect events": 0, "expect output of": 1,
    "expect metrics": 1, "expect exit": 1, "expect closed": 1,
}
MODIFIERS = {"escaped", "any order", "headers in any order", "at least once", "no newline at end"}
HEADER = re.compile(r"^== (?:(standpipe|flume) )?(.*?)\s*((?:\([a-z ]+\)\s*)*)$")
VARIABLE = re.compile(r"\{(dir|port[1-9])\}")


class ScenarioError(Exception):
    """The file breaks the format; the message names file and line."""


@dataclasses.dataclass
class Section:
    line: int
    only: str | None          # "standpipe", "flume" or None for both
    kind: str
    argument: str
    modifiers: frozenset
    lines: list

    def fill(self, variables):
        """The same section with {dir} and {portN} replaced."""
        def put(text):
            return VARIABLE.sub(lambda m: str(variables[m[1]]), text)
        return dataclasses.replace(self, argument=put(self.argument), lines=[put(line) for line in self.lines])

    def content(self):
        """The body as the bytes of a file."""
        if "escaped" in self.modifiers:
            return unescape("".join(self.lines))
        text = "\n".join(self.lines)
        if self.lines and "no newline at end" not in self.modifiers:
            text += "\n"
        return text.encode()


@dataclasses.dataclass
class Scenario:
    path: pathlib.Path
    title: str
    prose: str
    sections: list

    @property
    def name(self):
        return self.path.stem

    def ports(self):
        text = "\n".join(line for s in self.sections for line in [s.argument, *s.lines])
        return sorted(set(re.findall(r"\{(port[1-9])\}", text)))


def unescape(text):
    """\\n, \\r, \\t, \\\\ and \\xNN stand for bytes, everything else for itself in UTF-8."""
    names = {"n": b"\n", "r": b"\r", "t": b"\t", "\\": b"\\"}

    def byte(match):
        code = match[1].decode()
        return names[code] if code in names else bytes([int(code[1:], 16)])
    return re.sub(rb"\\(n|r|t|\\|x[0-9a-fA-F]{2})", byte, text.encode())


def parse(path):
    path = pathlib.Path(path)
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    if not lines[0].startswith("# "):
        raise ScenarioError(f"{path}:1: the first line must be '# ' and the title")
    prose, sections = [], []
    for number, line in enumerate(lines[1:], start=2):
        if line.startswith("== "):
            sections.append(parse_header(path, number, line))
        elif sections:
            sections[-1].lines.append(line)
        else:
            prose.append(line)
    for section in sections:
        while section.lines and not section.lines[-1].strip():
            section.lines.pop()
    scenario = Scenario(path, lines[0][2:].strip(), "\n".join(prose).strip(), sections)
    check_shape(scenario)
    return scenario


def parse_header(path, number, line):
    match = HEADER.match(line)
    rest = match[2]
    kind = max((k for k in KINDS if rest == k or rest.startswith(k + " ")), key=len, default=None)
    if kind is None:
        raise ScenarioError(f"{path}:{number}: unknown section '{rest}'; known are: {', '.join(sorted(KINDS))}")
    argument = rest[len(kind):].strip()
    if KINDS[kind] and not argument:
        raise ScenarioError(f"{path}:{number}: '{kind}' needs an argument")
    modifiers = frozenset(re.findall(r"\(([a-z ]+)\)", match[3] or ""))
    if modifiers - MODIFIERS:
        raise ScenarioError(f"{path}:{number}: unknown '({', '.join(modifiers - MODIFIERS)})'; "
                            f"known are: {', '.join(sorted(MODIFIERS))}")
    return Section(number, match[1], kind, argument, modifiers, [])


def check_shape(scenario):
    """A difference is never without its reason, nor a reason without a difference; a scenario expects something."""
    kinds = [s.kind for s in scenario.sections]
    differing = any(s.only for s in scenario.sections)
    if differing != ("differs" in kinds):
        raise ScenarioError(f"{scenario.path}: sections for one program only and '== differs' go together")
    if not any(k.startswith("expect") or k in ("check", "tcp") for k in kinds):
        raise ScenarioError(f"{scenario.path}: nothing is expected")
    for section in scenario.sections:
        if section.kind == "differs" and not (section.argument and section.lines):
            raise ScenarioError(f"{scenario.path}:{section.line}: 'differs' needs the reference item and a reason")


class Pattern:
    """An expected line: literal text in which <<...>> holds a regular expression."""

    def __init__(self, line):
        self.line = line
        parts = re.split(r"<<(.*?)>>", line)
        self.regex = re.compile("".join(f"(?:{p})" if i % 2 else re.escape(p) for i, p in enumerate(parts)))

    def matches(self, actual):
        return self.regex.fullmatch(actual) is not None

    def within(self, actual):
        return self.regex.search(actual) is not None


def sort_headers(line):
    """`{b=2, a=1} rest` and `headers:{b=2, a=1}` with the headers in order of name: Flume's order is a hash table's."""
    def ordered(match):
        return match[1] + "{" + ", ".join(sorted(match[2].split(", "))) + "}"
    return re.sub(r"^((?:\{ headers:)?)\{([^{}]*)\}", ordered, line, count=1)


def difference(expected, actual, modifiers):
    """None when the actual lines are what is expected, else the reason in words."""
    if "headers in any order" in modifiers:
        expected, actual = [sort_headers(x) for x in expected], [sort_headers(x) for x in actual]
    patterns = [Pattern(line) for line in expected]
    if "any order" not in modifiers and "at least once" not in modifiers:
        for number, (pattern, line) in enumerate(zip(patterns, actual), start=1):
            if not pattern.matches(line):
                return f"line {number} is\n      {line!r}\n    expected\n      {pattern.line!r}"
        if len(patterns) != len(actual):
            return f"{len(actual)} lines, expected {len(patterns)}:" + "".join(f"\n      {x!r}" for x in actual[:20])
        return None
    left = list(actual)
    for pattern in patterns:
        hits = [i for i, line in enumerate(left) if pattern.matches(line)]
        if not hits:
            return f"missing: {pattern.line!r} among" + "".join(f"\n      {x!r}" for x in actual[:20])
        for i in reversed(hits if "at least once" in modifiers else hits[:1]):
            del left[i]
    if left:
        return "unexpected:" + "".join(f"\n      {x!r}" for x in left[:20])
    return None
