-- Tables and indexes of many shapes for the size model; psql variable n: rows.
CREATE TABLE s1 AS
SELECT g AS id, g::bigint * 7 AS big, md5(g::text)::uuid AS uid, 'name ' || g AS name, repeat(md5(g::text), 3) AS wide, 'c' || g % 50 AS code,
       g % 2 = 0 AS flag, (g % 5)::smallint AS tiny, g % 1000 AS k, (g * 7919::bigint % 20000)::int AS r20k, timestamptz '2026-01-01' + g * interval '7 s' AS at,
       date '2020-01-01' + g % 900 AS day, (g % 100000) / 100.0 AS price, (g % 200)::numeric AS grade, random() AS f,
       CASE WHEN g % 10 = 0 THEN g END AS rare, CASE WHEN g % 2 = 0 THEN 'n' || g % 300 END AS half, (g / 10) AS parent, (g / 10) % 7 AS part,
       CASE WHEN random() < 0.9 THEN 1 ELSE (random() * 5000)::int END AS skew, floor(exp(random() * 11))::int AS zipf, (random() * :n / 3)::int AS dup3,
       ('10.0.' || g % 250 || '.' || g % 17)::inet AS ip, ('x' || g % 40)::char(12) AS padded, repeat('é', 5 + g % 90) || g AS varied, g % 4000 AS city, (g % 4000) / 40 AS region
  FROM generate_series(1, :n) g;
ALTER TABLE s1 ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX s1_uid_u ON s1 (uid);
CREATE INDEX s1_big ON s1 (big);
CREATE INDEX s1_uid ON s1 (uid);
CREATE INDEX s1_name ON s1 (name);
CREATE INDEX s1_wide ON s1 (wide);
CREATE INDEX s1_varied ON s1 (varied);
CREATE INDEX s1_code ON s1 (code);
CREATE INDEX s1_flag ON s1 (flag);
CREATE INDEX s1_tiny ON s1 (tiny);
CREATE INDEX s1_k ON s1 (k);
CREATE INDEX s1_r20k ON s1 (r20k);
CREATE INDEX s1_at ON s1 (at);
CREATE INDEX s1_day ON s1 (day);
CREATE INDEX s1_price ON s1 (price);
CREATE INDEX s1_grade ON s1 (grade);
CREATE INDEX s1_f ON s1 (f);
CREATE INDEX s1_rare ON s1 (rare);
CREATE INDEX s1_half ON s1 (half);
CREATE INDEX s1_parent ON s1 (parent);
CREATE INDEX s1_skew ON s1 (skew);
CREATE INDEX s1_zipf ON s1 (zipf);
CREATE INDEX s1_dup3 ON s1 (dup3);
CREATE INDEX s1_ip ON s1 (ip);
CREATE INDEX s1_padded ON s1 (padded);
CREATE INDEX s1_k_code ON s1 (k, code);
CREATE INDEX s1_k_at ON s1 (k, at);
CREATE INDEX s1_r20k_k ON s1 (r20k, k);
CREATE INDEX s1_parent_part ON s1 (parent, part);
CREATE INDEX s1_city_region ON s1 (city, region);
CREATE INDEX s1_flag_day_tiny ON s1 (flag, day, tiny);
CREATE INDEX s1_half_rare ON s1 (half, rare);
CREATE INDEX s1_uid_name ON s1 (uid, name);
CREATE INDEX s1_code_price ON s1 (code, price);
CREATE INDEX s1_k_inc ON s1 (k) INCLUDE (price);
CREATE INDEX s1_at_ff ON s1 (at) WITH (fillfactor = 70);
CREATE INDEX s1_k_ff ON s1 (k) WITH (fillfactor = 100);
CREATE INDEX s1_name_tpo ON s1 (name text_pattern_ops);
CREATE INDEX s1_zipf_day ON s1 (zipf, day);
CREATE INDEX s1_skew_code ON s1 (skew, code);
CREATE STATISTICS s1_stats (ndistinct) ON city, region FROM s1;
VACUUM ANALYZE s1;
