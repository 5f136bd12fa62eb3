#!/usr/bin/env python3
"""Drop advice, measured: what is planted in drop.sql is found, and nothing that is needed goes.

    drop.py --dir DIR --port PORT [--young] [--unseen] [--pgmedic PROGRAM]

A primary and a standby of its own. The clock of the server is set back 30 days while the indexes are made and read
(libfaketime, Debian's package of that name), so that its statistics are old; --young leaves the clock alone: then
nothing may be called unused. --unseen does not tell pgmedic of the standby, on which one index is read.
"""
import argparse
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import time

import bench
import pq

FAKETIME = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
HERE = pathlib.Path(__file__).resolve().parent

READS = {
    # index -> what reads it; the planner is asked to by enable_seqscan = off
    "drop_dup": "SELECT id FROM pairs WHERE a = {}", "keep_prefix": "SELECT b, c FROM pairs WHERE b = {} AND c > 5",
    "drop_prefix": "SELECT d FROM pairs WHERE b = {}", "id": "SELECT a FROM pairs WHERE id = {}",
    "d": "SELECT id FROM pairs WHERE d = {}", "e": "SELECT id FROM pairs WHERE lower(e) = md5('{}')",
    "f": "SELECT id FROM pairs WHERE f = {} AND g > 5", "h": "SELECT h, i FROM pairs WHERE h = {}",
    "h2": "SELECT a FROM pairs WHERE h = {}",
    "j": "SELECT id FROM pairs WHERE j > md5('{}') ORDER BY j LIMIT 1",
    "jp": "SELECT id FROM pairs WHERE j LIKE 'ab{}%'",
    "ec": "SELECT id FROM pairs WHERE e COLLATE \"POSIX\" > md5('{}') ORDER BY e COLLATE \"POSIX\" LIMIT 1",
    "eo": "SELECT id FROM pairs WHERE e > md5('{}') ORDER BY e LIMIT 1",
    "k": "SELECT id FROM pairs WHERE k = {}", "kp": "SELECT id FROM pairs WHERE k = {} AND g = 3",
    "l": "SELECT id FROM pairs WHERE l = {}", "lm": "SELECT l, m FROM pairs WHERE l = {} AND m > 1",
    "n": "SELECT id FROM pairs WHERE n = {} AND o > 5", "o": "SELECT id FROM pairs WHERE o = {} AND n > 5",
    "pm": "SELECT p, m FROM pairs ORDER BY p, m DESC LIMIT 3", "pu": "SELECT p, m FROM pairs ORDER BY p, m LIMIT 3",
    "x": "SELECT pad FROM chain WHERE x = {}",
    "u": "SELECT pad FROM chain WHERE u = {}", "uv": "SELECT pad FROM chain WHERE u = {} AND v = 5",
    "uvw": "SELECT pad FROM chain WHERE u = {} AND v = 5 AND w = 7",
    "idle": "SELECT a FROM idle WHERE id = {}", "fat": "SELECT id FROM fat WHERE a = md5('{}')",
    "lean": "SELECT id FROM lean WHERE a = md5('{}')", "wide": "SELECT id FROM lean WHERE b = repeat(md5('{}'), 6)",
    "parted": "SELECT t FROM parted WHERE k = {} AND id < 60000",
    "clustered": "SELECT t FROM clustered WHERE id = {}",
}

PLANTED = {     # what is to be found: name -> the indexes of which one (and no more) goes
    "duplicate (a)": ["drop_dup_1", "drop_dup_2"], "prefix (b)": ["drop_prefix"], "twin of the primary key": ["drop_pk_twin"],
    "(d) and (d DESC)": ["drop_desc_1", "drop_desc_2"], "expression": ["drop_expr_1", "drop_expr_2"],
    "partial": ["drop_partial_1", "drop_partial_2"], "(h) beside INCLUDE": ["drop_include"],
    "unused int": ["drop_unused_int"], "unused text": ["drop_unused_text"], "unused partial": ["drop_unused_part"],
    "unused (x, y, z)": ["chain_x", "chain_x_y_z"], "chain (u)": ["chain_u"], "chain (u, v)": ["chain_u_v"],
    "invalid leftover": ["drop_invalid"],
}
# Never all of a group.
TOGETHER = [["drop_dup_1", "drop_dup_2"], ["drop_desc_1", "drop_desc_2"], ["drop_expr_1", "drop_expr_2"],
            ["drop_partial_1", "drop_partial_2"], ["chain_x", "chain_x_y_z"], ["chain_u", "chain_u_v", "chain_u_v_w"],
            ["pairs_pkey", "drop_pk_twin"], ["drop_prefix", "keep_prefix"], ["drop_include", "keep_include"]]
