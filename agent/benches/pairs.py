"""Two builds in turn, round by round, so that what the machine does meanwhile meets both; medians and their ratio."""

import statistics
from collections import defaultdict
from pathlib import Path

from measure import delayed, durable, starts, stripped_size, synchronous
from options import bound, machine, parse, parser, say
from processes import Mock

ROWS = [
    ("stripped binary, MiB", "size"),
    ("start to ready, ms", "ready"),
    ("resident idle, MiB", "idle VmRSS"),
    ("resident after the synchronous load, MiB", "loaded VmRSS"),
    ("synchronous sends a second at 16 connections", "sync rate"),
    ("processor time a synchronous send, µs", "sync cpu"),
    ("its latency, p50, ms", "sync p50"),
    ("its latency, p99, ms", "sync p99"),
    ("added to the 20 ms mock at one connection, ms", "added"),
    ("durable accepts a second at 64 connections", "durable sns rate"),
    ("their latency, p50, ms", "durable sns p50"),
    ("accepted and published a second", "through sns"),
    ("processor time a message, accepted and published, µs", "durable sns cpu"),
]


def main():
    made = parser("run pairs", __doc__, rounds=5, seconds=3)
    made.add_argument("--against", type=Path, required=True, help="the other binary, to which the first one is compared")
    options = parse(made)
    builds = [options.against.resolve(), options.agent]
    bound(300 + options.rounds * 120)

    found = {build: defaultdict(list) for build in builds}
    with Mock(options.echo_module) as mock:
        for number in range(options.rounds):
            say(f"round {number + 1} of {options.rounds}")
            # Neither is always the one that comes after the other.
            for build in builds if number % 2 == 0 else builds[::-1]:
                measured = found[build]
                measured["size"].append(stripped_size(build))
                starts(build, mock, measured)
                synchronous(build, mock, options.seconds, measured)
                delayed(build, mock, options.seconds, measured)
                durable(build, mock.instant, "sns", options.seconds, measured)
    report([found[build] for build in builds], options)


def report(found, options):
    print(f"{machine()}; medians of {options.rounds} rounds of {options.seconds} s, with the least and the greatest;", end=" ")
    print(f"load before the run {options.busy:.1f}.\n")
    print("| what | the other build | this build | ratio |\n|---|---|---|---|")
    for name, key in ROWS:
        other, this = (statistics.median(measured[key]) for measured in found)
        cells = (f"{statistics.median(all[key]):,.2f} ({min(all[key]):,.2f} to {max(all[key]):,.2f})" for all in found)
        print(f"| {name} | {' | '.join(cells)} | {this / other:.3f} |")


if __name__ == "__main__":
    main()
