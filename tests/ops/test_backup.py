"""A backup restored elsewhere holds the same rows and the same audit chain."""

import stat
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from core import audit, migrate
from core.backup import backup, restore
from core.backup_file import digest_of, read, unpack
from core.clock import ManualClock
from core.db import Database
from core.errors import HotlineError
from core.events import EventBus
from core.people.actor import Actor
from core.settings import Settings

CLOCK = ManualClock(datetime(2026, 11, 23, 2, 0, tzinfo=UTC))


async def write_audit_rows(database: Database, number: int) -> None:
    async with database.begin() as uow:
        for _ in range(number):
            await audit.record(uow, actor=Actor.system("test"), action="tested", object_type="thing")
    async with database.begin() as uow:
        await audit.link(uow, limit=number)


async def test_a_restored_backup_has_the_same_counts_and_audit_chain(
    database: Database, empty_database_url: str, settings: Settings, tmp_path: Path
) -> None:
    await write_audit_rows(database, 30)
    async with database.read() as session:
        before = await audit.verify(session)
    made = await backup(database.url, tmp_path / "one.backup", settings, CLOCK)

    report = await restore(empty_database_url, tmp_path / "one.backup", settings)

    assert report.differences == {}
    assert report.counts["audit_log"] == 30
    assert report.wrong_keys == []
    elsewhere = Database(empty_database_url, clock=CLOCK, bus=database.bus)
    async with elsewhere.read() as session:
        after = await audit.verify(session)
        with pytest.raises(Exception, match="audit"):  # the restored log is as append-only as the first
            await session.execute(text("DELETE FROM audit_log"))
    await elsewhere.close()
    assert after == before
    assert (made.audit_linked, made.audit_head) == (30, before.head)


