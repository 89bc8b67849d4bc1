"""random_tables.py DATABASE SEED COUNT - tables R1..Rn of random width, length and content: texts that formats stumble
over, numbers at the edges of doubles, dates at the edges of calendars, NULLs, and values of other types than the column's."""
import random
import sqlite3
import sys

PIECES = ["a", "B", " ", "  ", "\t", "\n", "\r", "\r\n", ",", ";", "|", '"', '""', "'", "=", "+", "-", "@", "<", ">", "&", "&amp;",
          "]]>", "<!--", "_", "_x", "_x0041_", "_X0041_", "_x005F_", "_x000", "0041_", "x0041_", "\x01", "\x08", "\x0b", "\x1f", "\x7f", "\x85",
          "\u2028", "\ufeff", "\ufffd", "\ufffe", "\uffff", "é", "e\u0301", "ß", "日本", "😀", "👩‍👩‍👧", "עברית", "\u202e", "0", "007",
          "1e5", "TRUE", "NULL", "null", "#N/A", "=1+1", "2024-02-29", "a" * 40, "word " * 8]
DAYS = ["1900-02-28", "1900-03-01", "1899-12-31", "1970-01-01", "1969-12-31", "2024-02-29", "9999-12-31", "0001-01-01", "2038-01-19"]


def text(r):
    return "".join(r.choice(PIECES) for _ in range(r.choice([0, 1, 1, 2, 3, 5, 9, 30])))


def integer(r):
    return r.choice([0, 1, -1, r.randrange(-10**6, 10**6), r.randrange(-2**63, 2**63), 10**r.randrange(19), -10**r.randrange(19),
                     2**53 + r.randrange(-3, 4), 10**15 - 1, 10**11])


def real(r):
    return r.choice([0.0, r.randrange(10**9) / 100, r.uniform(-1, 1), 10.0**r.randrange(-300, 300), r.randrange(2**53) / 2**r.randrange(60)])


def day(r):
    return r.choice(DAYS + ["%04d-%02d-%02d" % (r.randrange(1901, 2100), r.randrange(1, 13), r.randrange(1, 29))])


def stamp(r):
    if r.random() < 0.05:
        return day(r) + " 23:59:59" + r.choice([".9994", ".9995", ".999999", ".999999999"])
    fraction = r.choice(["", "", "", ".5", ".25", ".125"])
    return day(r) + " %02d:%02d:%02d" % (r.randrange(24), r.randrange(60), r.randrange(60)) + fraction


KINDS = {"TEXT": text, "BIGINT": integer, "REAL": real, "DATE": day, "TIMESTAMP": stamp,
         "BOOLEAN": lambda r: r.randrange(2), "BLOB": lambda r: bytes(r.randrange(256) for _ in range(r.randrange(20)))}


def value(r, kind):
    chance = r.random()
    if chance < 0.12:
        return None
    if chance < 0.15 and kind in ("DATE", "TIMESTAMP"):
        return "not a date: " + r.choice("abc")
    return KINDS[kind](r)


path, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
r = random.Random(seed)
db = sqlite3.connect(path)
for n in range(1, count + 1):
    kinds = [r.choice(list(KINDS)) for _ in range(r.choice([1, 2, 3, 7, 20]))]
    columns = ", ".join("C%d %s" % (i, k) for i, k in enumerate(kinds))
    db.execute("CREATE TABLE R%d (ID INTEGER PRIMARY KEY, %s)" % (n, columns))
    rows = [[i] + [value(r, k) for k in kinds] for i in range(r.choice([0, 1, 5, 120, 400]))]
    db.executemany("INSERT INTO R%d VALUES (%s)" % (n, ", ".join("?" * (len(kinds) + 1))), rows)
db.commit()
