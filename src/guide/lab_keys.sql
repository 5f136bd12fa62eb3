-- Keys, indexes, grants. Left out on purpose, for a DBA to find: orders (customer_id), addresses
-- (customer_id), reviews (product_id), lower(customers.email). Never used: products_legacy_code_idx.
-- Twice the same: payments_order_idx and payments_order_id_idx.
\set QUIET on
SET client_min_messages = warning;
SET ROLE shop_owner;
SET search_path = shop;
SET maintenance_work_mem = '64MB';

ALTER TABLE customers ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX customers_email_key ON customers (email);
ALTER TABLE addresses ADD PRIMARY KEY (id), ADD FOREIGN KEY (customer_id) REFERENCES customers ON DELETE CASCADE;
ALTER TABLE categories ADD PRIMARY KEY (id);
ALTER TABLE categories ADD FOREIGN KEY (parent_id) REFERENCES categories;
ALTER TABLE suppliers ADD PRIMARY KEY (id);
ALTER TABLE warehouses ADD PRIMARY KEY (id);
ALTER TABLE products ADD PRIMARY KEY (id), ADD UNIQUE (sku),
	ADD FOREIGN KEY (category_id) REFERENCES categories, ADD FOREIGN KEY (supplier_id) REFERENCES suppliers;
CREATE INDEX products_category_idx ON products (category_id) WHERE is_active;
CREATE INDEX products_legacy_code_idx ON products (legacy_code, name, description);
ALTER TABLE inventory ADD PRIMARY KEY (product_id, warehouse_id), ADD FOREIGN KEY (product_id) REFERENCES products,
	ADD FOREIGN KEY (warehouse_id) REFERENCES warehouses;
ALTER TABLE orders ADD PRIMARY KEY (id), ADD FOREIGN KEY (customer_id) REFERENCES customers;
CREATE INDEX orders_placed_at_idx ON orders (placed_at);
ALTER TABLE order_items ADD PRIMARY KEY (order_id, line_no), ADD FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE,
	ADD FOREIGN KEY (product_id) REFERENCES products;
ALTER TABLE payments ADD PRIMARY KEY (id), ADD FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE;
CREATE INDEX payments_order_idx ON payments (order_id);
CREATE INDEX payments_order_id_idx ON payments (order_id);
ALTER TABLE shipments ADD PRIMARY KEY (id), ADD FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE;
CREATE INDEX shipments_order_idx ON shipments (order_id);
ALTER TABLE reviews ADD PRIMARY KEY (id), ADD FOREIGN KEY (product_id) REFERENCES products,
	ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE coupons ADD PRIMARY KEY (code);
ALTER TABLE sessions ADD PRIMARY KEY (id);
ALTER TABLE audit_log ADD PRIMARY KEY (id);
ALTER TABLE events ADD PRIMARY KEY (id, at);
CREATE INDEX events_at_idx ON events (at);

GRANT USAGE ON SCHEMA shop TO app, report;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shop TO app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA shop TO app;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO report;
RESET ROLE;
-- a small sample: this is done while somebody waits
SET default_statistics_target = 20;
ANALYZE;
