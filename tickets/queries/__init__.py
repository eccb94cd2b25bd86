"""Questions asked of the ticket room: lists by keyset, one ticket, drafts, call-back tasks.

Everything comes back as frozen values with masked citizens; visibility is part of each statement.
"""

from tickets.queries.callbacks import (
    Ages,
    AttemptItem,
    CallbackItem,
    CallbackPage,
    callback_ages,
    callback_list,
    callback_page,
)
from tickets.queries.desk import (
    CategoryItem,
    DraftItem,
    DraftPage,
    categories,
    draft_form,
    my_drafts,
    stale_drafts,
)
from tickets.queries.filters import Page, TicketFilters, parse_filters
from tickets.queries.lists import (
    Rating,
    TicketItem,
    find_by_number,
    find_by_phone,
    last_rating_of,
    last_tickets_of,
    open_counts,
    open_tickets_of,
    ticket_list,
)
from tickets.queries.page import HistoryItem, TicketPage, ticket_page, timeline
from tickets.queries.queues import (
    Queue,
    RequestItem,
    RevisitItem,
    decided_by,
    queue_counts,
    queue_list,
    request_counts,
    request_list,
    revisit_count,
    revisit_list,
)
from tickets.queries.records import RecordItem, record_list, records_of
from tickets.queries.todo import (
    TodoCounts,
    TodoFilters,
    TodoItem,
    parse_todo_filters,
    todo_counts,
    todo_list,
)
from tickets.queries.todo import Urgency as TodoUrgency

__all__ = [
    "Ages",
    "AttemptItem",
    "CallbackItem",
    "CallbackPage",
    "CategoryItem",
    "DraftItem",
    "DraftPage",
    "HistoryItem",
    "Page",
    "Queue",
    "Rating",
    "RecordItem",
    "RequestItem",
    "RevisitItem",
    "TicketFilters",
    "TicketItem",
    "TicketPage",
    "TodoCounts",
    "TodoFilters",
    "TodoItem",
    "TodoUrgency",
    "callback_ages",
    "callback_list",
    "callback_page",
    "categories",
    "decided_by",
    "draft_form",
    "find_by_number",
    "find_by_phone",
    "last_rating_of",
    "last_tickets_of",
    "my_drafts",
    "open_counts",
    "open_tickets_of",
    "parse_filters",
    "parse_todo_filters",
    "queue_counts",
    "queue_list",
    "record_list",
    "records_of",
    "request_counts",
    "request_list",
    "revisit_count",
    "revisit_list",
    "stale_drafts",
    "ticket_list",
    "ticket_page",
    "timeline",
    "todo_counts",
    "todo_list",
]
