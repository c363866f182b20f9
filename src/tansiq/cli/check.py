"""`tansiq check`: ask partners without telling them whom you ask for; serve your own lists; watch the meter."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from tansiq.cli.call import acting, open_node, read_file, read_object, write_file
from tansiq.cli.courier import send_round
from tansiq.cli.screen import emit, facts, table, when
from tansiq.errors import Invalid, TansiqError

if TYPE_CHECKING:
    from tansiq.node import Node
    from tansiq.private.model import CheckResult, Tier


class _AskByDefault(TyperGroup):
    """`tansiq check PERSON.json ...` is `tansiq check ask PERSON.json ...`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["ask", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_AskByDefault,
    no_args_is_help=True,
    help="Private checks: ask a partner without telling it whom you ask for.",
    rich_markup_mode=None,
)

Person = Annotated[
    Path, typer.Argument(metavar="PERSON.json", help="names, birth_dates, phones, documents ...; or an entity's claims")
]
Peers = Annotated[str, typer.Option("--peer", help="partners: countries or node ids, with commas", metavar="CC[,CC]")]
Case = Annotated[str, typer.Option("--case", help="the case's reference: sealed here, its hash goes with the question")]
Ident = Annotated[str, typer.Argument(metavar="CHECK", help="its id, or enough of its first characters")]
Partner = Annotated[str, typer.Argument(metavar="PARTNER", help="country or node id")]
Tiers = Annotated[str, typer.Option("--tier", help="low (names with dates, phones, plates), high (long numbers)")]
Out = Annotated[Path, typer.Option("--out", help="where to write it", metavar="FILE")]


@app.command("ask")
def ask(ctx: typer.Context, person: Person, peer: Peers, case: Case) -> None:
    """Is this person in a partner's lists? Hit or no hit for each family of keys, and an opaque id; the partner
    learns that it was asked, how much, under which purpose, and nothing of whom.

    tansiq --home ./rabat --officer yasmine --purpose investigation check ask PERSON.json --peer es,de --case 2026/17
    """
    wanted = read_object(person, "PERSON.json")
    with open_node(ctx) as node:
        by = acting(ctx, node)
        found: list[dict[str, Any]] = []
        for partner in _words(peer):
            try:
                found.append(_plain(node.private.ask(partner, wanted, case, by)))
            except TansiqError as exc:
                # One partner's no must not hide another's answer; alone, it is the answer.
                if len(_words(peer)) == 1:
                    raise
                found.append({"peer": partner, "state": "failed", "code": exc.code, "message": exc.message})
    emit(ctx, {"checks": found}, lambda out: _show(out, found))


@app.command("show")
def show(ctx: typer.Context, check: Ident) -> None:
    """One check as it stands now: a change of the partner's list may have changed it, where it is watched.

    tansiq --home ./rabat --officer yasmine --purpose investigation --why "case 12" check show pc-41
    """
    with open_node(ctx) as node:
        node.consult("private.check", acting(ctx, node))
        found = [_plain(node.private.result(_find(node, check)))]
    emit(ctx, {"checks": found}, lambda out: _show(out, found))


@app.command("list")
def show_all(ctx: typer.Context) -> None:
    """What we asked, newest first.

    tansiq --home ./rabat --officer yasmine --purpose investigation --why "case 12" check list
    """
    with open_node(ctx) as node:
        node.consult("private.checks", acting(ctx, node))
        found = [_plain(c) for c in node.private.checks()]
    emit(ctx, {"checks": found}, lambda out: _show(out, found))


@app.command("follow")
def follow(
    ctx: typer.Context,
    check: Ident,
    body: Annotated[Path, typer.Argument(metavar="REQUEST.json", help="the request, as `dossier example request`")],
) -> None:
    """Open a request on a hit: it carries the opaque id, and only now does the partner learn whom it was about.

    tansiq --home ./rabat --officer yasmine --second karim --purpose investigation check follow CHECK REQUEST.json
    """
    written = read_object(body, "REQUEST.json")
    with open_node(ctx) as node:
        made = node.private.follow(_find(node, check), written, acting(ctx, node))
        sent = send_round(node)
    said = {"dossier": made, "sent": sent.sent, "waiting": sent.waiting}
    emit(ctx, said, lambda out: facts(out, said.items()))


