"""Puts pages, API and health together into one application."""

from __future__ import annotations

from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tansiq.web import api, files, health, problems
from tansiq.web.desk import Desk
from tansiq.web.endpoints import PageFunction, page
from tansiq.web.pages import (
    act,
    bureau,
    declaration,
    dossier,
    hits,
    lists,
    log,
    person,
    plans,
    private,
    session,
    together,
)
from tansiq.web.security import SecurityHeaders

OPEN_TO_ALL: tuple[tuple[str, str, PageFunction], ...] = (
    ("GET", "/sign-in", session.sign_in_page),
    ("POST", "/sign-in", session.sign_in),
    ("POST", "/preferences/language", session.choose_language),
    ("POST", "/preferences/theme", session.choose_theme),
)
"""What works before sign-in."""

PAGES: tuple[tuple[str, str, PageFunction], ...] = (
    ("POST", "/sign-out", session.sign_out),
    ("POST", "/purpose", session.give_purpose),
    ("GET", "/stay", session.stay),
    ("GET", "/kept/{mark}", session.kept),
    ("GET", "/", lists.duties),
    ("GET", "/live/duties", lists.live_duties),
    ("GET", "/dossiers", lists.dossiers),
    ("GET", "/dossiers/{dossier}", dossier.show),
    ("GET", "/dossiers/{dossier}/acts/{act}", act.act_page),
    ("GET", "/dossiers/{dossier}/proofs/{entry}", dossier.proof),
    ("GET", "/dossiers/{dossier}/declaration/{entry}", declaration.page),
    ("POST", "/dossiers/{dossier}/declaration/{entry}", declaration.declare),
    ("POST", "/dossiers/{dossier}/acts/{act}", act.write_act),
    ("POST", "/dossiers/{dossier}/forward", dossier.forward),
    ("POST", "/dossiers/{dossier}/admit", dossier.admit),
    ("POST", "/dossiers/{dossier}/give", dossier.give),
    ("POST", "/dossiers/{dossier}/acknowledge", dossier.acknowledge),
    ("GET", "/dossiers/{dossier}/beside", bureau.beside),
    ("POST", "/dossiers/{dossier}/links", bureau.link),
    ("POST", "/dossiers/{dossier}/unlink", bureau.unlink),
    ("GET", "/search", bureau.search_page),
    ("POST", "/search", bureau.search),
    ("POST", "/dossiers/{dossier}/translations", bureau.translate),
    ("GET", "/queries", bureau.watches),
    ("POST", "/queries", bureau.add_watch),
    ("POST", "/queries/{watch}/removal", bureau.remove_watch),
    ("POST", "/queries/notices/{notice}/seen", bureau.seen),
    ("GET", "/templates/{name}", bureau.template_page),
    ("POST", "/templates/{name}", bureau.open_template),
    ("GET", "/compose/{kind}", act.compose_page),
    ("POST", "/compose/{kind}", act.compose),
    ("GET", "/hits", hits.hits),
    ("GET", "/hits/{match}", hits.hit),
    ("POST", "/hits/{match}/decision", hits.decide),
    ("GET", "/bank", lists.bank_page),
    ("POST", "/bank", lists.bank_search),
    ("GET", "/ledger", log.ledger),
    ("POST", "/ledger/verify", log.verify_ledger),
    ("POST", "/ledger/witnesses", log.settle_witness),
    ("GET", "/person", person.page),
    ("POST", "/person", person.find),
    ("POST", "/person/extract", person.extract),
    ("POST", "/person/decision", person.keep_decision),
    ("GET", "/partners", lists.partners),
    ("GET", "/plans", plans.plans),
    ("GET", "/plans/new", plans.new_plan),
    ("POST", "/plans/new", plans.add_plan),
    ("GET", "/plans/meetings/{meeting}", plans.meeting),
    ("POST", "/plans/meetings/{meeting}", plans.decide_meeting),
    ("GET", "/plans/{plan}", plans.plan),
    ("POST", "/plans/{plan}", plans.change_plan),
    ("GET", "/checks/new", private.new_check),
    ("POST", "/checks/new", private.ask),
    ("GET", "/checks/{check}", private.check),
    ("POST", "/checks/{check}", private.follow),
    ("GET", "/private", private.overview),
    ("POST", "/private", private.order),
    ("POST", "/private/sample", private.sample),
    ("GET", "/scorecard", together.scorecard_page),
    ("POST", "/scorecard", together.scorecard),
    ("GET", "/expertise", together.expertise_page),
    ("POST", "/expertise", together.expertise),
    ("GET", "/second", lists.second),
    ("POST", "/second/{draft}", lists.answer_second),
)


def page_routes() -> list[Route]:
    """Every page; those of `PAGES` only with a session."""
    found = [Route(path, page(f, open_to_all=True), methods=[m]) for m, path, f in OPEN_TO_ALL]
    return found + [Route(path, page(f), methods=[m]) for m, path, f in PAGES]


def create_app(node: Any) -> Starlette:
    """The pages and the HTTP API of a node."""
    metrics = health.Metrics()
    static = str(resources.files("tansiq.web").joinpath("static"))
    app = Starlette(
        routes=[
            *page_routes(),
            *files.PAGES,
            *api.routes(),
            Route("/healthz", health.healthz, methods=["GET"]),
            Route("/readyz", health.readyz, methods=["GET"]),
            Route("/metrics", health.metrics, methods=["GET"]),
            Mount("/static", StaticFiles(directory=static)),
        ],
        middleware=[Middleware(SecurityHeaders), Middleware(health.Measured, metrics=metrics)],
        exception_handlers={404: problems.http_exception, 405: problems.http_exception, Exception: problems.unexpected},
    )
    # It would lead to an address made of the Host header, which is the sender's own word.
    app.router.redirect_slashes = False
    app.state.node = node
    app.state.metrics = metrics
    app.state.purposes = {}
    app.state.desk = Desk()
    return app
