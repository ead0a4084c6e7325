"""No letter vanishes: what the fonts cannot show is said in words, and nothing that steers text gets through."""

from __future__ import annotations

import json
import unicodedata

import pytest
import typst

from ewarn.dispatch import glyphs, printed


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Ŵyl y Môr, ŷd a thŷ £ – “x” ½ µg", "Ŵyl y Môr, ŷd a thŷ £ – “x” ½ µg"),
        ("\u202eevil\u202c \u2066a\u2069 b\u200eb", "evil a bb"),
        ("nul\x00 bell\x07 tab\tline\u2028end", "nul  bell  tab line end"),
        ("💀👍🏽 stay", "[skull] [thumbs up sign] stay"),
        ("❤️", "[heavy black heart]"),
        ("漢字 and ไทย", "[words in Chinese or Japanese letters] and [words in Thai letters]"),
        ("שלום سلام Привет Ωμέγα", "שלום سلام Привет Ωμέγα"),
        ("\ud800", "[sign u+d800]"),
        ("e\u0301", "é"),
    ],
)
def test_text_for_paper(written: str, shown: str) -> None:
    assert glyphs.plain(written) == shown


def test_a_very_long_word_can_break_and_loses_nothing() -> None:
    for word in ("x" * 500, "https://alerts.example.org/verify/LDN-2025-0007?code=ABCDEF", "=" * 80):
        shown = glyphs.plain(word)
        assert glyphs.BREAK in shown and shown.replace(glyphs.BREAK, "") == word
        assert max(map(len, shown.split(glyphs.BREAK))) <= glyphs.PIECE + 3
    assert glyphs.plain("N-pyrrolidino protonitazene") == "N-pyrrolidino protonitazene"


def test_every_letter_said_to_be_shown_has_a_glyph_in_the_fonts_at_hand() -> None:
    """PDF/UA refuses a text with a letter that no font has: one sheet of all of them is that question, asked."""
    ranges = (chr(code) for low, high in glyphs.SHOWN for code in range(low, high + 1))
    letters = " ".join(letter for letter in ranges if unicodedata.category(letter) not in ("Cn", "Cc"))
    made = _set(letters)
    assert made.startswith(b"%PDF")
    with pytest.raises(typst.TypstError, match="could not be displayed"):
        _set("漢")


def _set(letters: str) -> bytes:
    source = b'#set document(title: "x")\n#set text(lang: "en")\n#json(bytes(sys.inputs.c))'
    known, names = printed.fonts()
    compiler = typst.Compiler(b"", ignore_system_fonts=True, font_paths=known)
    made = compiler.compile(
        source.replace(
            b'lang: "en"', f'lang: "en", font: {json.dumps(names).replace("[", "(").replace("]", ")")}'.encode()
        ),
        format="pdf",
        sys_inputs={"c": json.dumps(letters)},
        pdf_standards=["ua-1"],
        timestamp=0,
    )
    return bytes(made)
