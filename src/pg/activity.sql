-- Every backend and background process, straight from shared memory: no catalog is read, names are resolved by the client.
-- Statement texts are cut as bytes, before anything looks at their encoding: a session of another
-- database may hold bytes that are invalid here, and left() ends in an error on those.
-- $1: bytes of statement text to keep.
-- timeout: 2000
-- privilege: pg_read_all_stats
-- params: 1
-- columns: now time, pid int, datid int, usesysid int, application text, client text, backend_start time, xact_start time, query_start time, state_change time, state text, wait_type text, wait_event text, backend_xid int, backend_xmin int, backend_type text, leader_pid int, query_id int, ssl bool, query text
SELECT pg_catalog.statement_timestamp() AS now, s.pid, s.datid, s.usesysid, s.application_name AS application,
       CASE WHEN s.client_addr IS NOT NULL THEN pg_catalog.host(s.client_addr)
            WHEN s.client_port = -1 THEN '[local]' END AS client,
       s.backend_start, s.xact_start, s.query_start, s.state_change, s.state,
       s.wait_event_type AS wait_type, s.wait_event, s.backend_xid, s.backend_xmin, s.backend_type, s.leader_pid,
       /*if pg_stat_get_activity().query_id*/s.query_id/*else NULL::pg_catalog.int8*/ AS query_id, s.ssl,
       pg_catalog.substr(pg_catalog.textsend(s.query), 1, $1::pg_catalog.int4) AS query
  FROM pg_catalog.pg_stat_get_activity(NULL) AS s
 LIMIT 20000
