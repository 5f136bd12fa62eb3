#!/bin/sh
# drill failover: outage and lost rows as an independent probe sees them, and everything where it was afterwards.
# majors: newest
# long
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"
. "$test_dir/pair.sh"

need_pg
start_pair
roles() {
	echo "$(sql a "SELECT pg_is_in_recovery()") $(sql b "SELECT pg_is_in_recovery()")"
}

# The other probe: one psql a beat, to whichever of the two takes writes; acknowledged rows with their times.
cat >"$TMP/probe.py" <<'PY'
import subprocess, sys, time
psql, uri, path = sys.argv[1:]
n = 0
with open(path, "a") as out:
    while True:
        begin = time.time()
        n += 1
        r = subprocess.run([psql, "-X", "-q", "-A", "-t", "-d", uri, "-c", f"INSERT INTO beat VALUES ({n})"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if r.returncode == 0:
            out.write(f"{n} {time.time():.3f} {time.time() - begin:.3f}\n")
            out.flush()
        time.sleep(max(0, 0.05 - (time.time() - begin)))
PY
outage() {	# of the two longest gaps the first, the way there, as the other probe saw it, and how long a beat of its took at most
	python3 - "$TMP/beats" <<'PY'
import sys
beats = [line.split() for line in open(sys.argv[1])]
t = [float(b[1]) for b in beats]
gaps = sorted(((b - a), a) for a, b in zip(t, t[1:]))
two = sorted(gaps[-2:], key=lambda g: g[1])
print(f"{two[0][0]:.3f} {max(float(b[2]) for b in beats):.3f}")
PY
}
near() {	# A B GRAIN: within 200 ms, and what the other probe cannot tell better: on a busy machine psql starts slowly
	python3 -c "import sys; a, b, grain = map(float, sys.argv[1:]); sys.exit(abs(a - b) > 0.2 + grain)" "$1" "$2" "$3"
}

for kind in planned crash; do
	sql a "DROP TABLE IF EXISTS beat; CREATE TABLE beat (n int PRIMARY KEY)" >/dev/null 2>&1
	rm -f "$TMP/beats"
	spawn python3 "$TMP/probe.py" "$PG_BINDIR/psql" \
	    "postgresql://postgres@127.0.0.1:$a_port,127.0.0.1:$b_port/postgres?target_session_attrs=read-write&connect_timeout=2" "$TMP/beats"
	op "drill failover --kind $kind" a --yes
	is "$kind: done" "$(member state)" "done"
	[ "$(member state)" = "done" ] || { printf '%s\n' "$answer"; "$PGMEDIC" run "job $(member job)" a; }
	kill "$spawned_pid"
	wait_for 5 gone "$spawned_pid"
	is "... of that kind, passed, restored" "$(member result.kind) $(member result.passed) $(member result.restored)" "$kind true true"
	is "... the roles are as they were" "$(roles)" "f t"
	rto=$(member result.rto_s)
	# shellcheck disable=SC2046 # outage and grain
	set -- $(outage)
	ok "... the outage, $rto s, is what another probe sees: $1 s, to $2 s" near "$rto" "$1" "$2"
	lost=$(awk '{ print $1 }' "$TMP/beats" | sort >"$TMP/acked"; sql a "SELECT n FROM beat" | sort >"$TMP/there"
		comm -23 "$TMP/acked" "$TMP/there" | wc -l | tr -d ' ')
	# Each probe loses what it wrote itself: at most the one row that was on its way.
	rows=$(member result.rpo_rows)
	ok "... lost rows, $rows, as the other probe's $lost" test "$((rows - lost))" -ge -1 -a "$((rows - lost))" -le 1
	is "... the probe's table is gone" "$(sql a "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgmedic'")" 0
	is "... the slots are as they were" "$(sql a "SELECT slot_name FROM pg_replication_slots") $(sql b "SELECT count(*) FROM pg_replication_slots")" "b 0"
	report=$(member result.report)
	ok "... a report" grep -q 'write outage' "$report"
	like "... who asked for it" "$(cat "$report")" "asked for by $(id -un) \(--yes\)"
	like "... the outage of the way back, too" "$(member result.back_s)" '^[0-9.]+$'
	like "... told" "$(cat "$report")" 'write outage of the way back \| [0-9.]+ s'
	earlier=$(member result.trend | grep -o '"kind": "[a-z]*"' | cut -d '"' -f 4)
	is "... drills before this one" "$earlier" "${kind_before:-}"
	like "... as its file for programs has them" "$(cat "${report%md}json")" "\"trend\":\\[${earlier:+\{}"
	kind_before=$kind
	unlike "... nothing is left behind" "$("$PGMEDIC" run "job $(member job)" a)" 'left behind'
done

sql b "SELECT pg_wal_replay_pause()" >/dev/null
op "drill failover" a --yes
is "a red gate stops it before harm" "$(member state) $(roles)" "refused f t"
finish
