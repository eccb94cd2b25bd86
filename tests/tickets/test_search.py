"""Full text: every substring is found and nothing else, by whom it may be, newest first."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import ManualClock
from core.text import LONG_RUN, OVERLAP, PIECE, bigrams, joined, phrase_pairs, pieces, searchable, spans
from tests.tickets.conftest import City, Refused
from tickets.models import table_of
from tickets.queries import TicketFilters
from tickets.search import index, mine, query, rebuild
from tickets.search.index import Written
from tickets.search.models import TicketText
from tickets.search.windows import LEVELS, hour_of, windows
from tickets.states import Action

# Dense in what is awkward: repeats, digits, full-width, blanks, marks, quotes, wildcards, accents.
ALPHABET = "路灯不亮，。 \n\t12０９ABabéß㎡①%_'\\@|&:*!()<>\u200b\u3000ﷺ"
TEXTS = st.text(st.one_of(st.sampled_from(ALPHABET), st.characters()), min_size=2, max_size=400)
_text = table_of(TicketText)


def _is_found(body: str, phrase: str) -> bool:
    """What the database does: all pairs are in a piece's tokens, and the piece contains the phrase."""
    wanted = set(phrase_pairs(phrase))
    return any(wanted <= bigrams(piece) and phrase in piece for piece in pieces(body))


@st.composite
def _parts_of_texts(draw: st.DrawFn) -> tuple[str, str]:
    text = draw(TEXTS)
    start = draw(st.integers(0, len(text) - 2))
    return text, text[start : start + draw(st.integers(2, 40))]


@given(_parts_of_texts())
@settings(max_examples=600, deadline=None)
def test_every_substring_is_found_unless_it_cuts_a_long_number(pair: tuple[str, str]) -> None:
    text, part = pair
    body, phrase = searchable(text), searchable(part)
    cuts_a_number = phrase not in body and any(char.isdigit() for char in phrase)
    if cuts_a_number:
        assert "\x1f" in body  # the number is in the text, and not in the index
    elif phrase:
        assert _is_found(body, phrase) or len(phrase) == 1
        assert spans(text, phrase)


@given(TEXTS, st.integers(1, 60), st.integers(0, 400))
@settings(max_examples=50, deadline=None)
def test_texts_of_any_length_lose_nothing_where_they_are_cut(text: str, times: int, start: int) -> None:
    body = searchable((text + "东江镇政府门口的公交站") * times * 20)
    for at in (start, PIECE - 20, PIECE - OVERLAP, 2 * PIECE - OVERLAP - 3, len(body) - 40):
        phrase = body[max(at, 0) : max(at, 0) + 40].strip()
        if phrase:
            assert any(phrase in piece for piece in pieces(body))


@given(st.text(st.sampled_from("0123456789０１２ 路-é")))
def test_the_index_holds_no_long_run_of_digits(text: str) -> None:
    run = 0
    for char in joined(text, "12345678"):
        run = run + 1 if char.isdigit() else 0
        assert run < LONG_RUN


@given(st.integers(0, 200_000), st.integers(0, 500_000), st.integers(0, LEVELS - 1))
def test_windows_cover_every_hour_once_and_newest_first(ago: int, hours: int, level: int) -> None:
    newest = datetime(2030, 1, 1, tzinfo=UTC) - timedelta(hours=ago)
    oldest = newest - timedelta(hours=hours)
    blocks = []
    for window in windows(newest, oldest, level):
        for token in window:
            size, number = (int(part) for part in token[1:].split(":"))
            blocks.append((number * 4**size, (number + 1) * 4**size))
    assert all(later[0] == earlier[1] for later, earlier in pairwise(blocks))
    assert blocks[0][0] <= hour_of(newest) < blocks[0][1]
    assert blocks[-1][0] <= hour_of(oldest)


