-- Does the lake hold what Strava lists, month by month, and since when is that known?
--
-- Months are those of the start in UTC. More held than listed are activities that the athlete has hidden or deleted since,
-- or that have come since the list. Fewer held are those that wait to be fetched, that retention has deleted, or that are
-- older than the connection and were never asked for with a backfill.
--
-- parameter athlete_id bigint: the athlete
-- column calendar_year integer: year
-- column calendar_month integer: month, 1 to 12; months that neither Strava nor the lake has anything of have no row
-- column listed bigint: activities that Strava's list showed; null where no list has shown the whole month yet
-- column held_then bigint: activities that the lake held at that time
-- column held_now bigint: activities that the lake holds now
-- column compared_at timestamp: when the list was asked for, in UTC

WITH counts AS (
  SELECT athlete_id, year, month, listed_count, held_count, compared_at, 0 AS held_now
  FROM freshness
  UNION ALL
  SELECT
    athlete_id,
    year,
    CAST(extract(MONTH FROM start_ts_utc) AS integer) AS month,
    NULL AS listed_count,
    NULL AS held_count,
    NULL AS compared_at,
    1 AS held_now
  FROM activities
)
SELECT
  year AS calendar_year,
  month AS calendar_month,
  CAST(max(listed_count) AS bigint) AS listed,
  CAST(max(held_count) AS bigint) AS held_then,
  CAST(sum(held_now) AS bigint) AS held_now,
  max(compared_at) AS compared_at
FROM counts
WHERE athlete_id = ? /* athlete_id */
GROUP BY year, month
HAVING max(listed_count) > 0 OR sum(held_now) > 0
ORDER BY year, month
