"""What a certificate check knows: kinds of certificates, results, how consent came; papers of a matter. Pure.

A check asks one thing of a registry: does this person hold a valid certificate of this kind? Kept are the
answer, who issued it and how long it counts; neither the image nor what stands in the certificate.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.errors import HotlineError

KINDS: dict[str, str] = {
    "id_card": "居民身份证",
    "household": "户口簿",
    "residence": "居住证",
    "marriage": "结婚证",
    "driving": "机动车驾驶证",
    "vehicle": "机动车行驶证",
    "property": "不动产权证书",
    "social_security": "社会保障卡",
    "medical": "医疗保险参保凭证",
    "disability": "残疾人证",
    "veteran": "退役军人优待证",
    "student": "学籍证明",
    "degree": "学历学位证书",
    "business": "营业执照（经营者）",
    "low_income": "最低生活保障证",
}
VALID, INVALID, UNKNOWN = "valid", "invalid", "unknown"
RESULTS: dict[str, str] = {VALID: "有效", INVALID: "无效", UNKNOWN: "未能核验"}
WHY: dict[str, str] = {
    "": "",
    "expired": "已过有效期",
    "not_yet": "尚未生效",
    "revoked": "已注销",
    "not_found": "证照库中没有",
    "timeout": "证照库没有及时回答，稍后自动再查",
    "unreachable": "证照库联系不上，稍后自动再查",
    "refused": "证照库没有受理，稍后自动再查",
    "bad_answer": "证照库的回答不能采信，稍后自动再查",
    "open": "证照库暂停查询，恢复后自动再查",
    "off": "没有接入证照库",
}
# What is asked again later: the registry was not there to answer.
AWAY = frozenset({"timeout", "unreachable", "refused", "bad_answer", "open"})
CONSENT_CHANNELS: dict[str, str] = {
    "phone": "电话口头同意",
    "text": "文字服务中同意",
    "window": "现场书面同意",
    "web": "网上勾选同意",
}
PURPOSE = "核验办理本事项所需证照"
MOST_PAPERS, MAX_NAME, MAX_PURPOSE = 20, 60, 200


@dataclass(frozen=True)
class Verdict:
    """What a registry says. `why` is one of WHY; `issuer` and the days are of the certificate, if known."""

    result: str
    why: str = ""
    issuer: str = ""
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class Paper:
    """A paper a matter needs: as people call it, and the kind the registry can verify ("": none)."""

    name: str
    kind: str = ""


def judged(
    issuer: str, valid_from: date | None, valid_to: date | None, *, revoked: bool, today: date
) -> Verdict:
    """What a certificate that exists is worth today (a day of the city)."""
    why = "revoked" if revoked else ""
    if not why and valid_from is not None and today < valid_from:
        why = "not_yet"
    if not why and valid_to is not None and today > valid_to:
        why = "expired"
    return Verdict(INVALID if why else VALID, why, issuer, valid_from, valid_to)


def checked_papers(papers: Iterable[Paper]) -> list[Paper]:
    """The papers of a list as they may be kept.

    Raises `papers_invalid` (line): no name, too long, an unknown kind, twice the same, too many.
    """
    found: list[Paper] = []
    for line, paper in enumerate(papers, 1):
        wrong = not paper.name or len(paper.name) > MAX_NAME or (paper.kind and paper.kind not in KINDS)
        again = any(paper.name == one.name or (paper.kind and paper.kind == one.kind) for one in found)
        if wrong or again or line > MOST_PAPERS:
            raise HotlineError("papers_invalid", line=line)
        found.append(paper)
    return found


def as_data(papers: Iterable[Paper]) -> list[dict[str, str]]:
    """Papers as JSON."""
    return [{"name": one.name, "kind": one.kind} for one in papers]


def from_data(data: Iterable[Mapping[str, Any]]) -> tuple[Paper, ...]:
    """Papers from JSON."""
    return tuple(Paper(str(one["name"]), str(one.get("kind", ""))) for one in data)


def kinds_of(papers: Sequence[Paper]) -> tuple[str, ...]:
    """The kinds among them that a registry can verify."""
    return tuple(one.kind for one in papers if one.kind)


def checked_consent(kinds: Sequence[str], needed: Sequence[str], purpose: str, channel: str) -> list[str]:
    """The kinds a consent may cover: those the matter needs and nothing else.

    Raises `paper_not_needed` (kinds), `form_invalid` (kinds, purpose, channel).
    """
    wrong = {}
    if not kinds:
        wrong["kinds"] = "required"
    if not purpose:
        wrong["purpose"] = "required"
    elif len(purpose) > MAX_PURPOSE:
        wrong["purpose"] = "too_long"
    if channel not in CONSENT_CHANNELS:
        wrong["channel"] = "unknown_choice"
    if wrong:
        raise HotlineError("form_invalid", fields=wrong)
    beside = sorted(set(kinds) - set(needed))
    if beside:
        raise HotlineError("paper_not_needed", kinds=beside)
    return sorted(set(kinds))
