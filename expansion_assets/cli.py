"""The command line under every make target.

Belongs here: arguments, progress, exit codes, one clear line on failure. Does not belong here: anything a run does.
Each command imports what it needs when it runs: ``--help`` answers at once.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

if TYPE_CHECKING:
    from expansion_assets.workspace import Workspace

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Which accounts are ready to grow, why, and what to do this week.\n\n"
    "Start with `scan`: it builds the demo world, backfills its history, runs its last day and prints the manager "
    "scan. Every command works on the demo world, or with --sources on your own files through a mapping.",
)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@app.callback()
def options(
    sources: Annotated[Path | None, typer.Option(help="Folder or file of a mapping, e.g. examples/ravenstack.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the landing files that the mapping names.")] = None,
    state: Annotated[
        Path | None, typer.Option(help="Folder for warehouse, pages and run history (default: data/).")
    ] = None,
) -> None:
    """Settings that hold for every command; they win over EXPANSION_* environment variables."""
    for name, value in (("SOURCES", sources), ("LANDING", data), ("STATE_DIR", state)):
        if value is not None:
            path = value.expanduser()
            if name == "LANDING" and not path.is_dir():
                raise typer.BadParameter(f"no folder {path}", param_hint="--data")
            os.environ[f"EXPANSION_{name}"] = str(path.resolve())


@app.command()
def prepare() -> None:
    """Parse the dbt project and train the text tagger, so that the first run starts fast."""
    from expansion_assets.project import ensure_manifest
    from expansion_assets.tagging.tagger import embedded_tagger

    settings = _workspace().settings
    out.print(f"dbt manifest: {ensure_manifest(settings)}")
    out.print(f"text tagger: {embedded_tagger(settings).version}")


@app.command()
def world() -> None:
    """Write the demo world's landing files and its answer key (done by `scan` when they are missing)."""
    _ensure_world(_workspace(), is_forced=True)


@app.command()
def scan() -> None:
    """Backfill the history in one run, run the last day, and print the manager scan."""
    from expansion_assets.defs.runs import assert_published
    from expansion_assets.store.warehouse import last_day_of

    workspace = _workspace()
    _ensure_world(workspace)
    done = last_day_of(workspace.settings.warehouse_path)
    first = workspace.first_day if done is None else done + timedelta(days=1)
    if first < workspace.today:
        _run(workspace, "daily_scan", first, workspace.today - timedelta(days=1))
    _run(workspace, "daily_scan", workspace.today, workspace.today)
    folder = assert_published(workspace, workspace.today)
    out.print()
    out.print((folder / "scan.md").read_text(encoding="utf-8"), markup=False)
    out.print(f"Pages: {folder / 'index.html'}", markup=False)


@app.command()
def run(
    day: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Day; default: today.")
    ] = None,
    job: Annotated[str, typer.Option(help="daily_scan, weekly_digest or monthly_review.")] = "daily_scan",
) -> None:
    """Run a job for one day."""
    from expansion_assets.defs.runs import assert_published

    workspace = _workspace()
    _ensure_world(workspace)
    target = _day(workspace, day)
    _run(workspace, job, target, target)
    if job == "daily_scan":
        out.print(f"published {assert_published(workspace, target)}", markup=False)


@app.command()
def backfill(
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day; default: history's first.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, included; default: today.")
    ] = None,
) -> None:
    """Run the daily job over a range of days as one run; equals one run a day, row for row."""
    from expansion_assets.defs.runs import assert_published

    workspace = _workspace()
    _ensure_world(workspace)
    start = first.date() if first else workspace.first_day
    end = _day(workspace, last)
    if end < start:
        raise typer.BadParameter(f"--to {end} is before --from {start}")
    _run(workspace, "daily_scan", start, end)
    out.print(f"published {assert_published(workspace, end)}", markup=False)


