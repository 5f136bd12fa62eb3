#!/usr/bin/env python3
"""Cold start: arrival curves rebuilt from statistics, against tables whose curve is known.

usage: arrivals.py TOOL CONNINFO [ROWS]

TOOL is tests/tool/storage_past of a build, CONNINFO a throw-away server of a superuser. Databases named
arrivals_N are made and dropped. Valid tables (shapes x ways to store them) must be rebuilt with an error of
the cumulative curve below 3 %; invalid ones (rows deleted, stale statistics, columns that are no arrival)
must be refused, doubtful ones at least be marked with low confidence. Prints a line for each table and the
sums (2026-11, PostgreSQL 15, 20,000 and 80,000 rows a table: worst error 0.99 %, rate of the last 30 days within 5 %,
median 1.3 %; 21 of 21 invalid refused); exit status 1 when a bar is missed: 3 % for every valid table, 90 % of the invalid ones refused.
"""
import subprocess
import sys

tool, conninfo = sys.argv[1:3]
rows = int(sys.argv[3]) if len(sys.argv) > 3 else 20000
DAYS = 300

# u in (0, 1): the row's place among all; the time of its arrival as a share of the 300 days
SHAPES = {
    'linear': 'u',
    'accelerating': 'sqrt(u)',
    'decelerating': 'u * u',
    'exponential': 'ln(1 + u * (exp(3) - 1)) / 3',
    'weekly': 'floor(u * 43) / 43 + power(u * 43 - floor(u * 43), 0.5) / 43',
    'regime': 'CASE WHEN u < 0.3 THEN u / 0.3 * 0.7 ELSE 0.7 + (u - 0.3) / 0.7 * 0.3 END',
    'paused': 'CASE WHEN u < 0.5 THEN u * 0.6 ELSE 0.7 + (u - 0.5) * 0.6 END',
    'bulk': 'CASE WHEN u BETWEEN 0.4 AND 0.65 THEN 0.5 WHEN u < 0.4 THEN u / 0.4 * 0.5 ELSE 0.5 + (u - 0.65) / 0.35 * 0.5 END',
    'bursts': '(floor(u * 10) + power(u * 10 - floor(u * 10), 6)) / 10',
}
AT = "now() - interval '%d days' * (1 - (%%s))" % DAYS


def table(name, shape='u', column='created_at', kind='timestamptz', default='DEFAULT now()', key='bigserial PRIMARY KEY',
          order='g', at=None, extra=''):
    at = at or AT % SHAPES.get(shape, shape)
    return f"""CREATE TABLE {name} (id {key}, {column} {kind} {default}, v int, pad text);
        INSERT INTO {name} ({column}, v, pad) SELECT ({at})::{kind}, g, repeat('x', 50)
          FROM (SELECT g, (g - 0.5) / {rows} AS u FROM generate_series(1, {rows}) g) s ORDER BY {order}; {extra}"""


ANALYZE = 'VACUUM ANALYZE {name};'
VALID = {f'v_{s}': (table(f'v_{s}', s) + ANALYZE, 'created_at') for s in SHAPES}
VALID |= {
    'v_inserted': (table('v_inserted', 'accelerating', 'inserted_at', 'timestamp', '') + ANALYZE, 'inserted_at'),
    'v_date': (table('v_date', 'regime', 'order_date', 'date', '') + ANALYZE, 'order_date'),
    'v_ts': (table('v_ts', 'weekly', 'ts', 'timestamptz', '') + ANALYZE, 'ts'),
    'v_random': (table('v_random', 'linear', order='random()') + ANALYZE, 'created_at'),
    'v_no_key': (table('v_no_key', 'accelerating', key='uuid DEFAULT gen_random_uuid()') + ANALYZE, 'created_at'),
    'v_hourly': (table('v_hourly', at="date_trunc('hour', %s)" % (AT % SHAPES['regime'])) + ANALYZE, 'created_at'),
    'v_daily': (table('v_daily', at="date_trunc('day', %s)" % (AT % SHAPES['accelerating'])) + ANALYZE, 'created_at'),
    'v_monthly': (table('v_monthly', at="date_trunc('month', %s)" % (AT % 'u')) + ANALYZE, 'created_at'),
    'v_nulls': (table('v_nulls', 'linear', extra='UPDATE {name} SET created_at = NULL WHERE id % 50 = 0;') + ANALYZE, 'created_at'),
    'v_updated': (table('v_updated', 'regime', extra='UPDATE {name} SET v = v + 1 WHERE id % 3 = 0;') + ANALYZE, 'created_at'),
    'v_few_deleted': (table('v_few_deleted', 'accelerating', extra='DELETE FROM {name} WHERE id % 100 = 0;') + ANALYZE, 'created_at'),
    'v_both': (table('v_both', 'accelerating', extra="""ALTER TABLE {name} ADD updated_at timestamptz DEFAULT now();
        UPDATE {name} SET updated_at = now() WHERE id % 10 = 0;""") + ANALYZE, 'created_at'),
}


