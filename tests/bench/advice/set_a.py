"""Set A: what the shop of set_a.sql is asked. See statement.py for the form."""
from statement import Statement as S, index

COLLATION = "C.UTF-8"
SEARCH_PATH = ""
PROBES = {"phone": lambda g: "+49%d" % (100000000 + g * 7919 % 900000000)}


def day(r, first, days):
    return "2025-%02d-%02d 00:00:00+00" % divmod_month(first + r.randrange(days))


def divmod_month(n):
    """Day n of 2025, counted from 0, in months of 28 days: always a date that exists."""
    return (n // 28 % 12) + 1, n % 28 + 1


def span(r, first, days, length):
    n = first + r.randrange(days)
    return ["2025-%02d-%02d 00:00:00+00" % divmod_month(m) for m in (n, n + length)]


STATEMENTS = [
    # ---------------------------------------------------------------- needs
    S("eq", 40, "extended", "SELECT id, name, email FROM customers WHERE phone = $1",
      lambda r: [PROBES["phone"](r.randrange(1, 70000))],
      need=[index("public.customers", lead=["phone"])],
      expert=["CREATE INDEX ON customers (phone)"]),
    S("fk-join", 25, "extended",
      "SELECT o.id, o.created_at, i.product_id, i.qty FROM orders o JOIN order_items i ON i.order_id = o.id "
      "WHERE o.customer_id = $1 ORDER BY o.created_at",
      lambda r: [r.randrange(1, 70000)],
      need=[index("public.order_items", lead=["order_id"])],
      expert=["CREATE INDEX ON order_items (order_id)"]),
    S("two-columns", 40, "simple", "SELECT id, amount, paid_at FROM payments WHERE merchant_id = $1 AND currency = $2",
      lambda r: [r.randrange(1, 120), "cur%d" % r.randrange(1, 30)],
      need=[index("public.payments", lead_set=["merchant_id", "currency"])],
      expert=["CREATE INDEX ON payments (merchant_id, currency)"]),
    S("three-columns", 35, "prepared",
      "SELECT sum(qty) FROM stock_moves WHERE kind = $1 AND warehouse_id = $2 AND bin = $3",
      lambda r: ["kind%d" % r.randrange(1, 9), r.randrange(1, 24), r.randrange(1, 60)],
      need=[index("public.stock_moves", lead_set=["warehouse_id", "bin", "kind"])],
      expert=["CREATE INDEX ON stock_moves (warehouse_id, bin, kind)"]),
    S("eq-range", 35, "extended", "SELECT id, at, code FROM events WHERE device_id = $1 AND at >= $2 AND at < $3 ORDER BY at",
      lambda r: [r.randrange(1, 400)] + span(r, 140, 80, 1),
      need=[index("public.events", lead=["device_id", "at"])],
      expert=["CREATE INDEX ON events (device_id, at)"]),
    S("eq-order-limit", 35, "extended",
      "SELECT id, sender_id, body FROM messages WHERE room_id = $1 ORDER BY sent_at DESC LIMIT 20",
      lambda r: [r.randrange(1, 150)],
      need=[index("public.messages", lead=["room_id", "sent_at"])],
      expert=["CREATE INDEX ON messages (room_id, sent_at)"]),
    S("one-sided-range", 35, "simple", "SELECT count(*), count(DISTINCT customer_id) FROM sessions WHERE last_seen > $1",
      lambda r: ["2025-08-%02d %02d:00:00+00" % (r.randrange(16, 18), r.randrange(24))],
      need=[index("public.sessions", lead=["last_seen"])],
      expert=["CREATE INDEX ON sessions (last_seen)"]),
    S("skew", 40, "simple", "SELECT id, args FROM jobs WHERE state = $1 ORDER BY priority, id LIMIT 20",
      lambda r: ["queued"],
      need=[index("public.jobs", lead=["state"]), index("public.jobs", pred=r"state = 'queued'")],
      expert=["CREATE INDEX ON jobs (priority, id) WHERE state = 'queued'"]),
    S("like-prefix", 40, "simple", "SELECT id, name, price FROM products WHERE sku LIKE $1",
      lambda r: ["%s%s-%04d%%" % (chr(65 + r.randrange(26)), chr(65 + r.randrange(26)), r.randrange(3700))],
      need=[index("public.products", lead=["sku"], opclass="text_pattern_ops"),
            index("public.products", lead=["sku"], opclass="gin_trgm_ops")],
      expert=["CREATE INDEX ON products (sku text_pattern_ops)"]),
    S("lower", 35, "extended", "SELECT id, display_name FROM users WHERE lower(email) = lower($1)",
      lambda r: ["USER%d@EXAMPLE.COM" % (r.randrange(1, 26000) * 3)],
      need=[index("public.users", expr=r"^lower\(email\)$")],
      expert=["CREATE INDEX ON users (lower(email))"]),
    S("jsonb", 35, "extended", "SELECT id, updated_at FROM documents WHERE doc @> $1",
      lambda r: ['{"tag": "t%d"}' % r.randrange(1, 4000)],
      need=[index("public.documents", am="gin", lead=["doc"])],
      expert=["CREATE INDEX ON documents USING gin (doc jsonb_path_ops)"]),
    S("ri-delete", 30, "prepared", "DELETE FROM folders WHERE id = $1",
      lambda r: r.serial("folder", 5001, 1000),
      need=[index("public.files", lead=["folder_id"])],
      expert=["CREATE INDEX ON files (folder_id)"]),
    S("update", 35, "extended", "UPDATE tickets SET status = $1, changed_at = now() WHERE external_ref = $2",
      lambda r: ["closed", "EXT-" + r.md5(r.randrange(1, 70000))],
      need=[index("public.tickets", lead=["external_ref"])],
      expert=["CREATE INDEX ON tickets (external_ref)"]),
    S("delete", 35, "simple", "DELETE FROM tokens WHERE session_key = $1",
      lambda r: [r.md5(17 * r.randrange(1, 90000))],
      need=[index("public.tokens", lead=["session_key"])],
      expert=["CREATE INDEX ON tokens (session_key)"]),
    S("view", 35, "extended", "SELECT id, gross FROM open_invoices WHERE account = $1 AND gross > $2",
      lambda r: ["AC%d" % r.randrange(1, 20000), r.randrange(1, 300)],
      need=[index("public.invoices", lead=["account_no"])],
      expert=["CREATE INDEX ON invoices (account_no)"]),
    S("mixed-desc", 35, "simple", "SELECT player_id, score, achieved_at FROM scores ORDER BY score DESC, achieved_at LIMIT 10",
      lambda r: [],
      need=[index("public.scores", lead=["score", "achieved_at"], desc=[True, False])],
      expert=["CREATE INDEX ON scores (score DESC, achieved_at)"]),
    S("partitioned", 35, "extended", "SELECT avg(value) FROM metrics WHERE sensor_id = $1 AND at >= $2 AND at < $3",
      lambda r: [r.randrange(1, 600)] + span(r, 0, 80, 3),
      need=[index("public.metrics", lead=["sensor_id"])],
      expert=["CREATE INDEX ON metrics (sensor_id, at)"]),
    S("covering", 40, "extended", "SELECT sum(amount), count(*) FROM ledger WHERE account_id = $1",
      lambda r: [r.randrange(1, 200)],
      need=[index("public.ledger", lead=["account_id"], covers=["amount"])],
      expert=["CREATE INDEX ON ledger (account_id) INCLUDE (amount)"]),
    S("keyset", 35, "extended",
      "SELECT id, published_at, title FROM articles WHERE (published_at, id) < ($1, $2) "
      "ORDER BY published_at DESC, id DESC LIMIT 25",
      lambda r: [day(r, 5, 100).replace("2025", "2024"), r.randrange(1, 90000)],
      need=[index("public.articles", lead=["published_at"])],
      expert=["CREATE INDEX ON articles (published_at, id)"]),
    # ---------------------------------------------------------------- traps
    S("tiny-table", 400, "simple", "SELECT name FROM countries WHERE region = $1", lambda r: ["region %d" % r.randrange(7)],
      trap=["public.countries"]),
    S("low-selectivity", 25, "extended", "SELECT id, body FROM reviews WHERE approved = $1 AND length(body) > $2",
      lambda r: ["true", r.randrange(20, 60)], trap=["public.reviews"]),
    S("full-aggregate", 12, "simple",
      "SELECT channel, date_trunc('day', created_at), count(*), sum(total) FROM orders GROUP BY 1, 2",
      lambda r: [], trap=["public.orders:channel", "public.orders:created_at", "public.orders:total"]),
    S("one-off", 1, "simple", "SELECT * FROM customers WHERE name LIKE $1 AND about <> $2 ORDER BY created_at",
      lambda r: ["%name 77%", "b"], trap=["public.customers:name", "public.customers:about", "public.customers:created_at"]),
    S("write-hot", 3, "simple", "SELECT device_id FROM device_state WHERE reading > $1", lambda r: [990],
      trap=["public.device_state"]),
    S("covered", 100, "extended", "SELECT id, total FROM orders WHERE customer_id = $1 AND status = $2",
      lambda r: [r.randrange(1, 70000), "open"], trap=["public.orders:customer_id", "public.orders:status"]),
    S("good-partial", 100, "simple", "SELECT id, body FROM outbox WHERE sent_at IS NULL ORDER BY created_at LIMIT 20",
      lambda r: [], trap=["public.outbox"]),
    # ---------------------------------------------------------------- the rest of the day
    S("write-hot-writes", 4000, "prepared", "UPDATE device_state SET reading = $1, updated_at = now() WHERE device_id = $2",
      lambda r: [r.randrange(1000), r.randrange(1, 32000)]),
    S("lookup", 500, "prepared", "SELECT name, email FROM customers WHERE id = $1", lambda r: [r.randrange(1, 70000)]),
    S("insert", 300, "extended",
      "INSERT INTO messages (id, room_id, sender_id, sent_at, body) VALUES ($1, $2, $3, $4, $5)",
      lambda r: r.serial("message", 200000, 10000) + [r.randrange(1, 150), 1, "2025-12-01 00:00:00+00", "hello"]),
]
