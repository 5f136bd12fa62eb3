-- Set A: a shop. About 250 MB; every table that a need is planted in has more than 1,000 pages.
-- Run as the role app in an empty database of collation C.UTF-8.
SELECT setseed(0.4242);

CREATE TABLE countries (iso text PRIMARY KEY, name text, region text);
INSERT INTO countries SELECT 'c' || g, 'country ' || g, 'region ' || g % 7 FROM generate_series(1, 240) g;

CREATE TABLE customers (
    id bigint PRIMARY KEY, phone text, email text, name text, country text, created_at timestamptz, about text);
INSERT INTO customers
SELECT g, '+49' || (100000000 + g * 7919 % 900000000), 'user' || g || '@example.com', 'name ' || g % 9000,
    CASE WHEN random() < 0.6 THEN 'c1' ELSE 'c' || 1 + (random() * 200)::int END,
    timestamptz '2024-01-01' + g * interval '8 minutes', repeat('a', 90)
FROM generate_series(1, 70000) g;

CREATE TABLE orders (
    id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, status text, channel text, total numeric(12, 2),
    created_at timestamptz, note text);
INSERT INTO orders
SELECT g, 1 + (random() * 69999)::int, CASE WHEN random() < 0.9 THEN 'done' ELSE 'open' END, 'ch' || (random() * 5)::int,
    (random() * 500)::numeric(12, 2), timestamptz '2024-01-01' + g * interval '4 minutes', repeat('n', 60)
FROM generate_series(1, 140000) g;
CREATE INDEX orders_customer ON orders (customer_id);

CREATE TABLE order_items (
    id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders, product_id int, qty int, price numeric(10, 2));
INSERT INTO order_items
SELECT g, 1 + (random() * 139999)::int, (random() * 30000)::int, 1 + (random() * 4)::int, (random() * 90)::numeric(10, 2)
FROM generate_series(1, 300000) g;

CREATE TABLE payments (
    id bigint PRIMARY KEY, merchant_id int, currency text, amount numeric(12, 2), paid_at timestamptz, reference text);
INSERT INTO payments
SELECT g, (random() * 120)::int, 'cur' || (random() * 30)::int, (random() * 900)::numeric(12, 2),
    timestamptz '2025-01-01' + random() * interval '300 days', md5(g::text) || md5((g + 1)::text)
FROM generate_series(1, 120000) g;

CREATE TABLE stock_moves (
    id bigint PRIMARY KEY, warehouse_id smallint, bin int, kind text, qty int, moved_at timestamptz, remark text);
INSERT INTO stock_moves
SELECT g, (random() * 24)::int, (random() * 60)::int, 'kind' || (random() * 9)::int, (random() * 50)::int,
    timestamptz '2025-01-01' + random() * interval '300 days', repeat('r', 70)
FROM generate_series(1, 150000) g;

CREATE TABLE events (id bigint PRIMARY KEY, device_id int, at timestamptz, code int, payload text);
INSERT INTO events
SELECT g, (random() * 400)::int, timestamptz '2025-06-01' + random() * interval '90 days', (random() * 20)::int,
    repeat('p', 60)
FROM generate_series(1, 180000) g;

CREATE TABLE messages (id bigint PRIMARY KEY, room_id int, sender_id int, sent_at timestamptz, body text);
INSERT INTO messages
SELECT g, (random() * 150)::int, (random() * 5000)::int, timestamptz '2025-01-01' + g * interval '2 minutes',
    repeat('b', 80)
FROM generate_series(1, 150000) g;

CREATE TABLE sessions (id bigint PRIMARY KEY, customer_id int, last_seen timestamptz, agent text);
INSERT INTO sessions
SELECT g, (random() * 70000)::int, timestamptz '2025-01-01' + g * interval '3 minutes', repeat('u', 80)
FROM generate_series(1, 110000) g;

CREATE TABLE jobs (
    id bigint PRIMARY KEY, state text NOT NULL, priority int, queue text, args text, created_at timestamptz);
INSERT INTO jobs
SELECT g, CASE WHEN g % 400 = 7 THEN 'queued' WHEN g % 350 = 3 THEN 'failed' ELSE 'done' END, (random() * 9)::int,
    'queue' || (random() * 3)::int, repeat('j', 80), timestamptz '2025-01-01' + g * interval '3 minutes'
FROM generate_series(1, 130000) g;

CREATE TABLE outbox (id bigint PRIMARY KEY, topic text, body text, created_at timestamptz, sent_at timestamptz);
INSERT INTO outbox
SELECT g, 'topic' || g % 12, repeat('o', 90), timestamptz '2025-01-01' + g * interval '3 minutes',
    CASE WHEN g % 500 = 1 THEN NULL ELSE timestamptz '2025-01-02' + g * interval '3 minutes' END
FROM generate_series(1, 80000) g;
CREATE INDEX outbox_unsent ON outbox (created_at) WHERE sent_at IS NULL;

CREATE TABLE products (id int PRIMARY KEY, sku text, name text, category_id int, price numeric(10, 2), blurb text);
INSERT INTO products
SELECT g, chr(65 + g % 26) || chr(65 + (g / 26) % 26) || '-' || lpad((g % 3700)::text, 4, '0') || '-' || g, 'product ' || g,
    (random() * 80)::int, (random() * 200)::numeric(10, 2), repeat('d', 150)
