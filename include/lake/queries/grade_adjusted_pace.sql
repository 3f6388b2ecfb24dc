-- How fast was each run, had it been flat?
--
-- Each step's distance counts as much more or less as running up or down its grade costs, by the energy cost of running
-- that Minetti et al. measured on grades of up to 45 % (J Appl Physiol 93, 2002). Without a grade a step is flat.
-- Steps without motion and gaps of more than 10 s count for nothing. Where nothing says whether the athlete moves, a step
-- of less than 0.3 m/s is without motion.
--
-- parameter athlete_id bigint: the athlete
-- parameter sport_type varchar = %Run: a pattern of sports: Run, TrailRun, %Run
-- parameter since date = 1970-01-01: first day
-- parameter until date = 9999-12-31: last day
-- column local_day date: the activity's day, by the athlete's wall clock
-- column activity_id bigint: the activity; those without samples have no row
-- column distance_km double [km]: distance in motion
-- column pace_s_per_km double [s/km]: time in motion for each kilometre
-- column grade_adjusted_pace_s_per_km double [s/km]: the same on the flat at equal effort
-- column elevation_gain_m double [m]: sum of all climbs, as Strava says it

WITH samples AS (
  SELECT
    a.activity_id,
    CAST(coalesce(a.start_ts_local, a.start_ts_utc) AS date) AS local_day,
    a.total_elevation_gain_m,
    s.moving,
    greatest(least(coalesce(CAST(s.grade_pct AS double), 0e0), 45e0), -45e0) / 100 AS grade,
    s.time_s - lag(s.time_s) OVER (PARTITION BY a.activity_id ORDER BY s.point_index) AS gap_s,
    s.distance_m - lag(s.distance_m) OVER (PARTITION BY a.activity_id ORDER BY s.point_index) AS step_m
  FROM activities AS a
  JOIN streams AS s ON s.athlete_id = a.athlete_id AND s.year = a.year AND s.activity_id = a.activity_id
  WHERE a.athlete_id = ? /* athlete_id */
    AND a.sport_type LIKE ? /* sport_type */
    AND CAST(coalesce(a.start_ts_local, a.start_ts_utc) AS date) BETWEEN ? /* since */ AND ? /* until */
    AND s.time_s IS NOT NULL
    AND s.distance_m IS NOT NULL
),
steps AS (
  SELECT
    samples.*,
    (155.4e0 * power(grade, 5) - 30.4e0 * power(grade, 4) - 43.3e0 * power(grade, 3)
      + 46.3e0 * power(grade, 2) + 19.5e0 * grade + 3.6e0) / 3.6e0 AS effort
  FROM samples
  WHERE coalesce(moving, step_m >= 0.3e0 * gap_s)
    AND step_m >= 0
    AND gap_s BETWEEN 1 AND 10
),
runs AS (
  SELECT
    local_day,
    activity_id,
    total_elevation_gain_m,
    sum(step_m) AS distance_m,
    sum(step_m * effort) AS flat_m,
    CAST(sum(gap_s) AS double) AS moving_s
  FROM steps
  GROUP BY local_day, activity_id, total_elevation_gain_m
)
SELECT
  local_day,
  activity_id,
  round(distance_m / 1000, 2) AS distance_km,
  round(1000 * moving_s / distance_m, 1) AS pace_s_per_km,
  round(1000 * moving_s / flat_m, 1) AS grade_adjusted_pace_s_per_km,
  round(total_elevation_gain_m, 0) AS elevation_gain_m
FROM runs
WHERE distance_m > 0
ORDER BY local_day, activity_id