@app.command("meaning")
def meaning(
    ctx: typer.Context, dossier: Annotated[str, typer.Argument(metavar="DOSSIER", help="the partner's request")]
) -> None:
    """Which of our records the opaque ids in a partner's request mean. Only we can say; it is logged.

    tansiq --home ./madrid --officer ines --purpose investigation --why "their request" check meaning d-41c0
    """
    with open_node(ctx) as node:
        found = node.private.meanings(node.dossiers.find(dossier), acting(ctx, node))
        rows = [
            {"rid": m.rid, "epoch": m.epoch, "tier": m.tier, "record": m.record, "name": _name(node, m.record)}
            for m in found
        ]
    heads = ("opaque id", "epoch", "tier", "record", "who")

    def draw(out: Console) -> None:
        out.print(
            table(*heads, rows=[tuple(r.values()) for r in rows]) if rows else "no opaque id of ours is named there"
        )

    emit(ctx, {"meanings": rows}, draw)


@app.command("watch")
def watch(
    ctx: typer.Context,
    person: Person,
    peer: Peers,
    case: Case,
    until: Annotated[str, typer.Option(help="the last day, YYYY-MM-DD; 90 days from now", metavar="DAY")] = "",
) -> None:
    """Ask now, and look again at every change of the partners' lists, without asking again.

    tansiq --home ./rabat --officer yasmine --purpose investigation check watch PERSON.json --peer es --case 2026/17
    """
    wanted = read_object(person, "PERSON.json")
    with open_node(ctx) as node:
        made, results = node.private.watch(wanted, _words(peer), case, acting(ctx, node), until)
        found = [_plain(r) for r in results]
    said = {"watch": made.id, "until": made.until_on, "checks": found}

    def draw(out: Console) -> None:
        facts(out, [("watch", made.id), ("until", made.until_on)])
        _show(out, found)

    emit(ctx, said, draw)


@app.command("watches")
def watches(ctx: typer.Context) -> None:
    """Who is under watch, with what was found.

    tansiq --home ./rabat --officer yasmine --purpose investigation --why "case 12" check watches
    """
    with open_node(ctx) as node:
        node.consult("private.watches", acting(ctx, node))
        rows = [
            {
                "watch": w.id,
                "until": w.until_on,
                "case": w.case,
                "hit": any(c.hit for c in node.private.checks(ref=w.id)),
            }
            for w in node.private.watches()
        ]

    def draw(out: Console) -> None:
        cells = [(r["watch"], r["until"], r["case"], "HIT" if r["hit"] else "no hit") for r in rows]
        out.print(table("watch", "until", "case", "", rows=cells) if rows else "nobody is watched")

    emit(ctx, {"watches": rows}, draw)


@app.command("unwatch")
def unwatch(
    ctx: typer.Context, ident: Annotated[str, typer.Argument(metavar="WATCH", help="as `check watches` shows it")]
) -> None:
    """End a watch.

    tansiq --home ./rabat --officer yasmine check unwatch WATCH
    """
    with open_node(ctx) as node:
        node.private.unwatch(ident, acting(ctx, node))
    emit(ctx, {"watch": ident, "state": "off"}, lambda out: out.print("ended"))


# --- as a holder ---


@app.command("serve")
def serve(ctx: typer.Context, partner: Partner, tier: Tiers = "low,high") -> None:
    """Let a partner ask us: its lists are made by the key process and shipped, now and in each epoch (supervisor).

    tansiq --home ./madrid --officer ines --why "agreement of 2019" check serve ma --tier low,high
    """
    with open_node(ctx) as node:
        tiers = _tiers(tier)
        node.private.publish(partner, tiers, acting(ctx, node))
        said = {"partner": partner, "tiers": [t.value for t in tiers]} | _carried_out(node)
    emit(ctx, said, lambda out: facts(out, _cells(said)))


@app.command("refresh")
def refresh(ctx: typer.Context, partner: Partner, tier: Tiers = "low") -> None:
    """Ship what has changed in a list now; without this it goes once a day (supervisor).

    tansiq --home ./madrid --officer omar --why "a raid tomorrow" check refresh ma --tier low
    """
    with open_node(ctx) as node:
        for one in _tiers(tier):
            node.private.order_refresh(partner, one, acting(ctx, node))
        said = {"partner": partner} | _carried_out(node)
    emit(ctx, said, lambda out: facts(out, _cells(said)))


@app.command("rotate")
def rotate(ctx: typer.Context) -> None:
    """New keys and new lists for all partners; the old ones are answered during their grace (supervisor).

    tansiq --home ./madrid --officer omar --why "a key was lost" check rotate
    """
    with open_node(ctx) as node:
        node.private.rotate(acting(ctx, node))
        said = _carried_out(node)
    emit(ctx, said, lambda out: facts(out, _cells(said)))


