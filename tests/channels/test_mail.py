"""Letters: what is read of them, what becomes of them, and how they are answered."""

import mailbox
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.notify.ports import DeliveryFailed
from core.settings import MailChannel
from routing.channels.letter_reading import read, without_quotes
from routing.channels.mail import EmailChannel, FolderBox, FolderMail, ImapBox, MailReader
from tests.channels.conftest import Rig
from tests.channels.imap_double import PASSWORD, ImapDouble
from tests.channels.test_wechat_news import dispatched
from tests.channels.test_wechat_story import picture

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
OWN = "hotline@example.invalid"
WORDS = "秀峰区中山中路12号门口的路灯三晚不亮，请尽快修。联系电话 13800000001。"


def letter(text: str = WORDS, subject: str = "路灯不亮", **heads: str) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "=?utf-8?b?5byg5LiJ?= <zhang@example.cn>", OWN, subject
    made["Message-ID"] = "<first@example.cn>"
    made.set_content(text)
    for name, value in heads.items():
        name = name.replace("_", "-")
        del made[name]
        made[name] = value
    return made


class Post:
    """The maildir of development, and who reads it."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        assert rig.channels.mail is not None
        assert rig.channels.letters is not None
        self.reader, self.folder = rig.channels.mail, rig.channels.letters.folder

    async def comes(self, mail: EmailMessage | bytes) -> None:
        raw = mail if isinstance(mail, bytes) else mail.as_bytes()
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        mailbox.Maildir(self.folder, create=True).add(raw)
        await self.reader.tick()
        await self.rig.sent()

    def answers(self) -> list[EmailMessage]:
        out = self.folder.parent / "out"
        if not out.exists():
            return []
        found = [
            message_from_bytes(path.read_bytes(), policy=policy.default) for path in (out / "new").iterdir()
        ]
        return [one for one in found if isinstance(one, EmailMessage)]

    def text(self) -> str:
        return "\n".join(f"{one['Subject']}\n{one.get_content()}" for one in self.answers())


@pytest.fixture
def post(rig: Rig) -> Post:
    return Post(rig)


async def test_a_letter_with_a_picture_becomes_a_ticket_and_is_answered(rig: Rig, post: Post) -> None:
    mail = letter()
    mail.add_attachment(picture(), maintype="image", subtype="jpeg", filename="路灯.jpg")
    await post.comes(mail)
    ticket = await rig.ticket()
    assert (ticket.channel, ticket.title) == ("email", "路灯不亮")
    assert "中山中路12号" in ticket.narrative
    assert await rig.scalar("SELECT count(*) FROM ticket_attachment") == 1
    assert ticket.number in post.text()
    answer = next(one for one in post.answers() if one["In-Reply-To"])
    assert (answer["In-Reply-To"], answer["To"]) == ("<first@example.cn>", "zhang@example.cn")
    assert answer["Auto-Submitted"] == "auto-replied"
    await dispatched(rig)
    await rig.sent()
    assert "承办" in post.text() or "办理" in post.text()
    assert await rig.scalar("SELECT count(*) FROM console_message") == 0


async def test_the_same_letter_again_is_the_same(rig: Rig, post: Post) -> None:
    mail = letter()
    mail.add_attachment(picture(), maintype="image", subtype="jpeg", filename="a.jpg")
    await post.comes(mail)
    before = len(post.answers())
    await post.comes(mail)
    assert await rig.tickets() == 1
    assert await rig.scalar("SELECT count(*) FROM ticket_attachment") == 1
    assert len(post.answers()) == before


async def test_an_answer_finds_its_ticket_by_subject_or_thread(rig: Rig, post: Post) -> None:
    await post.comes(letter())
    ticket = await rig.ticket()
    quoted = "杆号 A-17\n\n------------------ 原始邮件 ------------------\n您的来信已登记"
    await post.comes(letter(quoted, f"回复：工单 {ticket.number}", Message_ID="<2@x.cn>"))
    sent = next(one for one in post.answers() if ticket.number in one["Message-ID"])
    await post.comes(letter("还有一盏", "Re: ", Message_ID="<3@x.cn>", In_Reply_To=sent["Message-ID"]))
    notes = await rig.scalar(
        "SELECT string_agg(note, '|' ORDER BY id) FROM ticket_history WHERE action = 'add'"
    )
    assert notes == "杆号 A-17|还有一盏"
    assert await rig.tickets() == 1


async def test_a_stranger_adds_nothing_to_another_ones_ticket(rig: Rig, post: Post) -> None:
    await post.comes(letter())
    first = await rig.ticket()
    await post.comes(
        letter("把他的撤了", f"工单 {first.number}", From="evil@example.com", Message_ID="<9@x>")
    )
    assert await rig.scalar("SELECT count(*) FROM ticket_history WHERE action = 'add'") == 0
    assert await rig.tickets() == 2
    assert "不是从这个邮箱提交的" in post.text()


@pytest.mark.parametrize(
    "heads",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"From": OWN},
        {"From": "MAILER-DAEMON@mx.example.cn"},
        {"From": "no-reply@example.cn"},
        {"List_Id": "<news.example.cn>"},
        {"Return_Path": "<>"},
        {"From": "a@example.cn, b@example.cn"},
        {"From": "nobody"},
    ],
)
async def test_machines_are_not_answered(rig: Rig, post: Post, heads: dict[str, str]) -> None:
    await post.comes(letter(**heads))
    assert await rig.scalar("SELECT count(*) FROM channel_message") == 0
    assert post.answers() == []


async def test_a_file_that_is_refused_is_told_and_the_letter_is_kept(rig: Rig, post: Post) -> None:
    mail = letter()
    mail.add_attachment(b"MZ" + bytes(200), maintype="application", subtype="x-dosexec", filename="a.exe")
    await post.comes(mail)
    assert await rig.tickets() == 1
    assert await rig.scalar("SELECT count(*) FROM ticket_attachment") == 0
    assert "a.exe" in post.text()


async def test_news_can_be_stopped_by_a_letter(rig: Rig, post: Post) -> None:
    await post.comes(letter())
    await post.comes(letter("退订", "Re: 工单", Message_ID="<2@x.cn>"))
    before = len(post.answers())
    await dispatched(rig)
    await rig.sent()
    assert len(post.answers()) == before


async def test_nothing_in_a_letter_becomes_a_header_of_ours(rig: Rig, post: Post) -> None:
    raw = (
        letter()
        .as_bytes()
        .replace(b"Subject: ", b"Subject: =?utf-8?q?x=0D=0ABcc=3A_all=40example=2Ecn?= ", 1)
    )
    await post.comes(raw.replace(b"<first@example.cn>", b"<a@b>\r\n Bcc: all@example.cn"))
    assert await rig.tickets() == 1
    for answer in post.answers():
        assert answer["Bcc"] is None
        assert len(answer.get_all("To", [])) == 1


# ---- reading ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "real"), [("gb2312", "gb18030"), ("gbk", "gbk"), ("utf-8", "gb18030"), ("x-no", "utf-8")]
)
def test_chinese_is_read_whatever_it_says_it_is_written_in(said: str, real: str) -> None:
    body = "囍家小区朱镕路断电".encode(real)
    raw = f"From: a@example.cn\nSubject: x\nContent-Type: text/plain; charset={said}\n\n".encode() + body
    found = read(raw, (), NOW)
    assert found is not None
    assert found.said.text == "x\n囍家小区朱镕路断电"


def test_html_is_read_as_people_see_it() -> None:
    html = (
        "<html><head><title>t</title><style>p{}</style></head><body><p>路灯&nbsp;坏了</p><script>alert(1)"
        "</script><div>中山路<br>12号 &lt;旁边&gt;</div></body></html>"
    )
    made = letter()
    made.set_content(html, subtype="html")
    found = read(made.as_bytes(), (), NOW)
    assert found is not None
    words = [line for line in found.said.text.split("\n")[1:] if line]
    assert words == ["路灯 坏了", "中山路", "12号 <旁边>"]


@pytest.mark.parametrize(
    "below",
    [
        "> 原来的话",
        "在 2026年11月23日，热线 写道：\n旧",
        "On Mon, Nov 23, 2026 hotline wrote:\n旧",
        "发件人: 热线\n发送时间: 昨天\n旧",
        "-----Original Message-----\n旧",
        "--\n张三\n公司",
    ],
)
def test_what_was_quoted_is_left_out(below: str) -> None:
    assert without_quotes(f"新的话\n\n{below}") == "新的话"


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=400), st.text(max_size=200).map(lambda text: f"From: a@b.cn\n{text}".encode())
    )
)
def test_no_letter_brings_the_reader_down(raw: bytes) -> None:
    from routing.channels.mail import ODD

    try:
        found = read(raw, (), NOW)
    except ODD:
        return
    assert found is None or found.said.sender


# ---- a real mailbox --------------------------------------------------------------------------


async def test_a_mailbox_is_read_over_imap(rig: Rig, post: Post) -> None:
    assert rig.channels.mail is not None
    async with ImapDouble() as server:
        wanted = MailChannel(
            mode="imap", address=OWN, host="127.0.0.1", port=server.port, security="none", user="hotline"
        )
        number = server.post(letter().as_bytes(policy=policy.SMTP))
        odd = server.post(b"")
        ctx = rig.console.ctx
        out = FolderMail(post.folder.parent / "out", OWN, rig.clock)
        channel = EmailChannel(ImapBox(wanted, PASSWORD), out, "桂林12345")
        reader = MailReader(
            ctx.db, channel, rig.channels.service, ctx.attachments, (OWN,), rig.channels.sender.file_refused
        )
        await channel.check()
        assert await reader.tick() == 2
        assert await reader.tick() == 0
        assert "\\Seen" in server.flags[number]
        assert "\\Seen" in server.flags[odd]
        wrong = EmailChannel(ImapBox(wanted, "wrong"), out, "桂林12345")
        with pytest.raises(DeliveryFailed, match="imap_refused"):
            await wrong.check()
    assert await rig.tickets() == 1


async def test_a_mailbox_that_is_down_is_shown_and_comes_back(rig: Rig, post: Post) -> None:
    wanted = MailChannel(mode="imap", address=OWN, host="127.0.0.1", port=1, security="none", user="hotline")
    channel = EmailChannel(ImapBox(wanted, "x"), FolderMail(post.folder, OWN, rig.clock), "x")
    ctx = rig.console.ctx
    reader = MailReader(
        ctx.db, channel, rig.channels.service, ctx.attachments, (OWN,), rig.channels.sender.file_refused
    )
    assert await reader.tick() == 0
    assert str(await rig.scalar("SELECT error FROM channel_state WHERE channel = 'email'")).startswith(
        "imap_"
    )
    await post.reader.tick()
    assert await rig.scalar("SELECT error FROM channel_state WHERE channel = 'email'") is None


def test_a_letter_lies_in_the_folder_until_it_was_dealt_with(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    box = FolderBox(tmp_path_factory.mktemp("mail") / "in")
    mailbox.Maildir(box.folder, create=True).add(letter().as_bytes())
    assert len(box.unread()) == len(box.unread()) == 1
    box.done(box.unread()[0][0], odd=False)
    assert box.unread() == []
