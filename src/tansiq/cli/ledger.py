"""`tansiq ledger`: the audit trail, its proofs and its signed heads."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console

from tansiq.cli.call import acting, find_officer, open_node, read_file, read_stream, write_file, write_lines
from tansiq.cli.screen import emit, facts, table, when
from tansiq.errors import Broken, Conflict, Invalid, Untrusted
from tansiq.terms.plain import plain

if TYPE_CHECKING:
    from tansiq.ledger.model import LeafView

app = typer.Typer(
    no_args_is_help=True, help="The audit trail: verify, prove, checkpoint, witness.", rich_markup_mode=None
)


@app.command("verify")
def verify(
    ctx: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help="of `ledger prove`, `ledger export` or `person export`: checked alone, needs no node"
        ),
    ] = None,
) -> None:
    """Recompute the whole log against its signed checkpoints, or check a proof; ends with 8, or 7, where it breaks.

    tansiq --home ./rabat ledger verify

    tansiq ledger verify proof.json
    """
    if file is not None:
        _verify_file(ctx, file)
        return
    with open_node(ctx) as node:
        report = node.ledger.verify()
    said = report.to_dict()
    emit(ctx, said, lambda out: facts(out, [(name, str(value)) for name, value in said.items()]))
    if not report.ok:
        raise typer.Exit(Broken.exit_code)


def _verify_file(ctx: typer.Context, file: Path) -> None:
    """What a third party does: no node is asked; the fingerprints are what it compares with the services."""
    from tansiq.cli.proofs import check, is_archive, is_extract
    from tansiq.ledger import archive_lines
    from tansiq.oversight import MAX_EXTRACT_FILE, verify_extract, verify_log

    if is_archive(file):
        said = read_stream(file, "FILE", lambda source: verify_log(archive_lines(source)))
        emit(ctx, said, lambda out: _show_archive(out, said))
        return
    raw = read_file(file, "FILE", MAX_EXTRACT_FILE)
    if is_extract(raw):
        said = verify_extract(raw)
        emit(ctx, said, lambda out: _show_extract(out, said))
        return
    said = check(raw)

    def show(out: Console) -> None:
        facts(out, [("proves", said["subject"]), ("logged by", said["node"]), ("fingerprint", said["fingerprint"])])
        rows = [(leaf["at"], leaf["verb"], f"leaf {leaf['index']} of {leaf['size']}") for leaf in said["leaves"]]
        out.print(table("at", "logged", "where", rows=rows))
        if said["entry"]:
            author = [("written by", said["entry"]["author"]), ("at", said["entry"]["at"])]
            facts(out, [*author, ("fingerprint", said["entry"]["fingerprint"])])
        for receipt in said["receipts"]:
            facts(
                out,
                [
                    ("received by", receipt["recipient"]),
                    ("at", receipt["received_at"]),
                    ("taken", "yes" if receipt["received"] else f"no: {receipt['reason']}"),
                    ("fingerprint", receipt["fingerprint"]),
                ],
            )
        out.print("it holds if the fingerprints are those that the services give you")

    emit(ctx, said, show)


def _show_archive(out: Console, said: Mapping[str, Any]) -> None:
    pairs = [("the whole log of", said["node"]), ("fingerprint", said["fingerprint"])]
    pairs += [(name, str(said[name])) for name in ("size", "root", "checkpoints", "first_at", "last_at", "opened")]
    facts(out, pairs)
    facts(out, [(n.replace("_", " "), str(said[n])) for n in ("chosen", "erased", "held_back") if said["chosen"]])
    out.print(table("verb", "leaves", rows=list(said["verbs"].items())))
    rows = [(c["witness"], c["size"], c["fingerprint"]) for c in said["cosigned"]]
    out.print(table("cosigned by", "up to", "fingerprint", rows=rows) if rows else "no partner has cosigned it")
    for late in said["replaced_keys"]:
        out.print(f"{late['witness']} had replaced the key that cosigned {late['size']}: that counts for nothing")
    out.print("it holds if the fingerprints are those that the services give you")


@app.command("export")
def export(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="where to write the whole log", metavar="FILE")],
    opened: Annotated[bool, typer.Option("--open", help="with the content of what the options below choose")] = False,
    since: Annotated[str, typer.Option(help="from this day (UTC) or instant on", metavar="DATE")] = "",
    until: Annotated[str, typer.Option(help="to this day, included, or before this instant", metavar="DATE")] = "",
    verb: Annotated[str, typer.Option(help="collect, alter, consult, disclose, combine or erase", metavar="VERB")] = "",
    of: Annotated[str, typer.Option("--of", help="what this officer did: name or id", metavar="NAME")] = "",
    about: Annotated[str, typer.Option(help="a record's id; a dossier with all that is in it", metavar="ID")] = "",
) -> None:
    """Write the whole log for an oversight body: `ledger verify FILE` checks it on a machine without a node. Logged.

    Every leaf, checkpoint and cosignature is in it; contents only with --open, and only of what is chosen.

    tansiq --home ./madrid --officer vera --purpose investigation --why "authority, ref. 7" ledger export --out log.jsonl --open --since 2026-11-01 --verb disclose
    """  # noqa: E501
    if not opened and any((since, until, verb, of, about)):
        raise Invalid("ledger.open", "what is chosen is opened: say --open", step="export", field="--open")
    with open_node(ctx) as node:
        from tansiq.ledger import parse_archive_head

        by = acting(ctx, node)
        officer = find_officer(node, of, "--of").id if of else ""
        record = node.dossiers.find(about) if about.startswith("d-") else about
        lines = node.oversight.archive(
            by, open_them=opened, since=since, until=until, verb=verb, officer=officer, record=record
        )
        first = next(lines)
        size = parse_archive_head(first.removesuffix(b"\n")).size
        write_lines(out, chain((first,), lines), "--out")
    said = {"written to": out, "leaves": size}
    emit(ctx, said, lambda screen: facts(screen, said.items()))


def _show_extract(out: Console, said: Mapping[str, Any]) -> None:
    extract = said["extract"]
    facts(
        out,
        [
            ("extract of", f"{extract['service']['name']}, {said['node']}"),
            ("fingerprint", said["fingerprint"]),
            ("signed at", extract["at"]),
            ("right", f"{extract['right']} ({', '.join(extract['clauses'])})"),
            ("logged as", f"leaf {said['leaf']['index']} of {said['leaf']['size']}"),
        ],
    )
    rows = [(t["id"], t["sort"], t["originator"], t["kept_back"] or "in it") for t in extract["things"]]
    out.print(table("item", "sort", "from", "content", rows=rows))
    out.print("it holds if the fingerprint is the one that the service gives you")


@app.command("list")
def show_all(
    ctx: typer.Context,
    since: Annotated[str, typer.Option(help="from this day (UTC) or instant on", metavar="DATE")] = "",
    until: Annotated[str, typer.Option(help="to this day, included, or before this instant", metavar="DATE")] = "",
    verb: Annotated[str, typer.Option(help="collect, alter, consult, disclose, combine or erase", metavar="VERB")] = "",
    of: Annotated[str, typer.Option("--of", help="what this officer did: name or id", metavar="NAME")] = "",
    about: Annotated[
        str, typer.Option(help="a record's id; a dossier takes its entries, parts and matches along", metavar="ID")
    ] = "",
    before: Annotated[int | None, typer.Option(min=0, help="leaves below this number", metavar="N")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="so many at the most")] = 50,
) -> None:
    """Leaves of the audit trail, newest first. What other officers did is shown to those who oversee.

    tansiq --home ./madrid --officer vera ledger list --since 2026-11-01 --until 2026-11-30 --verb disclose
    """
    with open_node(ctx) as node:
        by = acting(ctx, node)
        officer = find_officer(node, of, "--of").id if of else ""
        record = node.dossiers.find(about) if about.startswith("d-") else about
        page = node.oversight.leaves(
            by, since=since, until=until, verb=verb, officer=officer, record=record, before=before, limit=limit
        )
        names = {str(o.id): o.name for o in node.access.officers()}
    rows = [_row(leaf, names) for leaf in page.leaves]

    def show(out: Console) -> None:
        out.print(table("leaf", "at", "did", "record", "officer", "why", "clauses", rows=rows) if rows else "no leaf")
        facts(out, [("older ones", f"--before {page.older}" if page.older is not None else "")])

    emit(ctx, {"leaves": plain(page.leaves), "older": page.older, "scanned": page.scanned}, show)


def _row(leaf: LeafView, names: Mapping[str, str]) -> tuple[object, ...]:
    said = leaf.content
    if said is None:
        return leaf.index, when(leaf.at), leaf.verb.value, leaf.subject[:14], "-", "not shown, or erased", ""
    officer = str(said.get("officer", ""))
    why = " ".join(str(said.get(k, "")) for k in ("purpose", "justification"))
    clauses = ", ".join(str(c) for c in said.get("clauses") or ())
    did = f"{leaf.verb.value} {said.get('to', '')}".strip()
    return leaf.index, when(leaf.at), did, leaf.subject[:14], names.get(officer, officer), why, clauses


@app.command("prove")
def prove(
    ctx: typer.Context,
    subject: Annotated[str, typer.Argument(metavar="ID", help="an entry's id (e-...) or a leaf's number")],
    out: Annotated[Path | None, typer.Option(help="write the bundle here", metavar="FILE")] = None,
) -> None:
    """A bundle with which a third party checks alone that an entry was written, logged and received.

    Of an entry that a partner wrote it holds the partner's card too.

    tansiq --home ./madrid ledger prove e-5f0c... --out proof.json
    """
    with open_node(ctx) as node:
        bundle = plain(node.prove(subject))
    raw = msgspec.json.format(msgspec.json.encode(bundle), indent=1)
    if out is not None:
        write_file(out, raw + b"\n", "--out")

    def show(screen: Console) -> None:
        if out is None:
            sys.stdout.write(raw.decode() + "\n")
        else:
            facts(screen, [("written to", out)])

    emit(ctx, bundle, show)


@app.command("checkpoint")
def checkpoint(ctx: typer.Context) -> None:
    """Sign the log's present head as a C2SP tlog-checkpoint note; history then cannot be rewritten unseen.

    tansiq --home ./rabat ledger checkpoint
    """
    with open_node(ctx) as node:
        note = node.ledger.checkpoint()
        size, root = node.ledger.head()
    said = {"size": size, "root": root, "checkpoint": note}

    def show(_out: Console) -> None:
        sys.stdout.write(note if note.endswith("\n") else note + "\n")

    emit(ctx, said, show)


@app.command("invite")
def invite(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="where to write the request, for the partner that will witness")],
    seen: Annotated[int, typer.Option(min=0, help="the size of our log that this partner cosigned last; 0: none")] = 0,
) -> None:
    """Invite a partner to witness our log: it checks that nothing it saw before was rewritten, and cosigns the head.

    tansiq --home ./rabat ledger invite --out rabat.request
    """
    with open_node(ctx) as node:
        raw = node.ledger.witness_request(seen)
        size = node.ledger.head()[0]
    write_file(out, raw, "--out")
    said = {"size": size, "seen": seen, "written to": out}
    emit(ctx, said, lambda screen: facts(screen, said.items()))


@app.command("witnesses")
def witnesses(
    ctx: typer.Context,
    ask: Annotated[bool, typer.Option("--ask", help="lay our log before those whose turn it is, now")] = False,
) -> None:
    """Who witnesses our log, how far, and whether a partner's log contradicts what we cosigned of it.

    A running node does this by itself ([ledger] witness_hours); `invite`, `witness` and `cosigned` do it by hand.
    Ends with 7 where a log contradicts what was cosigned: `rewritten` is the partner's, `put_back` is ours. Once an
    officer has settled it (`ledger settle`) it is `distrusted`, or `known_back`.

    tansiq --home ./rabat ledger witnesses
    """
    with open_node(ctx) as node:
        asked = node.be_witnessed() if ask else []
        if asked:
            node.send_now()
        found = node.witnesses.standings(p.card.node for p in node.exchange.peers() if p.state == "pinned")
    rows = [
        (x.node, x.cosigned_size, x.cosigned_at or "", x.seen_size, x.trouble,
         f"{x.claimed.size} {x.claimed.root.hex()}" if x.claimed else "")
        for x in found
    ]  # fmt: skip
    said = {"asked": asked, "witnesses": [plain(x) for x in found]}
    heads = ("partner", "ours cosigned", "at", "theirs cosigned", "trouble", "claims")
    emit(ctx, said, lambda out: out.print(table(*heads, rows=rows)))
    if any(x.trouble for x in found):
        raise typer.Exit(Untrusted.exit_code)


@app.command("settle")
def settle(
    ctx: typer.Context,
    peer: Annotated[str, typer.Argument(metavar="PEER", help="whose log, or who saw more of ours: id, country, name")],
    reason: Annotated[str, typer.Option(help="whom you called, what was said; kept in the log", metavar="TEXT")],
    anew: Annotated[
        str | None, typer.Option("--anew", help="trust its log again, from the head with this root", metavar="ROOT")
    ] = None,
) -> None:
    """Say what follows from a contradicting log. A supervisor's or the data-protection officer's act.

    Call the partner first. With --anew its log starts for us at the head that `ledger witnesses` shows as `claims`:
    compare its size and root over another channel. Without, its log stays distrusted, and nothing of it is cosigned.

    tansiq --home ./madrid --officer omar ledger settle ma --reason "called Rabat: disk restored" --anew 9f2c41...
    """
    with open_node(ctx) as node:
        by = acting(ctx, node)
        found = node.exchange.resolve(peer)
        # Never empty where it was asked for: an unset shell variable must not become the other decision.
        state = node.witnesses.settle(found, by, reason, anew="" if anew is None else anew.strip() or "none")
    said = {"peer": found, "trouble": state, "settled by": by.officer}
    emit(ctx, said, lambda screen: facts(screen, list(said.items())))


@app.command("witness")
def witness(
    ctx: typer.Context,
    peer: Annotated[str, typer.Argument(metavar="PEER", help="whose log it is: node id, country or name")],
    file: Annotated[Path, typer.Argument(metavar="REQUEST", help="what it wrote with `ledger invite`")],
    out: Annotated[Path, typer.Option(help="where to write our cosignature, for that partner", metavar="FILE")],
) -> None:
    """Cosign the head of a partner's log, once it proves that it extends what we saw of it. Refuses a rewritten one.

    tansiq --home ./madrid ledger witness ma rabat.request --out rabat.cosignature
    """
    raw = read_file(file, "REQUEST")
    with open_node(ctx) as node:
        found = node.exchange.resolve(peer)
        try:
            line = node.witnesses.witness(found, raw)
        except Conflict as failure:
            if failure.code != "witness.size":
                raise
            raise Conflict(
                failure.code,
                "we cosigned another size of this log last",
                step="witness",
                field="REQUEST",
                hint=f"the partner asks again with --seen {failure.detail}",
            ) from failure
    write_file(out, line.encode(), "--out")
    said = {"log": f"tansiq/{found}", "cosignature": line.strip(), "written to": out}
    emit(ctx, said, lambda screen: facts(screen, [(k, v) for k, v in said.items() if k != "cosignature"]))


@app.command("cosigned")
def cosigned(
    ctx: typer.Context,
    peer: Annotated[str, typer.Argument(metavar="PEER", help="who witnessed: node id, country or name")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="what it wrote with `ledger witness`")],
    size: Annotated[int, typer.Option(min=1, help="the size that `ledger invite` named")],
) -> None:
    """Keep a witness's cosignature with the checkpoint that it is of; it stands in checkpoints and proofs from then on.

    tansiq --home ./rabat ledger cosigned es rabat.cosignature --size 120
    """
    line = read_file(file, "FILE", 64 * 1024).decode("utf-8", "replace")
    with open_node(ctx) as node:
        found = node.exchange.resolve(peer)
        kept = node.witnesses.keep(found, line, size)
    said = plain(kept)
    emit(ctx, said, lambda screen: facts(screen, said.items()))
