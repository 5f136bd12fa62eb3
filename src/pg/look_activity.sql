-- Everything about one session, for the detail view: the whole text, and whom the server itself says it waits for.
-- No row when the session has ended (the pid may belong to another one by now: backend_start tells).
-- $1: pid, $2: backend_start (RFC 3339 with microseconds).
-- timeout: 2000
-- privilege: pg_read_all_stats
-- params: 2
-- columns: now time, pid int, backend_start time, backend_type text, leader_pid int, database text, user text, application text, client text, client_hostname text, client_port int, ssl bool, ssl_version text, ssl_cipher text, state text, wait_type text, wait_event text, xact_start time, query_start time, state_change time, backend_xid int, backend_xmin int, xmin_age int, query_id int, blocked_by ints, safe_snapshot_blocked_by ints, text_limit int, query text
SELECT pg_catalog.clock_timestamp() AS now, s.pid, s.backend_start, s.backend_type, s.leader_pid, d.datname AS database,
       r.rolname AS user, s.application_name AS application,
       CASE WHEN s.client_addr IS NOT NULL THEN pg_catalog.host(s.client_addr)
            WHEN s.client_port = -1 THEN '[local]' END AS client,
       s.client_hostname, s.client_port, s.ssl, s.sslversion AS ssl_version, s.sslcipher AS ssl_cipher, s.state,
       s.wait_event_type AS wait_type, s.wait_event, s.xact_start, s.query_start, s.state_change,
       s.backend_xid, s.backend_xmin, pg_catalog.age(s.backend_xmin)::pg_catalog.int8 AS xmin_age,
       /*if pg_stat_get_activity().query_id*/s.query_id/*else NULL::pg_catalog.int8*/ AS query_id,
       pg_catalog.pg_blocking_pids(s.pid) AS blocked_by,
       pg_catalog.pg_safe_snapshot_blocking_pids(s.pid) AS safe_snapshot_blocked_by,
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('track_activity_query_size')) AS text_limit,
       pg_catalog.textsend(s.query) AS query
  FROM pg_catalog.pg_stat_get_activity($1::pg_catalog.int4) AS s
  LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.datid
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.usesysid
 WHERE s.backend_start = $2::pg_catalog.timestamptz OR s.backend_start IS NULL
 LIMIT 1
