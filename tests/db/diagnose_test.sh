#!/bin/sh
# `diagnose connect` on servers of this machine: each way of not getting in is told apart, with what mends it; what
# is in the way and what is not. TLS with authorities of our own, variants of pg_hba.conf, full servers.
# majors: newest
. "$(dirname "$0")/../lib.sh"
. "$test_dir/tls.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v openssl >/dev/null || skip_all "openssl makes the certificates"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"

# diagnose TARGET [OPTION...]: $text and $code
diagnose() {
	text=$("$PGMEDIC" diagnose connect "$@" 2>"$TMP/err" </dev/null)
	code=$?
}

# told WHAT AREA VERDICT REMEDY TARGET [OPTION...]: not reached, for that reason
told() {
	what=$1 area=$2 verdict=$3 remedy=$4
	shift 4
	diagnose "$@"
	is "$what: not reached" "$code" 3
	like "$what: $area" "$text" "^fail +$area +.*$verdict"
	like "$what: the verdict" "$(printf '%s\n' "$text" | sed -n 1p)" "^NOT REACHED: .*$verdict"
	like "$what: a remedy" "$(printf '%s\n' "$text" | sed -n 2p)" "^HINT: .*$remedy"
}

start_pg primary "max_connections = 9" "superuser_reserved_connections = 2" "password_encryption = 'scram-sha-256'" \
    "max_wal_senders = 2"
sql primary "CREATE ROLE app LOGIN PASSWORD 'planted-password'; CREATE ROLE open LOGIN; CREATE ROLE nobody NOLOGIN;
	CREATE ROLE one LOGIN CONNECTION LIMIT 0; CREATE ROLE outside LOGIN; CREATE ROLE secure LOGIN; CREATE ROLE peer LOGIN;
	CREATE ROLE banned LOGIN; CREATE ROLE foreigner LOGIN" >/dev/null
sql primary "CREATE DATABASE closed ALLOW_CONNECTIONS false" >/dev/null
sql primary "CREATE DATABASE few CONNECTION LIMIT 0" >/dev/null
sql primary "CREATE DATABASE private" >/dev/null
sql primary "REVOKE CONNECT ON DATABASE private FROM PUBLIC" >/dev/null
as_pg tee "$primary_dir/pg_hba.conf" >/dev/null <<'HBA'
local all peer peer
host replication postgres 127.0.0.1/32 trust
local all all trust
host all banned 127.0.0.1/32 reject
host all app 127.0.0.1/32 scram-sha-256
hostssl all secure 127.0.0.1/32 trust
host all postgres,open,one,nobody,outside,nosuchrole 127.0.0.1/32 trust
HBA
sql primary "SELECT pg_reload_conf()" >/dev/null
at="host=127.0.0.1 port=$primary_port dbname=postgres"

# ------------------------------------------------------------------ it can be reached

diagnose "$at user=open"
is "reached" "$code" 0
like "... says so" "$text" '^REACHED: the target can be reached'
like "... with whom" "$text" "^ok +target +127.0.0.1 port $primary_port, user open, database postgres"
like "... and how full" "$text" '^ok +slots +[0-9]+ of 9 connections, 2 of them reserved'
diagnose "host=$primary_socket port=$primary_port user=open dbname=postgres"
like "by its socket, too" "$text" "^ok +socket +a server listens on $primary_socket/.s.PGSQL.$primary_port"
"$PGMEDIC" diagnose connect "$at user=open" --json >"$TMP/out"
is "JSON" "$(python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
print(d["reached"], d["port"], d["user"], all(set(c) == {"area", "state", "what", "evidence", "remedy"} for c in d["checks"]))
' "$TMP/out")" "True $primary_port open True"
status 0 "as a command" "$PGMEDIC" run "diagnose connect" "$at user=open"
status 2 "another word" "$PGMEDIC" diagnose nothing "$at user=open"
status 2 "no address" "$PGMEDIC" diagnose connect "$at user=open" --from here

# ------------------------------------------------------------------ nobody there

free_port
told "nobody listens" local 'nothing listens there' 'not running' "host=127.0.0.1 port=$port"
like "... but here is a server" "$text" 'a server runs.*, pid [0-9]+'
told "a name that is not" dns 'no host no-such-host.invalid' 'spelling' "host=no-such-host.invalid"
told "a folder without a socket" socket 'no such socket' . "host=$TMP port=$port"
told "another address of this machine" local 'nothing listens' 'listen_addresses leaves this address out' \
    "host=127.0.0.2 port=$primary_port"
