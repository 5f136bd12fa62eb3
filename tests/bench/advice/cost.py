#!/usr/bin/env python3
"""What asking for advice costs the server that is asked, over a slow line and beside a load.

    cost.py --dir DIR [--port PORT] [--pgmedic PROGRAM] [--tables 500] [--rounds 6] [--seconds 10]

On the server of bench.py (started before): set a's database with 500 more tables, a replay of its statements, then
  delay   `show advice` through a relay that adds 15 ms each way: seconds to the first and to all advice, EXPLAINs
  load    pgbench with and without `show advice` running again and again beside it, in turns: the ratio of tps
  locks   every lock stronger than AccessShareLock that its backend holds while it runs, sampled; its CPU time
  residue what is left: prepared transactions, sessions, entries in pg_stat_statements, relations
"""
import argparse
import importlib
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time

import bench
import pq

RELAY = bench.HERE.parent.parent / "fake" / "relay"


def prepare(args):
    module = importlib.import_module("set_a")
    args.set = "a"
    bench.load(args, module)
    bench.copy(args, module, "cost")
    conn = pq.Connection(bench.uri(args, "cost"))
    conn.run(f"""DO $$ BEGIN FOR i IN 1..{args.tables} LOOP EXECUTE format(
        'CREATE TABLE many_%s (id int PRIMARY KEY, a int, b text, c timestamptz); CREATE INDEX ON many_%s (a, b)', i, i);
        END LOOP; END $$""")
    conn.close()
    bench.replay(args, module, "cost")
    subprocess.run([bench.find_bin() / "pgbench", "-q", "-i", "-s", "5", bench.uri(args, "cost")], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def environment(args, port, name):
    home = args.dir / name
    folder = home / "config" / "pgmedic"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pgmedic.conf").write_text(
        f"[target bench]\nconninfo = postgresql://{args.role}@127.0.0.1:{port}/cost\n", encoding="utf-8")
    return dict(os.environ, HOME=str(home), XDG_CONFIG_HOME=str(home / "config"), XDG_STATE_HOME=str(home / "state"))


def advise(args, env):
    """(seconds, answer)"""
    began = time.monotonic()
    done = subprocess.run([args.pgmedic, "show", "advice", "--json", "bench"], env=env, capture_output=True, text=True,
                          timeout=120, check=False)
    took = time.monotonic() - began
    if not done.stdout.strip():
        sys.exit(f"pgmedic: status {done.returncode}: {done.stderr}")
    return took, json.loads(done.stdout)


def tell(control, *words):
    return subprocess.run([RELAY, "tell", control, *words], check=True, capture_output=True, text=True).stdout


def delayed(args):
    control = args.dir / "relay.sock"
    control.unlink(missing_ok=True)
    relay = subprocess.Popen([RELAY, "serve", control, str(args.port + 1), str(args.port)])
    try:
        while not control.exists():
            time.sleep(0.02)
        tell(control, "delay", "15")
        env = environment(args, args.port + 1, "home-delay")
        for _ in range(3):
            tell(control, "reset")
            took, answer = advise(args, env)
            summary = answer["summary"]
            stats = json.loads(tell(control, "stats"))
            print(f"delay 30 ms: {took:.2f} s in all, first advice {summary.get('first_ms')} ms,"
                  f" {summary.get('explains')} EXPLAINs, {stats.get('turnarounds')} round trips,"
                  f" {sum(r['action'] == 'create' for r in answer['rows'])} to create, stopped: {summary.get('stopped')}")
    finally:
        tell(control, "quit")
        relay.wait(10)


def pgbench(args):
    out = subprocess.run([bench.find_bin() / "pgbench", "-n", "-S", "-c", "2", "-j", "1", "-T", str(args.seconds), "-M", "prepared",
                          bench.uri(args, "cost")], check=True, capture_output=True, text=True).stdout
    return float(re.search(r"tps = ([0-9.]+) \(without", out).group(1))


