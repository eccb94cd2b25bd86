"""The three administrators (三员): which administrative act is whose, and who must approve it.

One table. The system administrator runs the place, the security administrator grants power, the
audit administrator watches both; nobody approves what he proposed, nobody changes his own account,
and an act on an administrator's account needs the two it does not belong to.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Role

SYSTEM, SECURITY, AUDIT = Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN
ADMINISTRATORS = frozenset({SYSTEM, SECURITY, AUDIT})

POST_LABELS: dict[str, str] = {
    Role.AGENT: "话务员",
    Role.SHIFT_LEADER: "班长",
    Role.DISPATCHER: "派单员",
    Role.CALLBACK_OFFICER: "回访员",
    Role.SUPERVISION_OFFICER: "督办员",
    Role.DEPT_OFFICER: "承办联络员",
    Role.DEPT_HEAD: "承办领导",
    Role.KNOWLEDGE_EDITOR: "知识采编",
    Role.KNOWLEDGE_REVIEWER: "知识审核",
    Role.INSPECTOR: "监察员",
    Role.QUALITY_REVIEWER: "质检员",
    Role.INTERMEDIARY: "中介机构",
    SYSTEM: "系统管理员",
    SECURITY: "安全管理员",
    AUDIT: "审计管理员",
}


class Act(StrEnum):
    """The acts of administration; the code is also the action of the audit entry."""

    USER_CREATE = "user.create"
    USER_IMPORT = "user.import"
    USER_EDIT = "user.edit"
    USER_ROLES = "user.roles"
    USER_DISABLE = "user.disable"
    USER_ENABLE = "user.enable"
    USER_PASSWORD = "user.reset_password"  # noqa: S105 - the name of an act
    USER_UNLOCK = "user.unlock"
    USER_TOTP = "user.reset_totp"
    USER_EXPORT = "user.export"
    SESSION_KILL = "session.kill"
    UNIT_CREATE = "unit.create"
    UNIT_EDIT = "unit.edit"
    UNIT_OPEN = "unit.open"
    UNIT_CLOSE = "unit.close"
    UNIT_MERGE = "unit.merge"
    CATEGORY_PUBLISH = "category.publish"
    CATALOG_EDIT = "catalog.edit"
    CALENDAR_CHANGE = "calendar.change"
    POLICY_PUBLISH = "policy.publish"
    NOTICE_PUBLISH = "notice.publish"
    OUTBOX_RESEND = "outbox.resend"
    SETTINGS_READ = "settings.read"
    PERSON_DELETE = "person.delete"
    AUDIT_READ = "audit.read"


@dataclass(frozen=True)
class Rule:
    """Who does or proposes an act, and whose approval it waits for; nobody's: it takes effect at once."""

    by: frozenset[Role]
    approved_by: frozenset[Role] = frozenset()

    @property
    def at_once(self) -> bool:
        """True when nobody has to approve."""
        return not self.approved_by


@dataclass(frozen=True)
class Duty:
    """One line of the table. `account`: about one person's account, so administrators' are special."""

    act: Act
    label: str
    rule: Rule
    account: bool = False


def _at_once(*by: Role) -> Rule:
    return Rule(frozenset(by))


def _approved(by: Iterable[Role], approved_by: Role) -> Rule:
    return Rule(frozenset(by), frozenset({approved_by}))


