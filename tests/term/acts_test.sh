#!/bin/sh
# Acts in the console, on a server of one's own: the plan, the answers that do nothing and the one that does, typed
# confirmations, refusals, and what is said when things have changed meanwhile.
. "$(dirname "$0")/../lib.sh"
. "$test_dir/tmux.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
start_pg primary "max_connections = 40"
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
printf '[target guarded]\nconninfo = %s\nprotected = yes\n' "$primary_uri" >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"

session() {	# NAME: in pg_sleep, until it is seen
	spawn "$PG_BINDIR/psql" -X -q -d "$primary_uri?application_name=$1" -c "SELECT '$1', pg_sleep(600)" >/dev/null 2>&1
	wait_for 10 here "$1" || fail "$1 does not run"
}
here() {
	[ "$(sql primary "SELECT count(*) FROM pg_stat_activity WHERE application_name = '$1' AND state = 'active'")" = 1 ]
}
away() {
	! here "$1"
}
pid_of() {
	sql primary "SELECT pid FROM pg_stat_activity WHERE application_name = '$1'"
}
only() {	# FILTER: the rows that are shown, by the live filter
	press : "filter $1" Enter
}
escape() {	# a key right after ESC would be Alt with that key
	press Escape
	sleep 0.3
}
activity() {	# [OPTION...]
	open_term 100 30 "$PGMEDIC --pane activity --refresh 0.5 $*"
	seen "the activity: $1" 'victim'
}
for name in victim1 victim2 victim3 bystander; do
	session $name
done
activity "$primary_uri"

# ------------------------------------------------------------------ the plan, and no

only victim1
seen "one session is selected" "'victim1'"
press K
seen "K shows the plan" "session +$(pid_of victim1), client backend"
like "with who" "$(shot)" 'user postgres, database postgres, application victim1'
like "with what" "$(shot)" 'the connection is closed'
like "and its statement" "$(shot)" "SELECT 'victim1', pg_sleep"
like "and asks" "$(shot)" "terminate session $(pid_of victim1)\\? \\(y/n\\)"
press n
seen "n gives it up" 'given up|not confirmed'
ok "nothing was done" here victim1
press K
seen "K again" 'terminate session [0-9]+\?'
escape
seen "Esc gives it up" 'given up|not confirmed'
ok "nothing was done" here victim1
for key in k c e t i x v w; do
	press $key
	escape
done
ok "lower-case keys have done nothing" here victim1
unlike "and ask nothing" "$(shot)" 'y/n'
activity "$primary_uri"
only victim1
seen "one session is selected again" "'victim1'"

# ------------------------------------------------------------------ yes

pid=$(pid_of victim1)
press K
seen "the plan of $pid" "terminate session $pid\\?"
press y
seen "y ends it and says so" "session $pid: gone"
ok "it is gone" away victim1
ok "the others are not" here victim2
ok "nor is the bystander" here bystander
only bystander
seen "another session is selected" "'bystander'"
pid=$(pid_of bystander)
press C
seen "C asks to cancel" "cancel session $pid\\?"
press y
seen "and says what it did" "session $pid: cancelled"
ok "its query has ended" away bystander

# ------------------------------------------------------------------ tagged ones ask for their number

session victim1
only victim
seen "three are shown" 'victim3'
seen "with the new one" 'victim1'
press Home
press Space
press Space
press Space
press K
seen "three tagged sessions are listed" 'terminate 3 sessions'
like "each of them" "$(shot | grep -c 'postgres .*victim[123]')" '^3$'
seen "their number is asked for" 'Type 3'
press 2 Enter
seen "another number is no" 'not confirmed'
ok "nothing was done" here victim1
press K
seen "asked again" 'Type 3'
press y Enter
seen "y is no number" 'not confirmed'
ok "nothing was done (2)" here victim2
press K
seen "asked once more" 'Type 3'
press 3 Enter
seen "the number does it" '3 gone, 0 still ending, 0 not touched|: gone'
for name in victim1 victim2 victim3; do
	ok "$name is gone" away $name
done
escape
press U

# ------------------------------------------------------------------ gone between plan and answer

session victim4
only victim4
seen "a session is selected" "'victim4'"
pid=$(pid_of victim4)
press K
seen "its plan" "terminate session $pid\\?"
sql primary "SELECT pg_terminate_backend($pid)" >/dev/null
wait_for 10 away victim4
press y
seen "it is said that it had ended by itself" "session $pid: was not there any more"

# ------------------------------------------------------------------ the past

session victim5
only victim5
seen "a session is selected" "'victim5'"
old_enough() {
	[ "$(sql primary "SELECT now() - backend_start > interval '3 s' FROM pg_stat_activity WHERE application_name = 'victim5'")" = t ]
}
wait_for 10 old_enough
press : 'seek -1s' Enter
seen "in the past" 'PAST'
press K
seen "nothing can be done in the past" 'recording|past'
unlike "and nothing is asked" "$(shot)" 'y/n'
ok "nothing was done" here victim5
press : "terminate $(pid_of victim5)" Enter
seen "nor from the prompt" 'recording|past'
ok "nothing was done (2)" here victim5
press : 'seek live' Enter
seen "back in the present" 'live|1 overview|victim5'
press K
seen "it can be done again" "terminate session $(pid_of victim5)\\?"
press n
seen "but is not" 'given up|not confirmed'
press q

# ------------------------------------------------------------------ a protected target, and --read-only

pid=$(pid_of victim5)
activity guarded
only victim5
seen "a session is selected" "'victim5'"
press K
seen "a protected target asks for its name" 'guarded is protected.*Type its name'
press y Enter
seen "y is not its name" 'not confirmed'
ok "nothing was done" here victim5
press K
seen "asked again" 'Type its name'
press 'guardet' Enter
seen "a wrong name is no" 'not confirmed'
ok "nothing was done (2)" here victim5
press K
seen "asked once more" 'Type its name'
press 'guarded' Enter
seen "its name does it" "session $pid: gone"
ok "it is gone" away victim5

session victim6
activity "$primary_uri" --read-only
only victim6
seen "a session is selected" "'victim6'"
press K
seen "--read-only refuses" 'refused.*read-only'
unlike "and asks nothing" "$(shot)" 'y/n'
press C
press : "terminate $(pid_of victim6)" Enter
seen "from the prompt too" 'refused.*read-only'
ok "nothing was done" here victim6
"$PGMEDIC" run journal >"$TMP/journal" 2>&1
is "every act is in the journal" "$(grep -c -E '  done +.*(terminate|cancel)$' "$TMP/journal")" 5
like "with what became of it" "$(cat "$TMP/journal")" "session $pid: gone"

# ------------------------------------------------------------------ the journal

# Somebody holds the journal: the screen goes on, and what cannot be written down is not done.
if command -v python3 >/dev/null; then
	session victim9
	mkfifo "$TMP/hold"
	spawn python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
open(sys.argv[2], "w").close()
open(sys.argv[3]).read()' "$XDG_STATE_HOME/pgmedic/journal.db" "$TMP/held" "$TMP/hold"
	holder=$spawned_pid
	ok "the journal is held" wait_for 10 test -e "$TMP/held"
	activity "$primary_uri"
	only victim9
	seen "one session is selected" "'victim9'"
	press K
	seen "its plan" 'terminate session [0-9]+\?'
	press y
	press '?'
	ok "while the journal is waited for, a key answers" wait_for 1 shows 'keys (here|everywhere)'
	press q
	seen "then it is told" 'journal cannot be'
	ok "and nothing was done" here victim9
	kill "$holder"
fi
finish
