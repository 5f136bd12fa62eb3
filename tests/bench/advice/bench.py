#!/usr/bin/env python3
"""Index advice, measured: are planted needs found and traps left alone, and how much of an expert's saving comes.

    bench.py start --dir DIR [--port PORT]      a server of its own on 127.0.0.1, and nothing else on it
    bench.py find SET [--hypopg never] [--advisor pgmedic|dexter|none|FILE] [--role superuser]
    bench.py ask SET ...                        the advisor's answer alone, to the replay that find has left
    bench.py stop --dir DIR

SET is a to g (set_a.sql, set_a.py, ...), or r: drawn by lot from ADVICE_SEED (--fresh for another one). `find` makes three copies of the same database, replays the same calls on
each (values from fixed seeds), and counts the buffers that pg_stat_statements saw: without any index, with the
expert's, with those that the advisor under test named after seeing the statements and statistics of a first replay.

strict     the planted index is there: table, leading columns, kind
lenient    the statement touches as few buffers as with at least 80 % of the expert's saving
captured   (none - advised) / (none - expert), over the whole replay with its writes
"""
import argparse
import importlib
import json
import os
import pathlib
import pwd
import random
import re
import shutil
import subprocess
import sys
import time

import pq
from statement import Values

HERE = pathlib.Path(__file__).resolve().parent


def find_bin():
    if os.environ.get("PGBIN"):
        return pathlib.Path(os.environ["PGBIN"])
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    return found[-1] if found else pathlib.Path(subprocess.check_output(["pg_config", "--bindir"], text=True).strip())


def as_pg(*command):
    """The server's user: oneself, or postgres for root."""
    if os.getuid() == 0:
        command = ("runuser", "-u", "postgres", "--") + command
    return subprocess.run([str(c) for c in command], check=True, cwd="/", stdout=subprocess.DEVNULL)


