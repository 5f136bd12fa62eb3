# Sourced by the shell tests: . "$(dirname "$0")/../lib.sh"
#
# They get a scrubbed environment, a private $HOME and $TMP, $PGMEDIC (the program) and, in tests/db,
# $PG_BINDIR and $PG_MAJOR (the server to run on). A test ends with `finish`. What it started is ended and
# what it made is removed on any way out. No sleeping: wait_for a condition.
# shellcheck shell=sh disable=SC2154 # variables set through eval

set -u
test_dir=$(cd "$(dirname "$0")" && pwd -P)
SOURCE=${PGMEDIC_SOURCE:-${test_dir%/tests/*}}
PGMEDIC=${PGMEDIC:-$SOURCE/pgmedic}
TMP=$(mktemp -d "${TMPDIR:-/tmp}/t.XXXXXX") || exit 1
TMP=$(cd "$TMP" && pwd -P)
chmod 755 "$TMP"

for name in $(env | sed -n 's/^\(PG[A-Z]*\)=.*/\1/p'); do
	case $name in
	PGMEDIC*) ;;
	*) unset "$name" ;;
	esac
done
unset NO_COLOR COLORTERM COLORFGBG LINES COLUMNS TMUX STY LESS PAGER EDITOR VISUAL INPUTRC CDPATH ENV PGMEDIC_NOW
HOME=$TMP/home TMPDIR=$TMP
XDG_CONFIG_HOME=$HOME/.config XDG_STATE_HOME=$HOME/.state XDG_DATA_HOME=$HOME/.data XDG_CACHE_HOME=$HOME/.cache
XDG_RUNTIME_DIR=$TMP/run TERM=xterm-256color TZ=UTC LC_ALL=C.UTF-8 LANG=C.UTF-8
export HOME TMPDIR XDG_CONFIG_HOME XDG_STATE_HOME XDG_DATA_HOME XDG_CACHE_HOME XDG_RUNTIME_DIR TERM TZ LC_ALL LANG
export PGMEDIC
mkdir -p "$XDG_CONFIG_HOME" "$XDG_STATE_HOME" "$XDG_DATA_HOME" "$XDG_CACHE_HOME" "$XDG_RUNTIME_DIR"
chmod 700 "$XDG_RUNTIME_DIR"
cd "$TMP" || exit 1

# ------------------------------------------------------------------ counting

passed=0 failed=0 skipped=0

pass() {
	passed=$((passed + 1))
	echo "ok: $*"
}

fail() {
	failed=$((failed + 1))
	echo "FAILED: $*"
}

# ok WHAT COMMAND...: the command succeeds
ok() {
	what=$1
	shift
	if "$@" >"$TMP/ok.log" 2>&1; then
		pass "$what"
	else
		fail "$what: status $? of: $*"
		sed 's/^/  | /' "$TMP/ok.log"
	fi
}

# status N WHAT COMMAND...: the command ends with that status; its output is in $TMP/out and $TMP/err
status() {
	want=$1 what=$2
	shift 2
	"$@" >"$TMP/out" 2>"$TMP/err" </dev/null
	got=$?
	if [ "$got" = "$want" ]; then
		pass "$what"
	else
		fail "$what: status $got, not $want, of: $*"
		sed 's/^/  out| /' "$TMP/out" | head -n 40
		sed 's/^/  err| /' "$TMP/err" | head -n 40
	fi
}

# is WHAT GOT WANTED
is() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1"
		printf '  got    %s\n  wanted %s\n' "$2" "$3"
	fi
}

# like WHAT TEXT REGEX (grep -E)
like() {
	if printf '%s\n' "$2" | grep -E -q -e "$3"; then
		pass "$1"
	else
		fail "$1: nothing like: $3"
		printf '%s\n' "$2" | head -n 60 | sed 's/^/  | /'
	fi
}

unlike() {
	if printf '%s\n' "$2" | grep -E -q -e "$3"; then
		fail "$1: there is something like: $3"
		printf '%s\n' "$2" | grep -E -e "$3" | head -n 20 | sed 's/^/  | /'
	else
		pass "$1"
	fi
}

skip() {
	skipped=$((skipped + 1))
	echo "skip: $*"
}

skip_all() {
	echo "$*"
	exit 77
}

# wait_for SECONDS COMMAND...: until it succeeds; 1 when it never does
wait_for() {
	left=$(($1 * 20))
	tries=0
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt "$left" ] || return 1
		# What has not come in the first seconds is looked for less often: each look takes a process or two.
		if [ "$tries" -lt 40 ]; then sleep 0.05; else sleep 0.1; fi
	done
}

finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
	exit $?
}

# ------------------------------------------------------------------ what was started

spawned=''
servers=''

# spawn COMMAND...: in the background, ended at the latest with the test; $spawned_pid is its pid
spawn() {
	"$@" &
	spawned_pid=$!
	spawned="$spawned $spawned_pid"
}

clean_up() {
	status=$?
	trap - EXIT HUP INT TERM
	for pid in $spawned; do
		kill -CONT "$pid" 2>/dev/null
		kill "$pid" 2>/dev/null
	done
	for pid in $spawned; do
		wait_for 2 gone "$pid" || kill -KILL "$pid" 2>/dev/null
	done
	for name in $servers; do
		stop_pg "$name" immediate
	done
	if command -v at_exit >/dev/null 2>&1; then
		at_exit
	fi
	cd / && rm -rf "$TMP"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 130' HUP INT TERM

gone() {	# PID; a child that has ended but was not waited for is gone too
	state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
	[ -z "$state" ] || [ "$state" = Z ]
}

# ------------------------------------------------------------------ servers

free_port() {	# a TCP port on which nobody listens now; $port
	low=${PGMEDIC_TEST_PORTS:-20000}
	while :; do
		port=$((low + ($(od -A n -N 2 -t u2 /dev/urandom) % 2000)))
		hex=$(printf '%04X' "$port")
		case " $taken_ports " in
		*" $port "*) continue ;;
		esac
		if ! grep -q -i "^ *[0-9]*: [0-9A-F]*:$hex " /proc/net/tcp /proc/net/tcp6 2>/dev/null; then
			taken_ports="$taken_ports $port"
			return
		fi
	done
}
taken_ports=''

