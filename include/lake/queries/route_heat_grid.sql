-- Where does the athlete go most often?
--
-- parameter athlete_id bigint: the athlete
-- parameter sport_type varchar = %: a pattern of sports: Run, %Run, %Ride; % is all
-- parameter since date = 1970-01-01: first day
-- parameter until date = 9999-12-31: last day
-- parameter cell_deg double = 0.001: side of a cell of the grid, in degrees; 0.001 is 111 m from south to north
-- column lat double [deg]: middle of the cell, WGS84 latitude
-- column lon double [deg]: middle of the cell, WGS84 longitude
-- column activities bigint: activities that went through the cell; cells without any have no row
-- column points bigint: samples in the cell

WITH points AS (
  SELECT a.activity_id, s.lat, s.lon
  FROM activities AS a
  JOIN streams AS s ON s.athlete_id = a.athlete_id AND s.year = a.year AND s.activity_id = a.activity_id
  WHERE a.athlete_id = ? /* athlete_id */
    AND a.sport_type LIKE ? /* sport_type */
    AND CAST(coalesce(a.start_ts_local, a.start_ts_utc) AS date) BETWEEN ? /* since */ AND ? /* until */
    AND s.lat IS NOT NULL
    AND s.lon IS NOT NULL
),
grid AS (
  SELECT CAST(? /* cell_deg */ AS double) AS cell_deg
),
cells AS (
  SELECT
    p.activity_id,
    g.cell_deg,
    floor(p.lat / g.cell_deg) AS lat_cell,
    floor(p.lon / g.cell_deg) AS lon_cell
  FROM points AS p
  CROSS JOIN grid AS g
)
SELECT
  round((lat_cell + 0.5e0) * cell_deg, 6) AS lat,
  round((lon_cell + 0.5e0) * cell_deg, 6) AS lon,
  count(DISTINCT activity_id) AS activities,
  count(*) AS points
FROM cells
GROUP BY lat_cell, lon_cell, cell_deg
ORDER BY activities DESC, points DESC, lat, lon
