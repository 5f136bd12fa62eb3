#!/bin/sh
# Failovers, replicas and clusters of the lab's cloud: driven by the real aws command-line client, they really happen; and
# pgmedic's own operations on them, killed and cut off around the call that must not be sent twice.
# majors: system
# sanitizers: no
# long
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"
. "$test_dir/pair.sh"

need_pg
command -v pgbackrest >/dev/null 2>&1 || skip_all "pgbackrest is not installed"
[ -x "$(dirname "$PGMEDIC")/pgmedic-cloud" ] || skip_all "built without libmicrohttpd"
. "$test_dir/aws_cli.sh"
command -v curl >/dev/null 2>&1 || skip_all "curl is not installed"
PGMEDIC_PGBIN=$PG_BINDIR PGMEDIC_CLOUD_SNAPSHOT_MS=500 PGMEDIC_CLOUD_REBOOT_MS=300 PGMEDIC_CLOUD_MODIFY_MS=300
PGMEDIC_CLOUD_DELETE_MS=100 PGMEDIC_CLOUD_ZONE_MS=500 PGMEDIC_RDS_POLL_MS=100 PGMEDIC_RDS_SIGN_MS=8000
export PGMEDIC_PGBIN PGMEDIC_CLOUD_SNAPSHOT_MS PGMEDIC_CLOUD_REBOOT_MS PGMEDIC_CLOUD_MODIFY_MS PGMEDIC_CLOUD_DELETE_MS
export PGMEDIC_CLOUD_ZONE_MS PGMEDIC_RDS_POLL_MS PGMEDIC_RDS_SIGN_MS
dir=$TMP/lab

at_exit() {
	"$PGMEDIC" lab down --directory "$dir" >/dev/null 2>&1
}

status 0 'up with a cloud' "$PGMEDIC" lab up --directory "$dir" --cloud --no-load --no-pgbouncer
url=http://127.0.0.1:$(sed -n 's/^cloud //p' "$dir/pgmedic-lab")
cp "$dir/cloud/credentials" "$TMP/credentials"
AWS_SHARED_CREDENTIALS_FILE=$TMP/credentials AWS_DEFAULT_REGION=eu-central-1 AWS_PAGER='' AWS_MAX_ATTEMPTS=1
AWS_EC2_METADATA_DISABLED=true
export AWS_SHARED_CREDENTIALS_FILE AWS_DEFAULT_REGION AWS_PAGER AWS_MAX_ATTEMPTS AWS_EC2_METADATA_DISABLED

aws() {	# SERVICE OPERATION [OPTION...]: text, on one line
	aws_cli --endpoint-url "$url" --output text "$@" 2>&1 | tr '\n\t' '  ' | sed 's/  */ /g; s/^ //; s/ $//'
}
fault() {	# NAME=VALUE...
	curl -s -f -X POST -H "X-Lab-Key: $(cat "$dir/cloud/control")" -d "$(echo "$*" | tr ' ' '&')" "$url/lab/faults" >/dev/null
}
# The client takes a second for each call: what is only looked at is asked for with less.
quick() {	# ACTION [PARAMETER...]
	"${PGMEDIC_BUILD:-$SOURCE}/tests/tool/aws_call" -e "$url" -r eu-central-1 rds "$@" 2>&1
}
instance() {	# NAME MEMBER
	quick DescribeDBInstances DBInstanceIdentifier="$1" | sed -n "s/^ *$2 //p" | head -n 1
}
instance_is() {	# NAME MEMBER VALUE
	[ "$(instance "$1" "$2")" = "$3" ]
}
no_instance() {	# NAME
	quick DescribeDBInstances DBInstanceIdentifier="$1" | grep -q 'not found'
}
cluster_is() {	# STATUS
	[ "$(quick DescribeDBClusters DBClusterIdentifier=aurora | sed -n 's/^ *Status //p' | head -n 1)" = "$1" ]
}
writer() {
	quick DescribeDBClusters DBClusterIdentifier=aurora | grep -B 1 'IsClusterWriter true' | sed -n 's/^ *DBInstanceIdentifier //p'
}
events() {	# TYPE NAME WORD: how many say it
	quick DescribeEvents SourceType="$1" SourceIdentifier="$2" Duration=600 | grep -c "Message .*$3"
}
at() {	# HOST: who answers behind the endpoint
	"$PG_BINDIR/psql" -X -A -t -q -d "postgresql://dba@$1:$endpoint/shop" \
	    -c "SELECT inet_server_port() || ' ' || pg_is_in_recovery()" 2>&1
}
endpoint=$(instance lab Port)
primary=$(sed -n 's/^primary \([0-9]*\).*/\1/p' "$dir/pgmedic-lab")
standby=$(sed -n 's/^standby \([0-9]*\).*/\1/p' "$dir/pgmedic-lab")

