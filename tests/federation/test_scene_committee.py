"""A directors' meeting in Madrid, and a year with its five recommendations. People and findings are invented."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from tansiq.dossiers.model import Window
from tansiq.kinds import KINDS, scorecard
from tansiq.kinds.committee import divergent
from tansiq.kinds.scorecard import Line
from tansiq.terms import EntryId, format_instant
from tests.support import acts
from tests.support.federation import BEGIN
from tests.support.scenes import FROM_MADRID, Scene, part
from tests.support.services import Federation

NAMES = ("rabat", "madrid", "berlin")
MEETING = BEGIN + timedelta(days=9)
MINUTES = {
    "ar": "محضر اجتماع المديرين بمدريد: خمس توصيات.",
    "es": "Acta de la reunión de directores en Madrid: cuatro recomendaciones.",
    "de": "Niederschrift des Treffens der Leiter in Madrid: fünf Empfehlungen.",
}
CORRECTED = "Acta de la reunión de directores en Madrid: cinco recomendaciones."


def on(month: int, day: int, year: int = 2027) -> datetime:
    return datetime(year, month, day, 8, 0, tzinfo=UTC)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def establish(f: Federation) -> Scene:
    body = {
        "subject": "Reunión de directores, Madrid",
        "facts": {"form": "directors_meeting", "meetings_a_year": 2, "languages": list(MINUTES), "chair": "host"},
        "legal": FROM_MADRID,
        "parts": [part("narrative", "Dos reuniones al año, por turno.", "es")],
    }
    return Scene.open(f, "madrid", "committee", body)


def meet(scene: Scene) -> EntryId:
    agenda = part("agenda", "1. Puertos 2. Estadios 3. Plazos", "es")
    called = scene.act(
        "madrid", "committee.meeting_called", agenda, due=format_instant(MEETING), country="ES", number=1
    )
    assert scene.due("madrid", "hold_meeting") == MEETING
    assert scene.who("hold_meeting") == {"madrid"}
    scene.act("rabat", "committee.agenda_proposed", part("agenda", "4. تبادل الخبرات", "ar"), about=called)
    written = {"meeting": called, "language": "es", "digest": digest(MINUTES["es"])}
    assert "was held" in scene.refused(
        "madrid", "committee.minutes_written", part("minutes", MINUTES["es"], "es"), **written
    )
    scene.at(MEETING)
    attendance = {scene.id("rabat"): 4, scene.id("madrid"): 6, scene.id("berlin"): 3}
    scene.act(
        "madrid",
        "committee.meeting_held",
        part("attendance", "13 participantes", "es"),
        about=called,
        attendance=attendance,
    )
    assert scene.who("hold_meeting") == set()
    assert scene.due("madrid", "write_minutes") == MEETING + timedelta(days=30)
    return called


def write_minutes(scene: Scene, meeting: EntryId, name: str, language: str, text: str) -> EntryId:
    facts = {"meeting": meeting, "language": language, "digest": digest(text)}
    return scene.act(name, "committee.minutes_written", part("minutes", text, language), **facts)


def agree_minutes(scene: Scene, meeting: EntryId) -> None:
    spanish = write_minutes(scene, meeting, "madrid", "es", MINUTES["es"])
    assert scene.who("write_minutes") == set()
    arabic = write_minutes(scene, meeting, "rabat", "ar", MINUTES["ar"])
    german = write_minutes(scene, meeting, "berlin", "de", MINUTES["de"])
    assert {n: len(d) for n, d in scene.owed("approve_minutes").items()} == {"rabat": 2, "madrid": 2, "berlin": 2}
    wrong = {"about": spanish, "digest": digest(MINUTES["de"])}
    assert "not the text" in scene.refused("berlin", "committee.minutes_approved", **wrong)
    for name, about, language in (
        ("madrid", arabic, "ar"),
        ("berlin", arabic, "ar"),
        ("rabat", german, "de"),
        ("madrid", german, "de"),
    ):
        scene.act(name, "committee.minutes_approved", about=about, digest=digest(MINUTES[language]))
    objection = part("note", "التوصيات خمس لا أربع", "ar")
    scene.act("rabat", "committee.minutes_contested", objection, about=spanish, digest=digest(MINUTES["es"]))
    assert divergent(scene.state("berlin").own) == {meeting: ("es",)}
    # Who wrote it owes a better one; Berlin has not answered the first and need not any more when the second comes.
    assert scene.who("write_minutes") == {"madrid"}
    assert scene.who("approve_minutes") == {"berlin"}
    scene.later(days=3)
    again = write_minutes(scene, meeting, "madrid", "es", CORRECTED)
    assert scene.who("write_minutes") == set()
    assert scene.who("approve_minutes") == {"rabat", "berlin"}
    assert all(d.entry == again for mine in scene.owed("approve_minutes").values() for d in mine)
    assert "superseded" in scene.refused(
        "berlin", "committee.minutes_approved", about=spanish, digest=digest(MINUTES["es"])
    )
    for name in ("rabat", "berlin"):
        scene.act(name, "committee.minutes_approved", about=again, digest=digest(CORRECTED))
    assert divergent(scene.state().own) == {}
    assert scene.who("") == set()


class Recommendations:
    """The five, by what becomes of them."""

    def __init__(self, scene: Scene, meeting: EntryId) -> None:
        self.scene = scene
        self.agreed_at = scene.now
        self.ports = self.advise("madrid", "ma", meeting, "Un registro común de matrículas")
        self.late = self.advise("rabat", "es", meeting, "جهة اتصال واحدة في كل ميناء")
        self.revised = self.advise("madrid", "de", meeting, "Plantillas comunes de solicitud", priority="high")
        self.grave = self.advise("berlin", "ma", meeting, "Fristen werden nicht gemessen", finding="serious_deficiency")
        self.own = self.advise("berlin", "de", meeting, "Wir schulen an den Vorlagen")

    def advise(self, name: str, owner: str, meeting: EntryId, text: str, **facts: str) -> EntryId:
        words = (part("recommendation", text), part("success", "measured in the next scorecard"))
        return self.scene.act(name, "committee.recommended", *words, owner=owner, meeting=meeting, **facts)

    def state(self, which: EntryId, seen_by: str = "berlin") -> str:
        return str(self.scene.state(seen_by).own.items[which].state)

    def owed(self, code: str, about: EntryId) -> dict[str, datetime | None]:
        found = self.scene.owed(code)
        return {name: d.due_at for name, mine in found.items() for d in mine if d.entry == about}

    def act(self, name: str, act: str, about: EntryId, *parts: dict[str, str], **facts: object) -> EntryId:
        return self.scene.act(name, f"committee.{act}", *parts, about=about, **facts)


def agree(r: Recommendations) -> None:
    scene = r.scene
    comments = r.agreed_at + timedelta(days=14)
    assert {n: len(d) for n, d in scene.owed("agree").items()} == {"rabat": 3, "madrid": 2, "berlin": 1}
    assert r.owed("agree", r.own) == {"rabat": comments, "madrid": comments}, "to its own, the others agree"
    assert "addressee" in scene.refused("madrid", "committee.recommendation_agreed", about=r.ports)
    assert "not while proposed" in scene.refused("rabat", "committee.plan_submitted", part("plan", "x"), about=r.ports)
    for name, which in (("rabat", r.ports), ("madrid", r.late), ("berlin", r.revised), ("rabat", r.grave)):
        r.act(name, "recommendation_agreed", which)
    r.act("madrid", "recommendation_contested", r.own, part("note", "Ya lo hacemos todos.", "es"))
    assert (r.state(r.own), r.owed("agree", r.own)) == ("contested", {})
    r.act("rabat", "recommendation_agreed", r.own)
    assert scene.who("agree") == set()
    two_months, one = on(2, 4), on(1, 4)
    for name, which in (("rabat", r.ports), ("madrid", r.late), ("berlin", r.revised), ("berlin", r.own)):
        assert r.owed("submit_plan", which) == {name: two_months}
    assert r.owed("submit_plan", r.grave) == {"rabat": one}
    assert r.owed("revisit", r.grave) == dict.fromkeys(("madrid", "berlin"), on(12, 4))


def plan(scene: Scene) -> dict[str, str]:
    return part("plan", f"Steps as of {scene.now.date()}")


def serious_track(r: Recommendations) -> None:
    scene = r.scene
    scene.at(on(12, 20, 2026))
    r.act("rabat", "plan_submitted", r.grave, plan(scene))
    assert r.owed("review_plan", r.grave) == dict.fromkeys(("madrid", "berlin"), on(1, 3))
    assert "not theirs" in scene.refused("rabat", "committee.plan_accepted", about=r.grave)
    scene.at(on(12, 22, 2026))
    r.act("berlin", "plan_rejected", r.grave, part("note", "Wer misst?", "de"))
    assert r.owed("submit_plan", r.grave) == {"rabat": on(1, 5)}
    scene.at(on(1, 4))
    r.act("rabat", "plan_submitted", r.grave, plan(scene))
    scene.at(on(1, 10))
    r.act("madrid", "plan_accepted", r.grave)
    assert r.owed("review_plan", r.grave) == {}
    assert r.owed("report_progress", r.grave) == {"rabat": on(7, 10)}


def ordinary_plans(r: Recommendations) -> None:
    scene = r.scene
    scene.at(on(1, 15))
    r.act("rabat", "plan_submitted", r.ports, plan(scene))
    r.act("berlin", "plan_submitted", r.revised, plan(scene))
    assert r.owed("review_plan", r.ports) == dict.fromkeys(("madrid", "berlin"), on(2, 15))
    scene.at(on(1, 20))
    r.act("madrid", "plan_accepted", r.ports)
    assert r.owed("report_progress", r.ports) == {"rabat": on(7, 20)}
    scene.at(on(1, 25))
    r.act("rabat", "plan_rejected", r.revised, part("note", "لا مواعيد فيها", "ar"))
    assert r.owed("submit_plan", r.revised) == {"berlin": on(2, 25)}
    scene.at(on(1, 31))
    r.act("berlin", "plan_submitted", r.own, plan(scene))
    assert set(r.owed("review_plan", r.own)) == {"rabat", "madrid"}
    assert "nothing is late" in scene.refused("rabat", "committee.silence_reported", about=r.late)


def silence_then_word(r: Recommendations) -> None:
    scene = r.scene
    assert scene.who("report_silence") == set()
    scene.at(on(2, 5))
    assert r.owed("submit_plan", r.late) == {"madrid": on(2, 4)}, "late, and still owed"
    assert r.owed("report_silence", r.late) == dict.fromkeys(("rabat", "berlin"), on(3, 4))
    assert "by another side" in scene.refused("madrid", "committee.silence_reported", about=r.late)
    r.act("rabat", "silence_reported", r.late, part("note", "رُفع إلى المدير", "ar"))
    assert "reported already" in scene.refused("rabat", "committee.silence_reported", about=r.late)
    assert set(r.owed("report_silence", r.late)) == {"berlin"}
    scene.at(on(2, 6))
    r.act("berlin", "silence_reported", r.late)
    assert r.owed("report_silence", r.late) == {}
    scene.at(on(2, 10))
    r.act("rabat", "recommendation_superseded", r.own, origin=r.revised)
    assert r.owed("review_plan", r.own) == {}
    scene.at(on(2, 20))
    r.act("berlin", "plan_submitted", r.revised, plan(scene))
    scene.at(on(3, 1))
    r.act("rabat", "plan_accepted", r.revised)
    scene.at(on(3, 5))
    r.act("madrid", "plan_submitted", r.late, plan(scene))
    assert scene.state().own.silences == {}
    scene.at(on(3, 10))
    r.act("berlin", "plan_accepted", r.late)
    assert scene.who("submit_plan") | scene.who("review_plan") | scene.who("report_silence") == set()
    assert r.owed("report_progress", r.revised) == {"berlin": on(9, 1)}
    assert r.owed("report_progress", r.late) == {"madrid": on(9, 10)}


def half_year(r: Recommendations) -> None:
    scene = r.scene
    for day, name, which, percent, due in (
        (on(7, 9), "rabat", r.grave, 40, on(1, 9, 2028)),
        (on(7, 19), "rabat", r.ports, 60, on(1, 19, 2028)),
        (on(8, 28), "berlin", r.revised, 90, on(2, 28, 2028)),
        (on(9, 9), "madrid", r.late, 30, on(3, 9, 2028)),
    ):
        scene.at(day)
        r.act(name, "progress_reported", which, part("evidence", "see the annex"), status="partly", percent=percent)
        assert r.owed("report_progress", which) == {name: due}
    assert "not theirs" in scene.refused("rabat", "committee.progress_reported", about=r.late, status="partly")


def closures(r: Recommendations) -> None:
    scene = r.scene
    scene.at(on(10, 1))
    claim = r.act("rabat", "implemented", r.ports, part("evidence", "السجل يعمل", "ar"))
    assert r.owed("report_progress", r.ports) == {}
    assert scene.who("sign_closure") == {"madrid", "berlin"}
    assert scene.due("berlin", "sign_closure") == on(11, 1)
    r.act("madrid", "closure_withheld", claim, part("note", "Faltan las matrículas de Ceuta.", "es"))
    assert (r.state(r.ports), scene.who("sign_closure")) == ("in_progress", set()), "nothing is left to sign of it"
    assert r.owed("report_progress", r.ports) == {"rabat": on(4, 1, 2028)}
    scene.at(on(10, 5))
    done = r.act("berlin", "implemented", r.revised, part("evidence", "Vorlagen im Einsatz", "de"))
    for name in ("rabat", "madrid"):
        assert r.state(r.revised) == "implemented"
        r.act(name, "closure_signed", done)
    scene.at(on(10, 20))
    again = r.act("rabat", "implemented", r.ports, part("evidence", "أضيفت اللوحات", "ar"))
    for name in ("berlin", "madrid"):
        r.act(name, "closure_signed", again)
    assert {which: r.state(which) for which in (r.ports, r.revised)} == {r.ports: "closed", r.revised: "closed"}
    assert scene.who("sign_closure") == set()
    scene.at(on(11, 10))
    assert "another side comes" in scene.refused("rabat", "committee.visited", about=r.grave, status="partly")
    r.act("madrid", "visited", r.grave, part("narrative", "Se mide desde marzo.", "es"), status="partly")
    assert scene.who("revisit") == set()
    assert {n: {d.code for d in mine} for n, mine in scene.owed("").items()} == {
        "rabat": {"committee.report_progress"},
        "madrid": {"committee.report_progress"},
    }


def other_work(f: Federation) -> None:
    """What the two services did besides: a report, and a request answered within its clock."""
    f.nodes["rabat"].dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    asked = f.nodes["madrid"].dossiers.open("request", acts.request(), ["ma"], f.officers["madrid+second"])
    f.pump()
    f.clock.pass_time(timedelta(hours=3))
    answer = {"type": "request.answered", "facts": {}, "parts": [part("answer", "voici", "fr")]}
    f.nodes["rabat"].dossiers.append(asked, answer, f.officers["rabat"])
    f.pump()


def figures(scene: Scene, me: str, other: str) -> dict[str, int]:
    """From all that this side holds, and from nothing else."""
    node = scene.node(me)
    states = [node.dossiers.state(row.id) for row in node.dossiers.rows()]
    return scorecard.count(states, KINDS, Window(node.node_id, scene.id(other), BEGIN, on(11, 22)))


def give(scene: Scene, me: str, other: str) -> EntryId:
    window = {"window_from": format_instant(BEGIN), "window_until": format_instant(on(11, 22))}
    told = figures(scene, me, other)
    return scene.act(me, "committee.scorecard_given", member=scene.node(other).country, figures=told, **window)


def beside(scene: Scene, me: str, other: str) -> dict[str, Line]:
    """Our own figures beside those that the other signed."""
    given = scene.state(me).own.scorecards[(scene.id(other), scene.id(me))]
    theirs = scene.state(me).entry(given).statement.facts["figures"]
    mine = scene.state(me).own.scorecards[(scene.id(me), scene.id(other))]
    return {x.name: x for x in scorecard.beside(scene.state(me).entry(mine).statement.facts["figures"], theirs)}


def scorecards(r: Recommendations) -> None:
    scene = r.scene
    scene.f.away.add("madrid")
    r.act("rabat", "progress_reported", r.grave, part("evidence", "قياس شهري", "ar"), status="partly", percent=70)
    scene.at(on(11, 22))
    for me, other in (("rabat", "madrid"), ("madrid", "rabat"), ("rabat", "berlin"), ("berlin", "rabat")):
        give(scene, me, other)
    scene.f.away.clear()
    scene.f.pump()
    lines = beside(scene, "madrid", "rabat")
    assert {n: (x.ours, x.theirs) for n, x in lines.items() if x.differs} == {
        "messages.in": (lines["messages.in"].ours, lines["messages.in"].ours + 1),
        "messages.in.structured_share": (
            lines["messages.in.structured_share"].ours,
            lines["messages.in.structured_share"].theirs,
        ),
    }
    assert not [x.name for x in beside(scene, "rabat", "berlin").values() if x.differs]
    expected = {
        "recommendations.in": 2,
        "recommendations.in.closed": 1,
        "recommendations.in.in_progress": 1,
        "recommendations.in.closed_share": 500,
        "recommendations.out": 1,
        "recommendations.out.closed_share": 0,
        "requests.out": 1,
        "requests.out.answered_in_time_share": 1000,
        "meetings.held": 1,
    }
    assert {name: lines[name].ours for name in expected} == expected
    assert {name: lines[name].theirs for name in expected} == expected
    # Madrid counts again, now that it has what it missed.
    give(scene, "madrid", "rabat")
    assert not [x.name for x in beside(scene, "rabat", "madrid").values() if x.differs]


def test_a_directors_meeting_and_its_year(federation: Federation) -> None:
    f = federation
    scene = establish(f)
    meeting = meet(scene)
    agree_minutes(scene, meeting)
    r = Recommendations(scene, meeting)
    agree(r)
    serious_track(r)
    ordinary_plans(r)
    silence_then_word(r)
    half_year(r)
    closures(r)
    other_work(f)
    scorecards(r)
    scene.holds()
