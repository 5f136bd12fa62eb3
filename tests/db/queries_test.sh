#!/bin/sh
# Every src/pg/NAME.sql, as it stands, is valid SQL for the newest server, so that a DBA can try it in psql.
. "$(dirname "$0")/../lib.sh"

need_pg
[ "$PG_MAJOR" -ge 18 ] || skip_all "the query files as they stand are for the newest server, 18"

start_pg primary
start_standby standby primary
is "the standby streams" "$(sql standby 'SELECT pg_is_in_recovery()')" t
# What a drill makes first.
ok "the probe's table" "$PG_BINDIR/psql" -X -q -v ON_ERROR_STOP=1 -d "$primary_uri" -f "$SOURCE/src/pg/heartbeat_make.sql"

for file in "$SOURCE"/src/pg/*.sql; do
	query=$(basename "$file" .sql)
	# PgBouncer's console is not SQL, and settings that act on a server are prepared with their parameters.
	case $query in
	pool_*) continue ;;
	esac
	# What only a server that cannot be had here has.
	if grep -q '^-- requires: aurora_' "$file"; then
		skip "$query: Aurora only"
		continue
	fi
	sed -e 's/@pgss@/public/g' "$file" >"$TMP/body.sql"
	if grep -q -i -E '^[[:space:]]*(SELECT|WITH|VALUES|TABLE|INSERT|UPDATE|DELETE)' "$TMP/body.sql"; then
		{ echo "PREPARE q AS"; cat "$TMP/body.sql"; echo ";"; } >"$TMP/prepare.sql"
		ok "$query is valid in psql" "$PG_BINDIR/psql" -X -q -v ON_ERROR_STOP=1 -d "$primary_uri" -f "$TMP/prepare.sql"
	fi
done
finish
