"""One walk through every page in a real browser: nothing in its console, and no request to another host."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import uvicorn

from tests.support.web import PASSWORD, Town

selenium = pytest.importorskip("selenium.webdriver", reason="no selenium here")
CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium and chromedriver on this machine"),
]
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
FLAGS += ["--disable-component-update", "--disable-sync", "--window-size=1440,1000"]


@pytest.fixture(scope="module")
def address(town: Town) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(town.app("madrid"), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="module")
def driver() -> Iterator[object]:
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    made = selenium.Chrome(options=options, service=selenium.ChromeService(DRIVER))
    yield made
    made.quit()


def hosts_asked(driver) -> set[str]:
    """Every host that the pages made the browser ask; its own start page is not ours."""
    found = set()
    for line in driver.get_log("performance"):
        message = json.loads(line["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            parts = urlsplit(message["params"]["request"]["url"])
            if parts.scheme in ("http", "https", "ws", "wss"):
                found.add(parts.netloc)
    return found


def wait(driver, what: str, look: Callable[[], object]) -> None:
    """A click returns before its page does, and signing in is slow on purpose (Argon2id)."""
    until = time.monotonic() + 30
    while not look():
        assert time.monotonic() < until, f"{what}: {driver.current_url}"
        time.sleep(0.05)


def open_page(driver, address: str, path: str) -> None:
    """Open a page; where it asks why, say so, and open it again."""
    driver.get(address + path)
    if form := driver.find_elements("css selector", 'form[action="/purpose"]'):
        driver.execute_script("document.getElementById('purpose').value = 'investigation'")
        driver.find_element("id", "justification").send_keys("case 7 of the desk")
        form[0].find_element("css selector", "button").click()
        wait(
            driver,
            "the purpose was not taken",
            lambda: not driver.find_elements("css selector", 'form[action="/purpose"]'),
        )
        driver.get(address + path)


@pytest.fixture(scope="module")
def signed_in(town: Town, address: str, driver):
    driver.get(f"{address}/sign-in")
    driver.find_element("id", "name").send_keys("salma")
    driver.find_element("id", "password").send_keys(PASSWORD)
    driver.find_element("css selector", "button.main").click()
    wait(
        driver, "signing in with a real browser's form failed", lambda: driver.find_elements("css selector", "nav.nav")
    )
    return driver


def test_every_page_is_silent_and_asks_nobody_else(town: Town, address: str, signed_in) -> None:
    driver = signed_in
    d, r = f"/dossiers/{town.dossier}", f"/dossiers/{town.request}"
    pages = ["/", "/dossiers", d, r, f"/hits/{town.match}", "/hits", "/bank", "/ledger", "/partners", "/second"]
    pages += ["/compose/report", "/compose/request", f"{d}/acts/dossier.feedback"]
    pages += ["/plans", "/plans/new", f"/plans/{town.plan}", f"/plans/meetings/{town.meeting}"]
    pages += ["/checks/new", f"/checks/{town.check}", "/private", "/private?quota=5000"]
    for language in ("ar", "en"):
        driver.add_cookie({"name": "tq_language", "value": language})
        for path in pages:
            open_page(driver, address, path)
            shown = driver.execute_script(
                "return [document.documentElement.lang.slice(0, 2), document.documentElement.dir,"
                " document.documentElement.scrollWidth - document.documentElement.clientWidth,"
                " getComputedStyle(document.body).fontFamily, document.querySelectorAll('h1').length]"
            )
            assert shown[0] == language, path
            assert shown[1] == ("rtl" if language == "ar" else "ltr"), path
            assert shown[2] <= 0, f"{path} scrolls sideways"
            assert "Tansiq" in shown[3]
            assert shown[4] == 1, f"{path} has {shown[4]} first headings"
            said = [x for x in driver.get_log("browser") if x["level"] in ("SEVERE", "WARNING")]
            assert not said, (path, said)
    assert hosts_asked(driver) == {urlsplit(address).netloc}


def test_a_key_chooses_an_answer_and_never_records_it(town: Town, address: str, signed_in) -> None:
    driver = signed_in
    open_page(driver, address, f"/hits/{town.match}")
    for key, side in (("[", "side-a"), ("]", "side-b")):
        driver.find_element("css selector", "body").send_keys(key)
        assert driver.switch_to.active_element.get_attribute("id") == side
    driver.find_element("css selector", "body").send_keys("y")
    wait(driver, "the key chose nothing", lambda: driver.find_element("id", "answer-hit").is_selected())
    assert driver.switch_to.active_element.get_attribute("id") == "reason"
    assert town.node("madrid").hits.match(town.match).state == "open"


LONG_WORD = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetzvollzugsgesellschaft"


def test_a_long_word_stays_inside_a_small_screen(town: Town, address: str, signed_in) -> None:
    """320 px, as at 400 % zoom (WCAG 2.2, 1.4.10): a German compound in a title, a value or a list breaks."""
    driver = signed_in
    size = {"width": 320, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        for path in ("/", "/hits", "/dossiers", f"/dossiers/{town.dossier}", f"/hits/{town.match}"):
            open_page(driver, address, path)
            driver.execute_script(
                "for (const x of document.querySelectorAll('main bdi:not(.mono)')) x.textContent = arguments[0]",
                LONG_WORD,
            )
            over = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert driver.execute_script(over) == 0, path
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_on_a_telephone_the_clock_stands_before_the_dossier_and_the_rest_of_the_rail_after_it(
    town: Town, address: str, signed_in
) -> None:
    """Who opens it at night has to see first until when; before, all of the rail stood first, or (a room's) last."""
    driver = signed_in
    tops = """return ['.rail-part.before', '.main-col', '.rail-part:not(.before)'].map(
      q => document.querySelector(q).getBoundingClientRect().top)"""
    try:
        for width in (390, 1000):
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            open_page(driver, address, f"/dossiers/{town.request}")
            before, main, after = driver.execute_script(tops)
            assert before < main < after, width
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_on_a_telephone_the_evidence_stands_before_the_question_and_a_bar_leads_to_it(
    town: Town, address: str, signed_in
) -> None:
    """Who is asked first decides first: before, score and question stood above both records."""
    driver = signed_in
    order = [".rail-part.before", "#side-a", "#side-b", ".score-table", "#decide", ".card.drawn"]
    try:
        for width in (390, 1100):
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            open_page(driver, address, f"/hits/{town.match}")
            tops = driver.execute_script(
                "return arguments[0].map(q => document.querySelector(q).getBoundingClientRect().top)", order
            )
            assert tops == sorted(tops), (width, tops)
            assert tops[2] < tops[3] < tops[4] < tops[5], (width, tops)
            bar = "const b = document.querySelector('.decide-bar').getBoundingClientRect(); return [b.bottom, b.height]"
            bottom, height = driver.execute_script(bar)
            assert 850 < bottom <= 900, "the bar stands at the end of the screen"
            assert height >= 24
            driver.execute_script("document.getElementById('decide').scrollIntoView({block: 'center'})")
            docked, _height = driver.execute_script(bar)
            asked = driver.execute_script("return document.querySelector('#decide').getBoundingClientRect().top")
            assert docked <= asked, "and never over the question itself"
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_an_empty_field_of_an_arabic_page_begins_at_the_right(town: Town, address: str, signed_in) -> None:
    driver = signed_in
    driver.add_cookie({"name": "tq_language", "value": "ar"})
    try:
        open_page(driver, address, "/compose/report")
        fields = driver.find_elements("css selector", "[dir=auto]:is(input, textarea)")
        look = "return arguments[0].map(x => getComputedStyle(x).direction)"
        assert set(driver.execute_script(look, fields)) == {"rtl"}
        field = driver.find_element("id", "top-q")
        field.send_keys("Yusef")
        assert driver.execute_script("return getComputedStyle(arguments[0]).direction", field) == "ltr"
    finally:
        driver.add_cookie({"name": "tq_language", "value": "en"})


@contextmanager
def on_paper(driver, address: str, *paths: str) -> Iterator[None]:
    """A page as it prints. One that has yet to ask why asks on the screen first: paper has no form to fill in."""
    for path in paths:
        open_page(driver, address, path)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        yield
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_on_paper_the_law_is_open_the_marking_covers_nothing_and_no_form_is_left(
    town: Town, address: str, signed_in
) -> None:
    driver = signed_in
    with on_paper(driver, address, f"/dossiers/{town.dossier}"):
        look = """const seen = (q) => [...document.querySelectorAll(q)].filter((x) => x.getClientRects().length).length;
        const frame = getComputedStyle(document.querySelector('.frame'));
        const law = document.querySelector('.entry details.more dl');
        return {forms: seen('main form, main .btn'), law: law.checkVisibility({contentVisibilityAuto: true}),
          cloned: frame.boxDecorationBreak || frame.webkitBoxDecorationBreak,
          room: parseFloat(frame.paddingTop) - document.querySelector('.mark-strip').getBoundingClientRect().height}"""
        found = driver.execute_script(look)
    assert (found["forms"], found["law"], found["cloned"]) == (0, True, "clone")
    assert found["room"] >= 0


def test_on_paper_the_law_of_an_entry_is_lines_of_text_and_what_asks_is_gone(
    town: Town, address: str, signed_in
) -> None:
    """A table of the law under each entry made 29 sheets of a committee; a form is of no use on any."""
    driver = signed_in
    with on_paper(driver, address, f"/hits/{town.match}", f"/dossiers/{town.dossier}"):
        law = driver.find_element("css selector", ".entry > details.more > dl")
        assert law.rect["height"] < 70
        assert law.find_element("css selector", "dt").value_of_css_property("display") == "inline"
        driver.get(f"{address}/hits/{town.match}")
        seen = (
            "return [...document.querySelectorAll('.decide-bar, form')].filter(x => x.getClientRects().length).length"
        )
        assert driver.execute_script(seen) == 0
