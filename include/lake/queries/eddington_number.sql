-- What is the athlete's Eddington number: the largest E with at least E kilometres on at least E days?
--
-- parameter athlete_id bigint: the athlete
-- parameter sport_type varchar = %Ride: a pattern of sports: Ride, %Ride, %Run; % is all
-- parameter unit_m double = 1000: length of the unit; 1609.344 counts in miles
-- column eddington bigint: the number; no row without an activity
-- column next_number bigint: the number after it
-- column days_so_far bigint [d]: days that are long enough for the next number
-- column days_missing bigint [d]: how many more of them it takes

WITH days AS (
  SELECT
    CAST(coalesce(start_ts_local, start_ts_utc) AS date) AS local_day,
    sum(coalesce(distance_m, 0e0)) AS distance_m
  FROM activities
  WHERE athlete_id = ? /* athlete_id */
    AND sport_type LIKE ? /* sport_type */
  GROUP BY 1
),
units AS (
  SELECT local_day, distance_m / ? /* unit_m */ AS units
  FROM days
),
placed AS (
  SELECT units, row_number() OVER (ORDER BY units DESC, local_day) AS place
  FROM units
),
number AS (
  SELECT coalesce(max(place), 0) AS eddington
  FROM placed
  WHERE units >= place
),
counted AS (
  SELECT n.eddington, n.eddington + 1 AS next_number, u.units
  FROM number AS n
  CROSS JOIN units AS u
)
SELECT
  eddington,
  next_number,
  CAST(sum(CASE WHEN units >= next_number THEN 1 ELSE 0 END) AS bigint) AS days_so_far,
  CAST(next_number - sum(CASE WHEN units >= next_number THEN 1 ELSE 0 END) AS bigint) AS days_missing
FROM counted
GROUP BY eddington, next_number
