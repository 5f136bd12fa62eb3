"""Set R: drawn by lot. The nineteen common kinds of need on tables whose sizes, widths, distributions, orders, call counts and ways of
asking come from a seed, ADVICE_SEED (default 1), and the same seven traps. See statement.py for the form."""
import os
import random

from statement import Statement as S, index

SEED = int(os.environ.get("ADVICE_SEED", "1"))
COLLATION = random.Random(SEED).choice(["C", "C.UTF-8"])
SEARCH_PATH = "lot, public"
lot = random.Random(SEED * 7919)
DDL = ["SELECT setseed(%.4f);" % (SEED * 0.0137 % 1), "CREATE SCHEMA lot;"]
STATEMENTS = []
HOW = ["simple", "extended", "prepared", "execute"]


def draw(n, skew):
    """An SQL value of 0 .. n - 1: even, or crowded at the low end."""
    return "(power(random(), %s) * %d)::int" % (skew, n - 1)


def pick(r, n, skew):
    return int(r.random() ** skew * (n - 1))


def table(name, columns, rows=None):
    rows = rows or lot.randrange(60, 180) * 1000
    DDL.append("CREATE TABLE lot.%s (%s, filler text);" % (name, ", ".join(c.split("|", 1)[0] for c in columns)))
    DDL.append("INSERT INTO lot.%s SELECT %s, repeat('x', %d) FROM generate_series(1, %d) g;"
               % (name, ", ".join(c.split("|", 1)[1] for c in columns), lot.randrange(30, 120), rows))
    return rows


def need(name, sql, values, want, expert, how=None, calls=None):
    STATEMENTS.append(S(name, calls or lot.randrange(20, 50), how or lot.choice(HOW), sql, values, need=want, expert=expert))


def L(name, **wanted):                              # pylint: disable=invalid-name
    return index("lot." + name, **wanted)


