"""Set D: what the bank of set_d.sql is asked. See statement.py for the form."""
from statement import Statement as S, index

COLLATION = "C.UTF-8"
SEARCH_PATH = 'core, public'


def day(r, n):
    n = r.randrange(n)
    return "2025-%02d-%02d" % (n // 28 % 12 + 1, n % 28 + 1)


def days(r, n, length):
    n = r.randrange(n)
    return ["2025-%02d-%02d" % (m // 28 % 12 + 1, m % 28 + 1) for m in (n, n + length)]


def iban(r, n):
    return "DE%020d" % r.randrange(1, n)


STATEMENTS = [
    # ---------------------------------------------------------------- needs
    S("eq", 35, "simple", "SELECT client_id, given, family FROM client WHERE tax_no = $1",
      lambda r: ["T%08d" % (r.randrange(1, 80000) * 31 % 1000000)],
      need=[index("core.client", lead=["tax_no"])], expert=["CREATE INDEX ON core.client (tax_no)"]),
    S("three-joins", 15, "extended",
      "SELECT c.family, a.iban, b.city, t.cents FROM client c JOIN account a ON a.client_id = c.client_id "
      "JOIN branch b ON b.branch_id = a.branch_id JOIN transfer t ON t.from_iban = a.iban WHERE c.client_id = $1",
      lambda r: [r.randrange(1, 80000)],
      need=[index("core.transfer", lead=["from_iban"])],
      expert=["CREATE INDEX ON core.transfer (from_iban)", "CREATE INDEX ON core.account (client_id)"]),
    S("fk-join", 35, "prepared", "SELECT a.* FROM account a WHERE a.client_id IN (SELECT client_id FROM client WHERE client_id = $1)",
      lambda r: [r.randrange(1, 80000)],
      need=[index("core.account", lead=["client_id"])]),
    S("two-columns", 35, "extended", "SELECT count(*), max(info) FROM card_use WHERE merchant = $1 AND country = $2",
      lambda r: [r.randrange(1, 500), r.choice(["DE", "FR", "IT"])],
      need=[index("core.card_use", lead_set=["merchant", "country"])], expert=["CREATE INDEX ON core.card_use (merchant, country)"]),
    S("three-columns", 35, "simple", "SELECT value FROM rate WHERE pair = $1 AND day = $2 AND slot = $3",
      lambda r: ["P%d" % r.randrange(1, 150), "2024-%02d-%02d" % (r.randrange(1, 13), r.randrange(1, 28)), r.randrange(24)],
      need=[index("core.rate", lead_set=["pair", "day", "slot"]), index("core.rate", lead_set=["pair", "day"])],
      expert=["CREATE INDEX ON core.rate (pair, day, slot)"]),
    S("eq-range", 35, "prepared",
      "WITH u AS (SELECT * FROM card_use WHERE card_no = $1 AND used_at >= $2 AND used_at < $3) "
      "SELECT merchant, sum(cents), row_number() OVER (ORDER BY sum(cents) DESC) FROM u GROUP BY merchant",
      lambda r: [4000000 + r.randrange(1, 3000)] + days(r, 200, 20),
      need=[index("core.card_use", lead=["card_no"])], expert=["CREATE INDEX ON core.card_use (card_no, used_at)"]),
    S("eq-order-limit", 35, "extended",
      "SELECT id, booked, cents, purpose FROM transfer WHERE to_iban = $1 ORDER BY booked DESC LIMIT 5",
      lambda r: [iban(r, 120000)],
      need=[index("core.transfer", lead=["to_iban"])], expert=["CREATE INDEX ON core.transfer (to_iban, booked)"]),
    S("one-sided-range", 35, "extended", "SELECT client_id, joined FROM client WHERE score > $1",
      lambda r: [r.randrange(990, 999)],
      need=[index("core.client", lead=["score"])], expert=["CREATE INDEX ON core.client (score)"]),
    S("skew", 35, "extended", 'SELECT "Id", "ClientId", "Text" FROM "Risk Desk"."Alert" WHERE "Level" = $1',
      lambda r: [5],
      need=[index("Risk Desk.Alert", lead=["Level"]), index("Risk Desk.Alert", pred='"Level"')],
      expert=['CREATE INDEX ON "Risk Desk"."Alert" ("Level")']),
    S("queue", 40, "simple", "SELECT id FROM queue_item WHERE state = 0 AND run_after < $1 ORDER BY run_after LIMIT 10",
      lambda r: ["2025-%02d-01" % r.randrange(2, 4)],
      need=[index("core.queue_item", lead=["state"]), index("core.queue_item", pred="state = 0")],
      expert=["CREATE INDEX ON core.queue_item (run_after) WHERE state = 0"]),
    S("like-prefix", 35, "simple", "SELECT id, stored FROM document WHERE name LIKE $1",
      lambda r: ["scan/%d/%%" % r.randrange(1000, 4000)],
      need=[index("core.document", lead=["name"])], expert=["CREATE INDEX ON core.document (name)"]),
    S("lower", 35, "prepared", "SELECT at, ok FROM login WHERE lower(email) = $1 ORDER BY at DESC LIMIT 3",
      lambda r: ["person.%d@bank.example" % r.randrange(40000)],
      need=[index("core.login", expr=r"^lower\(email\)$")], expert=["CREATE INDEX ON core.login (lower(email), at)"]),
    S("jsonb", 35, "simple", "SELECT id, name FROM document WHERE meta #>> '{case,no}' = $1",
      lambda r: ["C%d" % r.randrange(1, 6000)],
      need=[index("core.document", expr=r"meta #>> '\{case,no\}'")],
      expert=["CREATE INDEX ON core.document ((meta #>> '{case,no}'))"]),
    S("ri-delete", 30, "extended", "DELETE FROM contract WHERE no = $1 AND version = $2",
      lambda r: (lambda n: [n, n % 3])(r.serial("contract", 1, 2900)[0]),
      need=[index("core.clause", lead_set=["contract_no", "contract_version"]), index("core.clause", lead=["contract_no"])],
      expert=["CREATE INDEX ON core.clause (contract_no, contract_version)"]),
    S("update-from", 20, "simple", "UPDATE limit_use u SET used = used + c.by FROM limit_change c WHERE c.limit_code = u.limit_code AND c.id = $1",
      lambda r: r.serial("change", 1, 60),
      need=[index("core.limit_use", lead=["limit_code"])], expert=["CREATE INDEX ON core.limit_use (limit_code)"]),
    S("delete-range", 25, "extended", "DELETE FROM otp WHERE valid_until < $1",
      lambda r: ["2025-06-01 00:%02d:00+00" % r.serial("otp", 1, 50)[0]],
      need=[index("core.otp", lead=["valid_until"])], expert=["CREATE INDEX ON core.otp (valid_until)"]),
    S("view", 35, "prepared", "SELECT line, cents FROM statement_text WHERE iban = $1 ORDER BY line",
      lambda r: [iban(r, 400)],
      need=[index("core.statement_line", lead=["statement_id"])], expert=["CREATE INDEX ON core.statement_line (statement_id)"]),
    S("nulls-last", 35, "simple", "SELECT client_id, family, score FROM client ORDER BY score DESC NULLS LAST, client_id LIMIT 20",
      lambda r: [],
      need=[index("core.client", lead=["score"])],
      expert=["CREATE INDEX ON core.client (score DESC NULLS LAST, client_id)"]),
    S("partitioned", 35, "simple", "SELECT max(ask), min(bid) FROM quote WHERE symbol = $1 AND at >= $2 AND at < $3",
      lambda r: [r.randrange(1, 400)] + days(r, 170, 10),
      need=[index("core.quote", lead=["symbol"])], expert=["CREATE INDEX ON core.quote (symbol, at)"]),
    # ---------------------------------------------------------------- traps
    S("tiny-table", 500, "prepared", "SELECT branch_id FROM branch WHERE city = $1", lambda r: ["city %d" % r.randrange(400)],
      trap=["core.branch"]),
    S("low-selectivity", 20, "extended", "SELECT iban FROM account WHERE closed IS NULL AND memo <> $1 AND product < $2", lambda r: ["x", 8],
      trap=["core.account:closed", "core.account:memo", "core.account:product"]),
    S("full-aggregate", 10, "simple", "SELECT country, count(*), avg(cents), count(DISTINCT card_no) FROM card_use GROUP BY country HAVING count(*) > 5",
      lambda r: [], trap=["core.card_use:cents", "core.card_use:country"]),
    S("one-off", 1, "extended",
      "SELECT a.payload, count(*) FROM archive_row a JOIN archive_row b ON b.batch = a.batch WHERE a.id % 50 = 7 AND length(b.payload) > $1 GROUP BY 1",
      lambda r: [5], trap=["core.archive_row"]),
    S("write-hot", 4, "extended", "SELECT symbol FROM ticker WHERE depth = $1", lambda r: [r.randrange(700)], trap=["core.ticker"]),
    S("covered", 100, "extended", "SELECT id FROM person WHERE lower(email) = lower($1)", lambda r: ["p%d@x.example" % r.randrange(1, 60000)],
      trap=["core.person"]),
    S("covered-gin", 60, "simple", "SELECT id FROM person WHERE tags @> ARRAY[$1]", lambda r: ["t%d" % r.randrange(900)],
      trap=["core.person"]),
    # ---------------------------------------------------------------- the rest of the day
    S("write-hot-writes", 6000, "prepared", "UPDATE ticker SET last = $1, at = now(), depth = depth + 1 WHERE id = $2",
      lambda r: [r.randrange(1000), r.randrange(1, 40000)]),
    S("lookup", 500, "extended", "SELECT family FROM client WHERE client_id = $1", lambda r: [r.randrange(1, 80000)]),
    S("insert", 200, "prepared", "INSERT INTO transfer VALUES ($1, $2, $3, now(), $4, $5)",
      lambda r: r.serial("transfer", 500000, 9999) + [iban(r, 120000), iban(r, 120000), 100, "x"]),
]
