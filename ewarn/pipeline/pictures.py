"""Photographs that people send: the picture alone, without what the camera wrote beside it.

In: bytes of strangers. Out: a JPEG of bounded size, upright, without place, time, camera or any other mark. It must
never pass on a byte that a decoder did not read as part of the picture.
"""

from __future__ import annotations

import io

from PIL import Image, ImageOps

from ewarn.errors import UsageFault
from ewarn.personal.told import LARGEST_PHOTO

MOST_PIXELS = 40_000_000
LONGEST_SIDE = 2_000
# In a text: small enough for an e-mail beside its sheets, large enough to read an imprint and a ruler.
TEXT_SIDES = (1_280, 1_024, 800, 640)
TEXT_QUALITIES = (85, 75, 60)
TEXT_BYTES = 350_000
LEAST_SIDE = 200


def cleaned(photo: bytes) -> bytes:
    """The picture as JPEG, as the camera was held. Raises: UsageFault."""
    return _jpeg(_opened(photo), LONGEST_SIDE, 85)


def for_a_text(photo: bytes) -> tuple[bytes, int, int]:
    """The same in the size that goes into a text, with its width and height in pixels. Raises: UsageFault."""
    picture = _opened(photo)
    if min(picture.size) < LEAST_SIDE:
        raise UsageFault(
            "the photograph is too small to tell anything by", next_step=f"Take one of at least {LEAST_SIDE} pixels."
        )
    for side in TEXT_SIDES:
        for quality in TEXT_QUALITIES:
            body = _jpeg(picture, side, quality)
            if len(body) <= TEXT_BYTES:
                with Image.open(io.BytesIO(body)) as made:
                    return body, made.width, made.height
    raise UsageFault("the photograph cannot be made small enough", next_step="Cut it to the drug and its scale.")


def _opened(photo: bytes) -> Image.Image:
    if len(photo) > LARGEST_PHOTO:
        raise UsageFault("the photograph is too large", next_step="Send one of at most 10 MB.")
    try:
        with Image.open(io.BytesIO(photo), formats=("JPEG", "PNG", "WEBP")) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise UsageFault("the photograph has too many pixels", next_step="Send a smaller one.")
            return ImageOps.exif_transpose(opened).convert("RGB")
    except UsageFault:
        raise
    except Exception as error:  # bytes of strangers: a decoder may fail in any way, and none may stop the others
        raise UsageFault("this is no photograph that can be read", next_step="Send a JPEG, PNG or WebP.") from error


def _jpeg(picture: Image.Image, side: int, quality: int) -> bytes:
    small = picture.copy()
    small.thumbnail((side, side))
    bare = Image.new("RGB", small.size)
    bare.paste(small)
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=quality)
    return out.getvalue()
