"""Reason codes, sensitive words, queues, notices, legal holds, category versions, hand-overs of units."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

APPENDED = ("notice_read", "ticket_flag")

# kind → (code, label, hint). What a city adds or renames is data; these are a beginning.
REASONS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "return": (
        ("not_our_duty", "不属本单位职责", "请写明“三定”规定或权责清单的条款"),
        ("other_unit", "应由其他单位主办", "请写明应由哪个单位办理及其职责依据"),
        ("not_our_area", "不在本辖区", "请写明事发地及行政区划或道路移交文件"),
        ("legal_channel", "应走法定途径", "请写明已进入的诉讼、仲裁、复议或信访程序"),
        ("unclear", "诉求要素不清无法办理", "请写明缺少哪些要素及联系市民的情况"),
        ("repeated", "与在办工单重复", "请写明重复的工单号"),
    ),
    "reject_check": (
        ("off_topic", "答非所问", "答复没有回应市民的诉求点"),
        ("not_contacted", "未联系市民", "没有有效的联系记录"),
        ("shirking", "推诿", "以不属职责为由未办理"),
        ("no_basis", "无依据", "结论没有写明事实或政策依据"),
        ("leaks_privacy", "泄露隐私", "公开答复含个人信息"),
        ("no_promised_time", "承诺未定时", "承诺办理但没有写明完成时间"),
    ),
    "redo": (
        ("not_solved", "问题未解决", ""),
        ("not_satisfied", "市民不满意且有合理理由", ""),
        ("not_true", "答复与事实不符", ""),
        ("not_contacted", "未联系市民即办结", ""),
        ("came_back", "问题反复", ""),
    ),
    "extension": (
        ("complex", "案情复杂需调查核实", ""),
        ("joint", "需多部门会商", ""),
        ("works", "涉及工程施工周期", ""),
        ("expertise", "需检验检测或鉴定", ""),
        ("statutory", "法定程序期限较长", "请写明法律法规条款"),
        ("weather", "恶劣天气等客观原因", ""),
    ),
    "suspension": (
        ("planned", "已列入计划分步实施", "请写明计划与节点"),
        ("funding", "待资金安排", ""),
        ("policy", "待上级政策明确", ""),
        ("procedure", "已进入法定程序待结果", ""),
        ("citizen", "市民要求暂缓", ""),
    ),
    "exclusion": (
        ("unreasonable", "诉求明显不合理", ""),
        ("against_law", "诉求违反法律政策", ""),
        ("malicious", "恶意重复或骚扰", ""),
        ("force_majeure", "不可抗力", ""),
        ("out_of_power", "超出本级职权", ""),
        ("historical", "历史遗留需专项解决", ""),
    ),
    "inform": (
        ("litigation", "诉讼、仲裁", "告知向人民法院或仲裁机构提出"),
        ("discipline", "纪检监察", "告知 12388 等纪检监察举报渠道"),
        ("reconsideration", "行政复议", "告知向行政复议机构申请"),
        ("disclosure", "政府信息依申请公开", "告知依申请公开的受理渠道"),
        ("petition", "信访事项办理中", "告知信访程序与查询方式"),
        ("secret", "涉及国家秘密、商业秘密、个人隐私", "作出解释"),
        ("out_of_jurisdiction", "不属本市管辖", "告知有管辖权的地方或机关"),
    ),
    "emergency": (
        ("110", "110 公安", "人身、财产正受侵害或有治安危险"),
        ("119", "119 消防", "火灾、抢险救援"),
        ("120", "120 急救", "急危重伤病"),
        ("122", "122 交通事故", "道路交通事故"),
    ),
    "void": (
        ("mistake", "误登记", ""),
        ("test", "测试数据", ""),
        ("false", "经核实为虚假诉求", ""),
        ("duplicate", "同一通话重复登记", ""),
    ),
    "redispatch": (
        ("wrong_unit", "原派发单位有误", ""),
        ("new_facts", "核实后责任单位变化", ""),
        ("unit_changed", "机构职能调整", ""),
        ("raised", "提级办理", ""),
    ),
    "unsolved": (
        ("in_progress", "正在办理，已告知完成时间", ""),
        ("no_policy", "政策不支持", ""),
        ("no_money", "资金未落实", ""),
        ("other_power", "超出本市权限", ""),
        ("citizen_refused", "市民不接受合规方案", ""),
        ("civil", "属民事纠纷，已引导依法解决", ""),
    ),
    "dissatisfied": (
        ("result", "对办理结果不满意", ""),
        ("attitude", "对工作人员态度不满意", ""),
        ("slow", "办理时间过长", ""),
        ("no_contact", "办理中没有联系我", ""),
        ("policy", "对政策规定不满意", ""),
    ),
}
WORDS = {
    "danger": ("自杀", "轻生", "爆炸", "炸药", "持刀", "纵火", "中毒", "坍塌", "泄漏"),
    "crowd": ("集体", "讨薪", "上访", "堵路", "罢工", "停业", "群众聚集"),
    "supply": ("停水", "停电", "停气", "断网"),
    "public": ("记者", "曝光", "抖音", "微博", "媒体"),
}
QUEUES = (("hotline", "综合受理", "queue"), ("expert", "专家二线", "queue"))


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _ref(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")


def upgrade() -> None:
    _words_and_codes()
    _queues()
    _notices()
    _keeping()
    _categories()
    _handovers()
    _audit()
    _seed()
    for table in APPENDED:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _words_and_codes() -> None:
    op.create_table(
        "catalog_version",
        sa.Column("name", sa.String(20), nullable=False),
        _big("version"),
        sa.PrimaryKeyConstraint("name", name="pk_catalog_version"),
    )
    op.create_table(
        "reason_code",
        _id(),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("code", sa.String(30), nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("hint", sa.String(200), nullable=False),
        _flag("active"),
        _int("sort"),
        sa.PrimaryKeyConstraint("id", name="pk_reason_code"),
        sa.UniqueConstraint("kind", "code", name="uq_reason_code_kind_code"),
    )
    op.create_table(
        "sensitive_word",
        _id(),
        sa.Column("word", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        _flag("active"),
        sa.PrimaryKeyConstraint("id", name="pk_sensitive_word"),
        sa.UniqueConstraint("word", name="uq_sensitive_word_word"),
    )
    op.create_table(
        "ticket_flag",
        _big("ticket_id"),
        sa.Column("word", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        _time("at"),
        sa.PrimaryKeyConstraint("ticket_id", "word", name="pk_ticket_flag"),
        _ref("ticket_flag", "ticket_id", "ticket"),
    )
    op.create_index("ix_ticket_flag_kind_at", "ticket_flag", ["kind", "at"])


def _queues() -> None:
    op.create_table(
        "call_queue",
        _id(),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("label", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        _flag("active"),
        _int("sort"),
        sa.PrimaryKeyConstraint("id", name="pk_call_queue"),
        sa.UniqueConstraint("name", name="uq_call_queue_name"),
        sa.CheckConstraint("kind IN ('queue', 'skill')", name="ck_call_queue_kind"),
    )
    op.create_table(
        "call_queue_member",
        _big("queue_id"),
        _big("user_id"),
        _int("penalty"),
        sa.PrimaryKeyConstraint("queue_id", "user_id", name="pk_call_queue_member"),
        _ref("call_queue_member", "queue_id", "call_queue"),
        _ref("call_queue_member", "user_id", "user_account"),
    )


def _notices() -> None:
    op.create_table(
        "notice",
        _id(),
        sa.Column("title", sa.String(80), nullable=False),
        _text("body"),
        _time("starts_at"),
        _time("ends_at"),
        _flag("must_read"),
        sa.Column("posts", JSONB, nullable=False),
        sa.Column("unit_ids", JSONB, nullable=False),
        _big("created_by", nullable=True),
        _time("created_at"),
        _int("version"),
        _time("withdrawn_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        _ref("notice", "created_by", "user_account"),
        sa.CheckConstraint("ends_at > starts_at", name="ck_notice_span"),
    )
    op.create_index("ix_notice_ends_at", "notice", ["ends_at"])
    op.create_table(
        "notice_read",
        _big("notice_id"),
        _big("user_id"),
        _time("at"),
        sa.PrimaryKeyConstraint("notice_id", "user_id", name="pk_notice_read"),
        _ref("notice_read", "notice_id", "notice"),
        _ref("notice_read", "user_id", "user_account"),
    )


def _keeping() -> None:
    op.create_table(
        "retention_sweep",
        sa.Column("step", sa.String(40), nullable=False),
        _time("at"),
        _big("gone"),
        sa.PrimaryKeyConstraint("step", name="pk_retention_sweep"),
    )
    op.create_table(
        "legal_hold",
        _id(),
        sa.Column("subject", sa.String(10), nullable=False),
        _big("subject_id"),
        sa.Column("reason", sa.String(200), nullable=False),
        _big("placed_by", nullable=True),
        _time("placed_at"),
        _big("lifted_by", nullable=True),
        _time("lifted_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_legal_hold"),
        _ref("legal_hold", "placed_by", "user_account"),
        _ref("legal_hold", "lifted_by", "user_account"),
        sa.CheckConstraint("subject IN ('citizen', 'ticket')", name="ck_legal_hold_subject"),
    )
    op.create_index(
        "uq_legal_hold_present",
        "legal_hold",
        ["subject", "subject_id"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )


def _categories() -> None:
    op.create_table(
        "category_version",
        _id(),
        _int("number"),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("tree", JSONB, nullable=False),
        _int("edits"),
        sa.Column("note", sa.String(500), nullable=False),
        _big("created_by", nullable=True),
        _time("created_at"),
        _big("published_by", nullable=True),
        _time("published_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_category_version"),
        _ref("category_version", "created_by", "user_account"),
        _ref("category_version", "published_by", "user_account"),
        sa.UniqueConstraint("number", name="uq_category_version_number"),
        sa.CheckConstraint("state IN ('draft', 'published', 'dropped')", name="ck_category_version_state"),
    )
    op.create_index(
        "uq_category_version_draft",
        "category_version",
        ["state"],
        unique=True,
        postgresql_where=sa.text("state = 'draft'"),
    )


def _handovers() -> None:
    op.create_table(
        "unit_handover",
        _id(),
        _big("from_unit_id"),
        _big("to_unit_id"),
        _flag("move_users"),
        sa.Column("reason", sa.String(500), nullable=False),
        _int("total"),
        _big("requested_by", nullable=True),
        _time("started_at"),
        _time("finished_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_unit_handover"),
        _ref("unit_handover", "from_unit_id", "unit"),
        _ref("unit_handover", "to_unit_id", "unit"),
        _ref("unit_handover", "requested_by", "user_account"),
        sa.CheckConstraint("from_unit_id <> to_unit_id", name="ck_unit_handover_other"),
    )
    op.create_index(
        "uq_unit_handover_running",
        "unit_handover",
        ["from_unit_id"],
        unique=True,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "unit_handover_item",
        _big("handover_id"),
        _big("ticket_id"),
        sa.Column("result", sa.String(40), nullable=False),
        _time("at"),
        sa.PrimaryKeyConstraint("handover_id", "ticket_id", name="pk_unit_handover_item"),
        _ref("unit_handover_item", "handover_id", "unit_handover"),
        _ref("unit_handover_item", "ticket_id", "ticket"),
    )


def _audit() -> None:
    op.create_index("ix_audit_log_actor_login", "audit_log", ["actor_login", "id"])
    op.create_index("ix_audit_log_action", "audit_log", ["action", "id"])
    op.create_index("ix_audit_log_request_id", "audit_log", ["request_id"])
    op.create_index("ix_audit_log_at", "audit_log", ["at"], postgresql_using="brin")


def _seed() -> None:
    reason = sa.table(
        "reason_code", *(sa.column(name) for name in ("kind", "code", "label", "hint", "active", "sort"))
    )
    op.bulk_insert(
        reason,
        [
            {"kind": kind, "code": code, "label": label, "hint": hint, "active": True, "sort": place * 10}
            for kind, rows in REASONS.items()
            for place, (code, label, hint) in enumerate(rows, 1)
        ],
    )
    word = sa.table("sensitive_word", *(sa.column(name) for name in ("word", "kind", "active")))
    op.bulk_insert(
        word,
        [{"word": found, "kind": kind, "active": True} for kind, words in WORDS.items() for found in words],
    )
    queue = sa.table("call_queue", *(sa.column(name) for name in ("name", "label", "kind", "active", "sort")))
    op.bulk_insert(
        queue,
        [
            {"name": name, "label": label, "kind": kind, "active": True, "sort": place * 10}
            for place, (name, label, kind) in enumerate(QUEUES, 1)
        ],
    )
    version = sa.table("catalog_version", sa.column("name"), sa.column("version"))
    op.bulk_insert(version, [{"name": name, "version": 1} for name in ("reasons", "words")])


def downgrade() -> None:
    for column in ("at", "request_id", "action", "actor_login"):
        op.drop_index(f"ix_audit_log_{column}", "audit_log")
    for table in (
        "unit_handover_item",
        "unit_handover",
        "category_version",
        "legal_hold",
        "retention_sweep",
        "notice_read",
        "notice",
        "call_queue_member",
        "call_queue",
        "ticket_flag",
        "sensitive_word",
        "reason_code",
        "catalog_version",
    ):
        op.drop_table(table)
