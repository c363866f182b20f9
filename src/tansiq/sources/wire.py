"""Bytes of a foreign file to XML elements, JSON objects or table rows. Every failure ends as `Invalid`.

Hazards: a small .gz that unpacks to a disk full of zeros, XML entities that multiply, XML that reaches for other files,
lines without an end. Limits stand here, once.
"""

from __future__ import annotations

import csv
import io
import json
import zlib
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree as SafeTree
from defusedxml import DefusedXmlException

from tansiq.errors import Invalid

MAX_PACKED = 64 * 1024 * 1024
MAX_UNPACKED = 256 * 1024 * 1024
"""The whole EU list is above 20 MB, OFAC's SDN XML above 100 MB; nothing published comes near this."""
MAX_XML = 96 * 1024 * 1024
"""A tree of elements takes some ten times the file's size in memory."""
MAX_LINE = 1024 * 1024
MAX_ROWS = 2_000_000

_STEP = "read file"


def unpack(data: bytes) -> bytes:
    """The bytes of a file, gunzipped where it is gzip (by its first bytes, never by its name)."""
    if len(data) > MAX_PACKED and data[:2] == b"\x1f\x8b":
        raise Invalid("source.too_large", f"a packed file above {MAX_PACKED >> 20} MB", step=_STEP)
    if data[:2] == b"\x1f\x8b":
        data = _gunzip(data)
    if len(data) > MAX_UNPACKED:
        raise Invalid("source.too_large", f"a file above {MAX_UNPACKED >> 20} MB", step=_STEP)
    return data


def _gunzip(data: bytes) -> bytes:
    out = bytearray()
    while data:
        member = zlib.decompressobj(wbits=31)
        try:
            out += member.decompress(data, MAX_UNPACKED - len(out) + 1)
        except zlib.error as exc:
            raise Invalid("source.gzip", "the gzip file is damaged", step=_STEP) from exc
        if len(out) > MAX_UNPACKED:
            raise Invalid("source.too_large", f"unpacks to more than {MAX_UNPACKED >> 20} MB", step=_STEP)
        if not member.eof:
            raise Invalid("source.gzip", "the gzip file ends too early", step=_STEP)
        data = member.unused_data
        if data and not data.strip(b"\0"):  # tape padding after the last member
            break
    return bytes(out)


def text(data: bytes) -> str:
    """UTF-8, with or without a byte order mark."""
    try:
        return unpack(data).decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise Invalid("source.encoding", "the file is not UTF-8", step=_STEP) from exc


def xml_root(data: bytes, name: str) -> Element:
    """The root, which must be called `name` in any namespace. DTDs, entities and outside references are refused."""
    raw = unpack(data)
    if len(raw) > MAX_XML:
        raise Invalid("source.too_large", f"an XML file above {MAX_XML >> 20} MB", step=_STEP)
    try:
        root: Element = SafeTree.fromstring(raw, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException as exc:
        raise Invalid("source.xml_hostile", "the XML declares a DTD or entities", step=_STEP) from exc
    except (ParseError, ValueError, LookupError, RecursionError) as exc:
        raise Invalid("source.xml", "the XML is damaged", step=_STEP) from exc
    if tag(root) != name:
        raise Invalid("source.xml_root", f"the root element is not {name}", step=_STEP, field=name)
    return root


def tag(element: Element) -> str:
    """The local name of an element."""
    found = element.tag
    return found.rpartition("}")[2] if isinstance(found, str) else ""


def child(element: Element, name: str) -> str:
    """The text of the first child of that name, in one line; empty when there is none."""
    for found in element:
        if tag(found) == name:
            return one_line(found.text or "")
    return ""


def children(element: Element, name: str) -> list[Element]:
    return [x for x in element if tag(x) == name]


def one_line(value: str) -> str:
    return " ".join(value.split())


def json_lines(data: bytes) -> Iterator[tuple[int, Any]]:
    """(line number, object) for each line that is not blank; a line that is no JSON gives `None`."""
    for number, line in enumerate(io.StringIO(text(data), newline="\n"), 1):
        if not line.strip():
            continue
        if len(line) > MAX_LINE:
            yield number, None
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError):
            yield number, None


def table(data: bytes, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """(row number, cells). Raises `Invalid` when the file is no table."""
    content = text(data)
    if "\0" in content:
        raise Invalid("source.csv", "the table holds zero bytes", step=_STEP)
    try:
        for number, row in enumerate(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter), 1):
            if number > MAX_ROWS:
                raise Invalid("source.too_large", f"more than {MAX_ROWS} rows", step=_STEP)
            yield number, row
    except csv.Error as exc:
        raise Invalid("source.csv", "the table is damaged", step=_STEP) from exc
