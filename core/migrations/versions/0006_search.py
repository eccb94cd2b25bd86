"""Tables: full text by character bigrams."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE ticket_text (
            ticket_id bigint NOT NULL,
            field varchar(20) NOT NULL,
            ref bigint NOT NULL,
            piece integer NOT NULL,
            created_at timestamptz NOT NULL,
            body text NOT NULL,
            tsv tsvector NOT NULL,
            CONSTRAINT pk_ticket_text PRIMARY KEY (ticket_id, field, ref, piece),
            CONSTRAINT fk_ticket_text_ticket_id_ticket FOREIGN KEY (ticket_id) REFERENCES ticket (id)
        )
        """
    )
    # The body is read for every candidate, the tokens never: they go out of line, the body stays.
    op.execute("ALTER TABLE ticket_text ALTER COLUMN body SET STORAGE MAIN")
    op.execute("ALTER TABLE ticket_text SET (toast_tuple_target = 256)")
    # What is new waits in a list that every search reads through, so the list is kept short.
    op.execute(
        "CREATE INDEX ix_ticket_text_tsv ON ticket_text USING gin (tsv) WITH (gin_pending_list_limit = 1024)"
    )


def downgrade() -> None:
    op.drop_table("ticket_text")
