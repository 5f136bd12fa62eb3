-- Set G: a market place as ORMs and report writers ask it. Kinds of need that no other set has: OR over two columns, EXISTS
-- and NOT EXISTS, LATERAL, DISTINCT ON, max() per key, dates cut out of timestamps, patterns on functions, sorts by
-- functions, states that are not the usual one, ranges that overlap, words of a text. About 250 MB, collation C.UTF-8.
SELECT setseed(0.31337);
CREATE SCHEMA market;
CREATE EXTENSION pg_trgm SCHEMA public;
CREATE TABLE market.country (code char(2) PRIMARY KEY, name text, zone int);
INSERT INTO market.country SELECT chr(65 + g / 26) || chr(65 + g % 26), 'land ' || g, g % 5 FROM generate_series(0, 200) g;

CREATE TABLE market.customer (
    id bigint PRIMARY KEY, country char(2), full_name varchar(80), nick text, signed timestamp, bio text);
INSERT INTO market.customer
SELECT g, chr(65 + (g % 200) / 26) || chr(65 + (g % 200) % 26), initcap(substr(md5(g::text), 1, 8)) || ' ' || initcap(substr(md5((g % 7000)::text), 3, 9)),
    'Nick_' || substr(md5('n' || g), 1, 10), timestamp '2022-01-01' + g * interval '20 minutes', repeat('b', 60)
FROM generate_series(1, 70000) g;

CREATE TABLE market.message (id bigint PRIMARY KEY, sender bigint, recipient bigint, sent timestamptz, read_at timestamptz, body text);
INSERT INTO market.message
SELECT g, (random() * 70000)::int, (random() * 70000)::int, timestamptz '2024-01-01' + g * interval '4 minutes', now(), repeat('m', 60)
FROM generate_series(1, 140000) g;

CREATE TABLE market.purchase (
    id bigint PRIMARY KEY, customer_id bigint, shop_id int, state varchar(12), placed timestamp, total numeric(10, 2), note text);
INSERT INTO market.purchase
SELECT g, 1 + (power(random(), 2) * 69999)::int, 1 + (random() * 499)::int,
    CASE WHEN random() < 0.006 THEN (ARRAY['paying', 'stuck', 'fraud'])[1 + g % 3] ELSE 'done' END,
    timestamp '2024-01-01' + g * interval '3 minutes', random() * 500, repeat('p', 60)
FROM generate_series(1, 170000) g;

CREATE TABLE market.purchase_line (id bigint PRIMARY KEY, purchase_id bigint NOT NULL, sku int, qty int, cents int, pad text);
INSERT INTO market.purchase_line SELECT g, 1 + (g * 7919) % 170000, (random() * 9000)::int, 1, (random() * 900)::int, repeat('l', 40)
FROM generate_series(1, 260000) g;

CREATE TABLE market.complaint (id bigint PRIMARY KEY, customer_id bigint, is_open boolean, opened timestamptz, body text);
INSERT INTO market.complaint SELECT g, 1 + (random() * 69999)::int, g % 3 = 0, timestamptz '2024-05-01' + g * interval '5 minutes', repeat('c', 90)
FROM generate_series(1, 100000) g;

CREATE TABLE market.device (id int PRIMARY KEY, customer_id bigint, kind text);
INSERT INTO market.device SELECT g, g * 3, 'k' || g % 30 FROM generate_series(1, 3000) g;
CREATE TABLE market.ping (device_id int, at timestamptz, lat real, lon real, pad text);
INSERT INTO market.ping SELECT 1 + (random() * 2999)::int, timestamptz '2025-01-01' + g * interval '30 seconds', random(), random(), repeat('g', 50)
FROM generate_series(1, 160000) g;

CREATE TABLE market.price_change (id bigint PRIMARY KEY, sku int, valid timestamptz, cents int, who text);
INSERT INTO market.price_change SELECT g, (random() * 2500)::int, timestamptz '2023-01-01' + random() * interval '700 days', 5, repeat('w', 70)
FROM generate_series(1, 120000) g;

CREATE TABLE market.event_log (stream uuid, seq int, type text, at timestamptz, data jsonb);
INSERT INTO market.event_log
SELECT md5('e' || g % 4000)::uuid, g / 4000, 't' || g % 20, timestamptz '2025-01-01' + g * interval '1 minute',
    jsonb_build_object('actor', 'u' || (random() * 9000)::int, 'weight', (random() * 90)::int, 'f', repeat('f', 40))
FROM generate_series(1, 130000) g;

