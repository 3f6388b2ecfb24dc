-- How much does the athlete climb, and how hilly is it?
--
-- parameter athlete_id bigint: the athlete
-- parameter sport_type varchar = %: a pattern of sports: Run, %Run, %Ride; % is all
-- column month_start date: the month's first day, by the athlete's wall clock; months without an activity have no row
-- column activities bigint: number of activities
-- column elevation_gain_m double [m]: sum of all climbs
-- column gain_m_per_km double [m/km]: climb for each kilometre; null without distance
-- column biggest_gain_m double [m]: the most in one activity
-- column highest_m double [m]: highest altitude; null where no activity recorded one
-- column gain_this_year_m double [m]: sum of all climbs since January; a month without a row has added nothing

WITH months AS (
  SELECT
    CAST(date_trunc('month', coalesce(start_ts_local, start_ts_utc)) AS date) AS month_start,
    count(*) AS activities,
    sum(coalesce(total_elevation_gain_m, 0e0)) AS gain_m,
    sum(coalesce(distance_m, 0e0)) AS distance_m,
    max(coalesce(total_elevation_gain_m, 0e0)) AS biggest_gain_m,
    max(elev_high_m) AS highest_m
  FROM activities
  WHERE athlete_id = ? /* athlete_id */
    AND sport_type LIKE ? /* sport_type */
  GROUP BY 1
)
SELECT
  month_start,
  activities,
  round(gain_m, 0) AS elevation_gain_m,
  round(1000 * gain_m / nullif(distance_m, 0e0), 1) AS gain_m_per_km,
  round(biggest_gain_m, 0) AS biggest_gain_m,
  round(highest_m, 0) AS highest_m,
  round(sum(gain_m) OVER (PARTITION BY extract(YEAR FROM month_start) ORDER BY month_start), 0) AS gain_this_year_m
FROM months
ORDER BY month_start
