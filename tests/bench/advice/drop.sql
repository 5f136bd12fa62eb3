-- Indexes that are and that are not to be dropped. Each is named for what it is: drop_* (one of each group drop_X may
-- go, or the one without a number), keep_* must stay. Run as a superuser.
SELECT setseed(0.99);

-- Redundant: seven.
CREATE TABLE pairs (
    id bigint PRIMARY KEY, a int, b int, c int, d int, e text, f int, g int, h int, i int, j text, k int, l int, m int,
    n int, o int, p int);
INSERT INTO pairs
SELECT g, random() * 1e5, random() * 1e5, random() * 1e5, random() * 1e5, md5(g::text), random() * 1e5, random() * 10,
    random() * 1e5, random() * 1e5, md5((g + 1)::text), random() * 1e5, g, random() * 1e5, random() * 1e5, random() * 1e5,
    random() * 1e5
FROM generate_series(1, 120000) g;
CREATE INDEX drop_dup_1 ON pairs (a);
CREATE INDEX drop_dup_2 ON pairs (a);
CREATE INDEX drop_prefix ON pairs (b);
CREATE INDEX keep_prefix ON pairs (b, c);
CREATE UNIQUE INDEX drop_pk_twin ON pairs (id);
CREATE INDEX drop_desc_1 ON pairs (d);
CREATE INDEX drop_desc_2 ON pairs (d DESC);
CREATE INDEX drop_expr_1 ON pairs (lower(e));
CREATE INDEX drop_expr_2 ON pairs (lower(e));
CREATE INDEX drop_partial_1 ON pairs (f) WHERE g > 5;
CREATE INDEX drop_partial_2 ON pairs (f) WHERE g > 5;
CREATE INDEX drop_include ON pairs (h);
CREATE INDEX keep_include ON pairs (h) INCLUDE (i);

-- Alike, and not redundant.
CREATE INDEX keep_plain ON pairs (j);
CREATE INDEX keep_pattern ON pairs (j text_pattern_ops);
CREATE INDEX keep_other ON pairs (e);
CREATE INDEX keep_collation ON pairs (e COLLATE "POSIX");
CREATE INDEX keep_whole ON pairs (k);
CREATE INDEX keep_part ON pairs (k) WHERE g = 3;
CREATE UNIQUE INDEX keep_unique ON pairs (l);
CREATE INDEX keep_unique_longer ON pairs (l, m);
CREATE INDEX keep_btree ON pairs (n, o);
CREATE INDEX keep_turned ON pairs (o, n);
CREATE INDEX keep_mixed ON pairs (p, m DESC);
CREATE INDEX keep_unmixed ON pairs (p, m);

-- Jointly safe: (x) is used, (x, y, z) is not; one that leads with x has to stay. A chain of three, all used.
CREATE TABLE chain (x int, y int, z int, u int, v int, w int, pad text);
INSERT INTO chain
SELECT random() * 1e5, random() * 100, random() * 100, random() * 1e5, random() * 100, random() * 100, repeat('p', 40)
FROM generate_series(1, 120000) g;
CREATE INDEX chain_x ON chain (x);
CREATE INDEX chain_x_y_z ON chain (x, y, z);
CREATE INDEX chain_u ON chain (u);
CREATE INDEX chain_u_v ON chain (u, v);
CREATE INDEX chain_u_v_w ON chain (u, v, w);

-- Never read: three.
CREATE TABLE idle (id bigint PRIMARY KEY, a int, b text, c timestamptz, d int, e int4range, f int NOT NULL, s int);
INSERT INTO idle
SELECT g, random() * 1e5, md5(g::text), timestamptz '2025-01-01' + g * interval '1 minute', g, int4range(g, g + 1), g,
    random() * 1e5
FROM generate_series(1, 120000) g;
CREATE INDEX drop_unused_int ON idle (a);
CREATE INDEX drop_unused_text ON idle (b);
CREATE INDEX drop_unused_part ON idle (c) WHERE a < 50000;
-- Never read, and needed.
CREATE UNIQUE INDEX keep_idle_unique ON idle (d);
ALTER TABLE idle ADD CONSTRAINT keep_idle_exclusion EXCLUDE USING gist (e WITH &&);
CREATE UNIQUE INDEX keep_idle_identity ON idle (f);
ALTER TABLE idle REPLICA IDENTITY USING INDEX keep_idle_identity;
CREATE INDEX keep_idle_standby ON idle (s);
CREATE TABLE clustered (id int, t text);
INSERT INTO clustered SELECT g, repeat('c', 100) FROM generate_series(1, 60000) g;
CREATE INDEX keep_clustered ON clustered (id);
CLUSTER clustered USING keep_clustered;

-- Foreign keys: keep_fk is the only support of one whose parent loses rows; two have none.
CREATE TABLE parent (id int PRIMARY KEY, t text);
INSERT INTO parent SELECT g, 'x' FROM generate_series(1, 3000) g;
CREATE TABLE child_served (id int PRIMARY KEY, parent_id int REFERENCES parent, t text);
CREATE TABLE child_bare (id int PRIMARY KEY, parent_id int REFERENCES parent, t text);
CREATE TABLE child_other (id int PRIMARY KEY, owner int, t text, CONSTRAINT child_other_owner FOREIGN KEY (owner) REFERENCES parent);
INSERT INTO child_served SELECT g, 1000 + g % 1000, repeat('s', 60) FROM generate_series(1, 80000) g;
INSERT INTO child_bare SELECT g, 1000 + g % 1000, repeat('b', 60) FROM generate_series(1, 80000) g;
INSERT INTO child_other SELECT g, 1000 + g % 1000, repeat('o', 60) FROM generate_series(1, 60000) g;
CREATE INDEX keep_fk ON child_served (parent_id);

-- Bloat: nine of ten rows gone from anywhere. Not bloat: a fill factor of one's own, a fresh index, wide partial keys.
CREATE TABLE fat (id bigint, a text, keyed int);
INSERT INTO fat SELECT g, md5(g::text), g FROM generate_series(1, 200000) g;
CREATE INDEX bloat_text ON fat (a);
CREATE TABLE lean (id bigint, a text, b text);
INSERT INTO lean SELECT g, md5(g::text), CASE WHEN g % 20 = 0 THEN repeat(md5(g::text), 6) END FROM generate_series(1, 150000) g;
CREATE INDEX keep_fillfactor ON lean (a) WITH (fillfactor = 50);
CREATE INDEX keep_wide ON lean (b) WHERE b IS NOT NULL;

-- A partition's own index, unused in one partition, used in the other.
CREATE TABLE parted (id int, k int, t text) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (60000);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (60000) TO (200000);
INSERT INTO parted SELECT g, random() * 1e5, repeat('t', 40) FROM generate_series(1, 120000) g;
CREATE INDEX keep_parted ON parted (k);

CREATE TABLE doubles (n int, t text);
INSERT INTO doubles SELECT g % 60000, 'x' FROM generate_series(1, 70000) g;
VACUUM ANALYZE;
