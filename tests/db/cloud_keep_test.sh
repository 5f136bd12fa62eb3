#!/bin/sh
# What is kept of RDS's snapshots, against an AWS that is not ours (moto): dropped, copied to another region.
# majors: system
# long
# sanitizers: no
. "$(dirname "$0")/../lib.sh"
. "$test_dir/moto.sh"
. "$test_dir/backup.sh"

python3 -c 'import moto.server' 2>/dev/null || skip_all "moto is not installed"
for name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p'); do
	unset "$name"
done
start_moto
AWS_ACCESS_KEY_ID=AKIDPLANTED AWS_SECRET_ACCESS_KEY=planted-secret AWS_EC2_METADATA_DISABLED=true
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_EC2_METADATA_DISABLED
call=${PGMEDIC_BUILD:-$SOURCE}/tests/tool/aws_call
rds() {
	"$call" -e "$url" -r "${region:-eu-west-1}" rds "$@"
}
make() {	# REGION: an instance "lab"
	region=$1
	rds CreateDBInstance DBInstanceIdentifier=lab DBInstanceClass=db.m5.large Engine=postgres MasterUsername=a \
	    MasterUserPassword=abcdefgh1 AllocatedStorage=20 BackupRetentionPeriod=1 >/dev/null
	region=''
}
make eu-west-1
make us-gov-west-1
rds CreateDBCluster DBClusterIdentifier=flock Engine=aurora-postgresql MasterUsername=a MasterUserPassword=abcdefgh1 \
    StorageEncrypted=true >/dev/null
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
PGMEDIC_RDS_POLL_MS=50
export PGMEDIC_RDS_POLL_MS
target() {	# NAME KEY REGION
	printf '[target %s]\nprovider = rds\n%s\nregion = %s\nendpoint_url = %s\nconninfo = host=127.0.0.1 port=1\n' "$1" "$2" "$3" "$url" \
	    >>"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
}
target lab 'instance = lab' eu-west-1
target gov 'instance = lab' us-gov-west-1
target flock 'cluster = flock' eu-west-1
printf '[target named]\nendpoint_url = %s\nconninfo = host=flock.cluster-abc.eu-west-1.rds.amazonaws.com hostaddr=127.0.0.1 port=1\n' \
    "$url" >>"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
snapshots() {
	rds DescribeDBSnapshots SnapshotType=manual | sed -n 's/.*DBSnapshotIdentifier //p' | sort -u | tr '\n' ' '
}

op "snapshot one" lab --yes
op "snapshot two" lab --yes
is "two snapshots" "$(snapshots)" "one two "
op "restore latest to again" lab --dry-run
like "the latest is restored as it is verified" "$(member plan.0.effect)" 'RestoreDBInstanceFromDBSnapshot'
op "snapshot" named --dry-run
like "an endpoint's name tells the cluster" "$(member state) $(member plan.0.effect)" '^planned CreateDBClusterSnapshot'
op "snapshot copy one --region eu-central-1 --as far" lab --yes
is "a copy in another region" "$(member state) $(member result.snapshot) $(member result.region)" "done far eu-central-1"
like "... is there" "$(region=eu-central-1 snapshots)" '^far '
like "... with the job's tag" "$(region=eu-central-1 rds DescribeDBSnapshots DBSnapshotIdentifier=far)" 'Key pgmedic-job'
op "snapshot copy one --region eu-central-1 --as far" lab --yes
is "... once" "$(member state) $(member error.code)" "refused REFUSED"
op "snapshot copy one --as three" lab --yes
is "a copy in its own region" "$(member state) $(snapshots)" "done one three two "
op "snapshot copy one --region cn-north-1" lab --yes
is "another partition is out of reach" "$(member state) $(member error.code)" "refused REFUSED"
op "snapshot copy one --region nowhere" lab --yes
is "a region is a region" "$(member error.code)" USAGE
op "snapshot copy one" lab --yes
is "somewhere, or under another name" "$(member error.code)" USAGE
op "snapshot one" gov --yes
AWS_SESSION_TOKEN=planted-token op "snapshot copy one --region us-gov-east-1" gov --yes --log "$TMP/gov.log"
is "between regions of a government" "$(member state) $(region=us-gov-east-1 snapshots)" "done one "
like "... with a URL that is signed before" "$(cat "$TMP/witness/requests")" 'PreSignedUrl.*X-Amz-Signature'
echo "$answer" >"$TMP/gov.answer"
is "... which nobody else sees" "$(grep -r -l -e planted- -e X-Amz-Signature= "$XDG_STATE_HOME" "$TMP/gov.log" "$TMP/gov.answer")" ""

op "snapshot drop three" lab --dry-run
is "a plan to drop changes nothing" "$(member state) $(snapshots)" "planned one three two "
op "snapshot drop three" lab --yes
is "one is dropped" "$(member state) $(member result.dropped) $(snapshots)" 'done ["three"] one two '
op "snapshot drop three" lab --yes
is "... once" "$(member error.code)" NOT_FOUND
automated=$(rds DescribeDBSnapshots SnapshotType=automated | sed -n 's/.*DBSnapshotIdentifier //p' | head -n 1)
if [ -n "$automated" ]; then
	op "snapshot drop $automated" lab --yes
	is "an automated one is RDS's" "$(member state) $(member error.code)" "refused REFUSED"
fi

