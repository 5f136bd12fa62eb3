#!/bin/sh
# Recording through what happens to servers: a restart, a promotion, a kill of the recorder, damage to the file.
# majors: ends
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
start_pg primary "max_connections = 40"
sql primary "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)" >/dev/null
start_standby standby primary

replay() {	# PANE FILE [OPTION...]
	pane=$1 file=$2
	shift 2
	"$PGMEDIC" show "$pane" --replay "$TMP/$file" --json "$@"
}
says() {	# FILE PYTHON [OPTION...]: an expression over the overview d, its summary s and its notes n
	file=$1 expression=$2
	shift 2
	replay overview "$file" "$@" 2>/dev/null | python3 -c 'import json, sys
d = json.load(sys.stdin); s = d["summary"]; n = {x["code"]: x["what"] for x in d["notes"]}
print(eval(sys.argv[1]))' "$expression"
}
started() {	# FILE: when the server that it shows was started, in seconds of the epoch
	says "$1" "__import__('datetime').datetime.fromisoformat(d['taken_at'].replace('Z', '+00:00')).timestamp() - s['uptime_s']"
}
true_in() {
	[ "$(says "$@")" = True ]
}
record() {	# FILE URI
	spawn "$PGMEDIC" record "$TMP/$1" "$2" --refresh 0.5 2>"$TMP/$1.log"
}
later_than() {	# FILE TIME
	true_in "$1" "d['taken_at'] > '$2' and s['tps'] is not None"
}
stop() {	# PID
	kill "$1"
	wait "$1"
}

# ------------------------------------------------------------------ a restart of the server

