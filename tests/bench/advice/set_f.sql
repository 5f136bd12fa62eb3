-- Set F: the questions of the hardest five of every set before, on logistics data, with Zipf-like values, indexes that
-- are there already beside those that are missing, and several needs on one table. About 250 MB, collation C.UTF-8.
SELECT setseed(0.777);
CREATE SCHEMA fleet;
CREATE TABLE fleet.depot (depot_id smallint PRIMARY KEY, name text, zone text);
INSERT INTO fleet.depot SELECT g, 'depot ' || g, 'z' || g % 12 FROM generate_series(1, 800) g;

CREATE TABLE fleet.shipment (
    shipment_id bigint PRIMARY KEY, ref uuid, depot_id smallint, customer int, status text, created timestamptz, due date,
    weight real, price numeric(10, 2), note text);
INSERT INTO fleet.shipment
SELECT g, md5('s' || g)::uuid, 1 + (power(random(), 4) * 799)::int, (power(random(), 2) * 9000)::int,
    CASE WHEN random() < 0.004 THEN 'lost' WHEN random() < 0.1 THEN 'open' ELSE 'delivered' END,
    timestamptz '2024-01-01' + g * interval '3 minutes', date '2024-01-03' + (g / 480)::int, random(), random() * 90, repeat('n', 60)
FROM generate_series(1, 200000) g;
CREATE INDEX shipment_created ON fleet.shipment (created);

CREATE TABLE fleet.leg (leg_id bigint PRIMARY KEY, shipment_id bigint NOT NULL, seq int, truck text, km real, pad text);
INSERT INTO fleet.leg SELECT g, 1 + g % 200000, g % 3, 'TRK-' || lpad((power(random(), 2) * 3000)::int::text, 6, '0'), random(), repeat('l', 50)
FROM generate_series(1, 220000) g;

CREATE TABLE fleet.scan (tag text, depot_id smallint, at timestamptz, operator int, raw text);
INSERT INTO fleet.scan
SELECT 'TAG' || (power(random(), 2) * 30000)::int, 1 + (random() * 799)::int, timestamptz '2025-01-01' + random() * interval '100 days',
    (random() * 400)::int, repeat('r', 60)
FROM generate_series(1, 160000) g;

CREATE TABLE fleet.tariff (origin text, target text, class smallint, valid daterange, cents int, pad text);
INSERT INTO fleet.tariff
SELECT 'O' || (random() * 90)::int, 'D' || (random() * 90)::int, (random() * 6)::int, daterange('2025-01-01', '2025-06-01'), 5, repeat('t', 80)
FROM generate_series(1, 110000) g;

CREATE TABLE fleet.temperature (sensor int, taken timestamp NOT NULL, celsius real, pad text) PARTITION BY RANGE (taken);
CREATE TABLE fleet.temperature_w1 PARTITION OF fleet.temperature FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
CREATE TABLE fleet.temperature_w2 PARTITION OF fleet.temperature FOR VALUES FROM ('2025-02-01') TO ('2025-03-01');
CREATE TABLE fleet.temperature_w3 PARTITION OF fleet.temperature FOR VALUES FROM ('2025-03-01') TO ('2025-04-01');
CREATE TABLE fleet.temperature_w4 PARTITION OF fleet.temperature FOR VALUES FROM ('2025-04-01') TO ('2025-05-01');
INSERT INTO fleet.temperature
SELECT (random() * 250)::int, timestamp '2025-01-01' + random() * interval '118 days', random() * 30, repeat('c', 50) FROM generate_series(1, 180000) g;

CREATE TABLE fleet.driver (driver_id int PRIMARY KEY, badge char(10), email text, phone text, skills text[], profile jsonb);
INSERT INTO fleet.driver
SELECT g, lpad(g::text, 10, 'B'), 'Driver.' || g || '@Fleet.example', '+49' || g, ARRAY['s' || g % 40, 'u' || (random() * 3000)::int],
    jsonb_build_object('licence', 'L' || (random() * 20000)::int, 'grade', g % 9, 'pad', repeat('p', 70))
FROM generate_series(1, 70000) g;

CREATE TABLE fleet.route (route_id int PRIMARY KEY, name text);
INSERT INTO fleet.route SELECT g, 'route ' || g FROM generate_series(1, 4000) g;
CREATE TABLE fleet.stop (
    stop_id bigint PRIMARY KEY, route_id int REFERENCES fleet.route ON UPDATE CASCADE, place text, eta timestamptz, pad text);
INSERT INTO fleet.stop SELECT g, 1 + (random() * 1999)::int, 'place ' || g % 5000, timestamptz '2025-01-01' + g * interval '1 minute', repeat('s', 70)
FROM generate_series(1, 100000) g;

CREATE TABLE fleet.inbox (id bigint PRIMARY KEY, claimed_by text, priority smallint, arrived timestamptz, body text);
INSERT INTO fleet.inbox
SELECT g, CASE WHEN g % 700 = 5 THEN NULL ELSE 'w' || g % 9 END, (random() * 5)::int, timestamptz '2025-01-01' + g * interval '1 minute', repeat('i', 90)
FROM generate_series(1, 110000) g;

CREATE TABLE fleet.booking (id bigint PRIMARY KEY, account numeric(12), day date, cents int, text text);
INSERT INTO fleet.booking
SELECT g, 500000 + (random() * 170)::int, date '2025-01-01' + (random() * 300)::int, (random() * 9000)::int, repeat('b', 80)
FROM generate_series(1, 130000) g;

CREATE TABLE fleet.ranking (id bigint PRIMARY KEY, season int, points int, reached date, who text);
INSERT INTO fleet.ranking
SELECT g, g % 30, (random() * 20000)::int, date '2025-01-01' + (random() * 300)::int, repeat('w', 70) FROM generate_series(1, 120000) g;

CREATE TABLE fleet.lock_row (id bigint PRIMARY KEY, resource text, holder text, expires timestamptz);
INSERT INTO fleet.lock_row SELECT g, 'res/' || g % 50000, 'h' || g, timestamptz '2025-01-01' + random() * interval '300 days' FROM generate_series(1, 120000) g;

CREATE TABLE fleet.gauge (id int PRIMARY KEY, value int, changed timestamptz, owner int, pad text);
INSERT INTO fleet.gauge SELECT g, 0, now(), g % 900, repeat('g', 220) FROM generate_series(1, 36000) g;

CREATE TABLE fleet.flag (id bigint PRIMARY KEY, kind smallint, active boolean, pad text);
INSERT INTO fleet.flag SELECT g, g % 4, g % 3 = 0, repeat('f', 90) FROM generate_series(1, 90000) g;
CREATE VIEW fleet.open_shipment AS
SELECT s.shipment_id, s.customer, s.due, l.truck FROM fleet.shipment s JOIN fleet.leg l USING (shipment_id) WHERE s.status <> 'delivered';
