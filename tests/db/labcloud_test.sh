#!/bin/sh
# The lab's cloud, driven by the real aws command-line client: what it accepts, and that it really acts.
# majors: system
# sanitizers: no
# long
. "$(dirname "$0")/../lib.sh"

need_pg
command -v pgbackrest >/dev/null 2>&1 || skip_all "pgbackrest is not installed"
[ -x "$(dirname "$PGMEDIC")/pgmedic-cloud" ] || skip_all "built without libmicrohttpd"
. "$test_dir/aws_cli.sh"
command -v curl >/dev/null 2>&1 || skip_all "curl is not installed"
PGMEDIC_PGBIN=$PG_BINDIR PGMEDIC_CLOUD_SNAPSHOT_MS=1000 PGMEDIC_CLOUD_REBOOT_MS=300 PGMEDIC_CLOUD_MODIFY_MS=300
PGMEDIC_CLOUD_OPTIMIZE_MS=300 PGMEDIC_CLOUD_DELETE_MS=100
export PGMEDIC_PGBIN PGMEDIC_CLOUD_SNAPSHOT_MS PGMEDIC_CLOUD_REBOOT_MS PGMEDIC_CLOUD_MODIFY_MS
export PGMEDIC_CLOUD_OPTIMIZE_MS PGMEDIC_CLOUD_DELETE_MS
dir=$TMP/lab

at_exit() {
	"$PGMEDIC" lab down --directory "$dir" >/dev/null 2>&1
}

# Processes that work in the folder, also after it was removed, or that the cloud has started.
left() {
	for proc in /proc/[0-9]*; do
		case $(readlink "$proc/cwd" 2>/dev/null) in
		"$dir" | "$dir"/* | "$dir (deleted)") echo "${proc#/proc/} $(cat "$proc/comm")" ;;
		esac
	done
	grep -lsz "^XDG_STATE_HOME=$dir/" /proc/[0-9]*/environ 2>/dev/null
}
no_process() {
	[ -z "$(left)" ]
}

status 0 'up with a cloud' "$PGMEDIC" lab up --directory "$dir" --cloud --no-load --no-pgbouncer
port=$(sed -n 's/^cloud //p' "$dir/pgmedic-lab")
url=http://127.0.0.1:$port
like 'status tells where it is' "$("$PGMEDIC" lab status --json --directory "$dir")" \
	"\"cloud\":\{\"uri\":\"[^\"]+\",\"endpoint_url\":\"$url\",\"region\":\"eu-central-1\".*\"running\":true\}"
like 'the lab is an instance of it' "$(PGMEDIC_LAB=$dir "$PGMEDIC" run snapshot lab --dry-run 2>&1)" "^endpoint +custom: $url"
is 'its keys are private' "$(stat -c %a "$dir/cloud/credentials" "$dir/cloud/cloud.conf" "$dir/cloud/control" | sort -u)" 600

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

# The password that RDS keeps for the master user; nobody has told it to pgmedic.
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target managed]
provider = rds
instance = lab
region = eu-central-1
endpoint_url = $url
password_secret = master
conninfo = host=127.0.0.1 port=$(aws rds describe-db-instances --query 'DBInstances[0].Endpoint.Port') dbname=shop
CONF
status 0 'the master user logs in by its secret' "$PGMEDIC" show activity managed --json
like 'the checklist is asked of it' "$("$PGMEDIC" doctor managed)" '^ok +encryption|^fail +encryption'
status 0 'the way to it is walked' "$PGMEDIC" diagnose connect managed
like '... with its state' "$(cat "$TMP/out")" '^ok +instance +lab is available'

