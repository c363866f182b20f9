"""What the codes of private checks and plans are called on the pages. As in `labels.py`, the texts are message ids."""

from __future__ import annotations

from tansiq.web import labels
from tansiq.web.i18n import Tongue
from tansiq.web.labels import N_

EVENT_TYPE = {
    "undercover": N_("undercover operation"),
    "arrest": N_("arrest"),
    "raid": N_("raid"),
    "sweep": N_("sweep"),
    "buy_bust": N_("purchase with arrest"),
    "reversal": N_("sale by officers"),
    "buy_walk": N_("purchase without arrest"),
    "uc_meeting": N_("meeting with an undercover officer"),
    "search_warrant": N_("search warrant"),
    "arrest_warrant": N_("arrest warrant"),
    "surveillance": N_("surveillance"),
    "controlled_buy": N_("controlled purchase"),
    "dignitary_visit": N_("visit of a dignitary"),
    "": N_("targets without an event"),
}
SENSITIVITY = {
    "normal": N_("normal"),
    "restricted": N_("restricted: its officer and supervisors read it"),
    "hidden": N_("hidden: only you are told of a conflict"),
}
PLAN_STATUS = {
    "planned": N_("planned"),
    "active": N_("running"),
    "closed": N_("over"),
    "cancelled": N_("cancelled"),
    "exempt": N_("not deconflicted"),
}
MEETING_STATE = {
    "found": N_("being tested"),
    "held": N_("waits for your decision"),
    "silent": N_("kept to yourself"),
    "asked": N_("being tested"),
    "apart": N_("no conflict"),
    "conflict": N_("conflict"),
    "resolved": N_("settled by both"),
    "expired": N_("over"),
}
MEETING_LOOK = {
    "found": ("timer", "info"),
    "held": ("eye-off", "warn"),
    "silent": ("eye-off", ""),
    "asked": ("timer", "info"),
    "apart": ("check", "ok"),
    "conflict": ("triangle-alert", "bad"),
    "resolved": ("handshake", "ok"),
    "expired": ("clock", ""),
}
CONFLICT = {
    "space_time": N_("near in place and time"),
    "target": N_("the same target"),
    "critical": N_("critical: near, and the same target"),
    "": N_("not known yet"),
}
STAGE = {
    "officer": N_("the officers of both plans"),
    "duty_officer": N_("the officers on duty of both services"),
    "commander": N_("red alarm: the commanders of both services"),
    "settled": N_("nobody: it is settled"),
}
ASKED_STATE = {
    "clear": N_("no conflict"),
    "met": N_("something met"),
    "waiting": N_("not answered yet"),
    "refused": N_("refused"),
}
ASKED_LOOK = {
    "clear": ("check", "ok"),
    "met": ("git-compare-arrows", "warn"),
    "waiting": ("timer", "info"),
    "refused": ("x", "bad"),
}
LEVEL = {
    "1": N_("1: the contacts"),
    "2": N_("2: also the type of event"),
    "3": N_("3: also time and area"),
    "4": N_("4: also the exact place"),
}
TIER = {
    "high": N_("long numbers"),
    "low": N_("names with dates, phones, plates"),
    "plan": N_("plans and targets"),
}
KEY_CLASS = {
    "nd": N_("two names and the date of birth"),
    "nh": N_("a name, an initial and the date of birth"),
    "np": N_("two names, the year and the place of birth"),
    "nf": N_("two names, the year and a parent"),
    "doc": N_("document"),
    "iban": N_("bank account"),
    "vin": N_("chassis number"),
    "imei": N_("device number"),
    "email": N_("e-mail"),
    "crypto": N_("crypto wallet"),
    "card": N_("payment card"),
    "phone": N_("phone"),
    "plate": N_("plate"),
}
READOUT = {
    "phones_of_a_country": N_("of the phone numbers of a country"),
    "plates_of_a_country": N_("of the plates of a country"),
    "passport_numbers": N_("of the passport numbers of a country"),
    "persons_by_name_and_date": N_("of the people held, by name and date of birth"),
}
CHECK_STATE = {"waiting": N_("on its way"), "done": N_("answered"), "refused": N_("refused")}
CHECK_LOOK = {"waiting": ("timer", "info"), "done": ("check", "ok"), "refused": ("x", "bad")}
SERVED = {
    "wanted": N_("its list is being made"),
    "served": N_("served"),
    "revoked": N_("revoked"),
    "current": N_("in use"),
    "grace": N_("still answered"),
    "ended": N_("over"),
    "destroyed": N_("destroyed"),
    "arriving": N_("arriving"),
    "ready": N_("ready"),
    "broken": N_("does not verify"),
}
ALARM = {
    "quota_half": N_("half of a quota is spent"),
    "quota_spent": N_("a quota is spent"),
    "ceiling_half": N_("half of the ceiling over all partners is spent"),
    "ceiling_spent": N_("the ceiling over all partners is spent"),
    "canary": N_("somebody asked for an invented person"),
    "hit_rate": N_("too many hits: the list may hold what the partner does not"),
    "unknown_id": N_("a request names an id that stands for nobody here"),
    "list_broken": N_("a partner's list does not verify"),
}

