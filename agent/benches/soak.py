"""The agent under a steady load for a long time: a line a minute, and in the end whether anything grew.

The carrier is `sns` on the mock that takes 20 ms. Of ten requests five are sends that wait for their outcome, two ask
to be answered at once, one has a key and comes twice, one is a batch of ten, one reads the history. Latency is that of
the sends that wait, from the moment when they were due.
"""

import http.client
import json
import statistics
import sys
import threading
import time
from urllib.parse import urlsplit

from options import bound, machine, parse, parser, say
from processes import Agent, Mock

WORKERS = 8
MINUTE = 60
# How much more memory there may be at the end than after the first minutes.
WARM = 2
MEMORY_MIB = 4
# A connection to SNS for each publish in flight (64), those of the workers here, and the agent's own files and sockets.
DESCRIPTORS = 110


def main():
    form = parser("run soak", __doc__, rounds=1, seconds=0)
    form.add_argument("--minutes", type=int, default=60, help="how long (default 60)")
    form.add_argument("--rate", type=int, default=100, help="requests a second (default 100)")
    options = parse(form)
    bound((options.minutes + 5) * MINUTE)
    rows = []
    with Mock(options.echo_module) as mock, Agent(options.agent, mock.delayed) as agent:
        print(f"{machine()}; {options.rate} requests a second; load before the run {options.busy:.1f}.\n")
        print("| minute | messages | p50, ms | p99, ms | resident, MiB (anonymous) | descriptors | outbox and its log, MiB |")
        print("|---|---|---|---|---|---|---|")
        load = Load(agent, options.rate)
        for minute in range(1, options.minutes + 1):
            time.sleep(MINUTE)
            rows.append(row(minute, agent, load))
        load.stop()
        agent.child.terminate()
        status = agent.child.wait(30)
    say(f"the agent ended with {status}")
    sys.exit(verdict(rows, load, status))


def row(minute, agent, load):
    messages, latencies = load.take()
    memory = agent.memory()
    cuts = statistics.quantiles(latencies, n=100)
    sizes = [file.stat().st_size / 2**20 if file.exists() else 0 for file in (agent.database, agent.database.with_name("outbox.db-wal"))]
    descriptors = agent.descriptors()
    print(
        f"| {minute} | {messages:,} | {cuts[49]:.1f} | {cuts[98]:.1f} | {memory['VmRSS']:.1f} ({memory['RssAnon']:.1f}) "
        f"| {descriptors} | {sizes[0]:.1f}, {sizes[1]:.1f} |", flush=True,
    )
    return memory["RssAnon"], descriptors


def verdict(rows, load, status):
    """0, or 1 after saying what grew."""
    wrong = [f"the agent ended with {status}"] if status else []
    wrong += load.wrong[:5]
    memory, last = rows[min(WARM, len(rows)) - 1][0], rows[-1][0]
    if last > memory + MEMORY_MIB:
        wrong.append(f"anonymous memory grew from {memory:.1f} to {last:.1f} MiB")
    most = max(descriptors for _, descriptors in rows)
    if most > DESCRIPTORS:
        wrong.append(f"it had {most} descriptors")
    for line in wrong:
        say(line)
    return 1 if wrong else 0


class Load:
    """Workers that share the rate; each has a connection, and takes a new one every thousand requests."""

    def __init__(self, agent, rate):
        self.netloc, self.token = urlsplit(agent.url).netloc, agent.token
        self.interval = WORKERS / rate
        self.lock, self.over = threading.Lock(), threading.Event()
        self.messages, self.latencies, self.wrong = 0, [], []
        self.workers = [threading.Thread(target=self.work, args=(number,), daemon=True) for number in range(WORKERS)]
        for worker in self.workers:
            worker.start()

    def take(self):
        with self.lock:
            taken, self.messages, self.latencies = (self.messages, self.latencies), 0, []
        return taken

    def stop(self):
        self.over.set()
        for worker in self.workers:
            worker.join(30)

    def work(self, number):
        due = time.perf_counter() + self.interval * number / WORKERS
        connection = http.client.HTTPConnection(self.netloc, timeout=30)
        turn = 0
        while not self.over.wait(max(0, due - time.perf_counter())):
            if turn % 1000 == 999:
                connection.close()
            try:
                messages = self.one(connection, number, turn, due)
            except Exception as error:
                messages = 0
                self.wrong.append(f"a request failed: {error!r}")
                connection.close()
            with self.lock:
                self.messages += messages
            turn += 1
            due += self.interval

    def one(self, connection, number, turn, due):
        """Makes one request; answers how many messages that made."""
        sms = {"to": f"+1206555{turn % 10000:04}", "body": "Your code is 123456", "reference": f"order {turn}"}
        kind = turn % 10
        if kind < 5:
            self.ask(connection, "POST", "/v1/messages", sms)
            with self.lock:
                self.latencies.append((time.perf_counter() - due) * 1e3)
            return 1
        if kind < 7:
            self.ask(connection, "POST", "/v1/messages", sms, {"Prefer": "respond-async"})
            return 1
        if kind == 7:
            key = {"Idempotency-Key": f"{number} {turn}"}
            first, second = (self.ask(connection, "POST", "/v1/messages", sms, key)["id"] for _ in range(2))
            if first != second:
                self.wrong.append("a key made two messages")
            return 1
        if kind == 8:
            results = self.ask(connection, "POST", "/v1/messages/batch", {"messages": [sms] * 10})["results"]
            return sum(result["status"] == 202 for result in results)
        self.ask(connection, "GET", f"/v1/messages?to=%2B1206555{turn % 10000:04}")
        return 0

    def ask(self, connection, method, path, body=None, headers=None):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"} | (headers or {})
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        read = answer.read()
        if answer.status not in (200, 202):
            raise RuntimeError(f"{method} {path} is answered with {answer.status}")
        return json.loads(read)


if __name__ == "__main__":
    main()
