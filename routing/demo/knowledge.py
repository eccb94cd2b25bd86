"""The knowledge of the demo city: articles, synonyms, something to put right, an emergency that is over.

Notation of `knowledge.txt`, one block per article:

    @ category unit audience end uses      end: days from now, "-" for none
    Q question    A answer (\\n begins a line)    B basis

All texts were written for this project; conditions and amounts are left to what the owner publishes.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from core.clock import to_city
from core.people.actor import Actor
from core.people.permissions import Role
from core.people.service import PeopleService
from routing.demo.making import Making
from tickets.knowledge import banners, gaps, service, synonyms, tasks
from tickets.knowledge.bulk import insert_published
from tickets.knowledge.service import Content
from tickets.knowledge.terms import Step

TEXT = Path(__file__).resolve().parent / "knowledge.txt"
AGE = timedelta(days=90)
SYNONYMS = (
    ("电动自行车", "电动车", "电瓶车", "电单车", "电驴"),
    ("身份证", "居民身份证", "身份证件"),
    ("上户口", "落户", "入户", "报户口"),
    ("补办", "补领", "重办"),
    ("社保卡", "社会保障卡", "社保卡片"),
    ("医保", "医疗保险", "农合"),
    ("低保", "最低生活保障", "低保户"),
    ("老年卡", "老人卡", "敬老卡", "老年公交卡"),
    ("驾驶证", "驾照", "驾驶执照"),
    ("年检", "年审", "审车", "检车"),
    ("公租房", "廉租房", "保障房"),
    ("拖欠工资", "欠薪", "不发工资", "没发工资"),
    ("没水", "停水", "断水"),
    ("没电", "停电", "断电"),
    ("燃气", "煤气", "天然气"),
    ("托育", "托班", "托儿所"),
    ("补课班", "培训机构", "培训班", "辅导班"),
    ("营业执照", "工商执照", "营业证"),
    ("领证", "结婚登记", "登记结婚"),
    ("游船", "船票", "漓江船"),
    ("快递", "包裹", "快件"),
    ("公积金", "住房公积金"),
    ("红灯", "信号灯", "红绿灯"),
    ("路灯", "街灯", "照明灯"),
    ("养老金", "退休金", "养老待遇"),
    ("养狗", "养犬", "狗证", "养犬登记"),
    ("停车费", "停车收费", "泊车费"),
    ("噪声", "噪音", "吵闹", "太吵"),
    ("夜间", "半夜", "深夜", "夜里"),
    ("施工", "打桩", "工地"),
    ("新生儿", "刚出生", "新生宝宝"),
    ("上牌", "挂牌", "登记上牌"),
)
MISSED = ("无人机飞行报备", "共享单车押金退还", "老旧小区加装电梯补贴")


@dataclass
class Article:
    """One block of the file."""

    category: str
    unit: str
    audience: str
    days_left: int | None
    uses: int
    texts: dict[str, str] = field(default_factory=dict)


def articles() -> list[Article]:
    """The articles of the file."""
    found: list[Article] = []
    for line in TEXT.read_text(encoding="utf-8").splitlines():
        mark, _, rest = line.partition(" ")
        if mark == "@":
            category, unit, audience, *numbers = rest.split()
            end, uses = numbers if len(numbers) == 2 else (numbers[0], "0")
            found.append(Article(category, unit, audience, None if end == "-" else int(end), int(uses)))
        elif mark in ("Q", "A", "B"):
            found[-1].texts[mark] = rest.replace("\\n", "\n")
    return found


async def make(making: Making, people: PeopleService) -> None:
    """Write it all."""
    ids = await _articles(making)
    actors = {
        role: await _actor(making, people, role)
        for role in (Role.AGENT, Role.SHIFT_LEADER, Role.KNOWLEDGE_EDITOR, Role.DISPATCHER)
    }
    for words in SYNONYMS:
        await synonyms.add(making.uow, actors[Role.KNOWLEDGE_EDITOR], words)
    await _unfinished(making, people, actors[Role.KNOWLEDGE_EDITOR])
    await _to_put_right(making, actors, ids)
    await _emergency(making, actors[Role.SHIFT_LEADER])


async def _actor(making: Making, people: PeopleService, role: Role) -> Actor:
    found = await people.actor_for_user(making.uow.session, making.folk.posts[role][0].id)
    assert found is not None
    return found


async def _articles(making: Making) -> dict[str, int]:
    """The articles in force; returns question → id."""
    day, posts = to_city(making.now).date(), making.folk.posts
    heads = {person.unit_id: person.id for person in posts[Role.DEPT_HEAD]}
    contents: list[dict[str, Any]] = []
    for one in articles():
        unit = making.folk.units[one.unit]
        contents.append(
            {
                "question": one.texts["Q"],
                "answer": one.texts["A"],
                "basis": one.texts["B"],
                "category_id": making.categories[one.category],
                "district_id": None,
                "audience": one.audience,
                "valid_from": day - AGE,
                "valid_to": None if one.days_left is None else day + timedelta(days=one.days_left),
                "unit_id": unit,
                "uses": one.uses,
                "author": making.folk.officers[unit].id,
                "reviewer": heads[unit],
            }
        )
    publisher = posts[Role.SUPERVISION_OFFICER][0].id
    ids = await insert_published(making.uow.session, contents, at=making.now - AGE, publisher=publisher)
    return {content["question"]: ident for content, ident in zip(contents, ids, strict=True)}


async def _unfinished(making: Making, people: PeopleService, editor: Actor) -> None:
    """One article that is being written, one that waits for its department, one for its release."""
    day = to_city(making.now).date()
    drafts = (
        ("minzheng", "清明祭扫期间公墓怎么预约", "按公墓公布的时段网上预约，错峰祭扫。", ()),
        ("jiaoyu", "课后服务怎么报名", "向就读学校提出，自愿参加，收费按公布的标准执行。", (Step.SUBMIT,)),
        (
            "wenlv",
            "民宿订单不退款怎么办",
            "先与平台和民宿协商并保留订单，登记后由文旅部门协调。",
            (Step.SUBMIT, Step.APPROVE),
        ),
    )
    for unit, question, answer, steps in drafts:
        unit_id = making.folk.units[unit]
        content = Content(question, answer, "以主管部门公布为准", "public", day)
        ident = await service.create(making.uow, editor, content, unit_id=unit_id)
        head = next(one for one in making.folk.posts[Role.DEPT_HEAD] if one.unit_id == unit_id)
        actors = {Step.SUBMIT: editor, Step.APPROVE: await people.actor_for_user(making.uow.session, head.id)}
        for version, step in enumerate(steps, 1):
            actor = actors[step]
            assert actor is not None
            await service.advance(making.uow, actor, ident, version, step)


async def _to_put_right(making: Making, actors: dict[Role, Actor], ids: dict[str, int]) -> None:
    """A report about an article, one that nothing was found, and searches that two people made in vain."""
    uow, limits = making.uow, making.limits
    days = making.settings.knowledge.correction_days
    agent, other = actors[Role.AGENT], actors[Role.DISPATCHER]
    wrong = ids["高龄津贴几岁可以领"]
    note = "来电人说年龄档次今年有调整，请核对。"
    await tasks.report(uow, agent, limits, "wrong", days=days, article_id=wrong, note=note)
    await tasks.report(uow, other, limits, "not_found", days=days, note="家庭养老床位怎么申请")
    for phrase in MISSED:
        for actor in (agent, other):
            await gaps.note(uow, actor, making.values.vault, phrase)


async def _emergency(making: Making, leader: Actor) -> None:
    """A wording of an emergency that is over."""
    ends = making.uow.now + timedelta(hours=6)
    title = "城北水厂抢修停水答复口径"
    body = (
        "城北片区因管道抢修临时停水，供水公司已派出送水车，预计今晚恢复，以供水公司公告为准。"
        "涉及医院、学校用水的立即转值班长。"
    )
    ident = await banners.issue(making.uow, leader, title, body, ends)
    await banners.withdraw(making.uow, leader, ident, 1, "抢修完成，已恢复供水")
