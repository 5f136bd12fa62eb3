#!/bin/sh
# The production checklist of doctor: of a server of one's own before and after it is made fit, of RDS against an AWS
# that is not ours (moto), and what the journal knows of verifications and drills.
# majors: system
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
for name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p'); do
	unset "$name"
done
moto=''
free_port
url=http://127.0.0.1:$port
if python3 -c 'import moto.server' 2>/dev/null; then
	spawn python3 -m moto.server -H 127.0.0.1 -p "$port" >"$TMP/moto.log" 2>&1
	moto=yes
fi

# doctor TARGET: $text, and $states as "check=state" lines
doctor() {
	text=$("$PGMEDIC" doctor "$1" 2>"$TMP/err" </dev/null)
	"$PGMEDIC" doctor "$1" --json >"$TMP/json" 2>>"$TMP/err" </dev/null
	states=$(python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
for c in d["checklist"]:
    assert set(c) == {"check", "state", "what", "evidence", "remedy"}, c
    print(c["check"] + "=" + c["state"])' "$TMP/json" 2>&1)
}
has() {	# WHAT CHECK=STATE...
	what=$1
	shift
	for state in "$@"; do
		like "$what: $state" "$states" "^$state\$"
	done
}

start_pg primary "archive_mode = on" "archive_command = 'true'" "ssl = off"
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target own]
provider = local
conninfo = host=$primary_socket port=$primary_port user=postgres dbname=postgres
[target away]
provider = local
conninfo = host=127.0.0.1 port=1 dbname=postgres connect_timeout=2
[target lab]
provider = rds
instance = lab
region = eu-west-1
endpoint_url = $url
conninfo = host=127.0.0.1 port=1 dbname=postgres connect_timeout=2
[target none]
provider = rds
instance = none
region = eu-west-1
endpoint_url = $url
conninfo = host=127.0.0.1 port=1 dbname=postgres connect_timeout=2
CONF

# ------------------------------------------------------------------ a server of one's own

doctor own
like "what there was is still there" "$text" '^ok +server +PostgreSQL'
like "... and the checklist below" "$text" '^PRODUCTION CHECKLIST$'
has "a bare server" standby=fail replicas=warn checksums=warn retention=unknown insights=warn public_access=ok \
    force_ssl=ok pooling=warn verified_backup=fail drill=fail
like "... each with what mends it" "$text" 'HINT: `verify latest`'
like "... a rehearsal, too" "$text" 'HINT: `drill failover`'
as_pg tee -a "$primary_dir/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1, 127.0.0.9'
track_io_timing = on
archive_command = 'false'
CONF
{ cat "$primary_dir/pg_hba.conf"; echo "host all all 10.0.0.0/8 trust"; echo "host all all all scram-sha-256"; } >"$TMP/hba"
as_pg tee "$primary_dir/pg_hba.conf" <"$TMP/hba" >/dev/null
stop_pg primary
run_pg primary
start_standby standby primary
sql primary "SELECT pg_switch_wal()" >/dev/null
failing() {
	[ "$(sql primary "SELECT failed_count > 0 FROM pg_stat_archiver")" = t ]
}
wait_for 30 failing || fail "the archiver does not fail"
doctor own
has "with a standby, open to others" standby=ok replicas=ok insights=ok archiving=fail public_access=fail force_ssl=fail
like "... the line of pg_hba.conf is told" "$text" 'line [0-9]+: host all all 10.0.0.0 trust'
sql primary "CREATE ROLE watcher LOGIN IN ROLE pg_monitor" >/dev/null
"$PGMEDIC" doctor own -U watcher >"$TMP/out" 2>&1
like "a role that may not read it" "$(cat "$TMP/out")" '^unknown +public_access +.*cannot be read by this role'
doctor away
is "without a session" "$("$PGMEDIC" doctor away >/dev/null 2>&1; echo $?)" 3
has "... it is not known" server=unknown verified_backup=fail
like "... and where to look" "$text" 'HINT: pgmedic diagnose connect TARGET'

# ------------------------------------------------------------------ what the journal knows

