-- Set C: software rented by many tenants, through object-relational mappers: reserved words as names, tenant_id in front
-- of everything, enums, arrays, NULL as a state, smaller tables. About 200 MB, collation C.UTF-8. Run as the role app.
SELECT setseed(0.31415);
CREATE SCHEMA saas;
CREATE TYPE saas.kind AS ENUM ('note', 'task', 'call', 'mail', 'file');

CREATE TABLE saas.plan (id int PRIMARY KEY, label text, tier text);
INSERT INTO saas.plan SELECT g, 'plan ' || g, 'tier' || g % 9 FROM generate_series(1, 300) g;

CREATE TABLE saas."user" (
    id bigserial PRIMARY KEY, tenant_id int, email_hash bytea, name text, role text, created_at timestamp, profile text);
INSERT INTO saas."user" (tenant_id, email_hash, name, role, created_at, profile)
SELECT (power(random(), 3) * 200)::int, decode(md5(g::text), 'hex'), 'Name ' || g % 30000, 'role' || g % 3,
    timestamp '2024-01-01' + g * interval '10 minutes', repeat('p', 70)
FROM generate_series(1, 50000) g;

CREATE TABLE saas.invoice (id bigserial PRIMARY KEY, tenant_id int, number text, issued date, total numeric(12, 2), memo text);
INSERT INTO saas.invoice (tenant_id, number, issued, total, memo)
SELECT (power(random(), 3) * 200)::int, 'N' || g, date '2024-01-01' + g % 600, random() * 900, repeat('m', 60)
FROM generate_series(1, 60000) g;
CREATE TABLE saas.invoice_line (
    id bigserial PRIMARY KEY, invoice_id bigint REFERENCES saas.invoice ON DELETE CASCADE, "order" int, text text, amount numeric(12, 2));
INSERT INTO saas.invoice_line (invoice_id, "order", text, amount)
SELECT 1 + (random() * 59999)::int, g % 5, repeat('l', 50), random() * 100 FROM generate_series(1, 180000) g;

CREATE TABLE saas.page (id bigserial PRIMARY KEY, tenant_id int, slug text, title text, body text);
INSERT INTO saas.page (tenant_id, slug, title, body)
SELECT (power(random(), 3) * 200)::int, 'page-' || (random() * 2000)::int, 'Title ' || g, repeat('b', 120) FROM generate_series(1, 70000) g;

CREATE TABLE saas.activity (id bigserial PRIMARY KEY, tenant_id int, kind saas.kind, ref int, at timestamp, "group" int, text text);
INSERT INTO saas.activity (tenant_id, kind, ref, at, "group", text)
SELECT (power(random(), 2) * 60)::int, (ARRAY['note', 'task', 'call', 'mail', 'file'])[1 + (random() * 4)::int]::saas.kind,
    (random() * 80)::int, timestamp '2025-01-01' + random() * interval '200 days', g % 50, repeat('a', 60)
FROM generate_series(1, 130000) g;

CREATE TABLE saas.visit (id bigserial PRIMARY KEY, tenant_id int, created_at timestamp, url text, ip inet);
INSERT INTO saas.visit (tenant_id, created_at, url, ip)
SELECT (random() * 120)::int, timestamp '2025-01-01' + random() * interval '250 days', repeat('/u', 30), ('10.0.' || g % 200 || '.' || g % 250)::inet
FROM generate_series(1, 150000) g;

CREATE TABLE saas.comment (id bigserial PRIMARY KEY, post_id bigint, author_id int, created_at timestamp, text text);
INSERT INTO saas.comment (post_id, author_id, created_at, text)
SELECT (random() * 30000)::int, (random() * 700)::int, timestamp '2025-01-01' + random() * interval '250 days', repeat('c', 80)
FROM generate_series(1, 120000) g;
CREATE TABLE saas.post (id bigserial PRIMARY KEY, tenant_id int, title text, created_at timestamp);
INSERT INTO saas.post (tenant_id, title, created_at)
SELECT g % 300, 'post ' || g, timestamp '2025-01-01' + g * interval '10 minutes' FROM generate_series(1, 30000) g;
CREATE INDEX post_tenant ON saas.post (tenant_id, created_at);

CREATE TABLE saas.wallet (id bigserial PRIMARY KEY, owner int, balance numeric(14, 2), currency char(3), note text);
INSERT INTO saas.wallet (owner, balance, currency, note)
SELECT g, CASE WHEN g % 300 = 11 THEN -random() * 50 ELSE random() * 9000 END, 'EUR', repeat('w', 90) FROM generate_series(1, 80000) g;

CREATE TABLE saas.webhook (id bigserial PRIMARY KEY, tenant_id int, url text, processed_at timestamp, body text);
INSERT INTO saas.webhook (tenant_id, url, processed_at, body)
SELECT g % 100, 'u' || g, CASE WHEN g % 500 = 9 THEN NULL ELSE timestamp '2025-01-01' + g * interval '2 minutes' END, repeat('h', 100)
FROM generate_series(1, 80000) g;