like "... who listens where" "$text" "somebody listens on 127.0.0.1 port $primary_port"
told "an option that is none" target 'invalid' . "host=127.0.0.1 nonsense=1"

mute() {	# KIND [TEXT]: $port
	free_port
	spawn python3 "$SOURCE/tests/tool/mute_port.py" "$port" "$1" "$TMP/ready.$port" "${2:-}"
	wait_for 20 test -e "$TMP/ready.$port" || fail "mute_port.py does not listen"
}
mute http
told "another service" server 'is no PostgreSQL server' 'right port' "host=127.0.0.1 port=$port"
like "... as it speaks" "$text" 'it answers "HTTP/1.1 400'
mute closes
told "a proxy without a server" server 'hangs up' 'load balancer' "host=127.0.0.1 port=$port connect_timeout=2"
mute silent
told "a frozen server" server 'says nothing' 'frozen' "host=127.0.0.1 port=$port connect_timeout=2"
mute refuses "no such database: shop"
told "PgBouncer without the database" pooler 'PgBouncer knows no database shop' 'pgbouncer.ini' "host=127.0.0.1 port=$port dbname=shop"
mute refuses "no more connections allowed (max_client_conn)"
told "a full PgBouncer" pooler 'max_client_conn' 'SHOW CLIENTS' "host=127.0.0.1 port=$port dbname=shop"

# ------------------------------------------------------------------ refused

PGPASSWORD=planted-wrong told "a wrong password" login 'password of app is wrong' 'ALTER ROLE app' "$at user=app"
like "... and where it comes from" "$text" 'the password: of the conninfo, its service, or PGPASSWORD'
unlike "... but not which" "$text" 'planted'
told "no password" login 'there is none' 'pgpass' "$at user=app"
like "... where it was looked for" "$text" "there is no $HOME/.pgpass"
told "no line for the role" login 'no line of pg_hba.conf lets foreigner into postgres' \
    'host postgres foreigner 127.0.0.1/32 scram-sha-256' "$at user=foreigner"
told "a line with reject" login 'rejects banned' 'reject' "$at user=banned"
told "peer" login 'the system.s user is not peer' 'sudo -u peer' "host=$primary_socket port=$primary_port user=peer dbname=postgres"
told "a role that is not there" login 'there is no role nosuchrole' 'CREATE ROLE' "$at user=nosuchrole"
told "a role without LOGIN" login 'nobody may not log in' 'ALTER ROLE nobody LOGIN' "$at user=nobody"
told "a database that is not there" database 'no database nowhere' '-d' "$at dbname=nowhere user=open"
told "a database that is closed" database 'closed takes no connections' 'ALLOW_CONNECTIONS' "$at dbname=closed user=open"
told "a database of others" database 'outside may not connect' 'GRANT CONNECT ON DATABASE private' "$at dbname=private user=outside"
told "a role's limit" slots 'one has as many' 'CONNECTION LIMIT' "$at user=one"
told "a database's limit" slots 'few has as many' 'CONNECTION LIMIT' "$at user=open dbname=few"
told "TLS where there is none" tls 'has no TLS' 'ssl = on' "$at user=open sslmode=require"

# ------------------------------------------------------------------ TLS

make_ca authority
make_ca stranger
make_cert server authority 300 localhost db.example.test
make_cert soon authority 5 localhost
use_cert() {	# FILE
	as_pg tee "$primary_dir/server.crt" <"$TMP/$1.crt" >/dev/null
	as_pg sh -c "umask 077; cat >'$primary_dir/server.key'" <"$TMP/$1.key"
	sql primary "ALTER SYSTEM SET ssl = on" >/dev/null
	sql primary "SELECT pg_reload_conf()" >/dev/null
	serial=$(openssl x509 -in "$TMP/$1.crt" -noout -serial)
	wait_for 20 serves || fail "the server does not take its certificate"
}
serves() {
	echo | openssl s_client -starttls postgres -connect "127.0.0.1:$primary_port" 2>/dev/null |
	    openssl x509 -noout -serial 2>/dev/null | grep -q -x "$serial"
}
use_cert server
tls="host=localhost hostaddr=127.0.0.1 port=$primary_port user=secure dbname=postgres"
diagnose "$tls sslmode=verify-full sslrootcert=$TMP/authority.crt"
is "TLS, verified" "$code" 0
like "... by whom" "$text" "^ok +tls +TLSv1[.][23], .*, verified by $TMP/authority.crt"
like "... the chain" "$text" 'certificate CN=localhost, by CN=authority, until 20'
like "... the names" "$text" 'for localhost, db.example.test'
diagnose "$tls"
is "TLS, unverified" "$code" 0
like "... is enough on this machine" "$text" '^ok +tls +TLSv1.*, on this machine'
told "an authority that is not known" tls 'nobody known vouches' 'sslrootcert' "$tls sslmode=verify-ca sslrootcert=$TMP/stranger.crt"
told "another name" tls 'is not for other.example.test' 'hostaddr' \
    "$tls host=other.example.test sslmode=verify-full sslrootcert=$TMP/authority.crt"
