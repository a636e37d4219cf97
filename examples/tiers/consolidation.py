#!/usr/bin/env python3
"""Consolidation: three agents tail the logs of three servers and send them to one collector, which keeps them apart by a
header that the agents set.

    ./dev example consolidation [--for 10s] [--rate LINES_PER_SECOND] [--directory DIR]
"""
from tiers import FOR, Example, compare, free_port, numbers_in, run, verdict, wait_until

SERVERS = ("web1", "web2", "web3")


def main():
    with Example(__doc__, [FOR]) as example:
        out, port = example.work / "out", str(free_port())
        collector = example.agent("collector", "consolidation-collector.conf", PORT=port, OUT=str(out))
        logs = {}
        for server in SERVERS:
            example.agent(server, "consolidation-web.conf", COLLECTOR_PORT=port, SERVER=server)
            logs[server] = example.log(example.work / server / "access.log")
        wait_until(lambda: logs["web3"].made >= example.options.duration * example.options.rate, "lines are made",
                   60 + example.options.duration)
        for log in logs.values():
            log.end()
        made = sum(log.made for log in logs.values())
        wait_until(lambda: collector.counter("SINK.k1", "EventDrainSuccessCount") >= made, "every line arrives")
        example.stop_agents()
        stored = {server: numbers_in(out / server) for server in SERVERS}
        good = [compare(server, range(logs[server].made), stored[server]) for server in SERVERS]
        once = all(len(numbers) == len(set(numbers)) for numbers in stored.values())
        return verdict(all(good) and once, "every line was stored once, in its server's folder")


run(main)
