"""Makes the markdown page of a run's measurements."""
import statistics

HEAD = """# Benchmarks against Apache Flume 1.11

Made by `{command}` at commit {commit} on {date}; {machine}. Lines of 300 bytes. Runs of the programs alternate over
{pairs} rounds; figures are medians, in brackets the spread (largest minus smallest, in per cent of the median).

- **default**: the file says only what Flume requires; Flume has its own heap of 20 MiB. **best**: batches of 1,000, channels of
  100,000 events, Flume with -Xmx1g. Both programs read the same file.
- The rate counts events taken out of the channels, from the first quarter of the events to the last: starting and, for
  Flume, compiling are left out. CPU is user and system time of the agent's process over all events, compiling included.
- The floor is the named command over the same number of bytes, in the same rounds.
- Loss and duplicates: lines counted in the files where the sink writes files, else by the channels' counters.
"""
LABELS = {"ours-default": "Standpipe, default", "ours-best": "Standpipe, best",
          "flume-default": "Flume, default", "flume-best": "Flume, best"}


def median(values):
    return statistics.median(values) if values else None


def spread(values):
    middle = median(values)
    return (max(values) - min(values)) / middle * 100 if middle else 0


def column(runs, key):
    return [r[key] for r in runs if r.get(key) is not None]


def page(facts, rows):
    parts = [HEAD.format(**facts)]
    throughput = [r for r in rows if r["key"] != "start-idle"]
    if throughput:
        parts.append("\n| workload | program | events/s | MiB/s | of the floor | CPU s per million | peak MiB | first event, ms |"
                     " lost | twice |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
        for row in throughput:
            parts.append(throughput_lines(row))
        parts.append(targets(throughput))
    for row in rows:
        if row["key"] == "start-idle":
            parts.append(idle_table(row))
    failures = [f"- {row['title']}, {LABELS[name]}: {text}\n" for row in rows for name, text in row["failures"]]
    if failures:
        parts.append("\n## Runs that failed\n\n" + "".join(failures))
    return "".join(parts)


def throughput_lines(row):
    floor = median(row["floor"])
    text = ""
    if floor:
        text += (f"| {row['title']} | *{row['floor_name']}* | {floor:,.0f} ({spread(row['floor']):.0f} %) | "
                 f"{floor * row['line'] / 2**20:,.0f} | | | | | | |\n")
    for name, runs in row["runs"].items():
        if not runs:
            text += f"| {row['title']} | {LABELS[name]} | failed | | | | | | | |\n"
            continue
        rates = column(runs, "rate")
        rate = median(rates)
        share = f"{rate / floor * 100:.0f} %" if floor else ""
        text += (f"| {row['title']} | {LABELS[name]} | {rate:,.0f} ({spread(rates):.0f} %) | {rate * row['line'] / 2**20:,.0f} | "
                 f"{share} | {median(column(runs, 'cpu_per_million')):.2f} | {median(column(runs, 'peak_mib')):.0f} | "
                 f"{median(column(runs, 'first_event')) * 1000:,.0f} | {max(column(runs, 'lost'))} | "
                 f"{max(column(runs, 'duplicates'))} |\n")
    return text


def targets(rows):
    """Our best against Flume's best and against the floor, beside what was aimed at."""
    lines = []
    for row in rows:
        ours, flume = row["runs"].get("ours-best"), row["runs"].get("flume-best")
        if not ours:
            continue
        rate, floor = median(column(ours, "rate")), median(row["floor"])
        cells = [row["title"]]
        if flume:
            cells.append(judged(rate / median(column(flume, "rate")), row["flume_ratio"], "{:.1f} ×"))
            cells.append(judged(median(column(flume, "cpu_per_million")) / median(column(ours, "cpu_per_million")), 6, "1/{:.1f}"))
            cells.append(judged(median(column(flume, "peak_mib")) / median(column(ours, "peak_mib")), 10, "1/{:.1f}"))
        else:
            cells += ["", "", ""]
        share = row["floor_share"]
        cells.append(judged(rate / floor * 100, share and share * 100, "{:.0f} %") if floor else "")
        lines.append("| " + " | ".join(cells) + " |\n")
    if not lines:
        return ""
    return ("\n## Against the targets\n\nBest against best; in brackets the target.\n\n"
            "| workload | events/s of Flume's | CPU per event | peak memory | of the floor |\n|---|--:|--:|--:|--:|\n"
            + "".join(lines))


def judged(value, target, form):
    text = form.format(value)
    if not target:
        return text
    return f"{text} ({form.format(target).replace('.0', '')}{'' if value >= target else ', **missed**'})"


def idle_table(row):
    text = ("\n## Start and idle\n\n| program | exec to listening, ms | resident MiB | voluntary switches/s | CPU ms/s |\n"
            "|---|--:|--:|--:|--:|\n")
    for name, runs in row["runs"].items():
        if runs:
            text += (f"| {LABELS[name]} | {median(column(runs, 'listening')) * 1000:,.0f} | {median(column(runs, 'resident_mib')):.1f} | "
                     f"{median(column(runs, 'switches')):.1f} | {median(column(runs, 'cpu_ms')):.1f} |\n")
    return text + "\nTargets for Standpipe: 50 ms, 10 MiB, 2 switches a second.\n"
