"""Sets the stage, plays the story, shows it, and clears up."""

from __future__ import annotations

import gzip
import json
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from tansiq.access.model import Role
from tansiq.demo import people
from tansiq.demo.hosts import Host
from tansiq.demo.story import STEPS, StepResult, Story, run_step
from tansiq.errors import Invalid
from tansiq.sources import read_press

OFFICERS: dict[str, list[tuple[str, tuple[Role, ...]]]] = {
    "rabat": [
        ("Yasmine", (Role.LIAISON, Role.ANALYST, Role.ADMIN)),
        ("Driss", (Role.SUPERVISOR,)),
        ("Nadia", (Role.PROTECTION,)),
    ],
    "madrid": [
        ("Lucía", (Role.LIAISON, Role.ANALYST)),
        ("Álvaro", (Role.SUPERVISOR, Role.LIAISON)),
        ("Elena", (Role.PROTECTION,)),
    ],
    "berlin": [("Jonas", (Role.LIAISON, Role.ANALYST, Role.ADMIN)), ("Katrin", (Role.SUPERVISOR,))],
    "lisbon": [("Inês", (Role.LIAISON, Role.ANALYST)), ("Rui", (Role.SUPERVISOR,))],
}
HOLDINGS = {"rabat": people.RABAT_HOLDINGS, "madrid": people.MADRID_HOLDINGS, "berlin": people.BERLIN_HOLDINGS}


def play(*, once: bool, as_json: bool, data: Path | None = None, press: Path | None = None) -> None:
    """Play the story. Exits 0 only if every step held; without `once` the nodes stay up until Ctrl-C."""
    console = Console(stderr=as_json)
    folder = Path(tempfile.mkdtemp(prefix="tansiq-demo-"))
    results: list[StepResult] = []
    story = _stage(folder, press)
    hosts = (story.rabat, story.madrid, story.berlin, story.lisbon)
    # Also where a shell started us in the background, with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        _run(story, results, console, data, press)
        if as_json:
            sys.stdout.write(json.dumps(_report(results), ensure_ascii=False, indent=2) + "\n")
        ok = all(r.ok for r in results)
        if not once:
            _show(story, hosts, console)
            _stay()
    except KeyboardInterrupt:
        ok = bool(results) and all(r.ok for r in results)
    finally:
        for host in hosts:
            host.ask_to_stop()
        for host in hosts:
            host.stop()
        shutil.rmtree(folder, ignore_errors=True)
    if not ok:
        sys.exit(1)


def _stage(folder: Path, press: Path | None) -> Story:
    rabat = Host(folder / "rabat", "rabat", "MA", "ar", "Africa/Casablanca")
    madrid = Host(folder / "madrid", "madrid", "ES", "es", "Europe/Madrid")
    berlin = Host(folder / "berlin", "berlin", "DE", "de", "Europe/Berlin")
    lisbon = Host(folder / "lisbon", "lisbon", "PT", "en", "Europe/Lisbon")
    return Story(rabat, madrid, berlin, lisbon, {}, press)


def _run(story: Story, results: list[StepResult], console: Console, data: Path | None, press: Path | None) -> None:
    steps = [("nodes.made", lambda: _make(story))]
    if data is not None:
        steps.append(("data.loaded", lambda: _load(story, data)))
    steps.append(("nodes.started", lambda: _start(story)))
    steps += [(name, getattr(story, verb)) for name, verb in STEPS]
    if press is not None:
        steps.append(("press.sent", lambda: _send_press(story, press)))
    for name, act in steps:
        result = run_step(name, act)
        results.append(result)
        mark = "[green]✓[/green]" if result.ok else "[red]✗[/red]"
        console.print(f"{mark} [bold]{name}[/bold] [dim]{result.ms:.0f} ms[/dim]  ", end="")
        console.print(result.detail, markup=False, highlight=False, soft_wrap=True)
        if not result.ok:
            # Each step stands on those before it: what was not reached is named, not tried.
            results += [StepResult(missed, False, 0.0, "not reached") for missed, _ in steps[len(results) :]]
            return


