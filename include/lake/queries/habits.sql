-- When in the week does the athlete set out?
--
-- Activities whose start time the athlete hides are left out: their clock times are fictitious.
--
-- parameter athlete_id bigint: the athlete
-- parameter sport_type varchar = %: a pattern of sports: Run, %Run, %Ride; % is all
-- column weekday integer: 1 (Monday) to 7 (Sunday), by the athlete's wall clock
-- column hour integer: 0 to 23, by the athlete's wall clock
-- column activities bigint: number of activities; hours without any have no row
-- column moving_h double [h]: time in motion

WITH starts AS (
  SELECT
    CAST(day_of_week(start_ts_local) AS integer) AS weekday,
    CAST(extract(HOUR FROM start_ts_local) AS integer) AS hour,
    coalesce(moving_s, 0) AS moving_s
  FROM activities
  WHERE athlete_id = ? /* athlete_id */
    AND sport_type LIKE ? /* sport_type */
    AND start_ts_local IS NOT NULL
    AND NOT coalesce(start_time_hidden, false)
)
SELECT weekday, hour, count(*) AS activities, round(sum(moving_s) / 3600e0, 2) AS moving_h
FROM starts
GROUP BY weekday, hour
ORDER BY weekday, hour
