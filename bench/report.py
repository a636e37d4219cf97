"""Makes the markdown page and the README's table from measurements of rows."""
import statistics

HEAD = """# Benchmarks against Apache Flume 1.11

Written by `./dev bench`. {machine}. Lines of 300 bytes, in the file channel's rows events of 500. The programs run in turn, each as often as the others, with the same
configuration text; figures are medians over rounds ({pairs} a row), in brackets the spread (largest minus smallest, in per cent of
the median). The machine's load average before the rows: {load}.

- **default**: the file says only what Flume requires; Flume has its script's heap of 20 MiB. **best**: batches of 1,000,
  channels of 100,000 events, Flume with -Xmx1g. Standpipe's memory budget is its own default in both.
- events/s counts events taken out of the channels, from the first quarter of the events to the last: starting and, for
  Flume, compiling are left out. CPU is user and system time of the agent's process over all events of the run.
- Hops: two agents on the two cores, the load is a source of the first; events are counted where they come out of the second,
  CPU and peak memory are of both together. Each program is given as many events as keep it busy for some seconds.
- First event: from the moment the work is there to the first event taken out of a channel. Peak: the largest resident set.
- The floor is the named command over the same number of bytes in the same rounds, on one of the two cores (pipes: on both).
- Lost and twice: lines counted in the files where the sink writes files, by the channels' counters where it keeps nothing
  (null sink); for netcat every line must also have been answered with OK.
"""
REPEAT = """
## How to repeat it

```
./dev bench                                # all rows, five rounds, about two hours; writes this page and the README's table
./dev bench --quick                        # does every row still run? prints a page, writes nothing
./dev bench --rows taildir-null --pairs 3  # some rows; the others stay as they were last measured in this checkout
```

It needs a JDK and Maven once, to fetch Apache Flume 1.11 (`tests/interop/flume/install.sh`). Micro benches of the engine, the
line splitter, the bucket writer and the properties parser: `./dev build release`, then `build/release/bench/*_bench`.
"""
LABELS = {"ours-default": "Standpipe, default", "ours-best": "Standpipe, best",
          "flume-default": "Flume, default", "flume-best": "Flume, best"}
MEMORY_TARGET = 10
IDLE_TARGETS = {"listening": 0.050, "resident_mib": 10, "switches": 2}


def median(values):
    return statistics.median(values) if values else None


def spread(values):
    middle = median(values)
    return (max(values) - min(values)) / middle * 100 if middle else 0


def column(runs, key):
    return [r[key] for r in runs if r.get(key) is not None]


def cell(text):
    return text.replace("|", "\\|")


def ratio(a, b):
    return a / b if a is not None and b else None


def unfinished(row, name):
    return next((text for failed, text in row["failures"] if failed == name), "")


