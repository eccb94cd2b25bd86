"""What the dialplan we ship does without an agent: the mailbox, the survey's questions, states by keys.

As in extensions.conf: hotline-voicemail, hotline-survey, hotline-status. Nothing of it happens at a number
whose `Did` is not `shipped`; the recordings of older dialplans are played without it.
"""

from telephony.simulator.queue_call import QueueCall
from telephony.simulator.talk import SURVEY_SECONDS

PROMPT_SECONDS = 4.0
LONGEST_MESSAGE = 180.0  # seconds
WAV_HEADER, BYTES_A_SECOND = 44, 16_000
LOOK_SECONDS, LOOKS = 0.2, 40  # for the console's answer
ATTEMPTS = 6
TYPING_SECONDS = 12.0  # eighteen digits and six


class KeysCall(QueueCall):
    """A call that may end in the mailbox, or begin at the keys."""

    _message_from: float | None = None  # when the mailbox began to record
    _mailbox = False
    _attempt = 0
    _looks = 0

    # --- the mailbox

    def begun(self) -> bool:
        """The menu leads elsewhere than to the queue: outside the hours, or to the keys."""
        if not self.did.shipped:
            return False
        if self.plan.asks is not None:
            self.enter_stage("keys")
            self._type()
        elif self.plan.closed:
            self.tell("IVRPath", ("Menu", "root"), ("Choice", "closed"))
            self._to_mailbox()
        return self.stage != "menu"

    def after_queue(self) -> None:
        """Nobody answered: the mailbox, where there is one."""
        if self.did.shipped:
            self._to_mailbox()
        else:
            super().after_queue()

    def press_0(self) -> None:
        """Who does not want to wait leaves the queue for the mailbox."""
        if self.stage == "waiting" and not self.ringing:
            self.leave_queue("exit_key")

    def _to_mailbox(self) -> None:
        self.forget_timers()
        self._mailbox = True
        self.enter_stage("mailbox")
        self.citizen.context, self.citizen.application = "hotline-voicemail", "Playback"
        self.record_dialplan()
        self._tell_message()  # that it begins
        speaks = self.plan.message
        if speaks is None:  # hangs up while he is told that he may speak
            self.after(PROMPT_SECONDS / 2, self.citizen_hangs_up)
            return
        self.after(PROMPT_SECONDS, self._record)
        self.after(PROMPT_SECONDS + min(speaks, LONGEST_MESSAGE), self.citizen_hangs_up)

    def _record(self) -> None:
        self.citizen.application = "Record"
        self._message_from = self.pbx.now()

    def hang_up_citizen(self, cause: int = 16, *, records_last: bool = False) -> None:
        """With what the hangup handler tells before the channel is gone."""
        if self._mailbox:
            self._mailbox = False
            self._tell_message()
        super().hang_up_citizen(cause, records_last=records_last)

    def _tell_message(self) -> None:
        name, size = f"vm-{self.citizen.uniqueid}.wav", 0
        if self._message_from is not None:
            size = WAV_HEADER + int((self.pbx.now() - self._message_from) * BYTES_A_SECOND)
        who = "".join(sign for sign in self.citizen.number if sign in "0123456789+")
        self._write_log("VOICEMAIL", name, size, who)
        self.tell("Voicemail", ("File", name), ("Size", str(size)))

    def _write_log(self, what: str, *data: str | int) -> None:
        self.pbx.log.write(self.pbx.now(), self.citizen.uniqueid, "NONE", "NONE", what, *data)

    # --- the survey

    def ask_score(self) -> None:
        """Two questions; the first is asked again after a wrong key, as the plan's answer is then none."""
        if not self.did.shipped:
            super().ask_score()
            return
        self.enter_stage("survey")
        self.citizen.context, self.citizen.application = "hotline-survey", "Read"
        self.record_dialplan()
        self._write_log("SURVEYASKED")
        self.tell("SurveyAsked")
        score, solved = self.plan.score, self.plan.solved
        if score is None:
            self.after(2 * SURVEY_SECONDS, self._survey_over)
            return
        self.after(SURVEY_SECONDS / 4, lambda: self._said("satisfied", score))
        if solved is not None:
            self.after(SURVEY_SECONDS / 2, lambda: self._said("solved", solved))
        self.after(SURVEY_SECONDS * (1 if solved is not None else 2), self._survey_over)

    def _said(self, question: str, key: str) -> None:
        press = [("Digit", key), ("DurationMs", "0"), ("Direction", "Received")]
        self.pbx.about("DTMFEnd", self.citizen, press)
        self._write_log("SURVEY", question, key)
        self.tell("Survey", ("Question", question), ("Score", key))

    def _survey_over(self) -> None:
        self.hang_up_citizen(records_last=True)

    # --- the state of a ticket

    def _type(self) -> None:
        self._attempt += 1
        if self._attempt > ATTEMPTS:
            self._to_people()
            return
        self.after(TYPING_SECONDS, self._ask)

    def _ask(self) -> None:
        number, code = self.plan.asks or ("", "")
        self._looks = 0
        self.tell("StatusAsked", ("Attempt", str(self._attempt)), ("Number", number), ("Code", code))
        self.after(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        attempt, _, answer = self.citizen.variables.get("HOTLINE_STATUS", "").partition("-")
        word, _, due = answer.partition("-")
        self._looks += 1
        if attempt == str(self._attempt):
            self._say(word, due)
        elif self._looks >= LOOKS:
            self._say("away", "")
        else:
            self.after(LOOK_SECONDS, self._look)

    def _say(self, word: str, due: str) -> None:
        told = [("Attempt", str(self._attempt)), ("Answer", word), ("Due", due), ("Played", "SUCCESS")]
        self.tell("StatusSaid", *told)
        if word == "wrong":
            self._type()
        elif word in ("locked", "away"):
            self._to_people()
        else:
            self.after(PROMPT_SECONDS, self.citizen_hangs_up)

    def _to_people(self) -> None:
        if self.plan.closed:
            self._to_mailbox()
        else:
            self.enter_queue(self.did.queue, self.did.max_wait)
