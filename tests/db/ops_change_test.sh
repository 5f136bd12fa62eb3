#!/bin/sh
# What changes an instance of RDS: class, storage, IOPS, its parameter group, Performance Insights. In the lab's cloud,
# which moves by the clock and really sets parameters; with moto, which is not ours, where calls are accepted and read.
# majors: system
# sanitizers: no
# long
. "$(dirname "$0")/../lib.sh"
. "$test_dir/moto.sh"
. "$test_dir/backup.sh"

need_pg
command -v pgbackrest >/dev/null 2>&1 || skip_all "pgbackrest is not installed"
[ -x "$(dirname "$PGMEDIC")/pgmedic-cloud" ] || skip_all "built without libmicrohttpd"
curl --help all 2>/dev/null | grep -q -e --aws-sigv4 || skip_all "curl does not sign"
PGMEDIC_PGBIN=$PG_BINDIR PGMEDIC_CLOUD_REBOOT_MS=300 PGMEDIC_CLOUD_MODIFY_MS=600 PGMEDIC_CLOUD_OPTIMIZE_MS=8000
PGMEDIC_RDS_POLL_MS=100
export PGMEDIC_PGBIN PGMEDIC_CLOUD_REBOOT_MS PGMEDIC_CLOUD_MODIFY_MS PGMEDIC_CLOUD_OPTIMIZE_MS PGMEDIC_RDS_POLL_MS
for name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p'); do
	unset "$name"
done
dir=$TMP/lab

at_exit() {
	"$PGMEDIC" lab down --directory "$dir" >/dev/null 2>&1
}

"$PGMEDIC" lab up --directory "$dir" --cloud --no-load --no-pgbouncer >"$TMP/up.log" 2>&1 || {
	cat "$TMP/up.log"
	skip_all "the lab does not come up"
}
url=http://127.0.0.1:$(sed -n 's/^cloud //p' "$dir/pgmedic-lab")
primary=$(sed -n 's/^primary \([0-9]*\).*/\1/p' "$dir/pgmedic-lab")
cp "$dir/cloud/credentials" "$TMP/credentials"
key=$(sed -n 's/.*key_id = //p' "$TMP/credentials"):$(sed -n 's/.*access_key = //p' "$TMP/credentials")
AWS_SHARED_CREDENTIALS_FILE=$TMP/credentials AWS_EC2_METADATA_DISABLED=true
export AWS_SHARED_CREDENTIALS_FILE AWS_EC2_METADATA_DISABLED

mkdir -p "$XDG_CONFIG_HOME/pgmedic"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target cloud]
conninfo = postgresql://dba@127.0.0.1:$primary/shop
provider = rds
instance = lab
region = eu-central-1
endpoint_url = $url
[target unreachable]
conninfo =
provider = rds
instance = lab
region = eu-central-1
endpoint_url = $url
CONF

call() {	# SERVICE ACTION [&NAME=VALUE...]: the answer's XML, asked for by another client
	version=2014-10-31
	[ "$1" != monitoring ] || version=2010-08-01
	curl -s --aws-sigv4 "aws:amz:eu-central-1:$1" --user "$key" -d "Action=$2&Version=$version${3:-}" "$url/" | tr '\n' ' '
}
values() {	# NAME...: what elements of these names hold, in their order; of standard input
	grep -E -o "<($(echo "$*" | tr ' ' '|'))>[^<]*" | sed 's/^[^>]*>//' | tr '\n' ' ' | sed 's/ $//'
}
instance() {	# NAME... [is WANTED]
	call rds DescribeDBInstances '&DBInstanceIdentifier=lab' | values "$@"
}
is_available() {
	[ "$(instance DBInstanceStatus)" = available ]
}
at_rest() {
	wait_for 30 is_available || fail "the instance comes to rest"
}
show() {
	"$PG_BINDIR/psql" -X -A -t -q -d "postgresql://dba@127.0.0.1:$primary/shop" -c "SHOW $1" 2>&1
}
fault() {	# NAME=VALUE...
	curl -s -f -X POST -H "X-Lab-Key: $(cat "$dir/cloud/control")" -d "$(echo "$*" | tr ' ' '&')" "$url/lab/faults" >/dev/null
}

# ------------------------------------------------------------------ class

like "an outage is said" "$("$PGMEDIC" run 'scale class db.m6g.large now' cloud --dry-run)" 'OUTAGE +at once: .*connections are cut'
op 'scale class db.m6g.large' cloud --yes
is "a class waits for its window" "$(member state) $(member result.state) $(instance DBInstanceClass)" \
	"done pending db.t4g.medium db.m6g.large"