def loaded(args):
    """Runs of pgbench in turns: alone, beside one `show advice` begun with it."""
    env = environment(args, args.port, "home-load")
    ratios = []
    for n in range(args.rounds):
        pair = {}
        for beside in ((False, True), (True, False))[n % 2]:
            thread = threading.Thread(target=advise, args=(args, env))
            if beside:
                thread.start()
            pair[beside] = pgbench(args)
            if beside:
                thread.join()
        ratios.append(pair[True] / pair[False])
    print(f"load: one run of advice in {args.seconds} s of pgbench -S: tps ratio median {statistics.median(ratios):.4f}"
          f" (of {', '.join(f'{r:.3f}' for r in sorted(ratios))})")


LOCKS = """SELECT a.pid, l.mode, l.locktype, c.relname, c.relkind, a.state, a.backend_xid IS NOT NULL AS has_xid, a.query
FROM pg_stat_activity a LEFT JOIN pg_locks l ON l.pid = a.pid AND l.locktype = 'relation' AND l.mode <> 'AccessShareLock'
LEFT JOIN pg_class c ON c.oid = l.relation
WHERE a.application_name LIKE 'pgmedic%'"""


def watched(args):
    env = environment(args, args.port, "home-locks")
    conn = pq.Connection(bench.uri(args, "cost"))
    before = catalog(conn)
    sessions_log = set()
    strong = set()
    wrote = False
    samples, cpu = 0, {}
    thread = threading.Thread(target=advise, args=(args, env))
    thread.start()
    while thread.is_alive():
        for row in conn.run(LOCKS):
            samples += 1
            cpu[row["pid"]] = cpu_s(row["pid"]) or cpu.get(row["pid"], 0)
            sessions_log.add(row["state"])
            wrote |= row["has_xid"] == "t"
            if row["mode"]:
                strong.add(f"{row['mode']} on {row['relname']}")
        time.sleep(0.002)
    thread.join()
    deadline = time.monotonic() + 5
    while conn.run("SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'pgmedic%'") and time.monotonic() < deadline:
        time.sleep(0.05)
    after = catalog(conn)
    left = conn.run("SELECT count(*) AS n FROM pg_stat_activity WHERE application_name LIKE 'pgmedic%'")[0]["n"]
    own = conn.run("""SELECT count(*) AS n, count(*) FILTER (WHERE query ILIKE '%EXPLAIN%') AS explains FROM pg_stat_statements s
        WHERE query LIKE '%pgmedic:%' OR query ILIKE '%EXPLAIN (%'""")[0]
    conn.close()
    print(f"server CPU of one run: {sum(cpu.values()):.2f} s, in {len(cpu)} sessions")
    print(f"locks: {samples} samples, stronger than AccessShareLock: {', '.join(sorted(strong)) or 'none'},"
          f" transaction ids taken: {'yes' if wrote else 'none'}")
    print(f"residue: sessions {left}, prepared transactions {after['prepared']}, relations"
          f" {after['relations'] - before['relations']:+d}, own entries in pg_stat_statements {own['n']}"
          f" ({own['explains']} of them EXPLAINs)")


def cpu_s(pid):
    """CPU time of a process so far; None when it has gone."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def catalog(conn):
    row = conn.run("SELECT (SELECT count(*) FROM pg_class) AS relations, (SELECT count(*) FROM pg_prepared_xacts) AS prepared")[0]
    return {k: int(v) for k, v in row.items()}


def errors(args):
    """Errors that the server logged for the advisor."""
    text = (args.dir / "log").read_text(encoding="utf-8", errors="replace")
    return text.count("ERROR:")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("/tmp/advice-bench"))
    parser.add_argument("--port", type=int, default=51200)
    parser.add_argument("--tables", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--pgmedic", default=shutil.which("pgmedic") or "pgmedic")
    parser.add_argument("--role", default="watcher", help="watcher (may only read) or postgres")
    parser.add_argument("--only", default="delay,locks,load")
    args = parser.parse_args()
    prepare(args)
    before = errors(args)
    for name, part in (("locks", watched), ("delay", delayed), ("load", loaded)):
        if name in args.only.split(","):
            part(args)
    print(f"errors that the server logged meanwhile: {errors(args) - before}")


if __name__ == "__main__":
    main()
