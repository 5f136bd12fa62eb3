#!/bin/sh
# The rules that alerts_test.sh leaves out: disks, archives, backups, poolers, subscriptions, counters and corruption, each
# by a real fault.
# majors: newest
# sanitizers: no
# long
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
start_pg primary "max_connections = 60" "archive_mode = on" "archive_command = 'sh $TMP/archive'" "max_slot_wal_keep_size = 1MB" \
    "wal_keep_size = 0" "max_wal_size = 64MB" "wal_retrieve_retry_interval = 60s" "synchronous_commit = off"
: >"$TMP/archive" # what it holds is run for each file
chmod 755 "$TMP" "$TMP/archive"
sql primary "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'x' FROM generate_series(1, 100) g" >/dev/null

# a small disk of its own, where this user may mount one
disk=$TMP/disk
mkdir -p "$disk"
has_disk=no
if mount -t tmpfs -o size=100m,mode=777 none "$disk" 2>/dev/null; then
	has_disk=yes
	mkdir "$disk/space"
	[ -z "$pg_user" ] || chown "$pg_user" "$disk/space"
	sql primary "CREATE TABLESPACE small LOCATION '$disk/space'" >/dev/null
fi
at_exit() {
	[ $has_disk = no ] || umount -l "$disk" 2>/dev/null
}

has_pool=no
if command -v pgbouncer >/dev/null; then
	has_pool=yes
	free_port
	pool_port=$port
	pg_folder pool
	cat >"$dir/ini" <<-INI
		[databases]
		postgres = host=127.0.0.1 port=$primary_port user=postgres pool_size=2
		[pgbouncer]
		listen_addr = 127.0.0.1
		listen_port = $pool_port
		unix_socket_dir =
		auth_type = any
		pool_mode = transaction
		admin_users = monitor
		logfile = $dir/log
		pidfile = $dir/pid
	INI
	chmod 755 "$dir/ini"
	if [ -n "$pg_user" ]; then
		spawn runuser -u "$pg_user" -- pgbouncer -q "$dir/ini" >/dev/null 2>&1
	else
		spawn pgbouncer -q "$dir/ini" >/dev/null 2>&1
	fi
fi

conf=$XDG_CONFIG_HOME/pgmedic
mkdir -p "$conf"
{
	cat <<-CONF
		[alerts]
		alert.disk_used = 80%,none,1s
		alert.disk_free = 20MB,none,1s
		alert.archive_behind = 3s,1h
		alert.archive_failing = none,1,1s
		alert.backup_age = 8s,1h
		alert.pool_usage = 80%,none,1s
		alert.clients_waiting = none,3,1s
		alert.subscription_stopped = 1,none,1s
		alert.connection_churn = 1.5,none,1s
		alert.rollback_ratio = 10%,none,1s
		alert.cache_hit = 90%,none,1s
		alert.cpu = 0.1%,none,5s
		[target db]
		conninfo = $primary_uri
		backup_verified_file = $TMP/verified
		[target low]
		conninfo = $primary_uri
		alert.mxid_wraparound = 0.00000001%,90%
	CONF
} >"$conf/pgmedic.conf"
[ $has_pool = no ] || sed -i "s|^backup_verified|pgbouncer = host=127.0.0.1 port=$pool_port dbname=pgbouncer user=monitor\\n&|" "$conf/pgmedic.conf"
touch "$TMP/verified"
. "$test_dir/alerts.sh"
record db

# A server that runs under a loader of its own is not known as a process of this machine.
"$PGMEDIC" show alerts db --json >"$TMP/out" 2>/dev/null
is_here=yes
! grep -q 'is not on this machine' "$TMP/out" || is_here=no
if [ $is_here = yes ]; then
	fires cpu "CPU is [0-9]+% busy" 8
else
	skip "the server is not seen on this machine"
fi

# ------------------------------------------------------------------ WAL, archive, backups

