"""Languages of the interface: catalogues, directions, dates and numbers.

Catalogues are gettext `.po` files, compiled when they are loaded: nothing has to be built. The message id is the
English text. Arabic is always the locale of Morocco (months يناير ... دجنبر, Western digits), never bare `ar`.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_location
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

from tansiq.errors import TansiqError
from tansiq.terms import format_instant, parse_instant
from tansiq.web.failure_words import SELDOM
from tansiq.web.labels import FAILURES

LANGUAGES: dict[str, str] = {
    "ar": "العربية",
    "fr": "Français",
    "es": "Español",
    "de": "Deutsch",
    "en": "English",
}
LOCALES = {"ar": "ar_MA", "fr": "fr_FR", "es": "es_ES", "de": "de_DE", "en": "en_GB"}
NBSP = "\u00a0"
WEEK_MIN = 7 * 1440
_DAY = {"ar": "d MMMM y", "de": "d. MMM y"}
"""The *format* form of the month (MMMM): the stand-alone form falls back to Eastern names in Arabic."""


@cache
def _catalogue(language: str) -> NullTranslations:
    source = resources.files("tansiq.web").joinpath(f"locale/{language}/LC_MESSAGES/tansiq.po")
    with source.open("rb") as file:
        catalog = read_po(file, locale=LOCALES[language], domain="tansiq")
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(fp=compiled, domain="tansiq")


@dataclass(frozen=True)
class Tongue:
    """One interface language in one time zone: how texts, dates, times and numbers read."""

    code: str
    zone: ZoneInfo

    @property
    def direction(self) -> str:
        return "rtl" if self.code == "ar" else "ltr"

    @property
    def locale(self) -> Locale:
        return Locale.parse(LOCALES[self.code])

    @property
    def city(self) -> str:
        """The zone in the page's language, by its city: الدار البيضاء, not Africa/Casablanca."""
        if "/" not in self.zone.key or self.zone.key.startswith("Etc/"):
            return self.zone.key.rpartition("/")[2]
        return str(get_timezone_location(self.zone.key, locale=self.locale, return_city=True)).rpartition("/")[2]

    def say(self, message: str) -> str:
        """The message in this language; the message itself where the catalogue has none."""
        return str(_catalogue(self.code).gettext(message)) if message else ""

    def say_n(self, one: str, many: str, n: int) -> str:
        return str(_catalogue(self.code).ngettext(one, many, n))

    def instant_of(self, text: object) -> str:
        """A stored instant as a person reads it; nothing where the text is none."""
        try:
            return self.instant(parse_instant(str(text))) if text else ""
        except TansiqError:
            return ""

    def day(self, value: date | datetime | str) -> str:
        """12 Nov 2026. A partial date stays partial: 1987, March 1987. Anything else is shown as it is."""
        if isinstance(value, str):
            return self._partial(value)
        if isinstance(value, datetime):
            local = self._local(value)
            if local is None:
                return format_instant(value)
            value = local.date()
        return format_date(value, _DAY.get(self.code, "d MMM y"), locale=self.locale)

    def _partial(self, value: str) -> str:
        if value[:4].isdigit() and value[:4] < "1550":
            return value  # by another calendar: our names of months are not its own
        try:
            if len(value) == 10:
                return self.day(date.fromisoformat(value))
            if len(value) == 7:
                return format_date(date.fromisoformat(f"{value}-01"), "MMMM y", locale=self.locale)
        except ValueError:
            pass
        return value

    def time(self, value: datetime) -> str:
        """18:05, in the node's time zone."""
        local = self._local(value)
        return format_instant(value) if local is None else format_time(local, "HH:mm", locale=self.locale)

    def _local(self, value: datetime) -> datetime | None:
        """The instant in the node's time zone; None where that lies beyond the calendar: then it is told as stored."""
        try:
            return value.astimezone(self.zone)
        except OverflowError:
            return None

    def instant(self, value: datetime) -> str:
        if self._local(value) is None:
            return format_instant(value)
        return (
            f"{self.day(value)}, {self.time(value)}" if self.code != "ar" else f"{self.day(value)}، {self.time(value)}"
        )

    def number(self, value: float, digits: int = 0) -> str:
        return format_decimal(value, format="#,##0." + "0" * digits if digits else "#,##0", locale=self.locale)

    def signed(self, value: float) -> str:
        """+3.1 and −1.1, always left to right. With the language's own decimal sign: 10.993 stands on the same page."""
        return f"{'−' if value < 0 else '+'}{self.number(abs(value), 1)}" if round(value, 1) else "0"

    def percent(self, value: float, digits: int = 0) -> str:
        """94% in Arabic and English, 94 % elsewhere, not to be broken. The page isolates it from left to right."""
        return f"{self.number(value, digits)}{'' if self.code in ('ar', 'en') else NBSP}%"

    def duration(self, span: timedelta) -> str:
        """Two units at most, with our own plural forms: the common locale data has gaps for Arabic. From a week on days
        alone: nobody plans a review by the hour, and a list of them is read by its days."""
        minutes = int(abs(span.total_seconds()) // 60)
        if minutes >= WEEK_MIN:
            minutes -= minutes % 1440
        days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
        found = [
            self.say_n(one, many, n) % {"n": n}
            for one, many, n in (
                ("%(n)d day", "%(n)d days", days),
                ("%(n)d hour", "%(n)d hours", hours),
                ("%(n)d minute", "%(n)d minutes", rest),
            )
            if n
        ][:2]
        return self.say(" and ").join(found) if found else self.say("less than a minute")


@cache
def tongue(code: str, zone: str) -> Tongue:
    """The tongue of a language and a zone; unknown ones fall back to English and UTC."""
    try:
        found = ZoneInfo(zone)
    except (KeyError, ValueError):
        found = ZoneInfo("UTC")
    return Tongue(code if code in LANGUAGES else "en", found)


def failure_text(speak: Tongue, failure: TansiqError) -> str:
    """What is wrong, in the reader's language where we have it for the failure's code."""
    known = FAILURES.get(failure.code) or SELDOM.get(failure.code)
    return speak.say(known) if known else failure.message
