#!/usr/bin/env python3
"""Every header compiles alone (syntax only), begins with #pragma once, and none pulls in a heavy library."""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAVY = re.compile(r'#\s*include\s+<(asio|httplib|openssl|pcre2|simdjson|nlohmann|spdlog|fmt|curl|google/protobuf)', re.M)


def fault(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    if not text.startswith("#pragma once"):
        return f"{path}:1: a header begins with #pragma once"
    if HEAVY.search(text):
        return f"{path}: heavy headers belong into .cc files"
    result = subprocess.run(
        ["g++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Iinclude", "-Isrc", "-Itests", "-x", "c++", "-include", path,
         "/dev/null"], cwd=ROOT, capture_output=True, text=True)
    return result.stderr.strip() if result.returncode else None


def main():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.h"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.split()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = [found for found in pool.map(fault, listed) if found]
    print("\n".join(faults) or f"headers: {len(listed)} compile alone")
    return 1 if faults or not listed else 0


sys.exit(main())
