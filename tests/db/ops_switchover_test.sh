#!/bin/sh
# switchover, failover and promote of a pair on this machine: gates first, never two primaries, nothing lost that was
# acknowledged by a primary that was stopped in order; the old primary follows. Traps: pg_rewind right after a
# promotion, configuration that it overwrites, application_name, slots on both sides.
# majors: newest
# sanitizers: no
# long
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"
. "$test_dir/pair.sh"

need_pg
lost_target=a
if command -v pgbouncer >/dev/null 2>&1; then
	plan_pooler
fi
start_pair
[ -z "${pooler_admin:-}" ] || start_pooler "$a_port"
role() {	# NAME: primary, standby or down
	case $(sql "$1" "SELECT pg_is_in_recovery()" 2>/dev/null) in
	f) echo primary ;;
	t) echo standby ;;
	*) echo down ;;
	esac
}
roles() {
	echo "$(role a) $(role b)"
}
slots() {
	sql "$1" "SELECT slot_name || ' ' || active FROM pg_replication_slots ORDER BY 1"
}
sql a "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)" >/dev/null

op switchover a --dry-run
is "a dry run plans" "$(member state)" planned
is "... and moves nothing" "$(roles)" "primary standby"
op switchover a
is "unconfirmed it is refused" "$(member state) $(member error.code)" "refused NOT_CONFIRMED"

# Gates
sql a "CREATE TABLE p (i int)" >/dev/null
sql b "SELECT pg_wal_replay_pause()" >/dev/null
op switchover a --yes
is "a paused replay stops it" "$(member state) $(member error.code)" "refused REFUSED"
like "... and says so" "$(member error.what)" "gate 'replay' is red"
sql b "SELECT pg_wal_replay_resume()" >/dev/null
op failover a --yes
is "a primary that lives is not failed over" "$(member state) $(roles)" "refused primary standby"
op "promote b" a --yes
is "... nor its replica promoted" "$(member state) $(roles)" "refused primary standby"

printf 'read_only = yes\n' >>"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
op switchover a --yes
is "a standby that is read-only is not promoted" "$(member state) $(member error.what)" "refused switchover is refused: b is read-only"
sed -i '$d' "$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"

# Stopped on request while the primary waits for its standby: it is told to stop and will, so it is started again.
receiver=$(sql b "SELECT pid FROM pg_stat_wal_receiver")
kill -STOP "$receiver"
answer=$("$PGMEDIC" run "switchover nopause" a --json --yes </dev/null)
job=$(member job)
is_stopping() {
	sed -n 8p "$TMP/pg-a/data/postmaster.pid" | grep -q stopping
}
ok "it stops" wait_for 30 is_stopping
"$PGMEDIC" run "job cancel $job" a --yes >/dev/null 2>&1
waits_for_it() {
	"$PGMEDIC" run "job $job" a | grep -q 'waits until a has stopped'
}
wait_for 30 waits_for_it
kill -CONT "$receiver"
has_ended() {
	! "$PGMEDIC" run "job $job" a | grep -q '^state  *running'
}
ok "the job ends" wait_for 120 has_ended
is "... and a is primary again" "$(roles)" "primary standby"
unlike "... nothing is left behind" "$("$PGMEDIC" run "job $job" a)" 'left behind'
streams() {
	[ "$(sql b "SELECT status FROM pg_stat_wal_receiver")" = streaming ]
}
ok "... its standby follows again" wait_for 60 streams

# There. What has changed is written before the stop: in its shutdown everybody waits.
sql a "CREATE TABLE wide (i int, v text)" >/dev/null
sql a "INSERT INTO wide SELECT g, repeat('x', 200) FROM generate_series(1, 30000) g" >/dev/null
op switchover a --yes
wrote=$(sed -n '/checkpoint starting: shutdown/,$s/.*checkpoint complete: wrote \([0-9]*\) .*/\1/p' "$TMP/pg-a/log" | tail -n 1)
ok "its last checkpoint had little to write: ${wrote:-none} buffers" [ "${wrote:-1000}" -lt 200 ]
is "they change places" "$(member state) $(roles)" "done standby primary"
[ "$(member state)" = "done" ] || { "$PGMEDIC" run "job $(member job)" a; tail -n 20 "$TMP/pg-a/log" "$TMP/pg-b/log"; }
is "... timelines" "$(member result.timeline_before) $(member result.timeline_after)" "1 2"
is "... the result says who" "$(member result.primary) $(member result.standby)" "b a"
is "no row is lost" "$(sql b "SELECT count(*) FROM t")" 1000
is "no rewind was needed, the old one streams by its name" \
    "$(sql b "SELECT application_name || ' ' || state FROM pg_stat_replication")" "a streaming"
