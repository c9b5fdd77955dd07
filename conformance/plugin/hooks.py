"""pytest's hooks, a few lines each: who calls what, and when."""

from __future__ import annotations

import contextlib
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pytest

from conformance import catalogue, contract, openapi
from conformance.client import halting
from conformance.driver.context import Process, Readings
from conformance.driver.ruling_log import RulingLog
from conformance.errors import ConformanceError, UsageError
from conformance.evidence import Exchange
from conformance.judge import codes, content, lasting, limits
from conformance.plugin import options, outcome, redacted, screen, workers
from conformance.plugin.keys import (
    BEAT,
    BEGUN,
    CLOSING,
    DISPLAY,
    HANDLERS,
    OUTCOME,
    PROCESS,
    RULING_LOG,
    SESSION,
    STARTED_AT,
    STARTING,
)
from conformance.plugin.outcome import ItemOutcome
from conformance.run import arguments, cost, messages, next_steps, progress, signals, suite
from conformance.run import session as sessions
from conformance.run.item_record import AT_THE_END, ItemRecord
from conformance.run.messages import JoinMessage, LastWord
from conformance.run.progress import Beat

if TYPE_CHECKING:
    from conformance.driver.lasting import Lasting

FIRST_PROCESSES = frozenset({messages.ONLY, "gw0"})
"""The only process that runs tests, or the first of the workers."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the suite's options."""
    arguments.add(parser.getgroup("conformance", "conformance of a deployment").addoption)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and keep the working directory clean."""
    config.addinivalue_line("markers", "clause(id, ...): the clauses of spec/clauses that a test judges")
    options.keep_to_ourselves()


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Give each of several targets a run of its own; one target is judged by this very run."""
    targets = options.several(config)
    if not targets or not _concerned(config):
        return None
    from conformance.plugin import several  # noqa: PLC0415  # and the overview, which one target has none of

    return several.run(config, targets)


@pytest.hookimpl(wrapper=True, tryfirst=True, specname="pytest_cmdline_main")
def pytest_say_what_went_wrong(config: pytest.Config) -> Generator[None, Any, Any]:
    """Outside a session pytest would end with the code of failed tests."""
    try:
        if _concerned(config):
            options.read(config)
        return (yield)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
    except ConformanceError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return sessions.INTERNAL_ERROR
    except Exception as error:  # outside a session, pytest would end with the code of failed tests
        if isinstance(error, pytest.UsageError):
            raise
        traceback.print_exc()
        return sessions.INTERNAL_ERROR


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Look at the target before the first worker starts; the tests of the suite itself have no target."""
    config = session.config
    if hasattr(config, "workerinput"):
        if said := config.workerinput.get("conformance"):
            _join(config, JoinMessage.from_json(said))
            _heed(config)
    elif _judges(config):
        _set_up(config, _begun(config))


def _concerned(config: pytest.Config) -> bool:
    """Tests of clauses will run, and this process is not a worker."""
    folders = tuple(one.tests for one in _contracts(config))
    concerned = suite.concerned(config.args, config.invocation_params.dir, folders)
    return concerned and workers.runs_tests(config.option) and not hasattr(config, "workerinput")


def _contracts(config: pytest.Config) -> tuple[contract.Contract, ...]:
    return contract.chosen(config.getoption("contracts"))


def _judges(config: pytest.Config) -> bool:
    """This very run judges a target."""
    return _concerned(config) and not options.several(config)


def _begun(config: pytest.Config) -> sessions.RunSession:
    """The session, begun when it is first asked for."""
    if SESSION not in config.stash:
        try:
            wanted = options.read(config)
            _heed(config, lambda: config.stash[SESSION].left() if SESSION in config.stash else "nothing was sent yet")
            run = config.stash[SESSION] = sessions.begin(wanted)
            config.add_cleanup(run.close)
            config.pluginmanager.register(redacted.Errors(run.client().redactor.text))
            run.open()
        except UsageError as error:
            raise pytest.UsageError(str(error)) from error
        config.pluginmanager.register(Listener(run), "conformance-listener")
    return config.stash[SESSION]


def _heed(config: pytest.Config, left: Callable[[], str] | None = None) -> None:
    config.stash[HANDLERS] = handlers = signals.Handlers(left)
    config.add_cleanup(halting.reset)
    config.add_cleanup(handlers.restore)
    handlers.install()


def _set_up(config: pytest.Config, run: sessions.RunSession) -> None:
    if run.collector.stopped:
        return
    distributed = config.pluginmanager.hasplugin("dsession")
    workers.one_by_one(config)
    tally = run.count(len(config.option.tx) if distributed else 0)
    if shown := progress.display(tally, screen.of(config)):
        config.stash[DISPLAY] = shown
        config.add_cleanup(shown.stop)
    if not distributed:
        _join(config, run.for_process(messages.ONLY))


def _join(config: pytest.Config, said: JoinMessage) -> None:
    process = config.stash[PROCESS] = sessions.join(said)
    config.pluginmanager.register(redacted.Errors(process.client.redactor.text))
    config.stash[BEAT] = Beat.of(said.shared, said.process, lambda: process.recorder.total)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Hold signals back while workers start: each heeds them once it has joined the run."""
    if SESSION in config.stash:
        held = config.stash[STARTING] = contextlib.ExitStack()
        held.enter_context(signals.held_back())


