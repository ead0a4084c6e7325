"""Content then in force: the definitions behind every record, kept once under their hash, so that all can be replayed.

In: the content's files. Out: raw/content/<hash>.zip, a folder with sources/ and alerts/ as they were, and where in it a
source's definition lies.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from ewarn.errors import StoreFault
from ewarn.settings import Settings
from ewarn.store import files


def archive_content(settings: Settings, catalogue_files: Mapping[str, bytes], content_hash: str) -> Path:
    """Keep the content files of a hash once, as raw/content/<hash>.zip, so that its snapshots can be replayed."""
    target = files.make_folder(settings.raw / "content") / f"{content_hash}.zip"
    if not target.is_file():
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(catalogue_files):
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), catalogue_files[name])
        files.write_whole(target, packed.getvalue())
    return target


def load_content(settings: Settings, content_hash: str, target: Path) -> Path:
    """Unpack the content then in force into a folder, which then holds sources/ and alerts/. Raises: StoreFault."""
    path = settings.raw / "content" / f"{content_hash}.zip"
    if not path.is_file():
        raise StoreFault(
            f"the content {content_hash[:12]} is not archived here", where=str(path), next_step="Restore a backup."
        )
    with zipfile.ZipFile(path) as archive:
        archive.extractall(target)
    return target


def definition_in(settings: Settings, content_hash: str, source: str) -> str:
    """Where the definition then in force lies: 'sources/drops/x.toml in raw/content/<hash>.zip', or nothing."""
    path = settings.raw / "content" / f"{content_hash}.zip"
    if not content_hash or not path.is_file():
        return ""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if re.fullmatch(rf"sources/\w+/{re.escape(source)}\.toml", name)]
    return f"{names[0]} in raw/content/{path.name}" if names else ""
