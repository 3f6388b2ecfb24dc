"""The page of costs counts what Terraform builds."""

from __future__ import annotations

from local.docs import cost


def test_page_of_costs_counts_what_is_paid_by_the_piece(environment) -> None:
    counted = {**cost.ALIKE, **cost.BUILT[environment.name]}

    assert {kind: len(environment.all(kind)) for kind in counted} == counted


def test_endpoints_of_the_network_are_the_free_ones(environment) -> None:
    endpoints = environment.all("aws_vpc_endpoint").values()

    assert {endpoint["vpc_endpoint_type"] for endpoint in endpoints} == {"Gateway"}


def test_crawls_and_classes_are_those_that_the_page_reckons_with(environment) -> None:
    airflow = environment.one("aws_mwaa_environment", "this")
    variables = environment.one("aws_lambda_function", "http")["environment"][0]["variables"]

    assert variables["CRAWL_EVERY_H"] == "24"
    assert airflow["environment_class"] == {"dev": "mw1.micro", "prod": "mw1.small"}[environment.name]
    assert airflow["airflow_configuration_options"]["celery.worker_autoscale"] == "3,3"
    assert airflow["min_workers"] == 1
