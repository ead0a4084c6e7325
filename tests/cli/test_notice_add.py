"""`ewarn notice add` and the mail folder, from words to what is stored, shown, told and left on disk."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ewarn.store.database import CONFIG
from tests.cli.conftest import Answer, Door

ALERT = """Drug alert: fake Xanax in Camden
Tablets sold as Xanax were found to contain bromazolam and metonitazene. No xylazine was detected.
Ring Ann Example on 020 7946 0000 or ann@example.org.
"""
REPORT = """Joan Quillfeather: Prevention of future deaths report
Ref 2025-0042. Joan Quillfeather died on 12 October 2023 after taking metonitazene in Camden.
"""


def add(door: Door, *words: str, stdin: str = "") -> dict[str, Any]:
    answer: Answer = door("notice", "add", *words, "--json", stdin=stdin)
    assert answer.status == 0, answer.err
    document: dict[str, Any] = answer.document
    return document


@contextmanager
def newest(door: Door) -> Iterator[duckdb.DuckDBPyConnection]:
    copy = max((door.home / "published").glob("*.duckdb"), key=lambda p: int(p.stem))
    with duckdb.connect(str(copy), read_only=True, config=CONFIG) as con:
        yield con


def rows(door: Door, sql: str) -> list[tuple[Any, ...]]:
    with newest(door) as con:
        return con.execute(sql).fetchall()


def stored_text(door: Door) -> str:
    """Every word in every table of the database."""
    with newest(door) as con:
        tables = con.execute("SELECT table_name FROM information_schema.tables").fetchall()
        return "\n".join(str(con.execute(f'SELECT * FROM "{name}"').fetchall()) for (name,) in tables)


def left_on_disk(door: Door) -> str:
    """Names and text of every file outside the raw store and the databases."""
    words = []
    for path in door.home.rglob("*"):
        inside = path.relative_to(door.home).parts
        words.append("/".join(inside))
        kept = path.suffix in (".duckdb", ".lock") or (inside[0] == "raw" and path.suffix != ".jsonl")
        if path.is_file() and not kept:
            words.append(path.read_bytes().decode("utf-8", "replace"))
    return "\n".join(words)


def test_a_preview_shows_what_is_found_and_keeps_nothing(door: Door) -> None:
    shown = add(door, "--dry-run", "--publisher", "Camden LDIS", stdin=ALERT)
    assert (shown["outcome"], shown["kind"], shown["publisher"]) == ("preview", "alert", "Camden LDIS")
    assert [s["as_written"] for s in shown["substances"]] == ["bromazolam", "metonitazene", "Xanax"]
    assert [a["name"] for a in shown["areas"]] == ["Camden"]
    evidence = {(e["what"], e["says"]): e["words"] for e in shown["evidence"]}
    assert "Drug alert" in evidence["kind", "alert"]
    assert "Xanax" in evidence["sold as", "alprazolam"] and "No" in evidence["negated", "xylazine"]
    assert not list((door.home / "raw").rglob("receipts.jsonl"))
    page = door("notice", "add", "--dry-run", stdin=ALERT)
    assert "Nothing was kept" in page.out and "fake … Xanax" in page.out


def test_a_notice_is_kept_and_an_update_follows_it(door: Door) -> None:
    first = add(door, "--published", "2025-03-03", "--link", "https://example.org/1", stdin=ALERT)
    assert (first["outcome"], first["reference_date"]) == ("new", "2025-03-03")
    assert (
        add(door, "--published", "2025-03-03", "--link", "https://example.org/1", stdin=ALERT)["outcome"] == "unchanged"
    )
    second = add(door, "--text", "Update: two deaths in Hackney too, metonitazene", "--update", first["reference"])
    assert (second["outcome"], second["kind"], second["reference"]) == ("changed", "update", first["reference"])
    sql = "SELECT version, notice_kind, sold_as, link FROM notice ORDER BY version"
    assert rows(door, sql) == [(1, "alert", "Xanax", "https://example.org/1"), (2, "update", None, "")]
    text = stored_text(door)
    assert "7946" not in text and "ann@example.org" not in text
    (kept,) = [json.loads(line)["sha256"] for line in receipts(door)][:1]
    assert any(path.name.startswith(kept) for path in (door.home / "raw").rglob("*"))


def receipts(door: Door) -> list[str]:
    return (door.home / "raw" / "receipts.jsonl").read_text().splitlines()


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (["--update", "N-0000000000"], "x", "no notice has the reference"),
        (["--area", "E00000000"], "Drug alert", "no area has the code"),
        (["--published", "yesterday"], "Drug alert", "is no date"),
        (["--source", "wedinos"], "Drug alert", "no source of notices"),
        (["--text", "x", "--file", "y"], "", "both --file and --text"),
        (["--file", "no-such-file.txt"], "", "cannot be read"),
        ([], "  \n", "no words"),
    ],
)
def test_what_cannot_be_added_says_why(door: Door, words: list[str], stdin: str, said: str) -> None:
    answer = door("notice", "add", *words, "--json", stdin=stdin)
    assert answer.status == 2 and said in answer.document["error"]["what"]


def test_no_name_of_a_coroners_report_is_stored_told_or_left(door: Door, tmp_path: Path) -> None:
    file = tmp_path / "joan-quillfeather.txt"
    file.write_text(REPORT)
    told = [
        door("notice", "add", "--file", str(file)),
        door(
            "notice", "add", "--title", "Joan Quillfeather", "--link", "https://example.org/quillfeather", stdin=REPORT
        ),
        door("notice", "add", "--published", "2031-01-01", stdin=REPORT),
        door("rejects", "list", "--json"),
        door("status", "--json"),
        door("detect", "--json"),
        door("rebuild", "--json"),
    ]
    shown = json.loads(door("notice", "add", "--dry-run", "--json", "--file", str(file)).out)
    assert (shown["kind"], shown["reference_date"]) == ("background", "2023-10-12")
    everything = "\n".join([*(t.out + t.err for t in told), str(shown), stored_text(door), left_on_disk(door)])
    assert "metonitazene" in everything.casefold()
    assert "quillfeather" not in everything.casefold() and "joan" not in everything.casefold()


def message() -> EmailMessage:
    made = EmailMessage()
    made["From"] = "Joan Quillfeather <joan@quillfeather.example>"
    made["To"] = "alerts@example.org"
    made["Subject"] = "FW: drug alert, from Joan"
    made["Date"] = "Mon, 03 Mar 2025 10:00:00 +0000"
    made["Message-ID"] = "<1@quillfeather.example>"
    made.set_content("Protonitazene sold as oxycodone in Hackney.\n\nRegards\nJoan Quillfeather")
    return made


def dropped(door: Door, name: str, content: bytes) -> Path:
    door("init")
    file = door.home / "drops" / "email" / name
    file.write_bytes(content)
    old = file.stat().st_mtime - 60
    os.utime(file, (old, old))
    return file


def test_a_message_in_the_drop_folder_becomes_a_notice_and_its_file_goes(door: Door) -> None:
    file = dropped(door, "Joan Quillfeather.eml", bytes(message()))
    stray = dropped(door, "Joan Quillfeather.docx", b"x")
    answer = door("intake", "--source", "email", "--json")
    assert answer.status == 0 and [s["new"] for s in answer.document["sources"]] == [1]
    assert not file.exists()
    assert rows(door, "SELECT notice_kind, title, sold_as FROM notice") == [
        ("alert", "Alert naming Protonitazene, Oxycodone (Hackney)", "oxycodone")
    ]
    assert "only .eml" in stored_text(door)
    stray.unlink()
    everything = "\n".join([answer.out, answer.err, stored_text(door), left_on_disk(door)]).casefold()
    assert "quillfeather" not in everything and "joan" not in everything
    again = add(door, "--file", str(_saved(door)))
    assert again["outcome"] == "unchanged", "the same message given by hand is the same notice"


def _saved(door: Door) -> Path:
    path = door.home.parent / "m.eml"
    path.write_bytes(bytes(message()))
    return path


def test_an_attached_table_goes_to_its_drop_and_the_rest_is_told(door: Door) -> None:
    made = message()
    made.add_attachment(_results(door).encode(), maintype="text", subtype="csv", filename="Joan.csv")
    made.add_attachment(b"%PDF-1.4 Joan", maintype="application", subtype="pdf", filename="Joan Quillfeather.pdf")
    path = door.home.parent / "with.eml"
    path.write_bytes(bytes(made))
    preview = add(door, "--file", str(path), "--dry-run")
    assert preview["attachments"] == ["attachment 1: would go to test_results", "attachment 2: fits no drop"]
    shown = add(door, "--file", str(path))
    assert shown["outcome"] == "new" and shown["attachments"] == ["test_results: 1 rows, 1 new, 0 rejected"]
    assert any("attachment 2" in note and ".pdf" in note for note in shown["notes"])
    assert rows(door, "SELECT count(*) FROM sample") == [(1,)]
    assert "joan" not in (str(shown) + stored_text(door) + left_on_disk(door)).casefold()


def _results(door: Door) -> str:
    from ewarn import catalogue

    drop = catalogue.load(door.content).drops["test_results"]
    cells = {"reference_date": "2025-03-01", "known_date": "2025-03-02", "place": "NW1", "major": "metonitazene"}
    by_header = {column.column: cells.get(field, "") for field, column in drop.columns.items() if column.column}
    by_header |= {key: "A1" for key in drop.key}
    return ",".join(by_header) + "\n" + ",".join(by_header.values()) + "\n"


def test_a_message_that_cannot_be_read_is_kept_and_told_without_a_word_of_it(door: Door) -> None:
    deep = b"From: Joan <joan@x.org>\nSubject: Joan\n" + b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(3000)
    )
    dropped(door, "Joan.eml", deep)
    answer = door("intake", "--source", "email", "--json")
    assert answer.status == 4
    assert "joan" not in (answer.out + stored_text(door) + left_on_disk(door)).casefold()
    shutil.rmtree(door.home / "drops")
