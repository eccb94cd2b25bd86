"""The words of knowledge, and who moves an article from which stage to which. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.people.permissions import Permission

MAX_QUESTION = 200
MAX_ANSWER = 4000
MAX_BASIS = 500
MAX_NOTE = 500


class Stage(StrEnum):
    """Where an edition that is not yet in force stands (采编 → 部门审核 → 发布)."""

    WRITING = "writing"
    REVIEW = "review"
    RELEASE = "release"


class Audience(StrEnum):
    """Who an article is for."""

    INTERNAL = "internal"
    PUBLIC = "public"


class Step(StrEnum):
    """What is done to an article."""

    WRITE = "write"
    SUBMIT = "submit"
    RECALL = "recall"
    APPROVE = "approve"
    REFUSE = "refuse"
    PUBLISH = "publish"
    DROP = "drop"
    WITHDRAW = "withdraw"


class Complaint(StrEnum):
    """What is the matter with an article, or that there is none."""

    NOT_FOUND = "not_found"
    WRONG = "wrong"
    EXPIRED = "expired"


STAGE_WORDS: Mapping[str, str] = {"writing": "采编中", "review": "待部门审核", "release": "待发布"}
AUDIENCE_WORDS: Mapping[str, str] = {"internal": "内部", "public": "可公开"}
STEP_WORDS: Mapping[str, str] = {
    "write": "写稿",
    "submit": "提交审核",
    "recall": "取回修改",
    "approve": "审核通过",
    "refuse": "退回修改",
    "publish": "发布",
    "drop": "放弃草稿",
    "withdraw": "撤下",
}
COMPLAINT_WORDS: Mapping[str, str] = {"not_found": "没找到", "wrong": "内容有误", "expired": "已过期"}
CLOSED_WORDS: Mapping[str, str] = {"new_version": "已更新", "rejected": "不予修改"}


@dataclass(frozen=True)
class Rule:
    """From which stages a step leads where, what it takes, and whether it must say why."""

    sources: frozenset[Stage | None]
    target: Stage | None
    needs: Permission
    reason: bool = False


P, S = Permission, Stage
# Withdrawing asks for an edition in force instead of a stage, and leaves what is being written alone.
RULES: Mapping[Step, Rule] = {
    Step.WRITE: Rule(frozenset({None, S.WRITING}), S.WRITING, P.KNOWLEDGE_EDIT),
    Step.SUBMIT: Rule(frozenset({S.WRITING}), S.REVIEW, P.KNOWLEDGE_EDIT),
    Step.RECALL: Rule(frozenset({S.REVIEW}), S.WRITING, P.KNOWLEDGE_EDIT),
    Step.DROP: Rule(frozenset({S.WRITING}), None, P.KNOWLEDGE_EDIT),
    Step.APPROVE: Rule(frozenset({S.REVIEW}), S.RELEASE, P.KNOWLEDGE_REVIEW),
    Step.PUBLISH: Rule(frozenset({S.RELEASE}), None, P.KNOWLEDGE_PUBLISH),
}


def refusing(stage: Stage | None) -> Permission | None:
    """What it takes to send an edition back from `stage`; None where there is nothing to send back."""
    return {S.REVIEW: P.KNOWLEDGE_REVIEW, S.RELEASE: P.KNOWLEDGE_PUBLISH}.get(stage) if stage else None