instance() {	# MEMBER [WANTED]
	got=$(aws rds describe-db-instances --db-instance-identifier lab --query "DBInstances[0].$1")
	[ $# = 1 ] && echo "$got" || [ "$got" = "$2" ]
}

# ------------------------------------------------------------------ who

is 'a signed call' "$(aws sts get-caller-identity --query '[Account,Arn]')" '000000000000 arn:aws:iam::000000000000:user/lab'
like 'a wrong key' "$(AWS_ACCESS_KEY_ID=AKIANOSUCHKEY AWS_SECRET_ACCESS_KEY=x aws sts get-caller-identity)" 'InvalidClientTokenId'
like 'a wrong secret' "$(AWS_ACCESS_KEY_ID=$(sed -n 's/.*key_id = //p' "$TMP/credentials") AWS_SECRET_ACCESS_KEY=x \
	aws sts get-caller-identity)" 'SignatureDoesNotMatch'
is 'unsigned' "$(curl -s -o /dev/null -w '%{http_code}' -d 'Action=DescribeDBInstances' "$url/")" 403
is 'the control path needs its key' "$(curl -s -o /dev/null -w '%{http_code}' -d kind=html "$url/lab/faults")" 403
session=$(aws sts assume-role --role-arn arn:aws:iam::000000000000:role/dba --role-session-name me \
	--query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]')
like 'a session' "$(
	# shellcheck disable=SC2086 # three words
	set -- $session
	AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=$2 AWS_SESSION_TOKEN=$3 aws sts get-caller-identity --query Arn
)" ':assumed-role/dba/me$'
like '... without its token' "$(
	# shellcheck disable=SC2086 # three words
	set -- $session
	AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=$2 aws sts get-caller-identity
)" 'InvalidClientTokenId'

# ------------------------------------------------------------------ instances and snapshots

primary=$(sed -n 's/^primary \([0-9]*\).*/\1/p' "$dir/pgmedic-lab")
is 'the instance is there' "$(instance '[DBInstanceStatus,MultiAZ,Engine]')" "available True postgres"
is 'its endpoint leads to the primary' "$("$PG_BINDIR/psql" -X -A -t -q -d "postgresql://dba@127.0.0.1:$(instance Endpoint.Port)/shop" \
	-c 'SELECT inet_server_port()')" "$primary"
like 'another is not found' "$(aws rds describe-db-instances --db-instance-identifier other)" 'DBInstanceNotFound'
is 'a filter' "$(aws rds describe-db-instances --filters Name=db-instance-id,Values=lab --query 'length(DBInstances)')" 1

is 'a snapshot begins' "$(aws rds create-db-snapshot --db-instance-identifier lab --db-snapshot-identifier Before-X \
	--query 'DBSnapshot.[DBSnapshotIdentifier,Status]')" 'before-x creating'
# By curl, which is there at once: the client takes as long to start as the snapshot takes to be made.
key() { sed -n "s/^$1 *= *//p" "$TMP/credentials" | head -n 1; }
like 'the instance is busy' "$(curl -s --aws-sigv4 aws:amz:eu-central-1:rds --user "$(key aws_access_key_id):$(key aws_secret_access_key)" \
	-d 'Action=CreateDBSnapshot&DBInstanceIdentifier=lab&DBSnapshotIdentifier=other&Version=2014-10-31' "$url")" 'InvalidDBInstanceState'
snapshot_is() {
	[ "$(aws rds describe-db-snapshots --db-snapshot-identifier "$1" --query 'DBSnapshots[0].Status')" = "$2" ]
}
ok 'it is there' wait_for 30 snapshot_is before-x available
status 0 'as the client finds that waits for it' aws_cli --endpoint-url "$url" rds wait db-snapshot-available --db-snapshot-identifier before-x
label=$(aws rds describe-db-snapshots --db-snapshot-identifier before-x --query 'DBSnapshots[0].TagList[0].Value')
like 'it is a backup of pgBackRest' "$(pgbackrest --config="$dir/backrest/pgbackrest.conf" --stanza=lab info 2>&1)" "full backup: $label"
like 'its events' "$(aws rds describe-events --source-type db-snapshot --source-identifier before-x --query 'Events[].Message')" \
	'^Creating manual snapshot Manual snapshot created$'
ok 'the instance is available again' wait_for 10 instance DBInstanceStatus available
is 'a restore begins' "$(aws rds restore-db-instance-from-db-snapshot --db-snapshot-identifier before-x \
	--db-instance-identifier copy --query DBInstance.DBInstanceStatus)" creating
copy_is() {
	[ "$(aws rds describe-db-instances --db-instance-identifier copy --query 'DBInstances[0].DBInstanceStatus')" = "$1" ]
}
ok '... and ends' wait_for 60 copy_is available
# shellcheck disable=SC2046 # address and port
set -- $(aws rds describe-db-instances --db-instance-identifier copy --query 'DBInstances[0].Endpoint.[Address,Port]')
is 'it is a server of its own' "$("$PG_BINDIR/psql" -X -A -t -q -d "host=$1 port=$2 user=lab dbname=shop" \
	-c 'SELECT count(*) >= 40000 AND NOT pg_is_in_recovery() FROM orders' 2>&1)" t
