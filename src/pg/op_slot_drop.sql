-- Drops a physical slot that nobody uses. $1: its name.
-- timeout: 10000
-- privilege: REPLICATION
-- act: yes
-- params: 1
-- columns: slot_name text, dropped text
SELECT s.slot_name, pg_catalog.pg_drop_replication_slot(s.slot_name)::text AS dropped
  FROM pg_catalog.pg_replication_slots s
 WHERE s.slot_name = $1::name AND s.slot_type = 'physical' AND NOT s.active