DUTIES: dict[Act, Duty] = {
    duty.act: duty
    for duty in (
        Duty(Act.USER_CREATE, "新建账号", _approved([SYSTEM], SECURITY), account=True),
        Duty(Act.USER_IMPORT, "批量导入账号", _approved([SYSTEM], SECURITY)),
        Duty(Act.USER_EDIT, "修改账号资料", _at_once(SYSTEM), account=True),
        Duty(Act.USER_ROLES, "调整岗位", _approved([SYSTEM], SECURITY), account=True),
        Duty(Act.USER_DISABLE, "停用账号", _at_once(SYSTEM, SECURITY), account=True),
        Duty(Act.USER_ENABLE, "启用账号", _approved([SYSTEM], SECURITY), account=True),
        Duty(Act.USER_PASSWORD, "重置密码", _at_once(SECURITY), account=True),
        Duty(Act.USER_UNLOCK, "解除锁定", _at_once(SECURITY), account=True),
        Duty(Act.USER_TOTP, "重置动态口令", _at_once(SECURITY), account=True),
        Duty(Act.USER_EXPORT, "导出账号名册", _at_once(SYSTEM, SECURITY, AUDIT)),
        Duty(Act.SESSION_KILL, "强制下线", _at_once(SECURITY)),
        Duty(Act.UNIT_CREATE, "新建单位", _at_once(SYSTEM)),
        Duty(Act.UNIT_EDIT, "修改单位", _at_once(SYSTEM)),
        Duty(Act.UNIT_OPEN, "启用单位", _at_once(SYSTEM)),
        Duty(Act.UNIT_CLOSE, "撤销单位", _approved([SYSTEM], SECURITY)),
        Duty(Act.UNIT_MERGE, "合并单位", _approved([SYSTEM], SECURITY)),
        Duty(Act.CATEGORY_PUBLISH, "发布诉求分类", _approved([SYSTEM], SECURITY)),
        Duty(Act.CATALOG_EDIT, "修改基础数据", _at_once(SYSTEM)),
        Duty(Act.CALENDAR_CHANGE, "修改工作日历", _at_once(SYSTEM, Role.SUPERVISION_OFFICER)),
        Duty(Act.POLICY_PUBLISH, "发布时限政策", _approved([SYSTEM, Role.SUPERVISION_OFFICER], SECURITY)),
        Duty(Act.NOTICE_PUBLISH, "发布公告", _at_once(SYSTEM, Role.SHIFT_LEADER)),
        Duty(Act.OUTBOX_RESEND, "重新发送消息", _at_once(SYSTEM)),
        Duty(Act.SETTINGS_READ, "查看运行参数", _at_once(SYSTEM, SECURITY, AUDIT)),
        Duty(Act.PERSON_DELETE, "删除个人信息", _approved([SECURITY, Role.SHIFT_LEADER], AUDIT)),
        Duty(Act.AUDIT_READ, "查阅审计日志", _at_once(AUDIT, Role.INSPECTOR)),
    )
}

# An act on the account of an administrator: who proposes and who approves, never the post itself.
ON_ADMINISTRATORS: dict[Role, Rule] = {
    SYSTEM: _approved([SECURITY], AUDIT),
    SECURITY: _approved([SYSTEM], AUDIT),
    AUDIT: _approved([SYSTEM], SECURITY),
}


@dataclass(frozen=True)
class Concern:
    """Whose account an act is about: the person, and the posts held now or wanted."""

    user_id: int | None = None
    posts: frozenset[Role] = frozenset()


NOBODY = Concern()


def rule_of(act: Act, concern: Concern = NOBODY) -> Rule:
    """The rule for an act on this account. Errors: admin_post_exchange."""
    duty = DUTIES[act]
    touched = concern.posts & ADMINISTRATORS if duty.account else frozenset()
    if len(touched) > 1:  # from one administrator's post to another's there is no third to approve
        raise HotlineError("admin_post_exchange", act=str(act))
    return ON_ADMINISTRATORS[next(iter(touched))] if touched else duty.rule


def acts_of(actor: Actor) -> list[str]:
    """The acts the actor proposes or approves on any account."""
    found = []
    for duty in DUTIES.values():
        rules = [duty.rule, *(ON_ADMINISTRATORS.values() if duty.account else ())]
        if any(actor.roles & (rule.by | rule.approved_by) for rule in rules):
            found.append(str(duty.act))
    return found


def may_propose(actor: Actor, act: Act, concern: Concern = NOBODY) -> bool:
    """True when the actor may do the act, or propose it where it needs approval."""
    if _own(actor, concern):
        return False
    return bool(actor.roles & rule_of(act, concern).by)


def may_approve(actor: Actor, act: Act, concern: Concern, proposed_by: int | None) -> bool:
    """True when the actor may decide on the act somebody else proposed."""
    if _own(actor, concern) or actor.user_id is None or actor.user_id == proposed_by:
        return False
    return bool(actor.roles & rule_of(act, concern).approved_by)


def _own(actor: Actor, concern: Concern) -> bool:
    return actor.user_id is not None and actor.user_id == concern.user_id


def check_posts(roles: frozenset[Role]) -> None:
    """An administrator's post is held alone: no second one, no working post. Errors: posts_incompatible."""
    if roles & ADMINISTRATORS and len(roles) > 1:
        raise HotlineError("posts_incompatible", roles=sorted(roles))