CREATE TABLE saas.blob (id bigserial PRIMARY KEY, path text, bytes bigint, digest text);
INSERT INTO saas.blob (path, bytes, digest)
SELECT '/t' || g % 97 || '/' || md5((g % 9000)::text) || '/' || g, random() * 1e6, md5(g::text) FROM generate_series(1, 90000) g;

CREATE TABLE saas.contact (id bigserial PRIMARY KEY, tenant_id int, name text, tags text[], phone text, note text);
INSERT INTO saas.contact (tenant_id, name, tags, phone, note)
SELECT (power(random(), 3) * 200)::int, 'Contact ' || g % 50000, ARRAY['tag' || (random() * 5000)::int, 'x' || g % 7], '0' || g, repeat('n', 80)
FROM generate_series(1, 80000) g;

CREATE TABLE saas.team (id bigserial PRIMARY KEY, name text);
INSERT INTO saas.team (name) SELECT 'team ' || g FROM generate_series(1, 4000) g;
CREATE TABLE saas.member (id bigserial PRIMARY KEY, team_id bigint REFERENCES saas.team ON DELETE SET NULL, user_id int, since date, text text);
INSERT INTO saas.member (team_id, user_id, since, text)
SELECT 2001 + (random() * 1999)::int, g, date '2025-01-01', repeat('t', 80) FROM generate_series(1, 80000) g;

CREATE TABLE saas.task (id bigserial PRIMARY KEY, tenant_id int, external_id text, state text, version int, body text);
INSERT INTO saas.task (tenant_id, external_id, state, version, body)
SELECT g % 40, 'X' || g % 5000, 'new', 0, repeat('k', 90) FROM generate_series(1, 80000) g;

CREATE TABLE saas.stale (id int PRIMARY KEY, key text);
INSERT INTO saas.stale SELECT g, md5('k' || g * 20) FROM generate_series(1, 40) g;
CREATE TABLE saas.cache (key text, value text, at timestamp);
INSERT INTO saas.cache SELECT md5('k' || g), repeat('v', 120), timestamp '2025-01-01' FROM generate_series(1, 60000) g;

CREATE TABLE saas.posting (id bigserial PRIMARY KEY, account int, amount numeric(12, 2), booked date, text text);
INSERT INTO saas.posting (account, amount, booked, text)
SELECT (random() * 4000)::int, random() * 900 - 450, date '2025-01-01' + (random() * 200)::int, repeat('p', 70) FROM generate_series(1, 120000) g;
CREATE VIEW saas.balance AS SELECT account, sum(amount) AS amount, count(*) AS n FROM saas.posting GROUP BY account;

CREATE TABLE saas.card (id bigserial PRIMARY KEY, board_id int, pinned boolean, created_at timestamp, title text, body text);
INSERT INTO saas.card (board_id, pinned, created_at, title, body)
SELECT (random() * 60)::int, random() < 0.1, timestamp '2025-01-01' + random() * interval '250 days', 'card ' || g, repeat('d', 80)
FROM generate_series(1, 110000) g;

CREATE TABLE saas.usage (tenant_id int, meter int, at timestamp, units bigint, pad text) PARTITION BY HASH (tenant_id);
CREATE TABLE saas.usage_0 PARTITION OF saas.usage FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE saas.usage_1 PARTITION OF saas.usage FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE saas.usage_2 PARTITION OF saas.usage FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE saas.usage_3 PARTITION OF saas.usage FOR VALUES WITH (MODULUS 4, REMAINDER 3);
INSERT INTO saas.usage
SELECT g % 90, (random() * 300)::int, timestamp '2025-01-01' + random() * interval '90 days', random() * 1000, repeat('u', 40)
FROM generate_series(1, 150000) g;

CREATE TABLE saas.click (id bigserial PRIMARY KEY, campaign int, day date, cost int, agent text);
INSERT INTO saas.click (campaign, day, cost, agent)
SELECT (random() * 150)::int, date '2025-01-01' + (random() * 200)::int, random() * 100, repeat('g', 90) FROM generate_series(1, 110000) g;

CREATE TABLE saas.feed (id bigserial PRIMARY KEY, tenant_id int, created_at timestamp, text text, hidden boolean);
INSERT INTO saas.feed (tenant_id, created_at, text, hidden)
SELECT g % 80, timestamp '2025-01-01' + random() * interval '250 days', repeat('f', 90), random() < 0.02 FROM generate_series(1, 80000) g;
CREATE INDEX feed_tenant ON saas.feed (tenant_id, created_at DESC);
CREATE INDEX feed_hidden ON saas.feed (id) WHERE hidden;

CREATE TABLE saas.audit (id bigserial PRIMARY KEY, actor int, verb text, at timestamp, detail text);
INSERT INTO saas.audit (actor, verb, at, detail)
SELECT (random() * 3000)::int, 'verb' || g % 20, timestamp '2025-01-01' + g * interval '5 minutes', repeat('d', 100)
FROM generate_series(1, 60000) g;
