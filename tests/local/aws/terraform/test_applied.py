"""An environment on moto's server: it goes up in one go, and what is changed later stays small."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from include.errors import SettingsError
from local.aws.terraform.apply_moto import SMALL_CHANGES, Applied, apply, moto
from local.aws.terraform.mwaa_control import mwaa_control
from ops.repository import REPOSITORY

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    """The smaller environment, applied from nothing in one go."""
    with moto() as address, mwaa_control() as proxy:
        yield apply(tmp_path_factory.mktemp("configuration"), "environments/dev", address, proxy)


def test_environment_is_applied_from_nothing_in_one_go(applied: Applied) -> None:
    kinds = applied.resources

    assert kinds.count("aws_mwaa_environment") == 1
    assert kinds.count("aws_dynamodb_table") >= 9
    assert len(list((REPOSITORY / "dags").glob("*.py"))) < kinds.count("aws_cloudwatch_metric_alarm")


def test_second_plan_is_empty(applied: Applied) -> None:
    assert applied.planned().actions == {}


def test_second_nat_gateway_changes_the_network_and_nothing_else(applied: Applied) -> None:
    changes = applied.planned_after(SMALL_CHANGES["a second NAT gateway"])

    assert changes.modules == {"network"}
    assert changes.destroyed == frozenset()
    assert any("aws_nat_gateway" in address for address in changes.actions)


@pytest.mark.parametrize("name", ["one more default tag", "logs for two weeks"])
def test_change_of_all_modules_replaces_nothing(applied: Applied, name: str) -> None:
    changes = applied.planned_after(SMALL_CHANGES[name])

    assert set(changes.actions.values()) == {("update",)}


def test_logs_for_two_weeks_change_log_groups_and_who_has_to_tell_their_age(applied: Applied) -> None:
    changes = applied.planned_after(SMALL_CHANGES["logs for two weeks"])

    kinds = {address.split(".")[4] for address in changes.actions}
    assert kinds == {"aws_cloudwatch_log_group", "aws_lambda_function", "aws_s3_object", "aws_mwaa_environment"}


def test_destroy_is_planned_in_a_fresh_clone_again_and_again(applied: Applied) -> None:
    first, second = applied.planned_destroy(), applied.planned_destroy()

    assert len(first.actions) == len(applied.resources)
    assert set(first.actions.values()) == {("delete",)}
    assert second == first


def test_apply_without_artefacts_says_what_to_do(applied: Applied) -> None:
    with pytest.raises(SettingsError, match=r"webhook_http\.zip is missing: make package"):
        applied.planned("-refresh=false", "-var=dist=./nothing")
