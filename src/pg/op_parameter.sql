-- One parameter for `set`: what it is, who may change it, what says otherwise, and the statements, quoted by the server.
-- Parameters that are lists of names are quoted one by one: given as one text, a list of two libraries would be one
-- library with a comma in its name, and the server would not start again. (The list of them is pg_dump's.)
-- $1: name; $2: new value, NULL for the default; $3: what ALTER SYSTEM had set before, NULL nothing
-- timeout: 3000
-- params: 3
-- columns: name text, setting text, unit text, short_desc text, context text, vartype text, source text, min_val text,
-- max_val text, enumvals text, boot_val text, reset_val text, sourcefile text, sourceline int, pending_restart bool,
-- is_list bool, may_set bool, may_reload bool, is_rds bool, is_allowed bool, overrides text, loaded_at time, now time,
-- statement text, undo text
WITH p AS (
        SELECT s.*, s.name IN ('local_preload_libraries', 'search_path', 'session_preload_libraries',
                               'shared_preload_libraries', 'temp_tablespaces', 'unix_socket_directories') AS is_list
          FROM pg_catalog.pg_settings s
         WHERE s.name = $1::text OR pg_catalog.lower(s.name) = pg_catalog.lower($1::text)
         LIMIT 1),
     me AS (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER)
SELECT p.name,
       CASE WHEN p.source = 'session' THEN p.reset_val ELSE p.setting END AS setting,
       p.unit, p.short_desc, p.context, p.vartype, p.source, p.min_val, p.max_val,
       pg_catalog.array_to_string(p.enumvals, ', ') AS enumvals, p.boot_val, p.reset_val, p.sourcefile,
       p.sourceline::int8 AS sourceline, p.pending_restart, p.is_list,
       me.rolsuper OR /*if has_parameter_privilege()*/pg_catalog.has_parameter_privilege(p.name, 'ALTER SYSTEM')/*else false*/ AS may_set,
       pg_catalog.has_function_privilege('pg_catalog.pg_reload_conf()', 'EXECUTE') AS may_reload,
       EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = 'rds_superuser') AS is_rds,
       COALESCE(pg_catalog.current_setting('allow_alter_system', true), 'on') = 'on' AS is_allowed,
       (SELECT pg_catalog.string_agg(
                   CASE WHEN d.setrole <> 0 AND d.setdatabase <> 0 THEN 'role ' || d.setrole::regrole || ' in database ' || b.datname
                        WHEN d.setrole <> 0 THEN 'role ' || d.setrole::regrole
                        WHEN d.setdatabase <> 0 THEN 'database ' || b.datname
                        ELSE 'all roles' END || ' (' || pg_catalog.substr(c.one, pg_catalog.length(p.name) + 2) || ')', ', ')
          FROM pg_catalog.pg_db_role_setting d
          LEFT JOIN pg_catalog.pg_database b ON b.oid = d.setdatabase
         CROSS JOIN LATERAL pg_catalog.unnest(d.setconfig) AS c (one)
         WHERE pg_catalog.starts_with(c.one, p.name || '=')) AS overrides,
       pg_catalog.pg_conf_load_time() AS loaded_at, pg_catalog.clock_timestamp() AS now,
       CASE WHEN $2::text IS NULL THEN pg_catalog.format('ALTER SYSTEM RESET %I', p.name)
            WHEN p.is_list THEN pg_catalog.format('ALTER SYSTEM SET %I = %s', p.name,
                 (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(pg_catalog.btrim(e.one, ' "')), ', ')
                    FROM pg_catalog.unnest(pg_catalog.string_to_array($2::text, ',')) AS e (one)))
            ELSE pg_catalog.format('ALTER SYSTEM SET %I = %L', p.name, $2::text) END AS statement,
       CASE WHEN $3::text IS NULL THEN pg_catalog.format('ALTER SYSTEM RESET %I', p.name)
            WHEN p.is_list THEN pg_catalog.format('ALTER SYSTEM SET %I = %s', p.name,
                 (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(pg_catalog.btrim(e.one, ' "')), ', ')
                    FROM pg_catalog.unnest(pg_catalog.string_to_array($3::text, ',')) AS e (one)))
            ELSE pg_catalog.format('ALTER SYSTEM SET %I = %L', p.name, $3::text) END AS undo
  FROM p CROSS JOIN me
