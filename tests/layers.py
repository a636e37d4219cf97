#!/usr/bin/env python3
"""Who may include whom: the table of docs/design/architecture.md, checked over every #include "…" of src and include."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# A folder may include itself, what stands here, and include/standpipe. '*' marks folders with one sub-folder a component:
# their siblings never include each other.
LOW = {"base"}
MIDDLE = LOW | {"io", "net", "codec", "config"}
ALLOWED = {
    "base": set(),
    "io": LOW,
    "net": LOW,
    "codec": LOW | {"io"},
    "config": LOW | {"codec"},
    "rpc": MIDDLE,
    "clients": MIDDLE,
    "core": MIDDLE,
    "store": MIDDLE | {"core", "clients"},
    "channels": MIDDLE | {"core", "clients", "rpc", "store"},
    "sources": MIDDLE | {"core", "clients", "rpc"},
    "sinks": MIDDLE | {"core", "clients", "rpc", "store"},
    "interceptors": MIDDLE | {"core"},
    "monitor": MIDDLE | {"core"},
    "console": MIDDLE | {"core", "monitor", "clients"},
    "agent": {"*"},
    "app": {"*"},
}
SIBLINGS = {"channels", "sources", "sinks", "interceptors", "clients"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def place(path):
    """("sinks", "hdfs") of src/sinks/hdfs/x.cc; ("include", "") of a public header."""
    parts = path.split("/")
    if parts[0] == "include":
        return "include", ""
    return parts[1], parts[2] if parts[1] in SIBLINGS and len(parts) > 3 else ""


def fault(path, included):
    kind, component = place(path)
    target = included.split("/")
    if target[0] == "standpipe":
        return None
    if kind == "include":
        return "a public header includes only public headers"
    if target[0] == "support":
        return None if path.endswith("_test.cc") else "only tests include tests/support"
    if target[0] in ("contract",):
        return None if path.endswith("_test.cc") else "only tests include tests/contract"
    if kind == target[0]:
        if component and len(target) > 2 and target[1] != component:
            return f"siblings never include each other: {component} and {target[1]}"
        return None
    if target[0] == "app" or (target[0] == "agent" and kind != "app"):
        return f"{kind} stands below {target[0]}"
    allowed = ALLOWED.get(kind)
    if allowed is None:
        return f"folder src/{kind} has no row in tests/layers.py"
    if "*" in allowed or target[0] in allowed:
        return None
    return f"src/{kind} may not include src/{target[0]}"


def main():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "src", "include"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.split()
    faults = []
    checked = 0
    for path in listed:
        if not path.endswith((".h", ".cc")):
            continue
        text = (ROOT / path).read_text(encoding="utf-8")
        for match in INCLUDE.finditer(text):
            checked += 1
            reason = fault(path, match.group(1))
            if reason:
                line = text.count("\n", 0, match.start()) + 1
                faults.append(f"{path}:{line}: {match.group(1)}: {reason}")
    print("\n".join(faults) or f"layers: {checked} includes keep to the layers")
    return 1 if faults or checked == 0 else 0


sys.exit(main())
