#!/bin/sh
# Index advice in the console at 80 columns: made once when its pane is opened, its story, what it says done, what was measured;
# stopped, crashed and quit; in a recording.
. "$(dirname "$0")/../lib.sh"
. "$test_dir/tmux.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
start_pg primary "max_connections = 30"
sql primary "CREATE TABLE parcels (id int PRIMARY KEY, depot int, note text);
	INSERT INTO parcels SELECT g, g % 2000, md5(g::text) FROM generate_series(1, 60000) g;
	CREATE INDEX parcels_depot_old ON parcels (note)" >/dev/null
sql primary "VACUUM ANALYZE parcels" >/dev/null
sql primary "SELECT pg_stat_statements_reset()" >/dev/null
ask() {	# a statement that wants an index, often
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		echo "SELECT * FROM parcels WHERE depot = $i;"
	done | "$PG_BINDIR/psql" -X -q -o /dev/null -d "$primary_uri"
}
ask

open_term 80 24 "$PGMEDIC --pane indexes --refresh 0.5 $primary_uri"
seen "the indexes" 'parcels_pkey'
press i
seen "i opens the advice, which makes it once" 'advice: [0-9]+ to create, [0-9]+ to drop'
like "the best one is first" "$(shot | sed -n 4p)" '^create +parcels \(depot'
like "with its kind, saving and size" "$(shot | sed -n 4p)" 'missing +[0-9.]+ +[0-9.]+[KM] '
like "the header fits" "$(shot | sed -n 3p)" '^ACTION +OBJECT +KIND +SAVE% +SIZE CONF'
press Enter
seen "Enter shows the command" 'CREATE INDEX CONCURRENTLY .* ON public.parcels \(depot'
like "and the figures" "$(shot)" 'expected saving  *[0-9.]+ %'
press G
seen "each statement before and after" 'cost [0-9.]+ to [0-9.]+'
press A
seen "A does it from here, too: the plan first" '\(y/n\)'
press n
seen "n leaves it" 'given up|not confirmed'
press q
seen "q closes it" 'ACTION'

# ------------------------------------------------------------------ done

press A
seen "A shows the plan" 'statement +CREATE INDEX CONCURRENTLY'
seen "and asks" 'create index public\.parcels_depot.*\? \(y/n\)'
is "before the answer nothing is done" "$(sql primary "SELECT count(*) FROM pg_index WHERE indrelid = 'parcels'::regclass")" 2
press n
seen "n gives it up" 'given up|not confirmed'
is "and nothing is done" "$(sql primary "SELECT count(*) FROM pg_index WHERE indrelid = 'parcels'::regclass")" 2
press A
seen "A again" '\(y/n\)'
press y
seen "y starts the job" 'job [0-9]+ has started|job [0-9]+ done'
seen "whose end is said" 'job [0-9]+ done: public.parcels_depot.* is valid'
is_made() {
	[ "$(sql primary "SELECT count(*) FROM pg_index WHERE indrelid = 'parcels'::regclass AND indisvalid")" = 3 ]
}
ok "the index is there" wait_for 20 is_made
is_noted() {
	"$PGMEDIC" run journal | grep -q ' done .*create index'
}
ok "and in the journal" wait_for 10 is_noted
ask
press a
seen "made anew" 'advice: [0-9]+ to create'
press '?'
seen "what was measured is noted" 'since parcels_depot.*: statement'
press q

# ------------------------------------------------------------------ recorded

press : "record $TMP/advice.pgmr" Enter
seen "the last minutes are saved" 'saved; open it'
status 0 "the recording has the advice" "$PGMEDIC" show advice --replay "$TMP/advice.pgmr" --json
like "with its figures" "$(cat "$TMP/out")" '"explains":[1-9]'
status 0 "and of it no new one is made" env PGMEDIC_SCRIPT=/dev/null "$PGMEDIC" replay "$TMP/advice.pgmr"

# ------------------------------------------------------------------ stopped, crashed, quit

# The postmaster does not answer, so the adviser waits for its connection and there is time.
postmaster=$(head -n 1 "$primary_dir/postmaster.pid")
kill -STOP "$postmaster"
console_pid() {
	pgrep -f "^$PGMEDIC --pane indexes --refresh 0.5 $primary_uri" | head -n 1
}
child() {	# the process that makes the advice
	pgrep -P "$(console_pid)" -f 'run --job -' | head -n 1
}
has_child() {
	[ -n "$(child)" ]
}
press a
ok "the adviser is at work" wait_for 10 has_child
pid=$(child)
press a
seen "one at a time" 'at work for .* already'
kill -KILL "$pid"
seen "its crash is a message" 'the adviser ended without a word: killed by signal 9'
press a
ok "another one" wait_for 10 has_child
press : 'advise stop' Enter
seen "is stopped" 'adviser was stopped'
press a
ok "a third one" wait_for 10 has_child
pid=$(child)
press q
ok "ends with the console" wait_for 5 gone "$pid"
kill -CONT "$postmaster"
finish
