"""What each action of the workflow does: one function per action, found through `EFFECTS`.

An effect reads the locked ticket in its `Job`, writes the tables of the process (`tickets.flow`), and
leaves to `tickets.service` the ticket's own row, its stages, its history and its events.
"""

from tickets.actions import closing, members, notes, requests, units
from tickets.actions.job import Effect, Job, Tools
from tickets.states import Action

A = Action
EFFECTS: dict[Action, Effect] = {
    A.ACCEPT: notes.nothing,
    A.ASK_CITIZEN: notes.nothing,
    A.SUPPLEMENT: notes.nothing,
    A.ANSWER: closing.answer,
    A.INFORM: closing.answer,
    A.EMERGENCY: closing.emergency,
    A.DISPATCH: units.dispatch,
    A.SIGN: units.sign,
    A.CONTACT: closing.contact,
    A.SUB_DISPATCH: units.sub_dispatch,
    A.REPORT_BACK: closing.report_back,
    A.TAKE_BACK: units.take_back,
    A.CLOSE: closing.close,
    A.APPROVE_CLOSING: closing.approve_closing,
    A.REFUSE_CLOSING: requests.refused,
    A.RETURN: requests.give_back,
    A.ACCEPT_RETURN: requests.accept_return,
    A.REFUSE_RETURN: requests.refuse_return,
    A.RULE: requests.rule,
    A.REDISPATCH: units.redispatch,
    A.ADD_CO: units.add_co,
    A.REMOVE_CO: units.remove_co,
    A.CO_OPINION: units.co_opinion,
    A.APPLY_EXTENSION: requests.apply_extension,
    A.APPROVE_EXTENSION: requests.approve_extension,
    A.REFUSE_EXTENSION: requests.refused,
    A.APPLY_SUSPENSION: requests.apply_suspension,
    A.APPROVE_SUSPENSION: requests.approve_suspension,
    A.REFUSE_SUSPENSION: requests.refused,
    A.RESUME: notes.nothing,
    A.PASS_CHECK: closing.pass_check,
    A.REJECT_CHECK: closing.reject_check,
    A.REVISIT: closing.revisit,
    A.RATE: closing.rate,
    A.REDO: closing.redo,
    A.APPLY_EXCLUSION: requests.apply_exclusion,
    A.APPROVE_EXCLUSION: requests.approve_exclusion,
    A.REFUSE_EXCLUSION: requests.refuse_exclusion,
    A.URGE: notes.urge,
    A.SUPERVISE: notes.supervise,
    A.ACKNOWLEDGE: notes.nothing,
    A.ANSWER_ORDER: notes.nothing,
    A.ASK_ORDER: notes.nothing,
    A.END_ORDER: notes.nothing,
    A.ASK_RELAY: notes.nothing,
    A.ANSWER_RELAY: notes.nothing,
    A.ADD: notes.nothing,
    A.NOTE: notes.nothing,
    A.EDIT: notes.edit,
    A.MERGE: members.merge,
    A.UNMERGE: members.unmerge,
    A.HAND_OVER: units.hand_over,
    A.WITHDRAW: notes.end,
    A.VOID: notes.end,
    A.ARCHIVE: notes.archive,
}

__all__ = ["EFFECTS", "Job", "Tools"]
