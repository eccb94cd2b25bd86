"""The index of waiting tickets is in the order in which the dispatch desk takes them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

WAITING = sa.text("state = 'waiting_dispatch'")
RANK = sa.text("(CASE urgency WHEN 'critical' THEN 0 WHEN 'urgent' THEN 1 ELSE 2 END)")


def upgrade() -> None:
    op.drop_index("ix_ticket_undispatched", "ticket")
    op.create_index("ix_ticket_undispatched", "ticket", [RANK, "created_at", "id"], postgresql_where=WAITING)


def downgrade() -> None:
    op.drop_index("ix_ticket_undispatched", "ticket")
    op.create_index("ix_ticket_undispatched", "ticket", ["created_at", "id"], postgresql_where=WAITING)