@app.command()
def doctor(
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Look at the landing files anew, even when days have been run.")
    ] = False,
) -> None:
    """Say what each trigger can see, what stands in its way, and which fix would cover the most ARR.

    Reads the newest day that ran; before anything has run, it loads the landing files into a warehouse of its own.
    """
    from expansion_assets.scan.readiness import summary
    from expansion_assets.store.readiness import last_readiness

    workspace = _workspace()
    data = None if fresh else last_readiness(workspace.settings.warehouse_path)
    folder = workspace.settings.published_dir / (data["as_of"].isoformat() if data else "")
    if data is None:
        from expansion_assets.doctor import first_look
        from expansion_assets.scan.publish import write_page
        from expansion_assets.scan.rendering import render_readiness

        _ensure_world(workspace)
        with out.status("reading the landing files") as status:
            data = first_look(workspace, lambda step: status.update(f"reading the landing files: {step}"))
        folder = workspace.settings.workspace_dir / "doctor"
        write_page("readiness", render_readiness(data, is_alone=True), folder)
    out.print(summary(data), markup=False)
    if (folder / "readiness.html").is_file():
        out.print(f"\nPage: {folder / 'readiness.html'}", markup=False)


@app.command()
def explain(
    account: Annotated[str, typer.Argument(help="Id or name of an account.")],
    day: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Day; default: the last that ran.")
    ] = None,
) -> None:
    """Say for every rule why it fired for an account, or why it did not: value beside threshold, as known that day."""
    from expansion_assets.scan.explanation import explanation_text
    from expansion_assets.store.explain import UnknownAccountError, explain_account

    workspace = _workspace()
    last = _last_run_day(workspace)
    try:
        found = explain_account(workspace.settings.warehouse_path, account, day.date() if day else last)
    except UnknownAccountError as error:
        _fail(str(error))
    text = explanation_text(found.account_id, found.name, found.day, found.explanations, found.blind)
    out.print(text, markup=False)


@app.command()
def replay(
    table: Annotated[list[str] | None, typer.Option(help="Raw table; may be given several times.")] = None,
) -> None:
    """Load the windows again that have rows in quarantine, once contract, mapping or file is mended."""
    from expansion_assets.defs.runs import replay_quarantine

    workspace = _workspace()
    _last_run_day(workspace)
    if unknown := sorted(set(table or ()) - set(workspace.contracts)):
        _fail(f"no table {', '.join(unknown)}; a raw table is named as in its contract")
    replays = replay_quarantine(workspace, tuple(table or ()))
    for done in replays:
        days = f"{done.first}" if done.first == done.last else f"{done.first} to {done.last}"
        counts = f"{done.rows_before} in quarantine before, {done.rows_after} after"
        out.print(f"{done.table} {days}: {counts}", markup=False)
    if not replays:
        out.print("nothing is in quarantine")
    elif any(done.rows_after < done.rows_before for done in replays):
        first, last = min(done.first for done in replays), workspace.today
        out.print(f"What follows from these rows changes with: backfill --from {first} --to {last}", markup=False)


@app.command()
def restate(
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day compared; default: history's.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day compared; default: the last run's.")
    ] = None,
) -> None:
    """Compute the past again with what is known today, in a warehouse apart, and say which firings would differ.

    Days that ran stay as they were known then. Late rows count from when they were true, corrected ones are gone.
    """
    done = _last_run_day(_workspace())
    workspace = _set_workspace(restated=1)
    start, end = first.date() if first else workspace.first_day, last.date() if last else done
    if not workspace.first_day <= start <= end <= done:
        days = f"{workspace.first_day} to {done}"
        raise typer.BadParameter(f"{start} to {end} is not within the days that ran, {days}")
    from expansion_assets.defs.restate import restate as restate_days
    from expansion_assets.triggers.restatement import render

    with out.status(f"restating {start} to {end}") as status:
        found = restate_days(
            workspace, start, end,
            progress=lambda step, number, steps: status.update(f"restating: {number}/{steps} {step}"),
        )
    for table in found.tables:
        late = f"{table.moved} known late, by up to {table.latest_days:.0f} days" if table.moved else "none late"
        out.print(f"{table.table}: {late}; {table.replaced} corrected later", markup=False)
    out.print(render(found.differences, found.unchanged), markup=False)
    out.print(f"\nDifferences: {found.path}\nWarehouse: {workspace.settings.warehouse_path}", markup=False)