@app.command("revoke")
def revoke(ctx: typer.Context, partner: Partner) -> None:
    """Answer this partner nothing more, from this moment (supervisor).

    tansiq --home ./madrid --officer omar --why "it has been guessing" check revoke ma
    """
    with open_node(ctx) as node:
        node.private.revoke(partner, acting(ctx, node))
        said = {"partner": partner, "state": "revoked"} | _carried_out(node)
    emit(ctx, said, lambda out: facts(out, _cells(said)))


@app.command("canary")
def canary(ctx: typer.Context, person: Person) -> None:
    """Put an invented person into our lists: who sends a request about it has been guessing (supervisor).

    tansiq --home ./madrid --officer omar --why "audit 3/2026" check canary PERSON.json
    """
    wanted = read_object(person, "PERSON.json")
    with open_node(ctx) as node:
        made = node.private.add_canary(wanted, acting(ctx, node))
    emit(ctx, {"canary": made}, lambda out: facts(out, [("canary", made)]))


@app.command("status")
def status(ctx: typer.Context) -> None:
    """Epochs, lists, today's meter, what was asked of us and what we asked, and what a supervisor must look at.

    tansiq --home ./madrid check status
    """
    with open_node(ctx) as node:
        p = node.private
        said = {
            "epochs": p.epochs(),
            "lists": p.lists(),
            "meters": p.meters(),
            "asked_of_us": p.asked_of_us(),
            "we_asked": p.we_asked(),
            "notices": p.notices(),
        }

    def draw(out: Console) -> None:
        for name, heads, rows in _tables(said):
            if rows:
                out.print(table(*heads, rows=rows, title=name))
                out.print()
        if not any(said.values()):
            out.print("no private checks yet: tansiq check serve PARTNER")

    emit(ctx, said, draw)


def _tables(said: dict[str, Any]) -> list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    def uses(rows: list[Any]) -> list[tuple[str, ...]]:
        return [(u.partner, u.tier, u.purpose, u.code or "answered", str(u.batches), str(u.evaluations)) for u in rows]

    use_heads = ("partner", "tier", "purpose", "", "batches", "evaluations")
    return [
        (
            "epochs",
            ("number", "state", "from", "to", "answered until"),
            [(str(e.number), e.state, e.begins_on, e.ends_on, e.grace_until) for e in said["epochs"]],
        ),
        (
            "lists",
            ("", "partner", "tier", "epoch", "state", "length", "changes", "public key"),
            [
                (
                    "ours" if x.side == "held" else "theirs",
                    x.node, x.tier, str(x.epoch), x.state, str(x.count), str(x.sequence), x.public[:16],
                )
                for x in said["lists"]
            ],
        ),
        (
            "meter, today",
            ("partner", "tier", "spent", "of", "burst", "reads out of those held in an epoch"),
            [
                (
                    m.partner, m.tier, str(m.spent), str(m.per_day), str(m.burst),
                    f"{m.readout['persons_by_name_and_date']:.1%}",
                )
                for m in said["meters"]
            ],
        ),
        ("asked of us", use_heads, uses(said["asked_of_us"])),
        ("we asked", use_heads, uses(said["we_asked"])),
        (
            "to be looked at",
            ("notice", "what", "partner", "tier", "count", "of", "since", "about"),
            [
                (n.id, n.code, n.partner, n.tier, str(n.count), str(n.of), when(n.since), n.ref[:14])
                for n in said["notices"]
            ],
        ),
    ]  # fmt: skip


@app.command("seen")
def seen(
    ctx: typer.Context, notice: Annotated[str, typer.Argument(metavar="NOTICE", help="as `check status` shows it")]
) -> None:
    """An alarm was looked at (supervisor).

    tansiq --home ./madrid --officer omar --why "audit 3/2026" check seen pn-41
    """
    with open_node(ctx) as node:
        node.private.seen(notice, acting(ctx, node))
    emit(ctx, {"notice": notice, "state": "seen"}, lambda out: out.print("noted"))


# --- the openable log ---


@app.command("sample")
def sample(
    ctx: typer.Context,
    partner: Partner,
    out: Out,
    share: Annotated[float, typer.Option(help="of the elements that were asked", min=0.0, max=1.0)] = 0.01,
    days: Annotated[int, typer.Option(help="of the last so many days", min=1, max=400)] = 30,
) -> None:
    """Draw elements of what a partner asked us, for its supervisor to open (supervisor).

    tansiq --home ./madrid --officer omar --why "audit 3/2026" check sample ma --out drawn.json
    """
    with open_node(ctx) as node:
        raw = node.private.draw_sample(partner, share, days, acting(ctx, node))
    write_file(out, raw, "--out")
    emit(ctx, {"written": str(out)}, lambda screen: facts(screen, [("written to", out)]))


