"""Set F: what the fleet of set_f.sql is asked. See statement.py for the form."""
from statement import Statement as S, index

COLLATION = "C.UTF-8"
SEARCH_PATH = "fleet, pg_catalog"


def days(r, n, length):
    n = r.randrange(n)
    return ["2025-%02d-%02d" % (m // 28 % 12 + 1, m % 28 + 1) for m in (n, n + length)]


def F(table, **wanted):                             # pylint: disable=invalid-name
    return index("fleet." + table, **wanted)


STATEMENTS = [
    S("eq", 25, "extended", "SELECT shipment_id, status FROM shipment WHERE ref = $1::uuid", lambda r: [r.uuid("s%d" % r.randrange(1, 200000))],
      need=[F("shipment", lead=["ref"])], expert=["CREATE INDEX ON fleet.shipment (ref)"]),
    S("eq-char", 40, "simple", "SELECT driver_id, phone FROM driver WHERE badge = $1", lambda r: [str(r.randrange(1, 70000)).rjust(10, "B")],
      need=[F("driver", lead=["badge"])], expert=["CREATE INDEX ON fleet.driver (badge)"]),
    S("fk-join", 20, "prepared",
      "SELECT s.due, l.seq, l.truck FROM shipment s INNER JOIN leg l ON (l.shipment_id = s.shipment_id) WHERE s.shipment_id = ANY ($1) ORDER BY l.seq",
      lambda r: ["{%s}" % ",".join(str(r.randrange(1, 200000)) for _ in range(6))],
      need=[F("leg", lead=["shipment_id"])], expert=["CREATE INDEX ON fleet.leg (shipment_id)"]),
    S("two-columns", 30, "simple", "SELECT count(*) FROM scan WHERE tag = $1 AND depot_id = $2",
      lambda r: ["TAG%d" % int(r.random() ** 2 * 30000), r.randrange(1, 800)],
      need=[F("scan", lead=["tag"]), F("scan", lead_set=["tag", "depot_id"])], expert=["CREATE INDEX ON fleet.scan (tag, depot_id)"]),
    S("three-columns", 40, "extended", "SELECT cents FROM tariff WHERE origin = $1 AND target = $2 AND class = $3",
      lambda r: ["O%d" % r.randrange(1, 90), "D%d" % r.randrange(1, 90), r.randrange(1, 6)],
      need=[F("tariff", lead_set=["origin", "target", "class"])], expert=["CREATE INDEX ON fleet.tariff (origin, target, class)"]),
    S("eq-range", 20, "simple", "SELECT shipment_id, price FROM shipment WHERE customer = $1 AND created BETWEEN $2 AND $3",
      lambda r: [int(r.random() ** 2 * 9000)] + days(r, 20, 2),
      need=[F("shipment", lead=["customer"])], expert=["CREATE INDEX ON fleet.shipment (customer, created)"]),
    S("eq-order-limit", 35, "prepared", "SELECT at, operator FROM scan WHERE operator = $1 ORDER BY at DESC LIMIT 1", lambda r: [r.randrange(1, 400)],
      need=[F("scan", lead=["operator", "at"])], expert=["CREATE INDEX ON fleet.scan (operator, at)"]),
    S("one-sided-range", 40, "extended", "SELECT id, resource FROM lock_row WHERE expires < $1", lambda r: ["2025-01-01 %02d:00:00+00" % r.randrange(1, 23)],
      need=[F("lock_row", lead=["expires"])], expert=["CREATE INDEX ON fleet.lock_row (expires)"]),
    S("skew", 20, "simple", "SELECT shipment_id, customer FROM shipment WHERE status = $1", lambda r: ["lost"],
      need=[F("shipment", lead=["status"]), F("shipment", pred="status")], expert=["CREATE INDEX ON fleet.shipment (status) WHERE status <> 'delivered'"]),
    S("claim", 40, "simple", "SELECT id FROM inbox WHERE claimed_by IS NULL ORDER BY priority DESC, arrived LIMIT 5 FOR UPDATE SKIP LOCKED", lambda r: [],
      need=[F("inbox", lead=["claimed_by"]), F("inbox", pred="claimed_by IS NULL")],
      expert=["CREATE INDEX ON fleet.inbox (priority DESC, arrived) WHERE claimed_by IS NULL"]),
    S("like-prefix", 25, "extended", "SELECT leg_id, km FROM leg WHERE truck LIKE $1 ORDER BY leg_id", lambda r: ["TRK-%05d%%" % int(r.random() * 300)],
      need=[F("leg", lead=["truck"], opclass="text_pattern_ops"), F("leg", lead=["truck"], opclass="gin_trgm_ops")],
      expert=["CREATE INDEX ON fleet.leg (truck text_pattern_ops)"]),
    S("lower", 40, "simple", "SELECT driver_id FROM driver WHERE lower(email) IN ($1, $2)",
      lambda r: ["driver.%d@fleet.example" % r.randrange(1, 70000) for _ in range(2)],
      need=[F("driver", expr=r"^lower\(email\)$")], expert=["CREATE INDEX ON fleet.driver (lower(email))"]),
    S("jsonb", 35, "extended", "SELECT driver_id FROM driver WHERE profile @> jsonb_build_object('licence', $1::text)", lambda r: ["L%d" % r.randrange(20000)],
      need=[F("driver", am="gin", lead=["profile"])], expert=["CREATE INDEX ON fleet.driver USING gin (profile jsonb_path_ops)"]),
    S("ri-update", 25, "simple", "DELETE FROM route WHERE route_id = $1", lambda r: r.serial("route", 2001, 1999),
      need=[F("stop", lead=["route_id"])], expert=["CREATE INDEX ON fleet.stop (route_id)"]),
    S("update", 35, "prepared", "UPDATE lock_row SET holder = $1 WHERE resource = $2 AND holder <> $1", lambda r: ["x", "res/%d" % r.randrange(50000)],
      need=[F("lock_row", lead=["resource"])], expert=["CREATE INDEX ON fleet.lock_row (resource)"]),
    S("delete", 25, "extended", "DELETE FROM stop WHERE place = $1 AND eta < $2", lambda r: ["place %d" % r.randrange(5000), "2025-02-01"],
      need=[F("stop", lead=["place"])], expert=["CREATE INDEX ON fleet.stop (place)"]),
    S("mixed-desc", 35, "extended", "SELECT points, reached FROM ranking WHERE season = $1 ORDER BY points DESC, reached ASC LIMIT 10", lambda r: [r.randrange(30)],
      need=[F("ranking", lead=["season", "points", "reached"], desc=[False, True, False]),
            F("ranking", lead=["season", "points", "reached"], desc=[True, True, False])],
      expert=["CREATE INDEX ON fleet.ranking (season, points DESC, reached)"]),
    S("partitioned", 35, "simple", "SELECT date_trunc('day', taken), max(celsius) FROM temperature WHERE sensor = $1 AND taken >= $2 GROUP BY 1",
      lambda r: [r.randrange(1, 250), "2025-%02d-01" % r.randrange(2, 5)],
      need=[F("temperature", lead=["sensor"])], expert=["CREATE INDEX ON fleet.temperature (sensor, taken)"]),
    S("covering", 35, "extended", "SELECT avg(cents), count(*) FROM booking WHERE account = $1 AND day >= $2",
      lambda r: [500000 + r.randrange(1, 170), "2025-02-01"],
      need=[F("booking", lead=["account"], covers=["cents", "day"])], expert=["CREATE INDEX ON fleet.booking (account, day) INCLUDE (cents)"]),
    # ---------------------------------------------------------------- traps
    S("tiny-table", 600, "extended", "SELECT name FROM depot WHERE zone = $1", lambda r: ["z%d" % r.randrange(12)], trap=["fleet.depot"]),
    S("low-selectivity", 25, "simple", "SELECT id FROM flag WHERE kind = $1 AND active AND pad <> 'q'", lambda r: [r.randrange(4)], trap=["fleet.flag"]),
    S("full-aggregate", 8, "extended", "SELECT customer, sum(price) FROM shipment GROUP BY customer ORDER BY 2 DESC LIMIT 10", lambda r: [],
      trap=["fleet.shipment:price"]),
    S("one-off", 1, "simple", "SELECT count(*) FROM tariff a JOIN tariff b ON a.cents = b.cents + 1 WHERE a.pad LIKE '%tt%'", lambda r: [],
      trap=["fleet.tariff:cents", "fleet.tariff:pad"]),
    S("write-hot", 3, "simple", "SELECT id FROM gauge WHERE value > $1", lambda r: [900], trap=["fleet.gauge"]),
    S("covered", 60, "extended", "SELECT shipment_id FROM shipment WHERE created >= $1 AND created < $2",
      lambda r: ["2024-03-%02d 10:00:00+00" % (d := r.randrange(1, 28)), "2024-03-%02d 10:30:00+00" % d],
      trap=["fleet.shipment:created"]),
    # ---------------------------------------------------------------- the rest of the day
    S("write-hot-writes", 5000, "prepared", "UPDATE gauge SET value = $1, changed = now() WHERE id = $2", lambda r: [r.randrange(1000), r.randrange(1, 36000)]),
    S("lookup", 500, "prepared", "SELECT status FROM shipment WHERE shipment_id = $1", lambda r: [r.randrange(1, 200000)]),
    S("insert", 400, "extended", "INSERT INTO inbox VALUES ($1, $2, 1, now(), 'x')", lambda r: r.serial("inbox", 500000, 9999) + ["w1"]),
]
