"""What is wrong, in an officer's words, for failures that forms seldom meet; as in `labels.py`, texts are message ids.

A failure without words here or there is shown in English: those are for programs and commands, which send what the
pages do not let through.
"""

from __future__ import annotations

from tansiq.web.labels import N_

SELDOM: dict[str, str] = {
    "access.draft_unknown": N_("There is no such draft."),
    "access.officer_inactive": N_("This officer's account is closed."),
    "access.reason_too_long": N_("This is too long."),
    "act.done_already": N_("This was done already."),
    "act.of_the_node": N_("The node writes this itself, once it has erased."),
    "attachment.empty": N_("The file is empty."),
    "attachment.erased": N_("The file was erased meanwhile."),
    "attachment.name": N_("This file name cannot be used. Rename the file and attach it again."),
    "attachment.not_taken": N_("There is no such file."),
    "attachment.too_large": N_("The file is too large."),
    "attachment.unknown": N_("There is no such file."),
    "bank.record": N_("There is no such record."),
    "bank.unknown": N_("There is no such record."),
    "check.followed": N_("A request was opened on this check already."),
    "check.no_hit": N_("This check has found nothing to follow."),
    "check.unknown": N_("There is no such check."),
    "country.malformed": N_("Write a country as two letters, for example MA."),
    "declaration.kept": N_("What was declared with it is kept. It is not said over."),
    "declaration.not_kept": N_("What was declared with it is not kept. Declare it anew at the entry, then deliver it."),
    "declaration.not_ours": N_("Its own service declares it, not this one."),
    "declaration.why": N_("Say on what it rests."),
    "dossier.in_use": N_("Its work has not ended, or it has to be kept."),
    "form.malformed": N_("The form cannot be read. Open the page again."),
    "form.too_long": N_("This is too long."),
    "form.type": N_("The form cannot be read. Open the page again."),
    "grade.scheme": N_("There is no such grade."),
    "hit.match": N_("There is no such record."),
    "hit.state": N_("Choose one of the three answers first."),
    "judgement.malformed": N_("Give each hypothesis a likelihood and a per cent."),
    "judgement.none": N_("This service has laid down no judgement in this round."),
    "kind.unknown": N_("There is no such kind of dossier."),
    "ledger.content": N_("This is too long."),
    "link.itself": N_("A dossier is not linked to itself."),
    "link.there": N_("They are linked already."),
    "link.unknown": N_("There is no such link."),
    "link.why": N_("Choose one of the list."),
    "part.unknown": N_("There is no such part."),
    "person.consent": N_("A consent names something that is not in the extract."),
    "person.decided": N_("There is no such decision."),
    "person.decided_items": N_("That decision is about other things than those that are marked."),
    "person.decided_refused": N_("That decision refuses it: nothing is given out on it."),
    "person.decided_right": N_("That decision is about another right."),
    "person.empty": N_("Give a name or a number."),
    "person.ground": N_("Mark at least one ground of LED art. 15(1)."),
    "person.ground_granted": N_("What is granted needs no ground."),
    "person.item": N_("This is not among what was found for this person."),
    "person.items": N_("Mark which of what was found is this person."),
    "person.not_access": N_("Access alone is given in part: choose another decision, or another right."),
    "person.reason": N_("Write the factual or legal reasons: ten characters or more."),
    "person.request": N_("Write the number of the request: 100 characters at most."),
    "person.right": N_("Choose one of the list."),
    "person.ruling": N_("Choose one of the list."),
    "person.role": N_("Only the data-protection officer looks for a person."),
    "person.why": N_("Say which request this answers."),
    "plan.sensitivity": N_("Choose one of the list."),
    "plan.too_many_tests": N_("This plan was tested too often today. Try again tomorrow."),
    "query.length": N_("Write 2 to 200 characters."),
    "query.missing": N_("Choose at least one partner."),
    "scorecard.period": N_("The period ends before it begins, or is too long."),
    "scorecard.self": N_("Choose another service than your own."),
    "search.length": N_("Write 2 to 200 characters."),
    "statement.too_many_members": N_(
        "A dossier has 64 members at most, your own service among them. Choose fewer partners."
    ),
}
"""By the code of the failure; what `labels.FAILURES` says wins."""
