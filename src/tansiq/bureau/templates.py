"""Templates: bodies of acts with places such as `{{place}}` to fill in. Pure but for `Templates`, which keeps them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tansiq.bureau import records
from tansiq.bureau.model import Template
from tansiq.crypto import Vault
from tansiq.errors import Invalid, NotFound
from tansiq.store import Store

_PLACE = re.compile(r"\{\{\s*([a-z][a-z0-9_]{0,39})\s*\}\}")
MAX_NAME = 80
MAX_DEPTH = 12
MAX_PLACES = 64


def _walk(value: Any, change: Callable[[str], Any], depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        raise Invalid("template.too_deep", f"nested deeper than {MAX_DEPTH}", step="read the template", field="body")
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {k: _walk(v, change, depth + 1) for k, v in value.items()}
    if isinstance(value, list):
        return [_walk(v, change, depth + 1) for v in value]
    return value


def places_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The places to fill in, in the order in which they stand."""
    found: dict[str, None] = {}

    def note(text: str) -> str:
        found.update(dict.fromkeys(_PLACE.findall(text)))
        return text

    _walk(body, note)
    if len(found) > MAX_PLACES:
        raise Invalid("template.too_many", f"more than {MAX_PLACES} places", step="read the template", field="body")
    return tuple(found)


def fill(template: Template, values: Mapping[str, str]) -> dict[str, Any]:
    """The body with its places filled in. What is filled in is text, never a new place or structure.

    Raises `Invalid` where a value is missing or belongs to no place.
    """
    for name in values:
        if name not in template.places:
            raise Invalid("template.no_place", "the template has no such place", step="fill in", field=str(name)[:40])
    for name in template.places:
        if not values.get(name, "").strip():
            raise Invalid("template.missing", "this place is not filled in", step="fill in", field=name)
    filled: dict[str, Any] = _walk(template.body, lambda text: _PLACE.sub(lambda m: values[m[1]], text))
    return filled


class Templates:
    """A service's own. Two have never one name."""

    def __init__(self, store: Store, vault: Vault, new_id: Callable[[], str]) -> None:
        self._store = store
        self._vault = vault
        self._new_id = new_id

    def save(self, name: str, kind: str, body: Mapping[str, Any]) -> Template:
        """Keep a template; one of the same name is replaced. Raises `Invalid`."""
        name = name.strip()
        if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
            raise Invalid("template.name", f"1 to {MAX_NAME} characters", step="save the template", field="name")
        made = Template(f"t-{self._new_id()}"[:34], name, kind, dict(body), places_of(body))
        blind = self._vault.mac("template", name.casefold())
        self._store.write(lambda tx: records.put_template(tx, self._vault, made, blind))
        return made

    def kept(self, kind: str = "") -> list[Template]:
        with self._store.read() as tx:
            return records.templates(tx, self._vault, kind)

    def get(self, name: str) -> Template:
        """By its name. Raises `NotFound`."""
        with self._store.read() as tx:
            found = records.templates(tx, self._vault, name=self._vault.mac("template", name.strip().casefold()))
        if not found:
            raise NotFound("template.unknown", "no such template", step="find the template", field="template")
        return found[0]

    def remove(self, name: str) -> None:
        template = self.get(name).id
        self._store.write(lambda tx: records.drop_template(tx, template))
