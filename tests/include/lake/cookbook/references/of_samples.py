"""The rows of queries over samples, found by plain Python."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from tests.include.lake.cookbook.references.values import (
    Held,
    Row,
    began,
    chosen,
    goes_on,
    moves,
    plausible,
    rounded,
    samples,
    steps,
)


def best_efforts_by_distance(held: Held, values: Mapping[str, Any]) -> list[Row]:
    rows = []
    for target_m in (400, 1000, 1609.344, 5000, 10000, 21097.5, 42195):
        efforts = []
        for activity in chosen(held, values):
            points = [(row["distance"], row["time"]) for row in samples(activity) if row["distance"] is not None]
            start = 0
            for distance_m, time_s in points:
                while start + 1 < len(points) and points[start + 1][0] <= distance_m - target_m:
                    start += 1
                if points[start][0] <= distance_m - target_m:
                    efforts.append((time_s - points[start][1], activity.activity_id, began(activity).date()))
        if efforts:
            elapsed_s, activity_id, day = min(efforts)
            rows.append((target_m, elapsed_s, rounded(elapsed_s / target_m * 1000, 1), activity_id, day))
    return rows


def best_efforts_by_duration(held: Held, values: Mapping[str, Any]) -> list[Row]:
    rows = []
    for duration_s in (5, 15, 30, 60, 300, 1200, 3600):
        efforts = []
        for activity in chosen(held, values):
            points = samples(activity)
            times = [row["time"] for row in points]
            if all(plausible(row, "watts") is None for row in points) or times[-1] - times[0] < duration_s:
                continue
            held_s = {row["time"]: gap_s for _, row, gap_s in steps(points)}
            work, covered = [0], [0]
            for row in points:
                gap_s = held_s.get(row["time"], 0)
                work.append(work[-1] + (plausible(row, "watts") or 0) * gap_s)
                covered.append(covered[-1] + gap_s)
            for last, time_s in enumerate(times, start=1):
                first = bisect_left(times, time_s - duration_s + 1)
                mean = (work[last] - work[first]) / max(covered[last] - covered[first], duration_s)
                efforts.append((-mean, activity.activity_id, activity))
        if efforts:
            mean, activity_id, activity = min(efforts, key=lambda effort: effort[:2])
            day, from_meter = began(activity).date(), activity.detail.get("device_watts")
            rows.append((duration_s, rounded(-mean, 1), activity_id, day, from_meter))
    return rows


def heartrate_zones(held: Held, values: Mapping[str, Any]) -> list[Row]:
    seconds: Counter[int] = Counter()
    beats: Counter[int] = Counter()
    for activity in chosen(held, values):
        for _, row, gap_s in steps(samples(activity)):
            if plausible(row, "heartrate") not in (None, 255):
                share = row["heartrate"] / values["max_heartrate_bpm"]
                zone = 1 + sum(share >= limit for limit in (0.6, 0.7, 0.8, 0.9))
                seconds[zone] += gap_s
                beats[zone] += gap_s * row["heartrate"]
    return [
        (
            zone,
            rounded(seconds[zone] / 60, 1),
            rounded(100 * seconds[zone] / seconds.total(), 1),
            rounded(beats[zone] / seconds[zone], 1),
        )
        for zone in sorted(seconds)
    ]


def grade_adjusted_pace(held: Held, values: Mapping[str, Any]) -> list[Row]:
    rows = []
    for activity in chosen(held, values):
        metres = flat_m = moving_s = 0.0
        placed = [row for row in samples(activity) if row["distance"] is not None]
        for before, row, gap_s in steps(placed):
            step_m = row["distance"] - before["distance"]
            if not moves(before, row) or step_m < 0:
                continue
            grade = max(-45.0, min(45.0, row.get("grade_smooth") or 0.0)) / 100
            cost = 3.6 + grade * (19.5 + grade * (46.3 + grade * (-43.3 + grade * (-30.4 + grade * 155.4))))
            metres, flat_m, moving_s = metres + step_m, flat_m + step_m * cost / 3.6, moving_s + gap_s
        if metres:
            rows.append(
                (
                    began(activity).date(),
                    activity.activity_id,
                    rounded(metres / 1000, 2),
                    rounded(1000 * moving_s / metres, 1),
                    rounded(1000 * moving_s / flat_m, 1),
                    rounded(activity.detail["total_elevation_gain"], 0),
                )
            )
    return sorted(rows)


def route_heat_grid(held: Held, values: Mapping[str, Any]) -> list[Row]:
    side = values["cell_deg"]
    points: Counter[tuple[int, int]] = Counter()
    visitors: dict[tuple[int, int], set[int]] = defaultdict(set)
    for activity in chosen(held, values):
        for position in (activity.streams or {}).get("latlng", {}).get("data", ()):
            if position:
                cell = (math.floor(position[0] / side), math.floor(position[1] / side))
                points[cell] += 1
                visitors[cell].add(activity.activity_id)
    rows = [
        (rounded((lat + 0.5) * side, 6), rounded((lon + 0.5) * side, 6), len(visitors[lat, lon]), points[lat, lon])
        for lat, lon in points
    ]
    return sorted(rows, key=lambda row: (-row[2], -row[3], row[0], row[1]))


def pauses(held: Held, values: Mapping[str, Any]) -> list[Row]:
    rows = []
    for activity in chosen(held, values):
        placed = samples(activity)
        in_motion = [row for before, row in zip([None, *placed], placed, strict=False) if moves(before, row)]
        for before, row in pairwise(in_motion):
            paused_s = row["time"] - before["time"]
            has_stood = placed.index(row) - placed.index(before) > 1
            if paused_s >= values["min_pause_s"] and (has_stood or not goes_on(before, row)):
                metres = before.get("distance")
                lat, lon = before.get("latlng") or (None, None)
                distance_km = None if metres is None else rounded(metres / 1000, 2)
                rows.append(
                    (began(activity).date(), activity.activity_id, before["time"], paused_s, distance_km, lat, lon)
                )
    return sorted(rows, key=lambda row: row[:3])