like 'a time before all' "$(aws rds restore-db-instance-to-point-in-time --source-db-instance-identifier lab \
	--target-db-instance-identifier early --restore-time 2020-01-01T00:00:00Z)" 'InvalidParameterValue'
like 'a name is used once' "$(aws rds create-db-snapshot --db-instance-identifier lab --db-snapshot-identifier before-x)" \
	'DBSnapshotAlreadyExists'
like 'a name is a name' "$(aws rds create-db-snapshot --db-instance-identifier lab --db-snapshot-identifier a--b)" \
	'InvalidParameterValue'
is 'a copy' "$(aws rds copy-db-snapshot --source-db-snapshot-identifier before-x --target-db-snapshot-identifier second \
	--query DBSnapshot.Status)" creating
is 'a deletion' "$(aws rds delete-db-snapshot --db-snapshot-identifier before-x --query DBSnapshot.Status)" deleting
only_second() {
	[ "$(aws rds describe-db-snapshots --query 'DBSnapshots[].DBSnapshotIdentifier')" = second ]
}
ok '... leaves the copy' wait_for 10 only_second

# What is not of the lab's pair: restored, written to, and restored again from its own snapshots.
at_copy() {	# NAME SQL
	"$PG_BINDIR/psql" -X -A -t -q -d "host=$dir/restores/$1 port=$(aws rds describe-db-instances --db-instance-identifier "$1" \
		--query 'DBInstances[0].Endpoint.Port') user=lab dbname=shop" -c "$2" 2>&1
}
there() {	# NAME
	[ "$(aws rds describe-db-instances --db-instance-identifier "$1" --query 'DBInstances[0].DBInstanceStatus')" = available ]
}
at_copy copy 'CREATE TABLE mine AS SELECT 1 AS id'
is 'a snapshot of a restored instance' "$(aws rds create-db-snapshot --db-instance-identifier copy --db-snapshot-identifier of-copy \
	--query 'DBSnapshot.[DBInstanceIdentifier,Status]')" 'copy creating'
ok '... is there' wait_for 60 snapshot_is of-copy available
ok '... and the instance' wait_for 60 there copy
at_copy copy 'INSERT INTO mine VALUES (2)'
like 'a last snapshot, or none' "$(aws rds delete-db-instance --db-instance-identifier copy --skip-final-snapshot \
	--final-db-snapshot-identifier last)" 'can not be specified when SkipFinalSnapshot is true'
is 'an instance is deleted with a last snapshot' "$(aws rds delete-db-instance --db-instance-identifier copy \
	--final-db-snapshot-identifier last --query DBInstance.DBInstanceStatus)" deleting
ok '... which is there' wait_for 60 snapshot_is last available
is '... restored' "$(aws rds restore-db-instance-from-db-snapshot --db-snapshot-identifier last --db-instance-identifier two \
	--query DBInstance.DBInstanceStatus)" creating
is '... and the one before' "$(aws rds restore-db-instance-from-db-snapshot --db-snapshot-identifier of-copy \
	--db-instance-identifier one --query DBInstance.DBInstanceStatus)" creating
both() {
	there one && there two
}
ok '... both are servers' wait_for 60 both
is '... with what each had' "$(at_copy one 'SELECT count(*) FROM mine') $(at_copy two 'SELECT count(*) FROM mine')" '1 2'
for one in of-copy last; do
	aws rds delete-db-snapshot --db-snapshot-identifier "$one" >/dev/null
done
no_folder() {
	[ -z "$(ls "$dir/snapshots")" ]
}
ok '... and the snapshots go' wait_for 30 no_folder

is 'backups in another region' "$(aws rds start-db-instance-automated-backups-replication --backup-retention-period 3 \
	--source-db-instance-arn arn:aws:rds:eu-central-1:000000000000:db:lab --query DBInstanceAutomatedBackup.Status)" pending
is '... are told of' "$(aws rds describe-db-instance-automated-backups --db-instance-identifier lab \
	--query 'DBInstanceAutomatedBackups[0].[Region,BackupRetentionPeriod]')" 'eu-central-1 3'

# ------------------------------------------------------------------ reboot, modify

