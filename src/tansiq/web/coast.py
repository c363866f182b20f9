"""A coarse coast and the towns that stand on it, for the maps: drawn by hand for Tansiq from general knowledge. Pure.

From Cape Blanc to the mouth of the Oder and to Sicily; no border is drawn anywhere. It is right to ten or twenty
kilometres: good enough to see which sea a place lies at, and too coarse for a harbour, so a close view has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Point = tuple[float, float]
"""(longitude, latitude)"""

WEST, EAST, SOUTH, NORTH = -19.0, 18.0, 19.0, 58.0
"""Where there is a coast of ours: outside nothing is drawn, as if all were land or all sea."""

_AFRICA = """
18 19 -17.0 19 -16.5 19.4 -16.3 20.2 -17.05 20.8 -16.9 21.9 -15.9 23.7 -15.0 25.0 -14.5 26.1 -13.5 27.0
-12.9 27.95 -11.5 28.3 -11.1 28.8 -10.2 29.4 -9.65 30.15 -9.65 30.45 -9.85 31.4 -9.77 31.5 -9.25 32.3 -8.5 33.27
-7.6 33.6 -6.85 34.03 -6.6 34.27 -6.17 35.18 -5.92 35.78 -5.5 35.86 -5.35 35.9 -5.3 35.88 -5.35 35.65
-5.25 35.55 -4.7 35.22 -3.9 35.25 -3.0 35.28 -2.95 35.43 -2.9 35.25 -2.2 35.09 -1.3 35.3 -0.65 35.74 0.05 35.9
1.0 36.45 2.3 36.65 3.05 36.8 3.9 36.92 5.08 36.75 5.8 36.83 6.9 37.05 7.75 36.95 8.7 36.95 9.85 37.33
10.3 36.85 10.9 37.05 11.05 36.8 10.55 36.4 10.65 35.8 11.1 35.2 10.75 34.7 10.1 34.0 10.3 33.8 11.1 33.5
11.15 33.2 12.3 32.85 13.2 32.9 15.1 32.4 15.4 31.5 17.0 31.0 18 30.7
"""
_EUROPE = """
18 54.8 16.3 54.3 14.3 53.92 13.6 54.1 13.4 54.65 12.45 54.4 12.1 54.18 11.0 54.0 10.8 54.35 10.15 54.4
9.9 54.85 10.0 55.2 9.7 55.5 10.3 56.1 10.9 56.4 10.3 56.7 10.5 57.5 10.6 57.73 9.9 57.5 8.6 57.1 8.1 56.5
8.1 55.6 8.65 55.1 8.6 54.4 8.85 54.1 8.7 53.88 8.25 53.6 8.0 53.7 7.1 53.65 6.9 53.4 5.9 53.4 5.2 53.2 5.4 52.9
5.05 52.95 4.75 52.95 4.55 52.4 4.0 51.95 3.5 51.5 3.0 51.27 2.4 51.04 1.6 50.87 1.58 50.2 1.05 49.92 0.15 49.65
0.1 49.45 -0.3 49.3 -1.15 49.37 -1.3 49.7 -1.9 49.72 -1.6 48.85 -1.5 48.63 -2.0 48.65 -3.1 48.85 -4.0 48.72
-4.75 48.4 -4.4 48.3 -4.7 48.05 -4.3 47.8 -3.3 47.7 -2.5 47.5 -2.15 47.25 -2.0 46.8 -1.2 46.15 -1.05 45.6
-1.25 44.65 -1.45 43.65 -1.8 43.38 -3.0 43.38 -4.5 43.4 -5.7 43.6 -7.2 43.58 -7.9 43.75 -8.4 43.38 -9.25 43.0
-8.85 42.3 -8.85 41.6 -8.67 41.15 -8.9 40.2 -9.4 39.35 -9.5 38.78 -9.1 38.7 -9.2 38.42 -8.8 38.45 -8.8 37.95
-8.98 37.02 -7.9 37.0 -7.4 37.18 -6.9 37.15 -6.4 36.75 -6.3 36.52 -6.05 36.18 -5.6 36.0 -5.43 36.13 -5.35 36.12
-5.1 36.43 -4.42 36.7 -3.5 36.72 -2.75 36.68 -2.45 36.83 -2.15 36.73 -1.85 37.1 -1.5 37.42 -0.95 37.6 -0.7 37.62
-0.65 38.0 -0.5 38.33 0.2 38.73 -0.2 39.05 -0.32 39.45 0.0 40.0 0.6 40.55 0.85 40.7 0.7 40.85 1.25 41.1
2.18 41.38 3.2 41.95 3.3 42.32 3.1 42.45 3.05 43.1 3.7 43.4 4.5 43.4 5.0 43.4 5.35 43.25 5.9 43.08 6.65 43.2
7.0 43.53 7.5 43.77 8.2 43.95 8.9 44.4 9.8 44.05 10.3 43.55 10.5 42.95 11.1 42.4 11.8 42.08 12.25 41.73
13.0 41.25 13.75 41.23 14.2 40.8 14.8 40.65 15.3 40.05 15.75 39.9 16.2 39.0 15.85 38.65 15.65 38.0 16.1 37.93
16.6 38.45 17.1 38.95 16.95 39.4 16.55 39.7 16.9 40.45 17.5 40.3 18 39.95
"""
_ADRIATIC = """
18 40.72 17.0 41.1 16.0 41.45 16.15 41.8 15.3 41.93 14.2 42.5 13.6 43.55 12.7 44.0 12.3 44.5 12.5 44.97
12.35 45.4 13.1 45.65 13.75 45.65 13.5 45.45 13.65 45.1 13.9 44.78 14.4 45.3 14.9 45.0 15.2 44.1 16.4 43.5
17.6 42.95 18 42.6
"""
_ISLANDS = (
    "12.4 37.8 13.3 38.2 14.5 38.05 15.6 38.28 15.1 37.5 15.1 36.68 14.3 37.0 13.0 37.5 12.4 37.8",
    "8.2 40.9 9.2 41.25 9.8 40.5 9.55 39.15 9.0 39.0 8.4 39.0 8.45 39.8 8.2 40.9",
    "9.4 43.0 9.55 42.1 9.25 41.38 8.6 41.9 8.6 42.4 9.4 43.0",
    "2.35 39.58 3.1 39.95 3.45 39.7 3.05 39.27 2.7 39.5 2.35 39.58",
    "1.2 38.95 1.55 39.1 1.6 38.97 1.4 38.85 1.2 38.95",
    "-13.9 28.75 -13.83 28.2 -14.3 28.05 -13.9 28.75",
    "-15.8 28.1 -15.4 28.15 -15.4 27.8 -15.7 27.77 -15.8 28.1",
    "-16.9 28.35 -16.15 28.57 -16.4 28.1 -16.7 28.0 -16.9 28.35",
    "1.4 51.2 0.3 50.75 -1.1 50.77 -2.45 50.55 -3.5 50.5 -4.2 50.33 -5.65 50.05 -4.5 51.0 -3.0 51.2 -5.2 51.75 "
    "-4.2 52.6 -4.5 53.2 -3.0 53.4 -3.2 54.9 -5.0 54.75 -5.6 56.5 -5.0 58 -3.9 58 -4.1 57.6 -2.0 57.6 -2.9 56.3 "
    "-1.6 55.2 0.1 53.6 0.3 52.85 1.7 52.7 1.4 51.2",
    "-6.1 52.2 -8.3 51.8 -10.2 51.6 -9.9 52.9 -10.0 54.2 -8.3 55.1 -6.1 55.1 -5.5 54.4 -6.1 53.5 -6.1 52.2",
)

_TOWNS = """
35.77 -5.80 Tangier|طنجة|Tanger|Tánger|Tanger
35.57 -5.37 Tétouan|تطوان|Tétouan|Tetuán|Tétouan
35.19 -6.15 Larache|العرائش|Larache|Larache|Larache
34.02 -6.84 Rabat|الرباط|Rabat|Rabat|Rabat
33.57 -7.60 Casablanca|الدار البيضاء|Casablanca|Casablanca|Casablanca
34.03 -5.00 Fez|فاس|Fès|Fez|Fès
31.63 -8.00 Marrakesh|مراكش|Marrakech|Marrakech|Marrakesch
30.42 -9.60 Agadir|أكادير|Agadir|Agadir|Agadir
34.68 -1.91 Oujda|وجدة|Oujda|Uchda|Oujda
35.17 -2.93 Nador|الناظور|Nador|Nador|Nador
36.75 3.06 Algiers|الجزائر|Alger|Argel|Algier
36.80 10.18 Tunis|تونس|Tunis|Túnez|Tunis
36.13 -5.45 Algeciras|الجزيرة الخضراء|Algésiras|Algeciras|Algeciras
36.53 -6.29 Cádiz|قادس|Cadix|Cádiz|Cádiz
36.72 -4.42 Málaga|مالقة|Malaga|Málaga|Málaga
37.18 -3.60 Granada|غرناطة|Grenade|Granada|Granada
37.39 -5.98 Seville|إشبيلية|Séville|Sevilla|Sevilla
36.84 -2.46 Almería|ألمرية|Almería|Almería|Almería
38.35 -0.48 Alicante|أليكانتي|Alicante|Alicante|Alicante
39.47 -0.38 Valencia|بلنسية|Valence|Valencia|Valencia
40.42 -3.70 Madrid|مدريد|Madrid|Madrid|Madrid
41.39 2.17 Barcelona|برشلونة|Barcelone|Barcelona|Barcelona
41.65 -0.88 Zaragoza|سرقسطة|Saragosse|Zaragoza|Saragossa
43.26 -2.93 Bilbao|بلباو|Bilbao|Bilbao|Bilbao
38.72 -9.14 Lisbon|لشبونة|Lisbonne|Lisboa|Lissabon
41.15 -8.61 Porto|بورتو|Porto|Oporto|Porto
37.02 -7.93 Faro|فارو|Faro|Faro|Faro
48.86 2.35 Paris|باريس|Paris|París|Paris
43.30 5.37 Marseille|مرسيليا|Marseille|Marsella|Marseille
45.76 4.84 Lyon|ليون|Lyon|Lyon|Lyon
43.60 1.44 Toulouse|تولوز|Toulouse|Toulouse|Toulouse
44.84 -0.58 Bordeaux|بوردو|Bordeaux|Burdeos|Bordeaux
50.63 3.06 Lille|ليل|Lille|Lille|Lille
48.58 7.75 Strasbourg|ستراسبورغ|Strasbourg|Estrasburgo|Straßburg
43.70 7.27 Nice|نيس|Nice|Niza|Nizza
41.90 12.50 Rome|روما|Rome|Roma|Rom
45.46 9.19 Milan|ميلانو|Milan|Milán|Mailand
40.85 14.27 Naples|نابولي|Naples|Nápoles|Neapel
44.41 8.93 Genoa|جنوة|Gênes|Génova|Genua
38.12 13.36 Palermo|باليرمو|Palerme|Palermo|Palermo
52.52 13.40 Berlin|برلين|Berlin|Berlín|Berlin
53.55 10.00 Hamburg|هامبورغ|Hambourg|Hamburgo|Hamburg
48.14 11.58 Munich|ميونيخ|Munich|Múnich|München
50.94 6.96 Cologne|كولونيا|Cologne|Colonia|Köln
50.11 8.68 Frankfurt|فرانكفورت|Francfort|Fráncfort|Frankfurt
50.85 4.35 Brussels|بروكسيل|Bruxelles|Bruselas|Brüssel
52.37 4.90 Amsterdam|أمستردام|Amsterdam|Ámsterdam|Amsterdam
46.20 6.14 Geneva|جنيف|Genève|Ginebra|Genf
51.51 -0.13 London|لندن|Londres|Londres|London
"""
_ORDER = ("en", "ar", "fr", "es", "de")


@dataclass(frozen=True)
class Town:
    """A town by its names: what stands on the map stands in the reader's language."""

    latitude: float
    longitude: float
    names: tuple[str, ...]

    def name(self, language: str) -> str:
        return self.names[_ORDER.index(language) if language in _ORDER else 0]


