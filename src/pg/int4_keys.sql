-- How far the sequences of this database have gone towards their end, or towards that of the integer column that they fill,
-- whichever comes first; the furthest 50. Reads the one page of each sequence, under a lock that only ALTER and DROP
-- SEQUENCE conflict with. Sequences that go down, go round, or that the role may not read are left out; so are those
-- not logged, whose pages a standby does not have.
-- timeout: 2000
-- columns: kind text, name text, type text, last_value int, max_value int, used_pct float
SELECT u.kind, u.name, u.type, u.last_value, u.max_value,
       100 * u.last_value::float8 / u.max_value::float8 AS used_pct
  FROM (SELECT CASE WHEN a.attrelid IS NULL THEN 'sequence' ELSE 'column' END AS kind,
               CASE WHEN a.attrelid IS NULL THEN n.nspname || '.' || c.relname
                    ELSE tn.nspname || '.' || t.relname || '.' || a.attname END AS name,
               pg_catalog.format_type(COALESCE(a.atttypid, s.seqtypid), NULL) AS type,
               pg_catalog.pg_sequence_last_value(s.seqrelid) AS last_value,
               LEAST(s.seqmax, CASE a.atttypid WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 END) AS max_value
          FROM pg_catalog.pg_sequence s
          JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_catalog.pg_depend d ON d.classid = 1259 AND d.objid = c.oid AND d.objsubid = 0
                                          AND d.refclassid = 1259 AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
          LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
          LEFT JOIN pg_catalog.pg_class t ON t.oid = a.attrelid
          LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
         WHERE s.seqincrement > 0 AND NOT s.seqcycle AND c.relpersistence = 'p'
           AND pg_catalog.has_sequence_privilege(s.seqrelid, 'SELECT,USAGE')
         LIMIT 5000) u
 WHERE u.last_value IS NOT NULL AND u.max_value > 0
 ORDER BY 6 DESC
 LIMIT 50
