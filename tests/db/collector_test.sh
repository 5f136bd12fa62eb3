#!/bin/sh
# The collector against a real server, by what tests/tool/watch_target prints: round trips, links, retries, roles.
# shellcheck disable=SC2046 # a list of pids
# majors: newest
. "$(dirname "$0")/../lib.sh"

need_pg
command -v python3 >/dev/null || skip_all "python3 is needed for the relay"
WATCH=${PGMEDIC_BUILD:-$SOURCE}/tests/tool/watch_target
[ -x "$WATCH" ] || skip_all "tests/tool/watch_target is not built"
RELAY=$SOURCE/tests/fake/relay

start_pg primary "max_connections = 20"
sql primary "CREATE ROLE monitor LOGIN; GRANT pg_monitor TO monitor; CREATE ROLE plain LOGIN" >/dev/null

free_port
relay_port=$port
spawn "$RELAY" serve "$TMP/relay" "$relay_port" "$primary_port"
wait_for 10 "$RELAY" tell "$TMP/relay" stats
tell() {
	"$RELAY" tell "$TMP/relay" "$@"
}
direct="host=127.0.0.1 port=$primary_port dbname=postgres"
relayed="host=127.0.0.1 port=$relay_port dbname=postgres user=monitor"

# watch FILE ARGUMENT...: in the background, its lines in $TMP/FILE; $spawned_pid
watch() {
	file=$TMP/$1
	shift
	"$WATCH" "$@" >"$file" 2>&1 &
	spawned_pid=$!
	spawned="$spawned $spawned_pid"
}
says() {	# FILE REGEX
	grep -E -q -e "$2" "$TMP/$1"
}
says_last() {	# FILE REGEX
	tail -n 1 "$TMP/$1" | grep -E -q -e "$2"
}
count() {
	grep -E -c -e "$2" "$TMP/$1"
}
stop_watch() {
	kill "$spawned_pid" 2>/dev/null
	wait "$spawned_pid" 2>/dev/null
}
cluster_pids() {
	postmaster=$(head -n 1 "$primary_dir/postmaster.pid")
	echo "$postmaster"
	for stat in /proc/[0-9]*/stat; do
		awk -v p="$postmaster" '{ sub(/^.*\) /, "", $0) } $2 == p { print FILENAME }' "$stat" 2>/dev/null
	done | sed 's#/proc/\([0-9]*\)/stat#\1#'
}

# ------------------------------------------------------------------ round trips

turnarounds() {
	tell stats | sed 's/.*"turnarounds": \([0-9]*\).*/\1/'
}
at_least() {
	[ "$(count "$1" "$2")" -ge "$3" ]
}
tell reset >/dev/null
"$WATCH" -a -n 2 -s 10 -r 60000 "$relayed sslmode=prefer" >"$TMP/first"
like "a first frame comes" "$(cat "$TMP/first")" 'link=UP .*server:OK.* activity:OK'
# TLS request, login, set-up, refresh; and the good-bye. What a busy machine sends in two pieces may count twice.
ok "it takes 4 round trips ($(turnarounds) with the good-bye)" test "$(turnarounds)" -le 6
watch trips -r 300 "$relayed"
wait_for 20 at_least trips 'action=[1-9].*trips=1 ' 3
n1=$(count trips 'link=UP') t1=$(turnarounds)
wait_for 20 at_least trips 'link=UP' $((n1 + 8))
# The refreshes are counted around the round trips, so that a slow machine cannot add one that belongs to no refresh.
t2=$(turnarounds) n2=$(count trips 'link=UP')
ok "one round trip per refresh ($((t2 - t1)) for $((n2 - n1)))" test $((t2 - t1)) -le $((n2 - n1 + 1))
stop_watch

watch shown -r 300 -p activity,locks,statements,statements_info,databases,tables,wal,settings "$relayed"
wait_for 20 at_least shown 'settings:OK' 3
unlike "all panes' probes: one round trip from the second refresh on" "$(grep link=UP "$TMP/shown" | tail -n +4)" 'trips=[2-9]'
stop_watch

# ------------------------------------------------------------------ roles

watch role1 -p all "$direct user=monitor"
wait_for 20 says role1 'trips=[12] .*subscriptions:'
unlike "a member of pg_monitor may see all" "$(tail -n 1 "$TMP/role1")" 'DENIED|FAILED|TIMEOUT'
stop_watch
watch role2 -p all "$direct user=plain"
wait_for 20 says role2 'trips=[12] .*subscriptions:'
unlike "a plain role gets no failures" "$(tail -n 1 "$TMP/role2")" 'FAILED|TIMEOUT'
like "a plain role sees its server" "$(tail -n 1 "$TMP/role2")" 'server:OK=1 activity:OK'
stop_watch
watch role3 -p all "$direct user=postgres"
wait_for 20 says role3 'trips=[12] .*subscriptions:'
unlike "a superuser may see all" "$(tail -n 1 "$TMP/role3")" 'DENIED|FAILED|TIMEOUT'
stop_watch

