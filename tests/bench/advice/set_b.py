"""Set B: what the laboratory of set_b.sql is asked. See statement.py for the form."""
from statement import Statement as S, index

COLLATION = "C"
SEARCH_PATH = 'lab, "Clinic", public'

SITES = ["CT", "MR", "US", "XR", "PET", "NM"]


def date(r, days):
    n = r.randrange(days)
    return "2025-%02d-%02d" % (n // 28 % 12 + 1, n % 28 + 1)


def dates(r, days, length):
    n = r.randrange(days)
    return ["2025-%02d-%02d" % (m // 28 % 12 + 1, m % 28 + 1) for m in (n, n + length)]


STATEMENTS = [
    # ---------------------------------------------------------------- needs
    S("eq", 45, "prepared", 'SELECT p."PatientNo", p."LastName" FROM "Patient" p WHERE p."ExternalId" = $1',
      lambda r: [r.uuid(r.randrange(1, 75000))],
      need=[index("Clinic.Patient", lead=["ExternalId"])],
      expert=['CREATE INDEX ON "Clinic"."Patient" ("ExternalId")']),
    S("fk-join", 20, "simple",
      'SELECT v."Opened", d."Icd", d."Comment" FROM "Visit" v LEFT JOIN "Diagnosis" d USING ("VisitId") '
      'WHERE v."PatientNo" = $1 AND v."Opened" > $2 ORDER BY v."Opened" DESC, d."Rank"',
      lambda r: [r.randrange(1, 75000), "2023-02-01 00:00:00+00"],
      need=[index("Clinic.Diagnosis", lead=["VisitId"])],
      expert=['CREATE INDEX ON "Clinic"."Diagnosis" ("VisitId")']),
    S("two-columns", 35, "extended", "SELECT well, value FROM result WHERE plate_no = $1 AND analyser = $2 ORDER BY well",
      lambda r: [1000 + r.randrange(1, 220), r.randrange(45)],
      need=[index("lab.result", lead_set=["plate_no", "analyser"])],
      expert=["CREATE INDEX ON lab.result (plate_no, analyser)"]),
    S("three-columns", 40, "simple",
      'SELECT scan_id, path FROM archive.scan WHERE site = $1 AND "Modality" = $2 AND body_part = $3',
      lambda r: ["site%d" % r.randrange(12), r.choice(SITES), "part%d" % r.randrange(1, 40)],
      need=[index("archive.scan", lead_set=["site", "Modality", "body_part"])],
      expert=['CREATE INDEX ON archive.scan (body_part, site, "Modality")']),
    S("eq-range", 40, "simple",
      "SELECT taken_on, avg(value) FROM telemetry.reading WHERE station = $1 AND taken_on BETWEEN $2 AND $3 GROUP BY taken_on",
      lambda r: [r.uuid("st%d" % r.randrange(1, 250))] + dates(r, 160, 4),
      need=[index("telemetry.reading", lead=["station", "taken_on"])],
      expert=["CREATE INDEX ON telemetry.reading (station, taken_on)"]),
    S("eq-order-limit", 40, "prepared",
      'SELECT "NoteId", "Kind", "Body" FROM "Note" WHERE "PatientNo" = $1 ORDER BY "Written" DESC FETCH FIRST 1 ROWS ONLY',
      lambda r: [r.randrange(40)],
      need=[index("Clinic.Note", lead=["PatientNo", "Written"])],
      expert=['CREATE INDEX ON "Clinic"."Note" ("PatientNo", "Written")']),
    S("one-sided-range", 35, "extended", "SELECT sample_no, rack FROM sample WHERE valid_until < $1",
      lambda r: ["2025-01-01 %02d:00:00+00" % r.randrange(1, 20)],
      need=[index("lab.sample", lead=["valid_until"])],
      expert=["CREATE INDEX ON lab.sample (valid_until)"]),
    S("skew", 40, "simple", "SELECT id, receiver, message FROM outbound WHERE NOT exported ORDER BY id LIMIT 50",
      lambda r: [],
      need=[index("lab.outbound", pred="NOT exported|exported = false|exported IS FALSE"),
            index("lab.outbound", lead=["exported"])],
      expert=["CREATE INDEX ON lab.outbound (id) WHERE NOT exported"]),
    S("like-prefix", 40, "simple", "SELECT id, stock FROM lab.reagent WHERE lot_code LIKE $1",
      lambda r: ["Q%d-%05d/%%" % (r.randrange(90), r.randrange(9000))],
      need=[index("lab.reagent", lead=["lot_code"])],
      expert=["CREATE INDEX ON lab.reagent (lot_code)"]),
    S("upper", 35, "simple", 'SELECT "PatientNo", "Born" FROM "Clinic"."Patient" WHERE upper("LastName") = $1 AND "Sex" = $2',
      lambda r: ["SURNAME%d" % r.randrange(40000), r.choice("fm")],
      need=[index("Clinic.Patient", expr=r'^upper\("LastName"\)$')],
      expert=['CREATE INDEX ON "Clinic"."Patient" (upper("LastName"))']),
    S("jsonb", 35, "extended", "SELECT id, level FROM device_log WHERE payload ->> 'serial' = $1",
      lambda r: ["SN%d" % r.randrange(1, 8000)],
      need=[index("lab.device_log", expr=r"payload ->> 'serial'")],
      expert=["CREATE INDEX ON lab.device_log ((payload ->> 'serial'))"]),
    S("ri-delete", 30, "extended", 'DELETE FROM "Ward" WHERE code = $1',
      lambda r: ["W%d" % n for n in r.serial("ward", 1, 5000)],
      need=[index("Clinic.BedLog", lead=["ward_code"])],
      expert=['CREATE INDEX ON "Clinic"."BedLog" (ward_code)']),
    S("update", 35, "simple", "UPDATE telemetry.device SET seen = $1, firmware = $2 WHERE serial_no = $3",
      lambda r: ["2025-06-01 00:00:00+00", "fw12", 700000000000 + r.randrange(1, 70000) * 37],
      need=[index("telemetry.device", lead=["serial_no"])],
      expert=["CREATE INDEX ON telemetry.device (serial_no)"]),
    S("delete", 35, "prepared", "DELETE FROM tmp_result t WHERE t.batch = $1 AND t.line > $2",
      lambda r: ["B%d" % r.randrange(9000), 40],
      need=[index("lab.tmp_result", lead=["batch"])],
      expert=["CREATE INDEX ON lab.tmp_result (batch)"]),
    S("view", 40, "extended", 'SELECT visit, opened FROM "ActiveVisit" WHERE admission = $1',
      lambda r: ["ADM%08d" % r.randrange(80000)],
      need=[index("Clinic.Admission", lead=["AdmissionNo"])],
      expert=['CREATE INDEX ON "Clinic"."Admission" ("AdmissionNo")']),
    S("mixed-desc", 35, "extended",
      "SELECT id, details FROM task WHERE dept = $1 ORDER BY priority, raised DESC LIMIT 25",
      lambda r: ["dep%d" % r.randrange(1, 25)],
      need=[index("lab.task", lead=["dept", "priority", "raised"], desc=[False, False, True]),
            index("lab.task", lead=["dept", "priority", "raised"], desc=[True, False, True])],
      expert=["CREATE INDEX ON lab.task (dept, priority, raised DESC)"]),
    S("partitioned", 40, "simple", "SELECT region, state, weight FROM telemetry.parcel WHERE tracking_no = $1",
      lambda r: ["TR" + r.md5(r.randrange(1, 140000))],
      need=[index("telemetry.parcel", lead=["tracking_no"])],
      expert=["CREATE INDEX ON telemetry.parcel (tracking_no)"]),
    S("covering", 40, "extended", "SELECT min(value), max(value), avg(value) FROM telemetry.probe_value WHERE probe = $1",
      lambda r: [r.randrange(1, 180)],
      need=[index("telemetry.probe_value", lead=["probe"], covers=["value"])],
      expert=["CREATE INDEX ON telemetry.probe_value (probe) INCLUDE (value)"]),
    S("any", 35, "extended", "SELECT id, barcode, state FROM tube WHERE barcode = ANY($1)",
      lambda r: ["{%s}" % ",".join("BC" + r.md5("b%d" % r.randrange(1, 90000)) for _ in range(5))],
      need=[index("lab.tube", lead=["barcode"])],
      expert=["CREATE INDEX ON lab.tube (barcode)"]),
    # ---------------------------------------------------------------- traps
    S("tiny-table", 400, "execute", "SELECT code, factor FROM unit WHERE si = $1", lambda r: ["si%d" % r.randrange(20)],
      trap=["lab.unit"]),
    S("low-selectivity", 25, "simple", 'SELECT "PatientNo" FROM "Patient" WHERE "Sex" = $1 AND "Remarks" NOT LIKE $2',
      lambda r: [r.choice("fm"), "%x%"], trap=["Clinic.Patient:Sex", "Clinic.Patient:Remarks"]),
    S("full-aggregate", 10, "extended",
      'SELECT "Dept", count(*), avg("Closed" - "Opened"), max(length("Text")) FROM "Visit" GROUP BY "Dept" ORDER BY 2 DESC',
      lambda r: [], trap=["Clinic.Visit:Dept", "Clinic.Visit:Closed", "Clinic.Visit:Opened"]),
    S("one-off", 1, "simple", "SELECT * FROM archive.scan WHERE bytes > $1 AND path LIKE $2 ORDER BY bytes",
      lambda r: [90000000, "%dir%"], trap=["archive.scan:bytes", "archive.scan:path"]),
    S("write-hot", 3, "extended", "SELECT id, owner FROM telemetry.counter WHERE hits > $1", lambda r: [995],
      trap=["telemetry.counter"]),
    S("covered", 100, "simple", 'SELECT "VisitId", "Opened" FROM "Visit" WHERE "PatientNo" = $1 AND "Dept" = $2',
      lambda r: [r.randrange(1, 75000), "dep3"], trap=["Clinic.Visit:PatientNo", "Clinic.Visit:Dept"]),
    S("good-partial", 80, "simple", "SELECT id, amount FROM claim WHERE state = $1 AND filed > $2",
      lambda r: ["rejected", date(r, 100)], trap=["lab.claim"]),
    # ---------------------------------------------------------------- the rest of the day
    S("write-hot-writes", 4000, "prepared", "UPDATE telemetry.counter SET hits = hits + 1, last_hit = now() WHERE id = $1",
      lambda r: [r.randrange(1, 30000)]),
    S("lookup", 500, "execute", 'SELECT "LastName" FROM "Clinic"."Patient" WHERE "PatientNo" = $1', lambda r: [r.randrange(1, 75000)]),
    S("insert", 300, "simple", "INSERT INTO lab.task (id, dept, priority, raised, done, details) VALUES ($1, $2, $3, $4, $5, $6)",
      lambda r: r.serial("task", 200000, 10000) + ["dep1", 5, "2025-12-01 00:00:00+00", False, "x"]),
]