CONF = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
shared_preload_libraries = 'pg_stat_statements'
shared_buffers = 128MB
max_wal_size = 1GB
fsync = off
autovacuum = off
track_io_timing = on
timezone = 'UTC'
"""


def start(args):
    data = args.dir / "data"
    if not (data / "PG_VERSION").exists():
        args.dir.mkdir(parents=True, exist_ok=True)
        if os.getuid() == 0:
            os.chown(args.dir, pwd.getpwnam("postgres").pw_uid, -1)
        as_pg(find_bin() / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        with open(data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(CONF.format(port=args.port))
    as_pg(find_bin() / "pg_ctl", "-D", data, "-l", args.dir / "log", "-w", "start")
    conn = pq.Connection(uri(args, "postgres"))
    conn.run("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    if not conn.run("SELECT 1 FROM pg_roles WHERE rolname = 'app'"):
        conn.run("CREATE ROLE app LOGIN; CREATE ROLE watcher LOGIN IN ROLE pg_monitor, pg_read_all_data")
    conn.close()


def stop(args):
    as_pg(find_bin() / "pg_ctl", "-D", args.dir / "data", "-m", "immediate", "stop")


def uri(args, database, user="postgres"):
    return f"postgresql://{user}@127.0.0.1:{args.port}/{database}"


# ---------------------------------------------------------------------------- databases

def load(args, module):
    """The template of a set, once."""
    name = "seed_" + args.set
    conn = pq.Connection(uri(args, "postgres"))
    try:
        if conn.run(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            if not (getattr(args, "fresh", False) and hasattr(module, "SQL")):
                return name
            conn.run(f"DROP DATABASE {name}")
        conn.run("DROP DATABASE IF EXISTS loading")
        conn.run(f"CREATE DATABASE loading OWNER app TEMPLATE template0 LC_COLLATE '{module.COLLATION}'"
                 f" LC_CTYPE '{module.COLLATION}'")
        sql = getattr(module, "SQL", None) or (HERE / f"set_{args.set}.sql").read_text(encoding="utf-8")
        subprocess.run([find_bin() / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", uri(args, "loading", "app"), "-f", "-"],
                       check=True, stdout=subprocess.DEVNULL, input=sql, text=True)
        inside = pq.Connection(uri(args, "loading"))
        inside.run("CREATE EXTENSION pg_stat_statements")
        try:
            inside.run("CREATE EXTENSION hypopg")
        except pq.Error:
            print("hypopg is not on this server: without it")
        inside.run("VACUUM ANALYZE")
        size = inside.run("SELECT pg_size_pretty(pg_database_size(current_database())) AS s")[0]["s"]
        inside.close()
        conn.run(f"ALTER DATABASE loading RENAME TO {name}")
        print(f"loaded set {args.set}: {size}")
    finally:
        conn.close()
    return name


def copy(args, module, name):
    conn = pq.Connection(uri(args, "postgres"))
    conn.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    conn.run(f"CREATE DATABASE {name} TEMPLATE seed_{args.set} STRATEGY file_copy")
    if module.SEARCH_PATH:
        conn.run(f"ALTER ROLE app IN DATABASE {name} SET search_path = {module.SEARCH_PATH}")
    conn.run("SELECT pg_stat_statements_reset()")
    conn.close()


# ---------------------------------------------------------------------------- replay

def plan_calls(module):
    """The calls of a replay in their order: one of each first, then the rest mixed."""
    rest = [n for n, s in enumerate(module.STATEMENTS) for _ in range(s.calls - 1)]
    random.Random(7).shuffle(rest)
    return list(range(len(module.STATEMENTS))), rest


def perform(conn, statement, values):
    row = statement.values(values)
    if statement.how == "extended":
        conn.extended(statement.sql, row)
    elif statement.how == "prepared":
        conn.named(statement.sql, row)
    elif statement.how == "execute":
        name = "e_" + re.sub(r"\W", "_", statement.name)
        if name not in conn.prepared:
            conn.run(f"PREPARE {name} AS {statement.sql}", False)
            conn.prepared[name] = True
        conn.run(f"EXECUTE {name}({', '.join(pq.literal(v) for v in row)})", False)
    else:
        conn.run(re.sub(r"\$(\d+)", lambda m: pq.literal(row[int(m.group(1)) - 1]), statement.sql), False)


SEEN = """SELECT queryid, calls, shared_blks_hit + shared_blks_read AS blocks, total_exec_time AS ms, query
    FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
    JOIN pg_roles r ON r.oid = s.userid WHERE d.datname = '{}' AND r.rolname = 'app'"""


def replay(args, module, name):
    """Statement name -> buffers and milliseconds."""
    watch = pq.Connection(uri(args, "postgres"))
    conn = pq.Connection(uri(args, name, "app"))
    values = [Values(f"{args.set}/{s.name}") for s in module.STATEMENTS]
    first, rest = plan_calls(module)
    owner = {}
    for n in first:
        perform(conn, module.STATEMENTS[n], values[n])
        for row in watch.run(SEEN.format(name)):
            owner.setdefault(row["queryid"], module.STATEMENTS[n].name)
    for n in rest:
        perform(conn, module.STATEMENTS[n], values[n])
    conn.close()
    total = {s.name: {"blocks": 0, "ms": 0.0, "queryids": []} for s in module.STATEMENTS}
    for row in watch.run(SEEN.format(name)):
        entry = total[owner[row["queryid"]]]
        entry["blocks"] += int(row["blocks"])
        entry["ms"] += float(row["ms"])
        entry["queryids"].append(row["queryid"])
    watch.close()
    return total


# ---------------------------------------------------------------------------- indexes

INDEXES = """
SELECT i.indexrelid AS oid, n.nspname || '.' || c.relname AS table, a.amname AS am, x.relkind = 'I' AS is_parent,
    pg_relation_size(i.indexrelid) AS bytes, pg_get_expr(i.indpred, i.indrelid) AS predicate,
    i.indexprs IS NOT NULL AS has_expressions, i.indnkeyatts AS nkeys,
    (SELECT json_agg(COALESCE(att.attname, pg_get_indexdef(i.indexrelid, k.n::int, true)) ORDER BY k.n)
     FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, n)
     LEFT JOIN pg_attribute att ON att.attrelid = i.indrelid AND att.attnum = k.attnum AND k.attnum > 0) AS columns,
    (SELECT json_agg(o.opcname ORDER BY k.n) FROM unnest(i.indclass) WITH ORDINALITY AS k(oid, n)
     JOIN pg_opclass o ON o.oid = k.oid) AS opclasses,
    (SELECT json_agg((k.bits & 1) = 1 ORDER BY k.n) FROM unnest(i.indoption) WITH ORDINALITY AS k(bits, n)) AS desc
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am a ON a.oid = x.relam
JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')"""

PARENTS = """SELECT cn.nspname || '.' || c.relname AS leaf, pn.nspname || '.' || p.relname AS parent
FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid JOIN pg_namespace cn ON cn.oid = c.relnamespace
JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE p.relkind = 'p'"""


