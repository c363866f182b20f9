"""The people, cars and numbers of the demo. All invented; no real person, number or case stands behind any of them.

Phone numbers use ranges that the demo made up; names are common ones put together at random.
"""

from __future__ import annotations

from typing import Any

ARABIC_NARRATIVE = (
    "في إطار بحث تجريه المصالح المختصة حول شبكة تنشط في سرقة المركبات وتهريبها عبر ميناء طنجة المتوسط، تبين أن المسمى "
    "يوسف بن عمر الزروالي، المزداد في 17 يونيو 1989 بتطوان، كان على متن سيارة رباعية الدفع تحمل لوحة "
    "الترقيم 48213-ب-40 رفقة المسماة سميرة الودغيري. وقد رصد استعماله لرقم الهاتف +212600000142 "
    "في اتصالات متكررة مع أرقام إسبانية خلال الفترة الممتدة من 3 إلى 11 نونبر 2026. "
    "يُطلب من مصالحكم الموافاة بأي معلومة متوفرة حول المعنيين بالأمر."
)
SOURCE_NOTE = "المصدر شخص موثوق على صلة مباشرة بالمعني بالأمر؛ يُرجى عدم الإشارة إليه."


def _claims(**values: str | tuple[str, str]) -> list[dict[str, str]]:
    found = []
    for prop, value in values.items():
        text, lang = value if isinstance(value, tuple) else (value, "")
        found.append(
            {"property": prop, "value": text, "lang": lang, "basis": "fact", "grade": "B2", "as_of": "2026-11-12"}
        )
    return found


def _entity(ref: str, schema: str, role: str = "", **values: str | tuple[str, str]) -> dict[str, Any]:
    entity: dict[str, Any] = {"id": ref, "schema": schema, "claims": _claims(**values)}
    if role:
        entity["role"] = role
    return {"kind": "entity", "entity": entity}


def report_body(hide_source_from: list[str]) -> dict[str, Any]:
    """Rabat's report. The note on the source is withheld from the partners in `hide_source_from`."""
    return {
        "subject": "شبكة لسرقة المركبات وتهريبها عبر ميناء طنجة المتوسط",
        "facts": {"crime_areas": ["motor_vehicle_crime", "organised_crime"], "grade": "B2", "language": "ar"},
        "handling": {"codes": ["H2"]},
        "legal": {
            "purpose": "investigation",
            "legal_basis": "قانون المسطرة الجنائية (مثال)؛ بحث قضائي",
            "agreement": {"ES": "ma-es-2019", "DE": "ma-de"},
            "transfer_basis": "binding_instrument_37a",
            "review_on": "2027-05-22",
            "erase_on": "2029-11-22",
        },
        "parts": [
            {"kind": "narrative", "lang": "ar", "text": ARABIC_NARRATIVE},
            {"kind": "note", "lang": "ar", "text": SOURCE_NOTE, "withhold_from": hide_source_from},
            _entity(
                "p1",
                "Person",
                "SUSP",
                name=("يوسف بن عمر الزروالي", "ar"),
                birthDate="1989-06-17",
                birthPlace=("تطوان", "ar"),
                nationality="MA",
            ),
            _entity("p2", "Person", "ASSO", name=("سميرة الودغيري", "ar")),
            _entity("ph1", "Phone", number="+212600000142"),
            _entity("v1", "Vehicle", registrationNumber=("48213-ب-40", "ar"), country="MA", type="SUV"),
            {"kind": "link", "from": "p1", "to": "ph1", "type": "uses", "basis": "fact", "grade": "B2"},
            {"kind": "link", "from": "p1", "to": "v1", "type": "drives", "basis": "fact", "grade": "B2"},
            {"kind": "link", "from": "p1", "to": "p2", "type": "seen_with", "basis": "assessment", "grade": "B3"},
        ],
    }


