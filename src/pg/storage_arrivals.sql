-- When the rows of the twenty largest tables came, from the statistics of their date and time columns: the bounds of a
-- histogram have equally many rows between them, so that they are the arrival curve of the rows that are left. Values are
-- microseconds since 1970, infinities the ends of int8. Only columns that this role may read are visible in pg_stats.
-- key_min, key_max: ends of the histogram of a serial primary key; a range wider than the rows tells of deleted ones.
-- timeout: 5000
-- columns: relid int, schema text, table text, parent int, size_bytes int, reltuples float, column text, type text, readable bool,
-- not_null bool, default_now bool, null_frac float, n_distinct float, correlation float, bounds ints, mcv ints, mcv_ppb ints,
-- key_min int, key_max int
SELECT t.oid AS relid, n.nspname AS schema, t.relname AS "table", t.parent,
       (t.pages + COALESCE((SELECT pg_catalog.sum(x.relpages) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                             WHERE i.indrelid IN (t.oid, t.reltoastrelid)), 0)::int8)
       * pg_catalog.current_setting('block_size')::int8 AS size_bytes,
       t.reltuples, a.attname AS "column",
       CASE a.atttypid WHEN 1184 THEN 'timestamptz' WHEN 1114 THEN 'timestamp' WHEN 1082 THEN 'date' END AS type,
       CASE WHEN a.attname IS NULL THEN pg_catalog.has_table_privilege(t.oid, 'SELECT')
            ELSE pg_catalog.has_column_privilege(t.oid, a.attnum, 'SELECT') END AS readable,
       a.attnotnull AS not_null, a.default_now, s.null_frac, s.n_distinct, s.correlation,
       ARRAY(SELECT CASE WHEN NOT pg_catalog.isfinite(v.at) THEN CASE WHEN v.at > 'epoch' THEN 9223372036854775807 ELSE -9223372036854775807 END
                    ELSE LEAST(pg_catalog.round((EXTRACT(epoch FROM v.at) * 1000000)::numeric), 9e18)::int8 END
               FROM (SELECT b.v::pg_catalog.timestamptz AS at, b.o
                       FROM pg_catalog.unnest(s.histogram_bounds::text::text[]) WITH ORDINALITY b(v, o)) v
              ORDER BY v.o) AS bounds,
       ARRAY(SELECT CASE WHEN NOT pg_catalog.isfinite(v.at) THEN CASE WHEN v.at > 'epoch' THEN 9223372036854775807 ELSE -9223372036854775807 END
                    ELSE LEAST(pg_catalog.round((EXTRACT(epoch FROM v.at) * 1000000)::numeric), 9e18)::int8 END
               FROM (SELECT b.v::pg_catalog.timestamptz AS at, b.o
                       FROM pg_catalog.unnest(s.most_common_vals::text::text[]) WITH ORDINALITY b(v, o)) v
              ORDER BY v.o) AS mcv,
       ARRAY(SELECT (b.f * 1e9::float8)::int8 FROM pg_catalog.unnest(s.most_common_freqs) WITH ORDINALITY b(f, o) ORDER BY b.o) AS mcv_ppb,
       k.bounds[1] AS key_min, k.bounds[pg_catalog.array_upper(k.bounds, 1)] AS key_max
  FROM (SELECT c.oid, c.relname, c.relnamespace, c.reltoastrelid, c.reltuples, c.relpages::int8 + COALESCE(o.relpages, 0) AS pages,
               CASE WHEN c.relispartition THEN (SELECT h.inhparent FROM pg_catalog.pg_inherits h
                                                 WHERE h.inhrelid = c.oid LIMIT 1) END AS parent
          FROM pg_catalog.pg_class c
          LEFT JOIN pg_catalog.pg_class o ON o.oid = c.reltoastrelid
         WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND NOT c.relisshared AND c.relpages > 0 AND c.reltuples > 0
           AND c.relnamespace NOT IN ('pg_catalog'::pg_catalog.regnamespace, 'information_schema'::pg_catalog.regnamespace)
         ORDER BY c.relpages::int8 + COALESCE(o.relpages, 0) DESC
         LIMIT 20) t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  LEFT JOIN LATERAL (
       SELECT m.attname, m.attnum, m.atttypid, m.attnotnull,
              COALESCE(pg_catalog.pg_get_expr(d.adbin, d.adrelid) ~* '\m(now\(\)|current_timestamp|current_date|localtimestamp|clock_timestamp\(\)|statement_timestamp\(\)|transaction_timestamp\(\))', false) AS default_now
         FROM pg_catalog.pg_attribute m
         LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = m.attrelid AND d.adnum = m.attnum AND m.atthasdef
        WHERE m.attrelid = t.oid AND m.attnum > 0 AND NOT m.attisdropped AND m.atttypid IN (1082, 1114, 1184)
        ORDER BY m.attnum
        LIMIT 8) a ON true
  LEFT JOIN pg_catalog.pg_stats s
    ON s.schemaname = n.nspname AND s.tablename = t.relname AND s.attname = a.attname AND NOT s.inherited
  LEFT JOIN LATERAL (
       SELECT ks.histogram_bounds::text::int8[] AS bounds
         FROM pg_catalog.pg_index i
         JOIN pg_catalog.pg_attribute m ON m.attrelid = i.indrelid AND m.attnum = i.indkey[0]
         LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = m.attrelid AND d.adnum = m.attnum
         JOIN pg_catalog.pg_stats ks ON ks.schemaname = n.nspname AND ks.tablename = t.relname AND ks.attname = m.attname AND NOT ks.inherited
        WHERE i.indrelid = t.oid AND i.indisprimary AND i.indnatts = 1 AND m.atttypid IN (20, 23)
          AND (m.attidentity <> '' OR pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%')
        LIMIT 1) k ON true
 ORDER BY 5 DESC, t.oid, a.attnum
 LIMIT 200
