-- Rows for the shop, all from generate_series: the same in every lab but for the dates.
\set QUIET on
SET ROLE shop_owner;
SET search_path = shop;

INSERT INTO customers (email, full_name, phone, country, marketing_opt_in, created_at, last_login_at)
SELECT 'customer' || g || '@example.' || (ARRAY['com', 'org', 'net'])[1 + g % 3],
	(ARRAY['Ada', 'Björn', 'Chloé', 'Dmitri', 'Eva', 'Farid', 'Grace', 'Hiro', 'Inês', 'João'])[1 + g % 10] || ' ' ||
	(ARRAY['Lovelace', 'Nowak', 'García', 'Okafor', 'Müller', 'Tanaka', 'Rossi'])[1 + g % 7],
	'+49 30 ' || (1000000 + g), (ARRAY['DE', 'FR', 'GB', 'US', 'ES', 'PL', 'JP'])[1 + g % 7],
	g % 3 = 0, now() - make_interval(hours => (20000 - g) / 3), now() - make_interval(mins => g % 50000)
FROM generate_series(1, 20000) g;

INSERT INTO addresses (customer_id, kind, street, city, postcode, country)
SELECT 1 + g % 20000, CASE WHEN g <= 20000 THEN 'billing' ELSE 'shipping' END,
	(1 + g % 200) || ' Harbour Street', (ARRAY['Berlin', 'Lyon', 'Leeds', 'Boston', 'Porto'])[1 + g % 5],
	lpad((g % 99999)::text, 5, '0'), (ARRAY['DE', 'FR', 'GB', 'US', 'PT'])[1 + g % 5]
FROM generate_series(1, 26000) g;

INSERT INTO categories (parent_id, name)
SELECT CASE WHEN g > 8 THEN 1 + g % 8 END, 'Category ' || g FROM generate_series(1, 48) g;
INSERT INTO suppliers (name, contact)
SELECT 'Supplier ' || g, jsonb_build_object('mail', 'sales@supplier' || g || '.example') FROM generate_series(1, 60) g;
INSERT INTO warehouses (code, city) VALUES ('BER', 'Berlin'), ('LYS', 'Lyon'), ('BOS', 'Boston');
INSERT INTO products (category_id, supplier_id, sku, name, description, price, currency, attributes, legacy_code)
SELECT 1 + g % 48, 1 + g % 60, 'SKU-' || lpad(g::text, 6, '0'), 'Product ' || g,
	repeat('A thing that people buy, number ' || g || '. ', 4), round((5 + g % 400)::numeric * 0.99, 2),
	(ARRAY['EUR', 'USD', 'GBP'])[1 + g % 3],
	jsonb_build_object('colour', (ARRAY['red', 'green', 'blue'])[1 + g % 3], 'weight_g', 100 + g % 900), 'L' || g
FROM generate_series(1, 3000) g;
INSERT INTO inventory (product_id, warehouse_id, on_hand)
SELECT p, w, 1000000 + p % 500 FROM generate_series(1, 3000) p, generate_series(1, 3) w;
INSERT INTO coupons SELECT 'SAVE' || g, 5 + g % 20, 0, current_date + 30 FROM generate_series(1, 50) g;

INSERT INTO orders (customer_id, status, total, currency, placed_at)
SELECT 1 + (g * 7919::bigint) % 20000, (ARRAY['delivered', 'delivered', 'delivered', 'shipped', 'paid', 'cancelled'])[1 + g % 6],
	10 + g % 300, (ARRAY['EUR', 'USD', 'GBP'])[1 + g % 3], now() - interval '90 days' * (1 - g / 40001.0)
FROM generate_series(1, 40000) g;
INSERT INTO order_items
SELECT g, line, 1 + (g * 31::bigint + line * 577) % 3000, 1 + (g + line) % 3, 9.99 + g % 90
FROM generate_series(1, 40000) g, generate_series(1, 2) line;
INSERT INTO payments (order_id, method, amount, state, created_at)
SELECT id, (ARRAY['card', 'paypal', 'invoice'])[1 + id % 3], total, 'captured', placed_at + interval '2 minutes' FROM orders;
INSERT INTO shipments (order_id, carrier, tracking_code, state, shipped_at)
SELECT id, (ARRAY['DHL', 'UPS', 'GLS'])[1 + id % 3], 'T' || id, 'delivered', placed_at + interval '1 day'
FROM orders WHERE status IN ('shipped', 'delivered');
INSERT INTO reviews (product_id, customer_id, stars, body, created_at)
SELECT 1 + g % 3000, 1 + (g * 13) % 20000, 1 + g % 5, repeat('Would buy again. ', 1 + g % 6), now() - make_interval(mins => g * 5)
FROM generate_series(1, 12000) g;
INSERT INTO sessions (id, customer_id, data, seen_at)
SELECT md5(g::text)::uuid, 1 + g % 20000, jsonb_build_object('cart', g % 5), now() - make_interval(secs => g)
FROM generate_series(1, 5000) g;
INSERT INTO audit_log (at, actor, action, detail)
SELECT now() - make_interval(mins => 10000 - g), 'app', (ARRAY['login', 'price change', 'refund'])[1 + g % 3], '{}'
FROM generate_series(1, 10000) g;
INSERT INTO events (at, customer_id, kind, payload)
SELECT now() - interval '110 days' * (1 - g / 50001.0), 1 + g % 20000,
	(ARRAY['page', 'search', 'cart', 'checkout'])[1 + g % 4], jsonb_build_object('path', '/p/' || g % 3000, 'ms', g % 900)
FROM generate_series(1, 50000) g;