@pytest.hookimpl(wrapper=True, specname="pytest_sessionstart")
def pytest_let_signals_in(session: pytest.Session) -> Generator[None, None, None]:
    """All workers are started."""
    try:
        return (yield)
    finally:
        if held := session.config.stash.get(STARTING, None):
            held.close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand a worker what it needs to join the run."""
    if SESSION in node.config.stash and not node.config.stash[SESSION].collector.stopped:
        node.workerinput["conformance"] = node.config.stash[SESSION].for_process(node.gateway.id).to_json()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test that names an unknown clause is a defect of the suite; workers take the longest tests first."""
    known = catalogue.load(chosen=_contracts(config))
    for item in items:
        for clause in _clauses(item):
            if clause not in known:
                raise pytest.UsageError(f"{item.nodeid} is marked with {clause!r}, which is in no clause file")
    if PROCESS in config.stash and hasattr(config, "workerinput"):
        tests = [suite.name(item.nodeid) for item in items]
        order = cost.spread(tests, config.stash[PROCESS].depth, config.workerinput["workercount"])
        items[:] = [items[index] for index in order]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Remember what was selected."""
    _selected(session.config, [item.nodeid for item in session.items])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: list[str]) -> None:
    """Remember what was selected, as a worker found it."""
    _selected(node.config, ids)


def _selected(config: pytest.Config, nodeids: list[str]) -> None:
    if SESSION in config.stash:
        config.stash[SESSION].collected([suite.item(nodeid) for nodeid in nodeids])


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run nothing against a target that cannot be judged."""
    stash = session.config.stash
    return True if SESSION in stash and stash[SESSION].collector.stopped else None


@pytest.hookimpl(wrapper=True, specname="pytest_runtestloop")
def pytest_look_at_the_end(session: pytest.Session) -> Generator[None, Any, Any]:
    """Make what is left alone until the end before the first test, and look at it after the last one."""
    process = session.config.stash.get(PROCESS, None)
    spoken_of = {clause for item in session.items for clause in _clauses(item)} & set(lasting.CLAUSES)
    if process is None or not spoken_of:
        return (yield)
    from conformance.driver.lasting import Lasting  # noqa: PLC0415  # the first look at the target is long past

    log = RulingLog(frozenset(spoken_of), process.recorder)
    subjects = Lasting(process, log)
    worker = _worker(session.config)
    if worker in FIRST_PROCESSES:  # the others need the addresses that are granted
        _listen(process, log)
        with contextlib.suppress(halting.Stopped, ConformanceError):  # the tests will say so
            subjects.begin()
    ended = yield
    if not session.shouldstop and not session.shouldfail and not halting.asked():
        begun, at = process.readings(), time.time()
        _listen(process, log)
        ended_so = _at_last(subjects)
        clauses = log.own if ended_so.reason else log.own & log.cases.keys()
        session.config.stash[CLOSING] = ItemRecord(
            test=AT_THE_END,
            item=f"{AT_THE_END} of {worker}",
            clauses=tuple(sorted(clauses)),
            worker=worker,
            **asdict(ended_so),
            **_ruled(log),
            **_cost(process, begun, at),
        )
    return ended


