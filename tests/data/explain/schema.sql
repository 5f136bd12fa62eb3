CREATE SCHEMA shop;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN email AS text NOT NULL CHECK (VALUE LIKE '%@%');
CREATE DOMAIN posint AS int CHECK (VALUE > 0);
CREATE TABLE customers (id bigserial PRIMARY KEY, name text NOT NULL, mail email, city varchar(40), born date, vip boolean DEFAULT false,
	credit numeric(12, 2), tags text[], prefs jsonb, feeling mood, uid uuid DEFAULT gen_random_uuid(), ip inet,
	created_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz);
CREATE TABLE orders (id bigserial PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, status text NOT NULL, total numeric(12, 2),
	quantity posint, ordered_on date, placed_at timestamp, shipped_at timestamptz, note text, meta jsonb, span tstzrange, weight float8);
CREATE TABLE items (order_id bigint REFERENCES orders, line int, sku char(8), price money, qty int, attrs json, PRIMARY KEY (order_id, line));
CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL, kind text, payload jsonb, customer_id bigint)
	PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE tree (id int PRIMARY KEY, parent_id int, label text, path text);
CREATE TABLE docs (id serial PRIMARY KEY, title text, body text, tsv tsvector, lang regconfig DEFAULT 'english', score real, bits bit(4), raw bytea,
	pos point, life interval, stamp timetz, day time);
CREATE TABLE shop.stock (sku text PRIMARY KEY, n int NOT NULL, "Shelf No" int, "order" int);
CREATE VIEW open_orders AS SELECT o.*, c.name AS customer FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.status <> 'done';
CREATE VIEW vips AS SELECT id, name, vip FROM customers WHERE vip;
CREATE MATERIALIZED VIEW totals AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY customer_id;
CREATE FUNCTION add_tax(numeric, numeric DEFAULT 0.2) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 * (1 + $2)';
CREATE FUNCTION recent(days int) RETURNS SETOF orders LANGUAGE sql STABLE AS 'SELECT * FROM orders WHERE ordered_on > current_date - days';
INSERT INTO customers (name, mail, city, born, credit, tags, prefs, feeling)
	SELECT 'c' || g, 'c' || g || '@example.org', 'town' || g % 9, date '1970-01-01' + g, g, ARRAY['a', 'b'], '{"k": 1}', 'ok' FROM generate_series(1, 200) g;
INSERT INTO orders (customer_id, status, total, quantity, ordered_on, placed_at, shipped_at, meta)
	SELECT 1 + g % 200, 'new', g, 1 + g % 5, date '2026-01-01' + g % 90, now(), now(), '{"a": {"b": [1]}}' FROM generate_series(1, 500) g;
INSERT INTO items SELECT id, 1, 'sku1', 1.5::money, 2, '{}' FROM orders;
INSERT INTO events (at, kind, customer_id) SELECT timestamptz '2025-06-01' + g * interval '1 day', 'k', g % 50 FROM generate_series(1, 400) g;
INSERT INTO tree SELECT g, g / 2, 'n' || g, 'a' FROM generate_series(1, 50) g;
INSERT INTO docs (title, body) SELECT 't' || g, 'b' FROM generate_series(1, 20) g;
INSERT INTO shop.stock SELECT 's' || g, g, g, g FROM generate_series(1, 20) g;
ANALYZE;
