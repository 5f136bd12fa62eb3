#!/bin/sh
# A crash drill that loses rows: the sender of WAL is stopped a moment before, so that rows are acknowledged which the standby
# never gets. They are counted to the row, and the old primary, which has more than its successor, is rewound. Its server
# was started by a parent that never waits for it: killed, it stays a zombie, which PostgreSQL takes for a running server.
# majors: newest
# long
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"
. "$test_dir/pair.sh"

need_pg
command -v python3 >/dev/null || skip_all "no python3"
start_pair
roles() {
	echo "$(sql a "SELECT pg_is_in_recovery()") $(sql b "SELECT pg_is_in_recovery()")"
}
sql a "CREATE TABLE beat (n int PRIMARY KEY); CREATE TABLE t AS SELECT generate_series(1, 1000) AS id" >/dev/null

# The parent that does not wait.
stop_pg a
cat >"$TMP/parent.py" <<'PY'
import os, subprocess, sys, time
with open(sys.argv[1], "a") as log:
    subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
time.sleep(900)
PY
chmod 644 "$TMP/parent.py"
if [ -n "$pg_user" ]; then
	spawn runuser -u "$pg_user" -- python3 "$TMP/parent.py" "$TMP/pg-a/log" "$PG_BINDIR/postgres" -D "$TMP/pg-a/data" -p "$a_port"
else
	spawn python3 "$TMP/parent.py" "$TMP/pg-a/log" "$PG_BINDIR/postgres" -D "$TMP/pg-a/data" -p "$a_port"
fi
streams() {
	[ "$(sql b "SELECT status FROM pg_stat_wal_receiver")" = streaming ]
}
ok "a runs under such a parent, b streams" wait_for 30 streams

spawn python3 "$test_dir/probe.py" "$PG_BINDIR/psql" \
    "postgresql://postgres@127.0.0.1:$a_port,127.0.0.1:$b_port/postgres?target_session_attrs=read-write&connect_timeout=2" beat "$TMP/beats"
probe=$spawned_pid
# One that computes, and does not see that its postmaster is gone.
spawn "$PG_BINDIR/psql" -X -q -d "$a_uri" -c "SELECT count(*) FROM generate_series(1, 100000000000)" >/dev/null 2>&1

# Stops the sender in the baseline; keeps the beats that are there once they have been measured.
cat >"$TMP/harm.py" <<'PY'
import os, signal, sqlite3, subprocess, sys, time
db, psql, a, b, out = sys.argv[1:]

def ask(uri, text):
    return subprocess.run([psql, "-X", "-A", "-t", "-q", "-d", uri, "-c", text], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True).stdout.strip()

def has(step, state):
    try:
        c = sqlite3.connect(db, timeout=10)
        return c.execute("SELECT 1 FROM job_steps WHERE name = ? AND state IN (?, 'done')", (step, state)).fetchone()
    except sqlite3.OperationalError:
        return None

def wait(condition):
    end = time.time() + 120
    while time.time() < end and not condition():
        time.sleep(0.02)

wait(lambda: has("baseline", "doing"))
time.sleep(1.5)
os.kill(int(ask(a, "SELECT pid FROM pg_stat_replication")), signal.SIGSTOP)
wait(lambda: has("measure", "done"))
with open(out, "w") as f:
    f.write(ask(b, "SELECT string_agg(seq::text, ' ') FROM pgmedic.heartbeat"))