told "no authorities" authorities 'holds no certificate' 'sslrootcert' "$tls sslmode=verify-full sslrootcert=$TMP/none.crt"
told "hostssl only" login 'no line of pg_hba.conf' 'sslmode=require' "$tls sslmode=disable"
use_cert soon
diagnose "$tls sslmode=verify-full sslrootcert=$TMP/authority.crt"
like "a certificate that ends soon" "$text" '^warn +tls +.*ends in [45] days'
PGMEDIC_NOW=$(date -u -d '+9 days' +%Y-%m-%dT%H:%M:%SZ) diagnose "$tls sslmode=require"
like "... that has ended" "$text" "^warn +tls +.*ended [345] days ago"

# ------------------------------------------------------------------ full

hold() {	# ROLE
	spawn "$PG_BINDIR/psql" -X -q -d "postgresql://$1@127.0.0.1:$primary_port/postgres" -c "SELECT pg_sleep(600)" >/dev/null 2>&1
}
sessions() {
	[ "$("$PG_BINDIR/psql" -X -A -t -d "host=$primary_socket port=$primary_port user=postgres dbname=postgres" \
	    -c "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")" = "$1" ]
}
for i in 1 2 3 4 5 6; do
	hold open
done
ok "six sessions" wait_for 20 sessions 6
diagnose "$at user=open"
like "nearly full" "$text" '^warn +slots +[78] of 9'
# Whoever looks takes a slot, too, and may be in the way of the last one: again until it is in.
fill() {
	sessions 7 && return
	hold open
	return 1
}
ok "seven sessions" wait_for 30 fill
told "full" slots 'all slots are taken but those that are reserved' 'superuser' "$at user=open"
diagnose "$at user=postgres"
is "... not for a superuser" "$code" 0

# ------------------------------------------------------------------ up, down, killed

mkdir -p "$XDG_CONFIG_HOME/pgmedic"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target here]
conninfo = host=$primary_socket port=$primary_port user=open dbname=postgres
data_directory = $primary_dir
[target elsewhere]
conninfo = host=127.0.0.1 port=1 user=open dbname=postgres
data_directory = $primary_dir
CONF
told "another port" local "runs on port $primary_port" "-p $primary_port" elsewhere
as_pg "$PG_BINDIR/pg_ctl" -D "$primary_dir" -m smart -W stop >/dev/null 2>&1
wait_for 20 as_pg grep -q stopping "$primary_dir/postmaster.pid" || fail "the server does not stop"
told "shutting down" local 'is stopping' 'waits for sessions' here
like "... as it says itself" "$text" '^fail +state +the server is shutting down'
stop_pg primary
wait_for 30 test ! -e "$primary_dir/postmaster.pid" || fail "the server does not stop"
told "not running" socket 'no such socket' . here
like "... the folder says so" "$text" '^fail +local +.* is not running'
like "... and how to start it" "$text" "pg_ctl -D $primary_dir start"
run_pg primary
postmaster=$(head -n 1 "$primary_dir/postmaster.pid")
kill -KILL "$postmaster"
wait_for 10 gone "$postmaster"
told "killed" socket 'nobody listens any more' 'recovers' here
like "... its file is stale" "$text" '^fail +local +.* was killed'
rm -f "$primary_socket"/.s.PGSQL.* "$primary_dir/postmaster.pid"
run_pg primary
if command -v pgbouncer >/dev/null 2>&1; then
	. "$test_dir/pair.sh"
	start_pooler "$primary_port"
	diagnose "$pooled_uri"
	is "through PgBouncer" "$code" 0
	like "... it is seen" "$text" '^ok +pooler +a pooler is in between'
	diagnose "${pooled_uri%/*}/nowhere"
	like "a database that it does not know" "$text" '^NOT REACHED: (PgBouncer knows no database|there is no database) nowhere'
else
	skip "pgbouncer is not installed"
fi
start_standby standby primary "hot_standby = off"
told "a standby that lets nobody in" state 'does not take connections' 'hot_standby' \
    "host=127.0.0.1 port=$standby_port user=postgres dbname=postgres"
unlike "no secret was told" "$(cat "$TMP/out" "$TMP/err")" planted
finish
