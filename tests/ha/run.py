#!/usr/bin/env python3
"""run.py STANDPIPE: three agents, each with a failover pair (or a load-balancing one) towards two collectors, and what
happens to the first of those: it is killed, hangs, loses its connections without a word, is cut off, gets a slow link;
all of it under load. The second takes over within one batch, and when the first is well again traffic returns. No line
is lost; those that come twice are counted, and there may be no more of them than were under way.

    run.py STANDPIPE [--cycles N] [--fault NAME]... [--seed N] [--sabotage FAILPOINT] [--lines-per-second N]
           [--group failover|load_balance] [--flume agents|collectors]

--cycles: how often each fault happens (1). --sabotage: a broken program must be found out.
--flume: these are real Flume's, the others ours; exits 77, saying why, where Flume can't be installed.
"""
import argparse
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

import network
from proxy import Proxy
from tiers import (AGENTS, BATCH, GROUPS, MAX_PENALTY_S, REPLICAS, REQUEST_TIMEOUT_S, WINDOW, Collector, Load, Output,
                   Sender, eventually, late_at_once)

from agents import free_port, install, wait_for

PATIENCE_S = 60
# In vain it is tried after 2, 4, 8, 10, 10 … s, and each try may take as long as a request.
RETURN_S = MAX_PENALTY_S + REQUEST_TIMEOUT_S + PATIENCE_S


class Loss(Exception):
    pass


class Fault:
    """What happens to the first collector. `rig` is where; through: its connections go through a proxy."""
    name = ""
    through_proxy = False
    needs_network = False
    takes_over = True  # whether the second collector is needed at all

    def __init__(self, rig, chance):
        self.rig, self.chance = rig, chance

    def strike(self):
        raise NotImplementedError

    def heal(self):
        raise NotImplementedError


class Killed(Fault):
    name = "kill"

    def strike(self):
        self.rig.first.kill()

    def heal(self):
        self.rig.first.start()


class Hangs(Fault):
    name = "hang"

    def strike(self):
        self.rig.first.freeze()

    def heal(self):
        if self.rig.sabotaged or self.chance.random() < 0.5:
            self.rig.first.kill()
            self.rig.first.start()
        else:
            self.rig.first.thaw()


class HalfOpen(Fault):
    name = "half-open"
    through_proxy = True

    def strike(self):
        self.rig.proxy.lose_far_end(refuse=self.chance.random() < 0.5)

    def heal(self):
        self.rig.proxy.restore()


class Partition(Fault):
    name = "partition"
    needs_network = True

    def strike(self):
        self.rig.machine.part(at_this_end=self.chance.random() < 0.5)

    def heal(self):
        self.rig.machine.join()


class SlowLink(Fault):
    """So slow that no batch arrives in time."""
    name = "slow link"
    through_proxy = True

    def strike(self):
        self.rig.proxy.slow_down(self.chance.randrange(2000, 6000))

    def heal(self):
        self.rig.proxy.slow_down(None)


class NarrowLink(Fault):
    """Slower than the load, and each batch arrives in time: the first collector keeps the work."""
    name = "narrow link"
    through_proxy = True
    takes_over = False

    def strike(self):
        self.rig.proxy.slow_down(self.chance.randrange(60_000, 120_000))

    def heal(self):
        self.rig.proxy.slow_down(None)


FAULTS = {each.name: each for each in (Killed, Hangs, Partition, HalfOpen, SlowLink, NarrowLink)}