async def _find(city: City, typed: str, login: str = "agent", **filters: object) -> list[int]:
    async with city.db.read() as session:
        actor, wanted = city.actors[login], TicketFilters(**filters)  # type: ignore[arg-type]  # a table of mixed values
        ids: list[int] = []
        cursor = None
        while True:
            page = await query.find(session, actor, typed, wanted, cursor, limit=2)
            ids += [hit.item.id for hit in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        counted = await query.count(session, actor, typed, wanted)
    assert counted == query.Count(len(ids), False)
    return ids


async def test_the_database_finds_the_substrings_of_awkward_texts_and_nothing_else(city: City) -> None:
    narrative = "路灯　不亮，it's 100% \\dark\\ @A_b's（夜间）｜东江镇café①②。" + "，" * 600 + "末尾在此"
    made = await city.ticket(narrative=narrative, title="其一")
    await city.ticket(narrative="别处的路灯很亮，it is 100 dark", title="其二")
    for size in (2, 3, 7, 40):
        for start in range(0, 50 - size // 2, 3):
            part = narrative[start : start + size]
            if searchable(part):
                assert made.id in await _find(city, part), part
    for absent in ("灯不暗", "100%d", "A%b", "A__b", "，末尾不在", "其一路灯", "' | 'x", ":*"):
        assert await _find(city, absent) == [], absent
    assert await _find(city, "在此") == [made.id]
    assert await _find(city, "ＣＡＦÉ①") == [made.id]


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_quoting_keeps_every_token_a_token(data: st.DataObject) -> None:
    tokens = data.draw(st.lists(st.text(st.sampled_from(ALPHABET), min_size=1, max_size=2)))
    for token in tokens:
        inner = index.quoted(token)[1:-1]
        assert inner.replace("\\\\", "").replace("''", "").count("'") == 0
        assert inner.replace("\\\\", "\\").replace("''", "'") == token


async def test_pages_come_newest_first_over_windows_of_all_lengths(city: City, clock: ManualClock) -> None:
    made = []
    for step in (0, 60, 3600, 9 * 3600, 86_400, 40 * 86_400, 300 * 86_400):
        clock.advance(step)
        made.append((await city.ticket(title="夜间施工噪音")).id)
    assert await _find(city, "施工噪音") == made[::-1]
    newest = clock.now().date()
    assert await _find(city, "施工噪音", created_from=newest - timedelta(days=1)) == [made[-1]]
    assert await _find(city, "施工噪音", created_to=date(2026, 11, 23)) == made[:4][::-1]


async def test_filters_narrow_and_units_see_their_own(city: City) -> None:
    lights = await city.dispatched("lights", title="甲路灯不亮")
    street = await city.dispatched("sanlidian", title="乙路灯不亮")
    report = await city.dispatched("lights", title="丙路灯不亮", type="report")
    everything = [report.id, street.id, lights.id]
    for login in ("agent", "dispatcher", "supervision", "inspector", "callback", "leader"):
        assert await _find(city, "路灯不亮", login) == everything, login
    assert await _find(city, "路灯不亮", "lights") == [report.id, lights.id]
    assert await _find(city, "路灯不亮", "district") == [street.id]
    assert await _find(city, "路灯不亮", "street") == [street.id]
    for login in ("water", "admin", "security", "audit", "editor"):
        assert await _find(city, "路灯不亮", login) == [], login
    assert await _find(city, "路灯不亮", type="report") == [report.id]
    assert await _find(city, "路灯不亮", unit_id=city.unit("qixing")) == [street.id]
    assert await _find(city, "路灯不亮", "lights", unit_id=city.unit("qixing")) == []
    assert await _find(city, "路灯不亮", state="handling") == []


async def test_a_sealed_reporter_is_masked_away_in_what_is_found(city: City) -> None:
    await city.dispatched("lights", title="举报路灯采购", type="report")
    async with city.db.read() as session:
        for login, seen in (("lights", None), ("agent", "王**")):
            found = await query.find(session, city.actors[login], "路灯采购")
            assert [hit.item.citizen for hit in found.items] == [seen]


@pytest.mark.parametrize("steps", [(1, 2, 3), (2, 3, 5), (20,)])
@pytest.mark.parametrize("rare", [0, 2, 100])
async def test_a_unit_finds_all_its_own_whatever_way_is_taken(
    city: City, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, steps: tuple[int, ...], rare: int
) -> None:
    monkeypatch.setattr(mine, "STEPS", steps)
    monkeypatch.setattr(mine, "RARE", rare)
    own: list[int] = []
    for number in range(14):
        clock.advance(7000)
        unit = "lights" if number % 3 else "water"
        title = "三里店路灯不亮" if number % 2 else "井盖破损"
        made = await city.dispatched(unit, title=title)
        own += [made.id] if number % 3 and number % 2 else []
    for most in (1, 2, 3, 25):
        seen: list[int] = []
        cursor: str | None = None
        async with city.db.read() as session:
            while True:
                page = await query.find(session, city.actors["lights"], "路灯不亮", cursor=cursor, limit=most)
                seen += [hit.item.id for hit in page.items]
                cursor = page.next_cursor
                if cursor is None:
                    break
        assert seen == own[::-1]


async def test_numbers_and_names_are_not_found_in_the_texts(city: City) -> None:
    made = await city.ticket(narrative="请回电13800009999，或加微信a1380000，编号123456。")
    for number in ("13800009999", "1380000", "38000099", "王小明", "13800000001", made.number):
        assert await _find(city, number) == [], number
    assert await _find(city, "编号123456") == [made.id]
    body = await city.scalar("SELECT body FROM ticket_text WHERE field = 'matter'")
    assert "1380" not in body


async def test_a_corrected_text_is_found_by_its_new_words_only(city: City) -> None:
    made = await city.ticket(title="路灯不亮", narrative="三里店路灯不亮")
    async with city.db.begin() as uow:
        agent = city.actors["dispatcher"]
        data = {"narrative": "实为信号灯故障", "note": "更正"}
        await city.tickets.act(uow, agent, made.id, 1, Action.EDIT, data)
    assert await _find(city, "三里店路灯") == []
    assert await _find(city, "信号灯故障") == [made.id]
    assert await _find(city, "路灯不亮") == [made.id]  # the title still says so


async def test_additions_and_replies_are_found_and_internal_notes_are_not(city: City) -> None:
    made = await city.ticket()
    async with city.db.begin() as uow:
        agent = city.actors["agent"]
        version = await city.tickets.act(uow, agent, made.id, None, Action.ADD, {"note": "另有井盖破损"})
        await city.tickets.act(uow, agent, made.id, None, Action.NOTE, {"note": "此人常来电"})
        await city.tickets.act(uow, agent, made.id, None, Action.URGE, {"note": "再次催问井盖"})
        dispatcher = city.actors["dispatcher"]
        answer = {"note": "告知流程", "public_reply": "已答复市民办理流程"}
        await city.tickets.act(uow, dispatcher, made.id, version + 2, Action.ANSWER, answer)
    assert await _find(city, "井盖") == [made.id]
    assert await _find(city, "催问井盖") == [made.id]
    assert await _find(city, "常来电") == []
    assert await _find(city, "办理流程") == [made.id]
    async with city.db.read() as session:
        (hit,) = (await query.find(session, city.actors["agent"], "井盖")).items
    assert [snippet.field for snippet in hit.snippets] == ["addition", "addition"]
    assert [part.text for part in hit.snippets[0].passages if part.marked] == ["井盖"]


async def test_the_index_built_anew_is_the_index_written_with_the_tickets(city: City) -> None:
    made = await city.ticket(narrative="漓江边路灯" * 900)
    async with city.db.begin() as uow:
        await city.tickets.act(uow, city.actors["agent"], made.id, None, Action.ADD, {"note": "另有井盖破损"})
    await city.ticket(title="第二件")

    async def rows() -> list[tuple[object, ...]]:
        async with city.db.read() as session:
            order = sa.select(_text).order_by(_text.c.ticket_id, _text.c.field, _text.c.ref, _text.c.piece)
            return [tuple(row) for row in await session.execute(order)]

    written = await rows()
    told: list[tuple[int, int]] = []
    assert await rebuild.rebuild(city.db, everything=True, progress=lambda *done: told.append(done)) == 2
    assert await rows() == written
    assert told == [(2, 2)]
    assert await rebuild.rebuild(city.db) == 0


async def test_a_text_longer_than_any_tsvector_is_found_to_its_end(city: City) -> None:
    made = await city.ticket()
    long = "".join(chr(0x4E00 + n * 7 % 20_000) for n in range(150_000))
    async with city.db.begin() as uow:
        await index.put(uow, Written(made.id, "reply", uow.now, (long,), 999))
    for at in (0, PIECE - 5, 80_000, len(long) - 40):
        assert await _find(city, long[at : at + 40]) == [made.id]


async def test_what_cannot_be_looked_for_is_refused_or_finds_nothing(city: City, refused: Refused) -> None:
    await city.ticket()
    async with city.db.read() as session:
        agent = city.actors["agent"]
        assert (await refused("search_too_long", query.find(session, agent, "灯" * 61)))["most"] == 60
        await refused("bad_cursor", query.find(session, agent, "路灯", cursor="x"))
    for nothing in ("", "   ", "\u200b", "13800000001"):
        assert await _find(city, nothing) == []


@pytest.mark.parametrize("typed", ["灯", "亮 "])
async def test_one_character_begins_a_pair_or_ends_a_text(city: City, typed: str) -> None:
    made = await city.ticket(title="路灯不亮", narrative="看不见", subject_name="灯")
    assert await _find(city, typed) == [made.id]


async def test_counting_stops_at_its_cap(city: City) -> None:
    for _ in range(4):
        await city.ticket()
    async with city.db.read() as session:
        assert await query.count(session, city.actors["agent"], "路灯", cap=3) == query.Count(3, True)