started() {
	"$PG_BINDIR/psql" -X -A -t -q -d "postgresql://dba@127.0.0.1:$primary/shop" -c 'SELECT pg_postmaster_start_time()' 2>/dev/null
}
before=$(started)
is 'a reboot' "$(aws rds reboot-db-instance --db-instance-identifier lab --query DBInstance.DBInstanceStatus)" rebooting
ok '... ends' wait_for 20 instance DBInstanceStatus available
ok '... and the server was restarted' [ "$(started)" '!=' "$before" ]
like '... as an event says' "$(aws rds describe-events --source-type db-instance --source-identifier lab --query 'Events[-1].Message')" \
	'^DB instance restarted$'
is 'a change that waits' "$(aws rds modify-db-instance --db-instance-identifier lab --db-instance-class db.m6g.large \
	--query 'DBInstance.[DBInstanceClass,PendingModifiedValues.DBInstanceClass]')" 'db.t4g.medium db.m6g.large'
is 'a change at once' "$(aws rds modify-db-instance --db-instance-identifier lab --allocated-storage 30 --apply-immediately \
	--query 'DBInstance.DBInstanceStatus')" modifying
ok '... is made' wait_for 20 instance '[DBInstanceStatus,DBInstanceClass,AllocatedStorage]' 'available db.m6g.large 30'
like 'storage does not shrink' "$(aws rds modify-db-instance --db-instance-identifier lab --allocated-storage 10)" \
	'InvalidParameterCombination'
like 'retention has bounds' "$(aws rds modify-db-instance --db-instance-identifier lab --backup-retention-period 99)" \
	'InvalidParameterValue'

# ------------------------------------------------------------------ parameters, classes, proxies

is 'a class that can be had' "$(aws rds describe-orderable-db-instance-options --engine postgres --db-instance-class db.r6g.large \
	--query 'length(OrderableDBInstanceOptions)')" 4
is 'a parameter of the group' "$(aws rds describe-db-parameters --db-parameter-group-name lab \
	--query "Parameters[?ParameterName=='work_mem'].[ApplyType,DataType,AllowedValues]")" 'dynamic integer 64-2147483647'
is 'a parameter is changed' "$(aws rds modify-db-parameter-group --db-parameter-group-name lab --parameters \
	ParameterName=work_mem,ParameterValue=7168,ApplyMethod=immediate \
	ParameterName=max_connections,ParameterValue=123,ApplyMethod=pending-reboot)" lab
work_mem() {
	"$PG_BINDIR/psql" -X -A -t -q -d "postgresql://dba@127.0.0.1:$primary/shop" -c 'SHOW work_mem' 2>/dev/null
}
is_set() {
	[ "$(work_mem)" = "$1" ]
}
ok '... on the server' wait_for 20 is_set 7MB
ok '... and a static one waits' wait_for 20 instance 'DBParameterGroups[0].ParameterApplyStatus' pending-reboot
is 'it is reset' "$(aws rds reset-db-parameter-group --db-parameter-group-name lab --parameters \
	ParameterName=work_mem,ApplyMethod=immediate)" lab
ok '... on the server, too' wait_for 20 is_set 4MB
ok '... and is done with it' wait_for 20 instance 'DBParameterGroups[0].ParameterApplyStatus' pending-reboot
like 'a value that it cannot have' "$(aws rds modify-db-parameter-group --db-parameter-group-name lab --parameters \
	ParameterName=work_mem,ParameterValue=1,ApplyMethod=immediate)" 'InvalidParameterValue.*allowed values are: 64-2147483647'
is 'a proxy' "$(aws rds create-db-proxy --db-proxy-name front --engine-family POSTGRESQL \
	--role-arn arn:aws:iam::000000000000:role/proxy --vpc-subnet-ids subnet-a subnet-b \
	--auth AuthScheme=SECRETS,SecretArn='arn:aws:secretsmanager:eu-central-1:000000000000:secret:rds!db-lab' \
	--query DBProxy.Status)" creating
proxy_is() {
	[ "$(aws rds describe-db-proxies --db-proxy-name front --query 'DBProxies[0].Status')" = "$1" ]
}
ok '... comes to be' wait_for 20 proxy_is available
is '... and its target' "$(aws rds register-db-proxy-targets --db-proxy-name front --db-instance-identifiers lab \
	--query 'DBProxyTargets[0].TargetHealth.State')" REGISTERING
is '... goes' "$(aws rds delete-db-proxy --db-proxy-name front --query DBProxy.Status)" deleting

# ------------------------------------------------------------------ pgmedic's own provider for RDS

