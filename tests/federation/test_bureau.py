"""Search, standing queries, links and templates on whole nodes; on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from tansiq.bureau import fill
from tansiq.demo import people
from tansiq.dossiers import records
from tansiq.errors import Conflict, Invalid, NotFound, Refused
from tansiq.terms import DossierId, LogVerb
from tests.support import acts
from tests.support.services import Federation


def open_report(f: Federation, subject: str = "", to: tuple[str, ...] = ("es",), **more: object) -> DossierId:
    body = acts.report() | more
    if subject:
        body["subject"] = subject
    made = f.nodes["rabat"].dossiers.open("report", body, list(to), f.officers["rabat"])
    f.pump()
    return made


def narrative(said: str) -> dict[str, object]:
    return acts.note("dossier.feedback", said)


# --- search ---


@pytest.mark.parametrize("words", ["صندوق الفواكه", "SUBJECT فواكه", "0661 23 45 67"])
def test_words_are_found_in_subject_and_texts(federation: Federation, words: str) -> None:
    f = federation
    dossier = open_report(f, "Subject: صندوق الفواكه, call +212 661-23-45-67")
    other = open_report(f, "another thing")
    found = f.nodes["madrid"].bureau.search(words, 10, f.officers["madrid"])
    assert {x.dossier for x in found} == {dossier}
    assert other not in {x.dossier for x in found}
    assert found[0].kind == "subject"
    assert "الفواكه" in found[0].snippet
    (leaf,) = f.nodes["madrid"].ledger.find("dossiers.search")
    assert leaf.verb is LogVerb.CONSULT
    assert leaf.content is not None
    assert leaf.content["purpose"] == "investigation"
    assert "فواكه" not in str(leaf.content)


@pytest.mark.parametrize("words", ["حموشي", "Hammouchi", "HAMOUCHI"])
def test_a_name_is_found_across_scripts(federation: Federation, words: str) -> None:
    f = federation
    written = open_report(f, "Meeting of الحموشي at the port")
    latin = open_report(f, "Hamouchi was seen")
    found = f.nodes["madrid"].bureau.search(words, 10, f.officers["madrid"])
    assert {x.dossier for x in found} == {written, latin}


def test_what_was_erased_or_withheld_is_not_found(federation: Federation) -> None:
    f = federation
    rabat, madrid, berlin = (f.nodes[n] for n in ("rabat", "madrid", "berlin"))
    dossier = open_report(f, "zanzibar", ("es", "de"))
    note = acts.note("dossier.feedback", "x")
    entry = madrid.dossiers.append(
        dossier,
        note
        | {
            "facts": {"about": rabat.dossiers.state(dossier).entries[0].id, "outcome": "used"},
            "parts": [{"kind": "note", "text": "krakatoa", "withhold_from": [berlin.node_id]}],
        },
        f.officers["madrid"],
    )
    f.pump()
    for node, name, times in ((rabat, "rabat", 1), (berlin, "berlin", 0)):
        assert len(node.bureau.search("krakatoa", 5, f.officers[name])) == times
    (part,) = madrid.dossiers.entry(entry).parts
    recall = {"type": "dossier.recalled", "facts": {"about": entry, "part": part.ref.id, "reason": "inaccurate"}}
    madrid.dossiers.append(dossier, recall, f.officers["madrid"])
    f.pump()
    assert rabat.bureau.search("krakatoa", 5, f.officers["rabat"]) == []
    assert len(rabat.bureau.search("zanzibar", 5, f.officers["rabat"])) == 1


def test_no_word_of_a_dossier_lies_in_the_database(federation: Federation) -> None:
    f = federation
    open_report(f, "zanzibar krakatoa")
    madrid = f.nodes["madrid"]
    by = f.officers["madrid"]
    madrid.bureau.search("zanzibar", 5, by)
    madrid.bureau.watch("words", "krakatoa", "2026-12-31", by)
    madrid.bureau.templates.save("krakatoa", "report", {"subject": "zanzibar"})
    with madrid.store.read() as tx:
        tables = [t for t in ("bureau_watches", "bureau_templates", "bureau_notices", "bureau_links", "dossier_parts")]
        rows = "".join(repr(tuple(r)) for t in tables for r in tx.execute(text(f"select * from {t}")))
    assert "zanzibar" not in rows
    assert "krakatoa" not in rows


def test_search_needs_a_role_and_a_purpose_and_a_refusal_is_logged(federation: Federation) -> None:
    f = federation
    open_report(f, "zanzibar")
    madrid = f.nodes["madrid"]
    for by in (replace(f.officers["madrid"], roles=frozenset()), replace(f.officers["madrid"], purpose="")):
        by = replace(by, justification="")
        with pytest.raises(Refused):
            madrid.bureau.search("zanzibar", 5, by)
    said = [leaf.content["decision"] for leaf in madrid.ledger.find("dossiers.search") if leaf.content]
    assert said == ["refusal", "refusal"]


def test_under_an_unread_restriction_only_the_dossier_is_named(federation: Federation) -> None:
    f = federation
    madrid, by = f.nodes["madrid"], f.officers["madrid"]
    dossier = open_report(f, "zanzibar", handling={"codes": ["H3"], "text": "for the special unit only"})
    (found,) = madrid.bureau.search("zanzibar", 5, by)
    assert (found.dossier, found.unread, found.snippet) == (dossier, True, "")
    madrid.acknowledge_h3(dossier, by)
    (found,) = madrid.bureau.search("zanzibar", 5, by)
    assert (found.unread, found.snippet) == (False, "zanzibar")


def test_it_follows_what_another_process_writes(federation: Federation) -> None:
    f = federation
    madrid, by = f.nodes["madrid"], f.officers["madrid"]
    assert madrid.bureau.search("zanzibar", 5, by) == []
    f.restart("madrid")
    open_report(f, "zanzibar")
    madrid = f.nodes["madrid"]
    assert len(madrid.bureau.search("zanzibar", 5, by)) == 1
    assert madrid.bureau.words.refresh() == 0


def test_two_changes_of_one_instant_that_leave_as_many_parts_are_both_seen(federation: Federation) -> None:
    """One part comes (it had been withheld) and one goes, while the clock stands: as many are held as before."""
    f = federation
    dossier = open_report(f, "zanzibar", parts=[{"kind": "narrative", "lang": "en", "text": "krakatoa"}])
    madrid, by = f.nodes["madrid"], f.officers["madrid"]
    with madrid.store.read() as tx:
        parts = {r.kind: r for r in tx.execute(text("select * from dossier_parts"))}
    late, gone = parts["narrative"], parts["subject"]
    hide = text("update dossier_parts set presence = 'withheld', sealed = null where id = :id")
    madrid.store.write(lambda tx: tx.execute(hide, {"id": late.id}))
    (found,) = madrid.bureau.search("zanzibar", 5, by)
    assert madrid.bureau.search("krakatoa", 5, by) == []
    ((_, at, before),) = madrid.dossiers.changed_since("", "", 5)

    def both(tx):
        assert records.erase_part(tx, gone.entry, gone.id)
        assert records.hold_part(tx, late.entry, late.id, late.sealed)

    madrid.store.write(both)
    ((_, again, after),) = madrid.dossiers.changed_since("", "", 5)
    assert (again, after != before) == (at, True)
    assert [x.dossier for x in madrid.bureau.search("krakatoa", 5, by)] == [dossier]
    assert madrid.bureau.search("zanzibar", 5, by) == []
    assert madrid.bureau.words.refresh() == 0, "and then nothing more"
    assert found.dossier == dossier


def test_words_of_an_erased_value_are_found_no_more_by_another_process(federation: Federation) -> None:
    f = federation
    value = {"property": "phone", "value": "+212661234567", "basis": "fact", "grade": "B2", "erase_on": "2026-12-01"}
    name = {"property": "name", "value": "Torben Westerhagen", "basis": "fact", "grade": "B2"}
    entity = {"id": "p1", "schema": "Person", "role": "SUSP", "claims": [name, value]}
    dossier = open_report(f, "a thing", parts=[{"kind": "entity", "entity": entity}])
    madrid = f.nodes["madrid"]
    beside = madrid.bureau.words.__class__(madrid.dossiers.changed_since, madrid.dossiers.contents)
    assert [p.dossier for p in beside.find("+212661234567", 5)] == [dossier]
    f.clock.pass_time(timedelta(days=30))
    madrid.sweep()
    for words in (madrid.bureau.words, beside):
        assert words.find("+212661234567", 5) == []
        assert [p.dossier for p in words.find("Westerhagen", 5)] == [dossier]


def test_nothing_to_look_for_is_said(federation: Federation) -> None:
    f = federation
    for words in ("", "x", "!!", "y" * 201):
        with pytest.raises(Invalid) as refused:
            f.nodes["madrid"].bureau.search(words, 5, f.officers["madrid"])
        assert refused.value.field == "words"


# --- standing queries ---


def person(name: str) -> dict[str, object]:
    claims = [{"property": "name", "value": name}, {"property": "birthDate", "value": "1981-04-03"}]
    return {"id": "p1", "schema": "Person", "role": people.MADRID_HOLDINGS[0]["role"], "claims": claims}


@pytest.mark.parametrize(
    ("kind", "asked"),
    [("name", people.MADRID_HOLDINGS[0]["claims"][0]["value"]), ("words", "zanzibar"), ("number", "0661234567")],
)
def test_what_arrives_is_told_to_the_officer_who_asked(federation: Federation, kind: str, asked: str) -> None:
    f = federation
    madrid, by = f.nodes["madrid"], f.officers["madrid"]
    watch = madrid.bureau.watch(kind, asked, "2026-12-31", by)
    dossier = open_report(f, "zanzibar +212 661 23 45 67")
    found = madrid.bureau.notices(by)
    assert {(n.watch, n.dossier, n.officer) for n in found} == {(watch.id, dossier, by.officer)}
    assert all(n.what for n in found)
    f.restart("madrid")
    madrid = f.nodes["madrid"]
    f.pump()
    assert len(madrid.bureau.notices(by)) == len(found)
    for notice in found:
        madrid.bureau.watches.seen(notice.id, by)
    assert madrid.bureau.notices(by) == []
    verbs = [leaf.content["decision"] for leaf in madrid.ledger.find(watch.id) if leaf.content]
    assert verbs == ["standing query"]


def test_a_new_holding_meets_it_too_and_an_old_one_does_not(federation: Federation) -> None:
    f = federation
    madrid, by = f.nodes["madrid"], f.officers["madrid"]
    f.hold("madrid", [person("Karim Belhaj Ouazzani")])
    madrid.bureau.watch("name", "كريم بلحاج الوزاني", "2026-12-31", by)
    madrid.settle()
    assert madrid.bureau.notices(by) == []
    f.hold("madrid", [person("Karim Belhadj Wazzani") | {"id": "p2"}])
    madrid.settle()
    (notice,) = madrid.bureau.notices(by)
    assert (notice.what, notice.dossier) == ("Karim Belhadj Wazzani", "")


def test_it_is_its_officers_own_and_ends_on_its_day(federation: Federation) -> None:
    f = federation
    madrid, by = f.nodes["madrid"], f.officers["madrid"]
    watch = madrid.bureau.watch("words", "zanzibar", "2026-11-30", by)
    other = replace(by, officer="o-0000000000000001")
    assert madrid.bureau.watches.kept(other.officer) == []
    with pytest.raises(NotFound):
        madrid.bureau.watches.remove(watch.id, other)
    f.clock.pass_time(timedelta(days=9))
    open_report(f, "zanzibar")
    assert madrid.bureau.notices(by) == []
    assert (madrid.bureau.watches.sweep(), madrid.bureau.watches.kept()) == (1, [])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "plate"}, "kind"),
        ({"text": ""}, "words"),
        ({"kind": "number", "text": "12"}, "text"),
        ({"expires_on": "2026-11-01"}, "until"),
        ({"expires_on": "2029-01-01"}, "until"),
        ({"expires_on": "soon"}, "until"),
        ({"purpose": "curiosity"}, "purpose"),
        ({"justification": ""}, "justification"),
    ],
)
def test_purpose_and_end_are_not_optional(federation: Federation, change: dict[str, str], field: str) -> None:
    f = federation
    given = {"kind": "words", "text": "zanzibar", "expires_on": "2026-12-31"} | change
    by = replace(
        f.officers["madrid"],
        purpose=given.pop("purpose", "investigation"),
        justification=given.pop("justification", "case 7"),
    )
    with pytest.raises((Invalid, Refused)) as refused:
        f.nodes["madrid"].bureau.watches.add(*given.values(), by)
    assert refused.value.field == field


def test_what_met_it_goes_with_the_part_that_was_recalled(federation: Federation) -> None:
    f = federation
    rabat, madrid, by = f.nodes["rabat"], f.nodes["madrid"], f.officers["madrid"]
    madrid.bureau.watch("words", "zanzibar", "2026-12-31", by)
    dossier = open_report(f, "zanzibar")
    (notice,) = madrid.bureau.notices(by)
    opening = rabat.dossiers.state(dossier).entries[0].id
    recall = {"type": "dossier.recalled", "facts": {"about": opening, "part": notice.met, "reason": "unlawful"}}
    rabat.dossiers.append(dossier, recall, f.officers["rabat"])
    f.pump()
    assert madrid.bureau.notices(by, open_only=False) == []


# --- links ---


def test_a_link_is_shown_both_ways_to_who_may_read_both(federation: Federation) -> None:
    f = federation
    madrid, by = f.nodes["madrid"], f.officers["madrid"]
    one, two = open_report(f, "one"), open_report(f, "two")
    link = madrid.bureau.link(one, two, "same_matter", by)
    assert madrid.bureau.links(one, by) == madrid.bureau.links(two, by) == [link]
    nobody = replace(by, roles=frozenset())
    assert madrid.bureau.links(one, nobody) == []
    with pytest.raises(Conflict):
        madrid.bureau.link(two, one, "lesson", by)
    madrid.bureau.unlink(two, link.id, by)
    assert madrid.bureau.links(one, by) == []


def test_a_link_tells_no_partner_that_the_other_dossier_exists(federation: Federation) -> None:
    f = federation
    rabat, berlin = f.nodes["rabat"], f.nodes["berlin"]
    shared, secret = open_report(f, "shared", ("es", "de")), open_report(f, "secret", ("es",))
    f.posted.clear()
    rabat.bureau.link(shared, secret, "leads_to", f.officers["rabat"])
    f.pump()
    assert f.posted == []
    assert berlin.bureau.links(shared, f.officers["berlin"]) == []
    with berlin.store.read() as tx:
        tables = tx.execute(text("select id from dossiers")).scalars().all()
        assert list(tables) == [shared]
    # And nobody learns of it by asking: unknown and unreadable look alike.
    said = []
    for target in (secret, DossierId("d-" + "0" * 32)):
        with pytest.raises(NotFound) as refused:
            berlin.bureau.link(shared, target, "hit", f.officers["berlin"])
        said.append((refused.value.code, refused.value.message, refused.value.field))
    assert said[0] == said[1]


# --- templates ---


def test_a_template_is_filled_in_and_opened(federation: Federation) -> None:
    f = federation
    rabat, by = f.nodes["rabat"], f.officers["rabat"]
    body = acts.report() | {"subject": "Arrival of {{who}} on {{day}}"}
    rabat.bureau.templates.save("Arrival", "report", body)
    template = rabat.bureau.templates.get("arrival")
    assert template.places == ("who", "day")
    filled = fill(template, {"who": '{"x": "{{day}}"}', "day": "Monday"})
    assert filled["subject"] == 'Arrival of {"x": "{{day}}"} on Monday'
    dossier = rabat.dossiers.open("report", filled, ["es"], by)
    assert rabat.dossiers.state(dossier).kind == "report"
    with pytest.raises(Invalid) as refused:
        fill(template, {"who": "x"})
    assert refused.value.field == "day"
    with pytest.raises(Invalid) as refused:
        fill(template, {"who": "x", "day": "y", "z": "q"})
    assert refused.value.field == "z"
    rabat.bureau.templates.remove("ARRIVAL")
    with pytest.raises(NotFound):
        rabat.bureau.templates.get("Arrival")


# --- translations ---


def test_a_translation_stands_beside_its_original_and_goes_with_it(federation: Federation) -> None:
    f = federation
    rabat, madrid, berlin = (f.nodes[n] for n in ("rabat", "madrid", "berlin"))
    dossier = open_report(f, "عنوان", ("es", "de"))
    opening = rabat.dossiers.state(dossier).entries[0]
    part = next(p.ref.id for p in opening.parts if p.ref.kind == "subject")
    facts = {"about": opening.id, "part": part, "lang": "es", "by": "machine"}
    body = {"type": "dossier.translated", "facts": facts, "parts": [{"kind": "translation", "text": "título"}]}
    with pytest.raises(Invalid, match="author alone"):
        madrid.dossiers.append(dossier, body, f.officers["madrid"])
    entry = madrid.dossiers.append(dossier, body | {"to": ["ma"]}, f.officers["madrid"])
    own = rabat.dossiers.append(
        dossier,
        {
            "type": "dossier.translated",
            "facts": facts | {"lang": "fr", "by": "officer"},
            "parts": [{"kind": "translation", "text": "titre"}],
        },
        f.officers["rabat"],
    )
    f.pump()
    assert [p.content["text"] for p in rabat.dossiers.entry(entry).parts if p.content] == ["título"]
    with pytest.raises(NotFound):
        berlin.dossiers.entry(entry)
    assert [p.content["text"] for p in berlin.dossiers.entry(own).parts if p.content] == ["titre"]
    recall = {"type": "dossier.recalled", "facts": {"about": opening.id, "part": part, "reason": "inaccurate"}}
    rabat.dossiers.append(dossier, recall, f.officers["rabat"])
    f.pump()
    for node, known in ((madrid, (entry, own)), (berlin, (own,))):
        for translated in known:
            assert [p.content for p in node.dossiers.entry(translated).parts] == [None]


def test_a_translation_of_the_same_instant_is_found_after_a_search(federation: Federation) -> None:
    """The clock of a machine has milliseconds: what is filed in the one that a search has seen is read all the same."""
    f = federation
    dossier = open_report(f, "عنوان التقرير")
    rabat, by = f.nodes["rabat"], f.officers["rabat"]
    assert rabat.bureau.search("عنوان", 10, by)
    opening = rabat.dossiers.state(dossier).entries[0]
    original = next(p.ref.id for p in opening.parts if p.ref.kind == "subject")
    facts = {"about": opening.id, "part": original, "lang": "fr", "by": "officer"}
    at = f.clock()
    rabat.dossiers.append(
        dossier,
        {
            "type": "dossier.translated",
            "facts": facts,
            "parts": [{"kind": "translation", "text": "Quai septentrional"}],
        },
        by,
    )
    assert f.clock() == at
    (found,) = rabat.bureau.search("septentrional", 10, by)
    assert found.kind == "translation"