def press_body(lang: str, title: str, text: str, persons: tuple[str, ...]) -> dict[str, Any]:
    """A press text as a report. A name in it is a proposal: an assessment, of unknown reliability."""
    body = report_body([])
    body["subject"] = title
    body["facts"] = {"crime_areas": ["terrorism", "organised_crime"], "grade": "X4", "language": lang}
    body["handling"] = {"codes": ["H0"]}
    parts: list[dict[str, Any]] = [{"kind": "narrative", "lang": lang, "text": text}]
    for n, name in enumerate(persons, 1):
        claim = {"property": "name", "value": name, "lang": lang, "basis": "assessment", "grade": "X4"}
        entity = {"id": f"p{n}", "schema": "Person", "role": "CONT", "claims": [claim]}
        parts.append({"kind": "entity", "entity": entity})
    return {**body, "parts": parts}


def request_body(report_entry: str) -> dict[str, Any]:
    """Madrid's urgent request to Rabat after the hit."""
    return {
        "subject": "Yusef Benomar Serruali: datos de identidad y movimientos",
        "facts": {
            "urgency": "urgent",
            "urgency_ground": "loss_of_relevance",
            "accessibility": "direct",
            "crime_areas": ["motor_vehicle_crime"],
            "offence_max_penalty_months": 72,
            "about": report_entry,
        },
        "handling": {"codes": ["H1"]},
        "legal": {
            "purpose": "investigation",
            "legal_basis": "Ley de Enjuiciamiento Criminal (ejemplo); diligencias previas",
            "agreement": "ma-es-2019",
            "transfer_basis": "binding_instrument_37a",
            "review_on": "2027-05-22",
            "erase_on": "2029-11-22",
        },
        "parts": [
            {
                "kind": "question",
                "lang": "es",
                "text": "Datos de identidad completos, documentos y cruces de frontera desde el 1 de noviembre.",
            },
            {
                "kind": "facts",
                "lang": "es",
                "text": "Tres vehículos sustraídos en la Costa del Sol en octubre; uno localizado en el puerto.",
            },
            {
                "kind": "availability",
                "lang": "es",
                "text": "La persona figura en el informe recibido y es nacional del Estado requerido.",
            },
            {
                "kind": "urgency_reasons",
                "lang": "es",
                "text": "El vehículo embarca previsiblemente en las próximas horas.",
            },
        ],
    }


MADRID_HOLDINGS: list[dict[str, Any]] = [
    {
        "id": "es-1",
        "schema": "Person",
        "role": "SUSP",
        "claims": [
            {"property": "name", "value": "Yusef Benomar Serruali", "lang": "es", "basis": "fact", "grade": "A2"},
            {"property": "birthDate", "value": "1989", "basis": "fact", "grade": "A2"},
            {"property": "nationality", "value": "MA", "basis": "fact", "grade": "A2"},
        ],
    },
    {
        "id": "es-2",
        "schema": "Person",
        "role": "SUSP",
        "claims": [
            {"property": "name", "value": "Jordi Casals Montaner", "lang": "es", "basis": "fact", "grade": "A1"},
            {"property": "birthDate", "value": "1975-02-09", "basis": "fact", "grade": "A1"},
        ],
    },
    {
        "id": "es-3",
        "schema": "Vehicle",
        "claims": [
            {"property": "registrationNumber", "value": "0417 KZZ", "basis": "fact", "grade": "A1"},
            {"property": "country", "value": "ES", "basis": "fact", "grade": "A1"},
        ],
    },
]
BERLIN_HOLDINGS: list[dict[str, Any]] = [
    {
        "id": "de-1",
        "schema": "Person",
        "role": "CONT",
        "claims": [
            {"property": "name", "value": "Samira El Wadghiri", "lang": "de", "basis": "fact", "grade": "B3"},
            {"property": "nationality", "value": "MA", "basis": "fact", "grade": "B3"},
        ],
    },
    {
        "id": "de-2",
        "schema": "Person",
        "role": "SUSP",
        "claims": [{"property": "name", "value": "Torsten Brückner", "lang": "de", "basis": "fact", "grade": "A2"}],
    },
]
RABAT_HOLDINGS: list[dict[str, Any]] = [
    {
        "id": "ma-1",
        "schema": "Person",
        "role": "SUSP",
        "claims": [
            {"property": "name", "value": "يوسف بن عمر الزروالي", "lang": "ar", "basis": "fact", "grade": "A2"},
            {"property": "birthDate", "value": "1989-06-17", "basis": "fact", "grade": "A2"},
            {"property": "passportNumber", "value": "QX4471902", "basis": "fact", "grade": "A1"},
        ],
    },
]