def partitions(name, shape, first):
    """Twelve months of partitions that end now; `first`: the oldest one is open towards the past."""
    parts = ''.join(f"""SELECT format('CREATE TABLE {name}_{k} PARTITION OF {name} FOR VALUES FROM (%s) TO (%L)',
            {"'MINVALUE'" if k == 0 and first else f"quote_literal(now() - interval '{300 - 25 * k} days')"}, now() - interval '{275 - 25 * k} days') \\gexec
        """ for k in range(12))
    return f"""CREATE TABLE {name} (created_at timestamptz, pad text) PARTITION BY RANGE (created_at);
        {parts}CREATE TABLE {name}_rest PARTITION OF {name} DEFAULT;
        INSERT INTO {name} SELECT {AT % SHAPES[shape]}, repeat('x', 200) FROM (SELECT (g - 0.5) / {2 * rows} AS u
          FROM generate_series(1, {2 * rows}) g) s;""" + ANALYZE


VALID['v_parts'] = (partitions('v_parts', 'linear', True), '-')
VALID['v_parts_ramp'] = (partitions('v_parts_ramp', 'accelerating', False), '-')
INVALID = {
    'i_parts': partitions('i_parts', 'linear', False),
    'i_oldest': table('i_oldest', extra='DELETE FROM {name} WHERE id < %d;' % (rows * 3 // 10)) + ANALYZE,
    'i_retention': table('i_retention', extra="DELETE FROM {name} WHERE created_at < now() - interval '30 days';") + ANALYZE,
    'i_scattered': table('i_scattered', 'accelerating', extra='DELETE FROM {name} WHERE id % 4 = 0;') + ANALYZE,
    'i_done': table('i_done', extra=f'DELETE FROM {{name}} WHERE v % 3 > 0 AND id < {rows * 8 // 10};') + ANALYZE,
    'i_reset': table('i_reset', extra='DELETE FROM {name} WHERE id < %d; ' % (rows // 2)) + ANALYZE
        + "SELECT pg_sleep(0.6); SELECT pg_stat_reset_single_table_counters('{name}'::regclass);",
    'i_stale': table('i_stale', extra=f"""DELETE FROM {{name}} WHERE id > {rows // 5}; ANALYZE {{name}};
        INSERT INTO {{name}} (created_at, v, pad) SELECT now() - interval '10 days' * random(), g, repeat('x', 50)
        FROM generate_series(1, {rows}) g;"""),
    'i_half_stale': table('i_half_stale', at=AT % 'u * 0.7') + ANALYZE + f"""INSERT INTO {{name}} (created_at, v, pad)
        SELECT now() - interval '90 days' * random(), g, repeat('x', 50) FROM generate_series(1, {rows // 2}) g;""",
    'i_updated_at': table('i_updated_at', column='updated_at', extra='UPDATE {name} SET updated_at = now() WHERE id % 2 = 0;') + ANALYZE,
    'i_last_seen': table('i_last_seen', column='last_seen', default='', extra='UPDATE {name} SET last_seen = now() WHERE id % 5 = 0;') + ANALYZE,
    'i_touched': table('i_touched', column='ts', extra='UPDATE {name} SET ts = now() WHERE id % 2 = 0;') + ANALYZE,
    'i_due': table('i_due', column='due_date', kind='date', default='', at=AT % 'u * 1.5') + ANALYZE,
    'i_ahead': table('i_ahead', column='date', kind='date', default='', at=AT % 'u * 1.2') + ANALYZE,
    'i_birth': table('i_birth', column='birth_date', kind='date', default='', at="now() - interval '80 years' * random()") + ANALYZE,
    'i_unordered': table('i_unordered', column='happy_hour', default='', at="now() - interval '300 days' * random()") + ANALYZE,
    'i_epoch': table('i_epoch', extra="UPDATE {name} SET created_at = 'epoch' WHERE id % 3 = 0;") + ANALYZE,
    'i_sentinel': table('i_sentinel', extra="UPDATE {name} SET created_at = '2001-01-01' WHERE id % 4 = 0;") + ANALYZE,
    'i_infinity': table('i_infinity', extra="UPDATE {name} SET created_at = 'infinity' WHERE id % 10 = 0;") + ANALYZE,
    'i_null': table('i_null', default='', extra='UPDATE {name} SET created_at = NULL WHERE id % 3 = 0;') + ANALYZE,
    'i_same': table('i_same', at='now()') + ANALYZE,
    'i_no_time': """CREATE TABLE i_no_time (id bigserial PRIMARY KEY, v int, pad text);
        INSERT INTO i_no_time (v, pad) SELECT g, repeat('x', 80) FROM generate_series(1, %d) g;""" % rows + ANALYZE,
}
# What cannot be told from a valid table, but must not be sold as sure.
DOUBTFUL = {
    'd_reset': table('d_reset', key='uuid DEFAULT gen_random_uuid()', extra="DELETE FROM {name} WHERE created_at < now() - interval '30 days';")
        + ANALYZE + "SELECT pg_sleep(0.6); SELECT pg_stat_reset_single_table_counters('{name}'::regclass);",
    'd_bulk': table('d_bulk', 'bulk') + ANALYZE,
}


def psql(db, sql, *options):
    r = subprocess.run(['psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', *options, '-d', f'{conninfo} dbname={db}'],
                       input=sql, capture_output=True, text=True)
    if r.returncode:
        sys.exit(f'psql: {r.stderr}\n{sql[:400]}')
    return r.stdout.strip()


def look(db, times):
    r = subprocess.run([tool, f'{conninfo} dbname={db}', *map(str, times)], capture_output=True, text=True)
    if r.returncode:
        sys.exit(r.stderr)
    lines = [line.split('\t') for line in r.stdout.splitlines()]
    return {f[0].split('.', 1)[1]: f for f in lines}


def batches(items, n=18):
    items = list(items)
    for i in range(0, len(items), n):
        yield items[i:i + n]


def main():
    missed = worst = 0
    rates = []
    refused = sure = number = 0
    cases = [(n, 'valid', v[0]) for n, v in VALID.items()] + [(n, 'invalid', v) for n, v in INVALID.items()] \
        + [(n, 'doubtful', v) for n, v in DOUBTFUL.items()]
    for number, batch in enumerate(batches(cases)):
        db = f'arrivals_{number}'
        psql('postgres', f'DROP DATABASE IF EXISTS {db}')
        psql('postgres', f'CREATE DATABASE {db}')
        for name, _, sql in batch:
            # autovacuum would mend what is to stay stale
            sql = sql.replace('{name}', name).replace('pad text);', 'pad text) WITH (autovacuum_enabled = off);', 1)
            for statement in [sql] if 'gexec' in sql else sql.split(';'):
                if statement.strip():
                    psql(db, statement)
        psql(db, 'SELECT pg_sleep(1.2)')  # counters of ended sessions arrive
        times = [int(t) for t in psql(db, f"""SELECT extract(epoch FROM now() - interval '1 day' * {DAYS} * (1 - k / 60.0))::int8
            FROM generate_series(1, 60) k""").split()]
        seen = look(db, times)
        for name, kind, _ in batch:
            f = seen.get(name)
            if not f:
                print(f'{name:16} MISSING')
                missed += 1
                continue
            column, confidence, why = f[1:4]
            if kind == 'valid':
                at = VALID[name][1].replace('-', 'created_at')
                truth = psql(db, f"""SELECT (count(*) FILTER (WHERE {at} <= to_timestamp(t)))::float8 / nullif(count({at}), 0)
                    FROM {name}, unnest(ARRAY{times}::int8[]) WITH ORDINALITY u(t, o) GROUP BY o ORDER BY o""").split()
                error = max(abs(float(a) - float(b)) for a, b in zip(f[5:], truth)) if len(f) > 5 else 1
                worst = max(worst, error)
                days = float(psql(db, f"SELECT count(*) FILTER (WHERE {at} > now() - interval '30 days') / 30.0 / count({at}) FROM {name}"))
                size = float(psql(db, f"""SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('{name}')"""
                    if at != VALID[name][1] else f"SELECT pg_total_relation_size('{name}')"))
                rate = float(f[4]) / (days * size) - 1 if days else float(f[4] != '0')
                rates.append(abs(rate))
                bad = error > 0.03 or column != VALID[name][1]
                missed += bad
                print(f'{name:16} error {100 * error:5.2f} %  last 30 days {100 * rate:+5.1f} %  {column} {confidence} {why}{"  MISSED" if bad else ""}')
            elif kind == 'invalid':
                is_refused = len(f) <= 5
                refused += is_refused
                print(f'{name:16} {"refused" if is_refused else "TAKEN"}: {column} {confidence} {why}')
            else:
                sure += confidence not in ('low', 'none')
                print(f'{name:16} {confidence}: {why}')
        psql('postgres', f'DROP DATABASE {db}')
    share = 100 * refused / len(INVALID)
    print(f'valid: worst error {100 * worst:.2f} % of {len(VALID)} tables, {missed} missed, median error of the rate of the last 30 days {100 * sorted(rates)[len(rates) // 2]:.1f} %; '
          f'invalid: {refused} of {len(INVALID)} refused ({share:.0f} %); doubtful: {sure} of {len(DOUBTFUL)} taken as sure')
    return missed > 0 or share < 90 or sure > 0


sys.exit(main())
