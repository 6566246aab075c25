#!/usr/bin/env python3
"""Every statement of docs/protocols/mqtt-statements.md is tested where that page says.

A row without a test must have a case in the statements test of its version; one that names a file must name an existing one
(and, behind a colon, something in it); one that is a list of numbers must name statements of the same table that are tested.
The page's numbers and the cases' numbers are held together both ways.
"""
import pathlib, re, sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "protocols" / "mqtt-statements.md"
CASES = {"MQTT 3.1.1": ROOT / "tests/link/test_mqtt_statements_v311.c", "MQTT 5": ROOT / "tests/link/test_mqtt_statements_v5.c"}
WORDS = ("client", "every ", "TCP", "the length", "enhanced ", "all are ", "none ", "it is", "not refused")


def file_named(name):
    return next(iter(sorted(ROOT.glob(f"tests/*/{name}"))), None)


def check(title, rows, wrong):
    text = CASES[title].read_text()
    cases = {number for heads in re.findall(r'\{ "([^"]*?):', text) for number in re.findall(r"MQTT-([\d.]+-\d+)", heads)}
    tested = {number for number, where in rows if where == ""}
    for number, where in rows:
        if where == "":
            if number not in cases: wrong.append(f"{title}: no case carries MQTT-{number}")
        elif m := re.match(r"`?(test_\w+(?:\.c)?|\w+\.test\.mjs)`?(?:: (\S+))?", where):
            file = file_named(m[1] if "." in m[1] else m[1] + ".c")
            if file is None or (m[2] and m[2] not in file.read_text()): wrong.append(f"{title}: MQTT-{number}: {where} does not exist")
        elif re.match(r"\d", where):
            for other in where.split(", "):
                if other not in tested and f'"{other}' not in text and other not in {n for n, _ in rows}:
                    wrong.append(f"{title}: MQTT-{number}: {other} is not tested")
        elif not where.startswith(WORDS):
            wrong.append(f"{title}: MQTT-{number}: '{where}' says nothing that can be checked")
    for number in cases - {number for number, _ in rows}: wrong.append(f"{title}: a case carries MQTT-{number}, which the page does not list")


def main():
    wrong, title, rows = [], None, {}
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "): title = line[3:]
        elif m := re.match(r"\| MQTT-([\d.]+-\d+) \| .*? \| (.*?) ?\|$", line): rows.setdefault(title, []).append((m[1], m[2].strip()))
    for title in CASES: check(title, rows.get(title, []), wrong)
    print("\n".join(wrong) if wrong else f"{sum(map(len, rows.values()))} statements")
    return 1 if wrong or set(rows) != set(CASES) else 0


sys.exit(main())