def _make(story: Story) -> str:
    for host in (story.rabat, story.madrid, story.berlin, story.lisbon):
        story.cards[host.name] = host.make(OFFICERS[host.name], HOLDINGS.get(host.name, []))
    three = (story.rabat, story.madrid, story.berlin)
    for host in three:
        host.pin([story.cards[h.name] for h in three if h is not host])
    story.lisbon.pin([story.cards[h.name] for h in three])
    return "keys, homes and databases made; Rabat, Madrid and Berlin pinned one another's cards"


def _start(story: Story) -> str:
    story.rabat.start()
    story.madrid.start()
    return f"Rabat {story.rabat.url}, Madrid {story.madrid.url}; Berlin stays off-line for now"


def _load(story: Story, data: Path) -> str:
    """Public lists: the UN consolidated list into Berlin's bank, the OFAC list into Madrid's."""
    told = []
    lists = (
        (story.berlin, "un", "un_consolidated_*.xml*"),
        (story.madrid, "ofac", "ofac_sdn_2*.csv*"),
    )
    for host, as_, pattern in lists:
        files = sorted(data.glob(f"**/{pattern}"))
        if not files:
            continue
        more = sorted(data.glob("**/ofac_sdn_add*_2*.csv*")) if as_ == "ofac" else []
        report = host.load(_plain(files[-1]), as_, _plain(more[-1]) if more else None)
        counts = f"{report.read} read, {report.added} added, {len(report.rejects)} rejected by name"
        told.append(f"{files[-1].name} into {host.name}: {counts}")
    if not told:
        raise Invalid("demo.no_data", "no known public list in this folder", step="load data", field="--data")
    return "; ".join(told)


def _plain(file: Path) -> bytes:
    raw = file.read_bytes()
    return gzip.decompress(raw) if file.suffix == ".gz" else raw


def _send_press(story: Story, press: Path) -> str:
    """Each press text becomes a report of Rabat's to Madrid and Berlin, as open-source information.

    What stands in it is what the house's own reader proposes: language, title, text, the names that it introduces.
    """
    sent = persons = 0
    for file in sorted(press.glob("*.txt")):
        draft = read_press(file.read_bytes())
        persons += len(draft.persons)
        body = people.press_body(draft.lang, draft.title[:200], draft.narrative, draft.persons)
        made = story.rabat.post("Yasmine", "/dossiers", {"kind": "report", "to": ["es", "de"], "body": body})
        for host, officer in ((story.madrid, "Lucía"), (story.berlin, "Jonas")):
            _await(story, host, officer, made["dossier"])
        sent += 1
    return f"{sent} press reports with {persons} proposed persons sent by Rabat and filed by Madrid and Berlin"


def _await(story: Story, host: Host, officer: str, dossier: str) -> None:
    from tansiq.demo.story import until

    until(f"a press report in {host.name}", lambda: story.dossier(host, officer, dossier))


def _report(results: list[StepResult]) -> dict[str, Any]:
    steps = [{"name": r.name, "ok": r.ok, "ms": r.ms, "detail": r.detail} for r in results]
    return {"ok": all(r.ok for r in results), "steps": steps}


def _show(story: Story, hosts: tuple[Host, ...], console: Console) -> None:
    """Addresses and sign-ins, each whole on its line: a password that a narrow window cuts in two cannot be copied."""

    def line(text: str = "", style: str = "") -> None:
        console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    line()
    line("The nodes are up. Ctrl-C stops them and removes their homes.", "bold")
    for host in hosts:
        line()
        line(f"{host.name}  {host.url}", "bold")
        for name, password, roles in host.sign_ins:
            line(f"  {name:<8} {password:<26} {roles}")
    first = (
        ("the hit, as Lucía", story.madrid, "hits", story.notes.get("match")),
        ("the report, as Yasmine", story.rabat, "dossiers", story.report),
        ("what Berlin did not get, as Jonas", story.berlin, "dossiers", story.report),
    )
    line()
    line("Look first at", "bold")
    for what, host, folder, ident in first:
        if ident:
            line(f"  {what}: {host.url}/{folder}/{ident}")


def _stay() -> None:
    while True:
        time.sleep(3600)
