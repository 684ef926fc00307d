"""What an SQS queue between agents costs: accepts and dispatches a second with one agent and with two, and processor
time a message beside the embedded engine, which does the same work in the same round. The queue is a stand-in's that
runs already (`--peer URL`), and its speed is measured alone first: most of them are slower than the agent.
"""

import json
import statistics
import sys
import threading
import time
import urllib.request
from collections import defaultdict
from contextlib import ExitStack

from options import bound, machine, parse, parser, say
from processes import Agent, Mock

BATCH = 100
SENDERS = 4
SIGNED = "AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0"


def main():
    form = parser("run fleet", __doc__, rounds=3, seconds=0)
    form.add_argument("--peer", required=True, help="where an SQS listens on loopback: http://127.0.0.1:PORT")
    form.add_argument("--messages", type=int, default=2000, help="of each load (default 2000)")
    options = parse(form)
    if not options.peer.startswith(("http://127.0.0.1:", "http://localhost:")):
        sys.exit("--peer has to be on loopback")
    bound(300 + options.rounds * 600)
    found = defaultdict(list)
    with Mock(options.echo_module) as mock:
        for number in range(options.rounds):
            say(f"round {number + 1} of {options.rounds}")
            alone(options, found)
            for agents in (1, 2):
                shared(options, mock, agents, found)
            embedded(options, mock, found)
    report({name: statistics.median(values) for name, values in found.items()}, options)


class Queue:
    """A new queue of the peer's; it is deleted after the `with`."""

    def __init__(self, peer):
        self.peer = peer

    def __enter__(self):
        name = f"bench-{time.monotonic_ns()}"
        made = self.call("CreateQueue", QueueName=name, Attributes={"VisibilityTimeout": "60"})
        self.url = f"{self.peer}/{'/'.join(made['QueueUrl'].rsplit('/', 2)[1:])}"
        return self

    def __exit__(self, *_):
        self.call("DeleteQueue", QueueUrl=self.url)

    def call(self, operation, **members):
        headers = {
            "X-Amz-Target": f"AmazonSQS.{operation}", "Content-Type": "application/x-amz-json-1.0", "Authorization": SIGNED,
        }
        request = urllib.request.Request(self.peer, json.dumps(members).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"{}")

    def lying(self):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.call("GetQueueAttributes", QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def environment(self, role):
        return {
            "SMS_AGENT__QUEUE": "sqs", "SMS_AGENT__QUEUE_URL": self.url, "SMS_AGENT__ROLE": role,
            "AWS_ENDPOINT_URL_SQS": self.peer,
        }


def alone(options, found):
    """The peer without an agent: sends by tens in eight threads, then takes and deletes by tens."""
    with Queue(options.peer) as queue:
        def send(_):
            entries = [{"Id": str(number), "MessageBody": "x" * 300} for number in range(10)]
            queue.call("SendMessageBatch", QueueUrl=queue.url, Entries=entries)

        def take(_):
            taken = queue.call("ReceiveMessage", QueueUrl=queue.url, MaxNumberOfMessages=10).get("Messages", [])
            if taken:
                entries = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(taken)]
                queue.call("DeleteMessageBatch", QueueUrl=queue.url, Entries=entries)

        for name, work in (("peer in", send), ("peer out", take)):
            found[name].append(options.messages / timed(8, options.messages // 10, work))


def shared(options, mock, agents, found):
    """So many agents accept into a queue, then so many others take from it."""
    with Queue(options.peer) as queue:
        with ExitStack() as stack:
            doors = [stack.enter_context(agent(options, mock, queue.environment("accept"))) for _ in range(agents)]
            before = sum(door.cpu() for door in doors)
            found[f"accept {agents}"].append(hand_in(options, doors))
            found[f"accept cpu {agents}"].append(per_message(options, doors, before))
        with ExitStack() as stack:
            begun = time.perf_counter()
            workers = [stack.enter_context(agent(options, mock, queue.environment("dispatch"))) for _ in range(agents)]
            while queue.lying():
                time.sleep(0.1)
            found[f"dispatch {agents}"].append(options.messages / (time.perf_counter() - begun))
            found[f"dispatch cpu {agents}"].append(per_message(options, workers, 0))
        found[f"both cpu {agents}"].append(found[f"accept cpu {agents}"][-1] + found[f"dispatch cpu {agents}"][-1])


def embedded(options, mock, found):
    """The same through the outbox of one agent, its start counted as it is of those that dispatch."""
    with agent(options, mock, {}) as one:
        found["embedded accept"].append(hand_in(options, [one]))
        while one.waiting():
            time.sleep(0.05)
        found["embedded cpu"].append(per_message(options, [one], 0))
    found["times"].append(found["both cpu 1"][-1] / found["embedded cpu"][-1])


def agent(options, mock, settings):
    made = Agent(options.agent, mock.instant, settings)
    # For both services at once it would be one address.
    made.environment["AWS_ENDPOINT_URL_SNS"] = made.environment.pop("SMS_AWS__ENDPOINT_URL")
    return made


def hand_in(options, doors):
    body = json.dumps({"messages": [{"to": "+12065550100", "body": "Your code is 123456"}] * BATCH}).encode()

    def send(number):
        door = doors[number % len(doors)]
        door.call(urllib.request.Request(f"{door.url}/batch", body, {"Content-Type": "application/json"}))

    return options.messages / timed(SENDERS, options.messages // BATCH, send)


def per_message(options, agents, before):
    return (sum(agent.cpu() for agent in agents) - before) / options.messages * 1e6


def timed(threads, times, work):
    """Seconds for so many calls of `work` by so many threads."""
    numbers = iter(range(times))
    lock = threading.Lock()

    def run():
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            work(number)

    begun = time.perf_counter()
    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return time.perf_counter() - begun


def report(found, options):
    print(f"{machine()}, load {options.busy:.1f} before; medians of {options.rounds} rounds of {options.messages} messages.\n")
    print("| what | one agent | two agents | the stand-in alone | one agent, embedded engine |\n|---|---|---|---|---|")
    for what, name, peer, embedded in (
        ("accepts a second", "accept", "peer in", "embedded accept"),
        ("dispatches a second", "dispatch", "peer out", None),
        ("processor time a message accepted, µs", "accept cpu", None, None),
        ("— dispatched, with the start of the agents, µs", "dispatch cpu", None, None),
        ("— accepted and dispatched, µs", "both cpu", None, "embedded cpu"),
    ):
        cells = (f"{found[key]:,.0f}" if key else "" for key in (f"{name} 1", f"{name} 2", peer, embedded))
        print(f"| {what} | {' | '.join(cells)} |")
    print(f"\nWith one agent the queue takes {found['times']:.1f} times the processor time of the embedded engine.")


if __name__ == "__main__":
    main()
