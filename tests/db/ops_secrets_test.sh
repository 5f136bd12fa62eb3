#!/bin/sh
# Secrets from everywhere that one may be given: by the environment, a conninfo, a password file, to the pooler, to the
# repository's cipher. Operations run with them, and they are in nobody's arguments, in no other program's environment,
# in no core file and in no file that is written.
# majors: system
# long
# sanitizers: no
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"
. "$test_dir/pair.sh"

need_pg
# Other tests have theirs.
word=secret$$
command -v python3 >/dev/null || skip_all "no python3"
command -v pgbouncer >/dev/null || skip_all "pgbouncer is not installed"
start_backed_up a "cluster_name = 'a'" "wal_keep_size = 256MB" "log_statement = 'all'"
home=$TMP/pg-a
# The repository is enciphered; its server's archive_command has the key in a file of its own, pgmedic in its environment.
as_pg sh -c "rm -rf '$home'/repo/*; sed 's/^compress-type/repo1-cipher-type=aes-256-cbc\n&/' '$home/pgbackrest.conf' >'$home/new' &&
	sed 's/^compress-type/repo1-cipher-pass=$word-cipher\n&/' '$home/new' >'$home/server.conf' && mv '$home/new' '$home/pgbackrest.conf'"
sql a "ALTER SYSTEM SET archive_command = 'pgbackrest --config=$home/server.conf --stanza=lab archive-push %p'"
sql a "SELECT pg_reload_conf()" >/dev/null
as_pg pgbackrest --config="$home/server.conf" --stanza=lab --log-level-console=warn stanza-create >"$TMP/stanza.log" 2>&1 || cat "$TMP/stanza.log"
PGOPTIONS='-c log_statement=none' sql a "CREATE ROLE dba SUPERUSER LOGIN PASSWORD '$word-env';
	CREATE ROLE dbb SUPERUSER LOGIN PASSWORD '$word:uri\\'; CREATE ROLE dbf SUPERUSER LOGIN PASSWORD '$word-file'" >/dev/null
