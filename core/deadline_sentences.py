"""What the command line says of limits, calendars and policy packs: code → what is wrong, what helps."""

DEADLINE_SENTENCES: dict[str, tuple[str, str]] = {
    "start_unreadable": (
        '"{start}" is not an instant.',
        "write it as 2026-09-28T10:00+08:00; without a zone it is the city's time",
    ),
    "bad_day": ("{day} is no day, or no period.", "write days as 2026-09-01, the first one before the last"),
    "limit_unreadable": ('"{limit}" is not a limit.', "a whole number and its unit: 10wd, 4wh, 24h, 15m"),
    "limit_unit_unknown": ("{limit}: there is no unit {unit}.", "choose one of {known}"),
    "limit_not_positive": ("{limit} leaves no time at all.", "a limit is 1 or more"),
    "limit_too_long": ("{limit} is too long a limit.", "at most {longest}{unit}"),
    "calendar_range": ("The calendar reaches from {first} to {last} only.", "name an earlier start or limit"),
    "calendar_years": (
        "A calendar cannot reach from {first} to {last}.",
        "its years go up, from 1992 on at the earliest",
    ),
    "calendar_without_work": (
        "A calendar without any working time cannot hold a limit.",
        "give a week of seven days with an interval on one of them at least",
    ),
    "pause_reversed": (
        "A pause ends at {end}, before it begins at {begin}.",
        "its end is its begin or later",
    ),
    "span_unreadable": ("{where}: {span} is not an interval.", "write it as 09:00-12:00; 24:00 ends a day"),
    "spans_reversed": (
        "{where}: the interval {span} does not end after it begins.",
        "one that passes midnight is two, on two days",
    ),
    "spans_overlap": ("{where}: the intervals {span} and {other} overlap.", "make one of them"),
    "calendar_file_unreadable": (
        "The calendar file {file} cannot be read: {why}.",
        "a CSV file in UTF-8, or JSON; the one shipped is sla/calendars/guilin.csv",
    ),
    "calendar_file_columns": (
        "The calendar file {file} does not hold the columns {columns}.",
        "the one shipped is sla/calendars/guilin.csv",
    ),
    "calendar_file_years": (
        "The calendar file {file} is about the years {years}; the calendar reaches from {first} to {last}.",
        "correct its years",
    ),
    "calendar_file_gap": (
        "The calendar file {file} says nothing of {year}.",
        "complete that year; if it has no day of its own, write the line: {year},none,,why",
    ),
    "calendar_line_cells": (
        "{file}, {where}: {found} values instead of {wanted}.",
        "date,kind,hours,reason; put a reason with commas in quotes",
    ),
    "calendar_line_date": ('{file}, {where}: "{date}" is not a date.', "write it as 2026-04-20"),
    "calendar_line_year": (
        "{file}, {where}: {date} is of the wrong year.",
        "the file is about {first} to {last}",
    ),
    "calendar_line_kind": ('{file}, {where}: there is no kind "{kind}".', "choose one of {known}"),
    "calendar_line_hours": (
        "{file}, {where}: a day of rest has no hours ({hours}).",
        "leave them out, or make it a working day with these hours",
    ),
    "calendar_line_twice": (
        "{file}, {where}: {date} was told already in {other}.",
        "keep one of the two lines",
    ),
    "pack_unknown": ("There is no policy pack {pack}.", "sla.pack is {nearest}, or the path of a file"),
    "pack_unreadable": (
        "The policy pack {file} cannot be read: {why}.",
        "a TOML file in UTF-8; the one shipped is sla/packs/guilin.toml",
    ),
    "pack_key_unknown": ("{file}: a policy pack has no {key}.", "known: {nearest}"),
    "pack_key_missing": ("{file}: {key} is missing.", "give it: {wanted}"),
    "pack_key_kind": ("{file}: {key} cannot be {value}.", "make it {wanted}"),
    "pack_word_unknown": ("{file}, {key}: there is no {what} {word}.", "known: {nearest}"),
    "pack_limit": ("{file}, {key}: {why}", "a whole number and its unit: 10wd, 4wh, 24h, 15m"),
    "pack_limit_not_days": (
        "{file}, {key}: {limit} is not in working days.",
        "extensions are counted in working days, so normal totals are: 10wd",
    ),
    "pack_total_missing": (
        "{file}: {key} is missing.",
        "every type needs a limit for normal, urgent and critical; a category needs one type at least",
    ),
    "pack_category_code": (
        "{file}: {key} is not the code of a category.",
        "digits, letters, - and _, at most {longest}",
    ),
    "ladder_order": (
        "{file}: {key} comes before the level it follows.",
        "levels come in the order blue, yellow, red, notice, bulletin, proposal",
    ),
    "ladder_too_early": (
        "{file}: {key} would come {days} working days before the due day, before such a clock has begun.",
        "fewer days than the limit has; limits in hours and of one day take a part, such as 50%",
    ),
}
