"""A person's own keys, kept with the account so that every seat has them; the only writer of them."""

from sqlalchemy import select, update
from sqlmodel import col

from core import audit
from core.db import UnitOfWork
from core.people import hotkeys
from core.people.actor import Actor
from core.people.models import User


async def assign(uow: UnitOfWork, actor: Actor, name: str, combination: str) -> dict[str, str]:
    """Give the actor's key `name` a combination; returns all own keys. Errors: `hotkeys.assigned`."""
    kept = await _lock(uow, actor)
    return await _write(uow, actor, hotkeys.assigned(kept, name, combination))


async def reset(uow: UnitOfWork, actor: Actor, name: str | None = None) -> dict[str, str]:
    """Back to the shipped key `name`, or to all of them; `hotkey_taken` when another key has it by now."""
    kept = await _lock(uow, actor)
    return await _write(uow, actor, hotkeys.assigned(kept, name, name) if name is not None else {})


async def _lock(uow: UnitOfWork, actor: Actor) -> dict[str, str]:
    query = select(col(User.hotkeys)).where(col(User.id) == actor.user_id).with_for_update()
    return dict((await uow.session.execute(query)).scalar_one())


async def _write(uow: UnitOfWork, actor: Actor, own: dict[str, str]) -> dict[str, str]:
    await uow.session.execute(update(User).where(col(User.id) == actor.user_id).values(hotkeys=own))
    await audit.record(uow, actor=actor, action="user.hotkeys", object_type="user", object_id=actor.user_id)
    return own
