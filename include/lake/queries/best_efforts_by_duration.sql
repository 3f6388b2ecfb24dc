-- What is the athlete's power curve: the highest mean power held for each duration?
--
-- A sample's power counts for the time since the sample before it; a gap of more than 10 s is a pause and counts as 0 W.
-- A power that cannot be, below 0 or above 5000 W, is a sensor's slip and counts as missing, which is 0 W.
--
-- parameter athlete_id bigint: the athlete
-- parameter sport_type varchar = %Ride: a pattern of sports: Ride, %Ride, %Run; % is all
-- parameter since date = 1970-01-01: first day
-- parameter until date = 9999-12-31: last day
-- column duration_s bigint [s]: the duration; one row for each that an activity with power lasted
-- column mean_watts double [W]: highest mean power over it
-- column activity_id bigint: the activity
-- column local_day date: its day, by the athlete's wall clock
-- column from_meter boolean: whether a meter measured the power; false where Strava estimates it, null where unknown

WITH samples AS (
  SELECT
    a.activity_id,
    CAST(coalesce(a.start_ts_local, a.start_ts_utc) AS date) AS local_day,
    a.device_watts AS from_meter,
    s.time_s,
    CASE WHEN s.watts BETWEEN 0 AND 5000 THEN s.watts ELSE 0 END AS watts,
    s.time_s - lag(s.time_s) OVER (PARTITION BY a.activity_id ORDER BY s.point_index) AS gap_s,
    count(CASE WHEN s.watts BETWEEN 0 AND 5000 THEN 1 END) OVER (PARTITION BY a.activity_id) AS known_watts,
    max(s.time_s) OVER (PARTITION BY a.activity_id) - min(s.time_s) OVER (PARTITION BY a.activity_id) AS lasted_s
  FROM activities AS a
  JOIN streams AS s ON s.athlete_id = a.athlete_id AND s.year = a.year AND s.activity_id = a.activity_id
  WHERE a.athlete_id = ? /* athlete_id */
    AND a.sport_type LIKE ? /* sport_type */
    AND CAST(coalesce(a.start_ts_local, a.start_ts_utc) AS date) BETWEEN ? /* since */ AND ? /* until */
    AND s.time_s IS NOT NULL
),
held AS (
  SELECT samples.*, CASE WHEN gap_s BETWEEN 1 AND 10 THEN gap_s ELSE 0 END AS held_s
  FROM samples
  WHERE known_watts > 0
),
durations (duration_s, reach_s) AS (
  VALUES (5, 4), (15, 14), (30, 29), (60, 59), (300, 299), (1200, 1199), (3600, 3599)
),
windows AS (
  SELECT
    d.duration_s,
    h.activity_id,
    h.local_day,
    h.from_meter,
    sum(h.watts * h.held_s) OVER (
      PARTITION BY d.duration_s, h.activity_id ORDER BY h.time_s RANGE BETWEEN d.reach_s PRECEDING AND CURRENT ROW
    ) AS work_j,
    sum(h.held_s) OVER (
      PARTITION BY d.duration_s, h.activity_id ORDER BY h.time_s RANGE BETWEEN d.reach_s PRECEDING AND CURRENT ROW
    ) AS covered_s
  FROM held AS h
  JOIN durations AS d ON d.duration_s <= h.lasted_s
),
means AS (
  SELECT windows.*, CAST(work_j AS double) / greatest(covered_s, duration_s) AS mean_watts
  FROM windows
),
placed AS (
  SELECT means.*, row_number() OVER (PARTITION BY duration_s ORDER BY mean_watts DESC, activity_id) AS place
  FROM means
)
SELECT
  CAST(duration_s AS bigint) AS duration_s,
  round(mean_watts, 1) AS mean_watts,
  activity_id,
  local_day,
  from_meter
FROM placed
WHERE place = 1
ORDER BY duration_s