FROM generate_series(1, 60000) g;

CREATE TABLE users (id bigint PRIMARY KEY, email text, display_name text, bio text);
INSERT INTO users
SELECT g, 'User' || g || CASE g % 3 WHEN 0 THEN '@Example.com' ELSE '@example.org' END, 'Display ' || g, repeat('x', 110)
FROM generate_series(1, 80000) g;

CREATE TABLE documents (id bigint PRIMARY KEY, doc jsonb, updated_at timestamptz);
INSERT INTO documents
SELECT g, jsonb_build_object('tag', 't' || (random() * 4000)::int, 'lang', 'l' || g % 6, 'size', g % 100, 'text', repeat('k', 120)),
    timestamptz '2025-01-01' + random() * interval '200 days'
FROM generate_series(1, 60000) g;

CREATE TABLE folders (id int PRIMARY KEY, name text);
INSERT INTO folders SELECT g, 'folder ' || g FROM generate_series(1, 6000) g;
CREATE TABLE files (
    id bigint PRIMARY KEY, folder_id int REFERENCES folders, name text, bytes bigint, checksum text);
INSERT INTO files
SELECT g, 1 + (random() * 4999)::int, 'file ' || g, (random() * 100000)::int, md5(g::text) || md5((g * 3)::text)
FROM generate_series(1, 120000) g;

CREATE TABLE tickets (id bigint PRIMARY KEY, external_ref text, status text, changed_at timestamptz, body text);
INSERT INTO tickets
SELECT g, 'EXT-' || md5(g::text), 'open', timestamptz '2025-01-01' + random() * interval '200 days', repeat('t', 80)
FROM generate_series(1, 70000) g;

CREATE TABLE tokens (id bigint PRIMARY KEY, session_key text, customer_id int, expires_at timestamptz, scope text);
INSERT INTO tokens
SELECT g, md5((g * 17)::text), (random() * 70000)::int, timestamptz '2025-01-01' + random() * interval '200 days', repeat('s', 60)
FROM generate_series(1, 90000) g;

CREATE TABLE invoices (
    id bigint PRIMARY KEY, account_no text, status text, issued_on date, gross numeric(12, 2), memo text);
INSERT INTO invoices
SELECT g, 'AC' || (random() * 20000)::int, CASE WHEN random() < 0.3 THEN 'open' ELSE 'paid' END,
    date '2024-01-01' + (random() * 600)::int, (random() * 900)::numeric(12, 2), repeat('m', 80)
FROM generate_series(1, 90000) g;
CREATE VIEW open_invoices AS
SELECT i.id, i.account_no AS account, i.issued_on, i.gross FROM invoices i WHERE i.status = 'open';

CREATE TABLE scores (id bigint PRIMARY KEY, player_id int, score int, achieved_at timestamptz, replay text);
INSERT INTO scores
SELECT g, (random() * 20000)::int, (random() * 100000)::int, timestamptz '2025-01-01' + random() * interval '200 days',
    repeat('y', 70)
FROM generate_series(1, 120000) g;

CREATE TABLE metrics (sensor_id int, at timestamptz NOT NULL, value float8, unit text) PARTITION BY RANGE (at);
CREATE TABLE metrics_2025_01 PARTITION OF metrics FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
CREATE TABLE metrics_2025_02 PARTITION OF metrics FOR VALUES FROM ('2025-02-01') TO ('2025-03-01');
CREATE TABLE metrics_2025_03 PARTITION OF metrics FOR VALUES FROM ('2025-03-01') TO ('2025-04-01');
INSERT INTO metrics
SELECT (random() * 600)::int, timestamptz '2025-01-01' + random() * interval '89 days', random(), repeat('z', 50)
FROM generate_series(1, 240000) g;

CREATE TABLE ledger (id bigint PRIMARY KEY, account_id int, booked_on date, amount bigint, text text);
INSERT INTO ledger
SELECT g, (random() * 200)::int, date '2025-01-01' + (random() * 300)::int, (random() * 90000)::int, repeat('l', 80)
FROM generate_series(1, 160000) g;

CREATE TABLE articles (id bigint PRIMARY KEY, published_at timestamptz, author_id int, title text, body text);
INSERT INTO articles
SELECT g, timestamptz '2024-01-01' + (g * 7919 % 500000) * interval '1 minute', (random() * 3000)::int, 'title ' || g,
    repeat('q', 90)
FROM generate_series(1, 90000) g;

CREATE TABLE reviews (id bigint PRIMARY KEY, product_id int, approved boolean, stars int, body text);
INSERT INTO reviews
SELECT g, (random() * 60000)::int, random() < 0.85, (random() * 5)::int, repeat('v', 20 + g % 100)
FROM generate_series(1, 90000) g;

CREATE TABLE device_state (device_id int PRIMARY KEY, reading int, updated_at timestamptz, settings text);
INSERT INTO device_state
SELECT g, (random() * 1000)::int, timestamptz '2025-06-01', repeat('e', 250)
FROM generate_series(1, 32000) g;
