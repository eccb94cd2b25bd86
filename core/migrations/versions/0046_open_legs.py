"""Open legs by telephone, a person's answered calls and latest orders: what a seat asks for all day."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_call_leg_open", "call_leg", ["extension"], postgresql_where=sa.text("call_leg.state <> 'ended'")
    )
    op.create_index("ix_call_leg_user_id_answered_at", "call_leg", ["user_id", "answered_at"])
    op.drop_index("ix_call_leg_user_id", "call_leg")
    op.create_index("ix_call_order_user_id_ordered_at", "call_order", ["user_id", "ordered_at"])


def downgrade() -> None:
    op.drop_index("ix_call_order_user_id_ordered_at", "call_order")
    op.create_index("ix_call_leg_user_id", "call_leg", ["user_id"])
    op.drop_index("ix_call_leg_user_id_answered_at", "call_leg")
    op.drop_index("ix_call_leg_open", "call_leg")
