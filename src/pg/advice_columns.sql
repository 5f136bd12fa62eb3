-- Columns of the tables that index advice may be about, with the statistics that this role may see. Common values and
-- histograms only of tables of some size, and not of columns whose values are very long. n_distinct as in pg_stats:
-- negative is a share of the rows; NULL: no statistics. c_collation: compared bytewise. equal_image: equal values are the
-- same bytes, which is what lets a B-tree deduplicate. has_opclass: a B-tree can have it. mcv, mcf and hist: texts of arrays.
-- timeout: 10000
-- columns: relid int, attnum int, name text, type text, typlen int, typalign text, not_null bool, has_opclass bool, equal_image bool,
-- c_collation bool, n_distinct float, null_frac float, width int, correlation float, mcv text, mcf text, hist text
WITH wanted AS MATERIALIZED (
	SELECT c.oid, c.relname, n.nspname, c.relkind, c.relpages >= 64 OR c.relkind = 'p' AS with_values
	  FROM pg_catalog.pg_class c
	  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	 WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't'
	   AND n.nspname NOT IN ('pg_catalog', 'information_schema')
	 ORDER BY c.relpages DESC, c.oid
	 LIMIT 5000
), types AS MATERIALIZED (
	SELECT t.oid,
	       CASE WHEN b.oid = 1043 THEN 25 WHEN b.typtype = 'e' THEN 3500 WHEN b.typtype = 'r' THEN 3831
	            WHEN b.typcategory = 'A' AND b.typelem <> 0 AND b.typlen = -1 THEN 2277 WHEN b.typtype = 'c' THEN 2249 ELSE b.oid END AS intype
	  FROM pg_catalog.pg_type t
	  JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
), classes AS MATERIALIZED (
	SELECT o.opcintype,
	       (SELECT p.amproc::oid FROM pg_catalog.pg_amproc p
	         WHERE p.amprocfamily = o.opcfamily AND p.amproclefttype = o.opcintype AND p.amprocrighttype = o.opcintype AND p.amprocnum = 4) AS image
	  FROM pg_catalog.pg_opclass o WHERE o.opcmethod = 403 AND o.opcdefault
)
SELECT w.oid AS relid, a.attnum, a.attname AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
       a.attlen AS typlen, a.attalign AS typalign, a.attnotnull AS not_null, k.opcintype IS NOT NULL AS has_opclass,
       COALESCE(k.image IS NOT NULL AND COALESCE(l.collisdeterministic, true), false) AS equal_image,
       COALESCE(l.collname IN ('C', 'POSIX', 'ucs_basic')
                OR (a.attcollation = 100 AND (SELECT d.datcollate FROM pg_catalog.pg_database d
                                               WHERE d.datname = pg_catalog.current_database()) IN ('C', 'POSIX')), false) AS c_collation,
       s.n_distinct, s.null_frac, s.avg_width AS width, s.correlation,
       CASE WHEN w.with_values AND s.avg_width < 500 THEN s.most_common_vals::text END AS mcv,
       CASE WHEN w.with_values AND s.avg_width < 500 THEN s.most_common_freqs::text END AS mcf,
       CASE WHEN w.with_values AND s.avg_width < 500 THEN s.histogram_bounds::text END AS hist
  FROM wanted w
  JOIN pg_catalog.pg_attribute a ON a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN types t ON t.oid = a.atttypid
  LEFT JOIN classes k ON k.opcintype = t.intype
  LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
  LEFT JOIN pg_catalog.pg_stats s ON s.schemaname = w.nspname AND s.tablename = w.relname AND s.attname = a.attname
                                 AND s.inherited = (w.relkind = 'p')
 ORDER BY w.oid, a.attnum
 LIMIT 50000