@app.command("open")
def open_sample(
    ctx: typer.Context, drawn: Annotated[Path, typer.Argument(metavar="SAMPLE", help="from the holder")], out: Out
) -> None:
    """Open the drawn elements: what was asked, and under which case (the asker's supervisor).

    tansiq --home ./rabat --officer salma --why "audit 3/2026" check open SAMPLE --out openings.json
    """
    raw = read_file(drawn, "SAMPLE")
    with open_node(ctx) as node:
        opened = node.private.open_sample(raw, acting(ctx, node))
    write_file(out, opened, "--out")
    emit(ctx, {"written": str(out)}, lambda screen: facts(screen, [("written to", out)]))


@app.command("verify")
def verify(
    ctx: typer.Context,
    openings: Annotated[Path, typer.Argument(metavar="OPENINGS", help="what the asker wrote with `check open`")],
) -> None:
    """Check openings against the elements that we kept: each question had a case, and none is missing (supervisor).

    tansiq --home ./madrid --officer omar --why "audit 3/2026" check verify openings.json
    """
    raw = read_file(openings, "OPENINGS", 64 * 1024 * 1024)
    with open_node(ctx) as node:
        told = node.private.check_openings(raw, acting(ctx, node))
    shown = [(k, v if not isinstance(v, dict | list) else len(v)) for k, v in told.items()]
    emit(ctx, told, lambda out: facts(out, [(k, str(v)) for k, v in shown]))


# --- helpers ---


def _words(text: str) -> list[str]:
    found = [word for part in text.split(",") if (word := part.strip())]
    if not found:
        raise Invalid("cli.peer", "name a partner", step="check", field="--peer")
    return found


def _tiers(text: str) -> list[Tier]:
    from tansiq.private.model import Tier

    words = _words(text)
    if unknown := [w for w in words if w not in set(Tier)]:
        raise Invalid("cli.tier", f"one of {', '.join(Tier)}", step="serve", field="--tier", detail=unknown[0][:16])
    return [Tier(w) for w in words]


def _carried_out(node: Node) -> dict[str, Any]:
    """Where this home's node runs, it has the keys and does what was ordered; else it is done here and now."""
    while node.private.work():
        pass
    sent = send_round(node)
    waits = node.private.ordered()
    return {"done": "the running node does it" if waits else "yes", "sent": sent.sent, "waiting": sent.waiting}


def _cells(said: dict[str, Any]) -> list[tuple[str, str]]:
    return [(k, ", ".join(v) if isinstance(v, list) else str(v)) for k, v in said.items()]


def _find(node: Node, word: str) -> str:
    """A check by the beginning of its id."""
    found = [c.id for c in node.private.checks(limit=10_000) if c.id.startswith(word)]
    if len(found) > 1:
        raise Invalid("check.ambiguous", "more than one check begins so", step="find the check", field="CHECK")
    return found[0] if found else word


def _name(node: Node, record: str) -> str:
    try:
        entity = node.bank.get(record).entity
    except TansiqError:
        return "canary" if record.startswith("ca-") else "not in the bank any more"
    return next(iter(entity.names()), entity.schema)


def _plain(check: CheckResult) -> dict[str, Any]:
    return {
        "check": check.id,
        "peer": check.partner,
        "state": check.state,
        "code": check.code,
        "hit": check.hit,
        "families": {f.key_class: {"hit": f.hit, "opaque": list(f.rids)} for f in check.families},
        "opaque": list(check.rids),
        "epochs": dict(check.epochs),
        "evaluations": check.evaluations,
        "asked_at": check.asked_at,
        "dossier": check.dossier,
    }


def _show(out: Console, found: list[dict[str, Any]]) -> None:
    rows = []
    for c in found:
        if c["state"] != "done":
            rows.append((c.get("check", "-"), c["peer"], c["state"], c.get("code", ""), "", ""))
            continue
        asked = {k: f["hit"] for k, f in c["families"].items() if f["hit"] is not None}
        said = " ".join(f"{k}:{'HIT' if hit else 'no'}" for k, hit in asked.items())
        rows.append(
            (c["check"], c["peer"], "HIT" if c["hit"] else "no hit", said, " ".join(c["opaque"]), c["dossier"][:14])
        )
    out.print(
        table("check", "partner", "", "families asked", "opaque id", "request", rows=rows)
        if rows
        else "nothing was asked"
    )
