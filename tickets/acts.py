"""Acts of administration on units and categories that the table of duties puts before a second person."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from core.db import UnitOfWork
from core.errors import HotlineError
from core.people import org
from core.people.actor import Actor
from core.people.duties import Act
from core.people.permissions import Permission
from core.people.proposals import Change, Payload, ProposalService, Registered
from tickets import categories, handover
from tickets.category_tree import Tree
from tickets.citizens import records
from tickets.citizens import service as citizens
from tickets.states import STATE_LABELS, State

KIND_WORDS = {
    "new": "新增",
    "renamed": "改名",
    "moved": "移动",
    "closed": "停用",
    "opened": "启用",
    "merged": "并入",
    "order": "调整顺序",
}


class CloseUnit(Payload):
    """A unit on which nothing hangs is closed."""

    unit_id: int


class MergeUnit(Payload):
    """A unit goes over into another, with its open tickets."""

    unit_id: int
    to_unit_id: int
    move_users: bool = True
    reason: str


class PublishCategories(Payload):
    """A draft is put in force as it was when it was put forward."""

    version_id: int
    edits: int
    note: str = ""


class DeletePerson(Payload):
    """What says who a citizen is is destroyed for ever; `version` is the record that was looked at."""

    citizen_id: int
    version: int | None = None
    reason: str


def register(proposals: ProposalService) -> None:
    """Say how these acts are done."""
    proposals.register(
        Act.UNIT_CLOSE,
        Registered(CloseUnit, _close, preview=_preview_close, subject=lambda asked: ("unit", asked.unit_id)),
    )
    proposals.register(
        Act.UNIT_MERGE,
        Registered(MergeUnit, _merge, preview=_preview_merge, subject=lambda asked: ("unit", asked.unit_id)),
    )
    proposals.register(
        Act.CATEGORY_PUBLISH,
        Registered(
            PublishCategories,
            _publish,
            preview=_preview_publish,
            subject=lambda asked: ("category", asked.version_id),
        ),
    )
    proposals.register(
        Act.PERSON_DELETE,
        Registered(
            DeletePerson,
            _delete,
            preview=_preview_delete,
            subject=lambda asked: ("citizen", asked.citizen_id),
        ),
    )


async def _close(uow: UnitOfWork, actor: Actor, asked: CloseUnit) -> None:
    await handover.close(uow, actor, asked.unit_id)


async def _preview_close(session: AsyncSession, asked: CloseUnit) -> Sequence[Change]:
    found = await org.unit(session, asked.unit_id)
    return [Change(found.name, "启用", "撤销")]


async def _merge(uow: UnitOfWork, actor: Actor, asked: MergeUnit) -> int:
    return await handover.start(
        uow, actor, asked.unit_id, asked.to_unit_id, reason=asked.reason, move_users=asked.move_users
    )


async def _preview_merge(session: AsyncSession, asked: MergeUnit) -> Sequence[Change]:
    seen = await handover.preview(session, asked.unit_id)
    old, new = await org.unit(session, asked.unit_id), await org.unit(session, asked.to_unit_id)
    states = "、".join(f"{STATE_LABELS[State(code)]} {count}" for code, count in seen.by_state.items())
    changes = [
        Change("单位", old.name, f"并入 {new.name}"),
        Change("在办工单", f"{seen.tickets} 件（{states}）" if seen.tickets else "0 件", new.name),
        Change("其中协办", f"{seen.co_handlings} 件", new.name),
        Change("待审申请", f"{seen.requests} 件", "随工单保留"),
        Change("人员账号", f"{seen.users} 个", new.name if asked.move_users else "不移动"),
    ]
    if seen.children:
        changes.append(Change("下级单位", "、".join(seen.children), new.name))
    return changes


async def _publish(uow: UnitOfWork, actor: Actor, asked: PublishCategories) -> int:
    return await categories.publish(uow, actor, asked.version_id, asked.edits, asked.note)


async def _preview_publish(session: AsyncSession, asked: PublishCategories) -> Sequence[Change]:
    found = await categories.version(session, asked.version_id)
    changed = await categories.differences(session, Tree.of(found.tree))
    return [Change(KIND_WORDS[one.kind], one.before or "—", one.after or "—") for one in changed]


# A preview is shown to whoever decides; it counts and shows no value.
_COUNTING = replace(Actor.system("preview"), permissions=frozenset({Permission.DELETION_APPROVE}))
FORGOTTEN = {
    "phones": "电话号码",
    "names": "姓名",
    "id_numbers": "公民身份号码",
    "second_phones": "备用电话",
    "codes": "查询码",
    "notes": "备注",
    "chats": "文字会话的内容",
    "drafts": "登记草稿内容",
}
STAYS = {"tickets": "工单", "calls": "通话记录"}


async def _delete(uow: UnitOfWork, actor: Actor, asked: DeletePerson) -> None:
    """What was merged into the record since nobody asked to destroy. Errors: proposal_outdated."""
    row = (await records.lock(uow, {asked.citizen_id: None}))[asked.citizen_id]
    if asked.version is not None and row.version != asked.version:
        raise HotlineError("proposal_outdated", citizen_id=asked.citizen_id)
    await citizens.forget(uow, actor, asked.citizen_id, asked.reason)


async def preview_delete(session: AsyncSession, citizen_id: int) -> citizens.ForgetPreview:
    """What deleting a citizen would destroy, and what stands in the way; counts only."""
    return await citizens.preview_forget(session, _COUNTING, citizen_id)


async def _preview_delete(session: AsyncSession, asked: DeletePerson) -> Sequence[Change]:
    seen = await preview_delete(session, asked.citizen_id)
    gone = [
        Change(word, f"{getattr(seen, name)} 项", "销毁，不能恢复")
        for name, word in FORGOTTEN.items()
        if getattr(seen, name)
    ]
    stays = [
        Change(word, f"{getattr(seen, name)} 件", "保留，不再能认出本人") for name, word in STAYS.items()
    ]
    return [Change("市民档案", f"编号 {asked.citizen_id}", "标记为已删除"), *gone, *stays]