def indexes(conn):
    found = {}
    for row in conn.run(INDEXES):
        nkeys, columns = int(row["nkeys"]), json.loads(row["columns"])
        row["keys"], row["include"] = columns[:nkeys], columns[nkeys:]
        row["opclasses"] = json.loads(row["opclasses"] or "[]")
        row["desc"] = json.loads(row["desc"] or "[]")[:nkeys]
        found[row["oid"]] = row
    return found


def create(args, name, ddls):
    """Makes the indexes; per DDL the rows of the indexes that came, or the error."""
    conn = pq.Connection(uri(args, name))
    made = []
    parents = {row["leaf"]: row["parent"] for row in conn.run(PARENTS)}
    for ddl in ddls:
        before = set(indexes(conn))
        try:
            for one in (d for d in re.split(r";\s*(?:\n|$)", ddl) if d.strip()):
                conn.run(re.sub(r"\bCONCURRENTLY\b", "", one))
            came = [row for oid, row in indexes(conn).items() if oid not in before]
            # Partition by partition is as good as on the parent.
            came += [dict(row, table=parents[row["table"]]) for row in came if row["table"] in parents]
            made.append({"ddl": ddl, "indexes": came})
        except pq.Error as error:
            made.append({"ddl": ddl, "indexes": [], "error": str(error)})
    for table in {row["table"] for m in made for row in m["indexes"] if row["has_expressions"] == "t"}:
        schema, _, relation = table.partition(".")
        conn.run(f'ANALYZE "{schema}"."{relation}"')
    conn.run("CHECKPOINT")
    conn.close()
    return made


# ---------------------------------------------------------------------------- advisors

def ask_pgmedic(args, name):
    home = args.dir / "home"
    (home / "config" / "pgmedic").mkdir(parents=True, exist_ok=True)
    env = dict(os.environ, HOME=str(home), XDG_CONFIG_HOME=str(home / "config"), XDG_STATE_HOME=str(home / "state"))
    user = "postgres" if args.role == "superuser" else "watcher"
    config = home / "config" / "pgmedic" / "pgmedic.conf"
    config.write_text(f"[target bench]\nconninfo = {uri(args, name, user)}\n"
                      + (f"hypopg = {args.hypopg}\n" if args.hypopg else ""), encoding="utf-8")
    began = time.monotonic()
    done = subprocess.run([args.pgmedic, "show", "advice", "--json", "bench"], env=env, capture_output=True,
                          text=True, timeout=300, check=False)
    took = time.monotonic() - began
    if done.returncode != 0:
        print(f"pgmedic: status {done.returncode}: {done.stderr.strip()}")
    answer = json.loads(done.stdout)
    (args.dir / f"advice-{args.set}.json").write_text(done.stdout, encoding="utf-8")
    summary = answer.get("summary", {})
    print(f"pgmedic: {took:.2f} s, {summary.get('explains')} EXPLAINs, elapsed {summary.get('elapsed_ms')} ms,"
          f" hypopg {summary.get('hypopg')}, not explained: {json.dumps(summary.get('not_explained'))}")
    return [row for row in answer["rows"] if row["action"] == "create"]


def ask_dexter(args, name):
    done = subprocess.run(args.dexter.split() + [uri(args, name), "--pg-stat-statements"], capture_output=True, text=True,
                          timeout=300, check=False)
    ddls = re.findall(r"CREATE INDEX CONCURRENTLY .*", done.stdout + done.stderr)
    if not ddls:
        print(done.stdout, done.stderr)
    return [{"ddl": d} for d in ddls]


def ask(args, name):
    if args.advisor == "none":
        return []
    if args.advisor == "pgmedic":
        return ask_pgmedic(args, name)
    if args.advisor == "dexter":
        return ask_dexter(args, name)
    return [{"ddl": line} for line in pathlib.Path(args.advisor).read_text(encoding="utf-8").splitlines() if line.strip()]


# ---------------------------------------------------------------------------- scores

def cached(args, module, kind, ddls):
    """A replay that does not depend on the advisor is made once per set (and again when a set changes)."""
    stamp = max(path.stat().st_mtime for path in HERE.glob(f"set_{args.set}.*"))
    path = args.dir / f"{kind}-{args.set}.json"
    if path.exists() and path.stat().st_mtime > stamp and not getattr(args, "fresh", False):
        return json.loads(path.read_text(encoding="utf-8"))
    copy(args, module, kind)
    made = create(args, kind, ddls)
    for m in made:
        if "error" in m:
            sys.exit(f"expert: {m['ddl']}: {m['error']}")
    result = {"made": made, "seen": replay(args, module, kind)}
    path.write_text(json.dumps(result), encoding="utf-8")
    return result