op "job undo $(member job)" cloud --yes
is "... and is called off" "$(member state) $(instance DBInstanceClass)" "done db.t4g.medium"
op 'scale class db.m6g.large now' cloud --yes
is "a class now" "$(member state) $(member result.state) $(member result.from) $(instance DBInstanceClass)" \
	"done applied db.t4g.medium db.m6g.large"
for wrong in 'class db.m6g.large' 'class db.x9.huge' 'storage 21GB' 'storage 100GB iops 5000' 'width 3'; do
	op "scale $wrong" cloud --yes
	like "refused: scale $wrong" "$(member state) $(member error.code)" '^(refused|failed) (USAGE|REFUSED)$'
done

# ------------------------------------------------------------------ storage

op 'scale storage 500GB iops 13000' cloud --yes
is "storage grows, and may be used while it is optimized" \
	"$(member result.state) $(member result.status) $(instance AllocatedStorage Iops)" "applied storage-optimization 500 13000"
op 'scale iops 14000' cloud --yes
is "not again before that ends" "$(member error.code)" STATE
op 'storage max 700GB' cloud --yes
is "autoscaling up to" "$(member result.state) $(instance MaxAllocatedStorage)" "applied 700"
op 'storage max off' cloud --yes
is "... no more" "$(member result.state) $(member result.to)" "applied 500"
op "job undo $(member job)" cloud --yes
is "... again" "$(member state) $(instance MaxAllocatedStorage)" "done 700"

# ------------------------------------------------------------------ insights

op 'insights off' cloud --yes
is "insights off" "$(member result.state) $(instance PerformanceInsightsEnabled)" "applied false"
op 'insights on days 30' cloud --yes
is "days that RDS does not have" "$(member error.code)" USAGE
op 'insights on days 31' cloud --yes
is "insights on" "$(member result.state) $(instance PerformanceInsightsRetentionPeriod)" "applied 31"

# ------------------------------------------------------------------ what is lost on the way is not sent twice

fault kind=reset-after action=ModifyDBInstance times=1
op 'storage max 800GB' cloud --yes
is "an answer that got lost" "$(member state) $(instance MaxAllocatedStorage)" "done 800"
fault kind=denied action=ModifyDBInstance times=1
op 'storage max 900GB' cloud --yes
is "a call that is not allowed" "$(member state) $(member error.code) $(instance MaxAllocatedStorage)" "failed DENIED 800"

# ------------------------------------------------------------------ the parameter group

like "a plan" "$("$PGMEDIC" run 'set work_mem 64MB' cloud --dry-run)" 'ModifyDBParameterGroup of lab, immediate'
op 'set work_mem 64MB' cloud --yes
is "a dynamic parameter" "$(member result.state) $(member result.in_effect) $(member result.group) $(show work_mem)" \
	"applied 64MB lab 64MB"
job=$(member job)
is "... in the group it is a number" "$(call rds DescribeDBParameters '&DBParameterGroupName=lab&Source=user' |
	values ParameterName ParameterValue ApplyMethod)" "work_mem 65536 immediate"
op "job undo $job" cloud --yes
reset() {
	[ "$(show work_mem)" = 4MB ]
}
ok "... set back" wait_for 20 reset
is "... is not in the group" "$(call rds DescribeDBParameters '&DBParameterGroupName=lab&Source=user' | values ParameterName)" ""
op 'set max_connections 111' cloud --yes
is "a static one" "$(member result.state) $(member result.in_effect) $(member result.context)" "pending_restart 100 static"
pending() {
	[ "$(instance ParameterApplyStatus)" = pending-reboot ]
}
ok "... waits for a reboot" wait_for 20 pending
call rds RebootDBInstance '&DBInstanceIdentifier=lab' >/dev/null
at_rest
is "... is in effect after it" "$(show max_connections) $(instance ParameterApplyStatus)" "111 in-sync"
op 'set autovacuum_naptime 2min' unreachable --yes
is "without an SQL connection the unit is of the description" "$(member state) $(member result.to)" "done 120"
for wrong in 'fsync off' 'nosuch 1' 'work_mem 1' 'autovacuum perhaps'; do
	op "set $wrong" cloud --yes
	like "refused: set $wrong" "$(member state) $(member error.code)" '^(refused|failed) (NOT_FOUND|USAGE|REFUSED)$'