# A name that is taken by an attempt of ours that is not shown yet, or by another.
left() {
	"$PGMEDIC" jobs | grep -c "left behind: the snapshot $1,"
}
aws_fault "CreateDBSnapshot $(aws_refuses DBSnapshotAlreadyExists)"
op "snapshot perhaps" lab --yes
is "a name that is taken by what is not seen may be ours" "$(member state) $(left perhaps)" "refused 1"
op "job undo $(member job)" lab --yes
is "... which undo looks for" "$(member state) $(left perhaps)" "done 0"
rds CreateDBSnapshot DBSnapshotIdentifier=theirs DBInstanceIdentifier=lab >/dev/null
nothing=$(aws_refuses DBSnapshotNotFound 404)
aws_fault "DescribeDBSnapshots $nothing" "DescribeDBSnapshots $nothing"
op "snapshot theirs" lab --yes
is "... by another's it is not" "$(member state) $(member error.code) $(left theirs)" "refused REFUSED 0"
rds DeleteDBSnapshot DBSnapshotIdentifier=theirs >/dev/null
change='DescribeDBSnapshots change <Status>available'
aws_fault "$change <Status>failed" "$change <Status>failed" "$change <Status>failed"
op "snapshot broken" lab --yes
is "a snapshot that has failed is left behind" "$(member state) $(left broken)" "failed 1"
aws_fault "$change <Status>deleting" "$change <Status>deleting"
op "job undo $(member job)" lab --yes
is "... and left to go where it goes already" "$(member state) $(left broken) $(grep -c '"DeleteDBSnapshot".*"broken"' "$TMP/witness/requests")" \
    "done 0 0"
aws_fault
rds DeleteDBSnapshot DBSnapshotIdentifier=broken >/dev/null

op "snapshot one" flock --yes
is "a cluster's snapshot" "$(member state) $(member result.snapshot)" "done one"
op "snapshot copy one --region eu-central-1" flock --dry-run
like "an encrypted one needs a key there" "$("$PGMEDIC" run "snapshot copy one --region eu-central-1" flock --dry-run)" \
    'alias/aws/rds of eu-central-1'
op "snapshot copy one --region eu-central-1" flock --yes
is "... and is copied" "$(member state) $(member result.region)" "done eu-central-1"
op "snapshot drop one --last" flock --yes
is "... and dropped" "$(member state) $(member result.snapshot)" "done one"
unlike "... and is gone" "$(rds DescribeDBClusterSnapshots)" 'DBClusterSnapshotIdentifier one'


# Retention: automated ones by their days, manual ones by their tag.
op "snapshot keep-weekly weekly" lab --yes
is "a weekly one" "$(member state)" "done"
like "... is tagged" "$(rds DescribeDBSnapshots DBSnapshotIdentifier=keep-weekly)" 'Value weekly'
op "snapshot keep-daily daily" lab --yes
op "snapshot keep-last daily" lab --yes
text=$("$PGMEDIC" run "backup retention daily 10 weekly 90" lab --dry-run 2>&1)
like "a plan changes how far automated ones reach back" "$text" '1 to 10 days'
like "... leaves those without a tag alone" "$text" 'stays +one .*left alone'
op "backup retention daily 40" lab --yes
is "set" "$(member state) $(member result.daily_days)" "done 40"
like "... to 35 days, RDS's most" "$(rds DescribeDBInstances DBInstanceIdentifier=lab)" 'BackupRetentionPeriod 35'
is "... nothing is dropped" "$(member result.dropped)" "[]"
like "the list says when they expire" "$("$PGMEDIC" run snapshots lab)" 'keep-daily +manual .* daily, expires 20'
PGMEDIC_NOW=$(date -u -d '+20 days' +%Y-%m-%dT%H:%M:%SZ)
export PGMEDIC_NOW
op "backup retention daily 10 weekly 90" lab --yes
unset PGMEDIC_NOW
is "what has had its days is deleted" "$(member state) $(member result.dropped)" 'done ["keep-daily"]'
is "... and nothing else" "$(snapshots)" "keep-last keep-weekly one two "
op "backup retention daily 2" flock --yes
is "of a cluster, too" "$(member state)" "done"
like "... its days are changed" "$(rds DescribeDBClusters DBClusterIdentifier=flock)" 'BackupRetentionPeriod 2'


# A restored instance is removed again: one with the tag of a job.
op "restore one to copy" lab --yes
is "restored" "$(member state)" "done"
op "restore drop lab" lab --yes
is "the target itself is not dropped" "$(member state) $(member error.code)" "refused REFUSED"
rds CreateDBInstance DBInstanceIdentifier=byhand DBInstanceClass=db.m5.large Engine=postgres MasterUsername=a \
    MasterUserPassword=abcdefgh1 AllocatedStorage=20 >/dev/null
op "restore drop byhand" lab --yes
is "nor what no restore has made" "$(member state) $(member error.code)" "refused REFUSED"
op "restore drop copy" lab --yes
is "it is dropped" "$(member state) $(member result.name)" "done copy"
is "... and nothing else" "$(rds DescribeDBInstances | sed -n 's/.*DBInstanceIdentifier //p' | sort -u | tr '\n' ' ')" "byhand lab "

unlike "no secret in journal or state" "$(grep -r -a -l -e planted-secret -e X-Amz-Signature "$XDG_STATE_HOME" 2>/dev/null)" .
judged
finish
