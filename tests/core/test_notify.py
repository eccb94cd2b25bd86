"""The channels: e-mail that cannot be bent by line breaks, the console double, an outbox that can wait."""

import logging
from datetime import timedelta

import aiosmtplib
import pytest

from core import outbox
from core.clock import ManualClock
from core.db import Database
from core.errors import HotlineError
from core.notify.channels import make_channels
from core.notify.console import ConsoleSms
from core.notify.mail import Smtp, check_address, compose
from core.notify.ports import DeliveryFailed, Mail, Sms
from core.outbox import NotYet, OutboxMessage, OutboxWorker, enqueue
from core.privacy import Vault
from core.settings import Notify, Outbox, Settings, load_settings

SENDER = "hotline@example.gov.cn"
LETTER = Mail("notice.1.email.1", "li@example.gov.cn", "【12345】新工单待签收 450320261123000001", "正文")


def test_an_email_carries_what_it_should(clock: ManualClock) -> None:
    made = compose(LETTER, SENDER, clock)
    assert made["To"] == "li@example.gov.cn"
    assert made["Subject"] == LETTER.subject
    assert made["Message-ID"] == "<notice.1.email.1@example.gov.cn>"
    assert made.get_content() == "正文\n"
    assert b"\nSubject: =?utf-8?" in made.as_bytes()


@pytest.mark.parametrize(
    "evil", ["\r\nBcc: x@evil.com", "\nX: y", "\r", "\x00", "\x0b", "\u2028", "\x85", "\x7f"]
)
@pytest.mark.parametrize("field", ["to", "subject", "key", "sender"])
def test_a_line_break_in_anything_that_becomes_a_header_is_refused(
    clock: ManualClock, field: str, evil: str
) -> None:
    values = {"key": "k", "to": "li@example.gov.cn", "subject": "s", "text": "t", "sender": SENDER}
    values[field] += evil
    sender = values.pop("sender")
    with pytest.raises(DeliveryFailed) as caught:
        compose(Mail(**values), sender, clock)
    assert caught.value.code == "header_refused"


