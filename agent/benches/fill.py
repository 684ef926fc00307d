"""A history of so many messages in an outbox that an agent has made, written straight into its file."""

import random
import shutil
import sqlite3
import time
import uuid

from processes import Agent

# A number and a reference that one message in a hundred has; there are pages of them in any history.
NUMBER = "+12065550100"
REFERENCE = "newsletter"
DAYS = 25
CHUNK = 50_000
COLUMNS = (
    "id, status, lane, recipient, encoding, segments, reference, attempts, unknowns, possible_duplicate, ends_at, "
    "created_at, updated_at, give_up_at, provider_id, error_code, error_detail"
)


def history(binary, rows, file):
    """Makes `file`: an outbox as that agent makes it, with so many messages of the past."""
    with Agent(binary) as agent:
        agent.child.terminate()
        agent.child.wait()
        fill(agent.database, rows)
        shutil.move(agent.database, file)


def fill(database, rows):
    """Adds the rows: settled, of the last days, one tenth not delivered, half with a reference, to a million numbers."""
    connection = sqlite3.connect(database, isolation_level=None)
    # Nobody else is there, and what a crash leaves is made again.
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -500000", "locking_mode = EXCLUSIVE"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    indexes = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    dice = random.Random(7)
    first = int(time.time() * 1000) - DAYS * 86_400_000
    insert = f"INSERT INTO message ({COLUMNS}) VALUES ({', '.join('?' * len(COLUMNS.split(', ')))})"
    connection.execute("BEGIN")
    for begin in range(0, rows, CHUNK):
        numbers = range(begin, min(begin + CHUNK, rows))
        connection.executemany(insert, (message(number, first + number * DAYS * 86_400_000 // rows, dice) for number in numbers))
    for _, sql in indexes:
        connection.execute(sql)
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.close()


def message(number, at, dice):
    name = at.to_bytes(6, "big") + dice.randbytes(10)
    status = 3 if dice.random() < 0.9 else dice.choice((2, 2, 2, 2, 4, 4, 4, 5, 6, 7))
    recipient = NUMBER if number % 100 == 0 else f"+1206{dice.randrange(10**6, 2 * 10**6)}"
    reference = REFERENCE if number % 100 == 1 else f"order {dice.randrange(10**6)}" if number % 2 else None
    failed = ("carrier_rejected", "InvalidParameter: the number is not valid") if status == 4 else (None, None)
    provider = str(uuid.UUID(int=dice.getrandbits(128))) if status < 5 else None
    return (name, status, 0, recipient, 0, 1, reference, 1, 0, 0, at + 86_400_000, at, at + 900, at + 86_400_000, provider, *failed)