UNUSED = {"drop_unused_int", "drop_unused_text", "drop_unused_part"}


def server(args, *command, fake=None, data="data"):
    env = dict(os.environ)
    if fake:
        env.update(LD_PRELOAD=str(FAKETIME[0]), FAKETIME=fake, FAKETIME_DONT_FAKE_MONOTONIC="1")
    line = [str(bench.find_bin() / "pg_ctl"), "-D", str(args.dir / data), "-w", "-t", "60", *command]
    if os.getuid() == 0:
        line = ["runuser", "-u", "postgres", "--", "env", *(f"{k}={v}" for k, v in env.items()
                if k in ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC")), *line]
    subprocess.run(line, check=True, env=None if os.getuid() == 0 else env, cwd="/", stdout=subprocess.DEVNULL)


def connect(args, port=None, database="shop"):
    return pq.Connection(f"postgresql://postgres@127.0.0.1:{port or args.port}/{database}")


def make(args):
    args.dir.mkdir(parents=True)
    if os.getuid() == 0:
        os.chown(args.dir, pwd.getpwnam("postgres").pw_uid, -1)
    bench.as_pg(bench.find_bin() / "initdb", "-D", args.dir / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
                "--locale=C.UTF-8", "-N")
    with open(args.dir / "data" / "postgresql.conf", "a", encoding="utf-8") as conf:
        conf.write(bench.CONF.format(port=args.port) + "shared_buffers = 32MB\n")
    fake = None if args.young else "-30d"
    server(args, "-l", str(args.dir / "log"), "start", fake=fake)
    conn = connect(args, database="postgres")
    conn.run("CREATE DATABASE shop")
    conn.close()
    conn = connect(args)
    conn.run("CREATE EXTENSION pg_stat_statements; CREATE ROLE watcher LOGIN IN ROLE pg_monitor, pg_read_all_data")
    subprocess.run([bench.find_bin() / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d",
                    f"postgresql://postgres@127.0.0.1:{args.port}/shop", "-f", HERE / "drop.sql"],
                   check=True, stdout=subprocess.DEVNULL)
    conn.run("SELECT pg_stat_reset()")
    conn.close()
    time.sleep(0.2)
    use(args)
    standby(args, fake)
    server(args, "-m", "fast", "stop", fake=fake, data="standby")
    server(args, "-m", "fast", "stop", fake=fake)


def use(args):
    conn = connect(args)
    conn.run("SET enable_seqscan = off; SET enable_bitmapscan = on")
    for n in range(20):
        for sql in READS.values():
            conn.run(sql.format(n * 37 + 100))
    # parents go, and the keys of children are looked up; one index is kept by that only
    for n in range(400):
        conn.extended("DELETE FROM parent WHERE id = $1", [2001 + n])
    conn.run("DELETE FROM fat WHERE id % 10 <> 0")
    conn.run("INSERT INTO pairs SELECT g, g, g, g, g, 'x', g, 1, g, g, 'y', g, g, g, g, g, g FROM generate_series(200000, 200400) g")
    conn.run("VACUUM fat")
    conn.run("ANALYZE")
    try:
        conn.run("CREATE UNIQUE INDEX CONCURRENTLY drop_invalid ON doubles (n)")
        sys.exit("drop_invalid was made")
    except pq.Error:
        pass
    conn.close()
    time.sleep(1)


def standby(args, fake):
    base = args.dir / "standby"
    bench.as_pg(bench.find_bin() / "pg_basebackup", "-D", base, "-h", "127.0.0.1", "-p", args.port, "-U", "postgres", "-R",
                "-X", "stream", "-c", "fast")
    with open(base / "postgresql.conf", "a", encoding="utf-8") as conf:
        conf.write(f"port = {args.port + 1}\n")
    server(args, "-l", str(args.dir / "standby.log"), "start", fake=fake, data="standby")
    conn = connect(args, args.port + 1)
    conn.run("SELECT pg_stat_reset()")
    conn.run("SET enable_seqscan = off")
    for n in range(50):
        conn.run(f"SELECT id FROM idle WHERE s = {n * 31}")
    conn.close()
    time.sleep(1)


def build(args):
    """A build in progress: invalid, and nobody's leftover. (holder, builder): to be ended."""
    holder = connect(args)
    holder.run("BEGIN; INSERT INTO doubles VALUES (-1, 'held')")
    builder = subprocess.Popen([bench.find_bin() / "psql", "-X", "-q", "-d", f"postgresql://postgres@127.0.0.1:{args.port}/shop",
                                "-c", "CREATE INDEX CONCURRENTLY keep_building ON doubles (t)"], stdout=subprocess.DEVNULL)
    watch = connect(args)
    while not watch.run("SELECT 1 FROM pg_stat_progress_create_index p JOIN pg_index i ON i.indexrelid = p.index_relid"):
        time.sleep(0.05)
    watch.close()
    return holder, builder


def ask(args):
    home = args.dir / "home"
    folder = home / "config" / "pgmedic"
    folder.mkdir(parents=True, exist_ok=True)
    text = f"[target primary]\nconninfo = postgresql://watcher@127.0.0.1:{args.port}/shop\n"
    if not args.unseen:
        text += f"[target replica]\nconninfo = postgresql://watcher@127.0.0.1:{args.port + 1}/shop\n"
    (folder / "pgmedic.conf").write_text(text, encoding="utf-8")
    env = dict(os.environ, HOME=str(home), XDG_CONFIG_HOME=str(home / "config"), XDG_STATE_HOME=str(home / "state"))
    done = subprocess.run([args.pgmedic, "show", "advice", "--json", "primary"], env=env, capture_output=True, text=True,
                          timeout=120, check=False)
    if not done.stdout.strip():
        sys.exit(f"pgmedic: status {done.returncode}: {done.stderr}")
    (args.dir / "answer.json").write_text(done.stdout, encoding="utf-8")
    return json.loads(done.stdout)


def judge(args, answer):
    conn = connect(args)
    names = {row["n"] for row in conn.run("SELECT indexrelid::regclass::text AS n FROM pg_index WHERE indexrelid > 16383")}
    conn.close()
    going, others = {}, []
    for row in answer["rows"]:
        mentioned = [n for n in names if n in row["ddl"].replace('"', "").replace(";", " ").replace(".", " ").split()]
        if row["action"] == "drop" and mentioned:
            going[mentioned[0]] = row
        else:
            others.append((row, mentioned))
    unsafe = [n for n in going if n.startswith(("keep_", "parted_")) or n.endswith("_pkey")]
    unsafe += [" and ".join(g) for g in TOGETHER if set(g) <= set(going)]
    if args.young:
        unsafe += [n for n in going if going[n]["kind"] == "unused"]
    wanted = {k: v for k, v in PLANTED.items() if not (args.young and (set(v) & UNUSED or "unused" in k))}
    found = [k for k, v in wanted.items() if any(n in going for n in v)]
    for name, row in sorted(going.items()):
        print(f"  drop {name:20} {row['kind']:10} {row['confidence']:10} {row['reason'][:110]}")
    for row, mentioned in others:
        print(f"  {row['action']} {mentioned or row['columns']} on {row['table']}: {row['kind']}")
    fk = {row["table"] for row, _ in others if row["action"] == "create" and row["kind"] == "fk"}
    fk |= {row["table"] for row, _ in others if row["action"] == "create" and row["columns"] in (["parent_id"], ["owner"])}
    bloat = {n for row, m in others if row["action"] == "reindex" for n in m}
    print("missed:", ", ".join(k for k in wanted if k not in found) or "nothing")
    print("unsafe:", ", ".join(unsafe) or "nothing")
    print(f"drop advice{' young' if args.young else ''}{' unseen standby' if args.unseen else ''}:"
          f" found {len(found)}/{len(wanted)}, unsafe {len(unsafe)},"
          f" foreign keys {len(fk & {'child_bare', 'child_other'})}/2"
          f" (false {len(fk - {'child_bare', 'child_other'})}), bloat {int('bloat_text' in bloat)}/1"
          f" (false {len(bloat - {'bloat_text'})})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("/tmp/advice-drop"))
    parser.add_argument("--port", type=int, default=51220)
    parser.add_argument("--young", action="store_true")
    parser.add_argument("--unseen", action="store_true")
    parser.add_argument("--pgmedic", default=shutil.which("pgmedic") or "pgmedic")
    args = parser.parse_args()
    if not args.young and not FAKETIME:
        sys.exit("libfaketime is not installed; --young goes without it")
    if args.dir.exists():
        sys.exit(f"{args.dir} is there already")
    started = []
    holder = builder = None
    try:
        make(args)
        server(args, "-l", str(args.dir / "log"), "start")
        started.append("data")
        server(args, "-l", str(args.dir / "standby.log"), "start", data="standby")
        started.append("standby")
        holder, builder = build(args)
        judge(args, ask(args))
    finally:
        if holder:
            holder.close()
            builder.wait(60)
        for data in reversed(started):
            server(args, "-m", "immediate", "stop", data=data)


if __name__ == "__main__":
    main()