mkdir -p "$XDG_CONFIG_HOME/pgmedic"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target cloud]
conninfo = postgresql://dba@127.0.0.1:$(instance Endpoint.Port)/shop
provider = rds
instance = lab
region = eu-central-1
endpoint_url = $url
CONF
is 'every reading action of the policy is answered' "$("$PGMEDIC" run 'cloud check' cloud </dev/null 2>&1 | grep '^[a-z-]*:' |
	grep -v -e ' allowed$' -e ' not tried:')" ''
is '... and every acting one is there' "$("$PGMEDIC" help policy | grep -o '"[a-z-]*:[A-Z][A-Za-z]*"' | tr -d '"' | sed 's/^cloudwatch:/monitoring:/' |
	grep -v '^iam:' | while IFS=: read -r service action; do
		grep -q "{ \"$service\", \"$action\"" "$test_dir"/../../src/labcloud/*.c || echo "$service:$action"
	done)" ''
like 'pgmedic makes a snapshot in it' "$("$PGMEDIC" run 'snapshot nine' cloud --yes --wait --json </dev/null 2>&1)" \
	'"state":"done".*"result":\{"snapshot":"nine","kind":"manual"'
like '... and lists it' "$("$PGMEDIC" run snapshots cloud </dev/null 2>&1)" '  nine +manual +[^ ]+ +available'
like '... which pauses no Multi-AZ instance' "$("$PGMEDIC" run snapshot cloud --dry-run </dev/null 2>&1)" 'make the snapshot: CreateDBSnapshot \['

# One whose end is not seen: the job waits as long as AWS is hard to reach, is stopped, and takes back what it has made.
ids() {
	aws rds describe-db-snapshots --query 'DBSnapshots[].DBSnapshotIdentifier'
}
before=$(ids)
fault kind=unavailable action=DescribeDBSnapshots
job=$(PGMEDIC_RDS_POLL_MS=100 "$PGMEDIC" run snapshot cloud --yes --json </dev/null 2>&1 | sed -n 's/.*"job":\([0-9]*\).*/\1/p')
unanswered() {
	"$PGMEDIC" run "job $job" cloud </dev/null 2>&1 | grep -q 'RDS does not answer: DescribeDBSnapshots: '
}
job_is() {
	"$PGMEDIC" run "job $job" cloud --json </dev/null 2>&1 | grep -q "\"state\":\"$1\""
}
ok 'an outage of AWS does not end a wait' wait_for 60 unanswered
"$PGMEDIC" run "job cancel $job" cloud </dev/null >/dev/null 2>&1
ok '... that can be stopped' wait_for 60 job_is failed
like '... what it has made is told' "$("$PGMEDIC" jobs </dev/null 2>&1)" 'left behind: the snapshot pgmedic-lab-[0-9-]+, which is billed'
curl -s -X DELETE -H "X-Lab-Key: $(cat "$dir/cloud/control")" "$url/lab/faults" >/dev/null
status 0 '... and taken back' "$PGMEDIC" run "job undo $job" cloud --yes --wait
same_ids() {
	[ "$(ids)" = "$before" ]
}
ok '... really' wait_for 60 same_ids
like 'there is no cluster of a name' "$(aws rds describe-db-clusters --db-cluster-identifier x)" 'DBClusterNotFoundFault'
like 'Enhanced Monitoring is off' "$(aws logs get-log-events --log-group-name RDSOSMetrics --log-stream-name "$(instance DbiResourceId)")" \
	'ResourceNotFoundException'

# ------------------------------------------------------------------ metrics

end=$(($(date +%s) + 5))
like 'CloudWatch in the Query protocol' "$(aws cloudwatch get-metric-data --start-time $((end - 60)) --end-time $end --metric-data-queries \
	'[{"Id":"a","MetricStat":{"Metric":{"Namespace":"AWS/RDS","MetricName":"DatabaseConnections",
	"Dimensions":[{"Name":"DBInstanceIdentifier","Value":"lab"}]},"Period":60,"Stat":"Maximum"}}]' \
	--query 'MetricDataResults[0].Values[0]')" '^[1-9]'
is 'an alarm' "$(aws cloudwatch put-metric-alarm --alarm-name memory --namespace AWS/RDS --metric-name FreeableMemory \
	--dimensions Name=DBInstanceIdentifier,Value=lab --statistic Average --period 10 --evaluation-periods 1 --threshold 1 \
	--comparison-operator LessThanThreshold)" ''
