"""Knowledge: articles in editions, their approval, search, uses, tasks, gaps, banners for an emergency."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

APPENDED = (
    "knowledge_edition",
    "knowledge_step",
    "knowledge_use",
    "knowledge_report",
    "knowledge_banner_edition",
    "knowledge_banner_read",
)


def upgrade() -> None:
    _articles()
    _search()
    _tasks()
    _banners()
    for table in APPENDED:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def _articles() -> None:
    op.create_table(
        "knowledge_article",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("unit_id", sa.BigInteger, nullable=False),
        sa.Column("question", sa.String(200), nullable=False),
        sa.Column("category_id", sa.BigInteger, nullable=True),
        sa.Column("district_id", sa.BigInteger, nullable=True),
        sa.Column("audience", sa.String(10), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date, nullable=True),
        sa.Column("live", sa.Integer, nullable=True),
        sa.Column("pending", sa.Integer, nullable=True),
        sa.Column("stage", sa.String(10), nullable=True),
        sa.Column("uses", sa.Integer, nullable=False),
        sa.Column("created_by", sa.BigInteger, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("audience IN ('internal', 'public')", name="ck_knowledge_article_audience"),
        sa.CheckConstraint("stage IN ('writing', 'review', 'release')", name="ck_knowledge_article_stage"),
        sa.CheckConstraint("(pending IS NULL) = (stage IS NULL)", name="ck_knowledge_article_pending"),
        sa.CheckConstraint("valid_to >= valid_from", name="ck_knowledge_article_span"),
        sa.ForeignKeyConstraint(
            ["category_id"], ["category.id"], name="fk_knowledge_article_category_id_category"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name="fk_knowledge_article_created_by_user_account"
        ),
        sa.ForeignKeyConstraint(["district_id"], ["unit.id"], name="fk_knowledge_article_district_id_unit"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_knowledge_article_unit_id_unit"),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_article"),
    )
    op.create_index(
        "ix_knowledge_article_category",
        "knowledge_article",
        ["category_id", sa.text("uses DESC"), "id"],
        postgresql_where=sa.text("live IS NOT NULL"),
    )
    op.create_index(
        "ix_knowledge_article_ends",
        "knowledge_article",
        ["valid_to", "id"],
        postgresql_where=sa.text("live IS NOT NULL"),
    )
    op.create_index(
        "ix_knowledge_article_public",
        "knowledge_article",
        ["category_id", "id"],
        postgresql_where=sa.text("live IS NOT NULL AND audience = 'public'"),
    )
    op.create_index(
        "ix_knowledge_article_stage",
        "knowledge_article",
        ["stage", "id"],
        postgresql_where=sa.text("stage IS NOT NULL"),
    )
    op.create_index("ix_knowledge_article_unit", "knowledge_article", ["unit_id", "stage"])
    op.create_index(
        "ix_knowledge_article_uses",
        "knowledge_article",
        [sa.text("uses DESC"), "id"],
        postgresql_where=sa.text("live IS NOT NULL"),
    )
    op.create_table(
        "knowledge_edition",
        sa.Column("article_id", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("question", sa.String(200), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("basis", sa.String(500), nullable=False),
        sa.Column("category_id", sa.BigInteger, nullable=True),
        sa.Column("district_id", sa.BigInteger, nullable=True),
        sa.Column("audience", sa.String(10), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date, nullable=True),
        sa.Column("made_by", sa.BigInteger, nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["knowledge_article.id"], name="fk_knowledge_edition_article_id_knowledge_article"
        ),
        sa.ForeignKeyConstraint(
            ["category_id"], ["category.id"], name="fk_knowledge_edition_category_id_category"
        ),
        sa.ForeignKeyConstraint(["district_id"], ["unit.id"], name="fk_knowledge_edition_district_id_unit"),
        sa.ForeignKeyConstraint(
            ["made_by"], ["user_account.id"], name="fk_knowledge_edition_made_by_user_account"
        ),
        sa.PrimaryKeyConstraint("article_id", "number", name="pk_knowledge_edition"),
    )
    op.create_table(
        "knowledge_step",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("article_id", sa.BigInteger, nullable=False),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("step", sa.String(10), nullable=False),
        sa.Column("actor_id", sa.BigInteger, nullable=True),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["user_account.id"], name="fk_knowledge_step_actor_id_user_account"
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["knowledge_article.id"], name="fk_knowledge_step_article_id_knowledge_article"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_step"),
    )
    op.create_index("ix_knowledge_step_article", "knowledge_step", ["article_id", "id"])
    op.create_table(
        "knowledge_reminder",
        sa.Column("article_id", sa.BigInteger, nullable=False),
        sa.Column("edition", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["knowledge_article.id"],
            name="fk_knowledge_reminder_article_id_knowledge_article",
        ),
        sa.PrimaryKeyConstraint("article_id", "edition", "kind", name="pk_knowledge_reminder"),
    )


def _search() -> None:
    op.create_table(
        "knowledge_text",
        sa.Column("article_id", sa.BigInteger, nullable=False),
        sa.Column("field", sa.String(10), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("tsv", TSVECTOR, nullable=False),
        sa.CheckConstraint("field IN ('question', 'whole')", name="ck_knowledge_text_field"),
        sa.ForeignKeyConstraint(
            ["article_id"], ["knowledge_article.id"], name="fk_knowledge_text_article_id_knowledge_article"
        ),
        sa.PrimaryKeyConstraint("article_id", "field", name="pk_knowledge_text"),
    )
    op.create_index(
        "ix_knowledge_text_question",
        "knowledge_text",
        ["tsv"],
        postgresql_using="gin",
        postgresql_where=sa.text("field = 'question'"),
    )
    op.create_index(
        "ix_knowledge_text_whole",
        "knowledge_text",
        ["tsv"],
        postgresql_using="gin",
        postgresql_where=sa.text("field = 'whole'"),
    )
    op.create_table(
        "knowledge_pair",
        sa.Column("pair", sa.Text, nullable=False),
        sa.Column("articles", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("pair", name="pk_knowledge_pair"),
    )
    op.create_table(
        "knowledge_synonym",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("words", JSONB, nullable=False),
        sa.Column("made_by", sa.BigInteger, nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by"], ["user_account.id"], name="fk_knowledge_synonym_made_by_user_account"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_synonym"),
    )
    op.create_table(
        "knowledge_gap",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("blind", sa.LargeBinary, nullable=False),
        sa.Column("phrase", sa.String(60), nullable=True),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("first_by", sa.BigInteger, nullable=True),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.BigInteger, nullable=True),
        sa.ForeignKeyConstraint(
            ["closed_by"], ["user_account.id"], name="fk_knowledge_gap_closed_by_user_account"
        ),
        sa.ForeignKeyConstraint(
            ["first_by"], ["user_account.id"], name="fk_knowledge_gap_first_by_user_account"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_gap"),
        sa.UniqueConstraint("blind", name="uq_knowledge_gap_blind"),
    )
    op.create_index("ix_knowledge_gap_last_at", "knowledge_gap", ["last_at"])
    op.create_index(
        "ix_knowledge_gap_open",
        "knowledge_gap",
        [sa.text("asked DESC"), "id"],
        postgresql_where=sa.text("closed_at IS NULL AND phrase IS NOT NULL"),
    )


def _tasks() -> None:
    op.create_table(
        "knowledge_use",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("article_id", sa.BigInteger, nullable=False),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("draft_id", sa.BigInteger, nullable=True),
        sa.Column("ticket_id", sa.BigInteger, nullable=True),
        sa.Column("user_id", sa.BigInteger, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(draft_id IS NULL) <> (ticket_id IS NULL)", name="ck_knowledge_use_one_place"),
        sa.ForeignKeyConstraint(
            ["article_id"], ["knowledge_article.id"], name="fk_knowledge_use_article_id_knowledge_article"
        ),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["ticket_draft.id"], name="fk_knowledge_use_draft_id_ticket_draft"
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_knowledge_use_ticket_id_ticket"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name="fk_knowledge_use_user_id_user_account"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_use"),
    )
    op.create_index("ix_knowledge_use_article", "knowledge_use", ["article_id", "id"])
    op.create_index("uq_knowledge_use_draft", "knowledge_use", ["draft_id", "article_id"], unique=True)
    op.create_index("uq_knowledge_use_ticket", "knowledge_use", ["ticket_id", "article_id"], unique=True)
    op.create_table(
        "knowledge_task",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("article_id", sa.BigInteger, nullable=True),
        sa.Column("unit_id", sa.BigInteger, nullable=True),
        sa.Column("about", sa.String(500), nullable=False),
        sa.Column("reports", sa.Integer, nullable=False),
        sa.Column("limit_days", sa.SmallInteger, nullable=False),
        sa.Column("opened_by", sa.BigInteger, nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("late_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer_id", sa.BigInteger, nullable=True),
        sa.Column("edition", sa.Integer, nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_as", sa.String(12), nullable=True),
        sa.Column("closed_by", sa.BigInteger, nullable=True),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.CheckConstraint("(article_id IS NULL) = (kind = 'not_found')", name="ck_knowledge_task_about"),
        sa.CheckConstraint("kind IN ('not_found', 'wrong', 'expired')", name="ck_knowledge_task_kind"),
        sa.CheckConstraint("(closed_at IS NULL) = (closed_as IS NULL)", name="ck_knowledge_task_closed_once"),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["knowledge_article.id"], name="fk_knowledge_task_answer_id_knowledge_article"
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["knowledge_article.id"], name="fk_knowledge_task_article_id_knowledge_article"
        ),
        sa.ForeignKeyConstraint(
            ["closed_by"], ["user_account.id"], name="fk_knowledge_task_closed_by_user_account"
        ),
        sa.ForeignKeyConstraint(
            ["opened_by"], ["user_account.id"], name="fk_knowledge_task_opened_by_user_account"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_knowledge_task_unit_id_unit"),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_task"),
    )
    op.create_index("ix_knowledge_task_closed", "knowledge_task", [sa.text("closed_at DESC"), "id"])
    op.create_index(
        "ix_knowledge_task_due",
        "knowledge_task",
        ["due_at", "id"],
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "uq_knowledge_task_open",
        "knowledge_task",
        ["article_id", "kind"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL AND article_id IS NOT NULL"),
    )
    op.create_table(
        "knowledge_report",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("task_id", sa.BigInteger, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=True),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["knowledge_task.id"], name="fk_knowledge_report_task_id_knowledge_task"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name="fk_knowledge_report_user_id_user_account"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_report"),
    )
    op.create_index("ix_knowledge_report_task", "knowledge_report", ["task_id", "id"])


def _banners() -> None:
    op.create_table(
        "knowledge_banner",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.BigInteger, nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.BigInteger, nullable=True),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(
            ["issued_by"], ["user_account.id"], name="fk_knowledge_banner_issued_by_user_account"
        ),
        sa.ForeignKeyConstraint(
            ["withdrawn_by"], ["user_account.id"], name="fk_knowledge_banner_withdrawn_by_user_account"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_banner"),
    )
    op.create_index(
        "ix_knowledge_banner_open",
        "knowledge_banner",
        ["ends_at"],
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "knowledge_banner_edition",
        sa.Column("banner_id", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.BigInteger, nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["banner_id"],
            ["knowledge_banner.id"],
            name="fk_knowledge_banner_edition_banner_id_knowledge_banner",
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["user_account.id"], name="fk_knowledge_banner_edition_made_by_user_account"
        ),
        sa.PrimaryKeyConstraint("banner_id", "number", name="pk_knowledge_banner_edition"),
    )
    op.create_table(
        "knowledge_banner_read",
        sa.Column("banner_id", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["banner_id"], ["knowledge_banner.id"], name="fk_knowledge_banner_read_banner_id_knowledge_banner"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name="fk_knowledge_banner_read_user_id_user_account"
        ),
        sa.PrimaryKeyConstraint("banner_id", "number", "user_id", name="pk_knowledge_banner_read"),
    )


def downgrade() -> None:
    for table in (
        "knowledge_use",
        "knowledge_report",
        "knowledge_text",
        "knowledge_task",
        "knowledge_step",
        "knowledge_reminder",
        "knowledge_edition",
        "knowledge_banner_read",
        "knowledge_banner_edition",
        "knowledge_synonym",
        "knowledge_gap",
        "knowledge_banner",
        "knowledge_article",
        "knowledge_pair",
    ):
        op.drop_table(table)
