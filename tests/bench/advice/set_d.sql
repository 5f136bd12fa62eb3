-- Set D: a bank. Other shapes than a to c: date columns, composite keys, NULLS LAST, several joins, IN subqueries, CTEs,
-- windows, UPDATE FROM, a costly question that is asked once. About 250 MB, collation C.UTF-8. Run as the role app.
SELECT setseed(0.2718);
CREATE SCHEMA core;
CREATE SCHEMA "Risk Desk";

CREATE TABLE core.branch (branch_id int PRIMARY KEY, city text, kind text);
INSERT INTO core.branch SELECT g, 'city ' || g % 400, 'k' || g % 4 FROM generate_series(1, 1200) g;

CREATE TABLE core.client (
    client_id bigint PRIMARY KEY, tax_no varchar(20), given text, family text, joined date, score numeric, memo text);
INSERT INTO core.client
SELECT g, 'T' || lpad((g * 31 % 1000000)::text, 8, '0'), 'Given' || g % 300, 'Family' || g % 9000, date '2010-01-01' + g % 5000,
    CASE WHEN g % 3 = 0 THEN NULL ELSE random() * 1000 END, repeat('m', 100)
FROM generate_series(1, 80000) g;

CREATE TABLE core.account (
    iban text PRIMARY KEY, client_id bigint, branch_id int REFERENCES core.branch, opened date, closed date, product smallint, memo text);
INSERT INTO core.account
SELECT 'DE' || lpad(g::text, 20, '0'), 1 + (random() * 79999)::int, 1 + (random() * 1199)::int, date '2012-01-01' + g % 4000,
    CASE WHEN random() < 0.4 THEN date '2024-01-01' END, (random() * 9)::int, repeat('a', 70)
FROM generate_series(1, 120000) g;

CREATE TABLE core.transfer (
    id bigint PRIMARY KEY, from_iban text, to_iban text, booked timestamptz, cents bigint, purpose text);
INSERT INTO core.transfer
SELECT g, 'DE' || lpad((1 + (random() * 119999)::int)::text, 20, '0'), 'DE' || lpad((1 + (random() * 119999)::int)::text, 20, '0'),
    timestamptz '2024-01-01' + g * interval '3 minutes', (random() * 100000)::int, repeat('p', 40)
FROM generate_series(1, 180000) g;

CREATE TABLE core.card_use (
    id bigint PRIMARY KEY, card_no bigint, merchant int, country char(2), used_at timestamptz, cents int, info text);
INSERT INTO core.card_use
SELECT g, 4000000 + (random() * 3000)::int, (random() * 500)::int, (ARRAY['DE', 'FR', 'IT', 'ES', 'PL', 'AT'])[1 + (random() * 5)::int],
    timestamptz '2025-01-01' + random() * interval '240 days', (random() * 9000)::int, repeat('u', 50)
FROM generate_series(1, 170000) g;

CREATE TABLE "Risk Desk"."Alert" (
    "Id" bigint PRIMARY KEY, "ClientId" bigint, "Level" smallint, "Raised At" timestamptz, "Closed At" timestamptz, "Text" text);
INSERT INTO "Risk Desk"."Alert"
SELECT g, (random() * 80000)::int, CASE WHEN g % 700 = 1 THEN 5 WHEN g % 20 = 0 THEN 3 ELSE 1 END,
    timestamptz '2024-06-01' + g * interval '5 minutes', CASE WHEN g % 5 <> 0 THEN now() END, repeat('t', 90)
FROM generate_series(1, 100000) g;

CREATE TABLE core.rate (pair text, day date, slot int, value numeric(12, 6), source text, pad text);
INSERT INTO core.rate
SELECT 'P' || (random() * 150)::int, date '2024-01-01' + (random() * 500)::int, (random() * 23)::int, random(), 'src' || g % 5, repeat('r', 60)
FROM generate_series(1, 150000) g;

CREATE TABLE core.document (id bigint PRIMARY KEY, client_id bigint, name text COLLATE "C", kind text, stored date, meta jsonb);
INSERT INTO core.document
SELECT g, (random() * 80000)::int, 'scan/' || g % 4000 || '/' || g || '.pdf', 'kind' || g % 9, date '2023-01-01' + g % 900,
    jsonb_build_object('case', jsonb_build_object('no', 'C' || (random() * 6000)::int), 'pages', g % 30, 'fill', repeat('f', 80))
FROM generate_series(1, 80000) g;

