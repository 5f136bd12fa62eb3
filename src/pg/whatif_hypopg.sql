-- Is HypoPG here, and may this role use it? pg_hint_plan beside it has crashed servers.
-- timeout: 2000
-- columns: schema text, version text, available text, may_use bool, may_call bool, can_hide bool, has_hints bool
SELECT (SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_namespace n WHERE n.oid = e.extnamespace) AS schema,
       e.extversion AS version,
       (SELECT a.default_version FROM pg_catalog.pg_available_extensions a WHERE a.name = 'hypopg') AS available,
       pg_catalog.has_schema_privilege(e.extnamespace, 'USAGE') AS may_use,
       (SELECT pg_catalog.bool_and(pg_catalog.has_function_privilege(p.oid, 'EXECUTE')) FROM pg_catalog.pg_proc p
         WHERE p.pronamespace = e.extnamespace AND p.proname IN ('hypopg_create_index', 'hypopg_drop_index', 'hypopg_reset')) AS may_call,
       EXISTS (SELECT 1 FROM pg_catalog.pg_proc p
                WHERE p.pronamespace = e.extnamespace AND p.proname = 'hypopg_hide_index'
                   AND EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 1255 AND d.objid = p.oid AND d.deptype = 'e')) AS can_hide,
       pg_catalog.current_setting('pg_hint_plan.enable_hint', true) IS NOT NULL AS has_hints
  FROM (VALUES ('hypopg')) AS v(name)
  LEFT JOIN pg_catalog.pg_extension e ON e.extname = v.name
