"""package.py WORKBOOK - is it a sound OPC package? Every part is well-formed XML, has a content type, every relationship
leads to a part, the ZIP has no wrong sum and every entry's local header agrees with the directory."""
import posixpath
import struct
import sys
import xml.etree.ElementTree as ET
import zipfile

TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"
RELS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml."


def local_headers(path, archive):
    data = open(path, "rb").read()
    for info in archive.infolist():
        sign, version, flags, method = struct.unpack_from("<IHHH", data, info.header_offset)
        named = struct.unpack_from("<H", data, info.header_offset + 26)[0]
        name = data[info.header_offset + 30: info.header_offset + 30 + named].decode()
        if (sign, flags, method, name) != (0x04034B50, info.flag_bits, info.compress_type, info.filename):
            yield "local header of %s" % info.filename
        if flags & 8:
            at = info.header_offset + 30 + named + info.compress_size
            if struct.unpack_from("<IIII", data, at) != (0x08074B50, info.CRC, info.compress_size, info.file_size):
                yield "data descriptor of %s" % info.filename


def defects(path):
    archive = zipfile.ZipFile(path)
    names = archive.namelist()
    if len(names) != len(set(names)):
        yield "names twice"
    if archive.testzip():
        yield "a wrong sum: %s" % archive.testzip()
    yield from local_headers(path, archive)
    parts = {}
    for name in names:
        try:
            parts[name] = ET.fromstring(archive.read(name))
        except ET.ParseError as e:
            yield "%s: %s" % (name, e)
    if names[0] != "[Content_Types].xml":
        yield "content types do not come first"
    types = parts["[Content_Types].xml"]
    overrides = {o.get("PartName").lstrip("/"): o.get("ContentType") for o in types.iter(TYPES + "Override")}
    defaults = {o.get("Extension") for o in types.iter(TYPES + "Default")}
    for name in names:
        if name not in overrides and name.rsplit(".", 1)[-1] not in defaults:
            yield "%s has no content type" % name
    for name in overrides:
        if name not in parts:
            yield "%s is declared and not there" % name
    for name, kind in (("xl/workbook.xml", "sheet.main+xml"), ("xl/worksheets/sheet1.xml", "worksheet+xml"),
                       ("xl/styles.xml", "styles+xml")):
        if overrides.get(name) != MAIN + kind:
            yield "%s is of type %s" % (name, overrides.get(name))
    for name in names:
        if name.endswith(".rels"):
            base = posixpath.dirname(posixpath.dirname(name))
            for rel in parts[name].iter(RELS + "Relationship"):
                target = posixpath.normpath(posixpath.join(base, rel.get("Target").lstrip("/")))
                if target not in parts:
                    yield "%s leads to %s, which is not there" % (name, target)


found = list(defects(sys.argv[1]))
print("\n".join(found) or "sound")
sys.exit(1 if found else 0)
