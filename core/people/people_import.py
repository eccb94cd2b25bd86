"""A list of people read from CSV: what each line would do, and then the doing, a few lines at a time.

A person is known by the login. New accounts are made closed; they are opened, and posts are given,
when the security administrator has approved the whole list. Nobody the list does not name changes.
Accounts of a list that was refused are taken up again by the next list that names them.
Administrators are not made or changed by a list: each of them is a matter of its own.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.catalog import tables
from core.catalog.tables import Line
from core.db import UnitOfWork
from core.errors import HotlineError
from core.people import duties
from core.people.account_acts import EXTENSION, LOGIN, NewPeople, Posts
from core.people.actor import Actor
from core.people.duties import Act
from core.people.models import Unit, User, UserImport, UserRole
from core.people.permissions import Role
from core.people.second_factor import random_code
from core.people.service import PeopleService

COLUMNS = {"login": "工号", "name": "姓名", "unit": "单位编码", "posts": "岗位", "extension": "分机"}
NEEDED = ("login", "name", "unit", "posts")
MOST = 1000
STEP = 20  # lines done in one transaction: a password takes 64 ms to hash


@dataclass(frozen=True)
class Planned:
    """What a line does: `new`, `changed`, `same` or `wrong` (with a code); `changes` field → old and new."""

    line: Line
    effect: str
    problem: str = ""
    changes: dict[str, tuple[str, str]] = field(default_factory=dict)
    row: dict[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """The line in the file, counted from 1 with the heading."""
        return self.line.number


@dataclass
class _Known:
    """What is there already."""

    units: dict[str, tuple[int, str]]
    users: dict[str, User]
    posts: dict[int, set[str]]
    extensions: dict[str, str]
    unit_names: dict[int, str]


async def _known(session: AsyncSession) -> _Known:
    units = list((await session.execute(select(Unit).where(col(Unit.active)))).scalars())
    users = list((await session.execute(select(User))).scalars())
    posts: dict[int, set[str]] = {}
    for user_id, role in (await session.execute(select(col(UserRole.user_id), col(UserRole.role)))).all():
        posts.setdefault(user_id, set()).add(role)
    return _Known(
        units={unit.code: (unit.id, unit.name) for unit in units},
        users={user.login: user for user in users},
        posts=posts,
        extensions={user.extension: user.login for user in users if user.extension},
        unit_names={unit.id: unit.name for unit in units},
    )


async def plan(session: AsyncSession, text: str) -> list[Planned]:
    """What the list would do. Raises what `tables.read` raises, `list_too_long` above 1,000 lines."""
    lines = tables.read(text, COLUMNS, needed=NEEDED)
    if len(lines) > MOST:
        raise HotlineError("list_too_long", most=MOST)
    known, seen, extensions = await _known(session), set[str](), set[str]()
    found = []
    for line in lines:
        planned = _planned(line, known, seen, extensions)
        seen.add(line["login"])
        if line["extension"]:
            extensions.add(line["extension"])
        found.append(planned)
    return found


def _roles(text: str) -> frozenset[Role] | None:
    """Posts by their words or codes, separated by 、 , ; or blanks; None when one is unknown."""
    codes = {word: code for code, word in duties.POST_LABELS.items()}
    names = [codes.get(part, part) for part in re.split(r"[、,，;；/\s]+", text) if part]
    try:
        return frozenset(Role(name) for name in names)
    except ValueError:
        return None


def _planned(line: Line, known: _Known, seen: set[str], extensions: set[str]) -> Planned:
    roles = _roles(line["posts"])
    user = known.users.get(line["login"])
    problem = "cells" if line.odd else _problem(line, roles, known, seen, extensions)
    if problem:
        return Planned(line, "wrong", problem)
    assert roles is not None
    row = {
        "login": line["login"],
        "name": line["name"],
        "unit_id": known.units[line["unit"]][0],
        "extension": (user.extension if user and "extension" in line.absent else line["extension"]) or None,
        "roles": sorted(roles),
    }
    if user is None:
        return Planned(line, "new", row={**row, "effect": "new"})
    changes = _changes(row, user, known)
    effect = "changed" if changes else "same"
    return Planned(line, effect, changes=changes, row={**row, "effect": effect, "user_id": user.id})


def _changes(row: dict[str, Any], user: User, known: _Known) -> dict[str, tuple[str, str]]:
    held = known.posts.get(user.id, set())
    pairs = {
        "name": (user.name, row["name"]),
        "unit": (known.unit_names.get(user.unit_id, "—"), known.unit_names[row["unit_id"]]),
        "extension": (user.extension or "", row["extension"] or ""),
        "posts": (_words(held), _words(row["roles"])),
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _words(roles: Any) -> str:
    return "、".join(word for code, word in duties.POST_LABELS.items() if code in roles)


def _problem(
    line: Line, roles: frozenset[Role] | None, known: _Known, seen: set[str], extensions: set[str]
) -> str:
    """The code of what is wrong with a line, empty when nothing is."""
    login, extension = line["login"], line["extension"]
    if not re.fullmatch(LOGIN, login):
        return "login"
    if not line["name"] or len(line["name"]) > 40:
        return "name"
    if login in seen:
        return "twice"
    if line["unit"] not in known.units:
        return "unit"
    if roles is None or not roles:
        return "posts"
    user = known.users.get(login)
    held = known.posts.get(user.id, set()) if user else set()
    if (roles | {Role(one) for one in held}) & duties.ADMINISTRATORS:
        return "administrator"
    if user is not None and not user.active and held:  # one without posts was never open: it is listed again
        return "closed"
    if extension and not re.fullmatch(EXTENSION, extension):
        return "extension"
    if extension and (extension in extensions or known.extensions.get(extension, login) != login):
        return "extension_taken"
    return ""


# ---- keeping and doing ----------------------------------------------------------------------


async def keep(uow: UnitOfWork, actor: Actor, steps: list[Planned]) -> int:
    """Keep a checked list without any line that is wrong; returns its id. Errors: list_wrong."""
    wrong = sum(step.effect == "wrong" for step in steps)
    if wrong:
        raise HotlineError("list_wrong", wrong=wrong)
    rows = [step.row for step in steps if step.effect in ("new", "changed")]
    if not rows:
        raise HotlineError("nothing_changed")
    values = {
        "created_by": actor.user_id,
        "created_at": uow.now,
        "file_name": "",
        "rows": rows,
        "state": "running",
        "done": 0,
    }
    made = await uow.session.execute(insert(UserImport).values(**values).returning(col(UserImport.id)))
    return int(made.scalar_one())


async def lock(uow: UnitOfWork, actor: Actor, import_id: int) -> UserImport:
    """One's own list, locked. Errors: import_not_found."""
    query = select(UserImport).where(col(UserImport.id) == import_id).with_for_update()
    query = query.execution_options(populate_existing=True)
    row = (await uow.session.execute(query)).scalar_one_or_none()
    if row is None or row.created_by != actor.user_id:
        raise HotlineError("import_not_found", import_id=import_id)
    return row


