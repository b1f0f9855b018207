"""Jobs and schedules, and one sensor that is off until somebody wants it."""

import dagster as dg

from expansion_assets.defs.partitions import DAYS
from expansion_assets.workspace import load_workspace

_ZONE = load_workspace().settings.time_zone
_PAGES = dg.AssetSelection.assets(["publish", "weekly_digest"])
_REVIEW = dg.AssetSelection.assets(["publish", "monthly_review"])

daily_scan = dg.define_asset_job(
    "daily_scan", selection=dg.AssetSelection.all() - _REVIEW,
    description="Everything, from landing files to the scan, for one day or a range of days in one run.",
)
weekly_digest = dg.define_asset_job(
    "weekly_digest", selection=_PAGES, description="Monday's digest, from the cards of that day.",
)
monthly_review = dg.define_asset_job(
    "monthly_review", selection=_REVIEW,
    description="The pack for the monthly review; the line of the scan counts a person's signature, not this job.",
)

daily_schedule = dg.build_schedule_from_partitioned_job(
    daily_scan, name="daily_scan_schedule", hour_of_day=5, default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Each morning at 05:00 for the day that ended.",
)


def _last_full_day(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    keys = DAYS.get_partition_keys(current_time=context.scheduled_execution_time)
    if not keys:
        return dg.SkipReason("no day of the workspace has ended yet")
    return dg.RunRequest(run_key=f"{context.scheduled_execution_time:%Y-%m-%d}", partition_key=keys[-1])


@dg.schedule(job=weekly_digest, cron_schedule="0 7 * * 1", execution_timezone=_ZONE,
             default_status=dg.DefaultScheduleStatus.RUNNING)
def weekly_digest_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Mondays at 07:00, after the daily scan."""
    return _last_full_day(context)


@dg.schedule(job=monthly_review, cron_schedule="0 8 1 * *", execution_timezone=_ZONE,
             default_status=dg.DefaultScheduleStatus.RUNNING)
def monthly_review_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """The first of each month at 08:00."""
    return _last_full_day(context)


@dg.run_failure_sensor(name="run_failed", default_status=dg.DefaultSensorStatus.STOPPED)
def run_failed(context: dg.RunFailureSensorContext) -> None:
    """Log one line for each failed run, for a log shipper. Off by default; the command line uses exit codes."""
    context.log.error("run %s of %s failed: %s", context.dagster_run.run_id, context.dagster_run.job_name,
                      context.failure_event.message)


@dg.definitions
def automation() -> dg.Definitions:
    """Jobs, schedules and the sensor."""
    return dg.Definitions(
        jobs=[daily_scan, weekly_digest, monthly_review],
        schedules=[daily_schedule, weekly_digest_schedule, monthly_review_schedule],
        sensors=[run_failed],
    )