is "the new primary has its slot" "$(slots b)" "pgmedic_a true"
is "the old one's is dropped" "$(slots a)" ""
[ -z "${pooler_admin:-}" ] || is "the pooler is not paused" "$("$PG_BINDIR/psql" -X -A -t -q -d "$pooled_uri" -c "SELECT 1")" 1
unlike "nothing is left behind" "$("$PGMEDIC" run "job $(member job)" a)" 'left behind'
sql b "INSERT INTO t SELECT generate_series(1001, 2000)" >/dev/null

# And back, from the same target: it goes by who is primary.
op switchover a --yes
is "and back" "$(member state) $(roles)" "done primary standby"
is "... on timeline 3" "$(member result.timeline_after)" 3
is "all rows" "$(sql a "SELECT count(*) FROM t")" 2000
is "the first slot is back" "$(slots a)" "b true"
is "... and ours gone" "$(slots b)" ""

# A changed role between plan and run
op switchover a --dry-run
hash=$(member plan_hash)
op switchover a --yes
op switchover a --plan "$hash"
is "a plan of before is refused" "$(member state) $(member error.code) $(roles)" "refused CHANGED standby primary"
op switchover a --yes
is "... and once more back" "$(member state) $(roles)" "done primary standby"

# Killed in each step and resumed: promoted once, one primary, all rows.
for step in stop catch-up promote checkpoint slot rejoin stream; do
	before=$(sql a "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)" 2>/dev/null ||
	    sql b "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)")
	primary=a
	[ "$(role a)" = primary ] || primary=b
	before=$(sql $primary "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int")
	answer=$("$PGMEDIC" run switchover a --json --yes </dev/null)
	job=$(member job)
	python3 - "$XDG_STATE_HOME/pgmedic/journal.db" "$job" "$step" <<'PY'
import os, signal, sqlite3, sys, time
end = time.time() + 30
while time.time() < end:
    db = sqlite3.connect(sys.argv[1], timeout=5)
    pid = db.execute("SELECT pid FROM acts WHERE id = ?", (sys.argv[2],)).fetchone()[0]
    step = db.execute("SELECT 1 FROM job_steps WHERE job = ? AND name = ?", (sys.argv[2], sys.argv[3])).fetchone()
    db.close()
    if pid and step:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        break
    time.sleep(0.002)
PY
	lost_job=$job
	if ! wait_for 15 is_lost; then
		# It was faster than who was to kill it.
		skip "killed in $step"
		continue
	fi
	unlike "killed in $step: not two primaries" "$(roles)" 'primary primary'
	op "job resume $job" a --yes
	after=$([ $primary = a ] && echo "standby primary" || echo "primary standby")
	is "... resumed" "$(member state) $(roles)" "done $after"
	[ "$(member state)" = "done" ] || { printf '%s\n' "$answer"; "$PGMEDIC" run "job $job" a; }
	now=b
	[ "$primary" = a ] || now=a
	is "... promoted once" "$(sql $now "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int")" $((before + 1))
	is "... all rows" "$(sql $now "SELECT count(*) FROM t")" 2000
done
[ "$(role a)" = primary ] || op switchover a --yes
is "a is primary again" "$(roles)" "primary standby"

