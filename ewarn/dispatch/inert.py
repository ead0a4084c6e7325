"""Words of others made fit for machine formats: what a program or a reader's eye could take for something else goes.

In: any text. Out: the same words without characters that XML 1.0 forbids, and without those that turn the direction of
reading around or stand for nothing visible. It must never change a letter that people read.
"""

from __future__ import annotations

import re

# XML 1.0 (fifth edition), 2.2 Characters: all others may not stand in a document, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Unicode UAX 9: marks, embeddings, overrides and isolates; with them, zero-width and separator characters and C1.
_UNSEEN = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u007f-\u009f]")
_TAGS = re.compile("[\U000e0000-\U000e007f]")


def plain(words: object) -> str:
    """Text with its line breaks."""
    text = str("" if words is None else words).replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("\u2028", "\n").replace("\u2029", "\n\n")
    return _TAGS.sub("", _UNSEEN.sub("", _FORBIDDEN.sub("\ufffd", text))).strip()


def one_line(words: object) -> str:
    return " ".join(plain(words).split())
