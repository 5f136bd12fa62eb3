#!/bin/sh
# The load by wait class agrees with an independent sampler: psql asks ten times a second while pgmedic records with two
# refreshes a second. Both look at the same steady load, which has a part that goes on and off.
# majors: newest
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
start_pg primary "max_connections = 40"
sql primary "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i, 0 FROM generate_series(1, 10) AS i;
	CREATE TABLE seen (at timestamptz, class text, n int)" >/dev/null

session() {	# NAME SQL...
	session_name=$1
	shift
	for text in "$@"; do
		printf '%s;\n' "$text"
	done >"$TMP/$session_name.sql"
	spawn "$PG_BINDIR/psql" -X -q -d "$primary_uri?application_name=$session_name" -f "$TMP/$session_name.sql" \
	    >"$TMP/$session_name.log" 2>&1
}
are() {		# N CONDITION over pg_stat_activity
	[ "$(sql primary "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'load%' AND $2")" = "$1" ]
}

# ------------------------------------------------------------------ the load

for i in 1 2 3; do
	session load_sleep$i "SELECT pg_sleep(600)"
done
# A holder that is idle in its transaction is no load, nor is an idle session.
mkfifo "$TMP/holder.in" "$TMP/idle.in"
for name in holder idle; do
	spawn sh -c 'exec "$0" -X -q -d "$1" -f - <"$2" >"$2.out" 2>&1' \
	    "$PG_BINDIR/psql" "$primary_uri?application_name=load_$name" "$TMP/$name.in"
done
exec 3>"$TMP/holder.in" 4>"$TMP/idle.in"
echo 'BEGIN; UPDATE t SET v = 1 WHERE id = 1;' >&3
echo 'SELECT 1;' >&4
wait_for 20 are 1 "state = 'idle in transaction'" || fail "no session is idle in transaction"
session load_wait1 "UPDATE t SET v = 2 WHERE id = 1"
session load_wait2 "UPDATE t SET v = 3 WHERE id = 1"
session load_busy "DO \$\$ BEGIN LOOP END LOOP; END \$\$"
# 0.7 s of computing, 0.7 s of sleep: no multiple of either sampler's period.
session load_both "DO \$\$ DECLARE until timestamptz; BEGIN LOOP
	until := clock_timestamp() + interval '0.7 s';
	WHILE clock_timestamp() < until LOOP END LOOP;
	PERFORM pg_sleep(0.7);
	END LOOP; END \$\$"
wait_for 20 are 2 "wait_event_type = 'Lock'" || fail "nobody waits for the lock"
wait_for 20 are 7 "state = 'active'" || fail "the load does not run"

# ------------------------------------------------------------------ both samplers

cat >"$TMP/sampler.sql" <<'SQL'
INSERT INTO seen SELECT now(), coalesce(wait_event_type, 'CPU'), count(*) FROM pg_stat_activity
WHERE state = 'active' AND pid <> pg_backend_pid() AND application_name <> 'pgmedic' GROUP BY 2
\watch 0.1
SQL
spawn "$PGMEDIC" record "$TMP/load.rec" "$primary_uri" --refresh 0.5 2>"$TMP/record.log"
recorder=$spawned_pid
spawn "$PG_BINDIR/psql" -X -q -d "$primary_uri?application_name=sampler" -f "$TMP/sampler.sql" >"$TMP/sampler.log" 2>&1
sampler=$spawned_pid

samples() {	# of the recording so far, which is read while it is written
	"$PGMEDIC" show waits --replay "$TMP/load.rec" --json 2>/dev/null |
	    python3 -c 'import json, sys; print(json.load(sys.stdin)["summary"]["samples"])' 2>/dev/null
}
enough() {
	got=$(samples)
	sleep 1
	[ "${got:-0}" -ge 26 ]
}
ok "a recording can be read while it grows" wait_for 10 enough
kill "$sampler" "$recorder"
wait "$recorder"
is "the recorder ends well" $? 0
exec 3>&- 4>&-
for pid in $spawned; do
	kill "$pid" 2>/dev/null
done

# ------------------------------------------------------------------ side by side

status 0 "the recording is read" "$PGMEDIC" show waits --replay "$TMP/load.rec" --json
like "the independent sampler has seen enough" "$(sql primary "SELECT count(DISTINCT at) FROM seen")" '^[0-9]{3,}$|^[5-9][0-9]$'
sql primary "SELECT class, sum(n)::float8 / (SELECT count(DISTINCT at) FROM seen) FROM seen GROUP BY 1" >"$TMP/seen"
python3 - "$TMP/out" "$TMP/seen" >"$TMP/compared" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
ours, theirs = {}, {}
for r in d["rows"]:
    ours[r["class"]] = ours.get(r["class"], 0) + r["aas"]
for line in open(sys.argv[2]):
    name, aas = line.strip().split("|")
    theirs[name] = float(aas)
total = {"ours": sum(ours.values()), "theirs": sum(theirs.values())}
print("aas", "close" if abs(total["ours"] - total["theirs"]) < 0.35 else "far", total)
print("shares", round(sum(r["share_pct"] for r in d["rows"])))
print("summary", "same" if abs(d["summary"]["aas"] - total["ours"]) < 0.01 else "other", d["summary"])
for c in sorted(set(ours) | set(theirs)):
    a = 100 * ours.get(c, 0) / total["ours"]
    b = 100 * theirs.get(c, 0) / total["theirs"]
    print("class", c, "agrees" if abs(a - b) <= 5 else "differs", "%.1f %.1f" % (a, b))
PY
compared=$(cat "$TMP/compared")
like "the load in all" "$compared" '^aas close'
like "the shares add up" "$compared" '^shares 100$'
like "the summary says the same" "$compared" '^summary same'
for class in CPU Lock Timeout; do
	like "$class agrees within 5 points" "$compared" "^class $class agrees"
done
unlike "no class differs by more than 5 points" "$compared" 'differs'
sed 's/^/# /' "$TMP/compared"

# By who: the same load by application and by statement.
status 0 "by application" "$PGMEDIC" show waits --replay "$TMP/load.rec" --mode application --json
is "those who wait for the row, in Lock" "$(python3 -c 'import json, sys
print(sorted((r["name"], round(r["lock_aas"])) for r in json.load(open(sys.argv[1]))["rows"] if r["lock_aas"] > 0.05))' "$TMP/out")" \
    "[('load_wait1', 1), ('load_wait2', 1)]"
unlike "idle sessions are no load" "$(cat "$TMP/out")" 'load_holder|load_idle'
finish
