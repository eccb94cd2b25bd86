"""Submissions: one way in for every channel, once per key, whatever happens in between."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from core.errors import HotlineError
from routing.submissions import Submission, Submissions, Submitted, assumed_of, title_of
from routing.suggest import Label
from tests.routing.conftest import City, Refused
from tickets.attachments.service import AttachmentService
from tickets.models import Category
from tickets.terms import Channel, Confidentiality, TicketType

KEY = "key-0000001"


class Says:
    """A classifier that knows one answer."""

    def __init__(self, *codes: str) -> None:
        self.codes = codes

    async def advise(self, title: str, detail: str) -> list[Label]:
        return [Label(code, 0.9) for code in self.codes]


class Silent:
    """A classifier that never answers."""

    async def advise(self, title: str, detail: str) -> list[Label]:
        await asyncio.Event().wait()
        return []


@pytest.fixture
def submissions(city: City) -> Submissions:
    return Submissions(city.vault, city.settings, city.tickets, AttachmentService(city.db, city.settings))


def told(**over: Any) -> Submission:
    given: dict[str, Any] = {
        "channel": Channel.WEB,
        "key": KEY,
        "narrative": "中山路路灯不亮。已经三个晚上了，老人出门不方便。",
        "phone": "13800000001",
        "name": "王小明",
    }
    return Submission(**given | over)


async def send(city: City, by: Submissions, one: Submission, *, hopeful: bool = True) -> Submitted:
    return await city.db.retrying(lambda uow: by.submit(uow, one), hopeful=hopeful)


async def tickets(city: City) -> int:
    return int(await city.scalar("SELECT count(*) FROM ticket"))


async def leaf(city: City, code: str, name: str, **over: Any) -> int:
    async with city.db.begin() as uow:
        row = Category(level=1, code=code, name=name, full_name=name, initials="", path=f".{code}.", **over)
        uow.session.add(row)
        await uow.session.flush()
        return row.id or 0


@pytest.mark.parametrize("hopeful", [True, False])
async def test_the_same_key_again_gives_the_first_answer(
    city: City, submissions: Submissions, hopeful: bool
) -> None:
    first = await send(city, submissions, told(), hopeful=hopeful)
    again = await send(city, submissions, told(narrative="别的内容也一样"), hopeful=hopeful)
    assert not first.again
    assert again == Submitted(first.ticket_id, first.number, first.query_code, True)
    assert await tickets(city) == 1


async def test_another_key_or_channel_is_another_submission(city: City, submissions: Submissions) -> None:
    made = [
        await send(city, submissions, told()),
        await send(city, submissions, told(key="key-0000002")),
        await send(city, submissions, told(channel=Channel.KIOSK)),
    ]
    assert len({one.ticket_id for one in made}) == 3


async def test_the_same_key_many_times_at_one_moment_makes_one_ticket(
    city: City, submissions: Submissions
) -> None:
    made = await asyncio.gather(*(send(city, submissions, told(), hopeful=n % 2 == 0) for n in range(8)))
    assert len({(one.ticket_id, one.number, one.query_code) for one in made}) == 1
    assert [one.again for one in made].count(False) == 1
    assert await tickets(city) == 1


async def test_after_a_rollback_the_key_is_free(city: City, submissions: Submissions) -> None:
    with pytest.raises(ZeroDivisionError):
        async with city.db.begin() as uow:
            await submissions.submit(uow, told())
            raise ZeroDivisionError
    assert await tickets(city) == 0
    assert not (await send(city, submissions, told())).again


async def test_it_waits_to_be_accepted_and_says_what_nobody_chose(
    city: City, submissions: Submissions
) -> None:
    made = await send(city, submissions, told())
    async with city.db.read() as session:
        row = (await session.execute(sa.text("SELECT * FROM ticket"))).one()
        assert await assumed_of(session, made.ticket_id) == ("type", "title", "category_id")
    assert (row.state, row.channel, row.type) == ("waiting_accept", "web", "help")
    assert (row.title, row.created_by) == ("中山路路灯不亮", None)
    who = await city.scalar("SELECT actor_name FROM ticket_history")
    assert who == "市民"


async def test_what_was_chosen_stays(city: City, submissions: Submissions) -> None:
    chosen = told(type=TicketType.CONSULT, title="问路灯", category_id=city.category_id)
    made = await send(city, submissions, chosen)
    async with city.db.read() as session:
        assert await assumed_of(session, made.ticket_id) == ()
    assert await city.scalar("SELECT type || title FROM ticket") == "consult问路灯"


async def test_the_category_is_the_advised_one_or_the_general_leaf(
    city: City, submissions: Submissions
) -> None:
    general = await leaf(city, "99", "其他求助")
    light = await leaf(city, "02", "照明")
    await leaf(city, "03", "关闭的", active=False)
    files = AttachmentService(city.db, city.settings)
    for number, (labels, wanted) in enumerate(
        [(None, general), (Says("02"), light), (Says("03"), general), (Says(), general), (Silent(), general)]
    ):
        by = Submissions(city.vault, city.settings, city.tickets, files, labels)
        made = await send(city, by, told(key=f"category-{number}"))
        found = await city.scalar("SELECT category_id FROM ticket WHERE id = :id", id=made.ticket_id)
        assert found == wanted


@pytest.mark.parametrize(
    ("over", "fields"),
    [
        ({"narrative": " \u200b "}, {"narrative": "required"}),
        ({"phone": "123abc"}, {"phone": "bad_phone"}),
        ({"phone": None}, {"phone": "required"}),
        ({"key": "short"}, {"key": "bad_value"}),
        ({"key": "有中文的键值字符"}, {"key": "bad_value"}),
        ({"name": "长" * 61}, {"name": "too_long"}),
        ({"type": "nonsense"}, {"type": "unknown_choice"}),
        ({"occurred_at": "不是时间"}, {"occurred_at": "bad_time"}),
        ({"occurred_at": "2099-01-01T00:00"}, {"occurred_at": "in_future"}),
    ],
)
async def test_bad_fields_come_back_with_a_code_each(
    city: City, submissions: Submissions, refused: Refused, over: dict[str, Any], fields: dict[str, str]
) -> None:
    params = await refused("form_invalid", send(city, submissions, told(**over)))
    assert params["fields"] == fields
    assert await tickets(city) == 0


async def test_who_stays_anonymous_or_comes_by_a_channel_that_reaches_him_needs_no_phone(
    city: City, submissions: Submissions
) -> None:
    await send(city, submissions, told(phone=None, confidentiality=Confidentiality.ANONYMOUS))
    await send(city, submissions, told(phone=None, channel=Channel.WECHAT))
    assert await tickets(city) == 2


async def test_texts_are_cleaned_as_the_form_cleans_them(city: City, submissions: Submissions) -> None:
    await send(city, submissions, told(narrative="路灯\u202e不亮\x00，\r\n三天了", title="路\t灯"))
    assert await city.scalar("SELECT narrative FROM ticket") == "路灯不亮，\n三天了"
    assert await city.scalar("SELECT title FROM ticket") == "路 灯"


async def test_a_submission_that_fails_midway_leaves_no_key_behind(
    city: City, submissions: Submissions
) -> None:
    with pytest.raises(HotlineError):
        await send(city, submissions, told(district_id=999_999))
    assert await city.scalar("SELECT count(*) FROM submission") == 0
    assert not (await send(city, submissions, told())).again


def test_a_title_is_the_first_sentence_or_its_beginning() -> None:
    assert title_of("\n路灯不亮。三天了") == "路灯不亮"
    assert title_of("长" * 50) == "长" * 29 + "…"
    assert title_of("。。") == ""
