-- How much does the athlete do each week, and is it more than before?
--
-- parameter athlete_id bigint: the athlete
-- parameter sport_type varchar = %: a pattern of sports: Run, %Run, %Ride; % is all
-- column week_start date: the week's Monday, by the athlete's wall clock; weeks without an activity have no row
-- column activities bigint: number of activities
-- column distance_km double [km]: distance
-- column moving_h double [h]: time in motion
-- column elevation_gain_m double [m]: sum of all climbs
-- column mean_4_weeks_km double [km]: distance a week, over this week and the three before it, empty ones included
-- column change_pct double [%]: those four weeks against the four before them; null where there was nothing

WITH weeks AS (
  SELECT
    CAST(date_trunc('week', coalesce(start_ts_local, start_ts_utc)) AS date) AS week_start,
    count(*) AS activities,
    sum(coalesce(distance_m, 0e0)) AS distance_m,
    sum(coalesce(moving_s, 0)) AS moving_s,
    sum(coalesce(total_elevation_gain_m, 0e0)) AS elevation_gain_m
  FROM activities
  WHERE athlete_id = ? /* athlete_id */
    AND sport_type LIKE ? /* sport_type */
  GROUP BY 1
),
numbered AS (
  SELECT weeks.*, CAST(floor(date_diff('day', DATE '1970-01-05', week_start) / 7e0) AS bigint) AS week_number
  FROM weeks
),
trend AS (
  SELECT
    numbered.*,
    sum(distance_m) OVER (ORDER BY week_number RANGE BETWEEN 3 PRECEDING AND CURRENT ROW) AS last_4_weeks_m,
    sum(distance_m) OVER (ORDER BY week_number RANGE BETWEEN 7 PRECEDING AND 4 PRECEDING) AS weeks_before_m
  FROM numbered
)
SELECT
  week_start,
  activities,
  round(distance_m / 1000, 1) AS distance_km,
  round(moving_s / 3600e0, 2) AS moving_h,
  round(elevation_gain_m, 0) AS elevation_gain_m,
  round(last_4_weeks_m / 4000, 1) AS mean_4_weeks_km,
  round(100 * (last_4_weeks_m / nullif(weeks_before_m, 0e0) - 1), 1) AS change_pct
FROM trend
ORDER BY week_start
