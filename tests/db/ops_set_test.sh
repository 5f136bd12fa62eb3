#!/bin/sh
# set PARAM VALUE on a server of one's own: what ALTER SYSTEM does and what it does not is told by what the server says
# afterwards. Values are checked before, lists are quoted one by one, undo puts back what was there, and no more.
# majors: ends
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"

need_pg
start_pg db "work_mem = 5MB"
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target db]
conninfo = $db_uri
[target own]
conninfo = $db_uri
provider = local
[target guarded]
conninfo = $db_uri
read_only = yes
[target other]
conninfo = $db_uri
protected = yes
CONF

sql() {
	"$PG_BINDIR/psql" -X -A -t -q -d "$db_uri" -c "$1" 2>&1
}
auto_conf() {
	as_pg sed -n "s/^$1 = //p" "$TMP/pg-db/data/postgresql.auto.conf"
}

# ------------------------------------------------------------------ the plan

text=$("$PGMEDIC" run 'set work_mem 64MB' db --dry-run)
like "the plan says what it is now" "$text" 'now +5MB \(configuration file, .*postgresql'
like "... and then" "$text" 'then +64MB'
like "... and for whom" "$text" 'takes effect +for all sessions that have no value of their own'
like "... what is known to hurt" "$text" 'WARNING +each sort and hash'
like "... the statement" "$text" "ALTER SYSTEM SET work_mem = '64MB'"
like "... and how it is undone" "$text" 'undo +job undo: ALTER SYSTEM RESET work_mem'
op 'set work_mem 64MB' db --dry-run
is "a dry run plans" "$(member state) $(member plan.0.risk)" "planned low"
is "... and sets nothing" "$(sql 'SHOW work_mem')$(auto_conf work_mem)" 5MB
op 'set work_mem 64MB' db
is "unconfirmed it is refused" "$(member state) $(member error.code)" "refused NOT_CONFIRMED"
op 'set work_mem 64MB' guarded --yes
is "a read-only target" "$(member state) $(member error.code)" "refused REFUSED"
op 'set work_mem 64MB' other --yes
is "a protected one needs its name" "$(member state) $(member error.code)" "refused NOT_CONFIRMED"

for wrong in 'nosuch 1' 'work_mem lots' 'work_mem 1' 'work_mem 5min' 'fsync perhaps' 'wal_level high' 'work_mem' \
	'block_size 4096' 'shared_preload_libraries ""'; do
	op "set $wrong" db --yes
	like "refused: set $wrong" "$(member state) $(member error.code)" '^(refused|failed) (NOT_FOUND|USAGE|REFUSED)$'
done
op 'set vacuum_cost_lim 1' db --yes
like "names that are near" "$(member error.hint)" 'autovacuum_vacuum_cost_limit|vacuum_cost_limit'
op 'set primary_conninfo "host=a password=hushhush"' db --yes
is "what may hold a secret" "$(member error.code)" REFUSED
op 'set archive_command "cp %p /a password=hushhush"' db --yes
is "... wherever" "$(member error.code)" REFUSED
op 'set ssl_passphrase_command "echo hushhush"' db --yes
is "... by its name" "$(member error.code)" REFUSED
is "nothing of it was kept" "$(grep -rl hushhush "$XDG_STATE_HOME" 2>/dev/null)" ''

# ------------------------------------------------------------------ in effect, or not

op 'set work_mem 64MB' db --yes
is "set" "$(member state) $(member result.state) $(member result.from) $(member result.in_effect)" "done applied 5MB 64MB"
is "... for others" "$(sql 'SHOW work_mem')" 64MB
first=$(member job)
op 'set work_mem 65536' db --yes
is "the same value again" "$(member state) $(member error.code)" "refused REFUSED"
op 'set work_mem = 128 MB' own --yes
is "in other words" "$(member result.state) $(sql 'SHOW work_mem')" "applied 128MB"
op "job undo $first" db --yes
is "undo leaves what was set since" "$(member state) $(member error.code)" "refused CHANGED"
is "... as it is" "$(sql 'SHOW work_mem')" 128MB
op 'set maintenance_work_mem 1MB' db --yes
op 'set maintenance_work_mem DEFAULT' db --yes
is "the built-in value is told with its unit" "$(member result.to) $(member result.in_effect)" "64MB 64MB"
op 'set work_mem DEFAULT' db --yes
is "back to the file's" "$(member result.state) $(member result.to) $(sql 'SHOW work_mem')" "applied 5MB 5MB"
is "... and no line is left" "$(auto_conf work_mem)" ''
job=$(member job)
op "job undo $job" db --yes
is "undo of that" "$(member state) $(sql 'SHOW work_mem')" "done 128MB"
op "job undo $job" db --yes
is "... is done once" "$(member state) $(sql 'SHOW work_mem')" "done 128MB"
like "the plan of an undo" "$(op 'set work_mem 7MB' db --yes; "$PGMEDIC" run "job undo $(member job)" db --dry-run)" \
	"takes back +ALTER SYSTEM SET work_mem = '128 MB'"