new_fault
sql primary "SELECT pg_switch_wal()" >/dev/null
wait_for 20 eval '[ -n "$(sql primary "SELECT last_archived_wal FROM pg_stat_archiver")" ]'
: >"$TMP/stuck"
echo "while [ -e '$TMP/stuck' ]; do sleep 0.2; done" >"$TMP/archive"
sql primary "INSERT INTO t VALUES (101, 'x')" >/dev/null
sql primary "SELECT pg_switch_wal()" >/dev/null
fires archive_behind "1 finished WAL file waits to be archived" 6
rm "$TMP/stuck"
: >"$TMP/archive"
clears archive_behind

new_fault
sql primary "ALTER SYSTEM SET archive_command = ''" >/dev/null
sql primary "SELECT pg_reload_conf()" >/dev/null
fires archive_failing "archive_command is empty" 4
sql primary "ALTER SYSTEM RESET archive_command" >/dev/null
sql primary "SELECT pg_reload_conf()" >/dev/null
clears archive_failing

base_backup() {
	rm -rf "$TMP/bb"
	"$PG_BINDIR/pg_basebackup" -Ft -D "$TMP/bb" -h 127.0.0.1 -p "$primary_port" -U postgres -X none -c fast >/dev/null 2>&1
}
new_fault
base_backup
fires backup_age "the last good backup is .* old" 10.5
like "and says by what it is known" "$(cat "$TMP/hook.log")" 'archived: [0-9A-F]+\.[0-9A-F]+\.backup'
base_backup
clears backup_age

new_fault
touch -d "10 days ago" "$TMP/verified"
fires backup_verified "restored and checked 10d" 86400000
touch "$TMP/verified"
clears backup_verified

new_fault
sql primary "SELECT pg_create_physical_replication_slot('behind', true)" >/dev/null
for _ in 1 2 3 4 5; do
	sql primary "INSERT INTO t VALUES (1000, 'x'); DELETE FROM t WHERE id = 1000; SELECT pg_switch_wal()" >/dev/null
done
sql primary "CHECKPOINT" >/dev/null
fires slot_lost "slot behind has lost WAL" 4
sql primary "SELECT pg_drop_replication_slot('behind')" >/dev/null
clears slot_lost

# ------------------------------------------------------------------ disk

if [ $has_disk = yes ] && [ $is_here = yes ]; then
	new_fault
	dd if=/dev/zero of="$disk/fill" bs=1M count=88 2>/dev/null
	fires disk_used "8[0-9]% of 100M are in use.*volume of $disk/space" 4
	fires disk_free "of 100M are free.*volume of $disk/space" 4
	rm "$disk/fill"
	clears disk_used
	clears disk_free
else
	skip "no right to mount a small disk, or the server is not seen on this machine"
fi

# ------------------------------------------------------------------ pooler, subscriptions

if [ $has_pool = yes ]; then
	new_fault
	for _ in 1 2 3 4 5 6; do
		spawn "$PG_BINDIR/psql" -X -q "postgresql://app@127.0.0.1:$pool_port/postgres?application_name=pooled" -c "SELECT pg_sleep(600)" \
		    >/dev/null 2>&1
	done
	fires pool_usage "pool postgres uses 2 of 2 server connections" 4
	fires clients_waiting "4 clients wait for a server connection" 4
	while [ "$(sql primary "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)' AND backend_type = 'client backend' AND pid <> pg_backend_pid()")" != 0 ]; do
		sleep 0.5
	done
	clears clients_waiting
	clears pool_usage
else
	skip "no pgbouncer"
fi

new_fault
sql primary "CREATE SUBSCRIPTION gone CONNECTION 'host=127.0.0.1 port=1 connect_timeout=1' PUBLICATION none
    WITH (connect = false, slot_name = 'gone')" >/dev/null 2>&1
