#!/bin/sh
# switchover, failover and a drill of a cluster that Patroni runs (its own raft, no other store): by its REST API, judged
# by what the cluster becomes; and no server of Patroni's is touched without it.
# majors: system
# sanitizers: no
# long
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"

need_pg
command -v patroni >/dev/null 2>&1 || skip_all "patroni is not installed"
command -v patroni_raft_controller >/dev/null 2>&1 || skip_all "this patroni has no raft"
"$(sed -n '1s/^#! *\([^ ]*\).*/\1/p' "$(command -v patroni)")" -c 'import pysyncobj' 2>/dev/null || skip_all "pysyncobj is not installed"

pg_folder p
home=$dir
for name in n1_api n2_api n1_raft n2_raft n3_raft n1_pg n2_pg; do
	free_port
	eval "$name=\$port"
done
node() {	# NAME API RAFT PG OTHER-RAFT
	cat >"$TMP/$1.yml" <<YML
scope: lab
name: $1
restapi: {listen: 127.0.0.1:$2, connect_address: 127.0.0.1:$2}
raft: {self_addr: 127.0.0.1:$3, partner_addrs: [127.0.0.1:$5, 127.0.0.1:$n3_raft], data_dir: $home/raft-$1}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 1
    retry_timeout: 3
    postgresql: {use_pg_rewind: true, parameters: {fsync: 'off', max_connections: 20}}
  initdb: [{encoding: UTF8}, {auth-host: trust}, {auth-local: trust}, data-checksums, no-sync]
  pg_hba: ["local all all trust", "host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]
postgresql:
  listen: 127.0.0.1:$4
  connect_address: 127.0.0.1:$4
  data_dir: $home/data-$1
  bin_dir: $PG_BINDIR
  pgpass: $home/pgpass-$1
  authentication: {superuser: {username: postgres, password: x}, replication: {username: postgres, password: x}}
  parameters: {unix_socket_directories: '$home', shared_buffers: 16MB}
YML
}
node n1 "$n1_api" "$n1_raft" "$n1_pg" "$n2_raft"
node n2 "$n2_api" "$n2_raft" "$n2_pg" "$n1_raft"
printf 'raft: {self_addr: "127.0.0.1:%s", partner_addrs: ["127.0.0.1:%s", "127.0.0.1:%s"], data_dir: %s/raft-n3}\n' \
    "$n3_raft" "$n1_raft" "$n2_raft" "$home" >"$TMP/n3.yml"
chmod 644 "$TMP"/*.yml
# Each in a session of its own, so that it can be stopped whole.
begin() {	# NAME PROGRAM
	spawn as_pg setsid sh -c 'echo $$ >"$1/$2.pid"; exec "$3" "$4"' sh "$home" "$1" "$2" "$TMP/$1.yml" >>"$TMP/$1.log" 2>&1
}
at_exit() {
	for name in n1 n2 n3; do
		pid=$(cat "$home/$name.pid" 2>/dev/null) || continue
		kill -CONT "$pid" 2>/dev/null
		kill -9 "$pid" 2>/dev/null
		pid=$(head -n 1 "$home/data-$name/postmaster.pid" 2>/dev/null) || continue
		[ -n "$pid" ] && kill -9 "$pid" 2>/dev/null
	done
}
begin n3 patroni_raft_controller
begin n1 patroni
begin n2 patroni
cluster() {	# a line a member: NAME ROLE STATE, sorted
	python3 - "$n1_api" "$n2_api" <<'PY'
import json, sys, urllib.request
for port in sys.argv[1:]:
    try:
        c = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/cluster", timeout=3))
        break
    except OSError:
        pass
print(" ".join(sorted(f"{m['name']}:{m['role']}" for m in c["members"] if m["state"] in ("running", "streaming"))))
PY
}
both() {
	[ "$(cluster | tr ' ' '\n' | grep -c -e ':leader$' -e ':replica$')" = 2 ] && cluster | grep -q leader
}
wait_for 120 both || { tail -n 20 "$TMP"/n?.log; skip_all "Patroni's raft did not come up"; }
leader() {
	cluster | tr ' ' '\n' | sed -n 's/:leader$//p'
}
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
section() {	# TARGET STANDBY PORT LINE...
	printf '[target %s]\nconninfo = host=127.0.0.1 port=%s user=postgres dbname=postgres\nprovider = local\nstandby = %s\n' "$1" "$3" "$2"
	shift 3
	printf '%s\n' "$@"
}
{
	section n1 n2 "$n1_pg" "patroni_url = http://127.0.0.1:$n1_api,http://127.0.0.1:$n2_api" "data_directory = $home/data-n1"
	section n2 n1 "$n2_pg" "patroni_url = http://127.0.0.1:$n2_api,http://127.0.0.1:$n1_api" "data_directory = $home/data-n2"
	section far1 far2 "$n1_pg" "patroni_url = http://127.0.0.1:$n1_api,http://127.0.0.1:$n2_api"
	section far2 far1 "$n2_pg"
	section raw1 raw2 "$n1_pg" "data_directory = $home/data-n1"
	section raw2 raw1 "$n2_pg" "data_directory = $home/data-n2"
} >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"

first=$(leader)
[ "$first" = n1 ] && second=n2 || second=n1
op switchover raw1 --yes
is "without patroni_url none of its servers is touched" "$(member state) $(member error.code)" "refused REFUSED"
like "... and it is said what to set" "$(member error.hint)" 'patroni_url'
op "promote $second" n1 --yes
is "no member is promoted behind its back" "$(member state) $(member error.code)" "refused REFUSED"
op failover n1 --yes
is "a leader that lives is not failed over" "$(member state) $(member error.what)" "refused $first is alive"
op "switchover $first" n1 --yes
is "who leads cannot take over" "$(member state)" refused
op "switchover nobody" n1 --yes
is "nor one that is not there" "$(member error.code)" NOT_FOUND
curl -s -X PATCH -d '{"pause": true}' "http://127.0.0.1:$n1_api/config" >/dev/null
paused() {
	curl -s "http://127.0.0.1:$n1_api/cluster" | grep -q '"pause": true'
}
wait_for 20 paused
op switchover n1 --yes
is "in maintenance nothing is changed" "$(member state) $(member error.what | cut -d: -f1)" "refused gate 'maintenance' is red"
curl -s -X PATCH -d '{"pause": null}' "http://127.0.0.1:$n1_api/config" >/dev/null
goes_on() {
	! paused
}
wait_for 20 goes_on
is "a plan changes nothing" "$("$PGMEDIC" run switchover n1 --dry-run >/dev/null; leader)" "$first"

op switchover n1 --yes
is "a switchover" "$(member state) $(member result.primary) $(member result.standby)" "done $second $first"
is "... is one" "$(leader)" "$second"
is "... on the next timeline" "$(member result.timeline_after)" "$(($(member result.timeline_before) + 1))"
op "drill failover --kind crash" far1 --yes
is "a crash is not drilled where the leader is another machine's" "$(member state) $(member error.code)" "failed CONFIG"
op "drill failover" "$first" --yes
is "a drill" "$(member state) $(member result.passed) $(member result.restored) $(member result.rpo_rows)" "done true true 0"
is "... ends as it began" "$(cluster)" "$(printf '%s\n' "$second:leader" "$first:replica" | sort | tr '\n' ' ' | sed 's/ $//')"
ok "... its report is there" test -s "$(member result.report)"
eval "other=\$${second}_pg"
is "... its table is not" "$("$PG_BINDIR/psql" -X -A -t -d "host=127.0.0.1 port=$other user=postgres dbname=postgres" \
    -c "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgmedic'")" 0

# A crash, as Patroni takes it: first it starts the server again where it is, on the same timeline; where it may not
# wait for that, it fails over, and is asked to go back.
op "drill failover --kind crash" "$first" --yes
is "a crash drill" "$(member state) $(member result.kind) $(member result.restored)" "done crash true"
[ "$(member state)" = "done" ] || { printf '%s\n' "$answer"; tail -n 20 "$TMP"/n?.log; }
is "... Patroni started it again" "$(member result.outcome)" "Patroni started the server again where it was"
is "... no other timeline" "$(member result.timeline_after)" "$(member result.timeline_before)"
like "... what it has cost" "$(member result.rto_s)" '^[0-9.]+$'
is "... and the same leads" "$(leader)" "$second"
curl -s -X PATCH -d '{"master_start_timeout": 0, "primary_start_timeout": 0}' "http://127.0.0.1:$n1_api/config" >/dev/null
wait_for 60 both
op "drill failover --kind crash" "$first" --yes
is "one that fails over" "$(member state) $(member result.restored)" "done true"
[ "$(member state)" = "done" ] || { printf '%s\n' "$answer"; tail -n 20 "$TMP"/n?.log; }
is "... to the other" "$(member result.outcome)" "Patroni failed over to $first"
is "... on a new timeline" "$([ "$(member result.timeline_after)" -gt "$(member result.timeline_before)" ] && echo new)" new
is "... and back" "$(leader)" "$second"
curl -s -X PATCH -d '{"master_start_timeout": null, "primary_start_timeout": null}' "http://127.0.0.1:$n1_api/config" >/dev/null
wait_for 60 both

# The leader's machine is gone: its Patroni says nothing, its server is dead. Patroni may say "503 Failover failed" and
# fail over all the same.
kill -STOP "$(cat "$home/$second.pid")"
kill -9 "$(head -n 1 "$home/data-$second/postmaster.pid")"
op "failover $first" "$first" --yes
is "a failover, as the cluster tells it" "$(member state) $(member result.primary) $(leader)" "done $first $first"
finish
