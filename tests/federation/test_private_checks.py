"""Private checks between whole nodes, each holder with its own key process: from the list to the officer's request."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from tansiq.crypto import blind_evaluate_proved, derive_oprf_key, peek, sign
from tansiq.errors import Refused, Untrusted
from tansiq.exchange.model import Item
from tansiq.private.model import AnswerHeader, BatchHeader, CheckState, Tier
from tansiq.private.wire import (
    ANSWER_TYPE,
    BATCH_TYPE,
    answer_body,
    batch_body,
    digest,
    frame,
    parse_batch,
    parse_frame,
    parse_refusal,
    split,
)
from tests.support import acts
from tests.support.checks import (
    HAMMUSCHI,
    HAMMUSCHI_IN_ARABIC,
    STRANGER,
    ask,
    code_of,
    hits,
    leaves,
    person,
    serve,
    supervisor,
)
from tests.support.services import Federation

Make = Callable[..., Federation]


@pytest.fixture
def pair(make_federation: Make) -> Federation:
    """Madrid holds one man and serves Rabat."""
    f = make_federation()
    f.add("rabat", "madrid")
    f.hold("madrid", [HAMMUSCHI])
    serve(f, "madrid", "rabat")
    return f


def test_a_hit_across_scripts_and_a_no_hit_and_the_holder_learns_a_count(federation: Federation) -> None:
    f = federation
    f.hold("madrid", [HAMMUSCHI])
    f.hold("berlin", [person("Greta Lindqvist", "1990-02-02")])
    serve(f, "madrid", "rabat")
    serve(f, "berlin", "rabat")
    found = ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)
    assert (found.state, hits(found)) == (CheckState.DONE, {"nd", "nh"})
    assert len(found.rids) == 1, "two name keys of one record have one opaque id"
    assert hits(ask(f, "rabat", "berlin", HAMMUSCHI_IN_ARABIC)) == set()
    nothing = ask(f, "rabat", "madrid", STRANGER)
    assert hits(nothing) == set()
    assert {x.key_class for x in nothing.families if x.hit is False} == {"nd", "nh"}
    both = ask(f, "rabat", "madrid", {"phones": ["+34 612 34 56 78"], "documents": [{"number": "XK4471902"}]})
    assert hits(both) == {"phone", "doc"}
    (row,) = [u for u in f.nodes["madrid"].private.asked_of_us() if u.tier == "low"]
    assert (row.batches, row.evaluations, row.purpose, row.code) == (3, 192, "investigation", "")
    assert sum(u.evaluations for u in f.nodes["rabat"].private.we_asked()) == 64 * 5
    for node in f.nodes.values():
        assert node.ledger.verify().broken_at is None


def test_both_ledgers_hold_the_public_key_and_each_batch_and_no_key(pair: Federation) -> None:
    f = pair
    ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)
    madrid, rabat = leaves(f, "madrid"), leaves(f, "rabat")
    shipped = {(x["tier"], x["public"], x["descriptor"]) for x in madrid if x["decision"] == "shipped"}
    taken = {(x["tier"], x["public"], x["descriptor"]) for x in rabat if x["decision"] == "taken"}
    assert shipped == taken
    assert len(shipped) == 2
    (asked,) = [x for x in rabat if x["decision"] == "asked"]
    (counted,) = [x for x in madrid if x["decision"] == "evaluated"]
    for name in ("subject", "tier", "epoch", "sequence", "count", "case", "purpose"):
        assert asked[name] == counted[name], name
    assert asked["count"] == 64
    assert "case 7" not in str(counted)
    for said in (str(madrid), str(rabat)):
        assert "حموشي" not in said
        assert "1987" not in said


def test_a_hit_becomes_a_request_by_an_officer_and_the_holder_alone_knows_whom_it_means(pair: Federation) -> None:
    f = pair
    madrid, rabat = f.nodes["madrid"], f.nodes["rabat"]
    found = ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)
    body = acts.request() | {"handling": {"codes": ["H1"]}}
    before = f.officers["madrid"]
    dossier = rabat.private.follow(found.id, body, f.officers["rabat+second"])
    assert rabat.private.result(found.id).dossier == dossier
    assert code_of(lambda: rabat.private.follow(found.id, body, f.officers["rabat+second"])) == "check.followed"
    f.pump()
    (notice,) = madrid.private.notices()
    assert (notice.code, notice.ref) == ("private.named", dossier)
    (meaning,) = madrid.private.meanings(dossier, before)
    assert meaning.rid == found.rids[0]
    assert madrid.bank.get(meaning.record).entity.names() == ("Karim Hammuschi",)
    assert madrid.private.notices() == []
    assert [x["decision"] for x in leaves(f, "madrid", dossier)][-1] == "opaque ids looked up"
    assert rabat.private.meanings(dossier, f.officers["rabat"]) == []


def test_an_opaque_id_that_was_made_up_is_an_alarm(pair: Federation) -> None:
    f = pair
    note = {"kind": "note", "lang": "en", "text": "tansiq-opaque:" + "ab" * 12}
    body = acts.request()
    body["parts"] = [*body["parts"], note]
    f.nodes["rabat"].dossiers.open("request", body, ["es"], f.officers["rabat+second"])
    f.pump()
    assert [n.code for n in f.nodes["madrid"].private.notices()] == ["private.alarm.unknown_id"]


def test_a_canary_that_is_asked_for_is_an_alarm(pair: Federation) -> None:
    f = pair
    madrid, rabat = f.nodes["madrid"], f.nodes["rabat"]
    invented = {"names": ["Wendelin Aschaffer"], "birth_dates": ["1966-06-06"]}
    madrid.private.add_canary(invented, supervisor(f, "madrid"))
    madrid.private.refresh("ma", Tier.LOW)
    f.pump()
    found = ask(f, "rabat", "madrid", invented)
    assert found.hit
    rabat.private.follow(found.id, acts.request(), f.officers["rabat+second"])
    f.pump()
    assert {n.code for n in madrid.private.notices()} == {"private.named", "private.alarm.canary"}
    assert [d.code for d in madrid.private.duties()] == ["private.alarm.canary"]


def test_a_change_reaches_the_watch_without_a_new_evaluation(pair: Federation) -> None:
    f = pair
    madrid, rabat = f.nodes["madrid"], f.nodes["rabat"]
    wanted = {"names": ["Sofía Carrascal"], "birth_dates": ["1991-05-30"]}
    watch, (first,) = rabat.private.watch(wanted, ["es"], "case 9", f.officers["rabat"])
    assert not first.hit
    spent = sum(u.evaluations for u in madrid.private.asked_of_us())
    f.hold("madrid", [person("Sofia Carrascal", "1991-05-30", "h-9")])
    f.clock.pass_time(timedelta(days=1))
    madrid.private.tick()
    f.pump()
    (now,) = rabat.private.checks(ref=watch.id)
    assert hits(now) == {"nd", "nh"}
    (notice,) = rabat.private.notices()
    assert (notice.code, notice.ref) == ("private.watch_hit", first.id)
    (duty,) = rabat.private.duties()
    assert (duty.code, duty.ref, duty.urgent) == ("private.watch_hit", first.id, False)
    assert sum(u.evaluations for u in madrid.private.asked_of_us()) == spent
    rabat.private.unwatch(watch.id, f.officers["rabat"])
    assert rabat.private.watches() == []


def test_a_daily_change_says_nothing_by_its_size_and_a_record_that_goes_is_no_hit_any_more(pair: Federation) -> None:
    f = pair
    madrid = f.nodes["madrid"]
    madrid.private.refresh("ma", Tier.LOW)
    (record,) = [r for r in madrid.bank.new_holdings(0, 10)[1]]
    madrid.store.write(lambda tx: madrid.bank.remove(tx, record.id))
    madrid.private.refresh("ma", Tier.LOW)
    f.pump()
    assert not ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC).hit
    (low,) = [x for x in f.nodes["rabat"].private.lists() if x.tier == "low"]
    assert (low.sequence, low.state) == (2, "ready")
    with madrid.store.read() as tx:
        sizes = {len(madrid.private.load(tx, f"delta:low:1:{n}", f.nodes["rabat"].node_id) or b"") for n in (1, 2)}
    assert len({size // 1024 for size in sizes}) == 1


def test_a_rotation_keeps_the_old_epoch_for_its_grace_and_asks_watches_anew(pair: Federation) -> None:
    f = pair
    madrid, rabat = f.nodes["madrid"], f.nodes["rabat"]
    watch, _ = rabat.private.watch(HAMMUSCHI_IN_ARABIC, ["es"], "case 9", f.officers["rabat"])
    f.away.add("rabat")
    madrid.private.rotate(supervisor(f, "madrid"))
    while madrid.private.work():
        pass
    old = ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)
    assert (old.epochs, old.hit) == ({"low": 1}, True)
    f.clock.pass_time(timedelta(days=8))
    assert code_of(lambda: ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)) == "epoch.ended"
    madrid.private.tick()
    assert [(e.number, e.state) for e in madrid.private.epochs()] == [(2, "current"), (1, "destroyed")]
    f.away.clear()
    f.pump()
    new = ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)
    assert (new.epochs, new.hit) == ({"low": 2}, True)
    assert set(new.rids).isdisjoint(old.rids), "opaque ids of two epochs cannot be joined"
    assert {c.epochs["low"] for c in rabat.private.checks(ref=watch.id)} == {1, 2}


def test_an_epoch_is_rotated_by_the_calendar(pair: Federation) -> None:
    f = pair
    f.clock.pass_time(timedelta(days=90))
    f.nodes["madrid"].private.tick()
    f.pump()
    assert f.nodes["madrid"].private.epochs()[0].number == 2
    assert ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC).epochs == {"low": 2}


def test_revocation_is_one_step_and_is_seen_by_both(pair: Federation) -> None:
    f = pair
    madrid, rabat = f.nodes["madrid"], f.nodes["rabat"]
    f.away.add("rabat")
    madrid.private.revoke("ma", supervisor(f, "madrid"))
    assert code_of(lambda: ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)) == "meter.revoked"
    f.away.clear()
    f.pump()
    assert {x.state for x in rabat.private.lists()} == {"ended"}
    assert code_of(lambda: ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)) == "check.no_list"
    serve(f, "madrid", "rabat")
    found = ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)
    assert (found.epochs, found.hit) == ({"low": 2}, True)


def test_a_killed_key_process_starts_again_with_its_count(make_federation: Make) -> None:
    f = make_federation()
    f.chosen["madrid"] = {"quota_low": 128, "burst_low": 0}
    f.add("rabat", "madrid")
    f.hold("madrid", [HAMMUSCHI])
    serve(f, "madrid", "rabat")
    ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)
    ask(f, "rabat", "madrid", STRANGER)
    process = f.nodes["madrid"].private._g.keys.get().process
    assert process is not None
    process.kill()
    process.wait()
    assert code_of(lambda: ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)) == "meter.quota"
    f.restart("madrid")
    assert code_of(lambda: ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)) == "meter.quota"


def test_a_partner_without_an_address_is_asked_by_envelope(make_federation: Make) -> None:
    f = make_federation()
    f.hidden.add("madrid")
    f.add("rabat", "madrid")
    f.hold("madrid", [HAMMUSCHI])
    serve(f, "madrid", "rabat")
    waiting = ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)
    assert waiting.state is CheckState.WAITING
    f.pump()
    assert f.asked == []
    found = f.nodes["rabat"].private.result(waiting.id)
    assert (found.state, hits(found)) == (CheckState.DONE, {"nd", "nh"})


def test_two_partners_who_chose_one_reference_get_an_answer_each(make_federation: Make) -> None:
    """Nobody else's: a partner that guesses another's reference must not take its answer off the shelf."""
    f = make_federation()
    f.hidden.add("madrid")
    f.add("rabat", "berlin", "madrid")
    f.hold("madrid", [HAMMUSCHI])
    serve(f, "madrid", "rabat", "berlin")
    madrid, askers = f.nodes["madrid"], [f.nodes["rabat"], f.nodes["berlin"]]
    for node in askers:
        ask(f, node.name, "madrid", HAMMUSCHI_IN_ARABIC)
        waiting = [d.ref for d in node.exchange.deliveries(to=madrid.node_id) if d.ref.startswith("batch:")]
        with node.store.read() as tx:
            raw = node.private.load(tx, waiting[0], madrid.node_id)
        assert raw is not None
        item = Item("private", "batch:same", raw)
        assert madrid.store.write(lambda tx, n=node, i=item: madrid.private.file(tx, n.node_id, i)).received
    while madrid.private.work():
        pass
    with madrid.store.read() as tx:
        answers = [madrid.private.load(tx, "answer:same", node.node_id) for node in askers]
    assert None not in answers
    assert answers[0] != answers[1]


def test_who_asks_needs_purpose_case_agreement_and_a_key(pair: Federation) -> None:
    f = pair
    rabat, by = f.nodes["rabat"].private, f.officers["rabat"]
    assert code_of(lambda: rabat.ask("es", STRANGER, "case 7", replace(by, purpose=""))) == "check.purpose"
    assert code_of(lambda: rabat.ask("es", STRANGER, " ", by)) == "check.case"
    assert code_of(lambda: rabat.ask("es", {"names": ["Tomás"]}, "case 7", by)) == "check.no_key"
    assert code_of(lambda: rabat.ask("es", {"shoe_size": "43"}, "case 7", by)) == "person.word"
    with pytest.raises(Refused) as refused:
        rabat.ask("es", STRANGER, "case 7", replace(by, roles=frozenset()))
    assert refused.value.code == "policy.refused"
    assert f.asked == []
    assert [x["decision"] for x in leaves(f, "rabat", "private.check")] == ["refusal"]
    f.add("lisbon")
    assert code_of(lambda: f.nodes["madrid"].private.publish("pt", [Tier.LOW], supervisor(f, "madrid"))) == (
        "private.agreement" if not f.nodes["madrid"].gate.agreements_between("ES", "PT") else ""
    )


def rewritten(f: Federation, change: Callable[[BatchHeader], BatchHeader]) -> str:
    """The last batch that Rabat sent, changed and signed anew by Rabat; the code of Madrid's refusal."""
    rabat = f.nodes["rabat"]
    envelope, payload = parse_frame(f.asked[-1][1], 1 << 20)
    header, _ = parse_batch(peek(envelope).body, payload)
    body = batch_body(change(header))
    raw = frame(sign(BATCH_TYPE, body, rabat.keys.signing, rabat.node_id), payload)
    answer, rest = parse_frame(f.nodes["madrid"].private.answer(raw), 1 << 20)
    return parse_refusal(peek(answer).body)[4] if not rest else ""


