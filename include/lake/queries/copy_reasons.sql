-- Why did copies of the athlete's activities not reach a child?
--
-- The reasons are in the words that the athlete reads.
--
-- parameter athlete_id bigint: the parent
-- column state varchar: failed (refused by Strava), skipped (not to be copied), unfinished (given up), waiting_for_access
-- column reason varchar: why
-- column copies bigint: number of copies
-- column children bigint: number of children who lack them
-- column last_day date: day of the latest activity, in UTC

SELECT
  state,
  coalesce(reason, '') AS reason,
  count(*) AS copies,
  count(DISTINCT child_id) AS children,
  max(CAST(activity_start_ts AS date)) AS last_day
FROM copies
WHERE parent_id = ? /* athlete_id */
  AND state IN ('failed', 'skipped', 'unfinished', 'waiting_for_access')
GROUP BY state, coalesce(reason, '')
ORDER BY copies DESC, state, reason
