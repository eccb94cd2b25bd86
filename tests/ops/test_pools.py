"""A rush at the screens takes connections from other screens, not from calls and leases."""

from pathlib import Path

from core.settings import load_settings
from node import Node


async def test_screens_that_take_every_connection_do_not_cost_the_leases(
    database_url: str, tmp_path: Path
) -> None:
    environ = {"HOTLINE_PATHS__VAR": str(tmp_path), "HOTLINE_DATABASE__POOL_SIZE": "1"}
    node = Node(load_settings(environ=environ), database_url)
    lease = node.leases["telephony"]
    try:
        async with node.db.begin() as one, node.db.begin() as other:
            await one.fetch("SELECT 1")
            await other.fetch("SELECT 1")
            assert await lease.try_take()
            assert await lease.renew()
            assert await node.relay.link_audit() == 0
            assert await node.tail.read(0, 10) == []
    finally:
        node.passwords.close()
        await node.db.close()
        await node.backstage.close()