as_pg sed -i '1i host all dba,dbb,dbf 127.0.0.1/32 scram-sha-256' "$home/data/pg_hba.conf"
sql a "SELECT pg_reload_conf()" >/dev/null
start_standby b a
start_pooler "$a_port"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target a]
conninfo = host=127.0.0.1 port=$a_port user=dba dbname=postgres
provider = local
data_directory = $home/data
pgbackrest_config = $home/pgbackrest.conf
pgbackrest_stanza = lab
restore_root = $home/restores
standby = b
pgbouncer = $pooler_admin password=$word-pool
[target b]
conninfo = postgresql://dbb:$word%3Auri%5C@127.0.0.1:$b_port/postgres
provider = local
data_directory = $TMP/pg-b/data
dump_root = $home/restores
standby = a
pgbouncer = $pooler_admin password=$word-pool
[target file]
conninfo = host=127.0.0.1 port=$a_port user=dbf dbname=postgres
provider = local
data_directory = $home/data
dump_root = $home/restores
[target wrong]
conninfo = postgresql://dba:$word-wrong@127.0.0.1:$a_port/postgres
CONF
echo "127.0.0.1:$a_port:*:dbf:$word-file" >"$HOME/.pgpass"
chmod 600 "$HOME/.pgpass"
at_exit() {
	touch "$TMP/stop"
	for copy in "$home"/restores/*/data; do
		[ ! -d "$copy" ] || as_pg "$PG_BINDIR/pg_ctl" -D "$copy" -m immediate -w stop >/dev/null 2>&1
	done
}
secret_op() {	# LINE TARGET: with what the environment may have; its answer is kept
	answer=$(PGPASSWORD=$word-env PGBACKREST_REPO1_CIPHER_PASS=$word-cipher AWS_ACCESS_KEY_ID="AKIA$word" \
	    AWS_SECRET_ACCESS_KEY=$word-aws AWS_SESSION_TOKEN=$word-token "$PGMEDIC" run "$1" "$2" --json --wait --yes --log "$TMP/log" \
	    2>>"$TMP/answers" </dev/null)
	printf '%s\n' "$answer" >>"$TMP/answers"
	is "$1 $2" "$(member state)" "${3:-done}"
	[ "$(member state)" = "${3:-done}" ] || printf '%s\n' "$answer"
}
echo "$word" >"$TMP/word"
spawn python3 "$test_dir/watch_secrets.py" "$TMP/stop" "$TMP/leaks" "$TMP/word"

sql a "CREATE TABLE t (id int); INSERT INTO t VALUES (1)" >/dev/null
secret_op "snapshot first" a
sql a "INSERT INTO t VALUES (2)" >/dev/null
at=$(sql a "SELECT clock_timestamp()")
sql a "INSERT INTO t VALUES (3)" >/dev/null
secret_op "restore --at $at to copy" a
is "the copy reads WAL that is enciphered" "$("$PG_BINDIR/psql" -X -A -t -q -d "$(member result.uri)" -c 'SELECT max(id) FROM t')" 2
secret_op "restore drop copy" a
secret_op "verify latest" a
# From here on two servers would have to archive into one stanza.
for one in a b; do
	sql $one "ALTER SYSTEM SET archive_command = 'true'"
	sql $one "SELECT pg_reload_conf()" >/dev/null
done
secret_op "switchover" a
secret_op "drill failover --kind crash" b
is "... also with pg_rewind" "$(member result.passed) $(member result.restored)" "true true"
answer=$(env -u PGPASSWORD "$PGMEDIC" run "snapshot dump --as one" file --json --wait --yes 2>>"$TMP/answers" </dev/null)
is "a dump with the password of ~/.pgpass" "$(member state)" "done"
secret_op "snapshot dump --as two" b
secret_op "snapshot nowhere" wrong failed
PGPASSWORD=$word-env "$PGMEDIC" run "diagnose connect" wrong --json >>"$TMP/answers" 2>&1

# Neither the console's memory nor a job's is for others, nor left in a core file.
cat >"$TMP/record.py" <<'PY'
import os, resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
os.environ["PGPASSWORD"] = open(sys.argv[1]).read().strip() + "-env"
os.execv(sys.argv[2], sys.argv[2:])
PY
python3 "$TMP/record.py" "$TMP/word" "$PGMEDIC" record "$TMP/recording" a >/dev/null 2>&1 &
recorder=$!
wait_for 60 test -s "$TMP/recording"
is "its memory is root's, if anybody's" "$(stat -c %u "/proc/$recorder/mem")" 0
kill -SEGV "$recorder"
wait_for 10 gone "$recorder"
wait "$recorder" 2>/dev/null
is "it leaves no core file" "$(find "$TMP" -maxdepth 1 -name 'core*')" ""

touch "$TMP/stop"
wait "$spawned_pid"
is "no secret is in arguments or in others' environment" "$(cat "$TMP/leaks")" ""
find "$XDG_STATE_HOME" -type f >"$TMP/files"
like "what was written is all looked through" "$(cat "$TMP/files")" 'journal\.jsonl'
is "none is in state, journal, logs of jobs and reports" "$(grep -r -a -i -l $word "$XDG_STATE_HOME" "$home/restores" 2>/dev/null)" ""
is "... nor in the log, an answer or a recording" "$(grep -a -i -l $word "$TMP/log" "$TMP/answers" "$TMP/recording" 2>/dev/null)" ""
is "... nor in the servers' logs" "$(grep -a -i -l $word "$TMP/pg-a/log" "$TMP/pg-b/log" 2>/dev/null)" ""
is "... nor in their configuration" "$(grep -a -i -l $word "$TMP"/pg-[ab]/data/*.conf 2>/dev/null)" ""
finish