# ------------------------------------------------------------------ drills

password=$(sed -n 's/^password = //p' "$dir/cloud/cloud.conf")
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target multi]
conninfo = postgresql://lab:$password@127.0.0.1:$endpoint/shop
provider = rds
instance = lab
region = eu-central-1
endpoint_url = $url
[target aurora]
conninfo = postgresql://lab:$password@127.0.0.1:$endpoint/shop
provider = rds
cluster = aurora
region = eu-central-1
endpoint_url = $url
CONF
answer=$("$PGMEDIC" run 'drill failover' multi --dry-run 2>&1)
like 'a drill says what it promises' "$answer" 'writes are back in less than 120 s, no acknowledged row is lost'
op 'drill failover' multi --yes
is 'a drill of the instance' "$(member state) $(member result.kind) $(member result.passed) $(member result.restored)" \
	'done multi-az true true'
like '... measures the outage' "$(member result.rto_s)" '^[0-9.]+$'
is '... lost nothing, and there were two timelines' "$(member result.rpo_rows) $(member result.timeline_before) $(member result.timeline_after)" \
	'0 1 2'
ok '... and reports what RDS said' grep -q 'RDS says: Multi-AZ instance failover completed' "$(member result.report)"
is '... all is where it was' "$(at 127.0.0.1)" "$primary false"
is '... and the table is gone' "$("$PG_BINDIR/psql" -X -A -t -q -d "postgresql://dba@127.0.0.1:$endpoint/shop" \
	-c "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgmedic'")" 0
op 'drill failover --kind aurora' multi --yes
is 'a kind is of what the target is' "$(member error.code)" REFUSED
op 'drill failover --kind aurora' aurora --yes
is 'a drill of the cluster' "$(member state) $(member result.kind) $(member result.rpo_rows) $(member result.restored)" 'done aurora 0 true'
is '... its writer is the one of before' "$(writer)" aurora-1
curl -s -X DELETE -H "X-Lab-Key: $(cat "$dir/cloud/control")" "$url/lab/events" >/dev/null
fault kind=delay action=FailoverDBCluster times=1 value=25000
"$PGMEDIC" run 'drill failover' aurora --yes --json </dev/null >"$TMP/begun" 2>&1
job=$(sed -n 's/.*"job":\([0-9]*\).*/\1/p' "$TMP/begun")
writer_is() {
	[ "$(writer)" = "$1" ]
}
ok 'a drill that has failed over' wait_for 60 writer_is aurora-2
lost_target=aurora
kill_worker "$job"
like '... and is killed there leaves its writer behind' "$("$PGMEDIC" jobs)" 'left behind: the writer of the cluster aurora, which was aurora-1'
op "job undo $job" aurora --yes
is '... which undo brings back' "$(member state) $(writer)" 'done aurora-1'

# ------------------------------------------------------------------ by the client

is 'the endpoints' "$(at 127.0.0.1) $(at 127.0.0.2)" "$primary false $standby true"
is 'a forced failover' "$(aws rds reboot-db-instance --db-instance-identifier lab --force-failover --query DBInstance.DBInstanceStatus)" \
	rebooting
ok '... ends' wait_for 60 instance_is lab DBInstanceStatus available
is '... and the endpoints lead elsewhere' "$(at 127.0.0.1) $(at 127.0.0.2)" "$standby false $primary true"
ok '... the zone follows' wait_for 10 instance_is lab AvailabilityZone eu-central-1b
is '... as events say' "$(aws rds describe-events --source-type db-instance --source-identifier lab --query 'Events[-2:].Message')" \
	'Multi-AZ instance failover started Multi-AZ instance failover completed'
is 'the cluster of the same servers' "$(aws rds describe-db-clusters --db-cluster-identifier aurora --query \
	'DBClusters[0].[Status,Engine,DBClusterMembers[?IsClusterWriter].DBInstanceIdentifier|[0]]')" 'available aurora-postgresql aurora-2'
like 'its writer is no target' "$(aws rds failover-db-cluster --db-cluster-identifier aurora --target-db-instance-identifier aurora-2)" \
	InvalidDBClusterStateFault