@app.command()
def truth(
    hard: Annotated[
        bool, typer.Option("--hard/--demo", help="The hard world in a folder of its own, or the demo world of `scan`.")
    ] = True,
    accounts: Annotated[int, typer.Option(min=3, help="Size of the hard world.")] = 300,
    months: Annotated[int, typer.Option(min=1, help="Length of the hard world.")] = 24,
) -> None:
    """Hold the firings against the planted truth of a world; writes data/eval/triggers.json.

    Fails when precision or recall of a behavioural trigger is below 0.95.
    """
    from expansion_assets.store.truth import truth_report

    if os.environ.get("EXPANSION_SOURCES") or os.environ.get("EXPANSION_LANDING"):
        _fail("truth needs a planted world; a data set of your own has no answer key")
    if hard:
        _run_hard_world(accounts, months)
    else:
        _run_demo_world()
    report, shortfalls = truth_report(_workspace().settings)
    out.print(report, markup=False)
    if shortfalls:
        _fail("; ".join(shortfalls))


def _run_demo_world() -> None:
    from expansion_assets.store.warehouse import last_day_of

    workspace = _workspace()
    _ensure_world(workspace)
    done = last_day_of(workspace.settings.warehouse_path)
    if done is None or done < workspace.today:
        first = workspace.first_day if done is None else done + timedelta(days=1)
        _run(workspace, "daily_scan", first, workspace.today)


def _run_hard_world(accounts: int, months: int) -> None:
    from expansion_assets.world import HARD_LAST_DAY, HARD_TIME_ZONE

    _set_workspace(
        world_is_hard=1, world_accounts=accounts, world_months=months, world_last_day=HARD_LAST_DAY,
        time_zone=HARD_TIME_ZONE,
    )
    from expansion_assets.defs.truth import compute_firings

    workspace = _workspace()
    _ensure_world(workspace)
    started = time.perf_counter()
    with out.status("computing the firings") as status:
        has_run = compute_firings(
            workspace, lambda step, done, steps: status.update(f"computing the firings: {done}/{steps} {step}")
        )
    if has_run:
        days = f"{workspace.first_day} to {workspace.today}"
        out.print(f"firings {days}: done in {time.perf_counter() - started:.0f} s", markup=False)


@app.command("eval")
def evaluate(
    texts: Annotated[Path | None, typer.Option(help="Labelled file; default: our own hold-out lines.")] = None,
) -> None:
    """Measure the text tagger; writes eval/tagger.json and eval/confusion.html into the state folder."""
    from expansion_assets.scan.confusion import build_confusion
    from expansion_assets.scan.rendering import render_confusion
    from expansion_assets.tagging.evaluation import evaluate_file
    from expansion_assets.tagging.labelled import LabelledTextError
    from expansion_assets.tagging.tagger import HOLDOUT_LINES

    workspace = _workspace()
    file, folder = texts or HOLDOUT_LINES, workspace.settings.state_dir / "eval"
    if not file.is_file():
        _fail(f"no file {file}")
    try:
        evaluation = evaluate_file(file, workspace.settings, folder / "tagger.json")
    except LabelledTextError as error:
        _fail(str(error))
    page = folder / "confusion.html"
    page.write_text(render_confusion(build_confusion(evaluation, file.name, workspace.today)), encoding="utf-8")
    out.print(f"{file.name}\n{evaluation.as_table()}\nwrong answers: {page}", markup=False, soft_wrap=True)


@app.command()
def train(
    force: Annotated[bool, typer.Option("--force", help="Keep it even if our hold-out lines are read worse.")] = False,
) -> None:
    """Train the embedded tagger on this workspace's reviews: accepted cards, and those rejected as misread."""
    from expansion_assets.store.verdicts import TooFewVerdictsError, learn

    workspace = _workspace()
    _last_run_day(workspace)
    try:
        with out.status("training on reviews, about two minutes"):
            learned, path = learn(workspace.settings, is_forced=force)
    except TooFewVerdictsError as error:
        _fail(str(error))
    out.print(learned.as_table(), markup=False)
    if path is None:
        _fail("nothing was kept: our hold-out lines are read worse; --force keeps it all the same")
    out.print(f"kept: {path}\nthe next run reads new texts with it; delete the file to undo", markup=False)


@app.command()
def agreement(
    first: Annotated[str | None, typer.Option("--first", help="Tagger version; default: the one before.")] = None,
    second: Annotated[str | None, typer.Option("--second", help="Tagger version; default: the newest.")] = None,
) -> None:
    """Compare two taggers on the texts that both read: what changed, agreement and Cohen's kappa per label."""
    from expansion_assets.store.agreement import NothingToCompareError, agreement_report

    workspace = _workspace()
    _last_run_day(workspace)
    try:
        out.print(agreement_report(workspace.settings.warehouse_path, first, second), markup=False)
    except NothingToCompareError as error:
        _fail(str(error))


