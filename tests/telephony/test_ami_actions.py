"""What may be sent to a PBX, and what may not."""

import pytest
from asterisk.ami import SimpleAction

from core.errors import HotlineError
from telephony.ami.actions import ACTIONS, FIELDS, build, check_wire

GOOD = {
    "Channel": "PJSIP/1001-0000002a",
    "Exten": "13800000001",
    "Context": "hotline-agents",
    "Interface": "PJSIP/1001",
    "Queue": "hotline",
    "Reason": "话后整理",
}


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\0"])
@pytest.mark.parametrize("field", sorted(FIELDS))
def test_no_field_takes_a_line_end_or_nul(field: str, end: str) -> None:
    action = next(name for name, fields in ACTIONS.items() if field in fields)
    for value in (f"1{end}", f"{end}1", f"1{end}Action: Command{end}Command: core stop now"):
        with pytest.raises(HotlineError, match="ami_action_refused"):
            build(action, {field: value})


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\0"])
def test_no_key_name_or_variable_takes_a_line_end_or_nul(end: str) -> None:
    refused: list[tuple[str, dict[str, str], dict[str, str]]] = [
        (f"Ping{end}", {}, {}),
        ("Hangup", {f"Channel{end}": "PJSIP/1"}, {}),
        ("Originate", {}, {f"A{end}": "1"}),
        ("Originate", {}, {"A": f"1{end}"}),
    ]
    for arguments in refused:
        with pytest.raises(HotlineError, match="ami_action_refused"):
            build(*arguments)


@pytest.mark.parametrize("end", ["\r", "\n", "\0"])
def test_the_wire_refuses_what_was_built_without_the_check(end: str) -> None:
    for action in (
        SimpleAction("Ping", Reason=f"x{end}y"),
        SimpleAction(f"Ping{end}"),
        SimpleAction("Ping", **{f"K{end}": "v"}),
    ):
        with pytest.raises(HotlineError, match="ami_action_refused"):
            check_wire(action)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SHELL(id)", "1-handling-1203"),
        ("CALLERID(num)", "1-handling-1203"),
        ("__HOTLINE_STATUS", "1-handling-1203"),
        ("HOTLINE_STATUS", "1-handling-1203\r\nAction: Originate"),
        ("HOTLINE_STATUS", "1-${SHELL(id)}-"),
        ("HOTLINE_STATUS", "1-Handling-1203"),
        ("HOTLINE_STATUS", ""),
    ],
)
def test_a_variable_is_the_answer_to_a_question_by_keys_and_nothing_else(variable: str, value: str) -> None:
    fields = {"Channel": "PJSIP/trunk-1", "Variable": variable, "Value": value}
    with pytest.raises(HotlineError, match="ami_action_refused"):
        build("Setvar", fields)
    build("Setvar", fields | {"Variable": "HOTLINE_STATUS", "Value": "1-handling-1203"})


@pytest.mark.parametrize(
    "name", ["Command", "GetConfig", "UpdateConfig", "ModuleLoad", "Filter", "System", "DBPut"]
)
def test_actions_that_can_run_programs_or_change_the_pbx_do_not_exist(name: str) -> None:
    with pytest.raises(HotlineError, match="ami_action_refused"):
        build(name)


@pytest.mark.parametrize("field", ["Application", "Data", "Command", "options", "Codecs", "Variable"])
def test_fields_that_run_programs_do_not_exist(field: str) -> None:
    for action in ("Originate", "MixMonitor"):
        with pytest.raises(HotlineError, match="ami_action_refused"):
            build(action, {field: "System"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Exten", "1001@internal"),
        ("Exten", "1001,1"),
        ("Exten", "1" * 33),
        ("Channel", "PJSIP/1001&PJSIP/1002"),
        ("Channel", "Local/1@x/n|y"),
        ("Context", "a b"),
    ],
)
def test_dial_strings_keep_their_shape(field: str, value: str) -> None:
    with pytest.raises(HotlineError, match="ami_action_refused"):
        build("Redirect", {field: value})


def test_an_originate_is_always_asynchronous_and_carries_its_variables() -> None:
    action = build("Originate", {"Channel": "PJSIP/1001", "Exten": GOOD["Exten"]}, {"HOTLINE": "cb-1"})
    wire = check_wire(action).decode()
    assert "\r\nAsync: true\r\n" in wire
    assert "\r\nVariable: HOTLINE=cb-1\r\n" in wire
    assert wire.endswith("\r\n\r\n")


def test_a_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(HotlineError) as caught:
        build("Hangup", {"Channel": "13800000001\r\n"})
    assert "138" not in str(caught.value)


def test_good_fields_pass() -> None:
    for action, fields in ACTIONS.items():
        build(action, {field: GOOD[field] for field in fields if field in GOOD})
