"""Integration API: subscriptions to what happens to tickets, what was sent, and sending it again."""

from __future__ import annotations

from core.errors import HotlineError
from core.people.machines import Scope
from tickets.exchange import webhooks
from tickets.exchange.webhooks import Webhooks
from web.api.contract import Call, operation
from web.api.models import (
    DeliveryOut,
    DeliveryPage,
    PageQuery,
    Replayed,
    WebhookIn,
    WebhookList,
    WebhookMade,
    WebhookOut,
)
from web.inputs import path_id

MAY = Scope.WEBHOOKS


def _hooks(call: Call) -> Webhooks:
    found = call.ctx.webhooks
    if found is None:
        raise HotlineError("unavailable")
    return found


@operation("POST", "/webhooks", "订阅", scope=MAY, body=WebhookIn, answer=WebhookMade, status=201)
async def subscribe(call: Call) -> WebhookMade:
    """订阅工单的变化。通知只含编号、状态和事件，详情用令牌读取；签名方法见 docs/integration.md。"""
    given = call.body(WebhookIn)
    ident, secret = await _hooks(call).subscribe(call.machine, given.url, given.events)
    return WebhookMade(id=ident, secret=secret)


@operation("GET", "/webhooks", "订阅列表", scope=MAY, answer=WebhookList)
async def list_webhooks(call: Call) -> WebhookList:
    """本系统的全部订阅，包括已停用的。"""
    async with call.ctx.db.read() as session:
        rows = await webhooks.endpoints_of(session, call.machine)
    return WebhookList(
        items=[
            WebhookOut(
                id=row.id,
                url=row.url,
                events=row.events,
                created_at=row.created_at,
                revoked=row.revoked_at is not None,
            )
            for row in rows
        ]
    )


@operation("POST", "/webhooks/{webhook_id}/revoke", "停用订阅", scope=MAY, answer=Replayed)
async def revoke_webhook(call: Call) -> Replayed:
    """停用一项订阅；还没有送达的通知不再发送。"""
    ident, hooks = path_id(call.request, "webhook_id"), _hooks(call)
    async with call.ctx.db.begin() as uow:
        await hooks.revoke(uow, call.machine, ident)
    return Replayed(id=ident)


@operation(
    "GET", "/webhooks/{webhook_id}/deliveries", "通知记录", scope=MAY, query=PageQuery, answer=DeliveryPage
)
async def list_deliveries(call: Call) -> DeliveryPage:
    """一项订阅的通知，新的在前。"""
    query, ident = call.query(PageQuery), path_id(call.request, "webhook_id")
    async with call.ctx.db.read() as session:
        found = await webhooks.deliveries_of(session, call.machine, ident, query.cursor, query.limit + 1)
    more = len(found) > query.limit
    items = [DeliveryOut(**vars(one)) for one in found[: query.limit]]
    return DeliveryPage(items=items, next_cursor=items[-1].id if more else None)


@operation("POST", "/deliveries/{delivery_id}/replay", "重新发送", scope=MAY, answer=Replayed)
async def replay_delivery(call: Call) -> Replayed:
    """把一次通知重新排入发送；id 不变，接收方可以据此去重。"""
    ident, hooks = path_id(call.request, "delivery_id"), _hooks(call)
    async with call.ctx.db.begin() as uow:
        await hooks.replay(uow, call.machine, ident)
    return Replayed(id=ident)
