"""The demo's market of intermediaries: register, ratings, a verified complaint, a blacklist under appeal.

Done by the people of the demo through the ordinary services. Houses, codes and numbers are invented.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from core.clock import to_city
from core.people.actor import Actor
from core.people.permissions import Role
from core.people.service import PeopleService
from routing.demo.making import Making
from routing.demo.people import SYSTEM, person_name
from tickets.checks import is_uscc
from tickets.forms import parse_form
from tickets.intermediaries import blacklist, cases, ratings, register
from tickets.intermediaries.register import Licence, Said
from tickets.intermediaries.scope import Market, market
from tickets.intermediaries.terms import Move
from tickets.models import Ticket, table_of
from tickets.service import TicketService
from tickets.states import Action as A

_ticket = table_of(Ticket)
TICKETS = 2  # besides those that are drawn
SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True)
class House:
    """An invented intermediary; `left` are the days its qualification still counts, `stars` its ratings."""

    name: str
    trade: str
    unit: str
    licence: str
    left: int | None
    stars: tuple[int, ...]


HOUSES: tuple[House, ...] = (
    House(
        "桂林象山不动产经纪有限公司",
        "房地产经纪",
        "zhujian",
        "房地产经纪机构备案",
        412,
        (5, 4, 4, 5, 3, 4, 2, 5),
    ),
    House("桂林漓江房产中介服务部", "房地产经纪", "zhujian", "房地产经纪机构备案", 38, (2, 1, 3, 2, 1, 2, 4)),
    House("桂林叠彩房屋租赁代理有限公司", "房地产经纪", "zhujian", "房地产经纪机构备案", 700, (4, 4, 5)),
    House("桂林尧山工程测绘有限公司", "工程测绘", "ziran", "测绘乙级资质", 255, (5, 5, 4, 4, 5, 5)),
    House("桂林灵渠土地勘测规划院有限公司", "工程测绘", "ziran", "测绘乙级资质", -12, (3, 4, 3, 2, 3)),
    House(
        "桂林七星资产评估事务所",
        "资产评估",
        "shichang",
        "资产评估机构备案",
        None,
        (5, 4, 5, 4, 5, 5, 4, 3, 5),
    ),
    House("桂林独秀房地产土地估价有限公司", "资产评估", "zhujian", "房地产估价二级", 51, (4, 3, 4, 4)),
    House(
        "桂林榕湖建设工程质量检测有限公司", "工程检测", "zhujian", "工程质量检测资质", 620, (2, 1, 1, 2, 3, 1)
    ),
    House("桂林杉湖环境检测有限公司", "环境检测", "huanjing", "检验检测机构资质认定", 190, (4, 5, 4, 4, 3)),
    House(
        "桂林木龙人力资源服务有限公司", "人力资源", "renshe", "人力资源服务许可", 333, (3, 4, 4, 5, 2, 4, 4)
    ),
    House("桂林伏波劳务派遣有限公司", "人力资源", "renshe", "劳务派遣经营许可", 22, (1, 2, 2, 3, 2)),
    House("桂林骝马留学服务有限公司", "教育咨询", "jiaoyu", "自费出国留学中介备案", 480, (4, 4)),
    House(
        "桂林虞山机动车检测有限公司",
        "机动车检测",
        "shichang",
        "检验检测机构资质认定",
        88,
        (4, 3, 5, 4, 4, 3, 4),
    ),
    House("桂林西山安全评价有限公司", "安全评价", "yingji", "安全评价机构资质", 560, (5, 4, 4)),
)
COMPLAINT = {
    "type": "complaint",
    "title": "中介收取费用高于公示标准",
    "narrative": "来电人通过该机构租房，签约时已按公示标准付佣金，退房时又被收取“清洁服务费”。",
    "expected": "退还多收的费用。",
    "subject_name": HOUSES[1].name,
    "address": "中山中路",
}
OPEN_COMPLAINT = {
    "type": "complaint",
    "title": "劳务派遣公司扣押证件",
    "narrative": "来电人称应聘后公司以办理入职为由收走毕业证原件，提出离职后不予归还。",
    "expected": "归还证件。",
    "subject_name": HOUSES[10].name,
}


def code_of(index: int) -> str:
    """The unified social credit code of a house: invented, of an area that does not exist (450399)."""
    body = f"91450399MA5K{index:04d}X"
    return next(body + sign for sign in SIGNS if is_uscc(body + sign))


async def make(making: Making, people: PeopleService, tickets: TicketService) -> None:
    """Fill the market."""
    found = await market(making.uow.session, making.settings.intermediaries.operator)
    if found.operator_id is None:
        return
    await _Fair(making, people, tickets, found).make()


class _Fair:
    def __init__(self, making: Making, people: PeopleService, tickets: TicketService, found: Market) -> None:
        self._making, self._people, self._tickets, self._market = making, people, tickets, found
        self._draw = random.Random(20261)
        self._houses: list[int] = []

    async def make(self) -> None:
        """Register, rate, complain, list."""
        making = self._making
        self._operator = await self._officer(self._market.operator_id or 0)
        for index, house in enumerate(HOUSES):
            await self._register(index, house)
        for number, index in enumerate((1, 7, 10), 1):
            await self._account(f"agency{number:02d}", index)
        await self._complaint()
        await self._listed(making)

    async def _actor(self, user_id: int) -> Actor:
        found = await self._people.actor_for_user(self._making.uow.session, user_id)
        assert found is not None
        return found

    async def _officer(self, unit_id: int) -> Actor:
        return await self._actor(self._making.folk.officers[unit_id].id)

    async def _head(self, unit_id: int) -> Actor:
        heads = self._making.folk.posts[Role.DEPT_HEAD]
        return await self._actor(next(one.id for one in heads if one.unit_id == unit_id))

    def _today(self) -> date:
        return to_city(self._making.uow.now).date()

    async def _register(self, index: int, house: House) -> None:
        uow, day = self._making.uow, self._today()
        unit = self._making.folk.units[house.unit]
        said = Said(code_of(index), house.name, house.trade, unit, f"桂林市中山中路 {100 + index} 号")
        ident = await register.save(uow, self._operator, self._market, said)
        self._houses.append(ident)
        begun = day - timedelta(days=900)
        ends = None if house.left is None else day + timedelta(days=house.left)
        licence = Licence(house.licence, f"GL-{2300 + index}", begun, ends)
        await register.put_licence(uow, self._operator, self._market, ident, licence)
        for count, stars in enumerate(house.stars):
            number = f"GL{index:02d}{count:02d}{self._draw.randrange(10**8):08d}"
            served = day - timedelta(days=self._draw.randrange(3, 80))
            await register.issue_service(uow, self._operator, self._market, ident, served, number)
            await ratings.by_service(uow, number, stars)

    async def _account(self, login: str, index: int) -> None:
        uow = self._making.uow
        await self._people.create_user(
            uow,
            SYSTEM,
            login=login,
            name=person_name(self._draw),
            password=self._making.settings.secrets.demo_password,
            unit_id=self._market.operator_id or 0,
            roles=frozenset({Role.INTERMEDIARY}),
        )
        await register.link(uow, self._operator, self._market, self._houses[index], login)

    async def _ticket(
        self, form: dict[str, str], category: str, unit: str, citizen: int
    ) -> tuple[int, Actor]:
        """A complaint that lies, signed, with the department of the trade."""
        making, uow = self._making, self._making.uow
        agent = await self._actor(making.folk.posts[Role.AGENT][0].id)
        desk = await self._actor(making.folk.posts[Role.DISPATCHER][0].id)
        whole = {**form, "category_id": making.categories[category], "phone": f"1380773{citizen:04d}"}
        made = await self._tickets.create(uow, agent, parse_form(whole, now=uow.now))
        to = {"unit_id": making.folk.units[unit], "co_unit_ids": [self._market.operator_id]}
        await self._do(desk, made.id, A.DISPATCH, **to)
        officer = await self._officer(making.folk.units[unit])
        await self._do(officer, made.id, A.SIGN)
        return made.id, officer

    async def _do(self, actor: Actor, ticket_id: int, action: A, **data: object) -> None:
        query = sa.select(_ticket.c.version).where(_ticket.c.id == ticket_id)
        version = (await self._making.uow.session.execute(query)).scalar_one()
        await self._tickets.act(self._making.uow, actor, ticket_id, version, action, data)

    async def _complaint(self) -> None:
        """One complaint closed and verified, one put to its house and still open."""
        uow = self._making.uow
        ident, officer = await self._ticket(COMPLAINT, "030303", "zhujian", 4021)
        summary = "反映退房时收取合同未约定的“清洁服务费”，请说明收费依据。"
        case = await cases.serve(uow, officer, ident, 0, summary)
        login = sa.text("SELECT id FROM user_account WHERE login = 'agency01'")
        house = await self._actor(int((await uow.session.execute(login)).scalar_one()))
        await cases.answer(uow, house, case, 2, "该费用系门店自行收取，已退还，并对门店作出处理。")
        co = await self._officer(self._market.operator_id or 0)
        await self._do(co, ident, A.CO_OPINION, note="查服务记录，公示标准中没有该项收费。")
        reply = "经核实，机构收取了合同未约定的费用，已责令退还并按规定处理，感谢您的反映。"
        close = {"public_reply": reply, "result": "reached"}
        await self._do(officer, ident, A.CLOSE, **close, note="已核对合同和票据")
        await cases.judge(
            uow, officer, ident, 3, "verified", finding="overcharge", text="合同未约定、票据属实，收费违规。"
        )
        ident, officer = await self._ticket(OPEN_COMPLAINT, "060301", "renshe", 4022)
        await cases.serve(uow, officer, ident, 0, "反映入职时收走毕业证原件，离职后不予归还，请说明。")

    async def _listed(self, making: Making) -> None:
        """The testing house is proposed by its department's officer, announced by the head, and objects."""
        uow, unit = making.uow, making.folk.units["zhujian"]
        reason = "半年内两次出具与现场不符的检测报告，经复检查实。"
        told = {"finding": "false_report", "reason": reason, "months": 12}
        proposer, head = await self._officer(unit), await self._head(unit)
        entry = await blacklist.propose(uow, proposer, self._market, self._houses[7], **told)  # type: ignore[arg-type]  # the three of them
        days = making.settings.intermediaries.appeal_days
        await blacklist.decide(
            uow, head, self._market, entry, 1, Move.APPROVE, "事实清楚，拟列入，告知申诉权利。",
            later=making.limits.later, appeal_days=days,
        )  # fmt: skip
        login = sa.text("SELECT id FROM user_account WHERE login = 'agency02'")
        house = await self._actor(int((await uow.session.execute(login)).scalar_one()))
        text = "第二次报告所涉样品由委托方自行取样，复检样品与原样品不是同一批，请予复核。"
        await blacklist.appeal(uow, house, entry, 2, text)