is '... and its state' "$(aws cloudwatch describe-alarms --query 'MetricAlarms[].[AlarmName,StateValue]')" 'memory OK'
key=$(sed -n 's/.*key_id = //p' "$TMP/credentials"):$(sed -n 's/.*access_key = //p' "$TMP/credentials")
like '... as JSON 1.0, signed by curl' "$(curl -s --aws-sigv4 aws:amz:eu-central-1:monitoring --user "$key" \
	-H 'X-Amz-Target: GraniteServiceVersion20100801.DescribeAlarms' -H 'Content-Type: application/x-amz-json-1.0' -d '{}' "$url/")" \
	'"AlarmName":"memory".*"StateUpdatedTimestamp":[0-9.]+,'
resource=$(instance DbiResourceId)
like 'Performance Insights' "$(aws pi get-resource-metrics --service-type RDS --identifier "$resource" --period-in-seconds 1 \
	--start-time $((end - 60)) --end-time $end --metric-queries '[{"Metric":"db.load.avg"}]' \
	--query 'MetricList[0].DataPoints[-1].Value')" '^[0-9]'
like 'the secret' "$(aws secretsmanager get-secret-value --secret-id 'rds!db-lab' --query SecretString)" '"username":"lab","password":"[0-9a-f]+"'
"$PG_BINDIR/psql" -X -q -d "postgresql://dba@127.0.0.1:$primary/shop" -c 'SELECT pg_sleep(30)' >/dev/null 2>&1 &
slept() {
	statement=$(aws pi describe-dimension-keys --service-type RDS --identifier "$resource" --metric db.load.avg --group-by Group=db.sql \
		--start-time $((end - 600)) --end-time $((end + 600)) --query 'Keys[0].Dimensions."db.sql.id"')
	[ "$statement" != None ]
}
ok 'a statement has been seen' wait_for 30 slept
like 'the text of a statement' "$(aws pi get-dimension-key-details --service-type RDS --identifier "$resource" --group db.sql \
	--group-identifier "$statement" --requested-dimensions statement --query 'Dimensions[0].[Dimension,Status]')" \
	'^db.sql.statement AVAILABLE$'
is 'what the load has dimensions of' "$(aws pi list-available-resource-dimensions --service-type RDS --identifier "$resource" \
	--metrics db.load --query 'MetricDimensions[].Groups[].Group')" 'db.wait_event db.user db.sql_tokenized db.sql'
like 'which metrics there are' "$(aws cloudwatch list-metrics --namespace AWS/RDS --metric-name CPUUtilization \
	--query 'Metrics[].Dimensions[].Value')" '^lab( |$)'

# ------------------------------------------------------------------ readers, by themselves

readers() {
	aws rds describe-db-clusters --db-cluster-identifier aurora --query \
		'length(DBClusters[0].DBClusterMembers[?!IsClusterWriter])'
}
like 'a least number of readers' "$(aws application-autoscaling register-scalable-target --service-namespace rds --resource-id cluster:aurora \
	--scalable-dimension rds:cluster:ReadReplicaCount --min-capacity 2 --max-capacity 3)" '^(arn:.*)?$'
like '... a policy' "$(aws application-autoscaling put-scaling-policy --service-namespace rds --resource-id cluster:aurora \
	--scalable-dimension rds:cluster:ReadReplicaCount --policy-name cpu --policy-type TargetTrackingScaling \
	--target-tracking-scaling-policy-configuration \
	'{"TargetValue":60,"PredefinedMetricSpecification":{"PredefinedMetricType":"RDSReaderAverageCPUUtilization"}}' \
	--query PolicyARN)" 'policyName/cpu$'
scaled() {
	[ "$(aws application-autoscaling describe-scaling-activities --service-namespace rds \
		--query 'ScalingActivities[0].StatusCode')" = Successful ]
}
ok '... is really made' wait_for 60 scaled
is '... another one' "$(readers)" 2
reader=$(aws rds describe-db-instances --filters Name=db-cluster-id,Values=aurora --query \
	"DBInstances[?starts_with(DBInstanceIdentifier, 'application-autoscaling')].Endpoint.Port")
