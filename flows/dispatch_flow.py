"""Respond on a schedule: call the duty rota, call the back-up where nobody answered, send what was approved.

Sending twice is the outbox's business to prevent, so a retried run is safe.
"""

from __future__ import annotations

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed

from ewarn.pipeline import bounces, collecting, nudging
from ewarn.pipeline.arrived import check
from ewarn.pipeline.reports import PageReport, SendReport
from ewarn.pipeline.respond import page, send
from ewarn.terms import Delivery
from flows.showing import delivery_row, page_words, show
from flows.turns import STORE_RETRIES, in_turn, out_of_turn, worth_retrying


@task(retry_condition_fn=worth_retrying, cache_policy=NO_CACHE, **STORE_RETRIES)
async def call_duty() -> PageReport:
    """Pages and escalations, before anything else is sent."""
    return await in_turn(page)


@task(retry_condition_fn=worth_retrying, cache_policy=NO_CACHE, **STORE_RETRIES)
async def hear_back() -> collecting.CollectReport:
    """Answers and returned mail come in before anybody is reminded of anything."""
    await out_of_turn(bounces.poll_mailbox)  # a mail server that hangs must not keep intake waiting
    await in_turn(bounces.poll)
    heard = await in_turn(collecting.collect)
    await in_turn(nudging.nudge)
    return heard


@task(retry_condition_fn=worth_retrying, cache_policy=NO_CACHE, **STORE_RETRIES)
async def send_approved() -> SendReport:
    """Deliveries that are due: each failed one is a row with its error and is tried again by the outbox.

    Outside the slot: a partner's server that hangs must not keep intake and detection waiting.
    """
    return await out_of_turn(send)


@task(retry_condition_fn=worth_retrying, cache_policy=NO_CACHE, **STORE_RETRIES)
async def ask_what_arrived() -> list[Delivery]:
    """What became of messages that another service took; those that did not arrive are sent again below."""
    return await in_turn(check)


@flow(name="dispatch", log_prints=True)
async def dispatch() -> State:
    """Pages first, then deliveries."""
    paged = await call_duty()
    await ask_what_arrived()
    heard = await hear_back()
    sent = await send_approved()
    words = (
        f"# Dispatch\n\n{sent.sent} sent, {sent.failed} failed, {sent.waiting} waiting, {heard.taken} answers.\n\n"
        f"## Pages\n\n{page_words(paged.pages)}\n"
    )
    await show("dispatch", [delivery_row(delivery) for delivery in (*paged.deliveries, *sent.deliveries)], words)
    if sent.failed:
        return Completed(name="PartFailed", message=f"{sent.failed} deliveries failed and will be tried again")
    return Completed(message=f"{sent.sent} sent, {len(paged.pages)} pages")
