#!/bin/sh
# A healthy load raises no alert: an hour of it in a minute, so to speak: every duration is a sixtieth of what it is, every
# level as it is. PGMEDIC_HEALTHY_SECONDS makes it longer. What is this machine's business (CPU, disk) is left out.
# majors: newest
# sanitizers: no
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
[ -x "$PG_BINDIR/pgbench" ] || skip_all "no pgbench"
start_pg primary "max_connections = 50" "autovacuum_naptime = 5" "archive_mode = on" "archive_command = '/bin/true'" \
    "checkpoint_timeout = 30s"
start_standby replica primary
as_pg "$PG_BINDIR/pgbench" -i -q -s 2 -h 127.0.0.1 -p "$primary_port" -U postgres postgres >/dev/null 2>&1
seconds=${PGMEDIC_HEALTHY_SECONDS:-60}

conf=$XDG_CONFIG_HOME/pgmedic
mkdir -p "$conf"
{
	echo "[alerts]"
	for rule in archive_failing connections pool_usage autovacuum_off subscription_stopped; do
		echo "alert.$rule = ,,1s"
	done
	for rule in slot_inactive cache_hit bloat; do
		echo "alert.$rule = ,,10s"
	done
	for rule in rollback_ratio connection_churn invalid_indexes; do
		echo "alert.$rule = ,,5s"
	done
	for rule in cpu disk_free disk_used disk_full; do
		echo "alert.$rule = off"
	done
	# a sixtieth of 5 s would be a single wait
	echo "alert.blocked_sessions = 1s,5s"
	echo "alert.idle_in_transaction = 5s,30s"
	echo "alert.long_transaction = 5s,30s"
	echo "alert.archive_behind = 60s,1h"
	echo "alert.replication_lag = 5s,30s"
	echo "[target healthy]"
	echo "conninfo = $primary_uri"
	echo "[target standby]"
	echo "conninfo = $replica_uri"
} >"$conf/pgmedic.conf"
cat >"$TMP/hook" <<HOOK
#!/bin/sh
cat >>"$TMP/hook.log"
HOOK
chmod 755 "$TMP/hook"
: >"$TMP/hook.log"

for target in healthy standby; do
	spawn "$PGMEDIC" record "$TMP/$target.pgmr" $target --exec "$TMP/hook" 2>"$TMP/$target.err"
	eval "$target=\$spawned_pid"
done
as_pg "$PG_BINDIR/pgbench" -n -c 4 -R 60 -T "$seconds" -h 127.0.0.1 -p "$primary_port" -U postgres postgres >"$TMP/bench.log" 2>&1
end=$(date +%s)
# shellcheck disable=SC2154 # set through eval
kill -TERM "$healthy" "$standby"
wait_for 5 gone "$healthy"
wait_for 5 gone "$standby"
is "$seconds s of healthy load raised nothing" "$(cat "$TMP/hook.log")" ''
like "and there was a load" "$(cat "$TMP/bench.log")" 'number of transactions actually processed: [1-9]'
# Whom a session waits for may not have been read yet in the very moment: no data, then.
judged() {	# TARGET: at one of its last moments
	for back in 1 4 7 10 13; do
		"$PGMEDIC" show alerts --replay "$TMP/$1.pgmr" --at "$(date -u -d "@$((end - back))" +%Y-%m-%dT%H:%M:%SZ)" --mode all --csv \
		    --columns id,severity >"$TMP/out"
		! grep -q '^blocked_sessions,ok' "$TMP/out" || return 0
	done
}
for target in healthy standby; do
	judged $target
	like "$target: sessions were judged" "$(cat "$TMP/out")" '^blocked_sessions,ok'
	like "$target: lag was judged" "$(cat "$TMP/out")" '^replication_lag,ok'
done
finish
