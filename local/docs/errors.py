"""`docs/errors.md`: Strava's answers, their errors, and how the system handles them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from include import errors
from include.errors import IngestError
from include.strava.http.classify import error_for
from include.strava.http.error_body import Faults
from local.docs.answers import ANSWERS, DocumentedAnswer
from local.docs.markdown import table
from webhook_api.errors import problem_of

NOW_EPOCH_S = 1_760_000_000.0

_HEAD = """# Errors and how they are handled

Made by `make docs`: every line comes from running `include/strava/http/classify.py`, `plugins/strava_airflow` and
`webhook_api/errors.py`. Change those, not this page.

Airflow *retries* after the task's growing delay, up to {retries} times; *fails* at once, because trying again changes
nothing; *comes back* when the quota's window opens, without holding a worker slot or using a try. Live work does not
fail because of a spent quota: it waits in the ledger, and its run ends successfully. A live sync with a temporary fault
waits there too, so that nothing is lost when all tries are used.

The column "in a browser" is what the web pages show if the error happens during a page request; most errors happen in
tasks.
"""


def render() -> str:
    """The page."""
    answers = table(
        ("Strava answers", "status", "in its words", "error", "Airflow", "in a browser", "the operator reads"),
        [list(_answer_row(answer)) for answer in ANSWERS],
    )
    classes = table(
        ("error", "what it means", "Airflow", "in a browser"),
        [list(_class_row(cls)) for cls in error_classes()],
    )
    return f"{_HEAD.format(retries=_retries())}\n## Strava's answers\n\n{answers}\n\n## Every error\n\n{classes}\n"


def error_classes() -> list[type[IngestError]]:
    """Every class of `include/errors.py`, in the order of the file, base classes first."""
    found = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, IngestError)]
    return sorted(found, key=lambda cls: inspect.getsourcelines(cls)[1])


def example(cls: type[IngestError]) -> IngestError:
    """An error of this class, with a value for each of its parameters."""
    carried = {
        parameter.name: NOW_EPOCH_S if "float" in str(parameter.annotation) else parameter.name
        for parameter in inspect.signature(cls.__init__).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    return cls("what happened", **carried)


def airflow_does(error: IngestError) -> str:
    """What Airflow does with a task that raises `error`."""
    from airflow.sdk import RetryAction
    from airflow.sdk.exceptions import AirflowRescheduleException

    from strava_airflow.reschedule import reschedule_on_spent_quota
    from strava_airflow.retry_policy import StravaRetryPolicy

    try:
        with reschedule_on_spent_quota():
            raise error
    except AirflowRescheduleException:
        return "comes back"
    except IngestError:
        action = StravaRetryPolicy().evaluate(error, 1, 6).action
    return {RetryAction.FAIL: "fails", RetryAction.RETRY: "retries", RetryAction.DEFAULT: "retries"}[action]


def _retries() -> int:
    from strava_airflow.defaults import DEFAULT_ARGS

    return int(DEFAULT_ARGS["retries"])


def _answer_row(answer: DocumentedAnswer) -> Iterator[str]:
    error = error_for(
        answer.status,
        answer.body,
        path=answer.path,
        whom=answer.whom,
        is_applications=answer.is_applications,
        now_epoch_s=NOW_EPOCH_S,
        headers={"Content-Type": answer.content_type},
    )
    yield answer.when
    yield str(answer.status)
    yield Faults.parse(answer.body).words() or ("(nothing)" if not answer.body else "(no JSON)")
    yield f"`{type(error).__name__}`"
    yield airflow_does(error)
    yield _page(error)
    yield str(error)


def _class_row(cls: type[IngestError]) -> Iterator[str]:
    error = example(cls)
    depth = cls.__mro__.index(IngestError)
    yield f"{'↳ ' * depth}`{cls.__name__}`"
    yield inspect.getdoc(cls) or ""
    yield airflow_does(error)
    yield _page(error)


def _page(error: IngestError) -> str:
    problem = problem_of(error)
    return f"{problem.status} {problem.title}"