def _at_last(subjects: Lasting) -> ItemOutcome:
    try:
        return outcome.left_open(subjects.end())
    except (halting.Stopped, ConformanceError) as error:
        return outcome.of(error)


def _worker(config: pytest.Config) -> str:
    """The process that runs tests; the only one is called main."""
    return str(getattr(config, "workerinput", {}).get("workerid", messages.ONLY))


def _ruled(log: RulingLog) -> dict[str, Any]:
    """What a record tells of a ruling log."""
    return {
        "cases": Counter(log.cases),
        "unjudged": Counter(log.unjudged),
        "vacuous": Counter(log.vacuous),
        "reasons": dict(log.reasons),
        "untried": {clause: list(words) for clause, words in log.untried.items()},
        "findings": tuple(log.found.values()),
    }


def _cost(process: Process, begun: Readings, at: float) -> dict[str, Any]:
    """What a record tells of requests and time since ``begun``, which was read at ``at`` by the wall clock."""
    now = process.readings()
    seconds = max(time.time() - at, 0.0)
    return {"requests": now.requests - begun.requests, "spent": begun.until(now), "at": at, "seconds": seconds}


def _listen(process: Process, log: RulingLog) -> None:
    process.recorder.forget()
    process.recorder.listeners[:] = [lambda exchange: _at_every_exchange(log, exchange)]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Open the test's ruling log, and judge what every exchange gives occasion for."""
    if PROCESS not in item.config.stash:
        return
    process, beat = item.config.stash[PROCESS], item.config.stash[BEAT]
    recorder = process.recorder
    recorder.forget()
    # A test that runs again, as pytest-rerunfailures lets it, is one test all the same.
    earlier = item.stash[RULING_LOG].found if RULING_LOG in item.stash else {}
    rulings = item.stash[RULING_LOG] = RulingLog(frozenset(_clauses(item)), recorder, earlier=earlier)
    item.stash[OUTCOME] = ItemOutcome()
    item.stash.setdefault(BEGUN, process.readings())
    item.stash.setdefault(STARTED_AT, time.time())
    beat.begin(suite.name(item.nodeid), _clauses(item), rulings)
    recorder.listeners[:] = [lambda exchange: _at_every_exchange(rulings, exchange), lambda _: beat.note()]
    halting.check()


def _at_every_exchange(rulings: RulingLog, exchange: Exchange) -> None:
    if exchange.operation == openapi.OPERATION:
        rulings.note(codes.documented(exchange), exchange.id)
        rulings.note(content.no_content(exchange), exchange.id)
        rulings.note(limits.retry_after(exchange), exchange.id)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say in the suite's own terms how the test ended, and let its last report carry its record."""
    report = yield
    if PROCESS in item.config.stash:
        redacted.clean(report, item.config.stash[PROCESS].client.redactor.text)
    if RULING_LOG not in item.stash:
        return report
    if call.excinfo:
        ended = outcome.of(call.excinfo.value)
        ended = replace(ended, reason=item.config.stash[PROCESS].client.redactor.text(ended.reason))
        item.stash[OUTCOME] = outcome.worse(item.stash.get(OUTCOME, None), ended)
        outcome.shorten(report, item, ended)
    broken = item.stash[RULING_LOG].broken
    if call.when == "call" and broken:
        outcome.fail(report, broken)
    if call.when == "teardown":
        report.conformance = _record(item).to_json()  # type: ignore[attr-defined]  # reports travel with what they carry
        item.config.stash[BEAT].end()
    return report