# By password: the old primary has to log in at the new one, which is tried before anything is touched. (Before, it was
# stopped, and never followed.)
conf=$XDG_CONFIG_HOME/pgmedic/pgmedic.conf
sql a "CREATE ROLE dba SUPERUSER REPLICATION LOGIN PASSWORD 'o''pen sesame'" >/dev/null
cp "$conf" "$TMP/open.conf"
hba() {	# NAME LINE...: those of pg_hba.conf
	name=$1
	shift
	printf '%s\n' "$@" 'local all all trust' 'host all all 127.0.0.1/32 trust' | as_pg tee "$TMP/pg-$name/data/pg_hba.conf" >/dev/null
	sql "$name" "SELECT pg_reload_conf()" >/dev/null
}
refuses_replication() {
	! "$PG_BINDIR/psql" -X -q -c "IDENTIFY_SYSTEM" "host=127.0.0.1 port=$b_port user=postgres replication=true" >/dev/null 2>&1
}
hba a 'host replication postgres 127.0.0.1/32 trust' 'host replication,all dba 127.0.0.1/32 scram-sha-256'
hba b 'host replication postgres 127.0.0.1/32 reject' 'host replication,all dba 127.0.0.1/32 scram-sha-256'
ok "the standby lets nobody replicate without a password" wait_for 10 refuses_replication
op switchover a --yes
is "a primary that could not follow is not stopped" "$(member state) $(roles)" "refused primary standby"
like "... and the gate says why" "$(member error.what)" "gate 'way back' is red: a could not follow b: "
sed -i "s/user=postgres dbname/user=dba password='o\\\\'pen sesame' dbname/" "$conf"
environment() {
	tr '\0' '\n' <"/proc/$(head -n 1 "$TMP/pg-a/data/postmaster.pid")/environ" | grep -E '^(HOME|PATH)='
}
before=$(environment)
op switchover a --yes
is "it follows by the login of the target" "$(member state) $(roles)" "done standby primary"
[ "$(member state)" = "done" ] || { printf '%s\n' "$answer"; tail -n 5 "$TMP/pg-a/log"; }
unlike "... whose password is not in its conninfo" "$(cat "$TMP/pg-a/data/postgresql.auto.conf")" "sesame"
is "... but in a file of its own" "$(stat -c %a "$TMP/pg-a/data/pgmedic.passfile")" 600
is "... its environment is what it was" "$(environment)" "$before"
op switchover a --yes
is "and back" "$(member state) $(roles)" "done primary standby"
cp "$TMP/open.conf" "$conf"
hba a 'host replication all 127.0.0.1/32 trust'
hba b 'host replication all 127.0.0.1/32 trust'

# The primary dies.
postmaster=$(head -n 1 "$TMP/pg-a/data/postmaster.pid")
sed -i "s/^#port = .*/port = $a_port  # of a alone/" "$TMP/pg-a/data/postgresql.conf"
kill -9 "$postmaster"
wait_for 10 gone "$postmaster"
# The first pg_rewind is cut off while it writes the histories of the timelines.
mkdir "$TMP/bin"
ln -s "$PG_BINDIR"/* "$TMP/bin"
rm "$TMP/bin/pg_rewind"
cat >"$TMP/bin/pg_rewind" <<END
#!/bin/sh
case "\$*" in
*--dry-run*) ;;
*)
	if rm "$TMP/pg-a/cut" 2>/dev/null; then
		for file in "$TMP"/pg-a/data/pg_wal/*.history; do
			: >"\$file"
		done
		kill -9 \$\$
	fi
	;;
esac
exec "$PG_BINDIR/pg_rewind" "\$@"
END
chmod 755 "$TMP/bin/pg_rewind"
as_pg touch "$TMP/pg-a/cut"
sed -i "s|^[^ ]*/postgres|$TMP/bin/postgres|" "$TMP/pg-a/data/postmaster.opts"
op "failover rejoin" a --yes
is "a rewind that is cut off" "$(member state) $(member error.code)" "failed PROGRAM"
op "job resume $(member job)" a --yes
is "failover, and the old one rejoins by pg_rewind" "$(member state) $(roles)" "done standby primary"
[ "$(member state)" = "done" ] || { printf '%s\n' "$answer"; tail -n 20 "$TMP/pg-a/log"; }
is "it streams on the new timeline" "$(sql b "SELECT application_name || ' ' || state FROM pg_stat_replication")" "a streaming"
like "its configuration is its own" "$(cat "$TMP/pg-a/data/postgresql.conf")" "^port = $a_port  # of a alone"
ok "what was kept is gone" test ! -e "$TMP/pg-a/data.pgmedic-kept"
sql b "INSERT INTO t VALUES (3000)" >/dev/null
follows() {
	[ "$(sql a "SELECT count(*) FROM t WHERE id = 3000")" = 1 ]
}
ok "it follows" wait_for 10 follows

# promote: the other one is dead, nobody rejoins
stop_pg b immediate
op "promote b" a --yes
is "only the one that is left" "$(member state) $(role a)" "refused standby"
op "promote a" a --yes
is "promote" "$(member state) $(role a)" "done primary"
finish