@app.command()
def costs() -> None:
    """Say what reading texts with a language model has cost: by model and day, per text, firing and accepted card."""
    from expansion_assets.store.reading_costs import costs_report
    from expansion_assets.store.warehouse import connect

    workspace = _workspace()
    _last_run_day(workspace)
    with connect(workspace.settings.warehouse_path, read_only=True) as connection:
        out.print(costs_report(connection), markup=False)


@app.command()
def timings(runs: Annotated[int, typer.Option(help="How many of the newest runs.")] = 2) -> None:
    """Say where the time of the newest runs went, by layer."""
    from expansion_assets.defs.runs import step_seconds

    for days, seconds, steps in step_seconds(_workspace().settings, runs):
        layers: dict[str, float] = {}
        for step, spent in steps.items():
            is_check = step == "raw_contracts" or step.rsplit("_", 1)[-1] in ("expectations", "texts", "marts", "rows")
            layer = "checks" if is_check else step.split("__")[0]
            layers[layer] = layers.get(layer, 0.0) + spent
        out.print(f"{days}: {seconds:.1f} s")
        for layer, spent in sorted(layers.items(), key=lambda item: -item[1]):
            out.print(f"  {layer:<14}{spent:7.1f} s")


@app.command()
def contracts() -> None:
    """Render the dbt source files from contracts and table definitions."""
    from expansion_assets.dbt_sources import render_sources

    for path, text in render_sources().items():
        path.write_text(text, encoding="utf-8")
        out.print(f"wrote {path}", markup=False)


@app.command()
def docs() -> None:
    """Write the dbt docs site as one static page."""
    from expansion_assets.project import write_docs

    out.print(f"dbt docs: {write_docs(_workspace().settings)}", markup=False)


@app.command()
def listen(
    host: Annotated[str, typer.Option(help="Address to bind; anything but loopback needs TLS in front.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 takes a free one.")] = 8400,
) -> None:
    """Take signed job-change alerts and contact-role changes by HTTP POST into the landing files, until stopped."""
    from expansion_assets.sources.intake.arrivals import Arrivals
    from expansion_assets.sources.intake.events import feeds_of
    from expansion_assets.sources.intake.server import listen as take_events
    from expansion_assets.sources.intake.signature import check_keys

    workspace = _workspace()
    settings = workspace.settings
    keys, feeds = check_keys(settings.webhook_keys), feeds_of(workspace.mapping.tables)
    take_events(
        settings.landing_dir, feeds, keys, Arrivals(settings.time_zone, workspace.mapping.last_day), host, port
    )


@app.command()
def forget(
    email: Annotated[str | None, typer.Argument(help="Address of the person; none cleans again by the list.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be cleaned, write nothing.")] = False,
) -> None:
    """Take a person out of landing files, warehouse, pages and run history, and keep them out; accounts' facts stay."""
    from expansion_assets.store.forget import forget as forget_person

    with out.status("looking through the workspace"):
        report = forget_person(_workspace(), email, is_dry=dry_run)
    for title, counts in (
        ("landing file", report.landing), ("table", report.warehouse), ("file", report.files)
    ):
        for place, count in sorted(counts.items()):
            out.print(f"  {title} {place}: {count}", markup=False)
    if not report.traces:
        out.print("no trace was found" + ("" if email is None else "; the address is kept from coming in"))
    if report.other_addresses:
        listed = ", ".join(sorted(report.other_addresses))
        out.print(f"also on record for this person, not forgotten by this call: {listed}", markup=False)
    done = "would be cleaned (dry run: nothing was written)" if dry_run else "cleaned"
    out.print(f"{report.traces} places {done}. Out of reach: backups, what was sent or copied, the source systems")


@app.command()
def ui(port: Annotated[int, typer.Option(help="Port on loopback.")] = 3000) -> None:
    """Open the Dagster UI and daemon on the workspace's own run history."""
    import dagster as dg

    from expansion_assets.defs.runs import end_dead_runs, prepare_home
    from expansion_assets.project import ensure_manifest
    from expansion_assets.settings import PROJECT_DIR

    workspace = _workspace()
    _ensure_world(workspace)
    ensure_manifest(workspace.settings)
    home = prepare_home(workspace.settings)
    with dg.DagsterInstance.get() as instance:
        end_dead_runs(instance)
    # From its home, for Dagster warns of the project's `dagster.yaml`, which `prepare_home` has copied; hence the path.
    os.chdir(home)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(PROJECT_DIR), os.environ.get("PYTHONPATH")]))
    # `dagster dev` is superseded by `dg dev`, of a package that nothing else here needs.
    python = [sys.executable, "-W", "ignore:Function `dev_command` is superseded", "-m"]
    target = ["-w", str(PROJECT_DIR / "workspace.yaml"), "-h", "127.0.0.1", "-p", str(port)]
    os.execv(sys.executable, [*python, "dagster", "dev", *target])


