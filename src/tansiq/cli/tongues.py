"""A failure of a command in the caller's language: what kind it is, what is wrong, at which step, in which field.

`--lang` says the language, or the environment does (`settings.terminal_language`). In English, and with `--json`, a
failure is told as `problems` tells it. The words are those of the pages and, for what only commands meet, those below:
message ids of the same catalogues. A failure without words keeps its English ones: its kind is translated all the same.
"""

from __future__ import annotations

from tansiq.errors import Refused, TansiqError

FIRST, LAST = "\u2068", "\u2069"
"""U+2068 and U+2069: what is foreign in a line that runs from right to left keeps its own direction (UAX 9)."""


def N_(message: str) -> str:  # noqa: N802 - gettext's own word
    """A message id: the text stands in the catalogues under it."""
    return message


ONE_OF = N_("Choose one of these:")
TRY = N_("try:")
WORDS: dict[str, str] = {
    "broken.unexpected": N_("Something in the program is at fault."),
    "check.ambiguous": N_("More than one begins so: give more of it."),
    "cli.entry": N_("There is no such entry in this dossier."),
    "cli.file": N_("The file cannot be read or written."),
    "cli.file_exists": N_("There is a file of this name."),
    "cli.file_too_large": N_("The file is too large."),
    "cli.home": N_("Say in which folder the node lives."),
    "cli.json": N_("The file is not JSON."),
    "cli.json_object": N_("The file must hold one JSON object."),
    "cli.lang": ONE_OF,
    "cli.no_change": N_("Say what is to change."),
    "cli.officer": N_("Name an officer of this node."),
    "cli.peer": N_("Name a partner."),
    "cli.text": N_("The file is no text in UTF-8."),
    "cli.usage.command": N_("There is no such command."),
    "cli.usage.missing": N_("This is missing."),
    "cli.usage.option": N_("There is no such option."),
    "cli.usage.option_value": N_("This option needs a value."),
    "cli.usage.value": N_("This value does not fit."),
    "cli.usage.wrong": N_("The command line does not fit."),
    "clock.leapt": N_("The clock is further ahead than anything vouches for."),
    "import.addresses": N_("This goes with the list of OFAC alone."),
    "node.database_password": N_("No password in the address: it would be kept in the settings file."),
    "peer.fingerprint": N_("The card's fingerprint is not the one that was given. Call the partner."),
    "proof.author": N_("The author's card is not in the file."),
    "proof.malformed": N_("This file is no proof."),
    "proof.subject": N_("The proof is about something else."),
    "query.country": N_("Write two letters, for example MA."),
    "restored.both": N_("Give names, or say that all are meant."),
    "settings.missing": N_("There is no node in this folder."),
    "template.kind": N_("This template opens a dossier of another kind."),
}
_ONE_OF = "one of "


def told(failure: TansiqError, language: str) -> tuple[str, str]:
    """The line, and the word that stands before a hint. The pages' program is loaded for it: a failure has the time."""
    from tansiq.web import failure_in_words, tongue

    speak = tongue(language, "UTC")
    title, words = failure_in_words(speak, failure)
    if failure.code in WORDS:
        words = speak.say(WORDS[failure.code])
    if failure.message.startswith(_ONE_OF):
        words = f"{speak.say(ONE_OF)} {_apart(failure.message.removeprefix(_ONE_OF))}"
    foreign = [x for x in (failure.step, failure.field) if x]
    if isinstance(failure, Refused):
        foreign += failure.clauses
    ends = " ".join(_apart(f"[{x}]") for x in [*foreign, failure.code])
    return f"tansiq: {title}. {words or _apart(failure.message)} {ends}", speak.say(TRY)


def _apart(text: str) -> str:
    return f"{FIRST}{text}{LAST}"
