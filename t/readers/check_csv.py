"""check_csv.py FILE DATABASE QUERY - does the CSV hold what the query finds? Prints what differs; exit status 1 then."""
import base64
import re
import sqlite3
import sys


def parse(text):
    """RFC 4180; a field is (text, quoted)."""
    rows, row, at = [], [], 0
    while at < len(text):
        if text[at] == '"':
            end, field = at + 1, ""
            while True:
                close = text.index('"', end)
                field += text[end:close]
                if text[close + 1: close + 2] != '"':
                    break
                field += '"'
                end = close + 2
            at = close + 1
            row.append((field, True))
        else:
            end = re.compile("[,\r\n]").search(text, at).start()
            row.append((text[at:end], False))
            at = end
        if text[at] == ",":
            at += 1
            if text[at:at + 2] == "\r\n":
                row.append(("", False))
        if text[at:at + 2] == "\r\n":
            rows.append(row)
            row = []
            at += 2
    return rows


def agrees(field, value, declared):
    text, quoted = field
    if value is None:
        return text == "" and not quoted
    if isinstance(value, bytes):
        return text == base64.b64encode(value).decode() and (quoted or text != "")
    if declared == "BOOLEAN" and isinstance(value, int):
        return text == ("true" if value else "false")
    if isinstance(value, int):
        return text == str(value)
    if isinstance(value, float):
        return float(text) == value
    return text == value and (quoted or text != "")


path, database, query = sys.argv[1:4]
db = sqlite3.connect("file:%s?mode=ro" % database, uri=True)
types = {r[1]: r[2] for r in db.execute("PRAGMA table_info(%s)" % re.search(r"FROM (\w+)", query)[1])}
rows = db.execute(query)
names = [d[0] for d in rows.description]
got = parse(open(path, "rb").read().decode())
bad = [] if [f[0] for f in got[0]] == names else ["header: %s" % got[0]]
wanted = rows.fetchall()
if len(got) - 1 != len(wanted):
    bad.append("%d rows instead of %d" % (len(got) - 1, len(wanted)))
for line, row in zip(got[1:], wanted):
    if len(line) != len(row) or not all(agrees(f, v, types[n]) for f, v, n in zip(line, row, names)):
        bad.append("got %r\n  want %r" % (line, row))
print("\n".join(bad[:5]) or "%d rows" % len(wanted))
sys.exit(1 if bad else 0)
