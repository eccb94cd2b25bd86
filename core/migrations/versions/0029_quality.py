"""Quality: sheets and plans by version, draws, scores, appeals, calibrations, the course of each."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

APPENDED = ("quality_sheet", "quality_plan", "quality_draw", "quality_score", "quality_step")
TABLES = (
    "quality_step", "quality_appeal", "quality_score", "quality_member", "quality_calibration",
    "quality_case", "quality_draw", "quality_plan", "quality_sheet",
)  # fmt: skip
ITEMS = (
    (
        "greeting",
        "服务规范",
        "开头语、结束语规范",
        10,
        "按规定用语报号、问候，结束前确认还有无其他诉求",
        False,
    ),
    ("manner", "服务规范", "语气亲切，用语文明", 10, "不抢话、不顶撞、不随意沉默超过 15 秒", False),
    ("listen", "沟通能力", "准确听取诉求，适当复述", 15, "关键要素复述确认，不反复追问同一内容", False),
    ("control", "沟通能力", "引导得当，通话节奏合理", 10, "能安抚情绪，能控制与诉求无关的内容", False),
    ("answer", "业务处理", "解答准确完整", 20, "依据知识库口径解答，不推诿、不承诺无法办理的事项", False),
    ("record", "业务处理", "工单要素完整、分类准确", 20, "时间、地点、对象、诉求齐全，分类与诉求相符", False),
    ("process", "业务处理", "流程合规", 15, "保密、紧急、重复来电按规定处理", False),
    ("rude", "一票否决", "辱骂、嘲讽或主动挂断来电人电话", 0, "", True),
    ("leak", "一票否决", "泄露来电人信息", 0, "", True),
    ("false", "一票否决", "编造、隐瞒或篡改诉求内容", 0, "", True),
)
PLAN = {"random": 2, "low": 1, "complaint": 1, "new": 1}


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _word(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _day(name: str) -> sa.Column[date]:
    return sa.Column(name, sa.Date, nullable=False)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, JSONB, nullable=False)


def _total(*, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column("total", sa.Numeric(4, 1), nullable=nullable)


def _ref(table: str, column: str, target: str = "user_account") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")


def upgrade() -> None:
    _sheets()
    _draws()
    _cases()
    _scores()
    _course()
    for table in APPENDED:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    _defaults()


def _sheets() -> None:
    op.create_table(
        "quality_sheet",
        _id(),
        _json("items"),
        _word("note", 200),
        _time("made_at"),
        _big("made_by", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_quality_sheet"),
        _ref("quality_sheet", "made_by"),
    )
    op.create_table(
        "quality_plan",
        _id(),
        _json("rules"),
        _time("made_at"),
        _big("made_by", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_quality_plan"),
        _ref("quality_plan", "made_by"),
    )


def _draws() -> None:
    op.create_table(
        "quality_draw",
        _id(),
        _day("monday"),
        _big("plan_id"),
        _int("seed"),
        _int("candidates"),
        _int("drawn"),
        _time("drawn_at"),
        _big("drawn_by", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_quality_draw"),
        sa.UniqueConstraint("monday", name="uq_quality_draw_monday"),
        _ref("quality_draw", "plan_id", "quality_plan"),
        _ref("quality_draw", "drawn_by"),
    )


def _cases() -> None:
    table = "quality_case"
    op.create_table(
        table,
        _id(),
        _big("draw_id"),
        _day("monday"),
        _big("call_session_id"),
        _big("user_id"),
        _big("ticket_id", nullable=True),
        _word("rule", 10),
        _word("state", 10),
        _int("version"),
        _big("reviewer_id", nullable=True),
        _total(nullable=True),
        sa.Column("fatal", sa.Boolean, nullable=False),
        _time("scored_at", nullable=True),
        _time("appeal_until", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_quality_case"),
        sa.UniqueConstraint("call_session_id", name="uq_quality_case_call_session_id"),
        sa.CheckConstraint("state IN ('drawn', 'scored', 'appealed', 'final')", name="ck_quality_case_state"),
        sa.CheckConstraint("(state = 'drawn') = (total IS NULL)", name="ck_quality_case_scored"),
        _ref(table, "draw_id", "quality_draw"),
        _ref(table, "call_session_id", "call_session"),
        _ref(table, "user_id"),
        _ref(table, "ticket_id", "ticket"),
        _ref(table, "reviewer_id"),
    )
    op.create_index("ix_quality_case_monday", table, ["monday", "id"])
    op.create_index("ix_quality_case_user_id", table, ["user_id", sa.text("id DESC")])
    still = sa.text("state IN ('drawn', 'appealed')")
    op.create_index("ix_quality_case_open", table, ["id"], postgresql_where=still)
    op.create_table(
        "quality_calibration",
        _id(),
        _big("case_id"),
        _big("sheet_id"),
        _time("opened_at"),
        _big("opened_by"),
        _time("closed_at", nullable=True),
        _word("note", 500),
        sa.PrimaryKeyConstraint("id", name="pk_quality_calibration"),
        sa.UniqueConstraint("case_id", name="uq_quality_calibration_case_id"),
        _ref("quality_calibration", "case_id", table),
        _ref("quality_calibration", "sheet_id", "quality_sheet"),
        _ref("quality_calibration", "opened_by"),
    )
    op.create_table(
        "quality_member",
        _big("calibration_id"),
        _big("user_id"),
        sa.PrimaryKeyConstraint("calibration_id", "user_id", name="pk_quality_member"),
        _ref("quality_member", "calibration_id", "quality_calibration"),
        _ref("quality_member", "user_id"),
    )


def _scores() -> None:
    table = "quality_score"
    op.create_table(
        table,
        _id(),
        _big("case_id"),
        _word("kind", 12),
        _big("calibration_id", nullable=True),
        _big("reviewer_id"),
        _big("sheet_id"),
        _json("marks"),
        _json("fatal"),
        _total(),
        _text("comment"),
        _time("at"),
        sa.PrimaryKeyConstraint("id", name="pk_quality_score"),
        sa.CheckConstraint("kind IN ('review', 'appeal', 'calibration')", name="ck_quality_score_kind"),
        sa.CheckConstraint(
            "(kind = 'calibration') = (calibration_id IS NOT NULL)", name="ck_quality_score_calibrated"
        ),
        sa.CheckConstraint("total BETWEEN 0 AND 100", name="ck_quality_score_total"),
        _ref(table, "case_id", "quality_case"),
        _ref(table, "calibration_id", "quality_calibration"),
        _ref(table, "reviewer_id"),
        _ref(table, "sheet_id", "quality_sheet"),
    )
    once, blind = sa.text("kind IN ('review', 'appeal')"), sa.text("calibration_id IS NOT NULL")
    op.create_index("uq_quality_score_once", table, ["case_id", "kind"], unique=True, postgresql_where=once)
    op.create_index(
        "uq_quality_score_blind",
        table,
        ["calibration_id", "reviewer_id"],
        unique=True,
        postgresql_where=blind,
    )
    op.create_index("ix_quality_score_case_id", table, ["case_id", "id"])


def _course() -> None:
    op.create_table(
        "quality_appeal",
        sa.Column("case_id", sa.BigInteger, autoincrement=False, nullable=False),
        _text("reason"),
        _time("asked_at"),
        _time("decided_at", nullable=True),
        _big("decided_by", nullable=True),
        _word("outcome", 10, nullable=True),
        _text("answer"),
        sa.PrimaryKeyConstraint("case_id", name="pk_quality_appeal"),
        sa.CheckConstraint("outcome IN ('upheld', 'changed')", name="ck_quality_appeal_outcome"),
        sa.CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name="ck_quality_appeal_decided"),
        _ref("quality_appeal", "case_id", "quality_case"),
        _ref("quality_appeal", "decided_by"),
    )
    op.create_table(
        "quality_step",
        _id(),
        _big("case_id"),
        _time("at"),
        _word("step", 12),
        _big("actor_id", nullable=True),
        _text("note"),
        sa.PrimaryKeyConstraint("id", name="pk_quality_step"),
        _ref("quality_step", "case_id", "quality_case"),
        _ref("quality_step", "actor_id"),
    )
    op.create_index("ix_quality_step_case_id", "quality_step", ["case_id", "id"])


def _defaults() -> None:
    """A sheet and a plan to begin with; a city writes versions of its own."""
    names = ("code", "group", "name", "points", "hint", "fatal")
    items = [dict(zip(names, item, strict=True)) for item in ITEMS]
    sheets = sa.table("quality_sheet", sa.column("items", JSONB), sa.column("note"), sa.column("made_at"))
    op.execute(sa.insert(sheets).values(items=items, note="初始评分表", made_at=sa.func.now()))
    plans = sa.table("quality_plan", sa.column("rules", JSONB), sa.column("made_at"))
    op.execute(sa.insert(plans).values(rules=PLAN, made_at=sa.func.now()))


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
