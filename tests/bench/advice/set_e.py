"""Set E: what the plain tables of set_e.sql are asked. See statement.py for the form."""
from statement import Statement as S, index

COLLATION = "C.UTF-8"
SEARCH_PATH = ""


def P(table, **wanted):                             # pylint: disable=invalid-name
    return index("public." + table, **wanted)


STATEMENTS = [
    S("eq", 50, "simple", "SELECT * FROM t_eq WHERE code = $1", lambda r: [r.randrange(1, 100000)],
      need=[P("t_eq", lead=["code"])], expert=["CREATE INDEX ON t_eq (code)"]),
    S("fk-join", 50, "simple", "SELECT p.id, sum(c.val) FROM t_parent p JOIN t_child c ON c.parent_id = p.id WHERE p.grp = $1 GROUP BY p.id",
      lambda r: [r.randrange(2000)],
      need=[P("t_child", lead=["parent_id"])], expert=["CREATE INDEX ON t_child (parent_id)"]),
    S("two-columns", 50, "simple", "SELECT * FROM t_two WHERE a = $1 AND b = $2", lambda r: (lambda g: [g % 500, g % 301])(r.randrange(120000)),
      need=[P("t_two", lead_set=["a", "b"])], expert=["CREATE INDEX ON t_two (a, b)"]),
    S("three-columns", 50, "simple", "SELECT * FROM t_three WHERE a = $1 AND b = $2 AND c = $3",
      lambda r: (lambda g: [g % 50, g // 50 % 40, g % 61])(r.randrange(120000)),
      need=[P("t_three", lead_set=["a", "b", "c"])], expert=["CREATE INDEX ON t_three (a, b, c)"]),
    S("eq-range", 50, "simple", "SELECT count(*) FROM t_range WHERE owner = $1 AND ts >= $2 AND ts < $3",
      lambda r: (lambda d: [r.randrange(200), "2025-03-%02d" % d, "2025-03-%02d" % (d + 2)])(r.randrange(1, 28)),
      need=[P("t_range", lead=["owner", "ts"])], expert=["CREATE INDEX ON t_range (owner, ts)"]),
    S("eq-order-limit", 50, "simple", "SELECT * FROM t_top WHERE owner = $1 ORDER BY ts DESC LIMIT 10", lambda r: [r.randrange(100)],
      need=[P("t_top", lead=["owner", "ts"])], expert=["CREATE INDEX ON t_top (owner, ts)"]),
    S("one-sided-range", 50, "simple", "SELECT sum(val) FROM t_recent WHERE ts > $1", lambda r: ["2025-12-30 %02d:00:00+00" % r.randrange(24)],
      need=[P("t_recent", lead=["ts"])], expert=["CREATE INDEX ON t_recent (ts)"]),
    S("skew", 50, "simple", "SELECT id, at FROM t_skew WHERE status = $1", lambda r: [r.choice(["error", "retry"])],
      need=[P("t_skew", lead=["status"]), P("t_skew", pred="status")], expert=["CREATE INDEX ON t_skew (status) WHERE status <> 'ok'"]),
    S("like-prefix", 50, "simple", "SELECT id FROM t_prefix WHERE name LIKE $1", lambda r: [r.md5(r.randrange(1, 100000))[:6] + "%"],
      need=[P("t_prefix", lead=["name"], opclass="text_pattern_ops"), P("t_prefix", lead=["name"], opclass="gin_trgm_ops")],
      expert=["CREATE INDEX ON t_prefix (name text_pattern_ops)"]),
    S("lower", 50, "simple", "SELECT id FROM t_lower WHERE lower(email) = $1", lambda r: ["user%d@example.com" % r.randrange(1, 100000)],
      need=[P("t_lower", expr=r"^lower\(email\)$")], expert=["CREATE INDEX ON t_lower (lower(email))"]),
    S("jsonb", 50, "simple", "SELECT id FROM t_json WHERE data @> $1", lambda r: ['{"k": %d}' % r.randrange(5000)],
      need=[P("t_json", am="gin", lead=["data"])], expert=["CREATE INDEX ON t_json USING gin (data jsonb_path_ops)"]),
    S("ri-delete", 40, "simple", "DELETE FROM t_ri WHERE id = $1", lambda r: r.serial("ri", 1, 3000),
      need=[P("t_ri_child", lead=["ri_id"])], expert=["CREATE INDEX ON t_ri_child (ri_id)"]),
    S("update", 50, "simple", "UPDATE t_upd SET n = n + 1 WHERE token = $1", lambda r: [r.md5(3 * r.randrange(1, 80000))],
      need=[P("t_upd", lead=["token"])], expert=["CREATE INDEX ON t_upd (token)"]),
    S("delete", 50, "simple", "DELETE FROM t_del WHERE session_id = $1", lambda r: [r.randrange(20000)],
      need=[P("t_del", lead=["session_id"])], expert=["CREATE INDEX ON t_del (session_id)"]),
    S("view", 50, "simple", "SELECT sum(amount) FROM v_amounts WHERE region = $1 AND kind = $2", lambda r: (lambda g: [g % 1500, "k%d" % (g % 4)])(r.randrange(110000)),
      need=[P("t_view", lead=["region"]), P("t_view", lead_set=["region", "kind"])], expert=["CREATE INDEX ON t_view (region, kind)"]),
    S("mixed-desc", 50, "simple", "SELECT * FROM t_mixed ORDER BY a ASC, b DESC LIMIT 10 OFFSET $1", lambda r: [r.randrange(50)],
      need=[P("t_mixed", lead=["a", "b"], desc=[False, True])], expert=["CREATE INDEX ON t_mixed (a, b DESC)"]),
    S("partitioned", 50, "simple", "SELECT count(*), max(filler) FROM t_part WHERE tenant = $1 AND ts BETWEEN $2 AND $3",
      lambda r: [r.randrange(800), "2025-02-01", "2025-05-%02d" % r.randrange(1, 28)],
      need=[P("t_part", lead=["tenant"])], expert=["CREATE INDEX ON t_part (tenant, ts)"]),
    S("covering", 50, "simple", "SELECT sum(amount) FROM t_cover WHERE grp = $1", lambda r: [r.randrange(150)],
      need=[P("t_cover", lead=["grp"], covers=["amount"])], expert=["CREATE INDEX ON t_cover (grp) INCLUDE (amount)"]),
    S("in-list", 50, "simple", "SELECT id, ref FROM t_in WHERE ref IN ($1, $2, $3)", lambda r: [r.randrange(60000) for _ in range(3)],
      need=[P("t_in", lead=["ref"])], expert=["CREATE INDEX ON t_in (ref)"]),
    S("tiny-table", 600, "simple", "SELECT label FROM tiny WHERE kind = $1", lambda r: [r.randrange(10)], trap=["public.tiny"]),
    S("low-selectivity", 40, "simple", "SELECT count(*), max(filler) FROM lowsel WHERE gender = $1", lambda r: [r.choice("mf")], trap=["public.lowsel"]),
    S("full-aggregate", 40, "simple", "SELECT kind, count(*), sum(amount) FROM agg GROUP BY kind", lambda r: [], trap=["public.agg"]),
    S("one-off", 1, "simple", "SELECT * FROM oneoff WHERE v = $1", lambda r: [77], trap=["public.oneoff"]),
    S("write-hot", 3, "simple", "SELECT id FROM hot WHERE counter = $1", lambda r: [r.randrange(40000)], trap=["public.hot"]),
    S("covered", 100, "simple", "SELECT * FROM covered WHERE a = $1 AND b = $2", lambda r: (lambda g: [g % 20000, g % 7])(r.randrange(80000)), trap=["public.covered"]),
    S("good-partial", 60, "simple", "SELECT id FROM partial_ok WHERE NOT done ORDER BY prio LIMIT 10", lambda r: [], trap=["public.partial_ok"]),
    S("write-hot-writes", 5000, "simple", "UPDATE hot SET counter = counter + 1 WHERE id = $1", lambda r: [r.randrange(1, 40000)]),
    S("lookup", 500, "simple", "SELECT * FROM t_eq WHERE id = $1", lambda r: [r.randrange(1, 100000)]),
]