def test_a_batch_is_refused_by_name(pair: Federation) -> None:
    f = pair
    ask(f, "rabat", "madrid", STRANGER)
    assert rewritten(f, lambda h: h) == "batch.replayed"
    assert rewritten(f, lambda h: replace(h, epoch=99, sequence=h.sequence + 1)) == "batch.epoch"
    assert rewritten(f, lambda h: replace(h, keyspec="1-" + "0" * 16, sequence=h.sequence + 1)) == "batch.keyspec"
    assert rewritten(f, lambda h: replace(h, tier="plan", sequence=h.sequence + 1)) == "batch.tier"
    assert rewritten(f, lambda h: replace(h, purpose="curiosity", sequence=h.sequence + 1)) == "batch.purpose"
    assert rewritten(f, lambda h: replace(h, holder=f.nodes["rabat"].node_id)) == "batch.holder"
    assert rewritten(f, lambda h: replace(h, sequence=h.sequence + 1)) == ""
    refused = [x["code"] for x in leaves(f, "madrid") if x["decision"] == "refused"]
    assert len(refused) == 6
    assert {u.code for u in f.nodes["madrid"].private.asked_of_us() if u.code} == set(refused)


def test_an_answer_by_another_key_is_refused_with_its_name(pair: Federation) -> None:
    f = pair
    madrid = f.nodes["madrid"]
    other = derive_oprf_key(bytes(range(32)), b"another key")

    def by_another_key(what: str, raw: bytes) -> bytes:
        if what == "ask":
            return raw
        envelope, payload = parse_frame(f.asked[-1][1], 1 << 20)
        h, elements = parse_batch(peek(envelope).body, payload)
        made, proof = blind_evaluate_proved(other, split(elements, 32))
        out = b"".join(made)
        answer = AnswerHeader(h.holder, h.asker, h.tier, h.epoch, h.sequence, digest(out), h.digest, proof)
        return frame(sign(ANSWER_TYPE, answer_body(answer), madrid.keys.signing, madrid.node_id), out)

    f.meddle = by_another_key
    with pytest.raises(Untrusted) as refused:
        ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)
    assert refused.value.code.startswith("oprf.")
    f.meddle = None
    (check,) = f.nodes["rabat"].private.checks()
    assert (check.state, check.code, check.hit) == (CheckState.REFUSED, refused.value.code, False)


