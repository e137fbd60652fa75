import shlex

import pytest

from tests.support.command import Ended
from tests.support.logins import as_user, require_login
from tests.support.raw_cluster import RawCluster
from tests.support.runner import Run

pytestmark = pytest.mark.scenario

PRIVILEGES = ("manage_ml", "monitor_inference", "read_pipeline")


def reported_privileges(ended: Ended) -> list[bool]:
    """Return whether the report of `esml config --check` shows each of PRIVILEGES as granted."""
    return [ended.json["check"]["privileges"][name] for name in PRIVILEGES]


def test_a_working_connection_exits_with_0(cluster: RawCluster, run: Run) -> None:
    """`esml config --check` exits with 0 and reports the cluster, the user and all privileges as granted."""
    ended = run("config", "--check", "-o", "json")
    check = ended.json["check"]
    assert (ended.status, ended.err) == (0, "")
    assert check["version"] == cluster.do("GET", "/")["version"]["number"]
    assert check["cluster_name"] == cluster.do("GET", "/")["cluster_name"]
    assert (check["security"], check["user"]) == (cluster.secured, cluster.username)
    assert reported_privileges(ended) == [True, True, True]


def test_each_setting_is_one_line_in_a_pipe(cluster: RawCluster, run: Run) -> None:
    """`esml config --check` prints each setting on one tab-separated line with its name, value and source."""
    ended = run("config", "--check")
    assert ended.lines[0] == ["url", f"{cluster.url}", "ESML_URL"]
    assert ["may stop deployments", "yes"] in [line[:2] for line in ended.lines]
    assert ended.err == ""


def test_without_check_no_request_is_made(run: Run) -> None:
    """`esml config` without --check sends no request and shows no version."""
    ended = run("config", "-v")
    assert (ended.status, ended.err) == (0, "")
    assert ended.lines[0][::2] == ["url", "ESML_URL"]
    assert not any(line[0] == "version" for line in ended.lines)


@pytest.mark.parametrize(
    ("roles", "cluster_privileges", "status", "expected"),
    [
        (("machine_learning_admin",), (), 0, [True, False, False]),
        (("machine_learning_user",), (), 4, [False, False, False]),
        ((), (), 4, [False, False, False]),
        ((), ("manage_ml", "monitor_inference", "read_pipeline"), 0, [True, True, True]),
        ((), ("manage_inference",), 4, [False, True, False]),
        ((), ("manage_inference", "monitor_ml"), 0, [True, True, False]),
    ],
)
def test_the_privileges_decide_the_exit_code(
    cluster: RawCluster,
    run: Run,
    roles: tuple[str, ...],
    cluster_privileges: tuple[str, ...],
    status: int,
    expected: list[bool],
) -> None:
    """`esml config --check` and a stop exit with 0 if the user may stop deployments, and with 4 otherwise."""
    environment = as_user(cluster, roles, cluster_privileges)
    ended = run("config", "--check", "-o", "json", environment=environment)
    assert (ended.status, reported_privileges(ended)) == (status, expected)
    assert ("may not stop deployments" in ended.err) is (status == 4)
    cluster.model("m")
    cluster.deployment("d", "m")
    assert run("stop", "d", environment=environment).status == status
    assert cluster.running() == (["d"] if status else [])


def test_a_wrong_password_exits_with_4_and_shows_the_settings(cluster: RawCluster, run: Run) -> None:
    """With a wrong password `esml config --check` exits with 4 and shows the settings, with the password masked."""
    require_login(cluster)
    ended = run("config", "--check", "-o", "json", environment={**cluster.environment(), "ESML_PASSWORD": "wrong"})
    assert (ended.status, ended.json["check"], ended.json["errors"][0]["code"]) == (4, None, "not_authenticated")
    assert {"name": "password", "value": "********", "source": "ESML_PASSWORD"} in ended.json["settings"]
    assert "rejected the credentials (HTTP 401)" in ended.err


def test_the_command_that_a_refusal_suggests_works_with_a_profile(
    cluster: RawCluster, run: Run, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The command that a refusal suggests contains every given option, quoted for a shell, and stops the deployment."""
    if cluster.secured:
        require_login(cluster)
    folder = tmp_path_factory.mktemp("with space")
    login = f"auth: {{username: '{cluster.username}', password: '{cluster.password}'}}" if cluster.username else ""
    configuration = f"contexts:\n  my ctx:\n    elasticsearch:\n      url: {cluster.url}\n      {login}\n"
    (folder / "rc.yml").write_text(configuration)
    (folder / "rc.yml").chmod(0o600)
    environment = {"ESML_CA_CERTS": cluster.ca_certs or ""}
    cluster.model("m")
    cluster.deployment("d", "m")
    cluster.pipeline("esml-p", "d")
    profile = ("--profile", "my ctx", "--config-file", str(folder / "rc.yml"))
    save = ("--save", str(folder / "saved.json"))
    other_options = ("--timeout", "10m", "--finish-pending-work", "--no-allow-no-match", "--parallel", "2", "-q")
    refused = run("stop", "d", *profile, *save, *other_options, environment=environment)
    assert refused.status == 5
    suggested = refused.err.rstrip().rpartition("To stop it anyway: ")[2]
    words = shlex.split(suggested)
    expected_options = [word.replace("-q", "--quiet") for word in (*profile, *save, *other_options)]
    assert words[:4] == ["esml", "stop", "d", "--force"]
    assert sorted(words[4:]) == sorted(expected_options)
    assert run(*words[1:], environment=environment).outcomes == {"d": "stopped"}