def dated(rows, span):
    """A time column: in the order of the rows, or by chance."""
    return lot.choice(["timestamptz '2025-01-01' + g * interval '%d seconds'" % (span * 86400 // rows),
                       "timestamptz '2025-01-01' + random() * interval '%d days'" % span])


def when(r, span, least=0):
    n = r.randrange(least, span)
    return "2025-%02d-%02d 00:00:00+00" % (n // 28 % 12 + 1, n % 28 + 1)


def build():
    sk = [lot.choice([1, 1, 2, 3]) for _ in range(30)]
    d = [lot.randrange(800, 40000) for _ in range(30)]
    rows = table("t_eq", ["id int PRIMARY KEY|g", "a %s|%s" % (("text", "'v' || " + draw(d[0], sk[0])) if lot.random() < .5 else ("int", draw(d[0], sk[0])))])
    text = "'v' ||" in DDL[-1]
    need("eq", "SELECT id, filler FROM t_eq WHERE a = $1", lambda r: [("v%d" if text else "%d") % pick(r, d[0], sk[0])],
         [L("t_eq", lead=["a"])], ["CREATE INDEX ON lot.t_eq (a)"])
    rows = table("t_par", ["id int PRIMARY KEY|g", "code text|'c' || g"], 20000)
    table("t_kid", ["id int PRIMARY KEY|g", "par int NOT NULL|1 + " + draw(rows, sk[1]), "n int|g % 9"])
    need("fk-join", "SELECT p.code, k.n FROM t_par p JOIN t_kid k ON k.par = p.id WHERE p.id %s" % lot.choice(["= $1", "IN ($1, $1 + 7)"]),
         lambda r: [1 + pick(r, 19000, sk[1])], [L("t_kid", lead=["par"])], ["CREATE INDEX ON lot.t_kid (par)"])
    a, b = lot.randrange(20, 900), lot.randrange(20, 400)
    table("t_two", ["a int|" + draw(a, sk[2]), "b smallint|" + draw(b, 1), "v int|g"])
    need("two-columns", "SELECT v, filler FROM t_two WHERE a = $1 AND b = $2", lambda r: [pick(r, a, sk[2]), pick(r, b, 1)],
         [L("t_two", lead_set=["a", "b"])], ["CREATE INDEX ON lot.t_two (a, b)"])
    x, y, z = lot.randrange(10, 80), lot.randrange(10, 60), lot.randrange(5, 30)
    table("t_three", ["x int|" + draw(x, 1), "y text|'y' || " + draw(y, sk[3]), "z smallint|" + draw(z, 1), "v int|g"])
    need("three-columns", "SELECT v FROM t_three WHERE x = $1 AND y = $2 AND z = $3",
         lambda r: [pick(r, x, 1), "y%d" % pick(r, y, sk[3]), pick(r, z, 1)],
         [L("t_three", lead_set=["x", "y", "z"])], ["CREATE INDEX ON lot.t_three (x, y, z)"])
    n, span, rows = lot.randrange(30, 900), lot.randrange(60, 300), lot.randrange(80, 180) * 1000
    table("t_range", ["id int PRIMARY KEY|g", "a int|" + draw(n, sk[4]), "at timestamptz|" + dated(rows, span), "v int|g % 100"], rows)
    width = lot.randrange(2, 12)
    need("eq-range", lot.choice(["SELECT id, v FROM t_range WHERE a = $1 AND at >= $2 AND at < $2::timestamptz + interval '%d days'" % width,
                                 "SELECT count(*), max(v) FROM t_range WHERE a = $1 AND at BETWEEN $2 AND $2::timestamptz + interval '%d days'" % width]),
         lambda r: [pick(r, n, sk[4]), when(r, span - 12)], [L("t_range", lead=["a", "at"])], ["CREATE INDEX ON lot.t_range (a, at)"], how="simple")
    n2, rows = lot.randrange(30, 3000), lot.randrange(80, 180) * 1000
    table("t_top", ["id int PRIMARY KEY|g", "a int|" + draw(n2, sk[5]), "at timestamptz|" + dated(rows, 200), "v int|g"], rows)
    need("eq-order-limit", "SELECT id, v FROM t_top WHERE a = $1 ORDER BY at %s LIMIT %d" % (lot.choice(["", "DESC"]), lot.choice([1, 5, 20])),
         lambda r: [pick(r, n2, sk[5])], [L("t_top", lead=["a", "at"])], ["CREATE INDEX ON lot.t_top (a, at)"])
    table("t_side", ["id int PRIMARY KEY|g", "score float|random() * 1000"])
    need("one-sided-range", "SELECT id FROM t_side WHERE score > $1", lambda r: [r.randrange(993, 999)], [L("t_side", lead=["score"])],
         ["CREATE INDEX ON lot.t_side (score)"])
    rare = lot.choice([0.002, 0.005, 0.01])
    table("t_skew", ["id int PRIMARY KEY|g", "state text|CASE WHEN random() < %s THEN 'new' WHEN random() < 0.1 THEN 'held' ELSE 'done' END" % rare, "v int|g"])
    need("skew", "SELECT id, v FROM t_skew WHERE state = $1" + lot.choice(["", " ORDER BY id LIMIT 40"]), lambda r: ["new"],
         [L("t_skew", lead=["state"]), L("t_skew", pred="state")], ["CREATE INDEX ON lot.t_skew (state)"])
    table("t_like", ["id int PRIMARY KEY|g", "name text|'n' || lpad((g * 7919 %% 99991)::text, 6, '0')".replace("%%", "%")])
    ops = "" if COLLATION == "C" else " text_pattern_ops"
    need("like-prefix", "SELECT id, name FROM t_like WHERE name LIKE $1", lambda r: ["n0%d%%" % r.randrange(1000, 9999)],
         [L("t_like", lead=["name"], opclass=ops.strip() or None)], ["CREATE INDEX ON lot.t_like (name%s)" % ops])
    fn = lot.choice(["lower", "upper"])
    table("t_low", ["id int PRIMARY KEY|g", "mail text|'User.' || %s || '@X.example'" % lot.choice(["g", "g % 30000"])])
    need("lower", "SELECT id, filler FROM t_low WHERE %s(mail) = %s($1)" % (fn, fn), lambda r: ["user.%d@x.example" % r.randrange(1, 30000)],
         [L("t_low", expr=fn + r"\(mail\)")], ["CREATE INDEX ON lot.t_low (%s(mail))" % fn])
    keys = lot.randrange(1000, 20000)
    table("t_json", ["id int PRIMARY KEY|g", "doc jsonb|jsonb_build_object('ref', 'r' || %s, 'kind', g %% 9, 'f', repeat('z', 60))" % draw(keys, 1)])
    need("jsonb", "SELECT id FROM t_json WHERE doc @> $1", lambda r: ['{"ref": "r%d"}' % pick(r, keys, 1)], [L("t_json", am="gin", lead=["doc"])],
         ["CREATE INDEX ON lot.t_json USING gin (doc jsonb_path_ops)"])
    table("t_owner", ["id int PRIMARY KEY|g"], 5000)
    table("t_thing", ["id int PRIMARY KEY|g", "owner int REFERENCES lot.t_owner%s|1 + %s" % (lot.choice(["", " ON DELETE CASCADE"]), draw(2500, 1))])
    need("ri-delete", "DELETE FROM t_owner WHERE id = $1", lambda r: r.serial("owner", 3001, 1900), [L("t_thing", lead=["owner"])],
         ["CREATE INDEX ON lot.t_thing (owner)"], calls=30)
    table("t_upd", ["id int PRIMARY KEY|g", "token text|md5(g::text)", "n int|0"])
    need("update", "UPDATE t_upd SET n = n + 1 WHERE token = $1", lambda r: [r.md5(r.randrange(1, 60000))], [L("t_upd", lead=["token"])],
         ["CREATE INDEX ON lot.t_upd (token)"])
    g = lot.randrange(500, 5000)
    table("t_del", ["id int PRIMARY KEY|g", "batch int|%s" % lot.choice(["g %% %d" % g, "g / %d" % (100000 // g)]), "n int|0"])
    need("delete", "DELETE FROM t_del WHERE batch = $1 AND n < $2", lambda r: [r.randrange(g), 1], [L("t_del", lead=["batch"])], ["CREATE INDEX ON lot.t_del (batch)"])
    m = lot.randrange(200, 4000)
    table("t_base", ["id int PRIMARY KEY|g", "grp int|" + draw(m, sk[6]), "par int|1 + g % 20000"])
    DDL.append("CREATE VIEW lot.seen AS SELECT b.id, b.grp, p.code FROM lot.t_base b JOIN lot.t_par p ON p.id = b.par;")
    need("view", "SELECT id, code FROM seen WHERE grp = $1", lambda r: [pick(r, m, sk[6])], [L("t_base", lead=["grp"])], ["CREATE INDEX ON lot.t_base (grp)"])
    k = lot.randrange(10, 60)
    table("t_mix", ["id int PRIMARY KEY|g", "k int|" + draw(k, 1), "p int|" + draw(500, 1), "at date|date '2025-01-01' + g % 300"])
    need("mixed-desc", "SELECT id FROM t_mix WHERE k = $1 ORDER BY p DESC, at LIMIT 10", lambda r: [pick(r, k, 1)],
         [L("t_mix", lead=["k", "p", "at"], desc=[False, True, False])], ["CREATE INDEX ON lot.t_mix (k, p DESC, at)"])
    q, rows = lot.randrange(100, 900), lot.randrange(100, 180) * 1000
    DDL.append("CREATE TABLE lot.t_part (k int, at timestamptz NOT NULL, v int, filler text) PARTITION BY RANGE (at);")
    for i in range(4):
        DDL.append("CREATE TABLE lot.t_part_%d PARTITION OF lot.t_part FOR VALUES FROM ('2025-%02d-01') TO ('2025-%02d-01');" % (i, 2 * i + 1, 2 * i + 3))
    DDL.append("INSERT INTO lot.t_part SELECT %s, timestamptz '2025-01-01' + random() * interval '235 days', g, repeat('x', 60) FROM generate_series(1, %d) g;"
               % (draw(q, sk[7]), rows))
    need("partitioned", "SELECT at, v FROM t_part WHERE k = $1 AND at >= $2", lambda r: [pick(r, q, sk[7]), when(r, 180, 30)],
         [L("t_part", lead=["k"])], ["CREATE INDEX ON lot.t_part (k, at)"])
    c = lot.randrange(80, 250)
    table("t_cov", ["id int PRIMARY KEY|g", "acct int|" + draw(c, 1), "cents int|g % 1000", "day date|date '2025-01-01' + g % 365"])
    need("covering", lot.choice(["SELECT sum(cents) FROM t_cov WHERE acct = $1", "SELECT day, sum(cents) FROM t_cov WHERE acct = $1 GROUP BY day"]),
         lambda r: [pick(r, c, 1)], [L("t_cov", lead=["acct"], covers=["cents"])],
         ["CREATE INDEX ON lot.t_cov (acct) INCLUDE (cents, day)"])


def traps():
    DDL.append("CREATE TABLE lot.w_tiny AS SELECT g AS id, g % 5 AS k FROM generate_series(1, 300) g;")
    STATEMENTS.append(S("tiny-table", 500, "extended", "SELECT id FROM w_tiny WHERE k = $1", lambda r: [r.randrange(5)], trap=["lot.w_tiny"]))
    kinds = lot.randrange(2, 5)
    table("w_low", ["id int PRIMARY KEY|g", "kind int|g %% %d" % kinds, "on_off boolean|g % 2 = 0"])
    STATEMENTS.append(S("low-selectivity", 20, lot.choice(HOW), "SELECT id, filler FROM w_low WHERE kind = $1 AND on_off", lambda r: [r.randrange(kinds)], trap=["lot.w_low"]))
    STATEMENTS.append(S("full-aggregate", 6, "simple", "SELECT a, count(*) FROM t_top GROUP BY a ORDER BY 2 DESC LIMIT 5", lambda r: [], trap=["lot.t_top:v"]))
    STATEMENTS.append(S("one-off", 1, "simple", "SELECT count(*) FROM t_side a WHERE filler LIKE '%q%' AND score < 3", lambda r: [], trap=["lot.t_side:filler"]))
    table("w_hot", ["id int PRIMARY KEY|g", "v int|0"], 40000)
    DDL.append("ALTER TABLE lot.w_hot SET (fillfactor = 60); ")
    STATEMENTS.append(S("write-hot", 3, "simple", "SELECT id FROM w_hot WHERE v > $1", lambda r: [990], trap=["lot.w_hot"]))
    STATEMENTS.append(S("write-hot-writes", 4000, "prepared", "UPDATE w_hot SET v = $1 WHERE id = $2", lambda r: [r.randrange(1000), r.randrange(1, 40000)]))
    table("w_cov", ["a int|g % 3000", "b int|g"])
    DDL.append("CREATE INDEX w_cov_ab ON lot.w_cov (a, b);")
    STATEMENTS.append(S("covered", 60, "extended", "SELECT b FROM w_cov WHERE a = $1", lambda r: [r.randrange(3000)], trap=["lot.w_cov"]))
    table("w_part", ["id int PRIMARY KEY|g", "open boolean|g % 700 = 3", "at int|g"])
    DDL.append("CREATE INDEX w_part_open ON lot.w_part (at) WHERE open;")
    STATEMENTS.append(S("good-partial", 60, "simple", "SELECT id FROM w_part WHERE open ORDER BY at LIMIT 20", lambda r: [], trap=["lot.w_part"]))


build()
traps()
SQL = "\n".join(DDL) + "\n"
