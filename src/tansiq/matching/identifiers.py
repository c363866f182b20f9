"""Identifiers in their one written form, each by its own grammar; None when the text does not follow it.

`country` is ISO 3166-1 alpha-2, upper or lower case, and may be empty where the text says it itself (+212..., an IBAN).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

import phonenumbers
from stdnum import bic, iban, imei, imo, luhn
from stdnum.es import dni, nie
from stdnum.exceptions import ValidationError

MAX = 120
_SPACE = re.compile(r"[\s\-_./·–—‐‑]+")


def _plain(text: str) -> str:
    """NFKC, any script's digits as ASCII digits, format characters gone, upper case."""
    out = []
    for c in unicodedata.normalize("NFKC", text[:MAX]):
        if unicodedata.category(c) in {"Cf", "Cc"} and c not in "\t\n ":
            continue
        digit = unicodedata.digit(c, None)
        out.append(str(digit) if digit is not None else c)
    return "".join(out).strip().upper()


def _compact(text: str) -> str:
    return _SPACE.sub("", _plain(text))


@lru_cache(maxsize=8192)  # the same few numbers are compared with every candidate, and the grammar is slow
def normal_phone(text: str, country: str = "") -> str | None:
    """E.164 (`+212612345678`), or None."""
    plain = re.sub(r"(?i)^\s*(tel|phone|téléphone|هاتف)[.:]?\s*", "", _plain(text))
    plain = re.sub(r"^00(?=[1-9])", "+", re.sub(r"[^\d+*#,;X ]", "", plain).strip())
    try:
        number = phonenumbers.parse(plain, country.upper() or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


# Moroccan plates: serial, one Arabic letter, prefecture. The Latin writing of the letters
# follows what border and insurance forms use.
_MA_LETTERS = {
    "ا": "A",
    "أ": "A",
    "إ": "A",
    "آ": "A",
    "ب": "B",
    "د": "D",
    "ه": "H",
    "ة": "H",
    "و": "W",
    "ط": "T",
    "ي": "Y",
    "ى": "Y",
    "ج": "J",
    "ك": "K",
    "ل": "L",
    "م": "M",
    "ن": "N",
    "ش": "CH",
    "س": "S",
}
_MA_PLATE = re.compile(r"^(\d{1,5})(CH|[A-Z])(\d{1,2})$")
_MA_TEMPORARY = re.compile(r"^(WW?)(\d{3,6})$|^(\d{3,6})(WW?)$")
_PLATES: dict[str, re.Pattern[str]] = {
    "ES": re.compile(
        r"^(\d{4}[BCDFGHJKLMNPRSTVWXYZ]{3}|[A-Z]{1,2}\d{4}[A-Z]{1,2}|[A-Z]{1,3}\d{1,6}|[CEHPRSTV]\d{4}[A-Z]{3}|(PGC|CNP|ET|EA|FN|CME|MF|MMA)\d{4,6}[A-Z]?)$"
    ),
    "FR": re.compile(r"^([A-HJ-NP-TV-Z]{2}\d{3}[A-HJ-NP-TV-Z]{2}|\d{1,4}[A-Z]{1,3}(\d{2}|2[AB]|97\d))$"),
    "DE": re.compile(r"^([A-ZÄÖÜ]{1,3}[A-Z]{1,2}\d{1,4}[EH]?|[A-ZÄÖÜ]{1,3}\d{1,6}|[0Y]\d{3,6})$"),
    "IT": re.compile(
        r"^([A-Z]{2}\d{3}[A-Z]{2}|[A-Z]{2}[0-9A-Z]\d{5}|[A-Z]{2}\d{5,6}|EI[A-Z]{2}\d{3}|CC\d{3}[A-Z]{2})$"
    ),
    "PT": re.compile(r"^([A-Z]{2}\d{2}[A-Z]{2}|[A-Z]{2}\d{4}|\d{4}[A-Z]{2}|\d{2}[A-Z]{2}\d{2})$"),
}


def _moroccan_plate(plain: str) -> str | None:
    letters = "".join(_MA_LETTERS.get(c, c) for c in plain.replace("ـ", ""))
    compact = re.sub(r"[^A-Z0-9]", "", letters)
    m = _MA_PLATE.match(compact)
    if not m:
        # written right to left, the prefecture may come first: 6-أ-12345
        m = re.match(r"^(\d{1,2})(CH|[A-Z])(\d{3,5})$", compact)
        if m:
            return f"MA:{int(m.group(3))}-{m.group(2)}-{int(m.group(1))}"
        t = _MA_TEMPORARY.match(compact)
        return f"MA:{t.group(1) or t.group(4)}{t.group(2) or t.group(3)}" if t else None
    serial, letter, prefecture = int(m.group(1)), m.group(2), int(m.group(3))
    return f"MA:{serial}-{letter}-{prefecture}" if serial and 1 <= prefecture <= 89 else None


def normal_plate(text: str, country: str = "") -> str | None:
    """`CC:plate`, e.g. `MA:12345-A-6`, `ES:1234BCD`; unknown countries keep letters and digits; None if neither."""
    cc = country.upper()
    plain = _plain(text)
    if cc == "MA" or (not cc and re.search("[\u0600-\u06ff]", plain)):
        return _moroccan_plate(plain)
    compact = "".join(c for c in plain if c.isalnum())
    if not 2 <= len(compact) <= 12 or not any(c.isdigit() for c in compact):
        return None
    if cc in _PLATES:
        return f"{cc}:{compact}" if _PLATES[cc].match(compact) else None
    return f"{cc}:{compact}" if compact.isascii() else None


_DOCUMENTS: dict[tuple[str, str], re.Pattern[str]] = {
    ("MA", "identity_card"): re.compile(r"^[A-Z]{1,2}\d{1,7}$"),
    ("MA", "passport"): re.compile(r"^[A-Z]{1,2}\d{6,7}$"),
    ("ES", "passport"): re.compile(r"^([A-Z]{3}\d{6}|[A-Z]{2}\d{6,7})$"),
    ("FR", "identity_card"): re.compile(r"^(\d{12}|[A-Z0-9]{9})$"),
    ("FR", "passport"): re.compile(r"^\d{2}[A-Z]{2}\d{5}$"),
    ("DE", "identity_card"): re.compile(r"^[CFGHJKLMNPRTVWXYZ0-9]{9}\d?D?$"),
    ("DE", "passport"): re.compile(r"^[CFGHJKLMNPRTVWXYZ0-9]{9}\d?D?$"),
    ("IT", "identity_card"): re.compile(r"^([A-Z]{2}\d{5}[A-Z]{2}|[A-Z]{2}\d{7}|\d{7}[A-Z]{2})$"),
    ("IT", "passport"): re.compile(r"^([A-Z]{2}\d{7}|[A-Z]\d{6})$"),
    ("PT", "identity_card"): re.compile(r"^\d{7,8}(\d[A-Z0-9]{2}\d)?$"),
    ("PT", "passport"): re.compile(r"^[A-Z]{1,2}\d{6}$"),
}


def normal_document(text: str, country: str = "", kind: str = "") -> str | None:
    """`CC:NUMBER` of a passport, identity card or permit; Spanish DNI and NIE with their check letter."""
    cc, number = country.upper(), _compact(text)
    if (
        not 4 <= len(number) <= 24
        or not number.isascii()
        or not number.isalnum()
        or not any(c.isdigit() for c in number)
    ):
        return None
    if cc == "ES" and kind in {"", "identity_card", "residence_permit"}:
        for grammar in (dni, nie):
            if grammar.is_valid(number):
                return f"ES:{grammar.compact(number).zfill(9)}"
        if kind:
            return None
    grammar_of = _DOCUMENTS.get((cc, kind))
    if grammar_of and not grammar_of.match(number):
        return None
    if cc == "DE" and len(number) >= 10:
        return f"DE:{number[:9]}" if _mrz_digit(number[:9]) == number[9] else None
    if cc == "MA" and kind == "identity_card":
        number = re.sub(r"^([A-Z]+)0+(?=\d)", r"\1", number)
    return f"{cc}:{number}" if cc else number


def _mrz_digit(text: str) -> str:
    """ICAO Doc 9303-3 section 4.9: weights 7, 3, 1."""
    values = (int(c, 36) if c.isalnum() else 0 for c in text)
    return str(sum(v * (7, 3, 1)[i % 3] for i, v in enumerate(values)) % 10)


def _checked(text: str, grammar: Callable[[str], str]) -> str | None:
    try:
        return str(grammar(text))
    except (ValidationError, ValueError, IndexError, KeyError):
        return None


def normal_iban(text: str, country: str = "") -> str | None:
    """An IBAN with a right check sum."""
    found = _checked(re.sub("^IBAN:?", "", _compact(text)), lambda t: iban.validate(t, check_country=False))
    return found if found and (not country or found.startswith(country.upper())) else None


def normal_bic(text: str, country: str = "") -> str | None:
    """A BIC of 8 or 11 characters."""
    return _checked(_compact(text), bic.validate)


def normal_imei(text: str, country: str = "") -> str | None:
    """The 14 digits that name the device (a written check digit must be right; a software version is dropped)."""
    digits = re.sub(r"\D", "", re.sub("^IMEI:?", "", _compact(text)))
    if len(digits) == 15 and not imei.is_valid(digits):
        return None
    return digits[:14] if len(digits) in {14, 15, 16} else None


_VIN = {
    c: v
    for v, letters in {1: "AJ", 2: "BKS", 3: "CLT", 4: "DMU", 5: "ENV", 6: "FW", 7: "GPX", 8: "HY", 9: "RZ"}.items()
    for c in letters
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def normal_vin(text: str, country: str = "") -> str | None:
    """ISO 3779: 17 signs without I, O, Q; the check digit is required where the maker's region uses it (1-5)."""
    number = _compact(text)
    if not re.fullmatch(r"[A-HJ-NPR-Z0-9]{17}", number):
        return None
    total = sum(w * (int(c) if c.isdigit() else _VIN[c]) for w, c in zip(_VIN_WEIGHTS, number, strict=True)) % 11
    if number[0] in "12345" and number[8] != ("X" if total == 10 else str(total)):
        return None
    return number


def normal_vessel(text: str, country: str = "") -> str | None:
    """`IMO1234567` with its check digit, or `MMSI123456789`."""
    number = re.sub("^(IMO|MMSI)(NO|NUMBER)?:?", "", _compact(text))
    if re.fullmatch(r"\d{9}", number) and number[0] in "234567":
        return f"MMSI{number}"
    found = _checked(number, imo.validate)
    return f"IMO{found}" if found else None


def normal_aircraft(text: str, country: str = "") -> str | None:
    """A registration mark (ICAO Annex 7) without its hyphen: `CNRGA`, `N12345`."""
    number = _compact(text)
    return number if re.fullmatch(r"(?=.*[A-Z])[A-Z0-9]{4,7}", number) else None


def normal_email(text: str, country: str = "") -> str | None:
    """Lower case; the domain in its ASCII form; `mailto:` and display name dropped."""
    plain = unicodedata.normalize("NFKC", text[:320]).strip()
    m = re.fullmatch(r"(?:mailto:|[^<>]*<)?\s*([^\s<>@]{1,64})@([^\s<>@]{3,253}?)\s*>?", plain, re.IGNORECASE)
    if not m or m.group(1).startswith(".") or m.group(1).endswith(".") or ".." in m.group(1):
        return None
    try:
        domain = m.group(2).rstrip(".").encode("idna").decode("ascii").lower()
    except (UnicodeError, IndexError):
        return None
    if not re.fullmatch(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", domain):
        return None
    return f"{m.group(1).casefold()}@{domain}"


_PLATFORMS = {
    "x.com": "x",
    "twitter.com": "x",
    "t.me": "telegram",
    "telegram.me": "telegram",
    "instagram.com": "instagram",
    "facebook.com": "facebook",
    "fb.com": "facebook",
    "tiktok.com": "tiktok",
    "youtube.com": "youtube",
}


def normal_username(text: str, country: str = "") -> str | None:
    """`platform:name` when a link names the platform, else the bare name in lower case without its @."""
    plain = unicodedata.normalize("NFKC", text[:200]).strip()
    m = re.fullmatch(r"(?:https?://)?(?:www\.|m\.)?([a-z.]+)/@?([\w.]{2,64})/?(?:\?.*)?", plain, re.IGNORECASE)
    if m and m.group(1).lower() in _PLATFORMS:
        return f"{_PLATFORMS[m.group(1).lower()]}:{m.group(2).casefold()}"
    bare = plain.lstrip("@").casefold()
    return bare if re.fullmatch(r"[\w.\-]{2,64}", bare) else None


_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def _base58check(text: str) -> bytes | None:
    from hashlib import sha256

    number = 0
    for c in text:
        if c not in _BASE58:
            return None
        number = number * 58 + _BASE58.index(c)
    raw = number.to_bytes(25, "big") if number < 1 << 200 else b""
    return raw if raw and sha256(sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:] else None


def _bech32(text: str) -> bool:
    """BIP 173 and BIP 350 check sums."""
    charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    human, _, data = text.rpartition("1")
    if any(c not in charset for c in data):
        return False
    values = [ord(c) >> 5 for c in human] + [0] + [ord(c) & 31 for c in human] + [charset.index(c) for c in data]
    check = 1
    for v in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ v
        for i, g in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= g if (top >> i) & 1 else 0
    return check in {1, 0x2BC830A3}


def normal_crypto(text: str, country: str = "") -> str | None:
    """`btc:`, `eth:` or `tron:` and the address; Bitcoin and Tron check sums are verified."""
    plain = re.sub(
        r"^(bitcoin|ethereum|tron):", "", unicodedata.normalize("NFKC", text[:MAX]).strip(), flags=re.IGNORECASE
    )
    if re.fullmatch(r"0x[0-9a-fA-F]{40}", plain):
        return f"eth:{plain.lower()}"
    if re.fullmatch(r"(?i)bc1[a-z0-9]{11,71}", plain) and plain in {plain.lower(), plain.upper()}:
        return f"btc:{plain.lower()}" if _bech32(plain.lower()) else None
    raw = _base58check(plain) if 25 <= len(plain) <= 35 else None
    if raw is None:
        return None
    return {0x00: f"btc:{plain}", 0x05: f"btc:{plain}", 0x41: f"tron:{plain}"}.get(raw[0])


def normal_card(text: str, country: str = "") -> str | None:
    """A payment card or SIM (ICCID) number with a right Luhn digit."""
    digits = _compact(text)
    return digits if re.fullmatch(r"\d{12,20}", digits) and luhn.is_valid(digits) else None


NORMAL: dict[str, Callable[[str, str], str | None]] = {
    "phone": normal_phone,
    "plate": normal_plate,
    "document": normal_document,
    "iban": normal_iban,
    "bic": normal_bic,
    "imei": normal_imei,
    "vin": normal_vin,
    "vessel": normal_vessel,
    "aircraft": normal_aircraft,
    "email": normal_email,
    "username": normal_username,
    "crypto": normal_crypto,
    "card": normal_card,
}


@lru_cache(maxsize=8192)
def normal_identifier(kind: str, text: str, country: str = "") -> str | None:
    """By kind; None for a kind that has no grammar here."""
    grammar = NORMAL.get(kind)
    return grammar(text, country) if grammar else None
