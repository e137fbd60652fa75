from pathlib import Path

from esml_stop.cli.runs.restart import RestartRequest, run
from esml_stop.cli.runs.stop import StopRequest
from esml_stop.cluster.reader import Reader
from esml_stop.models import Flags
from esml_stop.output.progress import Progress
from esml_stop.plan.patterns import Selection
from esml_stop.runtime.deadline import Deadline
from esml_stop.savefile.file import SaveFile
from tests.support.fakes import FakeClock, FakeCluster


def test_unknown_settings_are_named_before_a_forced_restart(tmp_path: Path) -> None:
    """With --force, a warning before the stop names settings that the cluster does not show; the restart continues."""
    cluster = FakeCluster(looks=[{"d": "started"}])
    warnings: list[str] = []

    def warn(line: str) -> None:
        assert not [one for one in cluster.asked if one.startswith("stop")]
        warnings.append(line)

    request = RestartRequest(
        StopRequest(Selection(("d",)), Flags(force=True)),
        file=lambda: SaveFile(str(tmp_path / "f.json"), lambda: "2026-01-02T03:04:05Z"),
        again=lambda name: name,
    )
    reader = Reader(cluster, Deadline(60, FakeClock()), lambda _: None)
    report = run(request, reader, Progress(), lambda *_: True, say=lambda _: None, warn=warn)
    assert [one.outcome.value for one in report.results] == ["restarted"]
    (line,) = warnings
    assert line.startswith("d is started, and the cluster does not show its number_of_allocations, ")