# ------------------------------------------------------------------ acts and looks

watch look -x look_blocks "$direct user=monitor"
wait_for 20 says look 'outcome ok=1'
pass "a look is answered"
stop_watch
watch readonly "$direct user=postgres"
wait_for 20 says readonly 'action=[1-9]'
is "the sessions are read-only and carry their name" \
    "$(sql primary "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgmedic'")" 2
stop_watch

# ------------------------------------------------------------------ the server goes and comes

watch restart -r 300 "$direct user=monitor"
wait_for 20 says restart 'action=[1-9]'
stop_pg primary
wait_for 20 says restart 'link=DOWN'
like "a stopped server is told with its reason" "$(grep -m 1 link=DOWN "$TMP/restart")" 'what="[^"]+" hint="[^"]+"'
run_pg primary
ok "it is seen when it is back" wait_for 10 says_last restart 'link=UP'
ok "a restart is an event" wait_for 10 says restart 'event=restart'
like "rows are kept while down" "$(grep link=DOWN "$TMP/restart" | tail -n 1)" 'activity:OK'
stop_watch

watch freeze -r 500 "$relayed"
wait_for 20 says freeze 'action=[1-9]'
# shellcheck disable=SC2086
kill -STOP $(cluster_pids)
ok "a frozen server is late within 2 s" wait_for 3 says_last freeze 'link=LATE'
like "rows are kept while late" "$(tail -n 1 "$TMP/freeze")" 'activity:OK'
# shellcheck disable=SC2086
kill -CONT $(cluster_pids)
ok "it is up again within a refresh" wait_for 3 says_last freeze 'link=UP'
# shellcheck disable=SC2086
kill -STOP $(cluster_pids)
wait_for 3 says_last freeze 'link=LATE'
before=$(date +%s)
kill "$spawned_pid"
wait "$spawned_pid" 2>/dev/null
ok "it can be left while frozen" test $(($(date +%s) - before)) -le 1
watch frozen -r 500 "$direct user=monitor connect_timeout=2"
ok "a start against a frozen server says so" wait_for 10 says frozen 'link=DOWN what="timeout expired'
# shellcheck disable=SC2086
kill -CONT $(cluster_pids)
ok "and goes on when it wakes up" wait_for 10 says_last frozen 'link=UP'
stop_watch

# ------------------------------------------------------------------ the network goes and comes

watch stall -r 500 "$relayed"
wait_for 20 says stall 'action=[1-9]'
tell stall >/dev/null
ok "a dead network is late within 2 s" wait_for 3 says_last stall 'link=LATE'
tell resume >/dev/null
ok "and up again at once" wait_for 3 says_last stall 'link=UP'
stop_watch
watch drop -r 500 "$relayed"
wait_for 20 says drop 'action=[1-9]'
tell drop >/dev/null
ok "a cut connection is down" wait_for 2 says_last drop 'link=DOWN'
tell accept >/dev/null
ok "and up again within 2 s" wait_for 2 says_last drop 'link=UP'
like "events tell both" "$(tail -n 1 "$TMP/drop")" 'event=lost.*event=reconnected'
stop_watch
watch black -r 500 "host=192.0.2.1 port=5432 connect_timeout=2 user=x"
ok "an address that nobody answers for" wait_for 10 says black 'link=DOWN what="'
stop_watch

# ------------------------------------------------------------------ refusals, each in a line with a hint

refusal() {	# WHAT CONNINFO REGEX
	"$WATCH" -q -n 1 -s 10 "$2" >"$TMP/refusal" 2>&1
	like "$1" "$(head -n 1 "$TMP/refusal")" "link=DOWN what=\".*$3.*\" hint=\"[^\"]+\""
}
refusal "nobody listens" "host=127.0.0.1 port=1 user=x" "refused"
refusal "no such database" "host=127.0.0.1 port=$primary_port dbname=nosuch user=monitor" "nosuch"
refusal "no such role" "$direct user=nosuch" "nosuch"
refusal "no such service" "service=nosuch" "nosuch"
refusal "no such keyword" "nosuch=1" "nosuch"
refusal "no such host" "host=nosuch.invalid user=x" "nosuch.invalid"
refusal "no TLS" "$direct user=monitor sslmode=require" "SSL"
sql primary "ALTER ROLE plain PASSWORD 'secret'" >/dev/null
sed -i '1i host all plain 127.0.0.1/32 scram-sha-256' "$primary_dir/pg_hba.conf"
sql primary "SELECT pg_reload_conf()" >/dev/null
refusal "no password" "$direct user=plain" "password"
refusal "a wrong password" "$direct user=plain password=wrong" "password authentication failed"

# ------------------------------------------------------------------ no slot left

watch full -r 300 "$direct user=monitor"
wait_for 20 says full 'action=[1-9]'
full=$spawned_pid hold=''
while [ "$(echo "$hold" | wc -w)" -lt 20 ]; do
	spawn "$PG_BINDIR/psql" -X -q -d "$direct user=monitor" -c "SELECT pg_sleep(60)" >/dev/null 2>&1
	hold="$hold $spawned_pid"
