"""How the channels fare, and their access tokens: one row a channel, for all nodes."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core import audit
from core.db import Database, UnitOfWork
from core.people.actor import Actor
from core.people.permissions import Permission
from core.privacy import Vault
from routing.channels.models import ChannelState, table_of

_state = table_of(ChannelState)


class ChannelStates:
    """Every write of `channel_state`."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault

    async def trouble(self, channel: str, code: str) -> None:
        """Note why a channel did not work."""
        async with self._db.begin() as uow:
            await _put_state(uow, channel, error=code[:60], error_at=uow.now)

    async def works(self, channel: str) -> None:
        """A channel that was looked at worked: its trouble is over."""
        async with self._db.begin() as uow:
            cleared = sa.update(_state).where(_state.c.channel == channel, _state.c.error.is_not(None))
            await uow.session.execute(cleared.values(error=None))

    async def checked(self, actor: Actor, channel: str, error: str | None) -> None:
        """Somebody tried the channel by its button. Audited. Raises `forbidden`."""
        actor.require(Permission.CHANNEL_MANAGE)
        async with self._db.begin() as uow:
            values: dict[str, Any] = {"checked_at": uow.now, "error": error and error[:60]}
            await _put_state(uow, channel, **values | ({"error_at": uow.now} if error else {}))
            detail = {"channel": channel, "error": error}
            await audit.record(
                uow, actor=actor, action="channel.check", object_type="channel", object_id=0, detail=detail
            )

    # ---- the access token, for all nodes ----------------------------------------------------------

    async def token(self, channel: str) -> str | None:
        """The access token, while it holds for some minutes yet."""
        async with self._db.read() as session:
            query = sa.select(_state.c.token, _state.c.token_until).where(_state.c.channel == channel)
            row = (await session.execute(query)).first()
        if row is None or row.token is None or row.token_until <= self._db.clock.now():
            return None
        return self._vault.unseal(row.token, aad=f"channel_token:{channel}").decode()

    async def keep(self, channel: str, token: str, seconds: int) -> None:
        """Keep a token; it is renewed five minutes before its end."""
        sealed = self._vault.seal(token.encode(), aad=f"channel_token:{channel}")
        async with self._db.begin() as uow:
            until = uow.now + timedelta(seconds=max(0, seconds - 300))
            await _put_state(uow, channel, token=sealed, token_until=until)

    async def forget(self, channel: str) -> None:
        """The platform refuses the token: the next call asks for a new one."""
        async with self._db.begin() as uow:
            await uow.session.execute(
                sa.update(_state).where(_state.c.channel == channel).values(token=None, token_until=None)
            )


async def _put_state(uow: UnitOfWork, channel: str, **values: Any) -> None:
    made = insert(_state).values(channel=channel, **values)
    await uow.session.execute(made.on_conflict_do_update(index_elements=["channel"], set_=values))
