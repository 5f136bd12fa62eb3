#!/bin/sh
# pool pause, resume, reconnect, kill: commands of PgBouncer's console. PAUSE is bounded; what is paused is written down
# before it is, and taken back.
# majors: newest
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"
. "$test_dir/pair.sh"

need_pg
command -v pgbouncer >/dev/null 2>&1 || skip_all "pgbouncer is not installed"
start_pg db
start_pooler "$db_port"
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target db]
conninfo = $pooled_uri
pgbouncer = $pooler_admin
[target bare]
conninfo = $db_uri
provider = local
CONF

paused() {	# 0 or 1
	pooler_show DATABASES | grep '^postgres|' | awk -F'|' '{print $(NF-1)}'
}
pooled() {
	"$PG_BINDIR/psql" -X -A -t -q -d "$pooled_uri" -c "SELECT 1"
}
paused_is() {
	[ "$(paused)" = "$1" ]
}

op "pool pause postgres" db --dry-run
is "a dry run plans" "$(member state) $(member plan.0.step)" "planned pause"
is "... and pauses nothing" "$(paused)" 0
op "pool pause postgres" db
is "unconfirmed it is refused" "$(member state) $(member error.code)" "refused NOT_CONFIRMED"
op "pool pause nosuch" db --yes
is "a database that is not there" "$(member error.code)" NOT_FOUND
op "pool hold" db --yes
is "an action that is not there" "$(member error.code)" USAGE
op "pool pause" bare --yes
is "a target without a pooler" "$(member error.code)" CONFIG

op "pool pause postgres" db --yes
is "paused" "$(member state) $(member result.pool) $(paused)" "done paused 1"
job=$(member job)
like "the job says so" "$("$PGMEDIC" run "job $job" db)" 'left behind +PgBouncer of db is paused \(postgres\)'
pooled >"$TMP/waited" 2>&1 &
op "pool resume postgres" db --yes
is "resumed" "$(member state) $(member result.pool) $(paused)" "done resumed 0"
unlike "nothing is left behind now" "$("$PGMEDIC" run "job $job" db)" 'left behind'
wait $!
is "a client has waited, not failed" "$(cat "$TMP/waited")" 1
op "pool resume postgres" db --yes
is "resumed twice is resumed" "$(member state)" "done"

op "pool pause postgres" db --yes
job=$(member job)
op "job undo $job" db --yes
is "job undo takes a pause back" "$(member state) $(paused)" "done 0"
op "pool pause" db --yes
is "all at once" "$(member state) $(member result.database)" "done "
op "pool pause" db --yes
is "... twice is once" "$(member state)" "done"
op "pool resume" db --yes
is "... and resumed" "$(member state) $(pooled)" "done 1"

# A transaction that does not end: PAUSE is given up, the pooler goes on.
"$PG_BINDIR/psql" -X -q -d "$pooled_uri" -c "BEGIN; SELECT pg_sleep(40); COMMIT" >/dev/null 2>&1 &
sleeper=$!
spawned="$spawned $sleeper"
busy() {
	[ "$(sql db "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(40)%' AND pid <> pg_backend_pid()")" = 1 ]
}
wait_for 10 busy
op "pool pause postgres" db --yes
is "a pause that does not come about is given up" "$(member state) $(member error.code)" "failed TIMEOUT"
is "... and taken back" "$(paused)" 0
unlike "... nothing left" "$("$PGMEDIC" run "job $(member job)" db)" 'left behind'

# Killed while PAUSE waits: the pooler is paused, the next console says so, undo takes it back.
answer=$("$PGMEDIC" run "pool pause postgres" db --json --yes </dev/null)
job=$(member job)
wait_for 10 paused_is 1
kill_worker "$job"
is "killed: it is still paused" "$(paused)" 1
like "... and said" "$("$PGMEDIC" run "job $job" db)" 'left behind +PgBouncer of db is paused'
op "job undo $job" db --yes
is "... and taken back" "$(member state) $(paused)" "done 0"
sql db "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(40)%' AND pid <> pg_backend_pid()" >/dev/null

op "pool reconnect postgres" db --yes
is "reconnect" "$(member state) $(pooled)" "done 1"
op "pool kill" db --yes
is "kill needs a database" "$(member error.code)" USAGE
op "pool kill postgres" db --yes
is "kill cuts and leaves it paused" "$(member state) $(paused)" "done 1"
op "pool resume postgres" db --yes
is "... until it is resumed" "$(member state) $(pooled)" "done 1"
finish