done
slots_full() {
	! "$PG_BINDIR/psql" -X -q -d "$direct user=monitor" -c "SELECT 1"
}
wait_for 10 slots_full
refusal "at max_connections" "$direct user=monitor" "connection"
# shellcheck disable=SC2086
kill $hold "$full" 2>/dev/null
wait_for 10 "$PG_BINDIR/psql" -X -q -d "$direct user=monitor" -c "SELECT 1"

# ------------------------------------------------------------------ many reconnects

watch again -q -r 100 "$direct user=monitor"
reconnects=${PGMEDIC_RECONNECTS:-20} n=0
while [ "$n" -lt "$reconnects" ]; do
	wait_for 20 at_least again 'link=UP' 1
	sql primary "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgmedic'" >/dev/null
	wait_for 20 says_last again 'link=DOWN'
	wait_for 20 says_last again 'link=UP' || break
	n=$((n + 1))
done
is "it is back after each of $reconnects terminations" "$n" "$reconnects"
like "with the reason" "$(grep -m 1 link=DOWN "$TMP/again")" 'terminating connection due to administrator command'
stop_watch
sessions_left() {
	[ "$(sql primary "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgmedic'")" = 0 ]
}
ok "no session is left behind" wait_for 10 sessions_left

# ------------------------------------------------------------------ promotion

start_standby standby primary
watch promote -r 300 "host=127.0.0.1 port=$standby_port dbname=postgres user=monitor"
wait_for 20 says promote 'standby=1 .*replication:OK'
as_pg "$PG_BINDIR/pg_ctl" -D "$standby_dir" promote >/dev/null
ok "a promotion is seen" wait_for 20 says promote 'standby=0 tli=2 .*event=promoted'
stop_watch

# ------------------------------------------------------------------ behind a pooler

if command -v pgbouncer >/dev/null; then
	free_port
	bouncer_port=$port
	pg_folder bouncer
	echo '"monitor" ""' >"$dir/users"
	cat >"$dir/ini" <<-END
		[databases]
		* = host=127.0.0.1 port=$primary_port
		[pgbouncer]
		listen_addr = 127.0.0.1
		listen_port = $bouncer_port
		unix_socket_dir =
		auth_type = trust
		auth_file = $dir/users
		admin_users = monitor
		pool_mode = transaction
		default_pool_size = 2
	END
	chmod 644 "$dir/users" "$dir/ini"
	if [ -n "$pg_user" ]; then
		spawn runuser -u "$pg_user" -- pgbouncer -q "$dir/ini" >/dev/null 2>&1
	else
		spawn pgbouncer -q "$dir/ini" >/dev/null 2>&1
	fi
	pooled="host=127.0.0.1 port=$bouncer_port dbname=postgres user=monitor"
	wait_for 10 "$PG_BINDIR/psql" -X -q -d "$pooled" -c "SELECT 1"
	watch pooled -r 300 -p activity,locks,statements,pool_pools,pool_stats,pool_databases,pool_clients \
	    -b "host=127.0.0.1 port=$bouncer_port dbname=pgbouncer user=monitor" -x look_blocks "$pooled"
	ok "the pooler's console answers" wait_for 20 says pooled 'pool_pools:OK=[1-9].*pool_stats:OK.*pool_databases:OK.*pool_clients:OK'
	wait_for 20 at_least pooled 'link=UP' 8
	ok "a look is answered through the pooler" says pooled 'outcome ok=1'
	unlike "nothing fails behind a pooler" "$(cat "$TMP/pooled")" 'FAILED|DENIED|TIMEOUT|link=DOWN'
	is "the pooled sessions stay as they were" "$("$PG_BINDIR/psql" -X -A -t -q -d "$pooled" -c \
	    "SELECT current_setting('default_transaction_read_only') || current_setting('statement_timeout')")" off0
	stop_watch
else
	skip "no pgbouncer"
fi

# ------------------------------------------------------------------ cut at every byte of an answer

"$WATCH" -q -n 3 -s 10 "$relayed" >"$TMP/whole" 2>&1
tell reset >/dev/null
"$WATCH" -q -n 2 -s 10 "$relayed" >/dev/null 2>&1
step=${PGMEDIC_CUT_STEP:-397}
at=1 runs=0
while [ "$at" -lt 12000 ]; do
	tell cut "$at" >/dev/null
	"$WATCH" -q -n 1 -s 2 "$relayed" >"$TMP/cut" 2>&1 || {
		fail "cut at byte $at"
		cat "$TMP/cut"
	}
	grep -q 'stopped in' "$TMP/cut" || fail "cut at byte $at: no orderly end"
	at=$((at + step)) runs=$((runs + 1))
done
tell cut 0 >/dev/null
pass "cut at $runs places of the answers"
finish
