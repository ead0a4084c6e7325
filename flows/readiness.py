"""Make a Prefect server ready: the pool, the write slot, the heartbeat automation, and nothing left of earlier starts.

Run as `python -m flows.readiness` with PREFECT_API_URL set. Repeatable.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from prefect.automations import AutomationCore
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.states import Crashed
from prefect.workers.process import ProcessWorker

from flows.surroundings import POOL
from flows.turns import WRITE_SLOT

AUTOMATION = "Crash flow runs whose heartbeat stopped"
SILENT_SECONDS = 90


def heartbeat_automation() -> AutomationCore:
    """A killed worker leaves its runs 'running' for ever; 90 s after their last heartbeat they become 'crashed'."""
    endings = ("heartbeat", "Completed", "Failed", "Cancelled", "Crashed")
    return AutomationCore(
        name=AUTOMATION,
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            expect={f"prefect.flow-run.{ending}" for ending in endings},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=SILENT_SECONDS),
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message="The flow run's heartbeat stopped.")],
    )


def work_pool() -> WorkPoolCreate:
    template = ProcessWorker.get_default_base_job_template()
    return WorkPoolCreate(name=POOL, type=ProcessWorker.type, base_job_template=template)


async def make_ready() -> None:
    async with get_client() as client:
        await client.create_work_pool(work_pool(), overwrite=True)
        await client.upsert_global_concurrency_limit_by_name(WRITE_SLOT, 1)
        await _remove_old(client)
        await _end_left_over(client)
        await client.create_automation(heartbeat_automation())


async def _remove_old(client: PrefectClient) -> None:
    """Deployments and the automation of an earlier start; their flow runs and artifacts stay to be looked at."""
    for automation in await client.read_automations_by_name(AUTOMATION):
        await client.delete_automation(automation.id)
    for deployment in await client.read_deployments():
        await client.delete_deployment(deployment.id)


async def _end_left_over(client: PrefectClient) -> None:
    """No worker runs yet, so a run that is said to be at work was left by a start that was killed."""
    at_work = FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING, StateType.CANCELLING])
    left = FlowRunFilter(state=FlowRunFilterState(type=at_work))
    while runs := await client.read_flow_runs(flow_run_filter=left):
        for run in runs:
            await client.set_flow_run_state(run.id, Crashed(message="Left by a start that was killed."), force=True)


if __name__ == "__main__":
    asyncio.run(make_ready())
