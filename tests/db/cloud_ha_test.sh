#!/bin/sh
# Failover, switchover, promotion and replicas of RDS against an AWS that is not ours: moto (python3-moto), which takes a
# reboot with failover without doing anything, so that a call which was taken and had no effect is seen to be that.
# majors: system
# long
. "$(dirname "$0")/../lib.sh"
. "$test_dir/moto.sh"
. "$test_dir/backup.sh"

python3 -c 'import moto.server' 2>/dev/null || skip_all "moto is not installed"
for name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p'); do
	unset "$name"
done
start_moto
start_pg db
AWS_ACCESS_KEY_ID=AKIDPLANTED AWS_SECRET_ACCESS_KEY=planted-secret AWS_EC2_METADATA_DISABLED=true
PGMEDIC_RDS_POLL_MS=50 PGMEDIC_RDS_SIGN_MS=1000
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_EC2_METADATA_DISABLED PGMEDIC_RDS_POLL_MS PGMEDIC_RDS_SIGN_MS
call=${PGMEDIC_BUILD:-$SOURCE}/tests/tool/aws_call
region=eu-west-1
rds() {
	"$call" -e "$url" -r "$region" rds "$@"
}
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
instance() {	# NAME [PARAMETER...]
	one=$1
	shift
	rds CreateDBInstance DBInstanceIdentifier="$one" DBInstanceClass=db.m5.large Engine=postgres MasterUsername=a \
	    MasterUserPassword=abcdefgh1 AllocatedStorage=20 "$@" >/dev/null
}
target() {	# NAME KEY
	cat >>"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target $1]
provider = rds
$2 = $1
region = eu-west-1
endpoint_url = $url
conninfo = host=127.0.0.1 port=1 dbname=postgres
CONF
}
instance lab BackupRetentionPeriod=7 MultiAZ=true
instance single BackupRetentionPeriod=0
rds CreateDBCluster DBClusterIdentifier=aur Engine=aurora-postgresql MasterUsername=a MasterUserPassword=abcdefgh1 \
    ServerlessV2ScalingConfiguration.MinCapacity=0.5 ServerlessV2ScalingConfiguration.MaxCapacity=8 >/dev/null
for one in aur-1 aur-2; do
	rds CreateDBInstance DBInstanceIdentifier=$one DBClusterIdentifier=aur DBInstanceClass=db.r6g.large \
	    Engine=aurora-postgresql >/dev/null
done
target lab instance
target single instance
target aur cluster
target aur-2 instance
writer() {
	rds DescribeDBClusters DBClusterIdentifier=aur | tr '\n' ' ' |
	    sed 's/.*DBInstanceIdentifier \(aur-[0-9]\) *IsClusterWriter true.*/\1/; s/.*IsClusterWriter true.*DBInstanceIdentifier \(aur-[0-9]\).*/\1/'
}

# ------------------------------------------------------------------ instances

op failover single --yes
is "no failover without a standby" "$(member state) $(member error.code)" "refused REFUSED"
like "... and it says which gate" "$(member error.what)" "gate 'Multi-AZ' is red"
op switchover lab --yes
is "a Multi-AZ instance has no switchover" "$(member error.code)" UNSUPPORTED
like "... and what it has instead" "$(member error.hint)" 'failover'
answer=$("$PGMEDIC" run failover lab --dry-run 2>&1)
like "a plan says what is sent" "$answer" 'RebootDBInstance, ForceFailover'
like "... and that the server cannot be reached" "$answer" 'not reached: what happens is judged by RDS alone'
op failover lab --yes
is "a call that was taken and does nothing is no success" "$(member state) $(member error.code)" "failed TIMEOUT"
like "... and it says why" "$(member error.what)" \
    'nothing shows that the instance lab has failed over: RDS took the call, then no event, available, the zone still eu-west-1'
like "... and what to do" "$(member error.hint)" 'its events .* before you give it again'

