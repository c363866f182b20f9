"""Files in and out, a piece at a time: the only doors whose bodies are not read whole.

A file goes from the line into sealed chunks; nothing of it is ever spooled to a temporary folder. Answers are always a
download (never shown in the page), under a policy that gives them no origin: a file from a partner is nobody's page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any
from urllib.parse import quote, unquote

from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tansiq.attachments.model import MAX_BYTES, Attached
from tansiq.errors import Invalid, NotFound, Refused, TansiqError
from tansiq.terms import DossierId, EntryId, Handling, PartId
from tansiq.terms.ids import parse_dossier_id, parse_entry_id, parse_part_id
from tansiq.web import problems, security
from tansiq.web.endpoints import authenticate
from tansiq.web.pages import bureau
from tansiq.web.visit import Call, Form, Visit, begin, now_of

FIELD = 4_000
"""Bytes of each of a form's other fields: the token, a note."""
MOST_FIELDS = 100
SLACK = 64_000
"""What a form adds to the file."""
STEP = "take the file"
HEADERS = {"content-security-policy": "sandbox; default-src 'none'", "x-content-type-options": "nosniff"}


def download(of: Attached, pieces: Iterable[bytes]) -> Response:
    """The file as a download. Its name crosses as RFC 8187 writes it; no name of a partner's is a type of ours."""
    name = f"attachment; filename*=UTF-8''{quote(of.name, safe='')}"
    headers = {**HEADERS, "content-disposition": name, "content-length": str(of.size)}
    return StreamingResponse(iterate_in_threadpool(iter(pieces)), 200, headers, "application/octet-stream")


def place_of(request: Request) -> tuple[DossierId, EntryId, PartId]:
    """The ids in the address; a malformed one looks like an unknown one."""
    path = request.path_params
    try:
        return parse_dossier_id(path["dossier"]), parse_entry_id(path["entry"]), parse_part_id(path["part"])
    except Invalid:
        raise NotFound("attachment.unknown", "There is no such file.", step="find the file") from None


def _dossier(request: Request) -> DossierId:
    try:
        return parse_dossier_id(request.path_params["dossier"])
    except Invalid:
        raise NotFound("dossier.unknown", "There is no such dossier.", step="find the dossier") from None


def _check_length(request: Request) -> None:
    """Refused before a byte is read, where the length is told; a length that lies is met while reading."""
    claimed = request.headers.get("content-length", "0")
    if not claimed.isdigit() or int(claimed) > MAX_BYTES + SLACK:
        raise Invalid("attachment.too_large", f"over {MAX_BYTES} bytes", step=STEP, field="file")


async def _take(node: Any, pieces: AsyncIterator[bytes], name: str, media: str) -> Attached:
    """What is read is sealed before more is read: the sender waits for the disk, and memory does not grow."""
    upload = await run_in_threadpool(node.attachments.begin)
    try:
        async for piece in pieces:
            await run_in_threadpool(upload.add, piece)
        found: Attached = await run_in_threadpool(upload.end, name, media)
    except BaseException:
        await run_in_threadpool(upload.drop)
        raise
    return found


# --- for programs ---


async def api_upload(request: Request) -> Response:
    """The body is the file; its name comes as `Tansiq-Name`, percent-encoded: an address stays in logs."""
    node = request.app.state.node
    try:
        call = Call(node, request, now_of(node), await run_in_threadpool(authenticate, node, request))
        dossier, by = _dossier(request), await run_in_threadpool(call.acting)
        _check_length(request)
        name = unquote(request.headers.get("tansiq-name", ""), errors="strict")
        more = {"handling": {"codes": [c for c in call.query("handling").split(",") if c]}}
        withheld = [n for n in call.query("withhold_from").split(",") if n]
        await run_in_threadpool(node.show, dossier, by)
        taken = await _take(node, security.pieces_of(request), name, request.headers.get("content-type", ""))
        entry = await run_in_threadpool(
            lambda: node.files.attach(dossier, [taken], by, more=more, withhold_from=withheld)
        )
    except UnicodeDecodeError:
        failure = Invalid("attachment.name", "Not a name in UTF-8.", step=STEP, field="tansiq-name")
        return problems.document_response(failure)
    except TansiqError as failed:
        return problems.document_response(failed)
    said = {"entry": entry, "sha256": taken.sha256, "size": taken.size}
    return JSONResponse(said, 201, {"location": f"/api/v1/dossiers/{dossier}"})