is 'a failover of the cluster' "$(aws rds failover-db-cluster --db-cluster-identifier aurora --query DBCluster.Status)" failing-over
ok '... ends' wait_for 60 cluster_is available
is '... the writer is another' "$(writer) $(at 127.0.0.1)" "aurora-1 $primary false"
is 'a cluster snapshot' "$(aws rds create-db-cluster-snapshot --db-cluster-identifier aurora --db-cluster-snapshot-identifier one \
	--query DBClusterSnapshot.Status)" creating
one_is() {
	quick DescribeDBClusterSnapshots DBClusterSnapshotIdentifier=one | grep -q "^ *Status $1"
}
ok '... is there' wait_for 60 one_is available
is 'a restored cluster has no instance' "$(aws rds restore-db-cluster-from-snapshot --db-cluster-identifier copy \
	--snapshot-identifier one --engine aurora-postgresql --query '[DBCluster.Status,length(DBCluster.DBClusterMembers)]')" 'creating 0'
is '... until one is made' "$(aws rds create-db-instance --db-instance-identifier copy-1 --db-cluster-identifier copy \
	--engine aurora-postgresql --db-instance-class db.r6g.large --query DBInstance.DBInstanceStatus)" creating
ok '... which is a server' wait_for 60 instance_is copy-1 DBInstanceStatus available
# shellcheck disable=SC2046 # address and port
set -- $(instance copy-1 Address) $(instance copy-1 Port)
is '... that has the data' "$("$PG_BINDIR/psql" -X -A -t -q -d "host=$1 port=$2 user=lab dbname=shop" \
	-c 'SELECT count(*) >= 40000 FROM orders' 2>&1)" t
like 'a cluster with instances stays' "$(aws rds delete-db-cluster --db-cluster-identifier copy --skip-final-snapshot)" \
	InvalidDBClusterStateFault
like 'nothing is deleted without a word on its data' "$(aws rds delete-db-instance --db-instance-identifier copy-1)" \
	'FinalDBSnapshotIdentifier is required'
is 'a deletion' "$(aws rds delete-db-instance --db-instance-identifier copy-1 --skip-final-snapshot --query DBInstance.DBInstanceStatus)" \
	deleting
ok '... ends' wait_for 30 no_instance copy-1
is '... with its folder' "$(ls "$dir/restores")" ''
like "the lab's own is not deleted" "$(aws rds delete-db-instance --db-instance-identifier lab --skip-final-snapshot)" \
	'Cannot delete protected'

# ------------------------------------------------------------------ by pgmedic

op failover multi --yes
is 'a failover' "$(member state) $(member result.instance)" 'done lab'
like '... of which an event says that it is over' "$(member result.event)" 'failover completed'
is '... and the server behind the endpoint is another one' "$(at 127.0.0.1)" "$standby false"
op 'switchover Aurora-1' aurora --yes
is 'a switchover of the cluster' "$(member state) $(member result.writer_before) $(member result.writer_after)" 'done aurora-2 aurora-1'
is '... to the member that was named' "$(at 127.0.0.1)" "$primary false"
# A plan holds for the zone that it has seen, and the zone is told late.
ok '... the zone of the instance follows' wait_for 20 instance_is lab AvailabilityZone eu-central-1a

before=$(events db-instance lab 'failover started')
fault kind=reset-after action=RebootDBInstance times=1
op failover multi --yes
is 'an answer that is lost is looked up' "$(member state)" 'done'
is '... the call was sent once' "$(events db-instance lab 'failover started')" $((before + 1))
fault kind=reset-before action=FailoverDBCluster times=1
before=$(events db-cluster aurora 'Started')
op failover aurora --yes
is 'a call that may have been lost is not sent again' "$(member state)" failed
is '... and that it did not get there is seen' "$(events db-cluster aurora 'Started')" "$before"
like '... and said' "$(member error.hint)" 'nothing shows that it was taken'

# kill -9 while the answer is held back: sent, and not known by the job that is resumed
fault kind=delay action=RebootDBInstance times=1 value=25000
before=$(events db-instance lab 'failover started')
"$PGMEDIC" run failover multi --yes --json </dev/null >"$TMP/begun" 2>&1
sent() {
	[ "$(events db-instance lab 'failover started')" -gt "$before" ]
}
ok 'a job has sent it' wait_for 30 sent
job=$(sed -n 's/.*"job":\([0-9]*\).*/\1/p' "$TMP/begun")
lost_target=multi
kill_worker "$job"
op "job resume $job" multi --yes
is 'killed before it had the answer, and resumed' "$(member state)" 'done'
is '... the call was sent once' "$(events db-instance lab 'failover started')" $((before + 1))
ok 'it is available' wait_for 60 instance_is lab DBInstanceStatus available

