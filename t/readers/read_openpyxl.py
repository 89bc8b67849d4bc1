"""openpyxl: read_openpyxl.py WORKBOOK - one line of JSON for each row of the first sheet."""
import datetime
import json
import sys

import openpyxl

from cells import stamp, unescape


def form(cell):
    v = cell.value
    if v is None:
        return None
    if isinstance(v, bool):
        return ["b", v]
    if isinstance(v, (int, float)):
        return ["n", float(v)]
    if isinstance(v, datetime.datetime):
        return ["d", stamp(v)]
    return ["s", unescape(v)]  # openpyxl leaves _xHHHH_ as it is


book = openpyxl.load_workbook(sys.argv[1])
for row in book.worksheets[0].rows:
    print(json.dumps([form(c) for c in row]))
