-- How long does the athlete spend in each heart-rate zone?
--
-- A sample counts for the time since the sample before it; a gap of more than 10 s is a pause and counts for nothing.
-- A heart rate that cannot be, below 15 or above 300, is a sensor's slip and counts as none, and so is 255, which devices
-- write where there is none.
--
-- parameter athlete_id bigint: the athlete
-- parameter sport_type varchar = %: a pattern of sports: Run, %Run, %Ride; % is all
-- parameter since date = 1970-01-01: first day
-- parameter until date = 9999-12-31: last day
-- parameter max_heartrate_bpm integer = 190: the athlete's highest heart rate; zones start at 60, 70, 80, 90 % of it
-- column zone integer: 1 (below 60 %) to 5 (from 90 %); zones without any time have no row
-- column minutes double [min]: time in the zone
-- column share_pct double [%]: of the time with a heart rate
-- column mean_heartrate_bpm double [1/min]: mean heart rate in the zone

WITH samples AS (
  SELECT
    s.heartrate_bpm,
    s.time_s - lag(s.time_s) OVER (PARTITION BY a.activity_id ORDER BY s.point_index) AS gap_s
  FROM activities AS a
  JOIN streams AS s ON s.athlete_id = a.athlete_id AND s.year = a.year AND s.activity_id = a.activity_id
  WHERE a.athlete_id = ? /* athlete_id */
    AND a.sport_type LIKE ? /* sport_type */
    AND CAST(coalesce(a.start_ts_local, a.start_ts_utc) AS date) BETWEEN ? /* since */ AND ? /* until */
    AND s.time_s IS NOT NULL
),
shares AS (
  SELECT heartrate_bpm, gap_s, heartrate_bpm * 100e0 / ? /* max_heartrate_bpm */ AS share_of_max
  FROM samples
  WHERE heartrate_bpm BETWEEN 15 AND 300
    AND heartrate_bpm <> 255
    AND gap_s BETWEEN 1 AND 10
),
zones AS (
  SELECT
    CASE
      WHEN share_of_max < 60 THEN 1
      WHEN share_of_max < 70 THEN 2
      WHEN share_of_max < 80 THEN 3
      WHEN share_of_max < 90 THEN 4
      ELSE 5
    END AS zone,
    CAST(sum(gap_s) AS double) AS time_s,
    CAST(sum(heartrate_bpm * gap_s) AS double) AS beats
  FROM shares
  GROUP BY 1
)
SELECT
  zone,
  round(time_s / 60, 1) AS minutes,
  round(100 * time_s / sum(time_s) OVER (), 1) AS share_pct,
  round(beats / time_s, 1) AS mean_heartrate_bpm
FROM zones
ORDER BY zone