CREATE TABLE market.visit (id bigint PRIMARY KEY, page text, came timestamp, ms int, agent text);
INSERT INTO market.visit SELECT g, '/p/' || g % 700, timestamp '2025-01-01' + random() * interval '400 days', (random() * 900)::int, repeat('v', 70)
FROM generate_series(1, 150000) g;

CREATE TABLE market.article (id bigint PRIMARY KEY, title text, body text, url text, labels int[]);
INSERT INTO market.article
SELECT g, 'About ' || substr(md5('t' || g), 1, 12) || ' and ' || substr(md5('u' || g), 1, 9),
    'word' || g % 3000 || ' some running text with term' || (random() * 5000)::int || ' in it and more',
    'https://shop.example/a/' || md5(g::text), ARRAY[(random() * 4000)::int, 5000 + g % 50]
FROM generate_series(1, 70000) g;

CREATE TABLE market.booking (id bigint PRIMARY KEY, room int, during tstzrange, guest text);
INSERT INTO market.booking
SELECT g, g % 300, tstzrange(timestamptz '2024-01-01' + g * interval '10 minutes', timestamptz '2024-01-01' + (g + 12) * interval '10 minutes'), repeat('g', 90)
FROM generate_series(1, 100000) g;

CREATE TABLE market.outbox (id bigint PRIMARY KEY, topic text, tries int, failed_at timestamptz, payload text);
INSERT INTO market.outbox
SELECT g, 'topic.' || g % 25, 0, CASE WHEN g % 600 = 0 THEN timestamptz '2025-01-01' + g * interval '1 minute' END, repeat('o', 90)
FROM generate_series(1, 110000) g;

CREATE TABLE market.stock (warehouse int, sku int, qty int, counted date, pad text);
INSERT INTO market.stock SELECT g % 40, g / 40, (random() * 90)::int, date '2025-01-01' + g % 90, repeat('s', 60) FROM generate_series(1, 150000) g;

CREATE TABLE market.audit (id bigint NOT NULL, tenant int NOT NULL, actor text, verb text, at timestamptz, pad text) PARTITION BY HASH (tenant);
CREATE TABLE market.audit_0 PARTITION OF market.audit FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE market.audit_1 PARTITION OF market.audit FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE market.audit_2 PARTITION OF market.audit FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE market.audit_3 PARTITION OF market.audit FOR VALUES WITH (MODULUS 4, REMAINDER 3);
INSERT INTO market.audit SELECT g, g % 90, 'actor' || (random() * 5000)::int, 'v' || g % 7, timestamptz '2025-01-01' + g * interval '1 minute', repeat('a', 50)
FROM generate_series(1, 160000) g;

CREATE TABLE market.loan (id bigint PRIMARY KEY, item text, due date, back date, pad text);
INSERT INTO market.loan SELECT g, 'item' || g, date '2024-01-01' + g / 300, date '2024-02-01', repeat('x', 90) FROM generate_series(1, 90000) g;
CREATE TABLE market.loan_old (LIKE market.loan INCLUDING ALL);
INSERT INTO market.loan_old SELECT g, 'item' || g * 2, date '2020-01-01' + g / 300, date '2020-02-01', repeat('x', 90) FROM generate_series(1, 90000) g;
CREATE VIEW market.any_loan AS SELECT id, item, due FROM market.loan UNION ALL SELECT id, item, due FROM market.loan_old;

-- traps
CREATE TABLE market.opinion (id bigint PRIMARY KEY, stars smallint, visible boolean, txt text);
INSERT INTO market.opinion SELECT g, 1 + g % 5, g % 2 = 0, repeat('r', 100) FROM generate_series(1, 80000) g;
CREATE TABLE market.cart (id bigint PRIMARY KEY, owner bigint, items int, touched int, pad text);
INSERT INTO market.cart SELECT g, g % 9000, 0, 0, repeat('c', 200) FROM generate_series(1, 40000) g;
ALTER TABLE market.cart SET (fillfactor = 70);
CREATE INDEX cart_owner ON market.cart (owner);
CREATE TABLE market.task (id bigint PRIMARY KEY, queue text, done boolean, made timestamptz, pad text);
INSERT INTO market.task SELECT g, 'q' || g % 6, g % 900 <> 0, timestamptz '2025-01-01' + g * interval '1 minute', repeat('t', 90) FROM generate_series(1, 100000) g;
CREATE INDEX task_open ON market.task (queue, made) WHERE NOT done;
CREATE TABLE market.rating (customer_id bigint, article_id bigint, score int, pad text, PRIMARY KEY (customer_id, article_id));
INSERT INTO market.rating SELECT g % 9000, g, g % 6, repeat('r', 70) FROM generate_series(1, 90000) g;