PY
spawn python3 "$TMP/harm.py" "$XDG_STATE_HOME/pgmedic/journal.db" "$PG_BINDIR/psql" "$a_uri" "$b_uri" "$TMP/there"
op "drill failover --kind crash" a --yes
kill "$probe"
is "done, restored" "$(member state) $(member result.restored) $(roles)" "done true f t"
[ "$(member state)" = "done" ] || { printf '%s\n' "$answer"; "$PGMEDIC" run "job $(member job)" a; tail -n 20 "$TMP/pg-a/log"; cat "$XDG_STATE_HOME"/pgmedic/jobs/*-rewind.log; }
is "... not passed: rows are lost" "$(member result.passed) $op_status" "false 1"
log=$XDG_STATE_HOME/pgmedic/drill-$(member job).log
sql a "SELECT n FROM beat" >"$TMP/kept"
history=$(as_pg cat "$TMP/pg-b/data/pg_wal/$(printf '%08X' "$(member result.timeline_after)").history" | tail -n 1)

# All of it once more, from the raw log, the rows, and the other probe.
python3 - "$answer" "$log" "$TMP/there" "$TMP/beats" "$TMP/kept" "$history" "$TMP/pg-a" >"$TMP/verdict" <<'PY'
import json, sys
answer, log, there, beats, kept, history, _ = sys.argv[1:]
r = json.loads(answer)["result"]
lsn = lambda text: int(text.split("/")[0], 16) << 32 | int(text.split("/")[1], 16)
there = {int(x) for x in open(there).read().split()}
acks = [l.split() for l in open(log) if l.startswith("ok ")]
fork = lsn(history.split()[1])
# Of the old primary: what its WAL position was at the acknowledgement, before the first that another port has taken
port = acks[0][5]
old = []
for a in acks:
    if a[5] != port:
        break
    old.append(a)
lost = [a for a in old if int(a[1]) not in there]
print("rows", r["rpo_rows"], len(lost))
saved = [int(a[3]) for a in old if int(a[1]) in there]
print("span", abs(r["rpo_s"] - (int(lost[-1][3]) - saved[-1]) / 1e6) < 0.002 if lost else r["rpo_s"] == 0)
end = max(lsn(a[4]) for a in old)
print("bytes", 0 <= r["rpo_bytes"] - (end - fork) < 65536, r["rpo_bytes"], end - fork)
beats = [l.split() for l in open(beats)]
kept = {int(x) for x in open(kept)}
gaps = sorted(((float(y[1]) - float(x[1])), i) for i, (x, y) in enumerate(zip(beats, beats[1:])))
first = min(i for _, i in gaps[-2:])    # of the two outages: there, and back
other_rto = float(beats[first + 1][1]) - float(beats[first][1])
print("rto", abs(other_rto - r["rto_s"]) <= 0.2, other_rto, r["rto_s"])
other_lost = [x for x in beats[:first + 1] if int(x[0]) not in kept]
other_saved = [x for x in beats[:first + 1] if int(x[0]) in kept]
# Twice as many beats in the same time.
print("other", abs(len(other_lost) - 2 * r["rpo_rows"]) <= 0.2 * len(other_lost) + 4, len(other_lost), r["rpo_rows"])
span = float(other_lost[-1][1]) - float(other_saved[-1][1]) if other_lost else 0
print("other span", abs(span - r["rpo_s"]) <= 0.2, span, r["rpo_s"])
print("later", sum(1 for x in beats[first + 1:] if int(x[0]) not in kept))
PY
cat "$TMP/verdict"
is "rows are lost" "$([ "$(member result.rpo_rows)" -ge 5 ] && echo some)" some
is "... counted to the row" "$(sed -n 's/^rows //p' "$TMP/verdict")" "$(member result.rpo_rows) $(member result.rpo_rows)"
like "... in seconds" "$(cat "$TMP/verdict")" '^span True'
like "... in bytes of WAL behind the fork" "$(cat "$TMP/verdict")" '^bytes True'
like "the outage as another probe sees it" "$(cat "$TMP/verdict")" '^rto True'
like "... the lost rows, too" "$(cat "$TMP/verdict")" '^other True'
like "... and their span" "$(cat "$TMP/verdict")" '^other span True'
like "nothing is lost on the way back" "$(cat "$TMP/verdict")" '^later 0$'
is "both have the same rows" "$(sql a "SELECT count(*), sum(n) FROM beat")" "$(sql b "SELECT count(*), sum(n) FROM beat")"
is "the old primary streams to its standby again" "$(sql a "SELECT application_name || ' ' || state FROM pg_stat_replication")" "b streaming"
like "the report says it" "$(cat "$(member result.report)")" "^. acknowledged rows lost . $(member result.rpo_rows), spanning"
unlike "nothing is left behind" "$("$PGMEDIC" run "job $(member job)" a)" 'left behind'
finish