def page(rows, missing=()):
    """`missing`: titles of rows that have not been measured."""
    throughput = of_kind(rows, "throughput")
    machine = rows[0]["machine"] if rows else "?"
    pairs = sorted({r["pairs"] for r in rows}) or ["?"]
    loads = [r["load"] for r in rows]
    load = f"{min(loads):.1f} to {max(loads):.1f}" if loads else "?"
    parts = [HEAD.format(machine=machine, pairs=" or ".join(map(str, pairs)), load=load), shortfall_text(rows)]
    if missing:
        parts.append("\nNot measured yet, so nothing is claimed: " + "; ".join(missing) + ".\n")
    if throughput:
        parts.append("\n## Targets\n" + summary(throughput) + beside_table(throughput))
        parts.append("\n## All figures\n\n| workload | program | events/s | MiB/s | of the floor | CPU s per million | peak MiB |"
                     " first event, ms | lost | twice |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
        parts += [throughput_lines(row) for row in throughput]
    parts.append(latency_table(of_kind(rows, "latency")))
    parts += [connections_table(row) for row in of_kind(rows, "connections")]
    parts += [idle_table(row) for row in of_kind(rows, "idle")]
    failures = [f"- {row['title']}, {LABELS[name]}: {text}\n" for row in rows for name, text in row["failures"]]
    if failures:
        parts.append("\n## Runs that did not come to their end\n\nTheir rate above, with a dagger, is over what they did deliver.\n\n"
                     + "".join(failures))
    return "".join(parts) + "\n## Which state was measured\n\n" + "".join(states(rows)) + REPEAT


def of_kind(rows, kind):
    return [row for row in rows if row["kind"] == kind]


def states(rows):
    """A line for each commit: rows are measured by themselves, and later changes do not show in them."""
    for state in sorted({(r["date"], r["commit"]) for r in rows}):
        titles = [r["title"] for r in rows if (r["date"], r["commit"]) == state]
        yield f"- {state[1]} ({state[0]}): {'; '.join(titles)}\n"


def throughput_lines(row):
    floor = median(row["floor"])
    text = ""
    if floor:
        text += (f"| {row['title']} | *{cell(row['floor_name'])}* | {floor:,.0f} ({spread(row['floor']):.0f} %) | "
                 f"{floor * row['line'] / 2**20:,.0f} | | | | | | |\n")
    return text + "".join(program_line(row, name, runs, floor) for name, runs in row["runs"].items())


def program_line(row, name, runs, floor):
    if not runs:
        return f"| {row['title']} | {LABELS[name]} | failed | | | | | | | |\n"
    rates = column(runs, "rate")
    rate, first = median(rates), median(column(runs, "first_event"))
    share = f"{rate / floor * 100:.0f} %" if floor else ""
    lost, twice = (max(column(runs, key), default="–") for key in ("lost", "duplicates"))
    return (f"| {row['title']} | {LABELS[name]}{' †' if unfinished(row, name) else ''} | {rate:,.0f} ({spread(rates):.0f} %) | "
            f"{rate * row['line'] / 2**20:,.0f} | {share} | {median(column(runs, 'cpu_per_million')):.2f} | "
            f"{median(column(runs, 'peak_mib')):.0f} | {first * 1000:,.0f} | {lost} | {twice} |\n")


def best_against_best(row):
    """The four figures that have a target: name -> (value, target, how to write it)."""
    ours, flume = row["runs"].get("ours-best", []), row["runs"].get("flume-best", [])
    rate = median(column(ours, "rate"))
    share = row["floor_share"]
    return {
        "events/s of Flume's": (ratio(rate, median(column(flume, "rate"))), row["flume_ratio"], "{:.1f} ×"),
        "CPU per event": (ratio(median(column(flume, "cpu_per_million")), median(column(ours, "cpu_per_million"))), row["cpu_ratio"], "1/{:.1f}"),
        "peak memory": (ratio(median(column(flume, "peak_mib")), median(column(ours, "peak_mib"))), MEMORY_TARGET, "1/{:.1f}"),
        "of the floor": (ratio(rate and rate * 100, median(row["floor"])), share and share * 100, "{:.0f} %"),
    }


def summary(rows):
    """One line a row: best against best, and the floor, beside what was aimed at."""
    text = ("\nBest against best; in brackets the target.\n\n| workload | Standpipe, events/s | Flume, events/s | ratio | "
            "CPU per event | peak memory | of the floor |\n|---|--:|--:|--:|--:|--:|--:|\n")
    for row in rows:
        rates = [median(column(row["runs"].get(name, []), "rate")) for name in ("ours-best", "flume-best")]
        cells = [row["title"], *(f"{rate:,.0f}" if rate else "" for rate in rates)]
        cells += [judged(*figure) for figure in best_against_best(row).values()]
        if cells[-1]:
            cells[-1] = f"{cells[-1]} of {cell(row['floor_name'])}"
        text += "| " + " | ".join(cells) + " |\n"
    return text


def share_of_other(row, rows):
    """A row of ours against another one: (value, target, how to write it), or None."""
    if not row["beside"]:
        return None
    other = next((r for r in rows if r["key"] == row["beside"]["key"]), None)
    rates = [median(column(r["runs"].get("ours-best", []), "rate")) if r else None for r in (row, other)]
    share = ratio(rates[0] and rates[0] * 100, rates[1])
    return None if share is None else (share, row["beside"]["share"] * 100, "{:.0f} %")


def beside_table(rows):
    lines = [f"| {row['title']} | {row['beside']['name']} | {judged(*share_of_other(row, rows))} |\n"
             for row in rows if share_of_other(row, rows)]
    if not lines:
        return ""
    return "\nStandpipe's rows beside each other, by events/s.\n\n| workload | of | share |\n|---|---|--:|\n" + "".join(lines)


def judged(value, target, form):
    if value is None:
        return ""
    text = form.format(value)
    if not target:
        return text
    return f"{text} ({form.format(target).replace('.0', '')}{'' if value >= target else ', **missed**'})"


def shortfall_text(rows):
    """Every missed target, first on the page, with what bounds the row."""
    lines, bounds = [], {}
    for row in rows:
        figures = best_against_best(row) if row["kind"] == "throughput" else {}
        if share_of_other(row, rows):
            figures["of " + row["beside"]["name"]] = share_of_other(row, rows)
        missed = [f"{name} {judged(*figure)}" for name, figure in figures.items()
                  if figure[0] is not None and figure[1] and figure[0] < figure[1]]
        if row["kind"] == "idle":
            runs = row["runs"].get("ours-best", [])
            missed = [f"{key} {median(column(runs, key)):.3g} (at most {limit:.3g})" for key, limit in IDLE_TARGETS.items()
                      if runs and median(column(runs, key)) > limit]
        if missed:
            lines.append(f"- **{row['title']}**: {'; '.join(missed).replace(', **missed**', '')}.\n")
            if row.get("bound"):
                bounds.setdefault(row["bound"], []).append(row["title"])
    reasons = "".join(f"\nWhat bounds {'; '.join(titles)}: {bound}\n" for bound, titles in bounds.items())
    return "\n## Where it falls short\n\n" + ("".join(lines) or "No row misses its target.\n") + reasons


def latency_table(rows):
    if not rows:
        return ""
    text = ("\n## Latency at half load\n\nThrough two agents and back to the load generator, at half of the rate that each program "
            "carries in this set-up. An event's\nclock starts when it was due, not when there was time to send it.\n\n"
            "| workload | program | sent at, events/s | p50, ms | p99, ms | longest, ms | lost | twice |\n|---|---|--:|--:|--:|--:|--:|--:|\n")
    for row in rows:
        for name, runs in row["runs"].items():
            text += f"| {row['title']} | {LABELS[name]} | {latency_cells(runs) if runs else 'failed | | | | |'} |\n"
    return text


def latency_cells(runs):
    cells = [f"{median(column(runs, 'full_rate')) / 2:,.0f}"]
    cells += [f"{median(column(runs, key)):,.2f}" for key in ("p50_ms", "p99_ms", "max_ms")]
    return " | ".join([*cells, *(str(max(column(runs, key))) for key in ("lost", "duplicates"))])


def connections_table(row):
    runs = row["runs"].get("ours-best", [])
    if not runs:
        return ""
    text = (f"\n## {row['title']}\n\nMemory of the source's process (`bench/idle_connections`); each connection has sent one event and heard its "
            "answer. The kernel's\nbuffers are not in it.\n\n| connections | all, MiB | each, bytes |\n|---|--:|--:|\n")
    for kind in runs[0]["each"]:
        each = statistics.median(run["each"][kind] for run in runs)
        text += f"| {kind} | {each * runs[0]['connections'] / 2**20:,.1f} | {each:,.0f} |\n"
    return text


def idle_table(row):
    text = ("\n## Start and idle\n\n| program | exec to listening, ms | resident MiB | voluntary switches/s | CPU ms/s |\n"
            "|---|--:|--:|--:|--:|\n")
    for name, runs in row["runs"].items():
        if runs:
            text += f"| {LABELS[name]} | {idle_cells(runs)} |\n"
    return text + "\nTargets for Standpipe: 50 ms, 10 MiB, 2 switches a second (all threads).\n"


def idle_cells(runs):
    return (f"{median(column(runs, 'listening')) * 1000:,.0f} | {median(column(runs, 'resident_mib')):.1f} | "
            f"{median(column(runs, 'switches')):.1f} | {median(column(runs, 'cpu_ms')):.1f}")


BEGIN, END = "<!-- bench: written by ./dev bench -->\n", "<!-- bench: end -->\n"


def with_summary(readme, rows):
    """The README with its table replaced."""
    if BEGIN not in readme:
        raise SystemExit(f"report.py: the README has no line {BEGIN.strip()}")
    before, rest = readme.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    text = summary(of_kind(rows, "throughput"))
    for row in of_kind(rows, "idle"):
        text += idle_table(row).replace("\n## Start and idle\n", "")
    return before + BEGIN + text + END + after