op 'snapshot whole' aurora --yes
is 'a snapshot of the cluster' "$(member state) $(member result.snapshot)" 'done whole'
op 'restore whole to again' aurora --yes
is 'a cluster restored' "$(member state) $(member result.name)" 'done again'
is '... with one instance' "$(instance again-1 DBInstanceStatus) $(instance again-1 DBClusterIdentifier)" 'available again'
op 'restore drop again' aurora --yes
is '... until it is dropped, with its instance' "$(member state) $(ls "$dir/restores")" 'done '
op 'verify whole' aurora --yes
is "a cluster's snapshot is restored and looked through" "$(member state) $(member result.passed) $(member result.snapshot)" \
	'done true whole'
[ "$(member result.passed)" = true ] || printf '%s\n' "$answer"
like '... all of it' "$answer" '"name":"connect","passed":true.*"name":"amcheck","passed":true'
is '... and nothing of it is left' "$(ls "$dir/restores") $(quick DescribeDBClusters | grep -c verify)" ' 0'
like '... the snapshot says so' "$(aws rds describe-db-cluster-snapshots --db-cluster-snapshot-identifier whole \
	--query 'DBClusterSnapshots[0].TagList[?Key==`pgmedic-verified`].Value')" '^20.*Z$'
like 'a moment is one or the other' "$(aws rds restore-db-cluster-to-point-in-time --db-cluster-identifier later \
	--source-db-cluster-identifier aurora)" 'Either UseLatestRestorableTime or RestoreToTime'
is 'a cluster to its latest moment' "$(aws rds restore-db-cluster-to-point-in-time --db-cluster-identifier later \
	--source-db-cluster-identifier aurora --use-latest-restorable-time --query DBCluster.Status)" creating
op 'restore --at latest to latest' aurora --yes
is '... and by pgmedic, with its instance' "$(member state) $(instance latest-1 DBInstanceStatus)" 'done available'
op 'restore drop latest' aurora --yes
is '... which is dropped' "$(member state) $(ls "$dir/restores")" 'done '

op 'replica add twin' multi --yes
is 'a replica' "$(member state) $(member result.replication)" 'done replicating'
replica=$(instance twin Port)
row() {
	"$PG_BINDIR/psql" -X -A -t -q -d "postgresql://dba@127.0.0.1:$replica/shop" -c "$1" 2>&1
}
is '... is a standby' "$(row 'SELECT pg_is_in_recovery()')" t
answer=$("$PGMEDIC" run 'promote twin' multi --dry-run 2>&1)
like '... whose lag a plan knows' "$answer" 'lag  *[0-9]'
fault kind=reset-after action=PromoteReadReplica times=1
op 'promote twin' multi --yes
is 'its promotion' "$(member state) $(member result.primary) $(member result.was_replica_of)" 'done twin lab'
is '... is one' "$(row 'SELECT pg_is_in_recovery()')" f
op 'restore drop twin' multi --yes
like '... which is no restored copy' "$(member state) $(member error.what)" '^refused twin is not what a restore has made'
op 'restore drop LAB' multi --yes
like 'nor the target, as RDS takes its name' "$(member state) $(member error.what)" '^refused lab is the target itself'
op 'replica drop twin' multi --yes
is 'what stands alone is not dropped as a replica' "$(member state) $(member error.code)" 'refused REFUSED'
op 'replica add other' multi --yes
fault kind=reset-after action=DeleteDBInstance times=1
op 'replica drop other' multi --yes
is 'a replica is dropped' "$(member state) $(member result.dropped)" 'done true'
is '... and its server with it' "$(ls "$dir/restores")" twin
op 'replica add slow' multi
is 'nothing without a confirmation' "$(member state) $(member error.code)" 'refused NOT_CONFIRMED'
like 'nothing is left behind' "$("$PGMEDIC" jobs)" 'none is lost'

kill -9 "$(head -n 1 "$dir/primary/postmaster.pid")"
like 'a lab whose primary has crashed is known all the same' "$(PGMEDIC_LAB=$dir "$PGMEDIC" show cloud lab </dev/null 2>&1)" 'status +available'
status 0 'down' "$PGMEDIC" lab down --directory "$dir"
finish
