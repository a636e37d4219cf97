"""Events for the tests that put tiers behind each other, as (headers, body)."""
import random


def make_events():
    """All byte values, empty bodies and one of 10 MB, many headers, and names and values that are not ASCII."""
    chance = random.Random(5)
    events = [((), b""), ((), bytes(range(256))), ((("k", ""),), b"x")]
    events.append((tuple(sorted((f"name {i}", f"value {i}" * (i % 7)) for i in range(1000))), b"many headers"))
    events.append(((("größe", "日本 \U0001f30a"), ("имя", "é")), "тело".encode()))
    events += [((("large", "yes"),), chance.randbytes(10 << 20)), ((), b"")]
    for number in range(400):
        headers = [("n", str(number))] if number % 3 else [("n", str(number)), ("same", "for many")]
        events.append((tuple(sorted(headers)), chance.randbytes(chance.choice([0, 1, 40, 700, 5000]))))
    return events