op 'set max_connections 77' db --yes
is "what needs a restart" "$(member state) $(member result.state) $(member result.needs_restart)" \
	"done pending_restart max_connections"
like "... is not in effect" "$(member result.in_effect)" '^[0-9]+$'
like "... and warned about" "$("$PGMEDIC" run 'set max_connections 78' db --dry-run)" 'WARNING +a standby with less'
job=$(member job)
op "job undo $job" db --yes
is "taken back" "$(member state) $(auto_conf max_connections)" "done "

# Given as one text this would be one library, and the server would not start again.
op 'set shared_preload_libraries auto_explain,pg_stat_statements' db --yes
is "a list" "$(member result.state) $(auto_conf shared_preload_libraries)" "pending_restart 'auto_explain, pg_stat_statements'"
like "... is risky" "$(member plan.0.risk)" high
op 'set shared_preload_libraries DEFAULT' db --yes
is "a list of default" "$(member state) $(auto_conf shared_preload_libraries)" "done "
op 'set search_path app, public' db --yes
is "a list of several words" "$(member result.state) $(sql 'SHOW search_path')" "applied app, public"
op 'set search_path DEFAULT' db --yes

sql 'CREATE ROLE app; ALTER ROLE app SET work_mem = 1234' >/dev/null
op 'set work_mem 9MB' db --yes
like "roles with a value of their own" "$(member result.overridden_by)" '^role app \(1234\)$'
sql "ALTER ROLE CURRENT_USER SET work_mem = '3MB'" >/dev/null
op 'set work_mem 11MB' db --yes
is "... also our own" "$(member state) $(member result.state)" "done applied"
sql 'ALTER ROLE CURRENT_USER RESET work_mem' >/dev/null

# ------------------------------------------------------------------ what keeps it from taking effect

echo 'nosuch_parameter = 1' | as_pg tee -a "$TMP/pg-db/data/postgresql.conf" >/dev/null
op 'set work_mem 12MB' db --yes
like "an error in the files" "$(member error.code) $(member error.what)" '^STATE .*nosuch_parameter|^STATE .*unrecognized'
as_pg sed -i '/^nosuch_parameter/d' "$TMP/pg-db/data/postgresql.conf"
as_pg "$PG_BINDIR/pg_ctl" -D "$TMP/pg-db/data" -w -m fast -o "-p $db_port -c work_mem=6MB" restart >"$TMP/restart.log" 2>&1 ||
	cat "$TMP/restart.log"
op 'set work_mem 12MB' db --yes
is "the command line wins" "$(member state) $(member error.code)" "refused REFUSED"
like "... as is said" "$(member error.what)" 'command line'

sql "CREATE ROLE junior LOGIN IN ROLE pg_monitor" >/dev/null
junior=$(echo "$db_uri" | sed 's,//[^@]*@,//junior@,')
answer=$("$PGMEDIC" run 'set checkpoint_timeout 10min' "$junior" --json --yes --wait </dev/null 2>&1)
is "a role that may not" "$(member error.code)" DENIED
if [ "$PG_MAJOR" -ge 15 ]; then
	sql 'GRANT ALTER SYSTEM ON PARAMETER checkpoint_timeout TO junior;
		GRANT EXECUTE ON FUNCTION pg_reload_conf() TO junior' >/dev/null
	answer=$("$PGMEDIC" run 'set checkpoint_timeout 10min' "$junior" --json --yes --wait </dev/null 2>&1)
	is "a role that may" "$(member state) $(member result.state) $(sql 'SHOW checkpoint_timeout')" "done applied 10min"
	answer=$("$PGMEDIC" run "job undo $(member job)" "$junior" --json --yes --wait </dev/null 2>&1)
	is "... takes it back" "$(member state) $(sql 'SHOW checkpoint_timeout')" "done 5min"
fi
finish
