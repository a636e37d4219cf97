#!/usr/bin/env python3
"""Writes the generated pages of the manual: one page a component (its manual.md and its option table), the index, and the
compatibility page from the scenarios' notes.

    docs/generate.py [--check]      --check: exit status 1 when a page is not as it would be written
"""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MANUAL = ROOT / "docs" / "manual"
KINDS = {"source": "sources", "channel": "channels", "sink": "sinks", "interceptor": "interceptors"}


def program(*arguments):
    return subprocess.run([str(ROOT / "bin" / "standpipe"), *arguments], check=True, capture_output=True, text=True).stdout


def table(component):
    rows = ["| property | default | what it does |", "|---|---|---|"]
    for option in component["options"]:
        facts = [option.get("help", "")]
        if option.get("required"):
            facts.append("Required.")
        if option.get("choices"):
            facts.append(f"One of `{option['choices']}`." if isinstance(option["choices"], str)
                         else "One of " + ", ".join(f"`{choice}`" for choice in option["choices"]) + ".")
        if option.get("unit"):
            facts.append(f"In {option['unit']}.")
        if option.get("aliases"):
            names = option["aliases"].split() if isinstance(option["aliases"], str) else option["aliases"]
            facts.append("Also: " + ", ".join(f"`{name}`" for name in names) + ".")
        if option.get("no_effect"):
            facts.append(f"No effect here: {option['no_effect']}.")
        text = " ".join(fact for fact in facts if fact).replace("|", "\\|")
        default = option.get("default") or option.get("fallback") or ""
        rows.append(f"| `{option['name']}` | {f'`{default}`' if default else ''} | {text} |".replace("..", "."))
    return "\n".join(rows)


def component_page(component, text):
    names = component.get("class_names") or []
    also = "".join(f"\n- `{name}`" for name in names)
    return (f"{text.rstrip()}\n\n## Properties\n\n" + (f"`type = {component['name']}`, or the class name:{also}\n\n" if names else "") +
            (table(component) if component["options"] else "It has no properties of its own.") + "\n")


def pages():
    """path -> content of every generated page."""
    wanted = {}
    index = ["# Components", "", "| kind | name | what it is for |", "|---|---|---|"]
    for component in json.loads(program("describe", "--all", "--format", "json")):
        kind, name = component["kind"], component["name"]
        source = ROOT / "src" / KINDS.get(kind, "-") / name / "manual.md"
        if kind in KINDS and source.is_file():
            page = MANUAL / "components" / f"{kind}-{name}.md"
            wanted[page] = component_page(component, source.read_text(encoding="utf-8"))
            index.append(f"| {kind} | [{name}]({page.name}) | {component.get('summary', '')} |")
        elif component.get("built", True):
            index.append(f"| {kind} | {name} | {component.get('summary', '')} |")
    wanted[MANUAL / "components" / "index.md"] = "\n".join(index) + "\n"
    compatibility = subprocess.run([sys.executable, str(ROOT / "tests/scenario/run.py"), "--compatibility"], check=True,
                                   capture_output=True, text=True).stdout
    wanted[MANUAL / "compatibility.md"] = compatibility
    return wanted


def main():
    stale = []
    for path, content in pages().items():
        if path.is_file() and path.read_text(encoding="utf-8") == content:
            continue
        stale.append(path)
        if "--check" not in sys.argv:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    for path in stale:
        print(("stale: " if "--check" in sys.argv else "written: ") + str(path.relative_to(ROOT)))
    return 1 if stale and "--check" in sys.argv else 0


sys.exit(main())