async def api_download(request: Request) -> Response:
    """The file; asked of the gate and logged as a consultation."""
    node = request.app.state.node
    try:
        call = Call(node, request, now_of(node), await run_in_threadpool(authenticate, node, request))
        place, by = place_of(request), await run_in_threadpool(call.acting)
        of, pieces = await run_in_threadpool(lambda: node.files.fetch(*place, by))
    except TansiqError as failed:
        return problems.document_response(failed)
    return download(of, pieces)


# --- for pages ---


class _Form:
    """A multipart form read as it comes: small fields first, then one file, whose content is handed on in pieces."""

    def __init__(self, request: Request) -> None:
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not boundary:
            raise Invalid("form.type", "This is not a form.", step=STEP, field="content-type")
        self.pairs: list[tuple[str, str]] = []
        self.name = ""
        self.media = ""
        self._stream = security.pieces_of(request)
        self._pieces: list[bytes] = []
        self._head: list[tuple[bytes, bytes]] = []
        self._key, self._value = b"", b""
        self._field = ""
        self._text = b""
        self.in_file = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_key,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers,
                "on_part_data": self._content,
                "on_part_end": self._end,
            },
        )

    async def up_to_file(self) -> None:
        """Reads until the file begins."""
        async for piece in self._stream:
            self._write(piece)
            if self.in_file:
                return
        raise Invalid("form.required", "Choose a file.", step=STEP, field="file")

    async def file(self) -> AsyncIterator[bytes]:
        while True:
            for found in self._pieces:
                yield found
            self._pieces = []
            try:
                self._write(await anext(self._stream))
            except StopAsyncIteration:
                break
        for found in self._pieces:
            yield found

    def _write(self, piece: bytes) -> None:
        try:
            self._parser.write(piece)
        except ValueError as exc:
            raise Invalid("form.malformed", "The form cannot be read.", step=STEP, field="body") from exc

    def _begin(self) -> None:
        self._head, self._text, self._field = [], b"", ""

    def _header_key(self, data: bytes, start: int, end: int) -> None:
        self._key += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._head.append((self._key.lower(), self._value))
        self._key, self._value = b"", b""

    def _headers(self) -> None:
        head = dict(self._head)
        _, options = parse_options_header(head.get(b"content-disposition", b""))
        self._field = options.get(b"name", b"").decode("utf-8", "replace")[:40]
        if self._field == "file" and not self.in_file:
            self.in_file = True
            self.name = options.get(b"filename", b"").decode("utf-8", "replace")
            self.media = head.get(b"content-type", b"").decode("ascii", "replace")

    def _content(self, data: bytes, start: int, end: int) -> None:
        if self._field == "file":
            self._pieces.append(data[start:end])
        elif len(self._text) + end - start <= FIELD:
            self._text += data[start:end]
        else:
            raise Invalid("form.too_long", "Too long.", step=STEP, field=self._field)

    def _end(self) -> None:
        if self._field and self._field != "file":
            if len(self.pairs) >= MOST_FIELDS:
                raise Invalid("form.too_long", "Too many fields.", step=STEP, field=self._field)
            self.pairs.append((self._field, self._text.decode("utf-8", "replace")))

    @property
    def fields(self) -> Form:
        """The small fields, as any form's."""
        return Form(self.pairs)


