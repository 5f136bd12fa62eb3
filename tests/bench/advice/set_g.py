"""Set G: what the market place of set_g.sql is asked. See statement.py for the form."""
from statement import Statement as S, index

COLLATION = "C.UTF-8"
SEARCH_PATH = "market, public"


def M(table, **wanted):                             # pylint: disable=invalid-name
    return index("market." + table, **wanted)


def day(r, first=1, last=13):
    return "2024-%02d-%02d" % (r.randrange(first, last), r.randrange(1, 28))


STATEMENTS = [
    S("in-list", 25, "extended",
      'SELECT "purchase"."id", "purchase"."total" FROM "purchase" WHERE "purchase"."customer_id" IN ($1, $2, $3, $4, $5)',
      lambda r: [r.randrange(1, 70000) for _ in range(5)],
      need=[M("purchase", lead=["customer_id"])], expert=["CREATE INDEX ON market.purchase (customer_id)"]),
    S("either", 30, "prepared", "SELECT id, sent, body FROM message WHERE sender = $1 OR recipient = $1 ORDER BY sent DESC",
      lambda r: [r.randrange(1, 70000)],
      need=[M("message", lead=["sender"])], expert=["CREATE INDEX ON market.message (sender)", "CREATE INDEX ON market.message (recipient)"]),
    S("fk-join", 25, "simple",
      "SELECT l.sku, l.qty, p.placed FROM purchase p LEFT OUTER JOIN purchase_line l ON l.purchase_id = p.id WHERE p.id = $1",
      lambda r: [r.randrange(1, 170000)],
      need=[M("purchase_line", lead=["purchase_id"])], expert=["CREATE INDEX ON market.purchase_line (purchase_id)"]),
    S("not-usual", 25, "simple", "SELECT id, customer_id, total FROM purchase WHERE state <> $1 ORDER BY placed", lambda r: ["done"],
      need=[M("purchase", pred="state"), M("purchase", lead=["state"])],
      expert=["CREATE INDEX ON market.purchase (placed) WHERE state <> 'done'"]),
    S("exists", 12, "extended",
      "SELECT c.id FROM customer c WHERE c.id BETWEEN $1 AND $2 AND EXISTS (SELECT 1 FROM complaint m WHERE m.customer_id = c.id AND m.is_open)",
      lambda r: [(a := r.randrange(1, 69000)), a + 40],
      need=[M("complaint", lead=["customer_id"]), M("complaint", lead_set=["customer_id", "is_open"])],
      expert=["CREATE INDEX ON market.complaint (customer_id)"]),
    S("lateral", 12, "prepared",
      "SELECT d.id, p.at, p.lat FROM device d CROSS JOIN LATERAL (SELECT at, lat FROM ping WHERE device_id = d.id ORDER BY at DESC LIMIT 1) p "
      "WHERE d.id IN ($1, $2, $3)", lambda r: [r.randrange(1, 3000) for _ in range(3)],
      need=[M("ping", lead=["device_id", "at"])], expert=["CREATE INDEX ON market.ping (device_id, at)"]),
    S("distinct-on", 25, "extended",
      "SELECT DISTINCT ON (sku) sku, valid, cents FROM price_change WHERE sku = ANY ($1) AND valid <= $2 ORDER BY sku, valid DESC",
      lambda r: ["{%d,%d}" % (r.randrange(2500), r.randrange(2500)), day(r)],
      need=[M("price_change", lead=["sku"])], expert=["CREATE INDEX ON market.price_change (sku, valid)"]),
    S("max-of", 30, "extended", "SELECT max(seq) FROM event_log WHERE stream = $1", lambda r: [r.uuid("e%d" % r.randrange(4000))],
      need=[M("event_log", lead=["stream"])], expert=["CREATE INDEX ON market.event_log (stream, seq)"]),
    S("cast-date", 25, "simple", "SELECT id, page, ms FROM visit WHERE came::date = $1", lambda r: ["2025-%02d-%02d" % (r.randrange(1, 13), r.randrange(1, 28))],
      need=[M("visit", expr="::date")], expert=["CREATE INDEX ON market.visit ((came::date))"]),
    S("lower-prefix", 30, "extended", "SELECT id, full_name FROM customer WHERE lower(full_name) LIKE $1", lambda r: [r.md5(r.randrange(1, 70000))[:6] + "%"],
      need=[M("customer", expr=r"lower\(", opclass="text_pattern_ops"), M("customer", expr=r"lower\(", opclass="varchar_pattern_ops"),
            M("customer", expr=r"lower\(", opclass="gin_trgm_ops")],
      expert=["CREATE INDEX ON market.customer (lower(full_name) text_pattern_ops)"]),
    S("icontains", 25, "simple", 'SELECT "article"."id", "article"."title" FROM "article" WHERE UPPER("article"."title"::text) LIKE UPPER($1) LIMIT 21',
      lambda r: ["%" + r.md5("t%d" % r.randrange(1, 70000))[:7] + "%"],
      need=[M("article", expr=r"upper\(", opclass="gin_trgm_ops")],
      expert=["CREATE INDEX ON market.article USING gin (upper(title) gin_trgm_ops)"]),
    S("sort-lower", 25, "extended", "SELECT id, nick FROM customer WHERE country = $1 ORDER BY lower(nick), id LIMIT 10",
      lambda r: [chr(65 + (n := r.randrange(200)) // 26) + chr(65 + n % 26)],
      need=[M("customer", lead=["country"])], expert=["CREATE INDEX ON market.customer (country, lower(nick), id)"]),
    S("digest", 25, "prepared", "SELECT id, title FROM article WHERE md5(url) = md5($1)", lambda r: ["https://shop.example/a/" + r.md5(r.randrange(1, 70000))],
      need=[M("article", expr=r"md5\(")], expert=["CREATE INDEX ON market.article (md5(url))"]),
    S("array", 25, "simple", "SELECT id, title FROM article WHERE labels && ARRAY[$1, $2]::int[]", lambda r: [r.randrange(4000), r.randrange(4000)],
      need=[M("article", am="gin", lead=["labels"])], expert=["CREATE INDEX ON market.article USING gin (labels)"]),
    S("overlap", 25, "extended", "SELECT id, room FROM booking WHERE during && tstzrange($1, $2) AND room = $3",
      lambda r: [(d := day(r)) + " 10:00+00", d + " 12:00+00", r.randrange(300)],
      need=[M("booking", am="gist"), M("booking", lead=["room"])], expert=["CREATE INDEX ON market.booking USING gist (during)"]),
    S("words", 25, "simple", "SELECT id, title FROM article WHERE to_tsvector('english', body) @@ to_tsquery('english', $1)",
      lambda r: ["term%d" % r.randrange(5000)],
      need=[M("article", am="gin", expr="to_tsvector")], expert=["CREATE INDEX ON market.article USING gin (to_tsvector('english', body))"]),
    S("failed", 30, "extended", "SELECT id, topic FROM outbox WHERE failed_at IS NOT NULL AND topic = $1 ORDER BY failed_at LIMIT 25",
      lambda r: ["topic.%d" % r.randrange(25)],
      need=[M("outbox", lead=["topic"]), M("outbox", lead=["failed_at"]), M("outbox", pred="failed_at")],
      expert=["CREATE INDEX ON market.outbox (topic, failed_at) WHERE failed_at IS NOT NULL"]),
    S("two-columns", 25, "prepared", "UPDATE stock SET qty = qty - $1 WHERE sku = $2 AND warehouse = $3 AND qty >= $1",
      lambda r: [1, r.randrange(3700), r.randrange(40)],
      need=[M("stock", lead=["sku"]), M("stock", lead_set=["sku", "warehouse"])], expert=["CREATE INDEX ON market.stock (sku, warehouse)"]),
    S("hash-parts", 25, "extended", "SELECT id, verb, at FROM audit WHERE tenant = $1 AND actor = $2 ORDER BY at DESC LIMIT 30",
      lambda r: [r.randrange(90), "actor%d" % r.randrange(5000)],
      need=[M("audit", lead_set=["tenant", "actor"]), M("audit", lead=["actor"])], expert=["CREATE INDEX ON market.audit (tenant, actor, at)"]),
    S("union-view", 25, "simple", "SELECT id, due FROM any_loan WHERE item = $1", lambda r: ["item%d" % r.randrange(1, 90000)],
      need=[M("loan", lead=["item"])], expert=["CREATE INDEX ON market.loan (item)", "CREATE INDEX ON market.loan_old (item)"]),
    S("keyset", 25, "extended", "SELECT id, placed, total FROM purchase WHERE shop_id = $1 AND (placed, id) < ($2, $3) ORDER BY placed DESC, id DESC LIMIT 20",
      lambda r: [r.randrange(1, 500), day(r, 3), 170000],
      need=[M("purchase", lead=["shop_id", "placed"])], expert=["CREATE INDEX ON market.purchase (shop_id, placed, id)"]),
    S("not-exists", 25, "simple",
      "DELETE FROM device d WHERE d.id > $1 AND d.id < $2 AND NOT EXISTS (SELECT FROM customer c WHERE c.id = d.customer_id)",
      lambda r: [5000, 5010]),
    # ---------------------------------------------------------------- traps
    S("tiny-table", 500, "extended", "SELECT name FROM country WHERE zone = $1 AND name LIKE $2", lambda r: [r.randrange(5), "land 1%"], trap=["market.country"]),
    S("flag", 25, "simple", "SELECT id, stars FROM opinion WHERE visible AND stars = $1 AND length(txt) > $2", lambda r: [r.randrange(1, 6), 5], trap=["market.opinion"]),
    S("partial-used", 60, "simple", "SELECT id FROM task WHERE NOT done AND queue = $1 ORDER BY made LIMIT 10", lambda r: ["q%d" % r.randrange(6)], trap=["market.task"]),
    S("prefix-there", 80, "extended", "SELECT article_id, score FROM rating WHERE customer_id = $1 AND score >= $2", lambda r: [r.randrange(9000), 3], trap=["market.rating"]),
    S("hot-reads", 4, "simple", "SELECT count(*) FROM cart WHERE touched > $1", lambda r: [5000], trap=["market.cart:touched"]),
    S("all-of-it", 6, "simple", "SELECT date_trunc('month', placed), sum(total) FROM purchase GROUP BY 1 ORDER BY 1", lambda r: [],
      trap=["market.purchase:total"]),
    S("once", 1, "simple", "SELECT count(*) FROM visit a JOIN visit b ON a.ms = b.ms + 1 WHERE a.page = '/p/3'", lambda r: [], trap=["market.visit:ms"]),
    # ---------------------------------------------------------------- the rest of the day
    S("hot-writes", 5000, "prepared", "UPDATE cart SET touched = $1, items = items + 1 WHERE id = $2", lambda r: [r.randrange(1000), r.randrange(1, 40000)]),
    S("lookup", 400, "prepared", "SELECT * FROM customer WHERE id = $1 LIMIT 1", lambda r: [r.randrange(1, 70000)]),
    S("insert", 400, "extended", "INSERT INTO outbox VALUES ($1, $2, 0, NULL, 'x')", lambda r: r.serial("outbox", 500000, 9999) + ["topic.1"]),
]
