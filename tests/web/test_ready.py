"""`/readyz` says whether the database answers, whatever kind of failure its silence is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tansiq.node import Node
from tansiq.web import create_app
from tests.support.postgres import PostgresServer, database_of
from tests.support.web import TestClient


@pytest.mark.postgres
def test_a_database_that_went_away_is_not_ready_and_comes_back(
    postgres_server: PostgresServer, postgres_template: str, tmp_path: Path
) -> None:
    with postgres_server.database(postgres_template) as url:
        name = database_of(url)
        node = Node.init(tmp_path / "rabat", "Rabat", "MA", chosen={"database": {"url": url}})
        with TestClient(create_app(node), base_url="http://127.0.0.1:8080") as pages:
            assert pages.get("/readyz").json() == {"status": "ready"}
            postgres_server.admin.execute(f'alter database "{name}" allow_connections false')
            postgres_server.admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name]
            )
            answer = pages.get("/readyz")
            assert (answer.status_code, answer.json()) == (503, {"status": "not ready"})
            postgres_server.admin.execute(f'alter database "{name}" allow_connections true')
            assert pages.get("/readyz").status_code == 200
        node.close()
