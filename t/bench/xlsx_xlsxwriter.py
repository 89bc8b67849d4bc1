"""xlsx_xlsxwriter.py DATABASE ROWS FILE - the same workbook by Python's XlsxWriter in constant-memory mode."""
import datetime
import sqlite3
import sys

import xlsxwriter

database, rows, path = sys.argv[1:4]
db = sqlite3.connect("file:%s?mode=ro" % database, uri=True)
types = [r[2] for r in db.execute("PRAGMA table_info(WIDE)")]
cursor = db.execute("SELECT * FROM WIDE WHERE ID <= ? ORDER BY ID", [int(rows)])
book = xlsxwriter.Workbook(path, {"constant_memory": True})
formats = {"DATE": book.add_format({"num_format": "yyyy-mm-dd"}), "TIMESTAMP": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})}
sheet = book.add_worksheet("WIDE")
sheet.freeze_panes(1, 0)
sheet.write_row(0, 0, [d[0] for d in cursor.description])
n = 0
for row in cursor:
    n += 1
    for i, value in enumerate(row):
        if value is None:
            continue
        if types[i] in formats:
            sheet.write_datetime(n, i, datetime.datetime.fromisoformat(value), formats[types[i]])
        elif isinstance(value, str):
            sheet.write_string(n, i, value)
        else:
            sheet.write_number(n, i, value)
sheet.autofilter(0, 0, n, len(types) - 1)
book.close()
