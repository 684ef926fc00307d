"""Rounds of measurement, and the table of their medians.

A round measures the mock alone and then the agent on it, so that what the machine does meanwhile meets both.
"""

import os
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from options import bound, machine, parse, parser, say
from processes import Agent, Mock, load

STARTS = 20
DRAIN = 60


def main():
    options = parse(parser("run", __doc__, rounds=3, seconds=5))
    bound(300 + options.rounds * 300)

    found = defaultdict(list)
    found["size"].append(stripped_size(options.agent))
    before = processor_time()
    with Mock(options.echo_module) as mock:
        say("starts")
        starts(options.agent, mock, found)
        for number in range(options.rounds):
            say(f"round {number + 1} of {options.rounds}")
            found["fsync"].append(fsync())
            synchronous(options.agent, mock, options.seconds, found)
            delayed(options.agent, mock, options.seconds, found)
            durable(options.agent, mock.instant, "sns", options.seconds, found)
            durable(options.agent, None, "simulator", options.seconds, found)
            on_simulator(options.agent, options.seconds, found)
    report({name: statistics.median(values) for name, values in found.items()}, options, stolen(before))


def starts(binary, mock, found):
    with Agent(binary, mock.instant) as agent:
        found["first"].append(agent.ready * 1e3)
        for _ in range(STARTS):
            agent.restart()
            found["ready"].append(agent.ready * 1e3)


def synchronous(binary, mock, seconds, found):
    """At 16 connections, each answer after SNS has taken the message."""
    load(mock.instant, "mock", 16, 1)
    alone = load(mock.instant, "mock", 16, seconds)
    note(found, "mock", alone)
    with Agent(binary, mock.instant) as agent:
        time.sleep(2)
        for name, value in agent.memory().items():
            found[f"idle {name}"].append(value)
        status, message = agent.post()
        if (status, message["status"]) != (200, "sent"):
            raise RuntimeError("a send does not reach the mock")
        load(agent.url, "send", 16, 1, agent.token)
        cpu = agent.cpu()
        run = load(agent.url, "send", 16, seconds, agent.token)
        found["sync cpu"].append((agent.cpu() - cpu) / run["answers"] * 1e6)
        note(found, "sync", run)
        found["sync ratio"].append(run["rate"] / alone["rate"])
        for name, value in agent.memory().items():
            found[f"loaded {name}"].append(value)


def delayed(binary, mock, seconds, found):
    """At one connection, what the agent adds to an SNS that takes 20 ms."""
    alone = load(mock.delayed, "mock", 1, seconds)
    with Agent(binary, mock.delayed) as agent:
        agent.post()
        run = load(agent.url, "send", 1, seconds, agent.token)
    note(found, "delayed mock", alone)
    note(found, "delayed", run)
    found["added"].append((run["p50"] - alone["p50"]) / 1e3)


def durable(binary, sns, name, seconds, found):
    """At 64 connections, each answer after an fsync; then how long the last one accepted waits for its publish."""
    with Agent(binary, sns) as agent:
        cpu = agent.cpu()
        run = load(agent.url, "durable", 64, seconds, agent.token)
        note(found, f"durable {name}", run)
        _, last = agent.post(Prefer="respond-async")
        begun = time.perf_counter()
        while agent.get(last["id"])["status"] in ("queued", "sending") and time.perf_counter() - begun < DRAIN:
            time.sleep(0.02)
        drain = time.perf_counter() - begun
        found[f"drain {name}"].append(drain)
        found[f"through {name}"].append(run["answers"] / (run["seconds"] + drain))
        found[f"durable {name} cpu"].append((agent.cpu() - cpu) / run["answers"] * 1e6)
        found[f"durable {name} VmHWM"].append(agent.memory()["VmHWM"])


def on_simulator(binary, seconds, found):
    with Agent(binary) as agent:
        load(agent.url, "send", 16, 1, agent.token)
        cpu = agent.cpu()
        run = load(agent.url, "send", 16, seconds, agent.token)
        found["simulator cpu"].append((agent.cpu() - cpu) / run["answers"] * 1e6)
        note(found, "simulator", run)


