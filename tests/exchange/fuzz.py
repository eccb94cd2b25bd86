"""Schemathesis over a description of ours: valid and invalid requests from a fixed seed."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EXAMPLES = 12  # of each sort for every operation
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def fuzz(
    described: dict[str, Any],
    base: str,
    *,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> int:
    """Call every operation; returns how many there are. Raises what a check finds."""
    schema = schemathesis.openapi.from_dict(described)
    root, found = described["servers"][0]["url"], 0
    for result in schema.get_all_operations():
        operation = result.ok()
        found += 1
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            if mode is GenerationMode.NEGATIVE and not list(operation.iter_parameters()) + list(
                operation.body
            ):
                continue  # nothing to get wrong

            @given(case=operation.as_strategy(generation_mode=mode))
            @settings(
                max_examples=EXAMPLES,
                derandomize=True,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def call(case: Any) -> None:
                case.call_and_validate(
                    base_url=base + root, params=query, headers=headers, checks=CHECKS, timeout=30
                )

            call()
    return found