async def test_a_backup_counts_and_dumps_the_same_instant(
    database: Database,
    empty_database_url: str,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import core.backup

    await write_audit_rows(database, 3)
    dump = core.backup._dump

    async def work_goes_on(url: str, snapshot: str, target: Path) -> None:
        await write_audit_rows(database, 2)
        await dump(url, snapshot, target)

    monkeypatch.setattr(core.backup, "_dump", work_goes_on)
    made = await backup(database.url, tmp_path / "one.backup", settings, CLOCK)
    report = await restore(empty_database_url, tmp_path / "one.backup", settings)
    assert made.counts["audit_log"] == report.counts["audit_log"] == 3


async def test_a_backup_holds_no_secret_and_is_readable_by_its_owner_only(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    target = tmp_path / "one.backup"
    await backup(database.url, target, settings, CLOCK)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    content = target.read_bytes()
    for secret in (*settings.secrets.master_keys.values(), settings.secrets.index_key):
        assert secret.encode() not in content
    assert [path.name for path in target.parent.iterdir()] == ["one.backup"]


async def test_a_wrong_master_key_is_named_at_the_restore(
    database: Database, empty_database_url: str, settings: Settings, tmp_path: Path
) -> None:
    await backup(database.url, tmp_path / "one.backup", settings, CLOCK)
    secrets = settings.secrets.model_copy(update={"master_keys": {"k1": "another key of another machine"}})
    other = settings.model_copy(update={"secrets": secrets})
    report = await restore(empty_database_url, tmp_path / "one.backup", other)
    assert report.wrong_keys == ["master k1"]


async def test_recordings_are_listed_and_missed_on_the_new_machine(
    database: Database, empty_database_url: str, settings: Settings, tmp_path: Path
) -> None:
    def at(folder: Path) -> Settings:
        return settings.model_copy(update={"paths": settings.paths.model_copy(update={"var": folder})})

    recording = tmp_path / "old" / "recordings" / "2026" / "a.wav"
    recording.parent.mkdir(parents=True)
    recording.write_bytes(b"RIFF")
    made = await backup(database.url, tmp_path / "one.backup", at(tmp_path / "old"), CLOCK)
    report = await restore(empty_database_url, tmp_path / "one.backup", at(tmp_path / "new"))
    assert (made.files, report.missing_files) == (1, 1)


async def test_attachments_come_back_and_a_damaged_one_is_named(
    database: Database, empty_database_url: str, settings: Settings, tmp_path: Path
) -> None:
    def at(folder: Path) -> Settings:
        return settings.model_copy(update={"paths": settings.paths.model_copy(update={"var": folder})})

    old, new = tmp_path / "old" / "attachments", tmp_path / "new" / "attachments"
    names = [f"ab/{digit * 40}" for digit in "01"] + [f"cd/{'2' * 40}.t", f"cd/{'3' * 40}"]
    for name in names:
        (old / name).parent.mkdir(parents=True, exist_ok=True)
        (old / name).write_bytes(name.encode() * 1000)
    (old / ".incoming" / "room").mkdir(parents=True)
    (old / ".incoming" / "room" / "half").write_bytes(b"nobody has looked at this yet")
    made = await backup(database.url, tmp_path / "one.backup", at(tmp_path / "old"), CLOCK)
    assert made.files == len(names)
    (new / names[3]).parent.mkdir(parents=True)
    (new / names[3]).write_bytes(b"something else lies here already")
    report = await restore(empty_database_url, tmp_path / "one.backup", at(tmp_path / "new"))
    assert report.damaged_files == [names[3]]
    assert report.missing_files == 0
    for name in names[:3]:
        assert (new / name).read_bytes() == (old / name).read_bytes()
    assert sorted(path.name for path in new.rglob("*") if path.is_file()) == sorted(
        name.split("/")[1] for name in names
    )


async def test_a_backup_writes_nowhere_but_into_its_folder(tmp_path: Path) -> None:
    source, folder = tmp_path / "evil.backup", tmp_path / "attachments"
    with tarfile.open(source, "w") as archive:
        payload = tmp_path / "payload"
        payload.write_bytes(b"evil")
        archive.add(payload, "attachments/../escaped")
    digest = digest_of(tmp_path / "payload")
    files = [{"folder": "attachments", "path": "../escaped", "sha256": digest}]
    assert unpack(source, files, folder) == ["../escaped"]
    assert not (tmp_path / "escaped").exists()


async def test_a_backup_of_the_previous_release_is_brought_to_this_one(
    empty_database_url: str, admin_url: str, settings: Settings, tmp_path: Path
) -> None:
    revisions = migrate.revisions()
    oldest, newest = revisions[0], revisions[-1]
    await migrate.upgrade(empty_database_url, oldest)
    made = await backup(empty_database_url, tmp_path / "old.backup", settings, CLOCK)
    assert made.revision == oldest
    await migrate.downgrade(empty_database_url, "base")
    other = Database(empty_database_url, clock=CLOCK, bus=EventBus())
    async with other.begin() as uow:
        await uow.session.execute(text("DROP TABLE IF EXISTS alembic_version"))
    await other.close()
    report = await restore(empty_database_url, tmp_path / "old.backup", settings)
    assert report.differences == {}
    assert await migrate.current(empty_database_url) == newest


async def test_a_database_with_tables_is_not_overwritten(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    await backup(database.url, tmp_path / "one.backup", settings, CLOCK)
    with pytest.raises(HotlineError, match="restore_not_empty"):
        await restore(database.url, tmp_path / "one.backup", settings)


async def test_an_existing_file_is_not_overwritten(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    target = tmp_path / "one.backup"
    target.write_bytes(b"precious")
    with pytest.raises(HotlineError, match="backup_exists"):
        await backup(database.url, target, settings, CLOCK)
    assert target.read_bytes() == b"precious"


@pytest.mark.parametrize("damage", ["cut", "changed", "not a backup"])
async def test_a_damaged_backup_is_refused_before_anything_is_written(
    damage: str, database: Database, empty_database_url: str, settings: Settings, tmp_path: Path
) -> None:
    target = tmp_path / "one.backup"
    await backup(database.url, target, settings, CLOCK)
    content = bytearray(target.read_bytes())
    with tarfile.open(target) as archive:
        place = archive.getmember("database.sql.gz").offset_data
    if damage == "cut":
        target.write_bytes(content[: place + 100])
    elif damage == "changed":
        content[place + 200] ^= 1
        target.write_bytes(content)
    else:
        target.write_bytes(b"hello")
    with pytest.raises(HotlineError, match="backup_unreadable"):
        read(target)
    with pytest.raises(HotlineError, match="backup_unreadable"):
        await restore(empty_database_url, target, settings)
    assert await migrate.current(empty_database_url) is None


async def test_a_missing_file_is_told_before_the_database_is_looked_at(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(HotlineError, match="backup_unreadable"):
        await restore(database.url, tmp_path / "none.backup", settings)
