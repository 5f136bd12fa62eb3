#!/bin/sh
# The history of a real server: kept by a recorder and a console at once, killed, read back, imported, forgotten.
# majors: newest
# sanitizers: no
# long
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
start_pg primary "max_connections = 60"
sql primary "CREATE TABLE t (id int PRIMARY KEY, pad text); INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 2000) i;
	ANALYZE t" >/dev/null
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target prod]
conninfo = $primary_uri
[target other]
conninfo = host=127.0.0.1 port=1
CONF

# says PYTHON: an expression over the status of the history; t: its first target
says() {
	"$PGMEDIC" history --json 2>/dev/null | python3 -c 'import json, sys
d = json.load(sys.stdin); t = d["targets"][0] if d["targets"] else {}
print(eval(sys.argv[1]))' "$1"
}
is_true() {
	[ "$(says "$1")" = True ]
}
# chart PYTHON [OPTION...]: the same over `show history`
chart() {
	expression=$1
	shift
	"$PGMEDIC" show history prod --json "$@" 2>/dev/null | python3 -c 'import json, sys
d = json.load(sys.stdin); s = d["summary"]; r = d["rows"]
print(eval(sys.argv[1]))' "$expression"
}

# ------------------------------------------------------------------ kept

spawn "$PGMEDIC" record "$TMP/one.rec" prod --refresh 0.5 2>"$TMP/one.log"
one=$spawned_pid
spawn "$PGMEDIC" record "$TMP/two.rec" prod --refresh 0.5 2>"$TMP/two.log"
two=$spawned_pid
ok "a row is written after ten seconds" wait_for 25 is_true "t.get('minutes', 0) >= 1"
ok "with the sizes" wait_for 75 is_true "t.get('sizes', 0) >= 5"
is "under the name of the target, with its system identifier" \
	"$(says "t['target'] + ' ' + t['system_identifier']")" "prod $(sql primary 'SELECT system_identifier FROM pg_control_system()')"
is "both write the same rows" "$(says "len(d['targets'])")" 1
size=$(sql primary "SELECT pg_database_size('postgres')")
is "the size of a database is exact" \
	"$("$PGMEDIC" history export database:postgres prod | awk -F, -v n="$size" 'NR == 2 { d = $2 - n; print (d < 0 ? -d : d) < 1e6 }')" 1
like "the WAL position is kept" "$("$PGMEDIC" history export wal_lsn prod)" 'Z,[0-9]{7,}$'
like "tables are told apart" "$("$PGMEDIC" history export table:postgres.public.t prod)" ',[0-9]{6,}$'
is "the file is private" "$(stat -c %a "$XDG_STATE_HOME/pgmedic/history.db")" 600

# ------------------------------------------------------------------ killed

ticks=$("$PGMEDIC" history export connections prod | wc -l)
kills=0
while [ "$kills" -lt 10 ]; do
	kill -KILL "$one"
	spawn "$PGMEDIC" record "$TMP/again$kills.rec" prod --refresh 0.5 2>"$TMP/again.log"
	one=$spawned_pid
	# the next dies around its first row, ten seconds after its start
	[ "$kills" -ge 3 ] || sleep "$(((kills + 1) * 3))"
	kills=$((kills + 1))
done
is "after ten kills nothing is missing" "$([ "$("$PGMEDIC" history export connections prod | wc -l)" -ge "$ticks" ] && echo yes)" yes
unlike "and nothing is damaged" "$(ls "$XDG_STATE_HOME/pgmedic")" damaged
kill "$two" "$one"
wait "$two"
like "what the statements did is kept" "$("$PGMEDIC" history export statements prod)" '^-?[0-9]{8,},[0-9]+,[0-9]+,[0-9]+,'
is "what was seen last is written at the end" "$(says "t['minutes'] >= 1")" True

# ------------------------------------------------------------------ read

