-- Tablespaces and where they are; only the links in pg_tblspc are looked at.
-- timeout: 1000
-- columns: oid int, name text, location text
SELECT t.oid, t.spcname AS name, NULLIF(pg_catalog.pg_tablespace_location(t.oid), '') AS location
  FROM pg_catalog.pg_tablespace t
 ORDER BY t.spcname
 LIMIT 200
