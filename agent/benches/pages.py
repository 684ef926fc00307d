"""What a page of the history costs in short and in long histories.

One agent for each length, all running; the requests go to one after the other in turn, so that what the machine does
meanwhile meets them all.
"""

import http.client
import random
import sqlite3
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from urllib.parse import quote, urlsplit

from fill import NUMBER, REFERENCE, history
from options import bound, machine, parse, parser, say
from processes import Agent

LIMIT = 50


def main():
    form = parser("run pages", __doc__, rounds=200, seconds=0)
    form.add_argument("--lengths", default="10000,1000000,10000000", help="messages (default 10000,1000000,10000000)")
    options = parse(form)
    lengths = [int(length) for length in options.lengths.split(",")]
    bound(600 + options.rounds + max(lengths) // 10_000)
    taken = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="sms-bench-") as folder:
        agents = []
        try:
            for length in lengths:
                say(f"a history of {length:,} messages")
                file = Path(folder) / f"{length}.db"
                history(options.agent, length, file)
                agents.append(History(options.agent, file, length))
                file.unlink()
            for agent in agents:
                agent.warm()
            say(f"{options.rounds} pages of each kind")
            for _ in range(options.rounds):
                for agent in agents:
                    for kind, query in agent.queries():
                        taken[kind, agent.length].append(agent.page(query))
        finally:
            for agent in agents:
                agent.__exit__()
    report(taken, lengths, agents, options)


class History(Agent):
    """An agent on a history of that length, asked over one connection."""

    def __init__(self, binary, file, length):
        super().__init__(binary, outbox=file)
        self.length = length
        self.dice = random.Random(length)
        self.__enter__()
        self.connection = http.client.HTTPConnection(urlsplit(self.url).netloc)
        rows = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        self.size = rows.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").fetchone()[0]
        wanted = "SELECT recipient, reference FROM message WHERE reference LIKE 'order %' LIMIT 1 OFFSET 1000"
        self.rare_number, self.rare_reference = rows.execute(wanted).fetchone()
        rows.close()

    def warm(self):
        """Has the system hold the whole file in memory: what is measured is not where the last one to fill it left off."""
        with self.database.open("rb") as file:
            while file.read(1 << 24):
                pass

    def queries(self):
        # Somewhere in the middle half.
        place = self.dice.randrange(self.length // 4, self.length * 3 // 4)
        deep = f"&cursor={place:016x}"
        number, reference = f"&to={quote(NUMBER)}", f"&reference={REFERENCE}"
        return (
            ("all", ""),
            ("all, from a place in the middle", deep),
            ("`status=failed`", "&status=failed"),
            ("`status=failed`, from a place in the middle", f"&status=failed{deep}"),
            ("`status=queued`, of which there are none", "&status=queued"),
            ("`to`, a number of one message in a hundred", number),
            ("`to`, the same, from a place in the middle", number + deep),
            ("`to`, a number of a few messages", f"&to={quote(self.rare_number)}"),
            ("`reference`, of one message in a hundred", reference),
            ("`reference`, the same, from a place in the middle", reference + deep),
            ("`reference`, of a few messages", f"&reference={quote(self.rare_reference)}"),
        )

    def page(self, query):
        """Milliseconds from the request to the end of the answer."""
        begun = time.perf_counter()
        self.connection.request("GET", f"/v1/messages?limit={LIMIT}{query}", headers={"Authorization": f"Bearer {self.token}"})
        answer = self.connection.getresponse()
        answer.read()
        taken = time.perf_counter() - begun
        if answer.status != 200:
            raise RuntimeError(f"a page of {query} is not answered")
        return taken * 1e3


def report(taken, lengths, agents, options):
    print(f"{machine()}; medians of {options.rounds} pages of at most {LIMIT}, in ms; load before the run {options.busy:.1f}. ", end="")
    print("Files of " + ", ".join(f"{agent.size / 2**20:,.0f}" for agent in agents) + " MiB.\n")
    print("| page | " + " | ".join(f"{length:,} messages" for length in lengths) + " |")
    print("|---" * (len(lengths) + 1) + "|")
    for kind in dict.fromkeys(kind for kind, _ in taken):
        print(f"| {kind} | " + " | ".join(f"{statistics.median(taken[kind, length]):.2f}" for length in lengths) + " |")


if __name__ == "__main__":
    main()
