"""WCAG 2.2 AA, as far as a program can see it: axe-core on every page, in Arabic and English, light and dark.

axe-core comes through npm into a folder of the test run; where npm cannot bring it, these tests say so and are skipped.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.web import Town
from tests.web.test_browser import CHROMIUM, DRIVER, address, driver, open_page, signed_in

__all__ = ["address", "driver", "signed_in"]

AXE = "axe-core@4.14.1"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium and chromedriver on this machine"),
]
LOOK = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: arguments[0]}).then(r => done(r.violations.map(
  v => `${v.id} (${v.impact}): ${v.help}: ${v.nodes.slice(0, 3).map(n => n.html.slice(0, 120)).join(" | ")}`)));
"""


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm here: axe-core cannot be fetched")
    folder = tmp_path_factory.mktemp("axe")
    command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder), AXE]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    except (subprocess.SubprocessError, OSError):
        pytest.skip("npm cannot bring axe-core here")
    raw = (Path(folder) / "node_modules" / "axe-core" / "axe.min.js").read_bytes()
    assert hashlib.sha256(raw).hexdigest() == SHA256
    return raw.decode("utf-8")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["ar", "en"])
def test_no_page_breaks_a_rule_that_a_program_can_check(
    town: Town, address: str, signed_in, axe: str, language: str, theme: str
) -> None:
    driver = signed_in
    d, r = f"/dossiers/{town.dossier}", f"/dossiers/{town.request}"
    pages = ["/", "/dossiers", d, r, f"/hits/{town.match}", "/hits?state=all", "/bank", "/ledger", "/partners"]
    pages += [
        "/second",
        "/compose/report",
        "/compose/request",
        "/compose/operation",
        "/compose/major_event",
        f"{d}/acts/dossier.feedback",
        "/there-is-no-such-page",
    ]
    pages += ["/plans", "/plans/new", f"/plans/{town.plan}", f"/plans/meetings/{town.meeting}"]
    pages += ["/checks/new", f"/checks/{town.check}", "/private?quota=5000"]
    driver.add_cookie({"name": "tq_language", "value": language})
    driver.add_cookie({"name": "tq_theme", "value": theme})
    found = {}
    for path in pages:
        open_page(driver, address, path)
        driver.execute_script(axe)
        if said := driver.execute_async_script(LOOK, RULES):
            found[path] = said
    assert not found, "\n".join(f"{path}: {line}" for path, lines in found.items() for line in lines)
