-- What planning may run of others: functions whose owner is neither a superuser nor this role, and the operators, types, tables
-- and views that lead to them. Planning folds constants, and calls for that whatever says that it is immutable, with the
-- rights of the role that plans; so statements that name one of these are not planned. Volatile ones count as well, since
-- their owner may change that at any moment. Operators are named where they could stand for one of the server's types; those of
-- other types are found by the type. Tables of which a plan would take more locks than a quarter of the server's
-- lock table (by partitions and their indexes) are listed too, as why = locks. schema, name: as the catalog has them.
-- timeout: 5000
-- columns: schema text, name text, is_operator bool, why text
WITH RECURSIVE owners AS MATERIALIZED (
	SELECT r.oid FROM pg_catalog.pg_roles r WHERE NOT r.rolsuper AND r.rolname <> CURRENT_USER
), up(relid, root, depth) AS (
	SELECT h.inhrelid, h.inhparent, 1 FROM pg_catalog.pg_inherits h
	UNION ALL
	SELECT up.relid, h.inhparent, up.depth + 1 FROM up JOIN pg_catalog.pg_inherits h ON h.inhrelid = up.root WHERE up.depth < 10
), wide AS MATERIALIZED (
	SELECT up.root AS oid
	  FROM up CROSS JOIN LATERAL (SELECT pg_catalog.count(*) AS n FROM pg_catalog.pg_index i WHERE i.indrelid = up.relid) AS ix
	 GROUP BY up.root
	HAVING pg_catalog.sum(1 + ix.n) * 4 > pg_catalog.current_setting('max_locks_per_transaction')::int8
	       * (pg_catalog.current_setting('max_connections')::int8 + pg_catalog.current_setting('max_prepared_transactions')::int8)
), reach(class, oid, why) AS (
	SELECT 1255::oid, p.oid, 'function'::text
	  FROM pg_catalog.pg_proc p
	 WHERE p.proowner IN (SELECT owners.oid FROM owners) AND p.prokind IN ('f', 'w') AND p.prorettype NOT IN (2279, 3838)
	   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e WHERE e.classid = 1255 AND e.objid = p.oid AND e.deptype = 'e')
	UNION
	SELECT 1259::oid, w.oid, 'locks' FROM wide w
	UNION
	SELECT x.class, x.oid, r.why
	  FROM reach r CROSS JOIN LATERAL (
	       SELECT d.classid, d.objid FROM pg_catalog.pg_depend d
	        WHERE d.refclassid = r.class AND d.refobjid = r.oid
	          AND (d.classid IN (2618, 3256, 1255)
	               OR r.class <> 1259
	               AND d.classid IN (1259, 2617, 2605,
	                                 1247, 2606,
	                                 2604, 3381))
	       UNION ALL
	       SELECT 1259, w.ev_class FROM pg_catalog.pg_rewrite w WHERE r.class = 2618 AND w.oid = r.oid
	       UNION ALL
	       SELECT 1259, p.polrelid FROM pg_catalog.pg_policy p WHERE r.class = 3256 AND p.oid = r.oid
	       UNION ALL
	       SELECT 1259, a.adrelid FROM pg_catalog.pg_attrdef a WHERE r.class = 2604 AND a.oid = r.oid
	       UNION ALL
	       SELECT 1259, s.stxrelid FROM pg_catalog.pg_statistic_ext s WHERE r.class = 3381 AND s.oid = r.oid
	       UNION ALL
	       SELECT 1259, i.indrelid FROM pg_catalog.pg_index i WHERE r.class = 1259 AND i.indexrelid = r.oid
	       UNION ALL
	       SELECT 1259, h.inhparent FROM pg_catalog.pg_inherits h WHERE r.class = 1259 AND h.inhrelid = r.oid
	       UNION ALL
	       SELECT 1247, u.oid FROM pg_catalog.pg_operator o CROSS JOIN LATERAL (VALUES (o.oprleft), (o.oprright)) AS u(oid)
	        WHERE r.class = 2617 AND o.oid = r.oid AND u.oid >= 16384
	       UNION ALL
	       SELECT u.class, u.oid
	         FROM pg_catalog.pg_constraint k
	        CROSS JOIN LATERAL (VALUES (1259, k.conrelid), (1247, k.contypid)) AS u(class, oid)
	        WHERE r.class = 2606 AND k.oid = r.oid AND u.oid <> 0
	       UNION ALL
	       SELECT 1247, u.oid FROM pg_catalog.pg_cast c CROSS JOIN LATERAL (VALUES (c.castsource), (c.casttarget)) AS u(oid)
	        WHERE r.class = 2605 AND c.oid = r.oid AND u.oid >= 16384) AS x(class, oid)
)
SELECT n.nspname AS schema, o.name, o.is_operator, pg_catalog.min(o.why) AS why
  FROM (SELECT p.pronamespace AS space, p.proname AS name, false AS is_operator, r.why
          FROM reach r JOIN pg_catalog.pg_proc p ON r.class = 1255 AND p.oid = r.oid
        UNION ALL
        SELECT c.relnamespace, c.relname, false, r.why
          FROM reach r JOIN pg_catalog.pg_class c ON r.class = 1259 AND c.oid = r.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        UNION ALL
        SELECT t.typnamespace, t.typname, false, r.why
          FROM reach r JOIN pg_catalog.pg_type t ON r.class = 1247 AND t.oid = r.oid
        UNION ALL
        SELECT o.oprnamespace, o.oprname, true, r.why
          FROM reach r JOIN pg_catalog.pg_operator o ON r.class = 2617 AND o.oid = r.oid AND o.oprleft < 16384 AND o.oprright < 16384) AS o
  JOIN pg_catalog.pg_namespace n ON n.oid = o.space
 GROUP BY n.nspname, o.name, o.is_operator
 ORDER BY n.nspname, o.name, o.is_operator
 LIMIT 20000
