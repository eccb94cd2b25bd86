"""What each report says: its figures and sentences, from kept sums and kept calls alone.

The definitions are those of the screens (`sla.measures.definitions`, `telephony.figures`); a report repeats
the ones it uses, so that it can be read without the system.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import to_city
from sla.measures import queries
from sla.measures.definitions import COUNTERS, PEERS, RATES, THREE_RATES
from sla.measures.periods import Period
from sla.measures.queries import Share
from sla.pack import Pack
from sla.reports import calls, cells, league, lookups
from sla.reports.cells import RATE_COLUMNS, Pair, Where, count, rate_cell, rate_line, share_of
from sla.reports.document import Block, Chart, ChartKind, Column, Format, Heading, Paragraph, Report
from sla.reports.periods import KIND_LABELS, Kind, before
from sla.reports.service import Order
from tickets.terms import LABELS, TicketType

HANDLING = ("sign_rate", "contact_rate", "on_time_rate", "return_rate", "redo_rate")
MOST = 10  # lines of a list of the hottest
NUMERALS = "一二三四五六七八九十"
COUNT, RATE = Format.COUNT, Format.RATE


@dataclass(frozen=True)
class Writer:
    """Writes the reports of a hotline."""

    office: str
    pack: Callable[[], Pack]  # the one in force, whose rules departments are scored by

    async def compose(self, session: AsyncSession, order: Order, now: datetime) -> Report:
        """The report of an order, as the sums stand at `now` (UTC)."""
        page = _Page(session, order, to_city(now).date(), now)
        if order.kind is Kind.LEAGUE:
            await self._league(page)
        elif order.kind is Kind.SPECIAL:
            await self._special(page)
        else:
            await self._regular(page)
        lines = {
            "统计口径": "工单按各指标的计入之日统计；受理等件数含剔除件，各率不含，剔除件另列；"
            "不足 30 件的不排名、不计分。"
        }
        if order.kind is Kind.LEAGUE:
            lines["计分规则"] = self.pack().name
        title = f"{KIND_LABELS[order.kind]}"
        if page.subject is not None:
            title = f"{page.subject}{title}"
        period = order.period
        days, as_of = (period.first, period.last), f"{to_city(now):%Y-%m-%d %H:%M}"
        return Report(f"12345热线{title}", self.office, *days, tuple(page.blocks), lines, as_of)

    async def _regular(self, page: "_Page") -> None:
        await page.overview()
        await page.telephone()
        await page.by_type()
        await page.handling()
        await page.three_rates()
        await page.hot("category", "热点诉求")
        await page.hot("district", "各县（市、区）诉求")
        if page.order.kind is not Kind.DAILY:
            await page.units()
        page.definitions((*HANDLING, "direct_rate", *THREE_RATES))

    async def _league(self, page: "_Page") -> None:
        rules = self.pack().scores
        codes = tuple(rule.code for rule in rules)
        if not codes:
            page.add(Paragraph("现行时限政策没有规定计分规则（score），本期不考核计分。"))
            return
        groups = await queries.by_unit(page.session, page.today, codes, page.order.period)
        page.head("计分规则")
        page.add(league.rules_table(rules))
        for kind, rows in groups.items():
            if rows:
                page.head(PEERS[kind])
                page.add(*league.blocks(PEERS[kind], rules, rows, (page.order.period, page.today)))
        if not any(groups.values()):
            page.add(Paragraph("本期没有派给承办单位的诉求。"))
        page.definitions(codes)

    async def _special(self, page: "_Page") -> None:
        await page.name_subject()
        await page.subject_days()
        await page.subject_rates()
        page.head("情况分析")
        page.add(Paragraph("（请承办人结合上述数据填写：诉求集中的原因、涉及范围、办理难点。）"))
        page.head("意见建议")
        page.add(Paragraph("（请承办人填写：需要协调的事项、责任单位、完成时限。）"))
        page.definitions(("direct_rate", "on_time_rate", *THREE_RATES))


class _Page:
    """A report being written."""

    def __init__(self, session: AsyncSession, order: Order, today: date, now: datetime) -> None:
        self.now = now
        self.session = session
        self.order = order
        self.today = today
        self.blocks: list[Block] = []
        self.subject: str | None = None
        self._heads = 0

    def add(self, *blocks: Block) -> None:
        """Further blocks."""
        self.blocks += blocks

    def head(self, text: str) -> None:
        """The next numbered heading."""
        self._heads += 1
        self.add(Heading(f"{NUMERALS[self._heads - 1]}、{text}"))

    def _where(self, scope: str = "all", key: str = "", period: Period | None = None) -> Where:
        return Where(period or self.order.period, self.today, scope, key)

    async def _shares(
        self, codes: Sequence[str], scope: str = "all", period: Period | None = None
    ) -> dict[str, dict[str, Share]]:
        return await queries.shares(self.session, self.today, codes, period or self.order.period, scope)

    async def _count(self, code: str, scope: str, period: Period | None = None) -> dict[str, int]:
        found = await queries.sums(self.session, scope, {code}, period or self.order.period)
        return {key: sum(values.values()) for key, values in found.items()}

    # ---- the regular ones -----------------------------------------------------------------------

    async def overview(self) -> None:
        """A paragraph that says the whole in one breath."""
        now = (await self._count("accepted", "all")).get("", 0)
        then = (await self._count("accepted", "all", before(self.order.period))).get("", 0)
        found = (await self._shares(("direct_rate", "on_time_rate"))).get("", {})
        self.head("总体情况")
        text = f"本期共受理诉求 {now:,} 件，{_change(now, then)}"
        direct, on_time = found.get("direct_rate"), found.get("on_time_rate")
        if direct is not None and direct.percent is not None:
            text += f"；其中直办 {direct.part:,} 件，直办率 {direct.percent:.1f}%"
            if direct.left_out:
                text += f"（不含剔除 {direct.left_out:,} 件）"
        if on_time is not None and on_time.percent is not None:
            text += f"；到期应办结 {on_time.of:,} 件，按时办结率 {on_time.percent:.1f}%"
            if on_time.left_out:
                text += f"（另有剔除 {on_time.left_out:,} 件）"
        self.add(Paragraph(text + "。"))

    async def telephone(self) -> None:
        """Calls of the period, as GB/T 33358 counts them."""
        self.head("话务情况")
        self.add(*await calls.blocks(self.session, self.order.period, self.now))

    async def by_type(self) -> None:
        """How many of each type, with the change."""
        now = await self._count("accepted", "type")
        then = await self._count("accepted", "type", before(self.order.period))
        found = await self._shares(("direct_rate",), "type")
        words = LABELS[TicketType]
        types = sorted({*now, *then} & set(words), key=lambda one: -now.get(one, 0))
        last = before(self.order.period)
        rows = []
        for one in types:
            where, share = self._where("type", one), share_of(found, one, "direct_rate")
            accepted = count(now.get(one, 0), where, "accepted")
            earlier = count(then.get(one, 0), self._where("type", one, last), "accepted")
            apart = count(share.left_out if share else 0, where, "accepted", "yes")
            direct = count(share.part if share else 0, where, "direct", "no")
            rows.append([(words[one], None), accepted, earlier, direct, rate_cell(share, where), apart])
        self.head("诉求类型")
        columns = (
            *(Column("类型"), Column("受理", COUNT), Column("上期", COUNT)),
            *(Column("直办", COUNT), Column("直办率", RATE), Column("剔除", COUNT)),
        )
        self._table("各类诉求受理情况", columns, rows)
        self._bars("各类诉求受理件数", [(words[one], float(now.get(one, 0))) for one in types])

    async def handling(self) -> None:
        """How the departments did, all together, with the change."""
        now = (await self._shares(HANDLING)).get("", {})
        then = (await self._shares(HANDLING, period=before(self.order.period))).get("", {})
        self.head("办理情况")
        rows = [rate_line(code, now.get(code), then.get(code), self._where()) for code in HANDLING]
        self._table("办理各率", RATE_COLUMNS, rows)

    async def three_rates(self) -> None:
        """响应率, 解决率, 满意率, with who did not answer, and over the last weeks."""
        now = (await self._shares(THREE_RATES)).get("", {})
        then = (await self._shares(THREE_RATES, period=before(self.order.period))).get("", {})
        self.head("回访评价")
        rows = [
            [
                *rate_line(code, now.get(code), then.get(code), self._where()),
                cells.silent_cell(now.get(code), self._where()),
            ]
            for code in THREE_RATES
        ]
        self._table("三率", (*RATE_COLUMNS, Column("未回应", COUNT)), rows)
        if self.order.kind is not Kind.DAILY:
            await self._weeks()

    async def _weeks(self) -> None:
        weeks = await queries.by_week(self.session, self.order.period.last, THREE_RATES, 8)
        series = tuple(
            (RATES[code].name, tuple(cells.rate(week.shares.get(code)) for week in weeks))
            for code in THREE_RATES
        )
        if any(value is not None for _, values in series for value in values):
            labels = tuple(f"{week.monday.month}月{week.monday.day}日" for week in weeks)
            rows = []
            for label, week in zip(labels, weeks, strict=True):
                last = min(week.monday + timedelta(days=6), self.order.period.last)
                where = self._where(period=Period(week.monday, last))
                rows.append(
                    [(label, None), *(rate_cell(week.shares.get(code), where) for code in THREE_RATES)]
                )
            self._table("近八周三率", (Column("周（周一）"), *(Column(n, RATE) for n, _ in series)), rows)
            self.add(Chart("近八周三率", ChartKind.LINES, labels, series, RATE))

    async def hot(self, scope: str, title: str) -> None:
        """Where most was accepted, against the period before."""
        now = await self._count("accepted", scope)
        then = await self._count("accepted", scope, before(self.order.period))
        top = sorted(now, key=lambda key: (-now[key], key))[:MOST]
        names = await queries.names_of(self.session, scope, [int(key) for key in top])
        last = before(self.order.period)
        rows = [
            [
                (names.get(int(key), key), None),
                count(now[key], self._where(scope, key), "accepted"),
                count(then.get(key, 0), self._where(scope, key, last), "accepted"),
                (now[key] - then.get(key, 0), None),
            ]
            for key in top
        ]
        self.head(title)
        columns = (Column("名称"), Column("受理", COUNT), Column("上期", COUNT), Column("增减", COUNT))
        self._table(title, columns, rows)
        self._bars(f"{title}（件）", [(names.get(int(key), key), float(now[key])) for key in top])

    async def units(self) -> None:
        """The units that had something to do, peers with peers; below thirty cases without a place."""
        codes = ("on_time_rate", "sign_rate", "return_rate", "satisfied_rate")
        groups = await queries.by_unit(self.session, self.today, codes, self.order.period)
        self.head("承办单位")
        for kind, rows in groups.items():
            if rows:
                lines = [cells.unit_line(row, codes, self.order.period, self.today) for row in rows]
                few = "" if all(row.shares[codes[0]].ranked for row in rows) else cells.FEW
                self.add(cells.table(f"{PEERS[kind]}办理情况", cells.unit_columns(codes), lines, few))
        if not any(groups.values()):
            self.add(Paragraph("本期没有派给承办单位的诉求。"))

    def definitions(self, codes: Sequence[str]) -> None:
        """The formulas of what was used."""
        self.head("指标说明")
        self.add(*(Paragraph(f"{RATES[code].name}＝{RATES[code].formula}", small=True) for code in codes))
        used = {counter for code in codes for counter in (RATES[code].part, RATES[code].of)}
        told = [COUNTERS[code] for code in COUNTERS if code in used]
        self.add(*(Paragraph(f"{one.name}：{one.what}", small=True) for one in told))

    # ---- the special one ------------------------------------------------------------------------

    async def name_subject(self) -> None:
        """What a special report is about."""
        if self.order.subject_id is not None:
            self.subject = await lookups.subject_name(self.session, self.order.subject_id)

    def _scope(self) -> tuple[str, str]:
        return ("all", "") if self.order.subject_id is None else ("category", str(self.order.subject_id))

    async def subject_days(self) -> None:
        """How many came on each day."""
        scope, key = self._scope()
        days = await lookups.by_day(self.session, scope, key, "accepted", self.order.period)
        total = sum(days.values())
        then = (await self._count("accepted", scope, before(self.order.period))).get(key, 0)
        self.head("诉求概况")
        about = self.subject or "全部诉求"
        self.add(Paragraph(f"本期受理“{about}”{total:,} 件，{_change(total, then)}。"))
        labels = tuple(f"{day.month}月{day.day}日" for day in days)
        rows = [
            [(label, None), count(n, self._where(scope, key, Period(day, day)), "accepted")]
            for label, (day, n) in zip(labels, days.items(), strict=True)
        ]
        self._table("每日受理", (Column("日期"), Column("受理", COUNT)), rows)
        if len(days) > 1:
            values = tuple(float(n) for n in days.values())
            self.add(Chart("每日受理件数", ChartKind.LINES, labels, (("受理", values),)))

    async def subject_rates(self) -> None:
        """How it was handled and what citizens said."""
        scope, key = self._scope()
        codes = ("direct_rate", "on_time_rate", *THREE_RATES)
        now = (await self._shares(codes, scope)).get(key, {})
        then = (await self._shares(codes, scope, before(self.order.period))).get(key, {})
        self.head("办理与评价")
        where = self._where(scope, key)
        rows = [rate_line(code, now.get(code), then.get(code), where) for code in codes]
        self._table("办理与评价", RATE_COLUMNS, rows)

    # ---- parts ----------------------------------------------------------------------------------

    def _table(self, title: str, columns: Sequence[Column], rows: Sequence[Sequence[Pair]]) -> None:
        if rows:
            self.add(cells.table(title, columns, rows))
        else:
            self.add(Paragraph(f"{title}：本期没有数据。"))

    def _bars(self, title: str, values: Sequence[tuple[str, float]]) -> None:
        if values:
            names, numbers = zip(*values, strict=True)
            self.add(Chart(title, ChartKind.BARS, tuple(names), (("件数", tuple(numbers)),)))


def _change(now: int, then: int) -> str:
    if not then:
        return "上期没有受理"
    share = (now - then) / then * 100
    word = "增加" if now > then else "减少"
    return "与上期持平" if now == then else f"较上期 {then:,} 件{word} {abs(share):.1f}%"
