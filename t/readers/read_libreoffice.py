"""LibreOffice: read_libreoffice.py WORKBOOK - the workbook converted to flat ODF, then one line of JSON for each row."""
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

from cells import stamp
import datetime
import re

OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"


def flat(node):
    """The text of a paragraph with ODF's own spaces, tabs and line breaks."""
    out = node.text or ""
    for child in node:
        if child.tag == TEXT + "s":
            out += " " * int(child.get(TEXT + "c", "1"))
        elif child.tag == TEXT + "tab":
            out += "\t"
        elif child.tag == TEXT + "line-break":
            out += "\n"
        else:
            out += flat(child)
        out += child.tail or ""
    return out


def form(cell):
    kind = cell.get(OFFICE + "value-type")
    if kind in ("float", "currency", "percentage"):
        return ["n", float(cell.get(OFFICE + "value"))]
    if kind == "boolean":
        return ["b", cell.get(OFFICE + "boolean-value") == "true"]
    if kind == "date":
        when, _, fraction = cell.get(OFFICE + "date-value").partition(".")
        pattern = "%Y-%m-%dT%H:%M:%S" if "T" in when else "%Y-%m-%d"
        exact = datetime.datetime.strptime(when, pattern) + datetime.timedelta(seconds=float("0." + (fraction or "0")))
        return ["d", stamp(exact)]
    if kind == "string":
        return ["s", "\n".join(flat(p) for p in cell.findall(TEXT + "p"))]
    return None


def rows(path):
    table = ET.parse(path).getroot().find("%sbody/%sspreadsheet" % (OFFICE, OFFICE)).find(TABLE + "table")
    for row in table.iter(TABLE + "table-row"):
        cells = []
        for cell in row:
            if cell.tag == TABLE + "table-cell":
                cells += [form(cell)] * int(cell.get(TABLE + "number-columns-repeated", "1"))
        while cells and cells[-1] is None:
            cells.pop()
        for _ in range(int(row.get(TABLE + "number-rows-repeated", "1")) if cells else 1):
            yield cells


with tempfile.TemporaryDirectory() as folder:
    subprocess.run(
        ["soffice", "-env:UserInstallation=file://%s/profile" % folder, "--headless", "--convert-to", "fods", "--outdir",
         folder, sys.argv[1]],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=800)
    name = os.path.splitext(os.path.basename(sys.argv[1]))[0] + ".fods"
    for cells in rows(os.path.join(folder, name)):
        print(json.dumps(cells))
