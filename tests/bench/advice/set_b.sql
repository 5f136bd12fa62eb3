-- Set B: a hospital's laboratory. Quoted and mixed-case names, uuid, text and numeric keys, schemas that are and that
-- are not on the search_path, skewed and correlated values. About 250 MB, collation C. Run as the role app.
SELECT setseed(0.1717);
CREATE SCHEMA "Clinic";
CREATE SCHEMA lab;
CREATE SCHEMA telemetry;
CREATE SCHEMA archive;

CREATE TABLE lab.unit (code text PRIMARY KEY, si text, factor numeric);
INSERT INTO lab.unit SELECT 'u' || g, 'si' || g % 20, g * 1.5 FROM generate_series(1, 400) g;

CREATE TABLE "Clinic"."Patient" (
    "PatientNo" int PRIMARY KEY, "ExternalId" uuid, "LastName" text, "Sex" char(1), "Born" date, "Remarks" text);
INSERT INTO "Clinic"."Patient"
SELECT g, md5(g::text)::uuid, 'Surname' || g % 40000, CASE WHEN g % 2 = 0 THEN 'f' ELSE 'm' END,
    date '1940-01-01' + g % 28000, repeat('r', 110)
FROM generate_series(1, 75000) g;

CREATE TABLE "Clinic"."Visit" (
    "VisitId" bigint PRIMARY KEY, "PatientNo" int NOT NULL REFERENCES "Clinic"."Patient", "Dept" text, "Opened" timestamptz,
    "Closed" timestamptz, "Text" text);
INSERT INTO "Clinic"."Visit"
SELECT g, 1 + (power(random(), 2) * 74999)::int, 'dep' || (random() * 30)::int, timestamptz '2023-01-01' + g * interval '9 minutes',
    CASE WHEN random() < 0.97 THEN timestamptz '2023-01-03' + g * interval '9 minutes' END, repeat('v', 70)
FROM generate_series(1, 110000) g;
CREATE UNIQUE INDEX "Visit by patient" ON "Clinic"."Visit" ("PatientNo", "VisitId");

CREATE TABLE "Clinic"."Diagnosis" ("Id" bigint PRIMARY KEY, "VisitId" bigint, "Icd" text, "Rank" int, "Comment" text);
INSERT INTO "Clinic"."Diagnosis"
SELECT g, 1 + (random() * 109999)::int, 'I' || (power(random(), 3) * 900)::int, (random() * 4)::int, repeat('c', 60)
FROM generate_series(1, 190000) g;

CREATE TABLE lab.result (
    result_no bigint PRIMARY KEY, analyser smallint, plate_no numeric(9), well text, value numeric(14, 5), at timestamptz, flags text);
INSERT INTO lab.result
SELECT g, (power(random(), 2) * 45)::int, 1000 + (random() * 220)::int, 'w' || g % 96, random() * 1000,
    timestamptz '2025-02-01' + g * interval '1 minute', repeat('f', 50)
FROM generate_series(1, 150000) g;

CREATE TABLE archive.scan (
    scan_id uuid PRIMARY KEY, site text, "Modality" text, body_part text, patient_no int, bytes bigint, path text);
INSERT INTO archive.scan
SELECT md5('s' || g)::uuid, 'site' || (power(random(), 2) * 12)::int, (ARRAY['CT', 'MR', 'US', 'XR', 'PET', 'NM'])[1 + (random() * 5)::int],
    'part' || (random() * 40)::int, (random() * 75000)::int, (random() * 1e8)::bigint, repeat('/dir', 20)
FROM generate_series(1, 110000) g;

CREATE TABLE telemetry.reading (station uuid, taken_on date, slot smallint, value real, quality text);
INSERT INTO telemetry.reading
SELECT md5('st' || (random() * 250)::int)::uuid, date '2025-01-01' + (random() * 200)::int, (random() * 96)::int, random(), repeat('q', 40)
FROM generate_series(1, 200000) g;

CREATE TABLE "Clinic"."Note" ("NoteId" bigint PRIMARY KEY, "PatientNo" int, "Written" timestamp, "Kind" text, "Body" text);
INSERT INTO "Clinic"."Note"
SELECT g, (power(random(), 4) * 9000)::int, timestamp '2024-01-01' + random() * interval '500 days', 'kind' || g % 5, repeat('n', 90)
FROM generate_series(1, 120000) g;

CREATE TABLE lab.reagent (id int PRIMARY KEY, lot_code varchar(40), supplier int, stock int, sheet text);
INSERT INTO lab.reagent
SELECT g, 'Q' || g % 90 || '-' || lpad((g * 7 % 9000)::text, 5, '0') || '/' || g, (random() * 50)::int, (random() * 900)::int, repeat('h', 120)
FROM generate_series(1, 70000) g;

CREATE TABLE lab.sample (
    sample_no bigint PRIMARY KEY, valid_until timestamptz, rack int, volume real, label text);
INSERT INTO lab.sample
SELECT g, timestamptz '2025-01-01' + random() * random() * interval '900 days', (random() * 900)::int, random(), repeat('l', 80)
FROM generate_series(1, 100000) g;

CREATE TABLE lab.outbound (
    id bigint PRIMARY KEY, exported boolean NOT NULL, receiver text, message text);
