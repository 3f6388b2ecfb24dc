-- Where and for how long does the athlete stop?
--
-- A pause is the time between two samples in motion: whether the device stopped recording or recorded standing still.
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

WITH steps AS (
  SELECT
    CAST(coalesce(a.start_ts_local, a.start_ts_utc) AS date) AS local_day,
    a.activity_id,
    s.time_s,
    lag(s.time_s) OVER (PARTITION BY a.activity_id ORDER BY s.point_index) AS after_s,
    lag(s.distance_m) OVER (PARTITION BY a.activity_id ORDER BY s.point_index) AS distance_m,
    lag(s.lat) OVER (PARTITION BY a.activity_id ORDER BY s.point_index) AS lat,
    lag(s.lon) OVER (PARTITION BY a.activity_id ORDER BY s.point_index) AS lon
  FROM activities AS a
  JOIN streams AS s ON s.athlete_id = a.athlete_id AND s.year = a.year AND s.activity_id = a.activity_id
  WHERE a.athlete_id = ? /* athlete_id */
    AND a.sport_type LIKE ? /* sport_type */
    AND CAST(coalesce(a.start_ts_local, a.start_ts_utc) AS date) BETWEEN ? /* since */ AND ? /* until */
    AND s.time_s IS NOT NULL
    AND coalesce(s.moving, true)
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
ORDER BY local_day, activity_id, after_s
