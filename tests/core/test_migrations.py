"""Models and migrations agree, and migrations go both ways."""

import importlib
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from core import migrate
from core.tables import metadata

KERNEL = (
    "people.models",
    "catalog.models",
    "notify.models",
    "audit",
    "outbox",
    "event_log",
    "leadership",
    "privacy",
    "wallboards",
    "people.machines",
    "people.enrolment",
)
MODELS = [f"core.{name}" for name in KERNEL] + [
    "chats.models",
    "classifier.models",
    "telephony.models",
    "telephony.floor.models",
    "telephony.controls.models",
    "telephony.push.models",
    "telephony.agents.models",
    "telephony.shifts.models",
    "tickets.models",
    "tickets.attachments.models",
    "tickets.certificates.models",
    "tickets.intermediaries.models",
    "tickets.search.models",
    "tickets.exchange.models",
    "tickets.points.models",
    "tickets.flow",
    "tickets.upkeep",
    "tickets.citizens.models",
    "tickets.duplicates.models",
    "tickets.desk_models",
    "tickets.knowledge.models",
    "tickets.messages.models",
    "tickets.public.models",
    "routing.models",
    "routing.channels.models",
    "sla.models",
    "sla.measures.models",
    "sla.duty_models",
    "sla.inspection.models",
    "sla.opendata.models",
    "sla.quality.models",
    "sla.reports.models",
    "sla.supervision.models",
    "sla.version_models",
]


async def test_models_and_migrations_agree(empty_database_url: str) -> None:
    for module in MODELS:
        importlib.import_module(module)
    await migrate.upgrade(empty_database_url)

    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "target_metadata": metadata}
        )
        return list(compare_metadata(context, metadata))

    engine = create_async_engine(empty_database_url)
    async with engine.connect() as connection:
        differences = await connection.run_sync(compare)
    await engine.dispose()
    assert differences == []


async def test_migrations_go_up_down_and_up_again(empty_database_url: str) -> None:
    await migrate.upgrade(empty_database_url)
    assert await migrate.current(empty_database_url) == migrate.head()
    await migrate.downgrade(empty_database_url, "base")
    assert await migrate.current(empty_database_url) is None
    await migrate.upgrade(empty_database_url)
    assert await migrate.current(empty_database_url) == migrate.head()


def test_migrations_import_no_application_code() -> None:
    ours = (
        "core",
        "chats",
        "telephony",
        "tickets",
        "routing",
        "classifier",
        "sla",
        "web",
        "node",
        "command_line",
    )
    for file in (Path(migrate.MIGRATIONS) / "versions").glob("*.py"):
        for line in file.read_text(encoding="utf-8").splitlines():
            imported = line.split()[1].split(".")[0] if line.startswith(("import ", "from ")) else ""
            assert imported not in ours, f"{file.name}: {line}"