labels.DUTY |= {
    "plan.decide_hidden": N_("A hidden plan met another: tell them or keep silent"),
    "plan.acknowledge": N_("Acknowledge the conflict and call the contact"),
    "plan.resolve": N_("Settle the conflict with the partner"),
    "plan.alarm": N_("Red alarm: unsettled conflict before the start"),
    "plan.unacknowledged": N_("Nobody has acknowledged a conflict: see that both sides do"),
    "private.watch_hit": N_("A watched person is in a list now"),
} | {f"private.alarm.{kind}": words for kind, words in ALARM.items()}
labels.CLAUSE |= {
    "Deconfliction: notice 60 s, alarm 30 min before the start (this program's own reading of practice)": N_(
        "Deconfliction: notice within 60 seconds, alarm 30 minutes before the start; this program's own reading"
    ),
    "Private checks: an alarm is looked at before the day's quotas are renewed (this program's own rule)": N_(
        "Private checks: an alarm is looked at before the day's quotas are renewed; this program's own rule"
    ),
}
labels.FAILURES |= {
    "plan.missing": N_("This is missing. Fill it in."),
    "plan.malformed": N_("Something is missing or not in its form."),
    "plan.too_long": N_("This is too long."),
    "plan.type": N_("Choose the type of event."),
    "plan.empty": N_("Give a place with its window, or a target, or both."),
    "plan.over": N_("This window is over."),
    "plan.place": N_("A latitude is between -90 and 90, a longitude between -180 and 180."),
    "plan.radius": N_("A radius is between 0 and 50,000 metres; a large one needs a short window."),
    "plan.window": N_("A window ends after it begins, within a year; a long one needs a small circle."),
    "plan.targets": N_("There are too many targets."),
    "plan.target_weak": N_("Give a name with the full date of birth, or one complete number."),
    "plan.reason": N_("Give a reason of at least ten characters."),
    "plan.settled": N_("This plan is out of matching already."),
    "plan.exempt_role": N_("Only a supervisor takes a plan out of deconfliction."),
    "plan.restricted": N_("This plan is read by its officer and by supervisors."),
    "plan.restricted_level": N_("A restricted plan tells the contacts and nothing more."),
    "plan.level": N_("A level rises by one step."),
    "plan.unknown": N_("There is no such plan."),
    "plan.meeting": N_("There is no such conflict."),
    "plan.no_conflict": N_("This conflict is not open any more."),
    "plan.decided": N_("This was decided already."),
    "plan.no_targets": N_("This plan has no target in matching."),
    "instant.malformed": N_("Write a date and a time."),
    "form.decimal": N_("Write a number."),
    "form.sure": N_("Say that you are sure."),
    "form.pasted": N_("This is not what the other side sent. Paste it whole."),
    "sample.share": N_("A share is 1 to 100 percent."),
    "sample.days": N_("Choose fewer days."),
    "sample.asker": N_("This sample is about another service's questions."),
    "sample.holder": N_("These openings are about another service's list."),
    "sample.unknown": N_("No such sample was drawn here."),
    "sample.batch": N_("A batch of this sample is not in our log."),
    "private.malformed": N_("This is not what the other side sent. Paste it whole."),
    "check.case": N_("State the case."),
    "check.no_list": N_("This partner has given us no list."),
    "epoch.ended": N_("The partner has ended this list. Ask again: its new list is asked then."),
    "private.role": N_("Your role does not allow this."),
    "private.agreement": N_("There is no agreement with this partner."),
    "check.no_key": N_("Nothing here makes a key: a name with its full date of birth, or one complete number."),
    "meter.quota": N_("The quota of today is spent. Ask again tomorrow."),
    "meter.ceiling": N_("The ceiling over all partners is reached today."),
    "meter.revoked": N_("The partner has revoked our private checks."),
}


def word(tongue: Tongue, table: str, key: object) -> str:
    """What a code is called; the code itself where it has no word."""
    return tongue.say(globals()[table].get(str(key), "")) or str(key)


def look(table: str, key: object) -> tuple[str, str]:
    """The icon and the tone of a code's chip."""
    found: tuple[str, str] = globals()[table].get(str(key), ("info", ""))
    return found
