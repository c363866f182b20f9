"""One story of each newer kind, played to a point where its page has much to show. Invented people and places only."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any

from tansiq.kinds.assessment import commit_body, reveal_body
from tansiq.kinds.major_event import CHECKLIST
from tansiq.terms import format_instant
from tests.support.scenes import FROM_MADRID, LEGAL, Scene, part
from tests.support.services import Federation

SALTS = {"rabat": "11" * 32, "madrid": "22" * 32, "berlin": "33" * 32}
JUDGED: dict[str, dict[str, Any]] = {
    "rabat": {
        "likelihood": {"H1": "unlikely", "H2": "likely", "H3": "very_unlikely"},
        "percent": {"H1": 25, "H2": 65, "H3": 10},
        "confidence": "moderate",
        "cells": {
            "E1": {"H1": "I", "H2": "CC", "H3": "I"},
            "E2": {"H1": "C", "H2": "C", "H3": "II"},
            "E3": {"H1": "II", "H2": "C", "H3": "N"},
            "E4": {"H1": "C", "H2": "C", "H3": "C"},
        },
    },
    "madrid": {
        "likelihood": {"H1": "unlikely", "H2": "likely", "H3": "very_unlikely"},
        "percent": {"H1": 20, "H2": 70, "H3": 10},
        "confidence": "low",
        "cells": {
            "E1": {"H1": "I", "H2": "C", "H3": "I"},
            "E2": {"H1": "N", "H2": "CC", "H3": "II"},
            "E3": {"H1": "N", "H2": "N", "H3": "N"},
        },
    },
    # E2 is withheld from Berlin: it judges without it.
    "berlin": {
        "likelihood": {"H1": "likely", "H2": "unlikely", "H3": "very_unlikely"},
        "percent": {"H1": 60, "H2": 30, "H3": 10},
        "confidence": "low",
        "cells": {"E1": {"H1": "C", "H2": "N", "H3": "I"}, "E3": {"H1": "C", "H2": "I", "H3": "N"}},
    },
}
JOINT = {
    "likelihood": {"H1": "unlikely", "H2": "likely", "H3": "very_unlikely"},
    "percent": {"H1": 25, "H2": 65, "H3": 10},
    "confidence": "low",
}


def assessment_framed(f: Federation) -> Scene:
    """Asked by Rabat; hypotheses and evidence are gathered, one item withheld from Berlin."""
    facts = {
        "form": "region",
        "regions": ["sahel"],
        "crime_areas": ["terrorism"],
        "due": format_instant(f.clock() + timedelta(days=14)),
        "horizon_until": format_instant(f.clock() + timedelta(days=180)),
    }
    question = part("question", "La ligne de front se déplacera-t-elle vers la côte d'ici six mois ?", "fr")
    body = {"subject": "Sahel : où va la menace", "facts": facts, "legal": LEGAL, "parts": [question]}
    scene = Scene.open(f, "rabat", "assessment", body)
    for name, label, text, lang in (
        ("rabat", "H1", "Les groupes restent où ils sont.", "fr"),
        ("madrid", "H2", "Los grupos bajan hacia la costa.", "es"),
        ("berlin", "H3", "Die Gruppen zerfallen.", "de"),
    ):
        scene.act(name, "assessment.hypothesis_proposed", part("hypothesis", text, lang), label=label)
    convoys = part("evidence", "قوافل جديدة نحو الجنوب", "ar")
    scene.act("rabat", "assessment.evidence_added", convoys, label="E1", grade="B2")
    secret = part("evidence", "Una fuente cercana habla de nuevos depósitos.", "es", withhold_from=["de"])
    scene.act("madrid", "assessment.evidence_added", secret, label="E2", grade="B3", scheme="6x6")
    silence = part("note", "Seit Monaten keine Anschläge im Norden.", "de")
    scene.act("berlin", "assessment.evidence_added", silence, label="E3", form="absence", grade="B2")
    assumed = part("note", "The rains come as in other years.")
    scene.act("berlin", "assessment.evidence_added", assumed, label="E4", form="assumption")
    return scene


def assessment_judging(f: Federation) -> Scene:
    """Rabat and Madrid have committed; Berlin has not, and little of its time is left."""
    scene = assessment_framed(f)
    scene.act("rabat", "assessment.judging_opened")
    for name in ("rabat", "madrid"):
        scene.write(name, commit_body(scene.state(name), scene.id(name), JUDGED[name], SALTS[name]))
    scene.later(days=11)
    return scene


def assessment(f: Federation) -> Scene:
    """All have revealed; Berlin dissents from the joint judgement; indicators are watched, one of them late."""
    scene = assessment_judging(f)
    scene.write("berlin", commit_body(scene.state("berlin"), scene.id("berlin"), JUDGED["berlin"], SALTS["berlin"]))
    for name in ("rabat", "madrid", "berlin"):
        scene.write(name, reveal_body(scene.state(name), scene.id(name)))
    proposed = scene.act("rabat", "assessment.joint_proposed", part("judgement", "De préférence H2.", "fr"), **JOINT)
    scene.act("madrid", "assessment.joint_agreed", about=proposed)
    reasons = part("dissent", "Die Vorräte sprechen dagegen: die Gruppen bleiben im Norden.", "de")
    scene.act("berlin", "assessment.joint_dissented", reasons, about=proposed)
    scene.act("berlin", "assessment.national_level_told", level=3, steps=5)
    watch = part("indicator", "عدد القوافل في الشهر", "ar")
    checked = scene.act(
        "rabat", "assessment.indicator_set", watch, owner=scene.id("rabat"), every_days=7, hypothesis="H2"
    )
    scene.act("rabat", "assessment.indicator_checked", about=checked, reading="watch")
    fuel = part("indicator", "Precio del combustible en los mercados del norte.", "es")
    scene.act("madrid", "assessment.indicator_set", fuel, owner=scene.id("madrid"), every_days=3)
    scene.later(days=5)
    return scene


def assessment_known(f: Federation) -> Scene:
    """Half a year later it is known that H2 came true."""
    scene = assessment(f)
    scene.later(days=180)
    scene.act("rabat", "assessment.outcome_recorded", hypothesis="H2")
    return scene


def _recommend(scene: Scene, by: str, owner: str, text: str, lang: str, **facts: Any) -> Any:
    words = (part("recommendation", text, lang), part("success", "measured in the next scorecard"))
    return scene.act(by, "committee.recommended", *words, owner=scene.id(owner), **facts)


def committee_founded(f: Federation) -> Scene:
    """Just established: no meeting, no recommendation."""
    facts = {"form": "joint_committee", "languages": ["ar", "es", "de"], "meetings_a_year": 2, "chair": "rotating"}
    return Scene.open(f, "rabat", "committee", {"subject": "لجنة المضيق", "facts": facts, "legal": LEGAL})


def committee(f: Federation) -> Scene:
    """Five recommendations at five stages, one of them late and silent; minutes that diverge; a meeting called."""
    scene = committee_founded(f)
    agenda = part("agenda", "1. Puertos 2. Estadios 3. Plazos", "es")
    begins = format_instant(scene.now + timedelta(days=2))
    met = scene.act("madrid", "committee.meeting_called", agenda, due=begins, owner=scene.id("madrid"), country="ES")
    scene.later(days=2, hours=3)
    there = {scene.id("rabat"): 4, scene.id("madrid"): 6, scene.id("berlin"): 3}
    scene.act("madrid", "committee.meeting_held", about=met, attendance=there)
    digests = {}
    for lang, text in (("es", "Se acordaron cinco recomendaciones."), ("ar", "اتُّفق على خمس توصيات.")):
        digests[lang] = sha256(text.encode()).hexdigest()
        facts = {"meeting": met, "language": lang, "digest": digests[lang]}
        version = scene.act("madrid", "committee.minutes_written", part("minutes", text, lang), **facts)
        scene.act("rabat", "committee.minutes_approved", about=version, digest=digests[lang])
        if lang == "es":
            scene.act("berlin", "committee.minutes_approved", about=version, digest=digests[lang])
    until = format_instant(scene.now + timedelta(days=150))
    ports = _recommend(scene, "madrid", "rabat", "فحص الحاويات في الميناءين بالطريقة نفسها", "ar", until=until)
    plates = _recommend(
        scene, "rabat", "madrid", "Leer las matrículas en los dos puertos y comparar las listas cada mes.", "es"
    )
    grave = _recommend(
        scene, "rabat", "berlin", "Fristen der Ersuchen einhalten", "de", finding="serious_deficiency", priority="high"
    )
    training = _recommend(
        scene, "berlin", "madrid", "Cursos comunes de nombres y escrituras", "es", finding="best_practice"
    )
    for owner, which in (("rabat", ports), ("madrid", plates), ("berlin", grave), ("madrid", training)):
        scene.act(owner, "committee.recommendation_agreed", about=which)
    for owner, which, other in (
        ("rabat", ports, "madrid"),
        ("madrid", training, "berlin"),
        ("madrid", plates, "rabat"),
    ):
        scene.act(owner, "committee.plan_submitted", part("plan", "1. مسؤول 2. آجال 3. مؤشر", "ar"), about=which)
        scene.act(other, "committee.plan_accepted", about=which)
    scene.later(days=40)
    evidence = part("evidence", "Protocolo firmado por los dos puertos.", "es")
    scene.act("madrid", "committee.progress_reported", evidence, about=plates, status="partly", percent=60)
    given = part("evidence", "Tres cursos dados.", "es")
    claim = scene.act("madrid", "committee.implemented", given, about=training)
    scene.act("rabat", "committee.closure_signed", about=claim)
    scene.act("madrid", "committee.silence_reported", about=grave)
    _recommend(scene, "madrid", "rabat", "نقطة اتصال ليلية", "ar", priority="low")
    begins = format_instant(scene.now + timedelta(days=30))
    scene.act("rabat", "committee.meeting_called", part("agenda", "المتابعة والأرقام", "ar"), due=begins, country="MA")
    return scene


def operation_unsigned(f: Federation) -> Scene:
    """Proposed by Madrid; Rabat has not signed."""
    begins = f.clock() + timedelta(days=1)
    facts = {
        "form": "joint_operation",
        "window_from": format_instant(begins),
        "window_until": format_instant(begins + timedelta(days=30)),
        "crime_areas": ["drug_trafficking"],
        "states": ["ES", "MA"],
    }
    parts = [
        part("objective", "Las lanchas del Estrecho: quién las guarda y quién las paga.", "es"),
        part("leaders", "Una dirección en cada orilla.", "es"),
        part("data_rules", "Lo recibido se borra seis meses después del final.", "es"),
    ]
    body = {"subject": "Operación Levante", "facts": facts, "legal": FROM_MADRID, "parts": parts}
    return Scene.open(f, "madrid", "operation", body, to=("ma",))


def operation(f: Federation) -> Scene:
    """Under way: tasks done and late, a log, a controlled delivery, an exhibit, results agreed and disputed."""
    scene = operation_unsigned(f)
    scene.act("rabat", "operation.signed", about=scene.state().own.proposal)
    scene.later(days=2)
    tomorrow = format_instant(scene.now + timedelta(days=1))
    scene.act(
        "madrid", "operation.task_given", part("task", "مراقبة المستودعين في الميناء", "ar"), owner=scene.id("rabat"),
        due=tomorrow,
    )  # fmt: skip
    owners = part("task", "Titulares de las cuatro lanchas.", "es")
    found = scene.act("rabat", "operation.task_given", owners, owner=scene.id("madrid"), due=tomorrow)
    scene.act("madrid", "operation.task_done", part("narrative", "Un solo titular.", "es"), about=found)
    late = part("task", "Lista de pagos en efectivo de marzo.", "es")
    scene.act("madrid", "operation.task_given", late, owner=scene.id("madrid"), due=tomorrow)
    scene.act("rabat", "operation.situation_reported", part("situation", "حركة قرب الرصيف الثالث", "ar"), number=1)
    source = part("situation", "Dos naves vigiladas, una fuente propia.", "es", withhold_from=["ma"])
    scene.act("madrid", "operation.situation_reported", source, number=1)
    scene.act("madrid", "operation.decision_taken", part("decision", "Registro el jueves.", "es"), number=1)
    route = (
        part("goods", "40 kg en doble fondo.", "es"),
        part("route", "Tánger, Algeciras.", "es"),
        part("abort_criteria", "Pérdida de vista durante diez minutos.", "es"),
    )
    due = format_instant(scene.now + timedelta(hours=8))
    scene.act("madrid", "operation.measure_requested", *route, measure="controlled_delivery", due=due)
    phone = scene.act("madrid", "operation.exhibit_logged", part("exhibit", "Teléfono gris.", "es"), form="object")
    scene.act("madrid", "operation.exhibit_touched", about=phone, how="copied")
    good = scene.act("madrid", "operation.result_recorded", arrests=2, seizures=11, drugs_grams=40_000)
    scene.act("rabat", "operation.result_agreed", about=good)
    more = scene.act("rabat", "operation.result_recorded", arrests=1, victims_freed=3)
    scene.act("madrid", "operation.result_disputed", part("note", "Fueron dos.", "es"), about=more)
    scene.later(days=2)
    return scene


def operation_closed(f: Federation) -> Scene:
    """Closed, evaluated by Madrid alone; the day of erasure lies ahead."""
    scene = operation(f)
    ends = format_instant(scene.now + timedelta(days=30))
    end = scene.act("madrid", "operation.closed", due=ends, outcome="partly_reached")
    scene.act("madrid", "operation.evaluated", part("evaluation", "Again at any time."), about=end, worth=4)
    return scene


def major_event_opened(f: Federation) -> Scene:
    """A cup in Tangier: opened, and nothing fixed yet."""
    begins, ends = f.clock() + timedelta(days=20), f.clock() + timedelta(days=26)
    erase = (ends + timedelta(days=300)).date().isoformat()
    facts = {
        "form": "tournament",
        "window_from": format_instant(begins),
        "window_until": format_instant(ends),
        "hosts": ["ma"],
    }
    legal = {**LEGAL, "purpose": "public_security", "review_on": erase, "erase_on": erase}
    body = {"facts": facts, "legal": legal, "subject": "كأس المضيق بطنجة"}
    return Scene.open(f, "rabat", "major_event", body)


def major_event(f: Federation) -> Scene:
    """The day of the first match: risk seen differently, a team dossier late, a question late, a crowded venue."""
    scene = major_event_opened(f)
    kickoff = scene.now + timedelta(days=21)
    four = {"entry": 61000, "holding": 65000, "exit": 58000, "emergency": 70000}
    ground_ = part("venue", "الملعب الكبير بطنجة", "ar")
    until = format_instant(scene.now + timedelta(days=10))
    venue = scene.act(
        "rabat", "major_event.venue_described", ground_, owner=scene.id("rabat"), certificate_until=until, **four
    )
    port = part("venue", "ميناء طنجة المدينة", "ar")
    scene.act("rabat", "major_event.site_described", port, form="port", expected=4000)
    facts = {"host": scene.id("rabat"), "venue": venue, "expected": 62000}
    first = scene.act(
        "rabat", "major_event.match_fixed", home="ESP", away="GER", kickoff=format_instant(kickoff),
        visitors=[scene.id("madrid"), scene.id("berlin")], **facts,
    )  # fmt: skip
    later = format_instant(kickoff + timedelta(days=3))
    scene.act(
        "rabat", "major_event.match_fixed", home="MAR", away="ESP", kickoff=later, host=scene.id("rabat"),
        visitors=[scene.id("madrid")], expected=50000,
    )  # fmt: skip
    codes = ("safety.capacity", "safety.certificate", "safety.inspection", "security.stewards", "service.signs")
    for n, code in enumerate(c for c in codes if c in CHECKLIST):
        due = format_instant(scene.now + timedelta(days=5 + 10 * (n % 2)))
        line = scene.act("rabat", "major_event.measure_set", venue=venue, code=code, owner=scene.id("rabat"), due=due)
        if n == 0:
            scene.act("rabat", "major_event.measure_done", about=line)
    fans = part("followers", "Sesenta conocidos; el resto, familias.", "es")
    scene.act("madrid", "major_event.team_dossier_sent", fans, about=first, risk=60, non_risk=2500, tickets_sold=2400)
    for name, height in (("rabat", 2), ("madrid", 3)):
        why = part("reasons", "Rivalry, ferry, tickets.")
        scene.act(name, "major_event.risk_assessed", why, match=first, level=height)
    scene.act("madrid", "major_event.delegation_declared", owner=scene.id("rabat"), spotters=6, liaison=2, uniform=True)
    asked = scene.act("berlin", "major_event.delegation_declared", owner=scene.id("rabat"), spotters=2)
    scene.act("rabat", "major_event.delegation_conditioned", part("conditions", "مرافَقون دائمًا.", "ar"), about=asked)
    scene.at(kickoff - timedelta(hours=5))
    scene.act("rabat", "major_event.shift_opened", desk="situation", until=format_instant(kickoff), people=12)
    ferry = part("narrative", "El ferry de las dos llega con 300 seguidores.", "es")
    scene.act("madrid", "major_event.logged", ferry, match=first)
    calm = part("situation", "هدوء في الميناء.", "ar")
    scene.act("rabat", "major_event.situation_reported", calm, number=1, match=first, present=9000)
    coach = part("question", "لمن هذه الحافلة؟", "ar")
    due = format_instant(scene.now + timedelta(minutes=30))
    scene.act("rabat", "major_event.information_asked", coach, owner=scene.id("berlin"), due=due, match=first)
    smoke = part("narrative", "شهب في المدرج الشمالي.", "ar")
    scene.act("rabat", "major_event.incident_reported", smoke, form="pyrotechnics", severity=2, match=first, injured=1)
    scene.later(minutes=40)
    return scene


def major_event_played(f: Federation) -> Scene:
    """Two weeks after the first match: Madrid has reported, the others have not; a lesson is drawn."""
    scene = major_event(f)
    first = scene.state().own.sort("match")[0].key
    scene.later(days=14)
    found = {"attendance": 57000, "incidents": 1, "arrests": 2, "cooperation": 4}
    scene.act("madrid", "major_event.post_match_reported", part("narrative", "En calma.", "es"), about=first, **found)
    scene.act("madrid", "major_event.lesson_drawn", part("lesson", "Una sola lista de autocares.", "es"), match=first)
    return scene


def warning_unknown(f: Federation) -> Scene:
    """A routine warning without a window or a place."""
    told = [part("threat", "Un appel anonyme, sans date.", "fr")]
    facts = {"precedence": "routine", "crime_areas": ["terrorism"]}
    return Scene.open(f, "rabat", "warning", {"facts": facts, "legal": LEGAL, "parts": told})


def warning(f: Federation) -> Scene:
    """Updated once; Madrid has read the update and acts, Berlin has not and is late; the window opens soon."""
    window = {
        "window_from": format_instant(f.clock() + timedelta(hours=6)),
        "window_until": format_instant(f.clock() + timedelta(hours=12)),
    }
    facts = {"precedence": "immediate", "crime_areas": ["terrorism"], "grade": "B2", "target": "crowd", "country": "ES"}
    parts = [
        part("threat", "تهديد لحشد في محطة القطار مساء الأحد", "ar"),
        part("place", "Estación del puerto, vestíbulo.", "es", withhold_from=["de"]),
    ]
    scene = Scene.open(f, "rabat", "warning", {"facts": {**facts, **window}, "legal": LEGAL, "parts": parts})
    scene.later(minutes=20)
    scene.act("madrid", "warning.acknowledged", about=scene.state().own.newest)
    scene.later(minutes=10)
    change = {**window, "window_from": format_instant(scene.now + timedelta(hours=4)), "precedence": "flash"}
    newest = scene.act("rabat", "warning.updated", part("note", "أقرب مما ظُن.", "ar"), **change)
    scene.later(minutes=15)
    scene.act("madrid", "warning.acknowledged", about=newest)
    patrols = part("measure", "Dos patrullas en el vestíbulo.", "es")
    scene.act("madrid", "warning.measure_taken", patrols, measure="patrol", state="running")
    scene.later(minutes=40)
    return scene


def warning_over(f: Federation) -> Scene:
    """Stood down when its window had passed; Madrid tells what came of it, Berlin has not; the outcome is known."""
    scene = warning(f)
    scene.later(days=1)
    down = scene.act("rabat", "warning.stood_down", reason="window_passed")
    scene.act("madrid", "warning.feedback_given", about=down, outcome="prevented", used=True)
    scene.act("rabat", "warning.outcome_recorded", outcome="prevented")
    return scene


def expertise_offered(f: Federation) -> Scene:
    """An offer of twelve places that nobody has taken up."""
    facts = {
        "stance": "offer",
        "form": "training",
        "topics": ["names_and_identity", "languages"],
        "languages": ["ar", "fr"],
        "places": 12,
    }
    told = [part("narrative", "أسبوع في الأكاديمية حول الأسماء وكتاباتها", "ar")]
    return Scene.open(f, "rabat", "expertise", {"facts": facts, "legal": LEGAL, "parts": told})


def expertise(f: Federation) -> Scene:
    """Madrid used it and tells what changed; Berlin's week was held, and its effect is late."""
    scene = expertise_offered(f)
    wanted = part("narrative", "Cinco analistas de Málaga.", "es")
    madrid = scene.act("madrid", "expertise.taken_up", wanted, people=5, language="fr")
    berlin = scene.act("berlin", "expertise.taken_up", people=3, language="fr")
    for use, days in ((madrid, 20), (berlin, 21)):
        scene.act("rabat", "expertise.agreed", about=use, due=format_instant(scene.now + timedelta(days=days)))
    scene.later(days=25)
    for use, people in ((madrid, 5), (berlin, 3)):
        scene.act("rabat", "expertise.held", about=use, people=people)
    scene.act("madrid", "expertise.effect_told", about=madrid, effect="procedure_changed", useful="yes")
    scene.act("rabat", "expertise.material_added", part("material", "دليل التمارين", "ar"))
    scene.later(days=190)
    return scene
