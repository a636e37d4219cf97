"""The compatibility page: one entry for each `== differs` note, with what the two programs do in the same scenario."""
AREAS = {
    "config": "Configuration and command line", "sources": "Sources", "channels": "Channels", "sinks": "Sinks",
    "interceptors": "Interceptors and selectors", "monitoring": "Monitoring",
}
HEAD = """# Where Standpipe differs from Apache Flume 1.11

Each entry is a scenario of `tests/scenario/` that asserts both: what Flume 1.11.0 does (checked by
`tests/scenario/run.py --against-flume`) and what Standpipe does. To change an entry, change its
scenario.
"""
SHOWN_LINES = 8


def page(scenarios):
    entries = {area: [] for area in AREAS}
    for scenario in scenarios:
        for section in scenario.sections:
            if section.kind == "differs":
                area = section.argument.split()[0]
                if area not in entries:
                    raise ValueError(f"{scenario.path}:{section.line}: the reference '{section.argument}' must begin with "
                                     f"one of {', '.join(AREAS)}")
                entries[area].append((scenario, section))
    parts = [HEAD]
    for area, found in entries.items():
        if found:
            parts.append(f"\n## {AREAS[area]}\n")
            parts.extend(entry(scenario, section) for scenario, section in found)
    return "".join(parts)


def entry(scenario, note):
    text = f"\n### {scenario.title}\n\n" + "\n".join(note.lines) + "\n"
    shown = [f"{label}:\n{outcome}" for label, only in (("Flume", "flume"), ("Standpipe", "standpipe"))
             if (outcome := outcomes(scenario, only))]
    if shown:
        text += "\n```\n" + "\n".join(shown) + "\n```\n"
    return text + f"\nScenario: `{scenario.path.name}`; reference: {note.argument}.\n"


def outcomes(scenario, only):
    lines = []
    for section in scenario.sections:
        if section.only != only or not section.kind.startswith("expect"):
            continue
        what = f"{section.kind[len('expect '):]} {section.argument}".strip()
        lines.append(f"  {what}" + (":" if section.lines else ""))
        lines += [f"    {line}" for line in section.lines[:SHOWN_LINES]]
        if len(section.lines) > SHOWN_LINES:
            lines.append("    …")
    return "\n".join(lines)