def test_a_sample_opens_to_cases_and_a_changed_opening_does_not(pair: Federation) -> None:
    f = pair
    madrid, rabat = f.nodes["madrid"].private, f.nodes["rabat"].private
    ask(f, "rabat", "madrid", HAMMUSCHI_IN_ARABIC)
    ask(f, "rabat", "madrid", STRANGER, "case 8")
    sample = madrid.draw_sample("ma", 1.0, 30, supervisor(f, "madrid"))
    assert code_of(lambda: rabat.open_sample(sample, f.officers["rabat"])) == "private.role"
    opened = rabat.open_sample(sample, supervisor(f, "rabat"))
    told = madrid.check_openings(opened, supervisor(f, "madrid"))
    assert (told["wrong"], told["missing"]) == ([], 0)
    assert set(told["cases"]) == {"case 7", "case 8"}
    assert told["questions"] + told["padding"] == 128
    value = msgspec.json.decode(opened)
    one, two = value["openings"][0], value["openings"][1]
    first = msgspec.msgpack.decode(base64.b64decode(one))
    first["input"] = b"nd\x1fAA BB 1970-01-01"
    value["openings"] = [base64.b64encode(msgspec.msgpack.encode(first)).decode(), two]
    told = madrid.check_openings(msgspec.json.encode(value), supervisor(f, "madrid"))
    assert [w["code"] for w in told["wrong"]] == ["opening.element"]
    assert told["missing"] == 127
