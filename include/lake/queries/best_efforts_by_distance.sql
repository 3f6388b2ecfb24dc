-- What are the athlete's fastest times over the classic distances, anywhere within an activity?
--
-- parameter athlete_id bigint: the athlete
-- parameter sport_type varchar = %Run: a pattern of sports: Run, %Run, %Ride; % is all
-- parameter since date = 1970-01-01: first day
-- parameter until date = 9999-12-31: last day
-- column target_m double [m]: the distance; one row for each that was covered at least once
-- column elapsed_s bigint [s]: shortest time between two samples that are at least so far apart, pauses included
-- column pace_s_per_km double [s/km]: that time for each kilometre of the target
-- column activity_id bigint: the activity
-- column local_day date: its day, by the athlete's wall clock

WITH points AS (
  SELECT
    a.activity_id,
    CAST(coalesce(a.start_ts_local, a.start_ts_utc) AS date) AS local_day,
    s.time_s,
    s.distance_m,
    max(s.distance_m) OVER (PARTITION BY a.activity_id) AS covered_m
  FROM activities AS a
  JOIN streams AS s ON s.athlete_id = a.athlete_id AND s.year = a.year AND s.activity_id = a.activity_id
  WHERE a.athlete_id = ? /* athlete_id */
    AND a.sport_type LIKE ? /* sport_type */
    AND CAST(coalesce(a.start_ts_local, a.start_ts_utc) AS date) BETWEEN ? /* since */ AND ? /* until */
    AND s.time_s IS NOT NULL
    AND s.distance_m IS NOT NULL
),
targets (target_m) AS (
  VALUES (400e0), (1000e0), (1609.344e0), (5000e0), (10000e0), (21097.5e0), (42195e0)
),
efforts AS (
  SELECT
    t.target_m,
    p.activity_id,
    p.local_day,
    p.time_s - max(p.time_s) OVER (
      PARTITION BY t.target_m, p.activity_id
      ORDER BY p.distance_m
      RANGE BETWEEN UNBOUNDED PRECEDING AND t.target_m PRECEDING
    ) AS elapsed_s
  FROM points AS p
  JOIN targets AS t ON t.target_m <= p.covered_m
),
placed AS (
  SELECT efforts.*, row_number() OVER (PARTITION BY target_m ORDER BY elapsed_s, activity_id) AS place
  FROM efforts
  WHERE elapsed_s > 0
)
SELECT
  target_m,
  CAST(elapsed_s AS bigint) AS elapsed_s,
  round(elapsed_s / target_m * 1000, 1) AS pace_s_per_km,
  activity_id,
  local_day
FROM placed
WHERE place = 1
ORDER BY target_m
