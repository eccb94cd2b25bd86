"""The errors of the ticket room: codes and what their `params` hold. Sentences belong to `web`.

Every function raises `HotlineError(code, **params)`; params never hold personal values.

| code | params | when |
|---|---|---|
| `ticket_not_found` | ticket_id | no such ticket, or none this person may see |
| `draft_not_found` | draft_id | no such draft, or none this person may see |
| `callback_not_found` | task_id | no such call-back task, or none this person may see |
| `draft_not_yours` | draft_id, owner_id | somebody else writes this draft |
| `draft_already_ended` | draft_id, ended_as, ended_code, number | a draft ends once, under one number |
| `version_conflict` | object, id, ours, theirs | another write came first; version numbers |
| `action_not_allowed` | action, state | the workflow has no such step here |
| `unknown_field` | fields | the form has keys it does not know |
| `form_invalid` | fields: name → code | see below |
| `form_too_large` | limit | a draft above `limit` bytes |
| `unknown_disposition` | disposition | a record needs one of the coded reasons |
| `category_unknown` | category_id | no such category, or one that is closed |
| `place_unknown` | district_id, street_id | no such place, or the street is not in the district |
| `unit_cannot_take` | unit_id | no such unit, a closed one, or one that handles no tickets |
| `user_cannot_take` | user_id | no such user, or one who writes no drafts |
| `note_required` | action | an addition or note without text |
| `note_too_long` | limit | more than `limit` characters |
| `reason_required` | – | a reveal or a taking-over without a reason |
| `nothing_to_reveal` | field | the ticket has no such value |
| `identity_sealed` | ticket_id | the reporter is sealed from the handling unit |
| `numbers_exhausted` | area, day | 999,999 numbers were given in one day |
| `callback_closed` | task_id, closed_as | the task was closed already |
| `callback_claimed` | task_id, user_id | a colleague is calling |
| `unknown_result` | result | a try needs one of the coded results |
| `unknown_filter` | fields | a list was asked for a filter it does not have |
| `bad_filter` | field | a filter's value makes no sense |
| `bad_cursor` | – | a page mark that we did not make |
| `forbidden` | permission | from `Actor.require` |

Field codes of `form_invalid`: required, too_long, unknown_choice, bad_phone, bad_id_number,
bad_uscc, bad_time, in_future, bad_value.
"""

from collections.abc import Iterable

from core.errors import HotlineError
from core.people.actor import Actor
from core.people.permissions import Permission
from tickets.forms import clean

MAX_NOTE = 2000


def conflict(thing: str, ident: int, *, ours: int, theirs: int) -> HotlineError:
    """Another write came first."""
    return HotlineError("version_conflict", object=thing, id=ident, ours=ours, theirs=theirs)


def require_any(actor: Actor, permissions: Iterable[Permission]) -> None:
    """Raise `forbidden` unless the actor has one of `permissions`."""
    wanted = list(permissions)
    if not any(actor.may(permission) for permission in wanted):
        raise HotlineError("forbidden", permission=str(wanted[0]))


def checked_note(text: str, *, action: str, required: bool) -> str:
    """`text` cleaned; raises `note_required` or `note_too_long`."""
    note = clean(text, lines=True)
    if required and not note:
        raise HotlineError("note_required", action=action)
    if len(note) > MAX_NOTE:
        raise HotlineError("note_too_long", limit=MAX_NOTE)
    return note