def _record(item: pytest.Item) -> ItemRecord:
    stash = item.stash
    return ItemRecord(
        test=suite.name(item.nodeid),
        item=suite.item(item.nodeid),
        clauses=tuple(_clauses(item)),
        worker=_worker(item.config),
        **asdict(stash.get(OUTCOME, ItemOutcome())),
        **_ruled(stash[RULING_LOG]),
        **_cost(item.config.stash[PROCESS], stash[BEGUN], stash[STARTED_AT]),
    )


@pytest.hookimpl(wrapper=True)
def pytest_report_teststatus(
    report: pytest.TestReport, config: pytest.Config
) -> Generator[None, tuple[str, str, Any], tuple[str, str, Any]]:
    """Inconclusive and untested are neither passed nor skipped; while progress is shown, dots are not."""
    usual = yield
    category, letter, word = getattr(report, "conformance_status", None) or usual
    shown = config.stash.get(DISPLAY, None)
    return (category, "", "") if shown and shown.running else (category, letter, word)


class Listener:
    """Hears the reports of all workers; registered where the session is."""

    def __init__(self, session: sessions.RunSession) -> None:
        self._session = session

    def pytest_runtest_logstart(self) -> None:
        """The first one begins the testing."""
        self._session.begun()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a test's record, or note that its worker died."""
        if hasattr(report, "conformance"):
            self._session.ended(ItemRecord.from_json(report.conformance))
        elif report.when not in {"setup", "call", "teardown"}:
            self._session.collector.crashed[suite.item(report.nodeid)] = "the worker process died"

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C, or a plugin that ends pytest at once; what pytest raises when it is told to stop is neither."""
        if type(excinfo.value) is KeyboardInterrupt or isinstance(excinfo.value, pytest.exit.Exception):
            self._session.interrupt()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Add up what a worker counted."""
        said = getattr(node, "workeroutput", {}).get("conformance")
        if said:
            self._session.hear(LastWord.from_json(said))
        elif error:
            self._session.died(node.gateway.id, error)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Clean up, conclude, write the reports and choose the exit code."""
    config = session.config
    if shown := config.stash.get(DISPLAY, None):
        shown.stop()
    process = config.stash.get(PROCESS, None)
    said = process and sessions.last_word(process, config.stash.get(CLOSING, None))
    if hasattr(config, "workerinput"):
        config.workeroutput["conformance"] = said and said.to_json()  # type: ignore[attr-defined]  # xdist's
    elif SESSION in config.stash:
        run = config.stash[SESSION]
        if said:
            run.hear(said)
        _stop(run, session, exitstatus)
        session.exitstatus = run.finish(exitstatus)


def _stop(run: sessions.RunSession, session: pytest.Session, exitstatus: int) -> None:
    """Tell the run why pytest did not run all tests."""
    if session.shouldfail:
        most = session.config.getoption("maxfail")
        run.stop_early("stopped after the first failure" if most == 1 else f"stopped after {most} failures")
    elif session.shouldstop:
        run.stop_early(f"stopped: {session.shouldstop}")
    if exitstatus == sessions.INTERRUPTED and not session.shouldfail:
        run.interrupt()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The summary comes last, and the verdict is its last line."""
    run = config.stash.get(SESSION, None)
    if run is None:
        return
    run.close()
    shown = screen.of(config)
    said = _summary(run, shown) if shown else ""
    code = run.ended_late()  # between this look and the verdict line there is nothing but the words
    if shown:
        shown.write(_summary(run, shown) if code else said)
    if code := run.tell_the_job() or code:
        config.pluginmanager.getplugin("session").exitstatus = code
    if run.complaint:
        sys.stderr.write(f"ERROR: {run.complaint}\n")


def _summary(run: sessions.RunSession, shown: screen.Screen) -> str:
    from conformance.report import terminal  # noqa: PLC0415  # and rich, which the end alone needs

    if run.run is None:
        return ""
    if shown.terse:
        return f"{terminal.verdict_line(run.run)}\n"
    after = next_steps.after(run.run, run.options)
    return f"\n{terminal.summary(run.run, width=shown.width, color=shown.color, after=after)}"


def _clauses(item: pytest.Item) -> tuple[str, ...]:
    marker = item.get_closest_marker("clause")
    return tuple(marker.args) if marker else ()
