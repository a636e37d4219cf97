#!/usr/bin/env python3
"""Writes the generated pages of the manual: a page for each component (the manual.md beside its code and its option table),
their index, the monitoring page, and the compatibility page from the scenarios' notes.

    docs/generate.py [--check] [--program PATH]      --check: writes nothing; exit status 1 when a page would change

The pages are committed, so that they can be read where the repository is browsed; a test keeps them fresh.
"""
import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MANUAL = ROOT / "docs" / "manual"
OUT = MANUAL / "components"
FOLDERS = {"source": "sources", "channel": "channels", "sink": "sinks", "interceptor": "interceptors"}
# Small components share a page with the others of their kind.
SHARED_PAGES = {
    "selector": ("selectors", "src/core/manual-selectors.md"),
    "sink processor": ("sink-groups", "src/core/manual-sink-groups.md"),
    "serializer": ("serializers", "src/codec/serializers/manual.md"),
    "deserializer": ("deserializers", "src/codec/deserializers/manual.md"),
    "config filter": ("config-filters", "src/config/manual-config-filters.md"),
}
HEADINGS = {"source": "Sources", "channel": "Channels", "sink": "Sinks", "interceptor": "Interceptors", "selector": "Channel selectors",
            "sink processor": "Sink groups", "deserializer": "Deserializers", "serializer": "Serializers",
            "config filter": "Config filters", "handler": "HTTP handlers"}
NOTE = "\n<!-- Made by docs/generate.py from {}. Edit there, then run ./dev docs. -->\n"
INDEX_HEAD = """# Components

What can stand in a configuration file. `standpipe describe NAME` prints the same properties in a terminal, and
`standpipe describe --all --format json` all of them for a program.

A component that is *not yet here* is known: `standpipe check` judges its properties and says so, and the agent leaves it
out and runs the rest.
"""


def sentence(text):
    first = text.partition(" ")[0]
    is_name = any(c in ".<_" or c.isupper() for c in first[1:])
    return (text if is_name else text[:1].upper() + text[1:]) + ("" if text.endswith((".", "!", "?", ":")) or not text else ".")


def cell(text):
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;").replace("\n", " ")


def code(text):
    return f"`{text}`".replace("|", "\\|") if text else ""


def property_row(option):
    facts = [sentence(option.get("help", ""))]
    facts += ["**Required.**"] if option.get("required") else []
    facts += ["Older name: " + ", ".join(option["aliases"]) + "."] if option.get("aliases") else []
    facts += ["A bad value is replaced by the default, with a warning."] if option.get("lenient") else []
    facts += [f"No effect: {option['noEffect']}."] if option.get("noEffect") else []
    meaning = cell(facts[0]) + "".join(" " + (fact if fact.startswith("**") else cell(fact)) for fact in facts[1:])
    return f"| {code(option['name'])} | {cell(option['value'])} | {code(option.get('default', ''))} | {meaning.strip()} |"


def property_table(component):
    if not component["options"]:
        return "It has no properties of its own.\n"
    return "| property | value | default | meaning |\n|---|---|---|---|\n" + "".join(property_row(o) + "\n" for o in component["options"])


def type_line(component):
    names = [component["name"], *component["classNames"]]
    return "Type: " + " or ".join(code(name) for name in names) + ".\n"


def component_page(component, source):
    title, _, text = source.read_text(encoding="utf-8").partition("\n")
    acknowledged = f"\nAn event counts as delivered when it is {component['acknowledges']}.\n" if component.get("acknowledges") else ""
    return (title + "\n" + NOTE.format(f"{source.relative_to(ROOT)} and its option table") + text.rstrip() +
            f"\n\n## Properties\n\n{type_line(component)}{acknowledged}\n{property_table(component)}")


def shared_page(components, source):
    title, _, text = source.read_text(encoding="utf-8").partition("\n")
    tables = "".join(f"\n### {component['name']}\n\n{sentence(component['summary'])}\n\n{type_line(component)}\n{property_table(component)}"
                     for component in components)
    return title + "\n" + NOTE.format(f"{source.relative_to(ROOT)} and the option tables") + text.rstrip() + "\n\n## Properties\n" + tables


def index(by_kind, page_of):
    text = INDEX_HEAD
    for kind, heading in HEADINGS.items():
        components = by_kind.get(kind, [])
        text += f"\n## {heading}\n\n| name | what it is for |\n|---|---|\n"
        for component in components:
            page = page_of.get((kind, component["name"]))
            name = f"[{component['name']}]({page})" if page else component["name"]
            state = "" if component["built"] else " *Not yet here.*"
            text += f"| {name} | {cell(sentence(component['summary']))}{state} |\n"
    return text


def pages(program):
    """path -> content of every generated page."""
    def output(*command):
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    wanted, by_kind, page_of = {}, {}, {}
    for component in json.loads(output(str(program), "describe", "--all", "--format", "json")):
        by_kind.setdefault(component["kind"], []).append(component)
    for kind, folder in FOLDERS.items():
        for component in by_kind[kind]:
            source = ROOT / "src" / folder / component["name"] / "manual.md"
            if component["built"] and source.is_file():
                page_of[kind, component["name"]] = f"{kind}-{component['name']}.md"
                wanted[OUT / page_of[kind, component["name"]]] = component_page(component, source)
    for kind, (name, source) in SHARED_PAGES.items():
        built = [component for component in by_kind[kind] if component["built"]]
        if not (ROOT / source).is_file():
            continue
        page_of.update({(kind, component["name"]): f"{name}.md" for component in built})
        wanted[OUT / f"{name}.md"] = shared_page(built, ROOT / source)
    wanted[OUT / "index.md"] = index(by_kind, page_of)
    title, _, text = (ROOT / "src/monitor/manual.md").read_text(encoding="utf-8").partition("\n")
    wanted[MANUAL / "monitoring.md"] = title + "\n" + NOTE.format("src/monitor/manual.md") + text
    compatibility = output(sys.executable, str(ROOT / "tests/scenario/run.py"), "--compatibility")
    title, _, text = compatibility.partition("\n")
    wanted[MANUAL / "compatibility.md"] = title + "\n" + NOTE.format("the scenarios in tests/scenario/") + text
    return wanted


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "bin" / "standpipe")
    options = parser.parse_args()
    wanted = pages(options.program.resolve())
    stale = [path for path, content in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != content]
    orphans = [path for path in OUT.glob("*.md") if path not in wanted]
    for path in stale + orphans:
        print(("stale: " if options.check else "written: " if path in stale else "removed: ") + str(path.relative_to(ROOT)))
    if options.check:
        return 1 if stale or orphans else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
    for path in orphans:
        path.unlink()
    return 0


sys.exit(main())
