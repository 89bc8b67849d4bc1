"""check.py READER WORKBOOK DATABASE QUERY [MODULES] - does the reader find in the workbook what the query finds in
the SQLite database, with the same types and in the same order? Prints what differs; exit status 1 when something does.

The query is a table's name or SELECT columns FROM table ...; columns keep their declared types.
"""
import json
import os
import re
import sqlite3
import subprocess
import sys

from cells import expected

HERE = os.path.dirname(os.path.abspath(__file__))
SHOWN = 8

# What a reader does to what it reads: its own way, whoever wrote the file.
#  empty:  an empty text is no cell to it
#  breaks: CR LF and CR are LF to it
#  control: characters that XML forbids are lost or changed
#  bools:  booleans are formulas to it, which it saves as numbers
#  digits: it saves numbers with 15 digits and times with two decimals
LENIENT = {
    "openpyxl": set(),
    "libreoffice": {"empty", "breaks", "control", "bools", "digits"},
    "sheetjs": set(),
    "exceljs": {"empty"},
}


def command(reader, workbook, modules):
    if reader in ("sheetjs", "exceljs"):
        return ["node", os.path.join(HERE, "read_node.js"), reader, modules, workbook]
    return ["/usr/bin/python3", os.path.join(HERE, "read_%s.py" % reader), workbook]


def soften(cell, lenient):
    if cell and cell[0] == "b" and "bools" in lenient:
        return ["n", float(cell[1])]
    if cell and cell[0] == "n":
        return ["n", float(cell[1])]
    if cell and cell[0] == "d" and "digits" in lenient:
        return ["d", cell[1][:20]]
    if cell and cell[0] == "s":
        text = cell[1]
        if "breaks" in lenient:
            text = re.sub(r"\r\n?", "\n", text)
        if "control" in lenient:
            text = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text)
        if "empty" in lenient and text == "":
            return None
        return ["s", text]
    return cell


def trimmed(cells, lenient):
    cells = [soften(c, lenient) for c in cells]
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def same(got, wanted, lenient):
    if got == wanted:
        return True
    return ("digits" in lenient and len(got) == len(wanted) and all(
        a == b or (a and b and a[0] == b[0] == "n" and abs(a[1] - b[1]) <= abs(b[1]) * 1e-14)
        for a, b in zip(got, wanted)))


def want(database, query, lenient):
    db = sqlite3.connect("file:%s?mode=ro" % database, uri=True)
    table = re.search(r'FROM ("[^"]+"|\w+)', query)[1]
    types = {r[1]: r[2].upper() for r in db.execute("PRAGMA table_info(%s)" % table)}
    rows = db.execute(query)
    names = [d[0] for d in rows.description]
    yield trimmed([["s", n] for n in names], lenient)
    for row in rows:
        yield trimmed([expected(v, types.get(n, "")) for n, v in zip(names, row)], lenient)


def main():
    reader, workbook, database, query = sys.argv[1:5]
    modules = sys.argv[5] if len(sys.argv) > 5 else ""
    lenient = LENIENT[reader]
    run = subprocess.run(command(reader, workbook, modules), stdout=subprocess.PIPE)
    if run.returncode:
        print("the reader failed")
        return 1
    got = [trimmed(json.loads(line), lenient) for line in run.stdout.decode().split("\n") if line]
    while got and not got[-1]:
        got.pop()
    wanted = list(want(database, query, lenient))
    while len(wanted) > 1 and not wanted[-1]:
        wanted.pop()
    bad = [] if len(got) == len(wanted) else ["%d rows instead of %d" % (len(got), len(wanted))]
    cells = 0
    for i, (a, b) in enumerate(zip(got, wanted)):
        cells += len(b)
        if not same(a, b, lenient):
            bad.append("row %d\n   got %s\n  want %s" % (i + 1, json.dumps(a)[:1500], json.dumps(b)[:1500]))
    for line in bad[:SHOWN]:
        print(line)
    print("%d rows, %d cells, %d differ" % (len(wanted), cells, len(bad)))
    return 1 if bad else 0


sys.exit(main())
