"""What the cells of a workbook must be, by the contract, and the form in which readers' answers are compared.

A cell is None, or [kind, value]: ["n", float], ["s", text], ["b", bool], ["d", "YYYY-MM-DDTHH:MM:SS.mmm"].
The rules are written here once more, from docs and api, and share no code with the module.
"""
import base64
import datetime
import re

TEXT_MAX = 32767


def cut(text):
    units = text.encode("utf-16-le")
    if len(units) <= 2 * TEXT_MAX:
        return text
    return units[: 2 * TEXT_MAX].decode("utf-16-le", "ignore")


def fits_double(whole):
    digits = str(abs(whole)).rstrip("0") or "0"
    if len(digits) <= 15:
        return True
    if len(digits) > 17:
        return False
    shortest = repr(float(whole)).replace(".", "").split("e")[0].lstrip("-").rstrip("0")
    return shortest == digits


def moment(text):
    """A date or timestamp of the 1900 system as text of milliseconds; None when it has no number there."""
    m = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(:\d\d)?(\.\d{1,9})?)?", text)
    if not m:
        return None
    try:
        base = datetime.datetime.strptime(m[1] + (m[2] or "00:00") + (m[3] or ":00"), "%Y-%m-%d%H:%M:%S")
    except ValueError:
        return None
    if base < datetime.datetime(1900, 3, 1):
        return None
    fraction = float(m[4] or 0)
    if (base.hour, base.minute, base.second) == (23, 59, 59):
        fraction = min(fraction, 0.999)  # the day's last millisecond; 9999-12-31 has no later one
    return stamp(base + datetime.timedelta(seconds=fraction))


def stamp(when):
    when = when + datetime.timedelta(microseconds=500)
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + "%03d" % (when.microsecond // 1000)


def expected(value, declared):
    """value: as sqlite3 gives it; declared: the column's type in SQL."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return ["s", base64.b64encode(value[: TEXT_MAX // 4 * 3]).decode()]
    if isinstance(value, int):
        if declared.startswith("BOOL"):
            return ["b", bool(value)]
        return ["n", float(value)] if fits_double(value) else ["s", str(value)]
    if isinstance(value, float):
        return ["n", value]
    if declared in ("DATE", "TIMESTAMP") and moment(value):
        return ["d", moment(value)]
    if declared.startswith("TIMESTAMP WITH") or declared == "TIMESTAMP":
        m = re.fullmatch(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:\d\d)?", value)
        return ["s", m[1] + "T" + m[2] + (m[3] or "") if m else value]
    return ["s", cut(value)]


def unescape(text):
    """ECMA-376 part 1, 22.9.2.19; for readers that leave it to their callers."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text)