done
call rds ModifyDBInstance "&DBInstanceIdentifier=lab&DBParameterGroupName=default.postgres$PG_MAJOR&ApplyImmediately=true" >/dev/null
at_rest
op 'set work_mem 64MB' cloud --yes
like "AWS's own group" "$(member error.code) $(member error.hint)" '^REFUSED .*create-db-parameter-group'

# ------------------------------------------------------------------ alarms

call monitoring PutMetricAlarm "&AlarmName=lab-cpu&Namespace=AWS%2FRDS&MetricName=CPUUtilization&Statistic=Average&Period=60\
&EvaluationPeriods=1&Threshold=55&ComparisonOperator=GreaterThanThreshold&Dimensions.member.1.Name=DBInstanceIdentifier\
&Dimensions.member.1.Value=lab&AlarmActions.member.1=arn%3Aaws%3Asns%3Aeu-central-1%3A000000000000%3Anight" >/dev/null
like "what is overwritten is shown" "$("$PGMEDIC" run 'alarm put' cloud --dry-run)" \
	'OVERWRITES +CPUUtilization > 55 % over 1 x 60 s'
op 'alarm put cpu 70 storage 5GB' cloud --yes
is "alarms" "$(member state) $(member result.created) $(member result.overwritten)" "done 2 1"
is "... as another client sees them" "$(call monitoring DescribeAlarms | values AlarmName MetricName Threshold EvaluationPeriods)" \
	"lab-cpu CPUUtilization 3 70 lab-storage FreeStorageSpace 1 5368709120 lab-connections DatabaseConnections 3 99"
like "... tell whom they told" "$(call monitoring DescribeAlarms '&AlarmNames.member.1=lab-cpu')" 'sns:eu-central-1:000000000000:night'
op 'alarm put cpu 70 storage 5GB' cloud --yes
is "... are there already" "$(member state) $(member error.code)" "refused REFUSED"

at_rest
op 'scale iops 14000' unreachable --yes
is "IOPS, without an SQL connection" "$(member result.from) $(member result.to) $(instance Iops)" "13000 14000 14000"

# ------------------------------------------------------------------ what grows by itself

op autoscaling cloud
is "storage that grows" "$(member state) $(member result.storage.state) $(member result.storage.max_gb)" "done on 800"
like "... its last activity" "$(member result.storage.last_activity)" 'allocated storage'
op 'autoscaling replicas 1 3' cloud --yes
is "readers of an instance are not scaled" "$(member error.code)" UNSUPPORTED

# ------------------------------------------------------------------ proxies

role=arn:aws:iam::000000000000:role/proxy
op 'proxy create front' cloud --yes
is "a proxy needs a role" "$(member error.code)" CONFIG
op "proxy create front role $role" cloud --yes
is "a proxy" "$(member state) $(member result.state) $(member result.target_health)" "done available AVAILABLE"
op "proxy create front role $role" cloud --yes
is "... is not made twice" "$(member error.code)" REFUSED
op "proxy create bad role $role secret arn:aws:secretsmanager:eu-central-1:000000000000:secret:other" cloud --yes
is "a secret that does not fit" "$(member state) $(member error.code)" "failed STATE"
like "... is said" "$(member error.what)" AUTH_FAILURE
op "job undo $(member job)" cloud --yes
only_front() {
	[ "$(call rds DescribeDBProxies | values DBProxyName)" = front ]
}
ok "... and what is left is taken back" wait_for 10 only_front
fault kind=reset-after action=CreateDBProxy times=1
op "proxy create second role $role" cloud --yes
is "an answer that got lost makes no second one" "$(member state) $(call rds DescribeDBProxies | values DBProxyName)" "done front second"
op 'proxy drop front' cloud --yes
is "dropped" "$(member state) $(member result.state) $(call rds DescribeDBProxies | values DBProxyName)" "done deleted second"

# ------------------------------------------------------------------ moto

"$PGMEDIC" lab down --directory "$dir" >/dev/null 2>&1
if ! python3 -c 'import moto.server' 2>/dev/null; then
	skip "moto is not installed"
	finish
