"""Reads the manual's pages: fenced blocks, and what an example is completed with.

An example is a `properties` block. It need not be a whole file: what it leaves out of a sound flow (a sequence source, a
memory channel, a null sink, the lists) is put behind it, so that its own lines keep their numbers. A comment
`# forgotten: KEY` says that a property of that flow is missing on purpose. A `text` block right behind an example that
begins with `agent.conf:` holds the diagnostics that `standpipe check` must print for it, to the letter; without one there
must be none.
"""
import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FENCE = re.compile(r"^(`{3,})(.*)$")
FORGOTTEN = re.compile(r"^# forgotten: (\S+)")
KEY = re.compile(r"^\s*([\w.*$-]+)\s*[=:]")
LISTS = {"sources": "r1", "channels": "c1", "sinks": "k1"}


@dataclasses.dataclass
class Block:
    page: pathlib.Path
    line: int         # of the fence
    info: list        # words behind the fence
    text: str
    adjacent: bool    # nothing but blank lines between it and the block before

    @property
    def place(self):
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def language(self):
        return self.info[0] if self.info else ""


@dataclasses.dataclass
class Example:
    block: Block
    diagnostics: str  # empty: none

    @property
    def place(self):
        return self.block.place

    def bytes(self):
        """The example's own lines, in the character set that its fence names, and the rest of the flow behind them."""
        charset = self.block.info[1] if len(self.block.info) > 1 else "utf-8"
        text = self.block.text + complete(self.block.text)
        if charset == "utf-16":
            return b"\xff\xfe" + text.encode("utf-16-le")
        return text.encode(charset)


def pages():
    """Every page that a person wrote; the component pages under docs/ are made of those beside the code."""
    written = [p for p in sorted((ROOT / "docs" / "manual").glob("*.md")) if "Made by docs/generate.py" not in p.read_text(encoding="utf-8")]
    return written + sorted((ROOT / "src").glob("**/manual*.md")) + [ROOT / "README.md"]


def blocks(page):
    found, start, fence, info, adjacent = [], 0, "", [], False
    lines = page.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines, start=1):
        match = FENCE.match(line)
        if not fence and match:
            start, fence, info = number, match[1], match[2].split()
        elif fence and line.rstrip() == fence:
            text = "".join(each + "\n" for each in lines[start:number - 1])
            found.append(Block(page, start, info, text, adjacent))
            fence, adjacent = "", True
        elif not fence and line.strip():
            adjacent = False
    if fence:
        raise ValueError(f"{page}:{start}: the block is never closed")
    return found


def examples(page):
    found = []
    for block in blocks(page):
        if block.language == "properties":
            found.append(Example(block, ""))
        elif block.language == "text" and block.text.startswith("agent.conf:"):
            if not found or not block.adjacent:
                raise ValueError(f"{block.place}: diagnostics without an example right before them")
            found[-1].diagnostics = block.text
    return found


def complete(text):
    """What a sound flow has and the example does not: the lists, and a type for each name that the example refers to. Of a
    list that the example gives itself only the usual name is completed."""
    given = dict(properties(text))
    forgotten = {match[1] for line in text.split("\n") if (match := FORGOTTEN.match(line))}
    agent = next((key[:key.index(".")] for key in given if key.partition(".")[2] in LISTS), "a1")
    if all(f"{agent}.{kind}" in given for kind in LISTS):  # a whole file
        return ""
    names = {kind: [usual] for kind, usual in LISTS.items()}
    written = [name for key, value in given.items() if re.fullmatch(rf"{agent}\.sources\.\w+\.channels", key) for name in words(value)]
    if written and f"{agent}.channels" not in given:
        names["channels"] = list(dict.fromkeys(written))
    grouped = [name for key, value in given.items() if re.fullmatch(rf"{agent}\.sinkgroups\.\w+\.sinks", key) for name in words(value)]
    first = names["channels"][0]
    sinks = {name: given.get(f"{agent}.sinks.{name}.channel", first) for name in names["sinks"]}
    if f"{agent}.sinks" not in given:
        sinks |= {name: given.get(f"{agent}.sinks.{name}.channel", first) for name in grouped}
        sinks |= {f"reader-of-{name}": name for name in names["channels"] if name not in sinks.values()}
    rest = [(f"{agent}.sources", " ".join(names["sources"])), (f"{agent}.channels", " ".join(names["channels"])),
            (f"{agent}.sinks", " ".join(sinks))]
    for kind in ("sinkgroups", "configfilters"):
        used = dict.fromkeys(key.split(".")[2] for key in given if key.startswith(f"{agent}.{kind}."))
        rest += [(f"{agent}.{kind}", " ".join(used))] if used else []
    for name in names["sources"]:
        rest += [(f"{agent}.sources.{name}.type", "seq"), (f"{agent}.sources.{name}.channels", first)]
    rest += [(f"{agent}.channels.{name}.type", "memory") for name in names["channels"]]
    for name, channel in sinks.items():
        rest += [(f"{agent}.sinks.{name}.type", "null"), (f"{agent}.sinks.{name}.channel", channel)]
    return "".join(f"{key} = {value}\n" for key, value in rest if key not in given and key not in forgotten)


def properties(text):
    """(key, value) of each line, as far as an example needs it: no continuation, no escapes."""
    for line in text.split("\n"):
        if match := KEY.match(line):
            yield match[1], line[match.end():].split(" #")[0].strip()


def words(value):
    return value.replace(",", " ").split()
