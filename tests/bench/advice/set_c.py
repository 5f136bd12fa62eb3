"""Set C: what mappers ask of set_c.sql. See statement.py for the form."""
from statement import Statement as S, index

COLLATION = "C.UTF-8"
SEARCH_PATH = '"$user", saas'

KINDS = ["note", "task", "call", "mail", "file"]


def moment(r, days):
    n = r.randrange(days)
    return "2025-%02d-%02d 00:00:00" % (n // 28 % 12 + 1, n % 28 + 1)


def moments(r, days, length):
    n = r.randrange(days)
    return ["2025-%02d-%02d 00:00:00" % (m // 28 % 12 + 1, m % 28 + 1) for m in (n, n + length)]


STATEMENTS = [
    # ---------------------------------------------------------------- needs
    S("eq", 50, "prepared", 'SELECT "user".* FROM "user" WHERE "user"."email_hash" = $1 LIMIT $2',
      lambda r: ["\\x" + r.md5(r.randrange(1, 50000)), 1],
      need=[index("saas.user", lead=["email_hash"])],
      expert=['CREATE INDEX ON saas."user" (email_hash)']),
    S("fk-join", 40, "extended",
      "select i1_0.id,i1_0.number,l1_0.invoice_id,l1_0.id,l1_0.amount,l1_0.text from saas.invoice i1_0 "
      "left join saas.invoice_line l1_0 on i1_0.id=l1_0.invoice_id where i1_0.id=$1",
      lambda r: [r.randrange(1, 60000)],
      need=[index("saas.invoice_line", lead=["invoice_id"])],
      expert=["CREATE INDEX ON saas.invoice_line (invoice_id)"]),
    S("two-columns", 45, "extended", 'SELECT "page".* FROM "page" WHERE "page"."tenant_id" = $1 AND "page"."slug" = $2 ORDER BY "page"."id" ASC LIMIT $3',
      lambda r: [r.randrange(0, 30), "page-%d" % r.randrange(1, 2000), 1],
      need=[index("saas.page", lead_set=["tenant_id", "slug"]), index("saas.page", lead=["slug"])],
      expert=["CREATE INDEX ON saas.page (slug, tenant_id)"]),
    S("three-columns", 40, "simple",
      'SELECT "activity"."id", "activity"."text" FROM "activity" WHERE ("activity"."kind" = $1 AND "activity"."ref" = $2 AND "activity"."tenant_id" = $3)',
      lambda r: [r.choice(KINDS), r.randrange(1, 80), r.randrange(60)],
      need=[index("saas.activity", lead_set=["tenant_id", "kind", "ref"])],
      expert=["CREATE INDEX ON saas.activity (ref, tenant_id, kind)"]),
    S("eq-range", 40, "prepared",
      'SELECT COUNT(*) AS "__count", MAX("visit"."ip") AS "m" FROM "visit" WHERE ("visit"."created_at" BETWEEN $1 AND $2 AND "visit"."tenant_id" = $3)',
      lambda r: moments(r, 200, 3) + [r.randrange(1, 120)],
      need=[index("saas.visit", lead=["tenant_id", "created_at"])],
      expert=["CREATE INDEX ON saas.visit (tenant_id, created_at) INCLUDE (ip)"]),
    S("eq-order-limit", 40, "extended",
      'SELECT c.id, c.text FROM comment AS c WHERE c.author_id = $1 ORDER BY c.created_at DESC, c.id DESC LIMIT $2 OFFSET $3',
      lambda r: [r.randrange(1, 700), 10, r.choice([0, 0, 10])],
      need=[index("saas.comment", lead=["author_id", "created_at"])],
      expert=["CREATE INDEX ON saas.comment (author_id, created_at, id)"]),
    S("subquery", 40, "extended",
      "SELECT p.id, p.title, (SELECT count(*) FROM comment c WHERE c.post_id = p.id) AS comments FROM post p "
      "WHERE p.tenant_id = $1 ORDER BY p.created_at DESC LIMIT 3",
      lambda r: [r.randrange(1, 300)],
      need=[index("saas.comment", lead=["post_id"])],
      expert=["CREATE INDEX ON saas.comment (post_id)"]),
    S("one-sided-range", 40, "simple", "SELECT w.id, w.owner, w.balance FROM saas.wallet w WHERE w.balance < $1 ORDER BY w.balance",
      lambda r: [0],
      need=[index("saas.wallet", lead=["balance"]), index("saas.wallet", pred="balance <")],
      expert=["CREATE INDEX ON saas.wallet (balance)"]),
    S("null-state", 45, "simple", 'SELECT "webhook"."id", "webhook"."url" FROM "webhook" WHERE "webhook"."processed_at" IS NULL ORDER BY "webhook"."id" LIMIT 100',
      lambda r: [],
      need=[index("saas.webhook", lead=["processed_at"]), index("saas.webhook", pred="processed_at IS NULL")],
      expert=["CREATE INDEX ON saas.webhook (id) WHERE processed_at IS NULL"]),
    S("like-prefix", 40, "extended", 'SELECT "blob"."id", "blob"."path" FROM "blob" WHERE "blob"."path"::text LIKE $1',
      lambda r: ["/t%d/%s%%" % (lambda n: (n % 97, r.md5(n % 9000)[:12]))(r.randrange(1, 90000))],
      need=[index("saas.blob", lead=["path"], opclass="text_pattern_ops"), index("saas.blob", lead=["path"], opclass="gin_trgm_ops")],
      expert=["CREATE INDEX ON saas.blob (path text_pattern_ops)"]),
    S("lower", 40, "extended", "SELECT id, phone FROM contact WHERE tenant_id = $2 AND lower(name) = lower($1)",
      lambda r: ["CONTACT %d" % r.randrange(50000), r.randrange(0, 60)],
      need=[index("saas.contact", expr=r"^lower\(name\)$"), index("saas.contact", lead=["tenant_id", "lower(name)"])],
      expert=["CREATE INDEX ON saas.contact (lower(name))"]),
    S("array", 40, "simple", "SELECT id, name, tags FROM contact WHERE tags @> ARRAY[$1, $2]",
      lambda r: ["tag%d" % r.randrange(1, 5000), "x%d" % r.randrange(7)],
      need=[index("saas.contact", am="gin", lead=["tags"])],
      expert=["CREATE INDEX ON saas.contact USING gin (tags)"]),
    S("ri-delete", 30, "extended", 'DELETE FROM "team" WHERE "team"."id" IN ($1)',
      lambda r: r.serial("team", 1, 2000),
      need=[index("saas.member", lead=["team_id"])],
      expert=["CREATE INDEX ON saas.member (team_id)"]),
    S("update", 40, "prepared", "UPDATE saas.task SET state=$1, version=version+1 WHERE tenant_id=$2 AND external_id=$3 RETURNING id, version",
      lambda r: ["done"] + (lambda n: [n % 40, "X%d" % (n % 5000)])(r.randrange(1, 80000)),
      need=[index("saas.task", lead=["external_id"]), index("saas.task", lead_set=["tenant_id", "external_id"])],
      expert=["CREATE INDEX ON saas.task (external_id, tenant_id)"]),
    S("delete", 20, "simple", "DELETE FROM cache USING stale WHERE cache.key = stale.key AND stale.id = $1",
      lambda r: r.serial("stale", 1, 40),
      need=[index("saas.cache", lead=["key"])],
      expert=["CREATE INDEX ON saas.cache (key)"]),
    S("view", 40, "extended", 'SELECT "balance"."amount", "balance"."n" FROM "balance" WHERE "balance"."account" = $1',
      lambda r: [r.randrange(1, 4000)],
      need=[index("saas.posting", lead=["account"])],
      expert=["CREATE INDEX ON saas.posting (account) INCLUDE (amount)"]),
    S("mixed-desc", 40, "simple", "SELECT id, title FROM card WHERE board_id = $1 ORDER BY pinned DESC, created_at LIMIT 20",
      lambda r: [r.randrange(1, 60)],
      need=[index("saas.card", lead=["board_id", "pinned", "created_at"], desc=[False, True, False]),
            index("saas.card", lead=["board_id", "pinned", "created_at"], desc=[True, True, False])],
      expert=["CREATE INDEX ON saas.card (board_id, pinned DESC, created_at)"]),
    S("partitioned", 40, "extended", "SELECT tenant_id, sum(units) FROM saas.usage WHERE meter = $1 AND at >= $2 AND at < $3 GROUP BY tenant_id",
      lambda r: [r.randrange(1, 300)] + moments(r, 75, 3),
      need=[index("saas.usage", lead=["meter"])],
      expert=["CREATE INDEX ON saas.usage (meter, at)"]),
    S("covering", 40, "extended", "SELECT day, sum(cost) FROM click WHERE campaign = $1 GROUP BY day ORDER BY day",
      lambda r: [r.randrange(1, 150)],
      need=[index("saas.click", lead=["campaign"], covers=["day", "cost"])],
      expert=["CREATE INDEX ON saas.click (campaign, day) INCLUDE (cost)"]),
    # ---------------------------------------------------------------- traps
    S("tiny-table", 500, "extended", "SELECT label FROM plan WHERE tier = $1", lambda r: ["tier%d" % r.randrange(9)], trap=["saas.plan"]),
    S("low-selectivity", 25, "simple", 'SELECT "user"."id" FROM "user" WHERE "user"."role" = $1 AND "user"."profile" <> $2',
      lambda r: ["role%d" % r.randrange(3), "q"], trap=["saas.user:role", "saas.user:profile"]),
    S("full-aggregate", 10, "extended", "SELECT tenant_id, count(*), sum(total), max(length(memo)) FROM invoice GROUP BY tenant_id",
      lambda r: [], trap=["saas.invoice"]),
    S("one-off", 1, "simple", "SELECT * FROM activity WHERE \"group\" = $1 AND text LIKE $2 ORDER BY at", lambda r: [7, "%a%"],
      trap=["saas.activity:group", "saas.activity:text", "saas.activity:at"]),
    S("write-hot", 2, "simple", "SELECT verb, count(*) FROM audit WHERE actor = $1 GROUP BY verb", lambda r: [r.randrange(3000)],
      trap=["saas.audit"]),
    S("covered", 150, "extended", 'SELECT "feed"."text" FROM "feed" WHERE "feed"."tenant_id" = $1 ORDER BY "feed"."created_at" DESC LIMIT 20',
      lambda r: [r.randrange(80)], trap=["saas.feed:tenant_id"]),
    S("good-partial", 80, "simple", "SELECT id FROM feed WHERE hidden ORDER BY id LIMIT 30", lambda r: [], trap=["saas.feed"]),
    # ---------------------------------------------------------------- the rest of the day
    S("write-hot-writes", 5000, "extended", "INSERT INTO audit (actor, verb, at, detail) VALUES ($1, $2, $3, $4) RETURNING id",
      lambda r: [r.randrange(3000), "verb1", "2025-10-01 00:00:00", "x" * 100]),
    S("lookup", 600, "prepared", 'SELECT "user"."name" FROM "user" WHERE "user"."id" = $1', lambda r: [r.randrange(1, 50000)]),
    S("update-hot", 1500, "prepared", "UPDATE saas.\"user\" SET role = $1 WHERE id = $2", lambda r: ["role%d" % r.randrange(3), r.randrange(1, 50000)]),
]
