-- Queries cancelled by recovery on a standby, per database.
-- timeout: 1000
-- columns: datid int, datname text, tablespace int, lock int, snapshot int, bufferpin int, deadlock int, logical_slot int
SELECT c.datid, c.datname, c.confl_tablespace AS tablespace, c.confl_lock AS lock,
       c.confl_snapshot AS snapshot, c.confl_bufferpin AS bufferpin, c.confl_deadlock AS deadlock,
       /*if pg_stat_database_conflicts.confl_active_logicalslot*/c.confl_active_logicalslot/*else NULL::int8*/ AS logical_slot
  FROM pg_catalog.pg_stat_database_conflicts c
 WHERE pg_catalog.pg_is_in_recovery()
 LIMIT 1000
