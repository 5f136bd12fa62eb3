# Sourced after lib.sh: a server with pgBackRest.
# shellcheck shell=sh disable=SC2154 # set by start_pg

# start_backed_up NAME [SETTING...]: like start_pg, with its stanza "lab" and the target NAME in the configuration
start_backed_up() {
	command -v pgbackrest >/dev/null 2>&1 || skip_all "pgbackrest is not installed"
	name=$1
	shift
	pg_folder "$name"
	home=$dir
	for folder in repo logs lock spool restores; do
		as_pg mkdir -p "$home/$folder"
	done
	initdb_options=-k
	start_pg "$name" "archive_mode = on" "wal_log_hints = on" \
	    "archive_command = 'pgbackrest --config=$home/pgbackrest.conf --stanza=lab archive-push %p'" "$@"
	initdb_options=''
	eval "port=\$${name}_port"
	{
		printf '[global]\nrepo1-path=%s/repo\nlog-path=%s/logs\nlock-path=%s/lock\nspool-path=%s/spool\n' \
		    "$home" "$home" "$home" "$home"
		printf 'start-fast=y\nprocess-max=2\ncompress-type=lz4\nrepo1-retention-full=9999999\n'
		printf '[lab]\npg1-path=%s/data\npg1-port=%s\npg1-socket-path=%s\npg1-user=postgres\n' "$home" "$port" "$home"
	} | as_pg tee "$home/pgbackrest.conf" >/dev/null
	if ! backrest "$name" --log-level-console=warn stanza-create >"$TMP/stanza.log" 2>&1; then
		grep -q VersionNotSupported "$TMP/stanza.log" && skip_all "this pgbackrest does not know PostgreSQL $PG_MAJOR"
		cat "$TMP/stanza.log"
		exit 1
	fi
	mkdir -p "$XDG_CONFIG_HOME/pgmedic"
	cat >>"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target $name]
conninfo = host=127.0.0.1 port=$port user=postgres dbname=postgres
provider = local
data_directory = $home/data
pgbackrest_config = $home/pgbackrest.conf
pgbackrest_stanza = lab
restore_root = $home/restores
CONF
}

backrest() {	# NAME ARGUMENT...
	stanza_of=$TMP/pg-$1
	shift
	as_pg pgbackrest --config="$stanza_of/pgbackrest.conf" --stanza=lab "$@"
}

# op LINE TARGET [OPTION...]: run and wait; $answer is the JSON, $op_status the status
op() {
	line=$1 target=$2
	shift 2
	answer=$("$PGMEDIC" run "$line" "$target" --json --wait "$@" 2>"$TMP/op.err" </dev/null)
	op_status=$?
}

# member PATH [FILE]: a value of $answer, as state or result.snapshot
member() {
	printf '%s' "$answer" | python3 -c '
import json, sys
v = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    v = v[int(key)] if isinstance(v, list) else v.get(key) if v else None
print("" if v is None else v if isinstance(v, str) else json.dumps(v))' "$1"
}