sql primary "ALTER SUBSCRIPTION gone ENABLE" >/dev/null 2>&1
fires subscription_stopped "subscription gone has no worker" 4
sql primary "ALTER SUBSCRIPTION gone DISABLE" >/dev/null
sql primary "ALTER SUBSCRIPTION gone SET (slot_name = NONE)" >/dev/null
sql primary "DROP SUBSCRIPTION gone" >/dev/null
clears subscription_stopped

# ------------------------------------------------------------------ counters

new_fault
sql primary "CREATE TABLE wide AS SELECT g AS id, repeat('x', 1900) AS v FROM generate_series(1, 34000) g" >/dev/null
for _ in 1 2 3 4 5; do
	sql primary "SELECT count(*) FROM wide WHERE v = ''" >/dev/null
done
fires cache_hit "of the pages were in shared buffers" 70
sql primary "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_memoize = off;
    SELECT count(*) FROM generate_series(1, 700000) g JOIN t ON t.id = 1 + g % 90" >/dev/null 2>&1 ||
    sql primary "SET enable_hashjoin = off; SET enable_mergejoin = off;
    SELECT count(*) FROM generate_series(1, 700000) g JOIN t ON t.id = 1 + g % 90" >/dev/null
clears cache_hit

new_fault
{
	i=0
	while [ $i -lt 400 ]; do
		i=$((i + 1))
		echo "BEGIN; SELECT 1; ROLLBACK;"
	done
} | "$PG_BINDIR/psql" -X -q -d "$primary_uri" >/dev/null
fires rollback_ratio "of [0-9]+ transactions were rolled back" 70
i=0
while [ $i -lt 6000 ]; do
	i=$((i + 1))
	echo "SELECT 1;"
done | "$PG_BINDIR/psql" -X -q -d "$primary_uri" >/dev/null
clears rollback_ratio

if [ "$PG_MAJOR" -ge 14 ]; then
	new_fault
	i=0
	while [ $i -lt 130 ]; do
		i=$((i + 1))
		sql primary "SELECT 1" >/dev/null
	done
	fires connection_churn "new sessions per second" 70
fi

# ------------------------------------------------------------------ corruption

if [ "$PG_MAJOR" -ge 15 ] && sql primary "CREATE DATABASE icu TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'" >/dev/null 2>&1; then
	new_fault
	sql primary "UPDATE pg_database SET datcollversion = '0.1' WHERE datname = 'icu'" >/dev/null
	fires collation_version "1 databases have another version.*icu" 15
	sql primary "ALTER DATABASE icu REFRESH COLLATION VERSION" >/dev/null 2>&1
	clears collation_version
else
	skip "no ICU, or no versions of collations"
fi
kill -TERM "$recorder"
wait_for 5 gone "$recorder"

for who in one two; do
	open_session $who
done
exec 5>"$TMP/in.one" 6>"$TMP/in.two"
echo "BEGIN; SELECT * FROM t WHERE id = 1 FOR SHARE;" >&5
wait_for 10 in_state one "idle in transaction"
echo "BEGIN; SELECT * FROM t WHERE id = 1 FOR SHARE;" >&6
wait_for 10 in_state two "idle in transaction"
"$PGMEDIC" show alerts low --json >"$TMP/out" 2>"$TMP/err"
like "mxid_wraparound fires" "$(cat "$TMP/out")" 'multixact ids are in use'
exec 5>&- 6>&-

sql primary "CREATE TABLE bad AS SELECT g FROM generate_series(1, 1000) g" >/dev/null
file=$(sql primary "SELECT pg_relation_filepath('bad')")
stop_pg primary fast
as_pg "$PG_BINDIR/pg_checksums" --enable -D "$primary_dir" >/dev/null 2>&1
printf 'damage' | dd of="$primary_dir/$file" bs=1 seek=5000 conv=notrunc 2>/dev/null
run_pg primary
record db
new_fault
sql primary "SELECT count(*) FROM bad" >/dev/null 2>&1
fires checksum_failures "1 pages? had a wrong checksum" 5
sql primary "SELECT pg_stat_reset()" >/dev/null
clears checksum_failures
kill -TERM "$recorder"
finish
