"""How fast the outbox takes messages in, how fast they leave it, and what a long history costs either.

Each round has an empty outbox and one with a long history, one after the other, so that what the machine does
meanwhile meets both. Medians of the rounds.
"""

import sqlite3
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from fill import history
from options import bound, machine, parse, parser, say
from processes import Agent, Mock, load

# Nobody is refused for what waits, and where it says HELD nothing leaves.
ROOMY = {"SMS_OUTBOX__MAX_QUEUED": "100000000"}
HELD = ROOMY | {"SMS_DISPATCH__SEGMENTS_PER_SECOND": "1"}
BATCHES = 8
# The mock, which part of the backlog it is given, and how the table calls it.
DRAINS = [
    ("instant", 1, "mock that answers at once"),
    ("delayed", 1, "mock that answers after 20 ms"),
    ("distant", 4, "mock that answers after 100 ms, a fourth of the backlog"),
]
LOADS = [("durable", 1), ("durable", 16), ("durable", 64), ("batch", 1), ("batch", BATCHES)]


def main():
    form = parser("run outbox", __doc__, rounds=3, seconds=4)
    form.add_argument("--history", type=int, default=1_000_000, help="messages in the long history (default 1000000)")
    form.add_argument("--backlog", type=int, default=100_000, help="messages that wait (default 100000)")
    options = parse(form)
    bound(600 + options.rounds * 600)
    found = defaultdict(list)
    with Mock(options.echo_module) as mock, tempfile.TemporaryDirectory(prefix="sms-bench-") as folder:
        say(f"a history of {options.history:,} messages")
        long = Path(folder) / "outbox.db"
        history(options.agent, options.history, long)
        for number in range(options.rounds):
            say(f"round {number + 1} of {options.rounds}")
            outboxes = [("empty", None), ("long", long)]
            accept(options, mock, outboxes[:: -1 if number % 2 else 1], found)
            for which, share, _ in DRAINS:
                drain(options, mock, which, options.backlog // share, found)
    report({name: statistics.median(values) for name, values in found.items()}, options)


def accept(options, mock, outboxes, found):
    """Durable accepts, each load on an outbox of its own: alone while nothing leaves, and while everything does.

    The two outboxes take turns, load by load; what the history costs is the median of what it cost in each pair.
    """
    for what, settings in (("held", HELD), ("leaving", ROOMY)):
        for kind, connections in LOADS:
            rates = {}
            for name, outbox in outboxes:
                with Agent(options.agent, mock.instant, settings, outbox) as agent:
                    before = count(agent)
                    load(agent.url, kind, connections, 1, agent.token)
                    cpu = agent.cpu()
                    run = load(agent.url, kind, connections, options.seconds, agent.token)
                    cpu = agent.cpu() - cpu
                    messages = run["answers"] * (100 if kind == "batch" else 1)
                    if count(agent) - before < messages:
                        raise RuntimeError("it has fewer messages than it accepted")
                    rates[name] = messages / run["seconds"]
                    key = f"{name} {what} {kind} {connections}"
                    found[f"{key} rate"].append(rates[name])
                    found[f"{key} cpu"].append(cpu / messages * 1e6)
                    found[f"{key} p99"].append(run["p99"] / 1e3)
                    found[f"{key} peak"].append(agent.memory()["VmHWM"])
            found[f"cost {what} {kind} {connections}"].append(100 * (1 - rates["long"] / rates["empty"]))


def drain(options, mock, which, wanted, found):
    """A backlog that waits while the agent starts: how fast it is gone, and how fast the mock could have taken it."""
    url = getattr(mock, which)
    alone = load(url, "mock", 64, options.seconds)
    with Agent(options.agent, url, HELD) as agent:
        while (backlog := count(agent)) < wanted:
            load(agent.url, "batch", BATCHES, 1, agent.token)
        agent.restart(ROOMY | {"SMS_DISPATCH__SEGMENTS_PER_SECOND": "0"})
        begun, cpu = time.perf_counter(), agent.cpu()
        while agent.waiting():
            time.sleep(0.05)
        taken = time.perf_counter() - begun
        found[f"drain {which} rate"].append(backlog / taken)
        found[f"drain {which} alone"].append(alone["rate"])
        found[f"drain {which} cpu"].append((agent.cpu() - cpu) / backlog * 1e6)
        found[f"drain {which} peak"].append(agent.memory()["VmHWM"])


def count(agent):
    connection = sqlite3.connect(f"file:{agent.database}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT max(seq) FROM message").fetchone()[0] or 0
    finally:
        connection.close()


def report(m, options):
    print(f"{machine()}; medians of {options.rounds} rounds of {options.seconds} s; load before the run {options.busy:.1f}.\n")
    print(f"| durable accepts, messages a second | empty outbox | {options.history:,} of history | cost | processor time a message, µs | p99, ms | resident at most, MiB |")
    print("|---|---|---|---|---|---|---|")
    for what, told in (("held", "nothing leaves"), ("leaving", "all leaves through the mock meanwhile")):
        for kind, connections in LOADS:
            empty, long = (f"{name} {what} {kind} {connections}" for name in ("empty", "long"))
            cost = m[f"cost {what} {kind} {connections}"]
            form = "batches of 100" if kind == "batch" else "single"
            print(
                f"| {told}: {form}, {connections} connections | {m[f'{empty} rate']:,.0f} | {m[f'{long} rate']:,.0f} | {cost:.0f} % "
                f"| {m[f'{empty} cpu']:.0f} / {m[f'{long} cpu']:.0f} "
                f"| {m[f'{empty} p99']:.1f} / {m[f'{long} p99']:.1f} | {m[f'{empty} peak']:.1f} / {m[f'{long} peak']:.1f} |"
            )
    print(f"\n| backlog of {options.backlog:,} and a little more | messages a second | the mock alone, 64 connections | processor time a message, µs | resident at most, MiB |")
    print("|---|---|---|---|---|")
    for which, _, told in DRAINS:
        key = f"drain {which}"
        print(f"| {told} | {m[f'{key} rate']:,.0f} | {m[f'{key} alone']:,.0f} | {m[f'{key} cpu']:.0f} | {m[f'{key} peak']:.1f} |")


if __name__ == "__main__":
    main()
