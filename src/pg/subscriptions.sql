-- Logical subscriptions of this database: the leader worker of each, and its tables that are not ready.
-- PostgreSQL 13 lets nobody but superusers read the oid of a subscription (14, which has substream, does): there the name joins.
-- timeout: 1000
-- columns: now time, subname text, enabled bool, pid int, received_lsn int, latest_end_lsn int, last_msg_send_time time, last_msg_receipt_time time, latest_end_time time, apply_errors int, sync_errors int, tables int, tables_not_ready int, slot_name text
SELECT pg_catalog.now() AS now, s.subname, s.subenabled AS enabled, w.pid, w.received_lsn, w.latest_end_lsn,
       w.last_msg_send_time, w.last_msg_receipt_time, w.latest_end_time,
       /*if pg_stat_subscription_stats.apply_error_count*/e.apply_error_count/*else NULL::int8*/ AS apply_errors,
       /*if pg_stat_subscription_stats.apply_error_count*/e.sync_error_count/*else NULL::int8*/ AS sync_errors,
       (SELECT count(*) FROM pg_catalog.pg_subscription_rel r WHERE r.srsubid = /*if pg_subscription.substream*/s.oid/*else w.subid*/) AS tables,
       (SELECT count(*) FROM pg_catalog.pg_subscription_rel r WHERE r.srsubid = /*if pg_subscription.substream*/s.oid/*else w.subid*/ AND r.srsubstate <> 'r') AS tables_not_ready,
       s.subslotname AS slot_name
  FROM pg_catalog.pg_subscription s
  LEFT JOIN pg_catalog.pg_stat_subscription w ON /*if pg_subscription.substream*/w.subid = s.oid/*else w.subname = s.subname*/ AND w.relid IS NULL
       /*if pg_stat_subscription.leader_pid*/AND w.leader_pid IS NULL/*else*/
  /*if pg_stat_subscription_stats.apply_error_count*/LEFT JOIN pg_catalog.pg_stat_subscription_stats e ON e.subid = s.oid/*else*/
 WHERE s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
 ORDER BY s.subname
 LIMIT 1000
