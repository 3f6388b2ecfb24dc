-- How does each year compare with the year before, at the same point in the year?
--
-- parameter athlete_id bigint: the athlete
-- parameter sport_type varchar = %: a pattern of sports: Run, %Run, %Ride; % is all
-- column calendar_year integer: year, by the athlete's wall clock
-- column calendar_month integer: month, 1 to 12; every one from the first activity to the last, empty ones too
-- column activities bigint: number of activities in the month; 0 in an empty one
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
twelve (calendar_month) AS (
  VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12)
),
years AS (
  SELECT calendar_year FROM months
  UNION
  SELECT calendar_year + 1 AS calendar_year FROM months
),
span AS (
  SELECT min(12 * calendar_year + calendar_month) AS first_month, max(12 * calendar_year + calendar_month) AS last_month
  FROM months
),
running AS (
  SELECT
    y.calendar_year,
    t.calendar_month,
    coalesce(m.activities, 0) AS activities,
    coalesce(m.distance_m, 0e0) AS distance_m,
    sum(coalesce(m.distance_m, 0e0)) OVER (PARTITION BY y.calendar_year ORDER BY t.calendar_month) AS to_date_m
  FROM years AS y
  CROSS JOIN twelve AS t
  JOIN span AS s ON 12 * y.calendar_year + t.calendar_month BETWEEN s.first_month AND s.last_month
  LEFT JOIN months AS m ON m.calendar_year = y.calendar_year AND m.calendar_month = t.calendar_month
)
SELECT
  r.calendar_year,
  r.calendar_month,
  r.activities,
  round(r.distance_m / 1000, 1) AS distance_km,
  round(r.to_date_m / 1000, 1) AS year_to_date_km,
  round(coalesce(b.to_date_m, 0e0) / 1000, 1) AS last_year_to_date_km
FROM running AS r
LEFT JOIN running AS b ON b.calendar_year = r.calendar_year - 1 AND b.calendar_month = r.calendar_month
ORDER BY r.calendar_year, r.calendar_month
