"""Sends an answer at the pace of the answer script: byte by byte, or not at all."""

from __future__ import annotations

import time

from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.task import WSGITask

from local.strava_simulator.api.script import PACE_HEADER, Pace


class PacedTask(WSGITask):
    """One answer; sending stops when the caller hangs up."""

    _pace = Pace()

    def write(self, data: bytes) -> None:
        """Send the head before the first byte of the body, each at its pace."""
        if not self.wrote_header:
            self._pace = self._take_pace()
            if self._pace.drops:
                raise ClientDisconnected
            if self._pace.head_bytes_per_s:
                self._drip(self.build_response_header(), self._pace.head_bytes_per_s)
                self.wrote_header = True
        if not self._pace.body_bytes_per_s:
            super().write(data)
            return
        for at in range(len(data)):
            super().write(data[at : at + 1])
            time.sleep(1 / self._pace.body_bytes_per_s)

    def _drip(self, data: bytes, bytes_per_s: float) -> None:
        for at in range(len(data)):
            self.channel.write_soon(data[at : at + 1])
            time.sleep(1 / bytes_per_s)

    def _take_pace(self) -> Pace:
        pace = next((value for name, value in self.response_headers if name == PACE_HEADER), None)
        self.response_headers = [header for header in self.response_headers if header[0] != PACE_HEADER]
        return Pace.parse(pace)


class PacedChannel(HTTPChannel):
    """A connection whose answers have a pace."""

    task_class = PacedTask
