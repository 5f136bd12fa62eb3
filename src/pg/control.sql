-- The identity of the cluster, from its control file. In a group of its own: managed servers may refuse it.
-- timeout: 1000
-- columns: system_identifier int, timeline int
SELECT s.system_identifier, c.timeline_id AS timeline
  FROM pg_catalog.pg_control_system() s, pg_catalog.pg_control_checkpoint() c
