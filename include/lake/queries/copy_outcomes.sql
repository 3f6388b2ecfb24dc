-- How do the copies of the athlete's activities end, child by child?
--
-- A copy whose original was renamed or deleted later counts, but not in the mean time: its row says when that was seen,
-- no longer when it was made.
--
-- parameter athlete_id bigint: the parent
-- column child_id bigint: the child's athlete id
-- column state varchar: done, duplicate (there already), failed, skipped, unfinished; all others: not over
-- column copies bigint: number of copies
-- column mean_s double [s]: mean time from the title that named the child to the end; null where a copy may still be made
-- column first_day date: day of the first activity, in UTC
-- column last_day date: day of the latest activity

SELECT
  child_id,
  state,
  count(*) AS copies,
  round(
    avg(
      CASE
        WHEN state IN ('done', 'duplicate') AND original = 'named' THEN date_diff('second', planned_at, updated_at)
      END
    ),
    1
  ) AS mean_s,
  min(CAST(activity_start_ts AS date)) AS first_day,
  max(CAST(activity_start_ts AS date)) AS last_day
FROM copies
WHERE parent_id = ? /* athlete_id */
GROUP BY child_id, state
ORDER BY child_id, state
