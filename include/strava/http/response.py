"""One answer from Strava, and the ways to read it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from include.errors import IngestError, NotTheApi, UnexpectedShape
from include.strava.http.classify import error_for, is_another_type, subject_of

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Response:
    """A status, headers and a whole body, with the call's details for error messages.

    `repr` shows neither headers nor body: both may hold tokens.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    path: str
    whom: str
    """For whom the call was made, in the words of a message."""
    is_applications: bool
    """Whether it was made with the application's own credentials."""
    received_at_epoch_s: float

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def subject(self) -> str:
        """The beginning of a message about this answer."""
        return subject_of(self.status, path=self.path, whom=self.whom, headers=self.headers)

    def error(self) -> IngestError:
        """The error that this answer stands for."""
        return error_for(
            self.status,
            self.body,
            path=self.path,
            whom=self.whom,
            is_applications=self.is_applications,
            now_epoch_s=self.received_at_epoch_s,
            headers=self.headers,
        )

    def checked(self) -> Response:
        """This answer if it is a success in the form of the API.

        Errors: that of `error_for` for any other status; `NotTheApi` where the headers announce another type.
        """
        if not self.is_success or (self.body and is_another_type(self.headers)):
            raise self.error()
        return self

    def document(self) -> Any:
        """The body as JSON values. Errors: `NotTheApi` when it is cut off or not JSON, `UnexpectedShape` for NaN."""
        try:
            return json.loads(self.body, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise self._unexpected() from None

    def object(self) -> Mapping[str, Any]:
        """The body as one JSON object. Errors: `UnexpectedShape`, `NotTheApi`."""
        document = self.document()
        if not isinstance(document, dict):
            raise self._unexpected()
        return document

    def objects(self) -> list[Mapping[str, Any]]:
        """The body as an array of JSON objects. Errors: `UnexpectedShape`, `NotTheApi`."""
        document = self.document()
        if not isinstance(document, list) or not all(isinstance(entry, dict) for entry in document):
            raise self._unexpected()
        return document

    def read(self, parse: Callable[[], _T]) -> _T:
        """The result of `parse`. Errors: `UnexpectedShape` for every value that it does not accept."""
        try:
            return parse()
        except UnexpectedShape as err:
            if str(err) == str(self.error()):
                raise  # This answer's own error: it was not an object, or not a list.
            raise self._unexpected(str(err)) from None
        except (ValueError, TypeError, ArithmeticError, AttributeError, RecursionError):
            raise self._unexpected() from None

    def _unexpected(self, detail: str = "") -> IngestError:
        error = self.error()
        return error if isinstance(error, NotTheApi) else UnexpectedShape(f"{error} {detail}".strip())


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