# The user that servers run as: oneself, or postgres (nobody) for root.
pg_user=''
if [ "$(id -u)" = 0 ]; then
	pg_user=postgres
	id postgres >/dev/null 2>&1 || pg_user=nobody
fi

as_pg() {
	if [ -n "$pg_user" ]; then
		(cd / && runuser -u "$pg_user" -- env HOME="$TMP" "$@")
	else
		"$@"
	fi
}

# The wanted server is there, else the test is skipped.
need_pg() {
	if [ -z "${PG_BINDIR:-}" ]; then
		set -- "$("$SOURCE/tests/servers" list | tail -n 1)"
		PG_MAJOR=${1%% *} PG_BINDIR=${1#* }
		export PG_MAJOR PG_BINDIR
	fi
	[ -x "${PG_BINDIR:-none}/initdb" ] || skip_all "no PostgreSQL server on this machine"
}

pg_folder() {	# NAME: sets dir, made and owned as it has to be
	dir=$TMP/pg-$1
	mkdir -p "$dir"
	[ -z "$pg_user" ] || chown "$pg_user" "$dir"
	chmod 755 "$dir"
}

# start_pg NAME [SETTING...]: a server of one's own, e.g. start_pg primary "max_connections = 30". Sets NAME_dir
# (data directory), NAME_port, NAME_uri and NAME_socket (folder); superuser postgres, no password.
start_pg() {
	need_pg
	server=$1
	shift
	pg_folder "$server"
	# shellcheck disable=SC2086 # words
	as_pg "$PG_BINDIR/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C -N ${initdb_options:-} \
	    >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log"; echo "initdb failed"; exit 1; }
	{
		echo "listen_addresses = '127.0.0.1'"
		echo "unix_socket_directories = '$dir'"
		echo "fsync = off"
		echo "shared_buffers = 16MB"
		echo "max_wal_size = 128MB"
		echo "wal_level = logical"
		echo "max_wal_senders = 8"
		echo "shared_preload_libraries = 'pg_stat_statements'"
		echo "autovacuum_naptime = 600"
		echo "timezone = 'UTC'"
		for setting in "$@"; do
			echo "$setting"
		done
	} | as_pg tee -a "$dir/data/postgresql.conf" >/dev/null
	run_pg "$server"
	sql "$server" "CREATE EXTENSION IF NOT EXISTS pg_stat_statements" >/dev/null
}

# start_standby NAME PRIMARY [SETTING...]: streams from PRIMARY through slot NAME
start_standby() {
	server=$1 of=$2
	shift 2
	eval "of_port=\$${of}_port"
	pg_folder "$server"
	as_pg "$PG_BINDIR/pg_basebackup" -D "$dir/data" -h 127.0.0.1 -p "$of_port" -U postgres -R -X stream -c fast \
	    -C -S "$server" >"$dir/basebackup.log" 2>&1 || { cat "$dir/basebackup.log"; echo "pg_basebackup failed"; exit 1; }
	{
		echo "unix_socket_directories = '$dir'"
		echo "cluster_name = '$server'"
		for setting in "$@"; do
			echo "$setting"
		done
	} | as_pg tee -a "$dir/data/postgresql.conf" >/dev/null
	run_pg "$server"
}

# run_pg NAME: start (again) a server that was set up; on a new port when its own was taken meanwhile
run_pg() {
	server=$1
	dir=$TMP/pg-$server
	eval "port=\${${server}_port:-}"
	for try in 1 2 3 4 5; do
		[ -n "$port" ] || free_port
		if as_pg "$PG_BINDIR/pg_ctl" -D "$dir/data" -l "$dir/log" -o "-p $port" -w -t 60 start >"$dir/start.log" 2>&1; then
			break
		fi
		port=''
		[ "$try" != 5 ] || { cat "$dir/start.log" "$dir/log"; echo "the server does not start"; exit 1; }
	done
	eval "${server}_dir=\$dir/data ${server}_port=\$port ${server}_socket=\$dir"
	eval "${server}_uri=postgresql://postgres@127.0.0.1:\$port/postgres"
	case " $servers " in
	*" $server "*) ;;
	*) servers="$server $servers" ;;
	esac
}

# stop_pg NAME [smart|fast|immediate]
stop_pg() {
	postmaster=$(head -n 1 "$TMP/pg-$1/data/postmaster.pid" 2>/dev/null)
	[ -n "$postmaster" ] || return 0
	kill -CONT "$postmaster" 2>/dev/null
	as_pg "$PG_BINDIR/pg_ctl" -D "$TMP/pg-$1/data" -m "${2:-fast}" -w -t 30 stop >/dev/null 2>&1
}

# sql NAME TEXT [PSQL OPTION...]: unaligned rows; an error shows and gives a status
sql() {
	eval "sql_uri=\$${1}_uri"
	sql_text=$2
	shift 2
	"$PG_BINDIR/psql" -X -A -t -q -v ON_ERROR_STOP=1 "$@" -d "$sql_uri" -c "$sql_text"
}