class Rig:
    def __init__(self, folder, through_proxy, machine, chance, options):
        program = options.program
        sabotage, self.group = options.sabotage, options.group
        self.sabotaged, self.flume = bool(sabotage), options.flume
        java = {"JAVA_OPTS": "-Xmx192m -XX:TieredStopAtLevel=1"}
        environment = {"STANDPIPE_FAILPOINTS": f"{sabotage}=sabotage"} if sabotage else {}
        first_host = network.THERE if machine else "127.0.0.1"
        first_port, second_port = free_port(), free_port()
        self.machine = machine
        behind = (options.flume_ng, java) if self.flume == "collectors" else (program, environment)
        self.first = Collector(behind[0], "c1", folder / "c1", first_host, first_port, machine.prefix if machine else (), behind[1])
        self.second = Collector(behind[0], "c2", folder / "c2", "127.0.0.1", second_port, (), behind[1])
        self.proxy = Proxy(free_port(), (first_host, first_port)) if through_proxy else None
        hosts = ("127.0.0.1" if self.proxy else first_host, "127.0.0.1")
        ports = (self.proxy.port if self.proxy else first_port, second_port)
        for collector in (self.first, self.second):
            collector.agent.wait_for_log("listening on|Avro source r1 started")
        channels = ["file", "memory", chance.choice(["file", "memory"])]
        self.channels = channels
        if self.flume == "agents":
            program, environment = options.flume_ng, java
        self.senders = [Sender(program, number, folder / f"a{number}", channel, self.group, hosts, ports, environment)
                        for number, channel in enumerate(channels)]
        self.output = Output([self.first, self.second])
        self.load = Load(self.senders, options.lines_per_second, random.Random(chance.random()))
        self.load.start()

    def agents(self):
        return [*self.senders, self.first.agent, self.second.agent]

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.load.ending.set()
        self.load.join()
        for agent in self.agents():
            agent.end(signal.SIGKILL)
        if self.proxy:
            self.proxy.end()

    def made(self):
        return [sender.made for sender in self.senders]

    def arrived_since(self, collector, marks):
        return all(self.output.newest[collector.name, number] > mark for number, mark in enumerate(marks))

    def some_lines_later(self, chance, seconds):
        """At a moment by chance, as the load sees it."""
        target = self.senders[0].made + chance.randrange(1, max(2, int(seconds * self.load.rate)))
        wait_for(lambda: self.senders[0].made >= target, "the load goes on")

    def cycle(self, fault, chance):
        """Once: all is well, the fault, the second collector takes over, all is well again and the first has the work."""
        made = self.made()
        eventually(lambda: self.arrived_since(self.first, made), f"{fault.name}: the first collector has the work",
                   self.output, RETURN_S)
        self.some_lines_later(chance, 1)
        before = self.came_again()
        at_second = [self.output.count("c2", number) for number in range(AGENTS)]
        stored = [self.output.newest["c1", number] for number in range(AGENTS)]
        struck_at, marks = time.monotonic(), self.made()
        fault.strike()
        row = {"fault": fault.name}
        if self.group != "failover":  # some of what is made from now on goes to the first, and has to come back
            self.some_lines_later(chance, 1)
            marks = self.made()
        if fault.takes_over:
            eventually(lambda: self.taken_over(stored, marks), f"{fault.name}: the second collector takes over",
                       self.output, PATIENCE_S)
            row["takeover"] = time.monotonic() - struck_at
            eventually(lambda: self.arrived_since(self.second, marks), f"{fault.name}: new lines at the second collector",
                       self.output, PATIENCE_S)
        self.some_lines_later(chance, 6)
        down = time.monotonic() - struck_at
        marks = self.made()
        fault.heal()
        row["return"] = eventually(lambda: self.arrived_since(self.first, marks), f"{fault.name}: the first collector again",
                                   self.output, RETURN_S)
        row["late"] = max(late_at_once(self.output.numbers["c2", REPLICAS[0], n][at_second[n]:]) for n in range(AGENTS))
        row["down"] = down
        row["twice"], row["twice there"] = ([after - earlier for after, earlier in zip(*each)]
                                            for each in zip(self.came_again(), before))
        self.judge(row)
        return row

    def taken_over(self, stored, marks):
        """Failover: new lines at the second. Load balancing: those are there anyway; what the first held has to arrive."""
        if self.group == "failover":
            return all(self.output.newest["c2", n] > stored[n] for n in range(AGENTS))
        return all(self.output.whole(REPLICAS[0], n, mark) for n, mark in enumerate(marks))

    def came_again(self):
        """Of each agent how many lines both collectors have by now, and how many one of them has twice; first replica."""
        self.output.read()
        return [[count[REPLICAS[0], n] for n in range(AGENTS)] for count in (self.output.again, self.output.again_there)]

    def judge(self, row):
        batches = 1 if self.group == "failover" else WINDOW  # elsewhere the first is tried with all that it may have
        assert row["late"] <= batches * BATCH, f"{row['fault']}: {row['late']} lines were overtaken, and not {batches} batches"
        # What was under way when it struck, and a batch for each time that it was tried since: after 2 s at the earliest.
        tries = 1 + int((row["down"] + row["return"]) / 2)
        most = (WINDOW + tries) * BATCH
        assert max(row["twice"]) <= most, f"{row['fault']}: {row['twice']} lines came twice, at most {most} were under way"
        started_again = row["fault"] in (Killed.name, Hangs.name)
        assert started_again or not any(row["twice there"]), f"{row['fault']}: a collector has lines twice: {row['twice there']}"

    def finish(self):
        """Ends the load, waits for the last line and compares."""
        self.load.ending.set()
        self.load.join()
        made = self.made()
        try:
            eventually(lambda: all(self.output.whole(replica, n, made[n]) for replica in REPLICAS for n in range(AGENTS)),
                       "all lines arrive", self.output, 10 if self.sabotaged else PATIENCE_S)
        except AssertionError:
            missing = {(replica, n): self.output.missing(replica, n, made[n]) for replica in REPLICAS for n in range(AGENTS)}
            text = ", ".join(f"{len(lines)} of agent {n} in replica {replica} ({lines[:3]} …)"
                             for (replica, n), lines in missing.items() if lines)
            raise Loss(f"lines are lost: {text}") from None
        for agent in self.agents():
            agent.end(signal.SIGTERM)
            java = self.flume == ("agents" if agent in self.senders else "collectors")  # that ends by the signal
            assert java or agent.process.returncode == 0, f"{agent.log}: exit status {agent.process.returncode}"
        self.output.read()
        return sum(made)