def is_trap(statement_traps, row):
    for trap in statement_traps:
        table, _, column = trap.partition(":")
        if row["table"] == table and (not column or row["keys"][0] == column):
            return True
    return False


def used(args, name):
    conn = pq.Connection(uri(args, name))
    rows = conn.run("SELECT indexrelid, idx_scan FROM pg_stat_all_indexes")
    conn.close()
    return {row["indexrelid"]: int(row["idx_scan"]) for row in rows}


def find(args):
    module = importlib.import_module("set_" + args.set)
    load(args, module)
    expert_ddl = [d for s in module.STATEMENTS for d in s.expert]
    expert = cached(args, module, "expert", expert_ddl)
    copy(args, module, "work")
    seen = replay(args, module, "work")
    base = {"seen": seen}
    advice = ask(args, "work")
    copy(args, module, "advised")
    made = create(args, "advised", [row["ddl"] for row in advice])
    advised = {"seen": replay(args, module, "advised")}
    score(args, module, base, expert, advised, advice, made)


def only_ask(args):
    for row in ask(args, "work"):
        print(f"{row.get('saving_pct') or 0:6.1f} % {row.get('confidence', ''):10} {row['ddl']}")


def score(args, module, base, expert, advised, advice, made):
    rows = [row for m in made for row in m["indexes"]]
    scans = used(args, "advised")
    strict = lenient = 0
    matched = set()
    print(f"{'statement':18} {'before':>9} {'expert':>9} {'advised':>9}  share  strict lenient")
    for s in module.STATEMENTS:
        b, e, a = (x["seen"][s.name]["blocks"] for x in (base, expert, advised))
        share = (b - a) / (b - e) if b > e else 0.0
        marks = ""
        if s.need:
            hits = [row["oid"] for row in rows if any(n.met_by(row) for n in s.need)]
            matched.update(hits)
            strict += bool(hits)
            lenient += share >= 0.8
            marks = f"{share:6.2f}  {'yes' if hits else 'NO':6} {'yes' if share >= 0.8 else 'NO'}"
        print(f"{s.name:18} {b:9d} {e:9d} {a:9d} {marks}")
    traps = [(s.name, row) for s in module.STATEMENTS for row in rows if s.trap and is_trap(s.trap, row)
             and row["oid"] not in matched]
    total = {k: sum(v["blocks"] for v in x["seen"].values()) for k, x in
             (("base", base), ("expert", expert), ("advised", advised))}
    useful = 0
    for m, row in zip(made, advice):
        oids = {r["oid"] for r in m["indexes"]}
        good = bool(oids & matched)
        is_used = any(scans.get(oid, 0) for oid in oids)
        useful += good or is_used
        if not good:
            print(f"  {'used' if is_used else 'UNUSED'}, not planted: {m['ddl']}"
                  + (f"  ERROR {m['error']}" if "error" in m else ""))
    for name, row in traps:
        print(f"  TRAP {name}: {row['table']} ({', '.join(row['keys'])}) {row['predicate'] or ''}")
    needs = sum(1 for s in module.STATEMENTS if s.need)
    size = sum(int(r["bytes"]) for m in made for r in m["indexes"] if r["is_parent"] == "f") / 1e6
    expert_size = sum(int(r["bytes"]) for m in expert["made"] for r in m["indexes"]) / 1e6
    print(f"set {args.set} {args.advisor}{' hypopg=' + args.hypopg if args.hypopg else ''}: strict {strict}/{needs},"
          f" lenient {lenient}/{needs}, traps {len(traps)}, precision {useful}/{len(made)},"
          f" captured {(total['base'] - total['advised']) / (total['base'] - total['expert']):.3f},"
          f" indexes {size:.0f} MB (expert {expert_size:.0f} MB)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("start", "stop", "find", "ask"):
        command = commands.add_parser(name)
        command.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("/tmp/advice-bench"))
        command.add_argument("--port", type=int, default=51200)
    for command in (commands.choices["find"], commands.choices["ask"]):
        arguments(command)
    args = parser.parse_args()
    {"start": start, "stop": stop, "find": find, "ask": only_ask}[args.command](args)


def arguments(command):
    command.add_argument("set")
    command.add_argument("--advisor", default="pgmedic")
    command.add_argument("--hypopg", default="")
    command.add_argument("--role", default="monitor")
    command.add_argument("--fresh", action="store_true", help="replay the expert's set again")
    command.add_argument("--pgmedic", default=shutil.which("pgmedic") or "pgmedic")
    command.add_argument("--dexter", default="dexter")


if __name__ == "__main__":
    main()
