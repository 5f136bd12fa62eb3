# Sourced after lib.sh: a primary, its standby, and PgBouncer in front.
# shellcheck shell=sh disable=SC2154 # set by start_pg

# plan_pooler: where it will be; pooled_uri, pooler_admin
plan_pooler() {
	free_port
	pooler_port=$port
	pooled_uri=postgresql://postgres@127.0.0.1:$pooler_port/postgres
	pooler_admin="host=127.0.0.1 port=$pooler_port dbname=pgbouncer user=postgres"
}

# start_pooler PORT_OF_SERVER: PgBouncer for the database postgres of a server that runs
start_pooler() {
	[ -n "${pooler_admin:-}" ] || plan_pooler
	pg_folder pooler
	echo '"postgres" ""' >"$dir/users"
	cat >"$dir/ini" <<-END
		[databases]
		postgres = host=127.0.0.1 port=$1
		[pgbouncer]
		listen_addr = 127.0.0.1
		listen_port = $pooler_port
		unix_socket_dir =
		auth_type = trust
		auth_file = $dir/users
		admin_users = postgres
		pool_mode = transaction
		server_login_retry = 1
	END
	chmod 644 "$dir/users" "$dir/ini"
	if [ -n "$pg_user" ]; then
		spawn runuser -u "$pg_user" -- pgbouncer -q "$dir/ini" >/dev/null 2>&1
	else
		spawn pgbouncer -q "$dir/ini" >/dev/null 2>&1
	fi
	wait_for 10 "$PG_BINDIR/psql" -X -q -d "$pooled_uri" -c "SELECT 1"
}

pooler_show() {	# WHAT
	"$PG_BINDIR/psql" -X -A -t -q -d "$pooler_admin" -c "SHOW $1"
}

# start_pair: servers a (primary) and b (standby) and the targets of the same names
start_pair() {
	initdb_options=-k
	start_pg a "wal_log_hints = on" "cluster_name = 'a'" "wal_keep_size = 256MB" "$@"
	initdb_options=''
	start_standby b a
	mkdir -p "$XDG_CONFIG_HOME/pgmedic"
	for one in a b; do
		other=b
		[ "$one" = a ] || other=a
		eval "one_port=\$${one}_port"
		cat >>"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target $one]
conninfo = host=127.0.0.1 port=$one_port user=postgres dbname=postgres
provider = local
data_directory = $TMP/pg-$one/data
standby = $other
${pooler_admin:+pgbouncer = $pooler_admin}
CONF
	done
}

# kill_worker JOB: -9 to its process, and wait for its end
kill_worker() {
	worker_pid=$(python3 - "$XDG_STATE_HOME/pgmedic/journal.db" "$1" <<'PY'
import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("SELECT pid FROM acts WHERE id = ?", (sys.argv[2],)).fetchone()[0])
PY
	)
	kill -9 "$worker_pid"
	wait_for 10 gone "$worker_pid"
	lost_job=$1
	wait_for 15 is_lost
}

is_lost() {
	"$PGMEDIC" run "job $lost_job" "${lost_target:-db}" | grep -q '^state  *lost'
}