def test_a_line_break_in_the_text_stays_in_the_text(clock: ManualClock) -> None:
    made = compose(Mail("k", "li@example.gov.cn", "s", "a\r\nBcc: x@evil.com\r\n.\r\nb"), SENDER, clock)
    assert made["Bcc"] is None
    assert "Bcc: x@evil.com" in made.get_content()


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "a",
            "a@b",
            "@example.com",
            "a@example.com, b@example.com",
            "a@example.com;b",
            "a b@example.com",
        ),
        *("<a@example.com>", '"a"@example.com', "a@[127.0.0.1]", "a@example..com", "a..b@example.com"),
        *("a@example.com\n", "ａ@example.com", "a@" + "x" * 260 + ".com"),
    ],
)
def test_only_one_plain_address_is_an_address(text: str) -> None:
    with pytest.raises(HotlineError, match="email_invalid"):
        check_address(text)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (aiosmtplib.SMTPRecipientsRefused([]), "recipient_refused"),
        (aiosmtplib.SMTPAuthenticationError(535, "no"), "login_refused"),
        (aiosmtplib.SMTPConnectError("to li@example.gov.cn"), "SMTPConnectError"),
        (ConnectionResetError("x"), "ConnectionResetError"),
    ],
)
async def test_a_mail_server_that_refuses_is_a_failure_without_its_words(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    async def refuse(*_args: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(aiosmtplib, "send", refuse)
    with pytest.raises(DeliveryFailed) as caught:
        await Smtp(Notify(smtp_host="mail", smtp_from=SENDER), "", clock).send(LETTER)
    assert str(caught.value) == code


# ---- the double -------------------------------------------------------------------------------


async def test_the_console_double_keeps_a_message_once_sealed_and_says_nothing_in_the_log(
    database: Database, vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    double = ConsoleSms(database, vault)
    with caplog.at_level(logging.INFO):
        await double.send(Sms("sms:1:receipt", "13800000001", "查询码804213"))
        await double.send(Sms("sms:1:receipt", "13800000001", "查询码804213"))
    async with database.read() as session:
        kept = await double.read(session, ["sms:1:receipt", "other"])
        raw = await session.connection()
        stored = (await raw.exec_driver_sql("SELECT c::text FROM console_message c")).scalars().all()
    assert [(one.to, one.text) for one in kept.values()] == [("138****0001", "查询码804213")]
    assert len(stored) == 1
    said = str(stored) + "".join(str(record.__dict__) for record in caplog.records)
    assert "804213" not in said
    assert "13800000001" not in said


def test_the_double_exists_in_development_only(
    database: Database, vault: Vault, clock: ManualClock, settings: Settings
) -> None:
    assert make_channels(settings, database, vault, clock).console is not None
    production = settings.model_copy(update={"mode": "production"})
    assert make_channels(production, database, vault, clock).sms is None
    off = settings.model_copy(update={"notify": Notify(sms="off")})
    assert make_channels(off, database, vault, clock).sms is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMS", "webhook"),
        ("SMTP_HOST", "mail"),
        ("ALLOWED_NETWORKS", '["10.0.0.0/33"]'),
        ("ALLOWED_NETWORKS", '["10.0.0.1/8"]'),
        ("QUIET_HOURS", "25:00-07:00"),
        ("QUIET_HOURS", "night"),
    ],
)
def test_settings_that_do_not_hold_together_are_refused_at_the_start(name: str, value: str) -> None:
    with pytest.raises(HotlineError, match="config_invalid"):
        load_settings(environ={f"HOTLINE_NOTIFY__{name}": value})


def test_a_webhook_in_production_needs_a_secret_of_its_own() -> None:
    environ = {
        "HOTLINE_MODE": "production",
        "HOTLINE_SECRETS__MASTER_KEYS": '{"k1": "a-master-key-of-32-characters-xx"}',
        "HOTLINE_SECRETS__INDEX_KEY": "an-index-key-of-32-characters-xxx",
        "HOTLINE_TELEPHONY__SOURCE": "asterisk",
        "HOTLINE_NOTIFY__WEBHOOK_URL": "https://hook.example.com/x",
    }
    with pytest.raises(HotlineError) as caught:
        load_settings(environ=environ)
    assert caught.value.params == {"name": "secrets.webhook_key"}


# ---- the outbox -------------------------------------------------------------------------------


async def test_a_message_that_is_not_due_yet_waits_without_losing_a_try(
    database: Database, clock: ManualClock
) -> None:
    sent: list[int] = []

    async def wait(message: OutboxMessage) -> None:
        if clock.now() < message.created_at + timedelta(hours=1):
            raise NotYet(message.created_at + timedelta(hours=1))
        sent.append(message.attempts)

    worker = OutboxWorker(database, Outbox(max_attempts=1))
    worker.register("sms", wait)
    async with database.begin() as uow:
        await enqueue(uow, kind="sms", dedup="x", payload={})
    assert await worker.send_due() == 1
    assert await worker.send_due() == 0
    clock.advance(3601)
    assert await worker.send_due() == 1
    assert sent == [1]


async def test_who_registered_hears_of_a_message_that_was_given_up_and_cannot_break_the_worker(
    database: Database,
) -> None:
    told: list[str] = []

    async def fail(_message: OutboxMessage) -> None:
        raise DeliveryFailed("unreachable")

    async def given_up(message: OutboxMessage) -> None:
        told.append(message.dedup)
        raise RuntimeError("also broken")

    worker = OutboxWorker(database, Outbox(max_attempts=1))
    worker.register("sms", fail, given_up=given_up)
    async with database.begin() as uow:
        for number in range(3):
            await enqueue(uow, kind="sms", dedup=str(number), payload={})
    assert await worker.send_due() == 3
    assert told == ["0", "1", "2"]


async def test_a_slow_receiver_does_not_outlast_the_claim_on_the_rest_of_a_batch(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(outbox, "CLAIM_SECONDS", 0.0)  # every message takes longer than that

    async def send(message: OutboxMessage) -> None:
        sent.append((message.dedup, message.attempts))

    worker = OutboxWorker(database, Outbox(max_attempts=1))
    worker.register("sms", send)
    async with database.begin() as uow:
        for number in range(3):
            await enqueue(uow, kind="sms", dedup=str(number), payload={})
    monkeypatch.setattr(OutboxWorker, "_send", _without_a_limit)
    assert await worker.send_due() == 0
    monkeypatch.setattr(outbox, "CLAIM_SECONDS", 60)
    assert await worker.send_due() == 3
    assert sent == [("0", 1), ("1", 1), ("2", 1)]


async def _without_a_limit(worker: OutboxWorker, message: OutboxMessage) -> None:
    await worker._handlers[message.kind](message)
