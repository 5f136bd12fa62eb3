#!/bin/sh
# Alerts in the console: the overview opens with what is wrong, the alerts pane has it in full and leads to the session, the
# bell rings once, a muted rule is shown as such and silent, and the past is kept.
. "$(dirname "$0")/../lib.sh"
. "$test_dir/tmux.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
start_pg primary "max_connections = 40"
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[alerts]
alert.long_transaction = 1s,2s
alert.idle_in_transaction = 1s,1h
alert.blocked_sessions = 1s
alert.cpu = off
alert.disk_used = off
alert.disk_free = off
[target db]
conninfo = $primary_uri
CONF
sql primary "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)" >/dev/null
session() {	# NAME SQL...
	name=$1
	shift
	spawn "$PG_BINDIR/psql" -X -q -d "$primary_uri?application_name=$name" "$@" >/dev/null 2>&1
}
pid_of() {	# NAME
	sql primary "SELECT pid FROM pg_stat_activity WHERE application_name = '$1'"
}
is_asleep() {	# NAME
	[ "$(sql primary "SELECT wait_event FROM pg_stat_activity WHERE application_name = '$1'")" = PgSleep ]
}
bells() {
	tr -cd '\a' <"$TMP/raw" | wc -c
}
rang() {	# N
	[ "$(bells)" -ge "$1" ]
}

open_term 80 24 "$PGMEDIC --bell --refresh 0.5 db"
: >"$TMP/raw"
$mux pipe-pane "cat >>'$TMP/raw'"
seen "nothing is wrong, and how much is not known" 'nothing found by [0-9]+ rules.*; [0-9]+ without data'
session holder -c "BEGIN" -c "UPDATE t SET id = 1" -c "SELECT pg_sleep(600)"
wait_for 10 is_asleep holder
session waiter -c "UPDATE t SET id = 1"
seen "the cause" '^CRIT pid [0-9]+ has been in a transaction for'
seen "what it leads to, below it" '^WARN └ pid [0-9]+ blocks 1 session, the longest for'
unlike "which is not said twice" "$(shot)" '^WARN └ .*because of'
ok "the bell rings" wait_for 5 rang 1
press a
seen "the pane has both" '^└ blocked_sessions +warning'
press Down Enter
seen "in full" '^runbook +lock-pileup'
seen "with thresholds" '^warning +from 1.00 s, clears below 0.800 s'
seen "and its cause" '^because of +long_transaction: pid'
press L
seen "L leads to the locks from there" 'RELATION +LOCK'
press L
seen "and on to the activity" 'STATE'
press a g Enter
seen "the cause in full" '^look closer +pane activity'
press L Enter
seen "L leads to its session" "activity: $(pid_of holder)"
press L
seen "and on to the locks, from its detail too" 'RELATION +LOCK'
press a g M
seen "M asks for how long and why" ':mute for 1h because'
press "this is a test" Enter
seen "the rule is muted" 'long_transaction of db is muted until .*this is a test'
press 1
seen "and is shown as such" '^CRIT pid [0-9]+ has been in a transaction .*\(muted\)'
like "on top still, as what it leads to is not muted" "$(shot)" '^WARN └ pid [0-9]+ blocks 1 session'
sql primary "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name IN ('holder', 'waiter')" >/dev/null
seen "all is well again" 'nothing found by'
session burner -c "SELECT pg_sleep(600)"
seen "a muted alert" '^CRIT pid [0-9]+ has been in a transaction .*\(muted\)'
sleep 1
is "rings no bell" "$(bells)" 1
press a
seen "the pane has it" '^long_transaction +critical'
press : "unmute" Enter
seen "which the cursor unmutes" 'long_transaction of db is not muted'
press : "mute long_transactoin" Enter
seen "a rule that is none" 'The nearest is long_transaction|no alert rule'
press : "mode history" Enter
seen "the past" 'blocked_sessions +warning.*until'
press Enter
seen "of which one is shown in full" '^severity +'
press q : "mode all" Enter
seen "every rule" 'xid_wraparound +ok'
press 1 q
seen "the end" 'ended 0'
finish