fi
start_moto
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target moto]
conninfo =
provider = rds
instance = shop
region = eu-central-1
endpoint_url = $url
CONF
call rds CreateDBParameterGroup '&DBParameterGroupName=own&DBParameterGroupFamily=postgres15&Description=own' >/dev/null
call rds CreateDBInstance "&DBInstanceIdentifier=shop&DBInstanceClass=db.t3.medium&Engine=postgres&AllocatedStorage=100&StorageType=io1\
&Iops=3000&DBParameterGroupName=own&MasterUsername=lab&MasterUserPassword=secret123" >/dev/null
shop() {
	call rds DescribeDBInstances '&DBInstanceIdentifier=shop' | values "$@"
}
op 'scale class db.m6g.large now' moto --yes
is "moto: class" "$(member state) $(member result.state) $(shop DBInstanceClass)" \
	"done applied db.m6g.large"
op 'scale storage 200GB iops 4000' moto --yes
is "moto: storage" "$(member state)$(member error.what) $(shop AllocatedStorage Iops)" "done 200 4000"
op 'storage max 1000' moto --yes
is "moto: maximum" "$(member state)" "done"
op 'insights on' moto --yes
like "moto: insights" "$(member state) $(member result.state)" '^done (applied|accepted)$'
op 'set log_min_duration_statement 1000' moto --yes
is "moto: parameter" "$(member state) $(call rds DescribeDBParameters '&DBParameterGroupName=own' |
	values ParameterName ParameterValue)" "done log_min_duration_statement 1000"
op 'alarm put' moto --yes
is "moto: alarms" "$(member state) $(call monitoring DescribeAlarms | values AlarmName)" "done shop-cpu shop-storage shop-connections"
first=$(member job)
op 'alarm put cpu 60 sns arn:aws:sns:eu-central-1:000000000000:pager' moto --yes
second=$(member job)
op "job undo $first" moto --yes
is "moto: what has changed since is left" "$(member state) $(member error.code)" "refused CHANGED"
op "job undo $second" moto --yes
is "moto: alarms are put back" "$(member state) $(call monitoring DescribeAlarms | values Threshold | cut -d ' ' -f 1)" "done 80.0"
unlike "... and tell nobody, as before" "$(call monitoring DescribeAlarms)" 'pager'
op "job undo $first" moto --yes
is "... or taken away" "$(member state) $(call monitoring DescribeAlarms | values AlarmName)" "done "
subnets=$(curl -s --aws-sigv4 aws:amz:eu-central-1:ec2 --user "$key" -d 'Action=DescribeSubnets&Version=2016-11-15' "$url/" |
	values subnetId | cut -d ' ' -f 1,2 | tr ' ' ,)
op "proxy create front role $role secret arn:aws:secretsmanager:eu-central-1:000000000000:secret:x subnets $subnets" moto --yes
is "moto: a proxy" "$(member state) $(member result.target_health)" "done AVAILABLE"
op 'proxy drop front' moto --yes
is "moto: no proxy" "$(member state) $(call rds DescribeDBProxies | values DBProxyName)" "done "
call rds CreateDBCluster '&DBClusterIdentifier=aur&Engine=aurora-postgresql&MasterUsername=lab&MasterUserPassword=secret123' >/dev/null
call rds CreateDBInstance '&DBInstanceIdentifier=aur-1&DBClusterIdentifier=aur&DBInstanceClass=db.r6g.large&Engine=aurora-postgresql' >/dev/null
targets() {
	curl -s --aws-sigv4 aws:amz:eu-central-1:application-autoscaling --user "$key" -H 'Content-Type: application/x-amz-json-1.1' \
		-H 'X-Amz-Target: AnyScaleFrontendService.DescribeScalableTargets' -d '{"ServiceNamespace":"rds"}' "$url/"
}
sed -e 's/^\[target moto\]/[target aurora]/' -e 's/^instance = shop/cluster = aur/' \
	"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" >"$TMP/aurora.conf"
cat "$TMP/aurora.conf" >>"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
op 'autoscaling replicas 1 3 cpu 60' aurora --yes
like "moto: readers that are scaled" "$(targets)" '"MaxCapacity": ?3, ?"MinCapacity": ?1, ?"ResourceId": ?"cluster:aur"'

op autoscaling aurora
is "... are told" "$(member result.replicas.max) $(member result.replicas.policies.0.target)" "3 60"
op 'autoscaling replicas off' aurora --yes
unlike "... and ended" "$(targets)" 'cluster:aur'
op 'scale storage 200GB' aurora --yes
is "storage of Aurora is not of an instance" "$(member error.code)" UNSUPPORTED
op 'scale class db.r6g.xlarge now' aurora --yes
is "its class is, and of a cluster that of its writer" "$(member result.state) $(member result.instance)" "applied aur-1"
judged
finish