INSERT INTO lab.outbound
SELECT g, g % 450 <> 3, 'lab' || g % 9, repeat('m', 110) FROM generate_series(1, 90000) g;

CREATE TABLE lab.device_log (id bigint PRIMARY KEY, payload jsonb, level int);
INSERT INTO lab.device_log
SELECT g, jsonb_build_object('serial', 'SN' || (random() * 8000)::int, 'fw', g % 7, 'raw', repeat('w', 90)), g % 5
FROM generate_series(1, 90000) g;

CREATE TABLE "Clinic"."Ward" (code text PRIMARY KEY, title text);
INSERT INTO "Clinic"."Ward" SELECT 'W' || g, 'ward ' || g FROM generate_series(1, 5000) g;
CREATE TABLE "Clinic"."BedLog" (
    id bigint PRIMARY KEY, ward_code text REFERENCES "Clinic"."Ward" ON DELETE CASCADE, bed int, "From" timestamptz, remark text);
INSERT INTO "Clinic"."BedLog"
SELECT g, 'W' || 1 + (random() * 4999)::int, (random() * 40)::int, timestamptz '2025-01-01' + random() * interval '200 days', repeat('k', 80)
FROM generate_series(1, 100000) g;

CREATE TABLE telemetry.device (id bigint PRIMARY KEY, serial_no numeric(18), firmware text, seen timestamptz, config text);
INSERT INTO telemetry.device
SELECT g, 700000000000 + g * 37, 'fw' || g % 11, timestamptz '2025-05-01', repeat('g', 130)
FROM generate_series(1, 70000) g;

CREATE TABLE lab.tmp_result (batch text, line int, body text);
INSERT INTO lab.tmp_result SELECT 'B' || (random() * 9000)::int, g % 97, repeat('t', 90) FROM generate_series(1, 90000) g;

CREATE TABLE "Clinic"."Admission" (
    id bigint PRIMARY KEY, "AdmissionNo" text, "VisitId" bigint, "State" text, "Insurer" text);
INSERT INTO "Clinic"."Admission"
SELECT g, 'ADM' || lpad((g * 13 % 80000)::text, 8, '0'), 1 + g % 110000, CASE WHEN random() < 0.5 THEN 'in' ELSE 'out' END, repeat('i', 100)
FROM generate_series(1, 80000) g;
CREATE VIEW "Clinic"."ActiveVisit" AS
SELECT a."AdmissionNo" AS admission, v."VisitId" AS visit, v."Opened" AS opened
FROM "Clinic"."Admission" a JOIN "Clinic"."Visit" v ON v."VisitId" = a."VisitId" WHERE a."State" <> 'out';

CREATE TABLE lab.task (id bigint PRIMARY KEY, dept text, priority int, raised timestamptz, done boolean, details text);
INSERT INTO lab.task
SELECT g, 'dep' || (random() * 25)::int, (random() * 9)::int, timestamptz '2025-01-01' + random() * interval '200 days',
    random() < 0.5, repeat('d', 90)
FROM generate_series(1, 110000) g;

CREATE TABLE telemetry.parcel (region text NOT NULL, tracking_no text, weight numeric, state text, route text) PARTITION BY LIST (region);
CREATE TABLE telemetry.parcel_north PARTITION OF telemetry.parcel FOR VALUES IN ('north');
CREATE TABLE telemetry."parcel South" PARTITION OF telemetry.parcel FOR VALUES IN ('south');
CREATE TABLE telemetry.parcel_rest PARTITION OF telemetry.parcel DEFAULT;
INSERT INTO telemetry.parcel
SELECT (ARRAY['north', 'south', 'east', 'west'])[1 + g % 4], 'TR' || md5(g::text), random() * 30, 'moving', repeat('o', 60)
FROM generate_series(1, 140000) g;

CREATE TABLE telemetry.probe_value (probe numeric(8), taken timestamptz, value numeric(12, 4), raw text);
INSERT INTO telemetry.probe_value
SELECT (random() * 180)::int, timestamptz '2025-01-01' + random() * interval '200 days', random() * 100, repeat('w', 70)
FROM generate_series(1, 130000) g;

CREATE TABLE lab.tube (id bigint PRIMARY KEY, barcode text, order_no int, state int, note text);
INSERT INTO lab.tube
SELECT g, 'BC' || md5('b' || g), (random() * 40000)::int, (random() * 5)::int, repeat('e', 70) FROM generate_series(1, 90000) g;

CREATE TABLE lab.claim (id bigint PRIMARY KEY, state text, filed date, amount numeric, text text);
INSERT INTO lab.claim
SELECT g, CASE WHEN g % 600 = 5 THEN 'rejected' ELSE 'paid' END, date '2025-01-01' + (random() * 200)::int, random() * 900, repeat('c', 90)
FROM generate_series(1, 80000) g;
CREATE INDEX claim_rejected ON lab.claim (filed) WHERE state = 'rejected';

CREATE TABLE telemetry.counter (id int PRIMARY KEY, hits bigint, last_hit timestamptz, owner int, pad text);
INSERT INTO telemetry.counter
SELECT g, g % 1000, timestamptz '2025-01-01', g % 5000, repeat('p', 300) FROM generate_series(1, 30000) g;
