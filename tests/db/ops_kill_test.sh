#!/bin/sh
# kill -9 at random moments of consoles, jobs, their programs, servers and PgBouncer while operations run: nothing is done
# twice, nothing is lost, `jobs` says the truth, `job resume` ends it and `job undo` takes it back. A few here; the
# campaign is tests/bench/ops_kill.
# majors: system
# sanitizers: no
# long
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"
. "$test_dir/pair.sh"

need_pg
command -v python3 >/dev/null || skip_all "no python3"
operations=${PGMEDIC_KILL_OPS:-restore crash}
kills=${PGMEDIC_KILLS:-1}
seed=${PGMEDIC_SEED:-1}
as_words=''
[ -z "$pg_user" ] || as_words="\"runuser\", \"-u\", \"$pg_user\", \"--\""
at_exit() {
	for copy in "$TMP"/pg-db/restores/*; do
		[ ! -d "$copy/data" ] || as_pg "$PG_BINDIR/pg_ctl" -D "$copy/data" -m immediate -w stop >/dev/null 2>&1
	done
	# Servers that a job has started are not known to the library.
	for name in db a b; do
		[ ! -d "$TMP/pg-$name/data" ] || stop_pg "$name" immediate
	done
}

case " $operations " in
*" snapshot"* | *" restore"* | *" pitr "* | *" verify "* | *" point "* | *" dump"* | *" set "* | *" retention "*)
	start_backed_up db "wal_keep_size = 512MB"
	as_pg mkdir "$TMP/pg-db/dumps"
	echo "dump_root = $TMP/pg-db/dumps" >>"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
	sql db "CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 1000) g" >/dev/null
	op "snapshot full" db --yes
	is "a first snapshot" "$(member state)" "done"
	;;
esac
case " $operations " in
*" replica-"*)
	pg_folder db
	as_pg mkdir -p "$dir/restores"
	start_pg db "max_wal_size = 256MB" "wal_keep_size = 128MB"
	mkdir -p "$XDG_CONFIG_HOME/pgmedic"
	cat >>"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target db]
conninfo = host=127.0.0.1 port=$db_port user=postgres dbname=postgres
provider = local
data_directory = $db_dir
restore_root = $TMP/pg-db/restores
CONF
	sql db "CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 200000) g" >/dev/null
	;;
*" switchover "* | *" failover "* | *" promote "* | *" drill "* | *" crash "* | *" pool "*)
	if command -v pgbouncer >/dev/null 2>&1; then
		plan_pooler
	fi
	start_pair
	[ -z "${pooler_admin:-}" ] || start_pooler "$a_port"
	;;
esac

{
	printf '{"pgmedic": "%s", "psql": "%s/psql", "pg_bin": "%s", "as_pg": [%s],\n' "$PGMEDIC" "$PG_BINDIR" "$PG_BINDIR" "$as_words"
	printf '"backrest": [%s"pgbackrest", "--config=%s/pg-db/pgbackrest.conf", "--stanza=lab"], "restores": "%s/pg-db/restores", "dumps": "%s/pg-db/dumps",\n' \
	    "${as_words:+$as_words, }" "$TMP" "$TMP" "$TMP"
	if [ -n "${pooler_admin:-}" ]; then
		printf '"pooler": {"admin": "postgresql://postgres@127.0.0.1:%s/pgbouncer", "start": [%s"pgbouncer", "-q", "%s/pg-pooler/ini"]},\n' \
		    "$pooler_port" "${as_words:+$as_words, }" "$TMP"
	fi
	printf '"servers": {'
	comma=''
	for name in db a b; do
		eval "port=\${${name}_port:-}"
		[ -n "$port" ] || continue
		printf '%s"%s": {"port": %s, "data": "%s/pg-%s/data", "options": ["-l", "%s/pg-%s/log", "-o", "-p %s"]}' \
		    "$comma" "$name" "$port" "$TMP" "$name" "$TMP" "$name" "$port"
		comma=', '
	done
	printf '}}\n'
} >"$TMP/kill.json"

for operation in $operations; do
	if [ "$operation" = pool ] && [ -z "${pooler_admin:-}" ]; then
		skip "no pgbouncer"
		continue
	fi
	python3 -B "$test_dir/ops_kill.py" "$TMP/kill.json" "$operation" "$kills" "$seed" >"${PGMEDIC_KILL_LOG:-$TMP/campaign}" 2>&1
	is "$operation, killed at random $kills times" "$?" 0
	cat "${PGMEDIC_KILL_LOG:-$TMP/campaign}"
done
like "the journal is whole" "$("$PGMEDIC" journal verify)" 'each as it was written'
finish
