"""`tansiq dossier attach|fetch|translate`: files that belong to a dossier, and translations beside their originals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tansiq.cli.call import acting, open_node
from tansiq.cli.courier import send_and_tell
from tansiq.cli.dossier import Dossier, NoSend
from tansiq.cli.screen import emit, facts
from tansiq.errors import Invalid, NotFound

if TYPE_CHECKING:
    from tansiq.dossiers.model import DossierState
    from tansiq.terms import EntryId, PartId

PIECE = 512 * 1024
Part = Annotated[str, typer.Argument(metavar="PART", help="the part's id, or enough of its first characters")]


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as source:
            while piece := source.read(PIECE):
                yield piece
    except OSError as exc:
        reason = (exc.strerror or "not possible").lower()
        raise Invalid("cli.file", f"couldn't read the file: {reason}", step="read file", field="FILE") from exc


def _words(text: str) -> list[str]:
    return [word for part in text.split(",") if (word := part.strip())]


def attach(  # noqa: PLR0913, PLR0917  # one parameter an option
    ctx: typer.Context,
    dossier: Dossier,
    file: Annotated[list[Path], typer.Argument(metavar="FILE", help="up to 50 MB each")],
    to: Annotated[str, typer.Option(help="only these members, with commas; all without it", metavar="es,de")] = "",
    withhold_from: Annotated[str, typer.Option(help="members that get the entry without its files")] = "",
    handling: Annotated[str, typer.Option(help="handling codes, with commas", metavar="H1,H2")] = "",
    handling_text: Annotated[str, typer.Option(help="the words of H3")] = "",
    media: Annotated[str, typer.Option(help="the files' type, such as application/pdf")] = "",
    note: Annotated[str, typer.Option(help="a note beside the files")] = "",
    no_send: NoSend = False,
) -> None:
    """Attach files to a dossier: read and sealed piece by piece, permitted and logged as any part, sent in chunks.

    tansiq --home ./rabat --officer yasmine --why "case 12" dossier attach d-41c0 inspection.pdf --withhold-from de
    """
    more: dict[str, Any] = {"handling": {"codes": _words(handling), "text": handling_text}}
    if to:
        more["to"] = _words(to)
    if note:
        more["parts"] = [{"kind": "note", "text": note}]
    with open_node(ctx) as node:
        by, found = acting(ctx, node), node.dossiers.find(dossier)
        taken = [node.attachments.take(_pieces(f), f.name, media) for f in file]
        entry = node.files.attach(found, taken, by, more=more, withhold_from=_words(withhold_from))
        parts = [p.ref.id for p in node.dossiers.entry(entry).parts if p.ref.kind == "attachment"]
        said = {
            "entry": entry,
            "files": [{"part": p, "bytes": t.size, "sha256": t.sha256} for p, t in zip(parts, taken, strict=True)],
        }
        send_and_tell(ctx, node, said, no_send=no_send)


def fetch(
    ctx: typer.Context,
    dossier: Dossier,
    part: Part,
    out: Annotated[Path, typer.Option("--out", help="where to write it; an existing file is never overwritten")],
) -> None:
    """Write an attached file to disk; logged in the ledger as a consultation. Refused while pieces of it are missing.

    tansiq --home ./madrid --officer ines --why "case 12" dossier fetch d-41c0 p-77ab --out inspection.pdf
    """
    with open_node(ctx) as node:
        by, found = acting(ctx, node), node.dossiers.find(dossier)
        entry, which = part_in(node.dossiers.state(found), part)
        of, pieces = node.files.fetch(found, entry, which, by)
        beside = out.with_name(out.name + ".part")
        try:
            if out.exists():
                raise Invalid("cli.file_exists", "there is a file of this name", step="write file", field="--out")
            with beside.open("xb") as target:
                for piece in pieces:
                    target.write(piece)
            beside.rename(out)
        except OSError as exc:
            reason = (exc.strerror or "not possible").lower()
            raise Invalid("cli.file", f"couldn't write the file: {reason}", step="write file", field="--out") from exc
        finally:
            beside.unlink(missing_ok=True)
    said = {"part": which, "bytes": of.size, "sha256": of.sha256, "media": of.media, "out": str(out)}
    emit(ctx, said, lambda screen: facts(screen, said.items()))


def translate(
    ctx: typer.Context,
    dossier: Dossier,
    part: Part,
    lang: Annotated[str, typer.Option(help="the translation's language", metavar="es")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="the translation as text; - reads standard input")],
    machine: Annotated[bool, typer.Option("--machine", help="a machine made it; an officer did without it")] = False,
    no_send: NoSend = False,
) -> None:
    """Keep a translation beside a part. It never replaces it, and is erased with it.

    Of another's part it goes to that author alone: who else was given the part is the author's to know.

    tansiq --home ./madrid --officer ines --why "case 12" dossier translate d-41c0 p-77ab --lang es text.txt
    """
    from tansiq.cli.call import read_file

    try:
        said_text = read_file(file, "FILE").decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid("cli.text", "not a text in UTF-8", step="read file", field="FILE") from None
    with open_node(ctx) as node:
        by, found = acting(ctx, node), node.dossiers.find(dossier)
        state = node.dossiers.state(found)
        entry, which = part_in(state, part)
        made = node.dossiers.translate(found, entry, which, said_text, lang, "machine" if machine else "officer", by)
        send_and_tell(ctx, node, {"entry": made}, no_send=no_send)


def part_in(state: DossierState, word: str) -> tuple[EntryId, PartId]:
    """A part of this dossier with its entry, by its id or the first characters. Raises `NotFound`."""
    fits = [(e.id, p.ref.id) for e in state.entries for p in e.parts if p.ref.id.startswith(word) and len(word) > 3]
    if len(fits) != 1:
        raise NotFound("part.unknown", "no such part, or more than one", step="find the part", field="PART")
    return fits[0]
