-- Names of types, and of what the domains among them are made of. $1: oids.
-- timeout: 2000
-- params: 1
-- columns: oid int, name text, base text
SELECT t.oid, pg_catalog.format_type(t.oid, NULL) AS name,
       CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END AS base
  FROM pg_catalog.pg_type t
 WHERE t.oid = ANY ($1::oid[])