async def page_upload(request: Request) -> Response:
    """From the page's form. The token is checked before a byte of the file is kept."""
    node = request.app.state.node
    visit: Visit = await run_in_threadpool(begin, node, request)
    try:
        if visit.session is None:
            return RedirectResponse("/sign-in", status_code=303)
        dossier = _dossier(request)
        security.check_origin(request)
        _check_length(request)
        form = _Form(request)
        await form.up_to_file()
        visit.form = form.fields
        security.check_token(visit.csrf, visit.form.get("csrf"))
        by = _said_why(visit, dossier)
        await run_in_threadpool(node.show, dossier, by)
        more, withheld = _beside_the_file(visit.form)
        taken = await _take(node, form.file(), form.name, form.media)
        await run_in_threadpool(lambda: node.files.attach(dossier, [taken], by, more=more, withhold_from=withheld))
    except Invalid as failure:
        if visit.purpose_for(request.path_params["dossier"]) is None:
            return await run_in_threadpool(problems.page, visit, failure)
        return await run_in_threadpool(bureau.not_attached, visit, failure)
    except TansiqError as failure:
        return await run_in_threadpool(problems.page, visit, failure)
    except ClientDisconnect:
        return Response(status_code=400)
    return RedirectResponse(f"/dossiers/{dossier}/beside", status_code=303)


def _beside_the_file(form: Form) -> tuple[dict[str, Any], list[str]]:
    """The rest of the entry's body, and who does not get the file. Raises `Invalid` before the file is read."""
    handling = Handling.parse(form.all("handling"), form.get("handling_text"))
    more: dict[str, Any] = {"handling": {"codes": [str(c) for c in handling.codes], "text": handling.text}}
    if note := form.get("note"):
        more["parts"] = [{"kind": "note", "text": note}]
    return more, form.all("withhold_file")


async def page_download(request: Request) -> Response:
    """A file of a dossier that the officer has said why to open."""
    node = request.app.state.node
    visit: Visit = await run_in_threadpool(begin, node, request)
    try:
        if visit.session is None:
            return RedirectResponse("/sign-in", status_code=303)
        place = place_of(request)
        by = _said_why(visit, place[0])
        of, pieces = await run_in_threadpool(lambda: node.files.fetch(*place, by))
    except TansiqError as failure:
        return await run_in_threadpool(problems.page, visit, failure)
    return download(of, pieces)


def _said_why(visit: Visit, dossier: DossierId) -> Any:
    if visit.purpose_for(dossier) is None:
        raise Refused("purpose.missing", "Say why you open this record.", step="open the file", field="purpose")
    return visit.acting_for(dossier)


API = (
    Route("/api/v1/dossiers/{dossier}/attachments", api_upload, methods=["POST"]),
    Route("/api/v1/dossiers/{dossier}/attachments/{entry}/{part}", api_download, methods=["GET"]),
)
PAGES = (
    Route("/dossiers/{dossier}/files", page_upload, methods=["POST"]),
    Route("/dossiers/{dossier}/files/{entry}/{part}", page_download, methods=["GET"]),
)


def operations(text: dict[str, Any], why: list[dict[str, Any]]) -> tuple[tuple[Any, ...], ...]:
    """Their rows for `openapi.py`."""
    made = {"type": "object", "properties": {"entry": text, "sha256": text, "size": {"type": "integer"}}}
    query = [
        {"name": name, "in": "query", "description": said, "required": False, "schema": text}
        for name, said in (("handling", "Codes, with commas."), ("withhold_from", "Members, with commas."))
    ]
    binary = {"type": "string", "format": "binary"}
    return (
        (
            "post", "/dossiers/{dossier}/attachments",
            "Attach a file of up to 50 MB; the body is the file, `Tansiq-Name` its name, percent-encoded",
            [*query, *why], binary, made, "201",
        ),
        (
            "get", "/dossiers/{dossier}/attachments/{entry}/{part}",
            "A file; logged as a consultation", why, None, binary, "200",
        ),
    )  # fmt: skip