# ------------------------------------------------------------------ clusters

is "the writer" "$(writer)" aur-1
op "switchover aur-1" aur --yes
like "who is the writer need not become it" "$(member error.what)" "gate 'member' is red: aur-1 is the writer already"
op "switchover nobody" aur --yes
like "nor who is no member" "$(member error.what)" "nobody is no member"
op switchover aur --yes
is "a switchover needs a name" "$(member error.code)" USAGE
op "switchover aur-2" aur --yes
is "a switchover to a member" "$(member state) $(member result.writer_before) $(member result.writer_after)" "done aur-1 aur-2"
is "... is one for RDS, too" "$(writer)" aur-2
op failover aur-2 --yes
is "a failover by the name of an instance of it" "$(member state) $(member result.cluster) $(member result.writer_after)" \
    "done aur aur-1"
sed -i "/^\[target aur\]/,/^conninfo/ s|^conninfo.*|conninfo = $db_uri|" "$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
op failover aur --yes
is "a failover of what conninfo does not lead to is one" "$(member state) $(member result.writer_after)" "done aur-2"
like "... and that is said" "$(member result.notes)" 'conninfo leads to the same server as before'
op "promote aur-2" aur --yes
is "a reader does not stand alone" "$(member error.code)" UNSUPPORTED

# ------------------------------------------------------------------ replicas

op "replica add r0" single --yes
like "no replica without backups" "$(member error.what) $(member error.hint)" "gate 'retention' is red: .*\`backup retention daily 7\`"
op "replica add r1 --class db.m5.xlarge" lab --yes
is "a replica" "$(member state) $(member result.replica) $(member result.source)" "done r1 lab"
like "... of that class, with the job's tag" "$(rds DescribeDBInstances DBInstanceIdentifier=r1 | tr '\n' ' ')" \
    'db.m5.xlarge.*pgmedic-job'
op "replica add r1" lab --yes
is "a name is used once" "$(member error.code)" REFUSED
op "replica add far --region us-east-1" lab --yes
is "a replica in another region" "$(member state) $(member result.region)" "done us-east-1"
region=us-east-1
like "... is there" "$(rds DescribeDBInstances DBInstanceIdentifier=far)" 'ReadReplicaSourceDBInstanceIdentifier'
region=eu-west-1
op "replica drop lab" lab --yes
is "the source is no replica" "$(member state) $(member error.code)" "refused REFUSED"
op "replica drop single" lab --yes
like "nor is another instance" "$(member error.what)" 'single is no read replica of lab'
op "replica drop r1" lab --yes
is "a replica is dropped" "$(member state) $(member result.dropped)" "done true"
unlike "... and gone" "$(rds DescribeDBInstances)" 'DBInstanceIdentifier r1'
op "replica add r2" lab --yes
op "promote single" lab --yes
like "only a replica is promoted" "$(member error.what)" 'no read replica of lab'
answer=$("$PGMEDIC" run "promote r2" lab --dry-run 2>&1)
like "that it is for good is said" "$answer" 'for good: r2 never follows its source again'
op "promote r2" lab --yes
# moto takes it, and leaves the replica one.
is "a promotion that did not happen is none" "$(member state) $(member error.code)" "failed TIMEOUT"
like "... and what RDS says is said" "$(member error.what)" 'nothing shows that r2 is promoted'
like "... it was asked to keep backups as the source" "$(rds DescribeDBInstances DBInstanceIdentifier=r2)" 'BackupRetentionPeriod 7'
op "replica add aur-3" aur --yes
is "a reader of a cluster" "$(member state) $(member result.source)" "done aur"
op "replica drop $(writer)" aur --yes
like "its writer is not dropped" "$(member error.what)" "gate 'member' is red: the writer"
op "replica drop aur-3" aur --yes
is "... a reader is" "$(member state) $(member result.dropped)" "done true"
# ------------------------------------------------------------------ restored clusters