# the minute in which a run begins is told by its own ticks: what was kept in that one comes a minute later
has_others() {
	[ "$(chart "sum(x['n'] for x in r) > 20" --mode connections --window 1h)" = True ]
}
ok "a chart shows what others have kept" wait_for 70 has_others
is "each moment once, newest first" "$(chart "[x['time'] for x in r] == sorted({x['time'] for x in r}, reverse=True)" --mode connections)" True
is "what nobody measured has no rows" "$(chart "len(r)" --mode pool_waiting)" 0
printf 'time,connections\n%s,77\n' "$(($(date +%s) - 1800))" >"$TMP/in.csv"
"$PGMEDIC" history import "$TMP/in.csv" prod >/dev/null
cat >"$TMP/script" <<'SCRIPT'
:wait sample 1
:chart connections 1h
:wait sample 3
:save-display screen
SCRIPT
PGMEDIC_SCRIPT=$TMP/script timeout 60 "$PGMEDIC" prod >"$TMP/out" 2>"$TMP/err"
like "the console has the last hour at once" "$(cat "$TMP/screen")" '^[0-9:]{8}Z 77'
like "and draws it" "$(cat "$TMP/screen")" 'connections over 1h'

# ------------------------------------------------------------------ CSV

now=$(date +%s)
{
	echo "time,tps,active"
	for day in 300 200 100 20; do
		echo "$((now - day * 86400)),$day,1"
	done
} >"$TMP/in.csv"
status 0 "figures are imported" "$PGMEDIC" history import "$TMP/in.csv" prod
like "and counted" "$(cat "$TMP/out")" '^4 rows'
is "a year's chart has them" "$(chart "sorted(x['avg'] for x in r)[-4:]" --mode tps --window 1y)" "[20, 100, 200, 300]"
printf 'time,bytes\n2026-01-01,5\nnever,6\n' >"$TMP/in.csv"
status 0 "sizes are imported" "$PGMEDIC" history import "$TMP/in.csv" other
like "what is skipped is said" "$(cat "$TMP/err")" 'line 3'
printf 'time,tsp\n1,2\n' >"$TMP/in.csv"
status 1 "a column that is nothing is refused" "$PGMEDIC" history import "$TMP/in.csv" prod
like "with the nearest name" "$(cat "$TMP/err")" 'tps'
printf 'time,tps\n%s,42\n' "$(($(date +%s) - 900))" >"$TMP/in.csv"
"$PGMEDIC" history import "$TMP/in.csv" other >/dev/null
status 0 "the past of a server that is away is shown" "$PGMEDIC" show history other --json --mode tps --window 1h
like "with what was kept" "$(cat "$TMP/out")" '"avg":42'
like "and what is wrong beside it" "$(cat "$TMP/err")" 'refused'
status 3 "but not when nothing is known" "$PGMEDIC" show history other --json --mode active --window 1h
status 1 "to forget asks" "$PGMEDIC" history forget other
status 0 "and is done when told" "$PGMEDIC" history forget other --yes
is "all of it is gone" "$(says "[x['target'] for x in d['targets']]")" "['prod']"
status 2 "a wrong word" "$PGMEDIC" history improt x
like "has a nearest one" "$(cat "$TMP/err")" 'import'

# ------------------------------------------------------------------ what must not hurt

cat >"$TMP/script" <<'SCRIPT'
:wait sample 2
:chart tps 1h
:wait sample 14
:save-display screen
SCRIPT
printf 'no folder' >"$TMP/nofolder"
rm -f "$TMP/screen"
XDG_STATE_HOME=$TMP/nofolder PGMEDIC_SCRIPT=$TMP/script timeout 60 "$PGMEDIC" prod --log "$TMP/log" >"$TMP/out" 2>"$TMP/err"
is "without a state folder the console goes on" "$?" 0
like "and says that the history is not kept" "$(cat "$TMP/screen" "$TMP/log")" 'history|nofolder'
sql primary "SELECT 1" >/dev/null
printf '[console]\nhistory = no\n' >>"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
rm -rf "$XDG_STATE_HOME/pgmedic"
printf ':wait sample 13\n' >"$TMP/script"
PGMEDIC_SCRIPT=$TMP/script timeout 60 "$PGMEDIC" prod >"$TMP/out" 2>"$TMP/err"
ok "history = no keeps none" test ! -e "$XDG_STATE_HOME/pgmedic/history.db"
cat >"$TMP/script" <<'SCRIPT'
:wait sample 2
:set history yes
:wait sample 25
:set history no
:wait sample 3
SCRIPT
PGMEDIC_SCRIPT=$TMP/script timeout 60 "$PGMEDIC" prod >"$TMP/out" 2>"$TMP/err"
is ":set history yes begins one" "$(says "t.get('target'), t.get('minutes', 0) > 0")" "('prod', True)"
finish
