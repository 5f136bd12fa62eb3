-- A physical slot that keeps WAL from now on, unless there is one of that name. $1: its name.
-- timeout: 10000
-- privilege: REPLICATION
-- act: yes
-- params: 1
-- columns: slot_name text
SELECT s.slot_name
  FROM (SELECT $1::name AS wanted WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_replication_slots o WHERE o.slot_name = $1::name)) w,
       LATERAL pg_catalog.pg_create_physical_replication_slot(w.wanted, true) s