CREATE TABLE core.login (id bigint PRIMARY KEY, email text, at timestamptz, ok boolean, agent text);
INSERT INTO core.login
SELECT g, 'Person.' || g % 40000 || '@Bank.example', timestamptz '2025-01-01' + g * interval '3 minutes', g % 40 <> 0, repeat('z', 70)
FROM generate_series(1, 110000) g;

CREATE TABLE core.contract (no int, version int, text text, PRIMARY KEY (no, version));
INSERT INTO core.contract SELECT g / 3, g % 3, 'x' FROM generate_series(0, 8999) g;
CREATE TABLE core.clause (
    id bigint PRIMARY KEY, contract_no int, contract_version int, body text,
    FOREIGN KEY (contract_no, contract_version) REFERENCES core.contract ON DELETE CASCADE);
INSERT INTO core.clause SELECT g, (random() * 2999)::int, g % 3, repeat('c', 100) FROM generate_series(1, 90000) g;

CREATE TABLE core.limit_use (id bigint PRIMARY KEY, limit_code text, used numeric, at date, pad text);
INSERT INTO core.limit_use
SELECT g, 'L' || (random() * 12000)::int, 0, date '2025-01-01', repeat('l', 100) FROM generate_series(1, 90000) g;
CREATE TABLE core.limit_change (id int PRIMARY KEY, limit_code text, by numeric);
INSERT INTO core.limit_change SELECT g, 'L' || g * 7, 5 FROM generate_series(1, 60) g;

CREATE TABLE core.otp (code text, phone text, valid_until timestamptz, pad text);
INSERT INTO core.otp
SELECT md5(g::text), '+' || g, timestamptz '2025-06-01' + (g - 200) * interval '1 minute', repeat('o', 110) FROM generate_series(1, 80000) g;

CREATE TABLE core.statement_line (id bigint PRIMARY KEY, statement_id int, line int, cents bigint, text text);
INSERT INTO core.statement_line
SELECT g, 1 + g % 400, g / 400, (random() * 1e5)::int, repeat('s', 80) FROM generate_series(1, 140000) g;
CREATE TABLE core.statement (id int PRIMARY KEY, iban text, month date);
INSERT INTO core.statement SELECT g, 'DE' || lpad(g::text, 20, '0'), date '2025-01-01' FROM generate_series(1, 400) g;
CREATE VIEW core.statement_text AS
SELECT s.id, s.iban, l.line, l.cents FROM core.statement s JOIN core.statement_line l ON l.statement_id = s.id;

CREATE TABLE core.quote (symbol int, at timestamptz NOT NULL, bid numeric(12, 4), ask numeric(12, 4), pad text) PARTITION BY RANGE (at);
CREATE TABLE core.quote_q1 PARTITION OF core.quote FOR VALUES FROM ('2025-01-01') TO ('2025-04-01');
CREATE TABLE core.quote_q2 PARTITION OF core.quote FOR VALUES FROM ('2025-04-01') TO ('2025-07-01');
CREATE TABLE core.quote_more PARTITION OF core.quote DEFAULT;
INSERT INTO core.quote
SELECT (random() * 400)::int, timestamptz '2025-01-01' + random() * interval '200 days', random() * 100, random() * 100, repeat('q', 50)
FROM generate_series(1, 160000) g;

CREATE TABLE core.queue_item (id bigint PRIMARY KEY, state smallint, run_after timestamptz, payload text);
INSERT INTO core.queue_item
SELECT g, CASE WHEN g % 900 = 2 THEN 0 ELSE 2 END, timestamptz '2025-01-01' + g * interval '1 minute', repeat('w', 110)
FROM generate_series(1, 90000) g;

CREATE TABLE core.person (id bigint PRIMARY KEY, email text, tags text[], pad text);
INSERT INTO core.person SELECT g, 'P' || g || '@x.example', ARRAY['t' || g % 900], repeat('p', 110) FROM generate_series(1, 60000) g;
CREATE INDEX person_email ON core.person (lower(email));
CREATE INDEX person_tags ON core.person USING gin (tags);

CREATE TABLE core.ticker (id int PRIMARY KEY, symbol text, last numeric, at timestamptz, depth int, pad text);
INSERT INTO core.ticker SELECT g, 'S' || g, 1, now(), g % 700, repeat('x', 200) FROM generate_series(1, 40000) g;

CREATE TABLE core.archive_row (id bigint PRIMARY KEY, batch int, payload text);
INSERT INTO core.archive_row SELECT g, g % 3000, repeat('v', 140) FROM generate_series(1, 130000) g;
