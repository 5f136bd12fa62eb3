# Sourced after lib.sh by the tests of alerts, with the primary started and the configuration written: a recorder watches and
# runs a command at each change (--exec).
# shellcheck shell=sh disable=SC2154 # what lib.sh sets
cat >"$TMP/hook" <<HOOK
#!/bin/sh
[ \$# = 1 ] && [ "\$1" = "one word" ] || echo "bad arguments: \$*" >>"$TMP/hook.log"
{ printf '%s ' "\$PGMEDIC_ALERT_EVENT" "\$PGMEDIC_ALERT_RULE" "\$PGMEDIC_ALERT_TARGET" "\$PGMEDIC_ALERT_SEVERITY"; cat; } >>"$TMP/hook.log"
HOOK
chmod 755 "$TMP/hook"
: >"$TMP/hook.log"
mark=0
new_fault() {	# what is told from here on is of this fault
	mark=$(wc -l <"$TMP/hook.log")
}
told() {	# EVENT RULE TARGET [REGEX]
	tail -n +$((mark + 1)) "$TMP/hook.log" | grep "^$1 $2 $3 " | grep -E -q -e "${4:-.}"
}
# fires RULE REGEX LATEST [TARGET]: told, naming its cause; LATEST: seconds from the beginning of the condition to the alert
fires() {
	target=${4:-db}
	if wait_for 25 told raised "$1" "$target" "$2"; then
		pass "$1 fires: $2"
	else
		fail "$1 fires: $2"
		tail -n +$((mark + 1)) "$TMP/hook.log" | cut -c 1-400 | sed 's/^/  | /'
		return
	fi
	late=$(tail -n +$((mark + 1)) "$TMP/hook.log" | grep "^raised $1 $target " | head -n 1 | python3 -c '
import json, sys
from datetime import datetime
line = sys.stdin.readline()
d = json.loads(line[line.index("{"):])
t = lambda s: datetime.fromisoformat(s.replace("Z", "+00:00")).timestamp()
print("late" if t(d["at"]) - t(d["since"]) > float(sys.argv[1]) else "in time", "" if t(d["at"]) - t(d["since"]) <= float(sys.argv[1]) else (t(d["at"]) - t(d["since"])))' "$3")
	is "$1 fires within two refreshes of its duration" "${late% }" "in time"
}
clears() {	# RULE [TARGET]
	if wait_for 30 told cleared "$1" "${2:-db}"; then
		pass "$1 clears"
	else
		fail "$1 clears"
	fi
}
session() {	# NAME SQL...: a psql that stays; $spawned_pid
	name=$1
	shift
	spawn "$PG_BINDIR/psql" -X -q -d "$primary_uri?application_name=$name" "$@" >/dev/null 2>&1
}
# open_session NAME: a psql that reads from a pipe, so that it may sit idle; told by: say NAME SQL
open_session() {
	mkfifo "$TMP/in.$1"
	spawn "$PG_BINDIR/psql" -X -q -d "$primary_uri?application_name=$1" -f "$TMP/in.$1" >/dev/null 2>&1
	eval "$1_pid=$spawned_pid"
}
end_session() {	# APPLICATION
	sql primary "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '$1'" >/dev/null
}
in_state() {	# APPLICATION STATE
	[ "$(sql primary "SELECT state FROM pg_stat_activity WHERE application_name = '$1'")" = "$2" ]
}
sampled() {	# since the recorder was begun: a change that comes now is one
	"$PGMEDIC" show overview --replay "$TMP/a.pgmr" --json | python3 -c 'import json, sys
sys.exit(json.load(sys.stdin)["taken_at"] <= sys.argv[1])' "$begun"
}
record() {	# TARGET
	begun=$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)
	spawn "$PGMEDIC" record "$TMP/a.pgmr" "$1" --exec "'$TMP/hook' 'one word'" --log "$TMP/rec.log" 2>"$TMP/rec.err"
	recorder=$spawned_pid
	wait_for 30 sampled || fail "the recorder of $1 sees nothing: $(cat "$TMP/rec.err")"
}