record restart.rec "$primary_uri"
recorder=$spawned_pid
record promote.rec "$standby_uri"
standby_recorder=$spawned_pid
ok "the recording begins" wait_for 20 true_in restart.rec "s['tps'] is not None"
before=$(says restart.rec "d['taken_at'] + ' ' + str(s['uptime_s'])")
uptime=${before#* } before=${before% *}
first_start=$(started restart.rec)
stop_pg primary
ok "the recorder says that the server is gone" wait_for 10 grep -q 'still trying' "$TMP/restart.rec.log"
run_pg primary
ok "and that it is back" wait_for 15 grep -q 'connected again' "$TMP/restart.rec.log"
ok "the recording goes on" wait_for 15 later_than restart.rec "$before"
ok "the recorder is still there" kill -0 "$recorder"
ok "replay tells the restart" wait_for 10 true_in restart.rec "'restart' in n"
like "the loss, the return and the restart are told" "$(says restart.rec "sorted(n)")" "'lost', 'reconnected', 'restart'"
is "the server was started after the one before it" "$(python3 -c "print($(started restart.rec) > $first_start + 0.1)")" True
is "no rate is made across the restart" "$(says restart.rec "0 <= s['tps'] < 1000")" True
is "before it, --at shows the older server" "$(says restart.rec "abs(s['uptime_s'] - $uptime) < 0.01" --at "$before")" True
is "and no event yet" "$(says restart.rec "'restart' in n or 'lost' in n" --at "$before")" False
is "at the very time that was asked for" "$(says restart.rec "d['taken_at']" --at "$before")" "$before"
stop "$recorder"
is "the recorder ends well" $? 0

# ------------------------------------------------------------------ the promotion of a standby

ok "the standby is recorded" wait_for 20 true_in promote.rec "s['role'] == 'standby' and s['tps'] is not None"
before=$(says promote.rec "d['taken_at']")
as_pg "$PG_BINDIR/pg_ctl" -D "$standby_dir" -w promote >/dev/null
ok "the promotion is recorded" wait_for 20 true_in promote.rec "s['role'] == 'primary'"
ok "with its new timeline" wait_for 10 true_in promote.rec "s['timeline'] == 2"
is "replay tells the promotion" "$(says promote.rec "n.get('promoted')" | cut -d, -f1)" "promoted: the standby became a primary"
is "before it, --at shows a standby" "$(says promote.rec "(s['role'], s['timeline'])" --at "$before")" "('standby', 1)"
is "and no promotion yet" "$(says promote.rec "'promoted' in n" --at "$before")" False
ok "every pane can be shown from it" sh -c 'for pane in activity waits locks statements replication tables indexes maintenance databases settings pools; do
	"$0" show $pane --replay "$1" --json | python3 -m json.tool >/dev/null || exit 1; done' "$PGMEDIC" "$TMP/promote.rec"

# ------------------------------------------------------------------ the recorder is killed

last=$(says promote.rec "d['taken_at']")
kill -KILL "$standby_recorder"
wait "$standby_recorder" 2>/dev/null
status 0 "after a kill -9 of the recorder the file is readable" replay overview promote.rec
is "up to its end" "$(says promote.rec "d['taken_at'] >= '$last'")" True
size=$(stat -c %s "$TMP/promote.rec")
cut=1
while [ "$cut" -lt 3000 ]; do	# a kill in the middle of a write
	head -c $((size - cut)) "$TMP/promote.rec" >"$TMP/torn.rec"
	replay overview torn.rec >"$TMP/torn" 2>"$TMP/torn.log" && python3 -m json.tool "$TMP/torn" >/dev/null || {
		fail "a file that lacks its last $cut bytes is readable"
		sed 's/^/  | /' "$TMP/torn.log"
	}
	cut=$((cut + 271))
done
pass "a file that ends in the middle of a write is readable"
like "and its torn end is told" "$(cat "$TMP/torn.log")" 'bytes cannot be read; the rest is shown'
record torn.rec "$primary_uri"
ok "a torn recording is gone on with" wait_for 20 true_in torn.rec "d['taken_at'] > '$last' and s['tps'] is not None"
stop "$spawned_pid"
is "what was before is still there" "$(says torn.rec "(s['role'], s['timeline'])" --at "$before")" "('standby', 1)"

# ------------------------------------------------------------------ what is no recording

refused() {	# WHAT FILE REGEX
	status 1 "$1" replay overview "$2"
	like "$1: one line says why" "$(head -n 1 "$TMP/err")" "^pgmedic: .*$3"
	status 1 "$1: replay says it too" "$PGMEDIC" replay "$TMP/$2"
}
refused "no such file" nowhere.rec 'nowhere.rec.*No such file'
: >"$TMP/empty.rec"
refused "an empty file" empty.rec 'not a recording'
head -c 20000 /dev/urandom >"$TMP/noise.rec"
refused "noise" noise.rec 'not a recording'
head -c 16 "$TMP/restart.rec" >"$TMP/head.rec"
refused "a head without a body" head.rec 'no complete sample'
{ head -c 16 "$TMP/restart.rec"; head -c 20000 /dev/urandom; } >"$TMP/body.rec"
refused "a head with noise for a body" body.rec 'no complete sample'
{ head -c 8 "$TMP/restart.rec"; printf '\377\0\0\0'; tail -c +13 "$TMP/restart.rec"; } >"$TMP/newer.rec"
refused "a newer format" newer.rec 'format 255'
mkdir "$TMP/folder.rec"
refused "a folder" folder.rec 'not a regular file'

# Noise in the middle: what is whole is shown, and that something is missing is told.
size=$(stat -c %s "$TMP/restart.rec")
for part in 3 5 7; do
	cp "$TMP/restart.rec" "$TMP/holed.rec"
	head -c 300 /dev/urandom | dd of="$TMP/holed.rec" bs=1 seek=$((size * part / 10)) conv=notrunc 2>/dev/null
	status 0 "a hole at $part/10 of the file" replay overview holed.rec
	ok "what is left is whole" python3 -m json.tool "$TMP/out"
	like "and that something is missing is told" "$(cat "$TMP/err")" 'bytes cannot be read; the rest is shown'
done
cp "$TMP/noise.rec" "$TMP/noise.copy"
status 1 "record does not write over a file that is none" "$PGMEDIC" record "$TMP/noise.rec" "$primary_uri"
ok "which stays as it was" cmp "$TMP/noise.rec" "$TMP/noise.copy"
status 1 "record into a folder that is not there" "$PGMEDIC" record "$TMP/nowhere/x.rec" "$primary_uri"
status 2 "a time that is none" replay overview restart.rec --at yesterday
if [ -w /dev/full ]; then
	spawn "$PGMEDIC" record /dev/full "$primary_uri" 2>"$TMP/full.log"
	wait "$spawned_pid"
	is "a full disk ends the recorder with an error" $? 1
	like "which says so" "$(cat "$TMP/full.log")" 'No space left'
fi
finish
