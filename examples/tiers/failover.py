#!/usr/bin/env python3
"""A failover pair: an agent tails a log and sends it to the first of two collectors. That one is killed (kill -9) while lines
come, the second takes over; it is started again, and the work goes back to it.

    ./dev example failover [--rate LINES_PER_SECOND] [--directory DIR]
"""
from tiers import Example, compare, free_port, numbers_in, run, verdict, wait_until


def main():
    with Example(__doc__) as example:
        out = {name: example.work / f"out-{name}" for name in ("first", "second")}
        for folder in out.values():
            folder.mkdir(exist_ok=True)
        ports = {name: str(free_port()) for name in out}
        first = example.agent("first", "failover-collector.conf", PORT=ports["first"], OUT=str(out["first"]))
        second = example.agent("second", "failover-collector.conf", PORT=ports["second"], OUT=str(out["second"]))
        example.agent("web", "failover-web.conf", FIRST_PORT=ports["first"], SECOND_PORT=ports["second"], LOGS=str(example.work))
        log = example.log(example.work / "access.log")

        def received(collector):
            return collector.counter("SOURCE.r1", "EventAcceptedCount")

        def goes_on_at(collector):
            before = received(collector)
            wait_until(lambda: received(collector) >= before + example.options.rate, f"{collector.name} has the work")
            print(f"{log.made:>8,} lines made, and {collector.name} has the work")

        goes_on_at(first)
        first.kill()
        print("first is killed")
        goes_on_at(second)
        first.start()
        print("first is started again")
        goes_on_at(first)

        log.end()
        made = range(log.made)
        wait_until(lambda: set(numbers_in(example.work / "out-first") + numbers_in(example.work / "out-second")) >= set(made),
                   "every line arrives")
        example.stop_agents()
        good = compare("both collectors", made, numbers_in(out["first"]) + numbers_in(out["second"]))
        return verdict(good, "no line is missing; twice came what was under way when the first was killed")


run(main)