python3 - "$XDG_STATE_HOME/pgmedic/journal.db" <<'PY'
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1])
now = int(time.time() * 1e6)
day = 86400 * 1000000
for target, snapshot, age, passed in [("own", "one", 3, 1), ("own", "old", 90, 0), ("away", "two", 40, 1), ("lab", "three", 1, 0)]:
    db.execute("INSERT INTO verified VALUES (?, ?, ?, ?, 12, 30)", (target, snapshot, now - age * day, passed))
for target, age, state in [("own", 5, "done"), ("own", 1, "failed"), ("away", 100, "done")]:
    cur = db.execute("INSERT INTO acts (started_at, finished_at, os_user, target, command, state) VALUES (?, ?, 'x', ?, 'drill failover', ?)",
                     (now - age * day, now - age * day, target, state))
    db.execute("INSERT INTO jobs (act, kind, plan_hash, plan, result) VALUES (?, 'drill', '', '', ?)",
               (cur.lastrowid, '{"rto_s":2.5,"rpo_rows":0,"passed":true}'))
db.commit()
PY
doctor own
has "lately verified and rehearsed" verified_backup=ok drill=ok
like "... when" "$text" 'verified_backup +one was restored and checked 3 days ago'
like "... how long it took" "$text" 'restored in 12 s'
like "... and the drill" "$text" 'a failover was rehearsed 5 days ago'
like "... how long that took" "$text" 'it took 2[.]5 s'
doctor away
has "long ago" verified_backup=warn drill=warn

# ------------------------------------------------------------------ RDS

if [ -z "$moto" ] || ! wait_for 60 grep -q Running "$TMP/moto.log"; then
	skip "moto is not installed, or does not start"
	finish
fi
AWS_ACCESS_KEY_ID=AKIDPLANTED AWS_SECRET_ACCESS_KEY=planted-secret AWS_EC2_METADATA_DISABLED=true
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_EC2_METADATA_DISABLED
call=${PGMEDIC_BUILD:-$SOURCE}/tests/tool/aws_call
aws() {	# SERVICE OP [ARGUMENT...]
	"$call" -e "$url" -r eu-west-1 "$@" >"$TMP/aws.out" || cat "$TMP/aws.out"
}
aws rds CreateDBInstance DBInstanceIdentifier=lab DBInstanceClass=db.m5.large Engine=postgres EngineVersion=13.4 MasterUsername=a \
    MasterUserPassword=abcdefgh1 AllocatedStorage=20 BackupRetentionPeriod=0 PubliclyAccessible=true
doctor lab
has "an instance as it should not be" multi_az=fail encryption=fail retention=fail alarms=fail public_access=fail force_ssl=fail \
    pooling=warn replicas=warn protection=warn verified_backup=fail drill=fail
like "... the command that mends it" "$text" 'HINT: `backup retention continuous 7`'
like "... or AWS's own" "$text" 'modify-db-instance --db-instance-identifier lab --multi-az'
aws rds CreateDBInstance DBInstanceIdentifier=none DBInstanceClass=db.m5.large Engine=postgres EngineVersion=15.4 MasterUsername=a \
    MasterUserPassword=abcdefgh1 AllocatedStorage=20 BackupRetentionPeriod=14 MultiAZ=true StorageEncrypted=true \
    DeletionProtection=true PubliclyAccessible=false
aws rds CreateDBInstanceReadReplica DBInstanceIdentifier=reader SourceDBInstanceIdentifier=none
for metric in CPUUtilization FreeStorageSpace; do
	aws monitoring PutMetricAlarm -j '{"AlarmName":"'$metric'","MetricName":"'$metric'","Namespace":"AWS/RDS","Statistic":"Average",
	    "Period":60,"EvaluationPeriods":1,"Threshold":1,"ComparisonOperator":"GreaterThanThreshold",
	    "Dimensions":[{"Name":"DBInstanceIdentifier","Value":"none"}]}'
done
doctor none
has "an instance as it should be" multi_az=ok encryption=ok retention=ok alarms=warn public_access=ok force_ssl=ok replicas=ok \
    protection=ok
like "... which alarm is missing" "$text" 'none on DatabaseConnections'
unlike "no secret is told" "$text" planted
finish
