-- How does each year compare with the year before, at the same point in the year?
--
-- parameter athlete_id bigint: the athlete
-- parameter sport_type varchar = %: a pattern of sports: Run, %Run, %Ride; % is all
-- column calendar_year integer: year, by the athlete's wall clock
-- column calendar_month integer: month, 1 to 12; months without an activity have no row
-- column activities bigint: number of activities in the month
-- column distance_km double [km]: distance in the month
-- column year_to_date_km double [km]: distance from January to the end of this month
-- column last_year_to_date_km double [km]: the same of the year before; 0 where there was nothing

WITH days AS (
  SELECT CAST(coalesce(start_ts_local, start_ts_utc) AS date) AS local_day, coalesce(distance_m, 0e0) AS distance_m
  FROM activities
  WHERE athlete_id = ? /* athlete_id */
    AND sport_type LIKE ? /* sport_type */
),
months AS (
  SELECT
    CAST(extract(YEAR FROM local_day) AS integer) AS calendar_year,
    CAST(extract(MONTH FROM local_day) AS integer) AS calendar_month,
    count(*) AS activities,
    sum(distance_m) AS distance_m
  FROM days
  GROUP BY 1, 2
),
running AS (
  SELECT
    months.*,
    sum(distance_m) OVER (PARTITION BY calendar_year ORDER BY calendar_month) AS to_date_m
  FROM months
)
SELECT
  r.calendar_year,
  r.calendar_month,
  r.activities,
  round(r.distance_m / 1000, 1) AS distance_km,
  round(r.to_date_m / 1000, 1) AS year_to_date_km,
  round(coalesce(sum(b.distance_m), 0e0) / 1000, 1) AS last_year_to_date_km
FROM running AS r
LEFT JOIN months AS b ON b.calendar_year = r.calendar_year - 1 AND b.calendar_month <= r.calendar_month
GROUP BY r.calendar_year, r.calendar_month, r.activities, r.distance_m, r.to_date_m
ORDER BY r.calendar_year, r.calendar_month
