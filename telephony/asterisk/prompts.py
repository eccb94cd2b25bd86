"""The sentences citizens hear, and their files: made here by espeak-ng, or read out by the city's own voice.

Standard library only, as render.py, so that it runs on the PBX's machine. What is there already is kept:
a city that records its own sentences under these names loses none of them.
"""

from __future__ import annotations

import array
import io
import shutil
import subprocess
import sys
import wave
from pathlib import Path

RATE = 8000  # samples per second, as on a telephone line
SPEED, VOICE = "150", "cmn"
FORMATS = (".wav", ".ulaw", ".alaw", ".gsm", ".sln")  # of a sentence that somebody recorded
_CALLS = {
    "greeting": "您好，这里是12345政务服务便民热线，通话将被录音。查询工单进度请按2，人工服务请稍候。",
    "closed": "您好，这里是12345热线，现在不是人工服务时间，留言将被录音。查询工单进度请按2，留言请稍候。",
    "voicemail": "暂时没有工作人员可以接听。请在提示音后说明您反映的事项、地点和联系方式，说完挂机即可。",
    "callback": "暂时没有工作人员可以接听，我们会尽快给您回电，请保持电话畅通。",
    "survey": "请对本次服务评价，非常满意请按5，满意请按4，基本满意请按3，不满意请按2，非常不满意请按1。",
    "solved": "您反映的事项是否已经解决或受理？是请按1，否请按2。",
    "thanks": "感谢您的来电，再见。",
    "refusal": "您好，因多次拨打骚扰电话，您的来电已被限制。如有诉求，请通过网站反映。",
}
_STATUS = {
    "status-number": "请输入18位工单编号。",
    "status-code": "请输入6位查询码。",
    "status-next": "继续查询请按2，人工服务请按0，结束请挂机。",
    "due": "承诺办结日期是",
}
# The words with which the console answers: how a ticket stands, for citizens, or why it does not say.
ANSWERS = {
    "accepting": "您的工单已经收到，正在等待受理。",
    "supplement": "您的工单需要补充材料，请留意短信或与我们联系。",
    "accepted": "您的工单已经受理，正在分派给承办单位。",
    "handling": "您的工单正在由承办单位办理。",
    "suspended": "您的工单经批准暂缓办理，恢复后继续办理。",
    "checking": "承办单位已经办理答复，正在审核和回访。",
    "closed": "您的工单已经办结。",
    "informed": "您的工单已经答复，并告知了办理途径。",
    "emergency": "您的工单已经转有关部门紧急处置。",
    "merged": "您的工单已经与同一事项合并办理。",
    "withdrawn": "您的工单已经撤回。",
    "void": "您的工单已经作废，如有疑问请转人工。",
    "wrong": "工单编号或查询码不正确，请重新输入。",
    "locked": "输入错误次数过多，请三十分钟后再试。现在为您转接。",
    "away": "系统暂时不能查询，现在为您转接。",
}
SENTENCES: dict[str, str] = {
    **_CALLS,
    **_STATUS,
    **{f"answer-{word}": sentence for word, sentence in ANSWERS.items()},
    **{f"month-{month:02d}": f"{month}月" for month in range(1, 13)},
    **{f"day-{day:02d}": f"{day}日" for day in range(1, 32)},
}


def missing(folder: Path) -> list[str]:
    """The sentences that have no file in `folder`, in any format."""
    return [name for name in SENTENCES if not any((folder / f"{name}{kind}").exists() for kind in FORMATS)]


def to_telephone(sound: bytes) -> bytes:
    """A mono 16-bit WAV of any rate as one of 8,000 samples a second. Raises wave.Error."""
    with wave.open(io.BytesIO(sound)) as file:
        if (file.getnchannels(), file.getsampwidth()) != (1, 2):
            raise wave.Error("neither mono nor 16 bit")
        rate, samples = file.getframerate(), array.array("h", file.readframes(file.getnframes()))
    if sys.byteorder == "big":
        samples.byteswap()
    out = array.array("h", (_mean(samples, place, rate) for place in range(len(samples) * RATE // rate)))
    if sys.byteorder == "big":
        out.byteswap()
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(out.tobytes())
    return made.getvalue()


def _mean(samples: array.array[int], place: int, rate: int) -> int:
    """What lies between two of our samples, in the mean: a plain low pass is enough for speech."""
    begin = place * rate // RATE
    part = samples[begin : max((place + 1) * rate // RATE, begin + 1)]
    return sum(part) // len(part)


def speak(program: str, sentence: str) -> bytes:
    """The sentence as telephone sound. Raises subprocess.CalledProcessError, wave.Error."""
    command = [program, "-v", VOICE, "-s", SPEED, "--stdout", sentence]
    # Sentences of ours, given as arguments and to no shell.
    done = subprocess.run(command, check=True, capture_output=True, timeout=60)  # noqa: S603
    return to_telephone(done.stdout)


def main(arguments: list[str]) -> int:
    """`prompts.py FOLDER` makes what is missing; `prompts.py` alone lists names and sentences."""
    if not arguments:
        print("\n".join(f"{name}\t{sentence}" for name, sentence in SENTENCES.items()))
        return 0
    folder, program = Path(arguments[0]), shutil.which("espeak-ng")
    if program is None:
        print("prompts.py: install espeak-ng (apt-get install espeak-ng), or record", file=sys.stderr)
        print("the sentences yourself: prompts.py without a folder lists them", file=sys.stderr)
        return 1
    try:
        folder.mkdir(parents=True, exist_ok=True)
        wanted = missing(folder)
        for number, name in enumerate(wanted, start=1):
            (folder / f"{name}.wav").write_bytes(speak(program, SENTENCES[name]))
            print(f"\r{number} of {len(wanted)} sentences", end="", flush=True)
    except (OSError, subprocess.SubprocessError, wave.Error, EOFError) as error:
        print(f"\nprompts.py: {error}", file=sys.stderr)
        return 1
    print(f"\n{len(wanted)} made, {len(SENTENCES) - len(wanted)} were there")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
