"""The embedded PostgreSQL: started once, shared, taken up again, stopped by the last."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from core.errors import HotlineError
from core.postgres import EmbeddedPostgres

_CHILD = """
import signal, sys
from pathlib import Path
from core.postgres import EmbeddedPostgres
EmbeddedPostgres(Path(sys.argv[1]), durable=False).start()
print("started", flush=True)
signal.pause()
"""


@pytest.fixture
def cluster(place: Path) -> Iterator[EmbeddedPostgres]:
    embedded = EmbeddedPostgres(place / "postgres", durable=False)
    yield embedded
    embedded.stop()


async def ask(url: str, question: str) -> object:
    parts = make_url(url)
    connection = await asyncpg.connect(
        host=parts.query["host"], port=5432, user=parts.username, database=parts.database
    )
    try:
        if not question.startswith(("SELECT", "SHOW")):
            return await connection.execute(question)
        return await connection.fetchval(question)
    finally:
        await connection.close()


def another_process(data_dir: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(data_dir)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "started\n"
    return child


def kill(child: subprocess.Popen[str]) -> None:
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


def server_pid(cluster: EmbeddedPostgres) -> int:
    return int((cluster.data_dir / "postmaster.pid").read_text().splitlines()[0])


async def test_a_new_cluster_speaks_utf8_and_utc_and_listens_on_no_network(cluster: EmbeddedPostgres) -> None:
    url = cluster.start()
    assert await ask(url, "SHOW server_encoding") == "UTF8"
    assert await ask(url, "SHOW timezone") == "UTC"
    assert await ask(url, "SHOW listen_addresses") == ""
    assert await ask(url, "SELECT datlocale FROM pg_database WHERE datname = current_database()") == "C.UTF-8"
    assert await ask(url, "SELECT usesuper FROM pg_user WHERE usename = current_user") is False


async def test_starting_twice_is_harmless_and_keeps_the_server(cluster: EmbeddedPostgres) -> None:
    cluster.start()
    before = server_pid(cluster)
    assert await ask(cluster.start(), "SELECT 1") == 1
    assert server_pid(cluster) == before


async def test_stop_really_stops_and_data_is_there_at_the_next_start(cluster: EmbeddedPostgres) -> None:
    url = cluster.start()
    await ask(url, "CREATE TABLE kept AS SELECT 7 AS n")
    assert cluster.stop() is True
    assert not cluster.is_running()
    assert not (cluster.data_dir / "postmaster.pid").exists()
    assert await ask(cluster.start(), "SELECT n FROM kept") == 7


async def test_a_server_left_by_kill_9_is_taken_up_and_stopped_in_the_end(cluster: EmbeddedPostgres) -> None:
    kill(another_process(cluster.data_dir))
    assert cluster.is_running()
    before = server_pid(cluster)
    assert await ask(cluster.start(), "SELECT 1") == 1
    assert server_pid(cluster) == before
    assert cluster.stop() is True
    assert not cluster.is_running()


async def test_only_the_last_node_stops_the_server(cluster: EmbeddedPostgres) -> None:
    neighbour = another_process(cluster.data_dir)
    url = cluster.start()
    assert cluster.stop() is False
    assert await ask(url, "SELECT 1") == 1
    cluster.start()
    kill(neighbour)
    assert cluster.stop() is True


async def test_a_killed_server_loses_nothing_committed(place: Path) -> None:
    cluster = EmbeddedPostgres(place / "postgres")
    url = cluster.start()
    await ask(url, "CREATE TABLE kept AS SELECT 7 AS n")
    os.kill(server_pid(cluster), signal.SIGKILL)
    cluster.stop()
    try:
        assert await ask(cluster.start(), "SELECT n FROM kept") == 7
    finally:
        cluster.stop()


def test_a_cut_off_first_start_is_made_again(cluster: EmbeddedPostgres) -> None:
    half = cluster.data_dir.with_name(f".{cluster.data_dir.name}.new")
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    cluster.start()
    assert not half.exists()


async def test_a_deep_folder_gets_its_socket_elsewhere(place: Path) -> None:
    deep = EmbeddedPostgres(place / ("very" * 30) / "postgres", durable=False)
    try:
        assert await ask(deep.start(), "SELECT 1") == 1
        assert deep.socket_dir != deep.data_dir
    finally:
        deep.stop()


def test_a_folder_with_something_else_in_it_is_refused(cluster: EmbeddedPostgres) -> None:
    cluster.data_dir.mkdir()
    (cluster.data_dir / "holiday.jpg").write_bytes(b"")
    with pytest.raises(HotlineError, match="postgres_foreign"):
        cluster.start()


def test_data_of_another_major_version_is_refused(cluster: EmbeddedPostgres) -> None:
    cluster.data_dir.mkdir()
    (cluster.data_dir / "PG_VERSION").write_text("14\n")
    with pytest.raises(HotlineError, match="postgres_version") as caught:
        cluster.start()
    assert caught.value.params["found"] == "14"


def test_a_server_that_cannot_start_says_why(cluster: EmbeddedPostgres) -> None:
    cluster.start()
    cluster.stop()
    with (cluster.data_dir / "postgresql.conf").open("a") as file:
        file.write("max_connections = 'many'\n")
    with pytest.raises(HotlineError, match="postgres_start") as caught:
        cluster.start()
    assert "max_connections" in caught.value.params["why"] or "configuration" in caught.value.params["why"]