is '... a standby' "$("$PG_BINDIR/psql" -X -A -t -q -d "postgresql://dba@127.0.0.1:$reader/shop" -c 'SELECT pg_is_in_recovery()' 2>&1)" t
is '... as it was asked for' "$(aws application-autoscaling describe-scalable-targets --service-namespace rds \
	--query 'ScalableTargets[].[MinCapacity,MaxCapacity]')" '2 3'
is '... and ends' "$(aws application-autoscaling deregister-scalable-target --service-namespace rds --resource-id cluster:aurora \
	--scalable-dimension rds:cluster:ReadReplicaCount)" ''
is '... with its policies' "$(aws application-autoscaling describe-scaling-policies --service-namespace rds \
	--query 'length(ScalingPolicies)')" 0
is '... and keeps what is there' "$(readers)" 2

# ------------------------------------------------------------------ the network

group=$(instance 'VpcSecurityGroups[0].VpcSecurityGroupId')
endpoint=$(instance Endpoint.Port)
reached() {
	PGCONNECT_TIMEOUT=2 "$PG_BINDIR/psql" -X -A -t -q -d "postgresql://dba@127.0.0.1:$endpoint/shop" -c 'SELECT 1' >/dev/null 2>&1
}
not_reached() {
	! reached
}
is 'who is let in' "$(aws ec2 describe-security-groups --group-ids "$group" \
	--query 'SecurityGroups[].IpPermissions[].[FromPort,ToPort,IpRanges[0].CidrIp]')" "$endpoint $endpoint 127.0.0.0/8"
is '... rule by rule' "$(aws ec2 describe-security-group-rules --filters Name=group-id,Values="$group" \
	--query 'SecurityGroupRules[?!IsEgress].CidrIpv4')" 127.0.0.0/8
like '... of no other group' "$(aws ec2 describe-security-groups --group-ids sg-other)" 'InvalidGroup.NotFound'
is 'the subnets' "$(aws ec2 describe-subnets --filters Name=vpc-id,Values="$(instance DBSubnetGroup.VpcId)" \
	--query 'Subnets[].AvailabilityZone')" 'eu-central-1a eu-central-1b'
is 'the routes' "$(aws ec2 describe-route-tables --query 'RouteTables[].Routes[].DestinationCidrBlock')" '10.99.0.0/16 0.0.0.0/0'
is 'the ACL' "$(aws ec2 describe-network-acls --filters "Name=association.subnet-id,Values=$(instance \
	'DBSubnetGroup.Subnets[0].SubnetIdentifier')" --query 'NetworkAcls[].Entries[?!Egress].RuleAction')" 'allow deny'
is 'the machine of a class' "$(aws ec2 describe-instance-types --instance-types r6g.large \
	--query 'InstanceTypes[].[VCpuInfo.DefaultVCpus,MemoryInfo.SizeInMiB]')" '2 16384'
fault kind=denied action=DescribeSubnets times=1
like 'denied, as EC2 says it' "$(aws ec2 describe-subnets)" 'UnauthorizedOperation'
fault kind=throttle action=DescribeSubnets times=1
like 'throttled, as EC2 says it' "$(aws ec2 describe-subnets)" 'RequestLimitExceeded'
like 'the way to the lab' "$("$PGMEDIC" run 'diagnose connect' cloud </dev/null 2>&1)" "security group +port $endpoint is open for 127.0.0.1"
fault kind=port-closed
ok 'with the port closed nobody comes through' wait_for 20 not_reached
like '... as is found' "$("$PGMEDIC" run 'diagnose connect' cloud </dev/null 2>&1)" \
	"fail +security group +no rule lets port $endpoint from 127.0.0.1"
is '... and mended as is said' "$(aws ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port "$endpoint" \
	--cidr 127.0.0.1/32 --query 'SecurityGroupRules[].CidrIpv4')" 127.0.0.1/32
ok '... really' wait_for 20 reached
is '... and taken back' "$(aws ec2 revoke-security-group-ingress --group-id "$group" --protocol tcp --port "$endpoint" \
	--cidr 127.0.0.1/32 --query Return)" True
ok '... which closes it again' wait_for 20 not_reached
curl -s -X DELETE -H "X-Lab-Key: $(cat "$dir/cloud/control")" "$url/lab/faults" >/dev/null
ok '... until the fault is over' wait_for 20 reached

# ------------------------------------------------------------------ tags, groups of clusters

