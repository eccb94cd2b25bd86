"""The embedded registry's list: read strictly, taken whole or not at all; no number of it is kept."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.csv_files import parsed
from core.errors import HotlineError
from core.privacy import Vault
from core.settings import ROOT, load_settings
from tests.numbers import id_number
from tests.tickets.conftest import City, Refused
from tickets.certificates import lists, register
from tickets.certificates.embedded import EmbeddedRegistry
from tickets.certificates.lists import Record

ONE, OTHER = id_number(), id_number("45030219850615002")
HEAD = "身份证号,证照种类,签发机关,有效期自,有效期至,状态"


def said(*lines: str, head: str = HEAD) -> list[lists.Said]:
    sheet = parsed("\n".join((head, *lines)))
    return list(lists.said(sheet.heads, sheet.rows))


def record(number: str = ONE, kind: str = "id_card", issuer: str = "七星公安分局") -> Record:
    return Record(number, kind, issuer, date(2020, 1, 1), None, False)


def test_a_line_is_a_certificate_by_word_or_code_and_what_is_empty_is_open() -> None:
    found = said(
        f"{ONE.lower()},居民身份证,七星公安分局,2020-01-01,2040-01-01,有效",
        "",
        f"{ONE},household,七星公安分局,,,注销",
    )
    assert [one.line for one in found] == [2, 4]
    first, second = (one.record for one in found)
    assert first is not None
    assert second is not None
    assert (first.number, first.kind, first.valid_to, first.revoked) == (
        ONE, "id_card", date(2040, 1, 1), False
    )  # fmt: skip
    assert (second.kind, second.valid_from, second.valid_to, second.revoked) == (
        "household",
        None,
        None,
        True,
    )
    assert ONE not in repr(first)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (f"{ONE[:-1]},居民身份证,七星公安分局,,,", "number"),
        ("4.50303E+17,居民身份证,七星公安分局,,,", "number"),
        (f"{ONE},护照,七星公安分局,,,", "kind"),
        (f"{ONE},居民身份证,,,,", "issuer"),
        (f"{ONE},居民身份证,{'局' * 61},,,", "issuer"),
        (f"{ONE},居民身份证,七星公安分局,2020/01/01,,", "day"),
        (f"{ONE},居民身份证,七星公安分局,2020-01-01,2019-01-01,", "order"),
        (f"{ONE},居民身份证,七星公安分局,,,挂失", "state"),
        (f"{ONE},居民身份证", "cells"),
        (f"{ONE},居民身份证,七星公安分局,,,,data:image/png", "cells"),
    ],
)
def test_what_is_wrong_with_a_line_is_said_by_its_number(line: str, wrong: str) -> None:
    right = f"{OTHER},居民身份证,七星公安分局,,,"
    found = said(right, line)
    assert (found[1].line, found[1].record, found[1].wrong) == (3, None, wrong)
    assert all(lists.WRONG[wrong])


def test_the_same_certificate_twice_is_wrong() -> None:
    line = f"{ONE},居民身份证,七星公安分局,,,"
    assert [one.wrong for one in said(line, line.replace("居民身份证", "id_card"))] == ["", "twice"]


@pytest.mark.parametrize("head", ["身份证号,证照种类", HEAD + ",照片", HEAD + ",姓名", HEAD + ",身份证号"])
def test_a_list_with_other_columns_is_refused_whole(head: str) -> None:
    with pytest.raises(HotlineError) as caught:
        said(head=head)
    assert caught.value.code == "certificate_columns"


async def test_a_list_adds_and_changes_and_keeps_no_number(city: City) -> None:
    async with city.db.begin() as uow:
        first = await register.take(uow, city.actors["admin"], city.vault, [record(), record(OTHER)])
    assert first == {"new": 2, "changed": 0, "same": 0}
    async with city.db.begin() as uow:
        again = await register.take(
            uow, city.actors["admin"], city.vault, [record(), record(OTHER, issuer="秀峰公安分局")]
        )
    assert again == {"new": 0, "changed": 1, "same": 1}
    registry = EmbeddedRegistry(city.db, city.vault)
    assert (await registry.verify("id_card", OTHER, date(2026, 11, 23))).issuer == "秀峰公安分局"
    async with city.db.read() as session:
        rows = (
            await session.execute(sa.text("SELECT certificate_record::text FROM certificate_record"))
        ).all()
        audited = sa.text(
            "SELECT detail::text FROM audit_log WHERE action = 'certificate.import' ORDER BY id"
        )
        details = (await session.execute(audited)).scalars().all()
    assert len(rows) == 2
    assert len(details) == 2
    assert not any(number in str(text) for text in (*rows, *details) for number in (ONE, OTHER))


async def test_only_who_manages_the_catalogue_takes_a_list(city: City, refused: Refused) -> None:
    async with city.db.begin() as uow:
        await refused("forbidden", register.take(uow, city.actors["agent"], city.vault, [record()]))


async def test_more_than_one_part_is_one_transaction(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register, "CHUNK", 1)
    seen: list[int] = []

    def fail(done: int) -> None:
        seen.append(done)
        if done == 2:
            raise OSError

    with pytest.raises(OSError):
        async with city.db.begin() as uow:
            await register.take(uow, city.actors["admin"], city.vault, [record(), record(OTHER)], fail)
    assert seen == [1, 2]
    async with city.db.read() as session:
        count = await session.execute(sa.text("SELECT count(*) FROM certificate_record"))
        assert count.scalar_one() == 0


# ---- the command ---------------------------------------------------------------------------------


def command(database_url: str, tmp_path: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {"HOTLINE_DATABASE__URL": database_url, "HOTLINE_PATHS__VAR": str(tmp_path / "var")}
    return subprocess.run(
        [sys.executable, str(ROOT / "commands.py"), "certificates", "import", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


async def test_the_command_looks_first_then_takes_and_names_wrong_lines(
    city: City, database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "registry.csv"
    file.write_bytes(f"{HEAD}\n{ONE},居民身份证,七星公安分局,2020-01-01,,\n".encode("gb18030"))

    async def known() -> str:
        registry = EmbeddedRegistry(city.db, Vault(load_settings(environ={})))
        return (await registry.verify("id_card", ONE, date(2026, 11, 23))).result

    looked = command(database_url, tmp_path, str(file), "--dry-run")
    assert (looked.returncode, "1 new" in looked.stdout, "nothing was written" in looked.stdout) == (
        0,
        True,
        True,
    )
    assert await known() == "unknown"
    taken = command(database_url, tmp_path, str(file))
    assert taken.returncode == 0, taken.stderr
    assert await known() == "valid"
    assert "1 as they were" in command(database_url, tmp_path, str(file)).stdout
    bad = f"{HEAD}\n{OTHER},居民身份证,七星公安分局,,,\n{OTHER},护照,七星公安分局,,,\n{ONE},,,,,\n"
    file.write_text(bad, encoding="utf-8")
    refused = command(database_url, tmp_path, str(file))
    assert refused.returncode == 2
    assert "line 3: the kind of certificate is not known" in refused.stderr
    assert "line 4:" in refused.stderr
    assert "2 lines of" in refused.stderr
    assert not any(number in refused.stderr + taken.stdout for number in (ONE, OTHER))
    file.write_text("身份证号,照片\n", encoding="utf-8")
    columns = command(database_url, tmp_path, str(file))
    assert columns.returncode == 2
    assert "not wanted or twice 照片" in columns.stderr
    async with city.db.read() as session:
        count = await session.execute(sa.text("SELECT count(*) FROM certificate_record"))
        assert count.scalar_one() == 1