async def step(uow: UnitOfWork, actor: Actor, people: PeopleService, import_id: int) -> None:
    """Do the next lines of a list; after the last one it is put before the security administrator."""
    row = await lock(uow, actor, import_id)
    uow.session.expunge(row)
    if row.state != "running":
        return
    rows, secrets = list(row.rows), _opened(people, row)
    for index in range(row.done, min(row.done + STEP, len(rows))):
        try:
            rows[index] = await _do(uow, actor, people, rows[index], secrets)
        except HotlineError as error:  # taken since the preview: this line is left, the others go on
            rows[index] = {**rows[index], "effect": "failed", "problem": error.code}
    done = min(row.done + STEP, len(rows))
    values: dict[str, Any] = {"rows": rows, "done": done, "passwords_sealed": _sealed(people, row, secrets)}
    if done == len(rows):
        values |= {"state": "done", "proposal_id": await _propose(uow, actor, people, import_id, rows)}
    await uow.session.execute(update(UserImport).where(col(UserImport.id) == import_id).values(**values))


async def _do(
    uow: UnitOfWork, actor: Actor, people: PeopleService, row: dict[str, Any], secrets: dict[str, str]
) -> dict[str, Any]:
    if row["effect"] == "new":
        password = random_code(3, 4)
        user_id = await people.create_user(
            uow, actor, login=row["login"], name=row["name"], password=password, unit_id=row["unit_id"],
            roles=frozenset(), extension=row["extension"], must_change_password=True, active=False,
        )  # fmt: skip
        secrets[row["login"]] = password
        return {**row, "user_id": user_id}
    await people.edit_user(
        uow, actor, row["user_id"], name=row["name"], unit_id=row["unit_id"], extension=row["extension"]
    )
    return row


async def _propose(
    uow: UnitOfWork, actor: Actor, people: PeopleService, import_id: int, rows: list[dict[str, Any]]
) -> int | None:
    wanted = []
    for row in rows:
        roles = frozenset(Role(one) for one in row["roles"])
        if row["effect"] == "failed":
            continue
        held = await people.roles_of(uow.session, row["user_id"])
        if held != roles:  # a new account holds none yet
            wanted.append(Posts(user_id=row["user_id"], roles=tuple(roles), held=tuple(held)))
    if not wanted:
        return None
    many = NewPeople(import_id=import_id, people=tuple(wanted))
    return (await people.proposals.submit(uow, actor, Act.USER_IMPORT, many)).proposal_id


def _place(row: UserImport) -> str:
    return f"user_import:passwords:{row.id}"


def _opened(people: PeopleService, row: UserImport) -> dict[str, str]:
    if row.passwords_sealed is None:
        return {}
    found: dict[str, str] = json.loads(people.vault.unseal(bytes(row.passwords_sealed), aad=_place(row)))
    return found


def _sealed(people: PeopleService, row: UserImport, secrets: dict[str, str]) -> bytes | None:
    return people.vault.seal(json.dumps(secrets).encode(), aad=_place(row)) if secrets else None


async def take_passwords(
    uow: UnitOfWork, actor: Actor, people: PeopleService, import_id: int
) -> dict[str, str]:
    """The passwords for the first login, by login; they can be taken once. Errors: passwords_taken."""
    row = await lock(uow, actor, import_id)
    uow.session.expunge(row)
    found = _opened(people, row)
    if row.state != "done" or not found:
        raise HotlineError("passwords_taken", import_id=import_id)
    taken = update(UserImport).where(col(UserImport.id) == import_id).values(passwords_sealed=None)
    await uow.session.execute(taken)
    return found


async def progress(session: AsyncSession, actor: Actor, import_id: int) -> UserImport:
    """One's own list as it stands. Errors: import_not_found."""
    row = await session.get(UserImport, import_id)
    if row is None or row.created_by != actor.user_id:
        raise HotlineError("import_not_found", import_id=import_id)
    return row