op "snapshot base" aur --yes
is "a cluster snapshot" "$(member state) $(member result.snapshot)" "done base"
op "restore base to again" aur --yes
is "a cluster restored" "$(member state) $(member result.name)" "done again"
like "... with its endpoint" "$(member result.endpoint)" '^again-1\..*:[0-9]+$'
like "... has an instance, and the job's tag" "$(rds DescribeDBClusters DBClusterIdentifier=again | tr '\n' ' ')" \
    'DBInstanceIdentifier again-1.*pgmedic-job'
like "... scales as the source" "$(rds DescribeDBClusters DBClusterIdentifier=again)" 'MaxCapacity 8'
like "... of the source's class" "$(rds DescribeDBInstances DBInstanceIdentifier=again-1)" 'DBInstanceClass db.r6g.large'
op "restore base to aur" aur --yes
is "... never over it" "$(member state) $(member error.code)" "refused REFUSED"
op "restore --at latest to later" aur --yes
is "... to the latest moment" "$(member state) $(member result.name)" "done later"
# A cluster that is being made cannot be deleted: undo waits for it.
aws_fault "CreateDBInstance $(aws_refuses InvalidSubnet)"
op "restore base to third" aur --yes
job=$(member job)
like "a cluster without its instance is left behind" "$("$PGMEDIC" jobs)" 'left behind: the cluster third, which is billed'
busy='DescribeDBClusters change <Status>available <Status>creating'
aws_fault "DeleteDBCluster $(aws_refuses InvalidDBClusterStateFault)" "$busy" "$busy" "$busy"
op "job undo $job" aur --yes
is "... and taken back when it is made" "$(member state) $(member error.what)" "done "
unlike "... whole" "$(rds DescribeDBClusters)" 'DBClusterIdentifier third'
op "restore drop aur" aur --yes
is "the target itself is not dropped" "$(member state) $(member error.code)" "refused REFUSED"
op "restore drop again-1" aur-2 --yes
like "nor an instance out of a cluster" "$(member state) $(member error.what)" 'refused again-1 is of the cluster again'
# What was confirmed, and nothing that came since.
aws_fault "DeleteDBInstance $(aws_refuses AccessDenied 403)"
op "restore drop again" aur --yes
job=$(member job)
is "a drop that is not allowed" "$(member state) $(member error.code)" "failed DENIED"
rds CreateDBInstance DBInstanceIdentifier=guest DBClusterIdentifier=again DBInstanceClass=db.r6g.large Engine=aurora-postgresql >/dev/null
op "job resume $job" aur --yes
like "... goes on, not over what was added since" "$(member state) $(member error.what)" '^(failed|refused) guest was added to the cluster since'
rds DeleteDBInstance DBInstanceIdentifier=guest SkipFinalSnapshot=true >/dev/null
rds ModifyDBCluster DBClusterIdentifier=again DeletionProtection=true >/dev/null
op "job resume $job" aur --yes
like "... nor what is protected since" "$(member state) $(member error.what)" '^(failed|refused) again is protected against deletion'
rds ModifyDBCluster DBClusterIdentifier=again DeletionProtection=false >/dev/null
op "job resume $job" aur --yes
is "a restored cluster is dropped" "$(member state) $(member result.name)" "done again"
is "... whole, and nothing else" "$(rds DescribeDBInstances | sed -n 's/^ *DBInstanceIdentifier //p' | grep -c '^again') $(rds DescribeDBClusters |
    sed -n 's/^ *DBClusterIdentifier //p' | sort -u | tr '\n' ' ')" "0 aur later "
op "snapshot one" aur-2 --yes
like "backups are the cluster's" "$(member state) $(member error.what)" 'refused aur-2 is of the cluster aur'

unlike "no secret in journal or state" "$(grep -r -a -l -e planted-secret "$XDG_STATE_HOME" 2>/dev/null)" .
judged
finish