def _workspace() -> Workspace:
    from expansion_assets.workspace import load_workspace

    return load_workspace()


def _set_workspace(**values: object) -> Workspace:
    """Go on in the workspace of other settings; before any definition is loaded, for dbt follows them, too."""
    from expansion_assets.settings import load_settings
    from expansion_assets.workspace import load_workspace

    os.environ.update({f"EXPANSION_{name.upper()}": str(value) for name, value in values.items()})
    load_settings.cache_clear()
    load_workspace.cache_clear()
    return load_workspace()


def _last_run_day(workspace: Workspace) -> date:
    """The last day that ran; a command that needs one ends here when nothing has run."""
    from expansion_assets.store.warehouse import last_day_of

    return last_day_of(workspace.settings.warehouse_path) or _fail("nothing has run yet: `make scan` first")


def _day(workspace: Workspace, day: datetime | None) -> date:
    target = day.date() if day else workspace.today
    if not workspace.first_day <= target <= workspace.today:
        days = f"{workspace.first_day} to {workspace.today}"
        raise typer.BadParameter(f"{target} is outside the workspace's days, {days}")
    return target


def _ensure_world(workspace: Workspace, *, is_forced: bool = False) -> None:
    """Write the demo world where no mapping is given and its files are missing or of another size."""
    settings = workspace.settings
    if settings.mapping_file is not None or settings.environment == "production" or settings.landing is not None:
        return
    from expansion_assets.world import generate, is_current

    size: dict[str, Any] = {
        "seed": settings.world_seed, "accounts": settings.world_accounts, "months": settings.world_months,
        "last_day": workspace.today, "time_zone": settings.time_zone, "is_hard": settings.world_is_hard,
        "pseudonym_key": settings.person_key,
    }
    if is_forced or not is_current(settings.landing_dir, **size):
        name = "hard world" if settings.world_is_hard else "demo world"
        with out.status(f"writing the {name}: {settings.world_accounts} accounts, {settings.world_months} months"):
            generate(settings.landing_dir, **size)
        out.print(f"{name}: {settings.landing_dir}", markup=False)


def _run(workspace: Workspace, job: str, first: date, last: date) -> None:
    from expansion_assets.defs.runs import run_job

    days = f"{first}" if first == last else f"{first} to {last}"
    started = time.perf_counter()
    with out.status(f"{job} {days}") as status:
        run_job(
            workspace, job, first, last,
            progress=lambda step, done, steps: status.update(f"{job} {days}: {done}/{steps} {step}"),
        )
    out.print(f"{job} {days}: done in {time.perf_counter() - started:.0f} s", markup=False)


def _fail(message: str) -> NoReturn:
    err.print(f"error: {message}", markup=False)
    raise typer.Exit(1)


def main() -> None:
    """Run a command; a known failure is one line on standard error and exit code 1."""
    from expansion_assets.privacy import ForgetError
    from expansion_assets.settings import SettingsError
    from expansion_assets.sources.contracts import ContractError
    from expansion_assets.sources.intake import IntakeError

    # Definitions and the dbt project are a million objects that live to the end; at Python's thresholds a fifth of a
    # start goes into walking them (22 s became 18 on 2 slow cores).
    gc.set_threshold(100_000, 20, 50)
    known: tuple[type[Exception], ...] = (ContractError, ForgetError, IntakeError, SettingsError)
    try:
        app(standalone_mode=True)
    except known as error:
        err.print(f"error: {error}", markup=False)
        sys.exit(1)
    except Exception as error:  # the last line of defence: one line for people, the trace on request
        if os.environ.get("EXPANSION_TRACE"):
            raise
        err.print(f"error: {type(error).__name__}: {error}", markup=False)
        err.print("set EXPANSION_TRACE=1 for the trace", style="dim")
        sys.exit(1)
