"""A release as files: CSV, JSON, the dictionary of data, and the DCAT catalogue; pure."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sla.opendata.release import rates
from sla.opendata.suppression import TOTAL, K
from sla.opendata.terms import DIMENSIONS, LEFT_OUT, LICENCE, POPULATIONS, Population, table_code

FORMAT = "hotline-open-data/1"
TOTAL_WORD = "合计"


def population_of(table: Mapping[str, Any]) -> Population:
    """Who is counted in a table."""
    return next(one for one in POPULATIONS if one.code == table["population"])


def title_of(table: Mapping[str, Any]) -> str:
    """The name of a table as people read it."""
    population, by = population_of(table), DIMENSIONS[table["by"]].name
    if population.answers:
        return f"{population.name}率（按{by}）"
    return f"{population.name}（按{DIMENSIONS[table['hub']].name}和{by}）"


def heads_of(table: Mapping[str, Any]) -> list[str]:
    """The columns of the CSV of a table."""
    population, by = population_of(table), table["by"]
    if population.answers:
        return ["month", f"{by}_code", by, "yes", "no", "percent"]
    hub = table["hub"]
    return ["month", f"{hub}_code", hub, f"{by}_code", by, "count"]


def csv_of(table: Mapping[str, Any], month: date) -> str:
    """A table as CSV with heads; what is kept back is empty. The first mark tells Excel of UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(heads_of(table))
    when = month.strftime("%Y-%m")
    if population_of(table).answers:
        for line in rates(table):
            writer.writerow([when, line["code"], line["name"], line["yes"], line["no"], line["percent"]])
    else:
        writer.writerows(_counts(table, when))
    return "\ufeff" + out.getvalue()


def _counts(table: Mapping[str, Any], when: str) -> list[list[Any]]:
    sums = {"code": TOTAL, "name": TOTAL_WORD, "total": table["total"], "cells": table["totals"]}
    found = []
    for row in (*table["rows"], sums):
        place = [when, row["code"], row["name"]]
        found += [[*place, one["code"], one["name"], row["cells"][one["code"]]] for one in table["columns"]]
        found.append([*place, TOTAL, TOTAL_WORD, row["total"]])
    return found


def json_of(month: date, version: int, as_of: datetime, content: Mapping[str, Any]) -> str:
    """A whole version as JSON."""
    told = {
        "format": FORMAT,
        "month": month.strftime("%Y-%m"),
        "version": version,
        "as_of": as_of.isoformat(),
        "kept_back_below": K,
        "licence": LICENCE,
        "tables": [{"title": title_of(table), **table} for table in content["tables"]],
        "withheld": content["withheld"],
    }
    return json.dumps(told, ensure_ascii=False, indent=1)


def dictionary() -> dict[str, Any]:
    """What every table, column and code means."""
    tables = []
    for population in POPULATIONS:
        for other in population.others:
            table = {"population": population.code, "by": other, "hub": population.hub}
            columns = [{"name": head, "meaning": _meaning(head, population)} for head in heads_of(table)]
            tables.append(
                {
                    "code": table_code(population, other),
                    "title": title_of(table),
                    "counts": population.what,
                    "columns": columns,
                }
            )
    dimensions = [
        {
            "code": one.code,
            "name": one.name,
            "meaning": one.what,
            "codes": [{"code": code, "name": word} for code, word in one.words],
        }
        for one in DIMENSIONS.values()
    ]
    return {"format": FORMAT, "rules": list(LEFT_OUT), "tables": tables, "dimensions": dimensions}


def _meaning(head: str, population: Population) -> str:
    yes, no = population.answers or ("", "")
    plain = {
        "month": "统计月份，YYYY-MM",
        "count": f"件数；空：少于 {K} 件，或能由其他数推算出少于 {K} 件的数，不公布",
        "yes": f"{yes}的件次；空：不公布",
        "no": f"{no}的件次；空：不公布",
        "percent": f"{yes}占两者之和的百分比，一位小数；空：不公布",
    }
    if head in plain:
        return plain[head]
    code = head.removesuffix("_code")
    suffix = "代码；多个代码以 + 相连为合并行，total 为合计" if head.endswith("_code") else "名称"
    return f"{DIMENSIONS[code].name}的{suffix}"


def catalog(base: str, city: str, releases: Sequence[Any], modified: datetime | None) -> dict[str, Any]:
    """The DCAT 2 catalogue (JSON-LD) of published versions; `base`: where this site is, without a slash."""
    publisher = {"@type": "foaf:Agent", "foaf:name": f"{city}12345政务服务便民热线"}
    return {
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#",
            "dct": "http://purl.org/dc/terms/",
            "foaf": "http://xmlns.com/foaf/0.1/",
            "adms": "http://www.w3.org/ns/adms#",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        },
        "@id": f"{base}/open/catalog.json",
        "@type": "dcat:Catalog",
        "dct:title": f"{city}12345热线开放数据",
        "dct:description": "热线诉求的按月统计，少于 5 件的数不公布。",
        "dct:language": "zh-CN",
        "dct:publisher": publisher,
        "dct:license": {"@id": base + LICENCE},
        **({"dct:modified": _time(modified)} if modified else {}),
        "dcat:dataset": [_dataset(base, one, publisher) for one in releases],
    }


def _dataset(base: str, one: Any, publisher: dict[str, Any]) -> dict[str, Any]:
    month = one.month.strftime("%Y-%m")
    home = f"{base}/open/data/{month}/v{one.version}"
    last = (one.month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return {
        "@id": home,
        "@type": "dcat:Dataset",
        "dct:identifier": f"{month}/v{one.version}",
        "dct:title": f"{month} 热线诉求统计（第 {one.version} 版）",
        "dct:issued": _time(one.published_at),
        "dct:publisher": publisher,
        "dct:license": {"@id": base + LICENCE},
        "dct:accrualPeriodicity": {
            "@id": "http://publications.europa.eu/resource/authority/frequency/MONTHLY"
        },
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": {"@type": "xsd:date", "@value": one.month.isoformat()},
            "dcat:endDate": {"@type": "xsd:date", "@value": last.isoformat()},
        },
        "adms:versionNotes": f"第 {one.version} 版",
        "dcat:landingPage": {"@id": home},
        "dct:conformsTo": {"@id": f"{base}/open/dictionary"},
        "dcat:distribution": [
            _file(f"{home}/release.json", "全部表（JSON）", "application/json"),
            *(_file(f"{home}/{t['code']}.csv", f"{title_of(t)}（CSV）", "text/csv") for t in one.tables),
        ],
    }


def _file(address: str, title: str, mime: str) -> dict[str, Any]:
    return {
        "@id": address,
        "@type": "dcat:Distribution",
        "dct:title": title,
        "dcat:downloadURL": {"@id": address},
        "dcat:mediaType": mime,
    }


def _time(at: datetime) -> dict[str, str]:
    return {"@type": "xsd:dateTime", "@value": at.isoformat()}