arn=$(instance DBInstanceArn)
is 'tags' "$(aws rds add-tags-to-resource --resource-name "$arn" --tags Key=owner,Value=me Key=use,Value=lab)$(aws rds \
	list-tags-for-resource --resource-name "$arn" --query 'TagList[].[Key,Value]')" 'owner me use lab'
is '... are taken away' "$(aws rds remove-tags-from-resource --resource-name "$arn" --tag-keys owner)$(aws rds \
	list-tags-for-resource --resource-name "$arn" --query 'TagList[].Key')" use
is 'a subnet group' "$(aws rds describe-db-subnet-groups --db-subnet-group-name lab --query 'length(DBSubnetGroups[0].Subnets)')" 2
is 'parameter groups of clusters' "$(aws rds describe-db-cluster-parameter-groups \
	--query 'DBClusterParameterGroups[0].DBClusterParameterGroupName')" lab
is '... set the same server' "$(aws rds modify-db-cluster-parameter-group --db-cluster-parameter-group-name lab --parameters \
	ParameterName=work_mem,ParameterValue=9216,ApplyMethod=immediate)" lab
ok '... really' wait_for 20 is_set 9MB
is '... and reset it' "$(aws rds reset-db-cluster-parameter-group --db-cluster-parameter-group-name lab --parameters \
	ParameterName=work_mem,ApplyMethod=immediate)" lab
ok '... too' wait_for 20 is_set 4MB
is 'backups of a cluster' "$(aws rds modify-db-cluster --db-cluster-identifier aurora --backup-retention-period 9 \
	--query DBCluster.BackupRetentionPeriod)" 9

# ------------------------------------------------------------------ logs

file=$(aws rds describe-db-log-files --db-instance-identifier lab --query 'DescribeDBLogFiles[0].LogFileName')
like 'a log file' "$file" '^error/postgresql-.*\.log$'
like 'its text' "$(aws rds download-db-log-file-portion --db-instance-identifier lab --log-file-name "$file" --starting-token 0)" \
	'database system is ready to accept connections'
like 'another file' "$(aws rds download-db-log-file-portion --db-instance-identifier lab --log-file-name error/../pgmedic-lab)" \
	'DBLogFileNotFoundFault'

# ------------------------------------------------------------------ faults

fault kind=throttle action=DescribeDBInstances times=1
like 'throttled' "$(aws rds describe-db-instances)" 'Throttling.*Rate exceeded'
fault kind=throttle action=DescribeDBInstances times=2
is '... twice, and the client gets through' "$(AWS_MAX_ATTEMPTS=3 instance DBInstanceStatus)" available
fault kind=denied action=DescribeEvents times=1
like 'denied' "$(aws rds describe-events)" \
	'AccessDenied.*User: arn:aws:iam::000000000000:user/lab is not authorized to perform: rds:DescribeEvents on resource: .* because no'
fault kind=expired times=1
like 'expired' "$(aws rds describe-events)" 'ExpiredToken'
fault kind=unavailable times=1
like 'unavailable' "$(aws rds describe-events)" '503'
fault kind=html times=1
like 'a proxy answers' "$(aws rds describe-events)" '502|parse'
fault kind=reset-before times=1
like 'cut' "$(aws rds describe-events)" 'Connection was closed|reset'
fault kind=unknown-fields action=DescribeDBInstances times=1
is 'unknown fields and states' "$(instance DBInstanceStatus)" lab-unknown-state-available
fault kind=slow action=DescribeDBInstances times=1 value=500
is 'a slow body' "$(instance DBInstanceStatus)" available
fault kind=page action=DescribeEvents value=2
ok 'pages' [ "$(aws rds describe-events --query 'length(Events)' | tr ' ' '+')" '!=' "$(aws rds describe-events --no-paginate --query 'length(Events)')" ]
fault kind=clock value=1800000
like 'a clock that is ahead' "$(aws sts get-caller-identity)" 'Signature expired: .* is now earlier than'
curl -s -X DELETE -H "X-Lab-Key: $(cat "$dir/cloud/control")" "$url/lab/faults" >/dev/null
is 'all cleared' "$(instance DBInstanceStatus)" available

# ------------------------------------------------------------------ down

aws rds create-db-snapshot --db-instance-identifier lab --db-snapshot-identifier third >/dev/null
status 0 'down while a snapshot is made' "$PGMEDIC" lab down --directory "$dir"
is 'no folder' "$(ls -d "$dir" 2>/dev/null)" ''
is 'no process' "$(wait_for 5 no_process || left)" ''
finish
