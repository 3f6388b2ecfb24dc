-- How far has each bike and pair of shoes gone?
--
-- parameter athlete_id bigint: the athlete
-- column gear_id varchar: Strava's id of the bike (b…) or shoes (g…); activities without gear are left out
-- column activities bigint: number of activities
-- column distance_km double [km]: distance
-- column moving_h double [h]: time in motion
-- column first_day date: first use, by the athlete's wall clock
-- column last_day date: latest use

SELECT
  gear_id,
  count(*) AS activities,
  round(sum(coalesce(distance_m, 0e0)) / 1000, 1) AS distance_km,
  round(sum(coalesce(moving_s, 0)) / 3600e0, 2) AS moving_h,
  min(CAST(coalesce(start_ts_local, start_ts_utc) AS date)) AS first_day,
  max(CAST(coalesce(start_ts_local, start_ts_utc) AS date)) AS last_day
FROM activities
WHERE athlete_id = ? /* athlete_id */
  AND gear_id IS NOT NULL
GROUP BY gear_id
ORDER BY distance_km DESC, gear_id
