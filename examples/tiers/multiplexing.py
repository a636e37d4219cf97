#!/usr/bin/env python3
"""Multiplexing: an agent tails an application's log; lines at ERROR and FATAL go to one collector, all others to another.

    ./dev example multiplexing [--for 10s] [--rate LINES_PER_SECOND] [--directory DIR]
"""
from tiers import FOR, Example, compare, free_port, numbers_in, run, verdict, wait_until

LEVELS = ("INFO",) * 7 + ("WARN", "ERROR") + ("DEBUG",) * 6 + ("FATAL",)


def level(number):
    return LEVELS[number % len(LEVELS)]


def main():
    with Example(__doc__, [FOR]) as example:
        out = {way: example.work / f"out-{way}" for way in ("alerts", "archive")}
        ports = {}
        collectors = {}
        for way, folder in out.items():
            folder.mkdir(exist_ok=True)
            ports[way] = str(free_port())
            collectors[way] = example.agent(way, "multiplexing-collector.conf", PORT=ports[way], OUT=str(folder))
        example.agent("application", "multiplexing-web.conf", ALERTS_PORT=ports["alerts"], ARCHIVE_PORT=ports["archive"],
                      LOGS=str(example.work))
        log = example.log(example.work / "application.log", lambda number: f"main {level(number)} request n={number}")
        wait_until(lambda: log.made >= example.options.duration * example.options.rate, "lines are made",
                   60 + example.options.duration)
        log.end()
        errors = [number for number in range(log.made) if level(number) in ("ERROR", "FATAL")]
        rest = [number for number in range(log.made) if level(number) not in ("ERROR", "FATAL")]
        wait_until(lambda: collectors["alerts"].counter("SINK.k1", "EventDrainSuccessCount") >= len(errors)
                   and collectors["archive"].counter("SINK.k1", "EventDrainSuccessCount") >= len(rest), "every line arrives")
        example.stop_agents()
        good = [compare(way, made, numbers_in(out[way])) for way, made in (("alerts", errors), ("archive", rest))]
        return verdict(all(good), "every line went its way")


run(main)