def show(row):
    takeover = f"taken over in {row['takeover'] * 1000:6.0f} ms, " if "takeover" in row else "kept the work,           "
    print(f"{row['fault']:12} down {row['down']:5.1f} s   {takeover}returned in {row['return']:5.1f} s, "
          f"overtaken at most {row['late']:3}, at both {' '.join(str(each) for each in row['twice'])}, "
          f"twice at one {sum(row['twice there'])}", flush=True)


def play(options, faults, through_proxy, machine, chance, work):
    folder = work / ("through-proxy" if through_proxy else "direct")
    rows = []
    with Rig(folder, through_proxy, machine, chance, options) as rig:
        sequence = [each for each in faults for _ in range(options.cycles)]
        chance.shuffle(sequence)
        for each in sequence:
            rows.append(rig.cycle(each(rig, chance), chance))
            show(rows[-1])
        lines = rig.finish()
        both, one = ([sum(count[replica, n] for n in range(AGENTS)) for replica in REPLICAS]
                     for count in (rig.output.again, rig.output.again_there))
        print(f"{'through a proxy' if through_proxy else 'direct'}: channels {' '.join(rig.channels)}; {lines:,} lines, none lost; "
              f"in replicas {' and '.join(REPLICAS)} both collectors have {both[0]:,} and {both[1]:,} of them, one has "
              f"{one[0]:,} and {one[1]:,} twice", flush=True)
    return rows


def summary(rows):
    print("\n| fault | times | taken over in, median (most) | returned in, median (most) | overtaken, most | at both, of an agent: "
          "median (most) | twice at one, all agents: median (most) |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for name in FAULTS:
        mine = [row for row in rows if row["fault"] == name]
        if not mine:
            continue
        middle = lambda values: sorted(values)[len(values) // 2]  # noqa: E731
        takeover = [row["takeover"] * 1000 for row in mine if "takeover" in row]
        took = f"{middle(takeover):.0f} ({max(takeover):.0f}) ms" if takeover else "not needed"
        back = [row["return"] for row in mine]
        twice = [each for row in mine for each in row["twice"]]
        there = [sum(row["twice there"]) for row in mine]
        print(f"| {name} | {len(mine)} | {took} | {middle(back):.1f} ({max(back):.1f}) s | {max(row['late'] for row in mine)} | "
              f"{middle(twice)} ({max(twice)}) | {middle(there)} ({max(there)}) |")


def run(options, why_no_network, work):
    chance = random.Random(options.seed)
    wanted = [FAULTS[name] for name in (options.fault or FAULTS)]
    rows = []
    for through_proxy in (False, True):
        faults = [each for each in wanted if each.through_proxy == through_proxy]
        for each in [each for each in faults if each.needs_network and why_no_network]:
            print(f"{each.name}: skipped: {why_no_network}")
            faults.remove(each)
        if not faults:
            continue
        machine = network.Machine() if not why_no_network and not through_proxy else None
        try:
            rows += play(options, faults, through_proxy, machine, chance, work)
        finally:
            if machine:
                machine.end()
    if options.cycles > 1:
        summary(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--cycles", type=int, default=1)
    parser.add_argument("--fault", action="append", choices=list(FAULTS))
    parser.add_argument("--seed", type=int, default=time.time_ns() // 1000 % 1_000_000)
    parser.add_argument("--sabotage")
    parser.add_argument("--group", choices=list(GROUPS), default="failover")
    parser.add_argument("--lines-per-second", type=int, default=2000)
    parser.add_argument("--flume", choices=["agents", "collectors"])
    options = parser.parse_args()
    if options.flume:
        options.flume_ng, why = install()
        if not options.flume_ng:
            print(f"high availability with Flume's {options.flume}: skipped: Flume can't be installed: {why}")
            return 77
    why_no_network = network.enter()
    print(f"seed {options.seed}", flush=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="standpipe-ha-"))
    try:
        run(options, why_no_network, work)
    except Loss as loss:
        if not options.sabotage:
            print(f"what was written stays in {work}", file=sys.stderr)
            raise
        print(f"found out: {loss}")
    except BaseException:
        print(f"what was written stays in {work}", file=sys.stderr)
        raise
    else:
        if options.sabotage:
            print(f"NOT found out: {options.sabotage}")
            return 1
    shutil.rmtree(work)
    return 0


sys.exit(main())
