-- Where and for how long does the athlete stop?
--
-- A pause is the time between two samples in motion: whether the device stopped recording or recorded standing still.
-- Where the athlete covered 1 m or more in each second without a sample, the device has lost samples: that is no pause.
-- Where nothing says whether the athlete moves, a step of less than 0.3 m/s is standing.
--
-- parameter athlete_id bigint: the athlete
-- parameter sport_type varchar = %: a pattern of sports: Run, %Run, %Ride; % is all
-- parameter since date = 1970-01-01: first day
-- parameter until date = 9999-12-31: last day
-- parameter min_pause_s integer = 15: shortest pause that counts, in seconds
-- column local_day date: the activity's day, by the athlete's wall clock
-- column activity_id bigint: the activity
-- column after_s bigint [s]: from the activity's start to the pause
-- column paused_s bigint [s]: how long it lasted
-- column distance_km double [km]: distance before the pause; null where unknown
-- column lat double [deg]: WGS84 latitude of the last sample before it; null indoors
-- column lon double [deg]: WGS84 longitude of the last sample before it; null indoors

WITH samples AS (
  SELECT
    CAST(coalesce(a.start_ts_local, a.start_ts_utc) AS date) AS local_day,
    a.activity_id,
    s.point_index,
    s.time_s,
    s.distance_m,
    s.lat,
    s.lon,
    s.moving,
    s.time_s - lag(s.time_s) OVER (PARTITION BY a.activity_id ORDER BY s.point_index) AS gap_s,
    s.distance_m - lag(s.distance_m) OVER (PARTITION BY a.activity_id ORDER BY s.point_index) AS step_m
  FROM activities AS a
  JOIN streams AS s ON s.athlete_id = a.athlete_id AND s.year = a.year AND s.activity_id = a.activity_id
  WHERE a.athlete_id = ? /* athlete_id */
    AND a.sport_type LIKE ? /* sport_type */
    AND CAST(coalesce(a.start_ts_local, a.start_ts_utc) AS date) BETWEEN ? /* since */ AND ? /* until */
    AND s.time_s IS NOT NULL
),
steps AS (
  SELECT
    local_day,
    activity_id,
    time_s,
    lag(time_s) OVER (PARTITION BY activity_id ORDER BY point_index) AS after_s,
    lag(distance_m) OVER (PARTITION BY activity_id ORDER BY point_index) AS distance_m,
    lag(lat) OVER (PARTITION BY activity_id ORDER BY point_index) AS lat,
    lag(lon) OVER (PARTITION BY activity_id ORDER BY point_index) AS lon,
    gap_s,
    step_m
  FROM samples
  WHERE coalesce(moving, step_m >= 0.3e0 * gap_s, true)
)
SELECT
  local_day,
  activity_id,
  CAST(after_s AS bigint) AS after_s,
  CAST(time_s - after_s AS bigint) AS paused_s,
  round(distance_m / 1000, 2) AS distance_km,
  lat,
  lon
FROM steps
WHERE time_s - after_s >= ? /* min_pause_s */
  AND (gap_s < time_s - after_s OR coalesce(step_m < gap_s, true))
ORDER BY local_day, activity_id, after_s
