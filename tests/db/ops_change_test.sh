#!/bin/sh
# What changes an instance of RDS: class, storage, IOPS, its parameter group, Performance Insights. In the lab's cloud,
# which moves by the clock and really sets parameters; with moto, which is not ours, where calls are accepted and read.
# majors: system
# long
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"

need_pg
command -v pgbackrest >/dev/null 2>&1 || skip_all "pgbackrest is not installed"
[ -x "$(dirname "$PGMEDIC")/pgmedic-cloud" ] || skip_all "built without libmicrohttpd"
aws_program=/usr/bin/aws
[ -x "$aws_program" ] || aws_program=$(command -v aws) || skip_all "the aws command-line client is not installed"
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
AWS_SHARED_CREDENTIALS_FILE=$TMP/credentials AWS_DEFAULT_REGION=eu-central-1 AWS_PAGER='' AWS_EC2_METADATA_DISABLED=true
export AWS_SHARED_CREDENTIALS_FILE AWS_DEFAULT_REGION AWS_PAGER AWS_EC2_METADATA_DISABLED

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

aws() {	# SERVICE OPERATION [OPTION...]: text, on one line
	"$aws_program" --endpoint-url "$url" --output text "$@" 2>&1 | tr '\n\t' '  ' | sed 's/  */ /g; s/^ //; s/ $//'
}
instance() {	# MEMBER [WANTED]
	got=$(aws rds describe-db-instances --db-instance-identifier lab --query "DBInstances[0].$1")
	[ $# = 1 ] && echo "$got" || [ "$got" = "$2" ]
}
at_rest() {
	wait_for 30 instance DBInstanceStatus available || fail "the instance comes to rest"
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
is "a class waits for its window" "$(member state) $(member result.state) $(instance '[DBInstanceClass,PendingModifiedValues.DBInstanceClass]')" \
	"done pending db.t4g.medium db.m6g.large"
op "job undo $(member job)" cloud --yes
is "... and is called off" "$(member state) $(instance '[DBInstanceClass,PendingModifiedValues.DBInstanceClass]')" \
	"done db.t4g.medium None"
op 'scale class db.m6g.large now' cloud --yes
is "a class now" "$(member state) $(member result.state) $(member result.from) $(instance DBInstanceClass)" \
	"done applied db.t4g.medium db.m6g.large"
for wrong in 'class db.m6g.large' 'class m6g.large' 'class db.x9.huge' 'class db.m6g.xlarge soon' 'storage 21GB' 'storage 10GB' \
	'storage much' 'storage 100GB iops 5000' 'iops 4000' 'width 3'; do
	op "scale $wrong" cloud --yes
	like "refused: scale $wrong" "$(member state) $(member error.code)" '^(refused|failed) (USAGE|REFUSED)$'
done

# ------------------------------------------------------------------ storage

op 'scale storage 500GB iops 13000' cloud --yes
is "storage grows, and may be used while it is optimized" \
	"$(member result.state) $(member result.status) $(instance '[AllocatedStorage,Iops]')" "applied storage-optimization 500 13000"
op 'scale iops 14000' cloud --yes
is "not again before that ends" "$(member error.code)" STATE
op 'storage max 700GB' cloud --yes
is "autoscaling up to" "$(member result.state) $(instance MaxAllocatedStorage)" "applied 700"
at_rest
op 'storage max off' cloud --yes
is "... no more" "$(member result.state) $(member result.to)" "applied 500"
op "job undo $(member job)" cloud --yes
is "... again" "$(member state) $(instance MaxAllocatedStorage)" "done 700"
op 'scale iops 14000' unreachable --yes
is "IOPS, without an SQL connection" "$(member result.from) $(member result.to) $(instance Iops)" "13000 14000 14000"

# ------------------------------------------------------------------ insights

op 'insights off' cloud --yes
is "insights off" "$(member result.state) $(instance PerformanceInsightsEnabled)" "applied False"
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
is "... in the group it is a number" "$(aws rds describe-db-parameters --db-parameter-group-name lab --source user \
	--query 'Parameters[].[ParameterName,ParameterValue,ApplyMethod]')" "work_mem 65536 immediate"
op "job undo $job" cloud --yes
reset() {
	[ "$(show work_mem)" = 4MB ]
}
ok "... set back" wait_for 20 reset
is "... is not in the group" "$(aws rds describe-db-parameters --db-parameter-group-name lab --source user --query 'length(Parameters)')" 0
op 'set max_connections 111' cloud --yes
is "a static one" "$(member result.state) $(member result.in_effect) $(member result.context)" "pending_restart 100 static"
pending() {
	instance 'DBParameterGroups[0].ParameterApplyStatus' pending-reboot
}
ok "... waits for a reboot" wait_for 20 pending
aws rds reboot-db-instance --db-instance-identifier lab >/dev/null
at_rest
is "... is in effect after it" "$(show max_connections) $(instance 'DBParameterGroups[0].ParameterApplyStatus')" "111 in-sync"
op 'set autovacuum_naptime 2min' unreachable --yes
is "without an SQL connection the unit is of the description" "$(member state) $(member result.to)" "done 120"
for wrong in 'fsync off' 'nosuch 1' 'work_mem 1' 'work_mem lots' 'autovacuum perhaps'; do
	op "set $wrong" cloud --yes
	like "refused: set $wrong" "$(member state) $(member error.code)" '^(refused|failed) (NOT_FOUND|USAGE|REFUSED)$'
done
aws rds modify-db-instance --db-instance-identifier lab --db-parameter-group-name "default.postgres$PG_MAJOR" --apply-immediately >/dev/null
at_rest
op 'set work_mem 64MB' cloud --yes
like "AWS's own group" "$(member error.code) $(member error.hint)" '^REFUSED .*create-db-parameter-group'

# ------------------------------------------------------------------ moto

"$PGMEDIC" lab down --directory "$dir" >/dev/null 2>&1
if ! python3 -c 'import moto.server' 2>/dev/null; then
	skip "moto is not installed"
	finish
fi
free_port
url=http://127.0.0.1:$port
spawn python3 -m moto.server -H 127.0.0.1 -p "$port" >"$TMP/moto.log" 2>&1
wait_for 30 grep -q Running "$TMP/moto.log" || { cat "$TMP/moto.log"; finish; }
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target moto]
conninfo =
provider = rds
instance = shop
region = eu-central-1
endpoint_url = $url
CONF
aws rds create-db-parameter-group --db-parameter-group-name own --db-parameter-group-family postgres15 --description own >/dev/null
aws rds create-db-instance --db-instance-identifier shop --db-instance-class db.t3.medium --engine postgres --allocated-storage 100 \
	--storage-type io1 --iops 3000 --db-parameter-group-name own --master-username lab --master-user-password secret123 >/dev/null
op 'scale class db.m6g.large now' moto --yes
is "moto: class" "$(member state) $(member result.state) $(aws rds describe-db-instances --query 'DBInstances[0].DBInstanceClass')" \
	"done applied db.m6g.large"
op 'scale storage 200GB iops 4000' moto --yes
is "moto: storage" "$(member state) $(aws rds describe-db-instances --query 'DBInstances[0].[AllocatedStorage,Iops]')" "done 200 4000"
op 'storage max 1000' moto --yes
is "moto: maximum" "$(member state)" "done"
op 'insights on' moto --yes
like "moto: insights" "$(member state) $(member result.state)" '^done (applied|accepted)$'
op 'set log_min_duration_statement 1000' moto --yes
is "moto: parameter" "$(member state) $(aws rds describe-db-parameters --db-parameter-group-name own \
	--query 'Parameters[].[ParameterName,ParameterValue]')" "done log_min_duration_statement 1000"
finish
