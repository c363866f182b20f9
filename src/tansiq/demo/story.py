"""The story, step by step. Each step says what must hold and fails by name when it does not."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from tansiq.crypto import PublicKeys
from tansiq.demo import people
from tansiq.demo.hosts import DemoProblem, Host
from tansiq.errors import TansiqError
from tansiq.exchange import verify_card_file, verify_receipt_proof
from tansiq.ledger import verify_bundle

PATIENCE_S = 30.0
"""How long a step waits for something to cross; on one machine it takes well under a second."""


class DemoFailed(Exception):
    """A step's promise did not hold."""


def require(held: object, what: str) -> None:
    if not held:
        raise DemoFailed(what)


def until(what: str, look: Callable[[], Any]) -> Any:
    """Wait for something to arrive. Raises `DemoFailed` naming it."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise DemoFailed(f"did not arrive: {what}")


@dataclass
class Story:
    """What the steps tell one another."""

    rabat: Host
    madrid: Host
    berlin: Host
    lisbon: Host
    cards: dict[str, bytes]
    press: Path | None = None
    report: str = ""
    report_entry: str = ""
    request: str = ""
    request_entry: str = ""
    asked: str = ""
    notes: dict[str, Any] = field(default_factory=dict)

    # --- small words ---

    def dossier(self, host: Host, officer: str, ident: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = host.get(officer, f"/dossiers/{ident}")["dossier"]
        except DemoProblem as problem:
            if problem.status in (403, 404):
                return None
            raise
        return found

    def append(self, host: Host, officer: str, ident: str, body: dict[str, Any]) -> str:
        return str(host.post(officer, f"/dossiers/{ident}/entries", body)["entry"])

    def entries(self, host: Host, officer: str, ident: str, act: str) -> list[dict[str, Any]]:
        found = self.dossier(host, officer, ident)
        return [e for e in found["entries"] if e["statement"]["type"] == act] if found else []

    # --- the steps ---

    def send_report(self) -> str:
        body = people.report_body([self.berlin.node])
        preview = self.rabat.post("Yasmine", "/preview", {"kind": "report", "to": ["es", "de"], "body": body})
        decisions = preview["decisions"]
        require(
            all(d["decision"] == "permit" for d in decisions) and len(decisions) == 2,
            "the gate permits both recipients",
        )
        why = "; ".join(f"{d['to'][:2].upper()} by {', '.join(c['id'] for c in d['clauses'][:3])}" for d in decisions)
        made = self.rabat.post("Yasmine", "/dossiers", {"kind": "report", "to": ["es", "de"], "body": body})
        self.report = made["dossier"]
        self.report_entry = (self.dossier(self.rabat, "Yasmine", self.report) or {})["entries"][0]["id"]
        return f"H2 report in Arabic to Madrid and Berlin; permitted to {why}"

    def file_report(self) -> str:
        found = until("the report in Madrid", lambda: self.dossier(self.madrid, "Lucía", self.report))
        parts = found["entries"][0]["parts"]
        require(all(p["presence"] == "held" for p in parts), "Madrid holds every part")
        require(found["marks"] == [], "nothing odd about it")
        return f"Madrid verified both signatures and filed {len(parts)} parts"

    def match(self) -> str:
        found = until("a match in Madrid", lambda: self.madrid.get("Lucía", "/matches")["matches"])
        best = max(found, key=lambda m: float(m["score"]))
        self.notes["match"] = best["id"]
        duties = self.madrid.get("Lucía", "/duties")["duties"]
        require(any(d["code"] == "hit.confirm" for d in duties), "a duty to confirm or reject appears")
        # As the pages have it: never rounded up to a certainty.
        return f"match {int(float(best['score']) * 100)}%; duty: confirm or reject"

    def confirm(self) -> str:
        body = {"decision": "hit", "reason": "same name in two spellings, same year of birth, same nationality"}
        decided = self.madrid.post("Lucía", f"/matches/{self.notes['match']}/decision", body)
        require(decided["match"]["state"] == "hit", "the officer's decision makes it a hit")
        feedback = {"type": "dossier.feedback", "facts": {"about": self.report_entry, "outcome": "hit"}, "to": ["ma"]}
        self.append(self.madrid, "Lucía", self.report, feedback)
        until("the feedback in Rabat", lambda: self.entries(self.rabat, "Yasmine", self.report, "dossier.feedback"))
        return "an officer confirmed: a hit; Rabat has the feedback"

    def make_request(self) -> str:
        body = people.request_body(self.report_entry)
        try:
            self.madrid.post("Lucía", "/dossiers", {"kind": "request", "to": ["ma"], "body": body})
        except DemoProblem as problem:
            require(problem.problem.get("code") == "four_eyes.needed", "an urgent request needs a second officer")
        else:
            raise DemoFailed("an urgent request went out without a second officer")
        draft = self.madrid.post("Lucía", "/drafts", {"kind": "request", "to": ["ma"], "body": body})
        made = self.madrid.post("Álvaro", f"/drafts/{draft['draft']}/confirm", {})
        self.request = made["dossier"]
        self.request_entry = (self.dossier(self.madrid, "Lucía", self.request) or {})["entries"][0]["id"]
        duty = until("Rabat's clock", lambda: self._answer_duty(self.rabat, "Yasmine"))
        left = datetime.fromisoformat(duty["due_at"]) - datetime.fromisoformat(duty["since"])
        require(abs(left.total_seconds() - 8 * 3600) < 1, "the clock is 8 hours (Dir. 2023/977 art. 5(1))")
        return f"urgent, ground given, confirmed by a second officer; Rabat's clock: {left}"

    def _answer_duty(self, host: Host, officer: str) -> dict[str, Any] | None:
        duties = host.get(officer, "/duties")["duties"]
        return next((d for d in duties if d["code"] == "request.answer" and d["dossier"] == self.request), None)

    def clarify(self) -> str:
        ask = {
            "type": "request.clarification_asked",
            "parts": [
                {"kind": "note", "lang": "fr", "text": "De quel véhicule s’agit-il, et depuis quelle date\u00a0?"}
            ],
        }
        self.append(self.rabat, "Yasmine", self.request, ask)
        stopped = until(
            "the stopped clock in Madrid",
            lambda: (d := self._answer_duty(self.madrid, "Lucía")) and d["due_at"] is None and d,
        )
        require(stopped["paused"] == "clarification", "the clock stands while the clarification is open")
        give = {
            "type": "request.clarification_given",
            "facts": {"lane": "ma"},
            "parts": [{"kind": "note", "lang": "es", "text": "El todoterreno con matrícula marroquí, desde el 3 nov."}],
        }
        self.append(self.madrid, "Lucía", self.request, give)
        until("the running clock in Rabat", lambda: (d := self._answer_duty(self.rabat, "Yasmine")) and d["due_at"])
        return "Rabat asked, the clock stopped; Madrid answered, it runs again with what was left"

    def answer(self) -> str:
        body = {
            "type": "request.answered",
            "facts": {"result": "provided"},
            "parts": [
                {
                    "kind": "answer",
                    "lang": "fr",
                    "text": "Identité confirmée\u00a0; passeport QX4471902\u00a0; deux passages.",
                },
            ],
        }
        self.append(self.rabat, "Yasmine", self.request, body)
        until(
            "the answer in Madrid",
            lambda: (found := self.dossier(self.madrid, "Lucía", self.request)) and found["phase"] == "closed",
        )
        return "answered within the clock; the request is closed on both sides"

    def berlin_returns(self) -> str:
        waiting = self.rabat.get("Yasmine", f"/deliveries?to={self.berlin.node}")["deliveries"]
        require(waiting and all(d["state"] != "received" for d in waiting), "Berlin was off-line all this while")
        self.berlin.start()
        found = until("the report in Berlin", lambda: self.dossier(self.berlin, "Jonas", self.report))
        hidden = [p for p in found["entries"][0]["parts"] if p["presence"] == "withheld"]
        require(len(hidden) == 1, "one part is withheld from Berlin, and shown as withheld")
        count = len(found["entries"])
        return f"Berlin caught up: {count} {'entry' if count == 1 else 'entries'}, one part withheld"

    def forward_refused(self) -> str:
        try:
            self.berlin.post("Jonas", f"/dossiers/{self.report}/forward", {"about": self.report_entry, "to": "pt"})
        except DemoProblem as problem:
            clauses = problem.problem.get("clauses", [])
            require("handling.h2" in clauses, "the refusal names the clause")
            return f"Berlin may not pass it on to Lisbon: {problem.message}"
        raise DemoFailed("Berlin could pass on an H2 report")

    def ask_permission(self) -> str:
        body = {
            "type": "dossier.permission_requested",
            "facts": {"about": self.report_entry, "to": "pt"},
            "parts": [{"kind": "note", "lang": "de", "text": "Das Fahrzeug wurde in Setúbal gesehen."}],
        }
        self.asked = self.append(self.berlin, "Jonas", self.report, body)
        until(
            "the question in Rabat",
            lambda: self.entries(self.rabat, "Yasmine", self.report, "dossier.permission_requested"),
        )
        grant = {
            "type": "dossier.permission_answered",
            "facts": {"asked": self.asked, "answer": "granted_with_conditions"},
            "parts": [
                {"kind": "note", "lang": "fr", "text": "Pour l’enquête en cours seulement\u00a0; pas en justice."}
            ],
        }
        self.append(self.rabat, "Yasmine", self.report, grant)
        return "Rabat grants it with a condition"

    def lisbon_joins(self) -> str:
        self.lisbon.start()
        for host, officer in ((self.rabat, "Yasmine"), (self.berlin, "Jonas")):
            host.post(officer, "/peers", {"card": base64.b64encode(self.cards["lisbon"]).decode()})
        self.rabat.post("Yasmine", f"/dossiers/{self.report}/members", {"node": "pt"})
        found = until(
            "the report in Lisbon",
            lambda: (d := self.dossier(self.lisbon, "Inês", self.report)) and d["phase"] == "given" and d,
        )
        opening = found["entries"][0]
        require(opening["statement"]["author"] == self.rabat.node, "Rabat's own node delivered it")
        hidden = [p for p in opening["parts"] if p["presence"] == "withheld"]
        require(len(hidden) == 1, "what was withheld once stays withheld")
        return "Rabat's node delivered to Lisbon; the source stays withheld"

    def recall(self) -> str:
        mine = self.dossier(self.rabat, "Yasmine", self.report)
        require(mine, "Rabat has its own report")
        part = next(
            p["ref"]["id"]
            for p in (mine or {})["entries"][0]["parts"]
            if p["ref"]["kind"] == "entity" and p["content"]["entity"]["id"] == "p2"
        )
        body = {"type": "dossier.recalled", "facts": {"about": self.report_entry, "part": part, "reason": "inaccurate"}}
        self.append(self.rabat, "Yasmine", self.report, body)
        answers = until("three proofs of erasure", lambda: len(self._erased(part)) == 3 and self._erased(part))
        for node, facts in answers.items():
            require(facts.get("proof"), f"{node} answers with proof")
        for host, officer in ((self.madrid, "Lucía"), (self.berlin, "Jonas"), (self.lisbon, "Inês")):
            found = self.dossier(host, officer, self.report)
            state = next(p["presence"] for e in (found or {})["entries"] for p in e["parts"] if p["ref"]["id"] == part)
            require(state == "erased", f"{host.name} erased the part")
        self.notes["proofs"] = answers
        return "Madrid, Berlin and Lisbon erased it and answered with proofs that Rabat can check alone"

    def _erased(self, part: str) -> dict[str, Any]:
        found = self.dossier(self.rabat, "Yasmine", self.report) or {"recalls": []}
        return next((r["erased"] for r in found["recalls"] if r["part"] == part), {})

    def verify_ledgers(self) -> str:
        sizes = {}
        officers = {"rabat": "Yasmine", "madrid": "Lucía", "berlin": "Jonas", "lisbon": "Inês"}
        for host in (self.rabat, self.madrid, self.berlin, self.lisbon):
            report = host.get(officers[host.name], "/ledger/verify")
            require(
                report["broken_at"] is None and report["checked"] == report["size"], f"{host.name}: the ledger holds"
            )
            sizes[host.name] = report["size"]
        for node, facts in self.notes["proofs"].items():
            host = next(h for h in (self.madrid, self.berlin, self.lisbon) if h.node == node)
            proven = verify_bundle(facts["proof"].encode(), f"tansiq/{node}", self._keys(host.name))
            require(proven, f"{host.name}: the proof of erasure verifies")
        counted = ", ".join(f"{name} {size}" for name, size in sizes.items())
        return f"every ledger verifies (leaves: {counted}); so does each proof of erasure"

    def _keys(self, name: str) -> PublicKeys:
        return verify_card_file(self.cards[name]).signing

    def prove_to_a_third_party(self) -> str:
        bundle = self.madrid.get("Lucía", f"/proofs/{self.request_entry}")
        receipts = bundle["receipts"]
        require(len(receipts) == 1, "one receipt, Rabat's")
        # From here on nothing of any node is asked: this is what a third party does with the file alone.
        proven = verify_receipt_proof(json.dumps(receipts[0]).encode())
        require(proven.receipt.recipient == self.rabat.node, "signed by Rabat's keys")
        require(proven.result.received and proven.ref == self.request_entry, "about this very request")
        return f"off-line: Rabat received the request at {proven.receipt.received_at:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True, slots=True)
class StepResult:
    """One line of the demo's report."""

    name: str
    ok: bool
    ms: float
    detail: str


STEPS: tuple[tuple[str, str], ...] = (
    ("report.sent", "send_report"),
    ("report.filed", "file_report"),
    ("match.found", "match"),
    ("hit.confirmed", "confirm"),
    ("request.made", "make_request"),
    ("request.clarified", "clarify"),
    ("request.answered", "answer"),
    ("berlin.caught_up", "berlin_returns"),
    ("forward.refused", "forward_refused"),
    ("permission.granted", "ask_permission"),
    ("lisbon.joined", "lisbon_joins"),
    ("part.recalled", "recall"),
    ("ledgers.verified", "verify_ledgers"),
    ("receipt.proven", "prove_to_a_third_party"),
)


def run_step(name: str, act: Callable[[], str]) -> StepResult:
    """A step's outcome as a value: the demo goes on to say what else holds."""
    started = time.monotonic()
    try:
        detail, ok = act(), True
    except (DemoFailed, TansiqError, KeyError, ValueError, httpx.HTTPError) as exc:
        detail, ok = f"{type(exc).__name__}: {exc}", False
    return StepResult(name, ok, round((time.monotonic() - started) * 1000, 1), detail)