def _points(text: str) -> tuple[Point, ...]:
    numbers = [float(n) for n in text.split()]
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _towns() -> Iterator[Town]:
    for line in _TOWNS.strip().split("\n"):
        latitude, longitude, names = line.split(" ", 2)
        yield Town(float(latitude), float(longitude), tuple(names.split("|")))


LEAST_AREA = 1e-7
"""Twice, in square degrees."""
TOWNS: tuple[Town, ...] = tuple(_towns())
LANDS: tuple[tuple[Point, ...], ...] = (
    _points(_AFRICA),
    (*_points(_EUROPE), *_points(_ADRIATIC)),
    *(_points(island) for island in _ISLANDS),
)
"""Each a ring; the two great ones are closed along the edge of what is drawn."""


def within(west: float, east: float, south: float, north: float) -> bool:
    """Whether all of a view lies where there is a coast of ours."""
    return west >= WEST and east <= EAST and south >= SOUTH and north <= NORTH


def clipped(ring: tuple[Point, ...], west: float, east: float, south: float, north: float) -> tuple[Point, ...]:
    """What of a ring lies in a view: one edge of the view after the other (Sutherland and Hodgman)."""
    found: tuple[Point, ...] = ring
    for axis, limit, sign in ((0, west, 1), (0, east, -1), (1, south, 1), (1, north, -1)):
        found = tuple(_cut(found, axis, limit, sign))
    # What only touches the view leaves a line along its edge.
    twice = sum(found[n - 1][0] * y - x * found[n - 1][1] for n, (x, y) in enumerate(found))
    return found if abs(twice) > LEAST_AREA else ()


def _cut(ring: tuple[Point, ...], axis: int, limit: float, sign: int) -> Iterator[Point]:
    for n, here in enumerate(ring):
        before = ring[n - 1]
        was, stands = sign * (before[axis] - limit) >= 0, sign * (here[axis] - limit) >= 0
        if was != stands:
            share = (limit - before[axis]) / (here[axis] - before[axis])
            yield before[0] + share * (here[0] - before[0]), before[1] + share * (here[1] - before[1])
        if stands:
            yield here