def note(found, name, run):
    found[f"{name} rate"].append(run["rate"])
    found[f"{name} p50"].append(run["p50"] / 1e3)
    found[f"{name} p99"].append(run["p99"] / 1e3)


def report(m, options, steal):
    ratio = m["durable sns rate"] / m["mock rate"]
    rows = [
        ("stripped binary, MiB", f"{m['size']:.1f}", "≤ 14"),
        (f"start to ready, ms, median of {STARTS} (the first on an empty folder)", f"{m['ready']:.1f} ({m['first']:.1f})", "≤ 30"),
        ("resident idle, MiB (anonymous + file)", memory(m, "idle"), "≤ 14"),
        ("resident at most under the synchronous load, MiB", f"{m['loaded VmHWM']:.1f}", "≤ 24"),
        ("resident after it, MiB (anonymous + file)", memory(m, "loaded"), ""),
        ("mock alone at 16 connections, answers a second", f"{m['mock rate']:,.0f}", ""),
        ("synchronous sends a second at 16 connections", f"{m['sync rate']:,.0f} ({m['sync ratio']:.3f} of the mock)", "≥ 7,000"),
        ("processor time a synchronous send, agent alone, µs", f"{m['sync cpu']:.0f}", "≤ 200"),
        ("its latency, p50 / p99, ms (mock alone)", latency(m, "sync", "mock"), "p99 ≤ 10"),
        ("added to the 20 ms mock at one connection, ms", f"{m['added']:.2f}", "≤ 1"),
        ("latency there, p50 / p99, ms (mock alone)", latency(m, "delayed", "delayed mock"), ""),
        ("durable accepts a second at 64 connections, carrier `sns`", f"{m['durable sns rate']:,.0f} ({ratio:.3f} of the mock)", "≥ 5,000"),
        ("— latency, p50 / p99, ms", latency(m, "durable sns"), ""),
        ("— backlog published after, s; accepted and published a second", drained(m, "sns"), ""),
        ("— processor time a message, accepted and published, µs", f"{m['durable sns cpu']:.0f}", ""),
        ("— resident at most, MiB", f"{m['durable sns VmHWM']:.1f}", ""),
        ("durable accepts a second at 64 connections, simulator", f"{m['durable simulator rate']:,.0f}", ""),
        ("— latency, p50 / p99, ms", latency(m, "durable simulator"), ""),
        ("— backlog published after, s; accepted and published a second", drained(m, "simulator"), ""),
        ("synchronous sends a second at 16 connections, simulator", f"{m['simulator rate']:,.0f}", ""),
        ("— processor time a send, µs", f"{m['simulator cpu']:.0f}", ""),
    ]
    print(f"{machine()}; medians of {options.rounds} rounds of {options.seconds} s. An fsync of 4 KiB takes {m['fsync']:.2f} ms here; ", end="")
    print(f"load before the run {options.busy:.1f}, {steal:.0f} % of the processors taken by the host's others.\n")
    print("| what | measured | aim |\n|---|---|---|")
    for row in rows:
        print("| {} | {} | {} |".format(*row))


def memory(m, when):
    return f"{m[f'{when} VmRSS']:.1f} ({m[f'{when} RssAnon']:.1f} + {m[f'{when} RssFile']:.1f})"


def latency(m, name, beside=None):
    shown = f"{m[f'{name} p50']:.2f} / {m[f'{name} p99']:.2f}"
    return f"{shown} ({m[f'{beside} p50']:.2f} / {m[f'{beside} p99']:.2f})" if beside else shown


def drained(m, name):
    seconds = m[f"drain {name}"]
    return f"{seconds:.2f}; {m[f'through {name}']:,.0f}" if seconds < DRAIN else f"not within {DRAIN} s"


def stripped_size(binary):
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(["strip", "-o", stripped.name, binary], check=True)
        return os.path.getsize(stripped.name) / 2**20


def fsync():
    """Milliseconds that the disk takes for 4 KiB more in a file; the median of 100."""
    taken = []
    with tempfile.TemporaryFile() as file:
        for _ in range(100):
            begun = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1e3


def processor_time():
    return [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]


def stolen(before):
    spent = [now - then for now, then in zip(processor_time(), before)]
    return 100 * spent[7] / sum(spent)


if __name__ == "__main__":
    main()
