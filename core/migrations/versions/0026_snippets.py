"""Text snippets of the agents: one's own, and those everybody at the floor has."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# To begin with; the shift leader changes them. Two or more underscores are a gap to fill in.
SHARED = (
    ("fy", "反映并要求处理", "来电人反映：____。希望有关部门核实处理并回复。"),
    ("hd", "核对五要素", "已与来电人核对：时间____，地点____，涉及____，经过如上。"),
    ("lx", "告知等待联系", "已告知来电人：承办单位会在规定时限内联系，请保持电话畅通。"),
    ("bm", "要求保密", "来电人要求对其个人信息保密，请承办单位只通过热线联系。"),
    ("dc", "当场答复", "已按知识库口径当场答复，来电人表示清楚。"),
    ("tj", "告知其他途径", "所反映事项不属于热线受理范围，已告知可通过____反映。"),
)


def _time(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def upgrade() -> None:
    snippet = op.create_table(
        "snippet",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("owner_id", sa.BigInteger, nullable=True),
        sa.Column("code", sa.String(12), nullable=False),
        sa.Column("title", sa.String(40), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_by", sa.BigInteger, nullable=True),
        _time("created_at"),
        _time("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_snippet"),
        sa.ForeignKeyConstraint(["owner_id"], ["user_account.id"], name="fk_snippet_owner_id_user_account"),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name="fk_snippet_created_by_user_account"
        ),
        sa.CheckConstraint("code ~ '^[a-z0-9]{1,12}$'", name="ck_snippet_code"),
    )
    for name, columns, where in (
        ("uq_snippet_own", ["owner_id", "code"], "owner_id IS NOT NULL"),
        ("uq_snippet_shared", ["code"], "owner_id IS NULL"),
    ):
        op.create_index(name, "snippet", columns, unique=True, postgresql_where=sa.text(where))
    now = sa.func.now()
    rows = [{"code": code, "title": title, "body": body} for code, title, body in SHARED]
    for row in rows:
        op.execute(snippet.insert().values(**row, version=1, created_at=now, updated_at=now))


def downgrade() -> None:
    op.drop_table("snippet")
