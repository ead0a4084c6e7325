"""The review pack: the situation of today to be printed, and the offline pack for when the server is gone."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from ewarn.desk.visit import Visit
from ewarn.pipeline import packing, review

router = APIRouter()


@router.get("/situation")
def situation(desk: Visit) -> Response:
    title, parts = review.in_parts(desk.house, desk.now)
    return desk.page("situation.html", title=title, parts=parts, bold=review.bold)


@router.get("/pack")
def offer(desk: Visit) -> Response:
    return desk.page("pack.html")


@router.post("/pack/file")
def take(desk: Visit) -> Response:
    """The archive; who took it is on record."""
    told, body = packing.pack(desk.house, desk.now, desk.actor)
    return Response(
        body, media_type="application/zip", headers={"Content-Disposition": f'attachment; filename="{told.file}"'}
    )
