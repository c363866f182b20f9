"""What the audit log's codes are called: the lists and doings it names, the sorts of ids, periods to choose."""

from __future__ import annotations

from tansiq.web.labels import N_

LOG_SUBJECT = {
    "person.find": N_("Everything held on one person, for who asks by right"),
    "person.extract": N_("Extract about one person"),
    "person.decision": N_("Decision on a person's request"),
    "ledger.export": N_("The whole audit log in one file"),
    "hits.list": N_("list of hits"),
    "bank.search": N_("search in our holding"),
    "dossiers.list": N_("list of dossiers"),
    "dossiers.search": N_("Search dossiers"),
    "bank.holdings": N_("our holdings, compared with what had arrived"),
    "drafts.list": N_("what waits for a second person"),
    "plans.list": N_("list of plans"),
    "private.check": N_("Private check"),
    "private.checks": N_("list of private checks"),
    "private.watches": N_("Standing queries"),
    "private.sample": N_("sample of private checks"),
    "private.served": N_("whom our private lists serve"),
    "private.epoch": N_("keys of the private lists"),
    "private.canary": N_("invented person in the private lists"),
    "bureau.watches": N_("Standing queries"),
    "scorecard": N_("Scorecard"),
    "expertise.matches": N_("Offers and wishes"),
    "list of work": N_("list of work"),
    "rule": N_("by rule"),
    "recalled": N_("recalled by its author"),
    "examination": N_("examination of what arrived"),
    "private check of a partner": N_("private check of a partner"),
}
"""What a leaf is about where it is no record, and the reasons that pages and the node itself give."""
LOG_RECORD = {
    "d": N_("dossier"),
    "e": N_("entry"),
    "p": N_("part"),
    "m": N_("hit"),
    "b": N_("our record"),
    "x": N_("sealed letter"),
    "f": N_("draft"),
    "w": N_("standing query"),
    "pc": N_("Private check"),
    "pn": N_("alarm of a private list"),
    "ca": N_("invented person in the private lists"),
    "pw": N_("private standing query"),
    "al": N_("private alarm"),
    "plan": N_("plan"),
    "source": N_("list of sources"),
    "leaf": N_("leaf of this log"),
    "private.list": N_("private list"),
    "private.batch": N_("batch of private checks"),
    "private.alarm": N_("private alarm"),
}
"""What an id in the log is the id of, by what it begins with."""
LIST_LETTER = {
    "desc": N_("description of a list"),
    "piece": N_("piece of a list"),
    "delta": N_("change of a list"),
    "plan": N_("letter about a plan"),
    "batch": N_("batch of private checks"),
    "end": N_("end of a list"),
    "answer": N_("answer"),
}
"""What a letter of the private lists brings, by what its reference begins with."""
PERIOD = {
    "all_time": N_("All"),
    "today": N_("Today"),
    "seven_days": N_("7 days"),
    "thirty_days": N_("30 days"),
}


def what_of(subject: str) -> tuple[str, str]:
    """Which sort of thing a leaf is about, as a key of `LOG_RECORD`, and what tells it from others of the sort."""
    for mark in (":", "-"):
        head, found, rest = subject.partition(mark)
        if found and head in LOG_RECORD:
            return head, rest if mark == ":" else subject
    head = ".".join(subject.split(".")[:2])
    return (head, subject.removeprefix(f"{head}.")) if head in LOG_RECORD else ("", subject)
