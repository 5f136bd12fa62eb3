#!/bin/sh
# Operations on RDS against an AWS that is not ours: moto (python3-moto). Snapshots are made, found again and never
# made twice, restored beside their source, taken back; what is refused is refused before anything is asked for.
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
AWS_ACCESS_KEY_ID=AKIDPLANTED AWS_SECRET_ACCESS_KEY=planted-secret AWS_SESSION_TOKEN=planted-token
AWS_EC2_METADATA_DISABLED=true
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_EC2_METADATA_DISABLED
call=${PGMEDIC_BUILD:-$SOURCE}/tests/tool/aws_call
rds() {
	"$call" -e "$url" -r eu-west-1 rds "$@"
}
rds CreateDBInstance DBInstanceIdentifier=lab DBInstanceClass=db.m5.large Engine=postgres MasterUsername=a \
    MasterUserPassword=abcdefgh1 AllocatedStorage=20 BackupRetentionPeriod=7 >/dev/null
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target lab]
provider = rds
instance = lab
region = eu-west-1
endpoint_url = $url
conninfo = host=127.0.0.1 port=1 dbname=postgres
[target seen]
provider = rds
instance = lab
region = eu-west-1
endpoint_url = $url
conninfo = $db_uri
[target blind]
provider = rds
instance = lab
region = eu-west-1
endpoint_url = $url
[target gone]
provider = rds
instance = gone
region = eu-west-1
endpoint_url = $url
conninfo = host=127.0.0.1 port=1 dbname=postgres
CONF

answer=$("$PGMEDIC" run "snapshot one" lab --dry-run 2>&1)
like "a plan names the instance and the account" "$answer" 'lab in eu-west-1, account 123456789012, available'
like "... and that the endpoint is not AWS's" "$answer" "custom: $url"
unlike "... and changes nothing" "$(rds DescribeDBSnapshots)" 'DBSnapshotIdentifier one'
op "snapshot one" lab --yes
is "a snapshot, without an SQL connection" "$(member state) $(member result.snapshot) $(member result.kind)" "done one manual"
is "... of its size" "$(member result.size_bytes)" 21474836480
like "... carries the job's tag" "$(rds DescribeDBSnapshots DBSnapshotIdentifier=one)" 'Key pgmedic-job'
op "snapshot one" lab --yes
is "a name is used once" "$(member state) $(member error.code)" "refused REFUSED"
op "snapshot a--b" lab --yes
is "a name is a name" "$(member error.code)" USAGE
op "snapshot" gone --yes
is "an instance that is not there" "$(member error.code)" NOT_FOUND
like "... says where was looked" "$(member error.hint)" 'region'
like "snapshots are listed" "$("$PGMEDIC" run snapshots lab)" 'one +manual'
op snapshots lab
like "... for scripts, too" "$answer" '"snapshot":"one"'

op "cloud check" lab
is "what is allowed is tried out" "$(member state)" "done"
like "... and said of each action" "$answer" '"rds:DescribeDBInstances":"allowed"'
like "... also of what AWS does not say" "$answer" '"pi:GetResourceMetrics":"unknown: '
"$PGMEDIC" help policy >"$TMP/policy"
is "two policies are documents" "$(python3 - "$TMP/policy" <<'PY'
import json, re, sys
found = re.findall(r"^\{.*?^\}", open(sys.argv[1]).read(), re.S | re.M)
print([sorted({a.partition(":")[0] for s in json.loads(d)["Statement"] for a in s["Action"]}) for d in found][1:], len(found))
PY
)" "[['application-autoscaling', 'cloudwatch', 'iam', 'rds']] 2"

op "restore one to copy" lab --yes
is "a restore beside the source" "$(member state) $(member result.name)" "done copy"
like "... with its endpoint" "$(member result.endpoint)" '^copy\..*:5432$'
op "restore one to lab" lab --yes
is "... never over it" "$(member state) $(member error.code)" "refused REFUSED"
op "restore --at latest to later" lab --yes
is "a restore to a moment" "$(member state) $(member result.name)" "done later"
op "restore --at 2099-01-01 00:00:00Z to never" lab --yes
is "a moment that is not there yet" "$(member state) $(member error.code)" "refused REFUSED"
op "restore --at 2020-01-01T00:00:00Z to never" lab --yes
is "... or not any more" "$(member state) $(member error.code)" "refused REFUSED"
op "restore nothing to never" lab --yes
is "a snapshot that is not there" "$(member error.code)" NOT_FOUND
unlike "nothing of that was asked for" "$(rds DescribeDBInstances)" 'never'

PGMEDIC_RDS_POLL_MS=50 PGMEDIC_RDS_SIGN_MS=300
export PGMEDIC_RDS_POLL_MS PGMEDIC_RDS_SIGN_MS
plan=$("$PGMEDIC" run "verify one" lab --dry-run 2>&1)
like "a source that does not answer here is said before anything is paid for" "$plan" 'the source does not answer from here'
op "verify one" blind --yes
is "without a conninfo it is restored, which does not count as verified" "$(member state) $(member result.passed) $op_status" "done false 1"
like "... as the plan says" "$("$PGMEDIC" run "verify one" blind --dry-run 2>&1)" 'has no conninfo: what is restored cannot be read'
like "... RDS restores it" "$answer" '"name":"restore","passed":true'
unlike "... it is gone" "$(rds DescribeDBInstances)" 'verify-one'
arn=$(rds DescribeDBSnapshots DBSnapshotIdentifier=one | sed -n 's/^ *DBSnapshotArn //p')
rds AddTagsToResource ResourceName="$arn" Tags.Tag.1.Key=pgmedic-verified Tags.Tag.1.Value=2026-01-01T00:00:00Z >/dev/null
op "verify one" seen --yes
is "a scratch that cannot be reached is no backup that is good" "$(member state) $(member result.passed) $op_status" "done false 1"
like "... RDS has restored it" "$answer" '"name":"restore","passed":true'
like "... and it is said why" "$answer" '"name":"connect","passed":false,"detail":"RDS says it is available, and it cannot'
unlike "... it is gone" "$(rds DescribeDBInstances)" 'verify-one'
like "... and not marked: the verdict of before holds" "$("$PGMEDIC" run snapshots lab)" ' one .*verified 2026-01-01'

# ------------------------------------------------------------------ answers that are none

page='<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>'
portal='<html><head><title>Log in</title></head><body/></html>'
cut='<DescribeDBInstancesResponse><DescribeDBInst'
for once in "status 502 $page" "status 200 $cut" "status 200 " "cut 60"; do
	aws_fault "DescribeDBInstances $once"
	op "snapshot" lab --dry-run
	is "once, ${once%%>*}: asked again" "$(member state)" planned
done
aws_fault "DescribeDBInstances status 502 $page" "DescribeDBInstances status 502 $page" "DescribeDBInstances status 502 $page" \
    "DescribeDBInstances status 502 $page"
op "snapshot" lab --dry-run
is "a proxy's page is told by its title" "$(member error.what)" 'DescribeDBInstances: a web page, not AWS: "502 Bad Gateway"'
aws_fault "DescribeDBInstances status 200 $portal" "DescribeDBInstances status 200 $portal" \
    "DescribeDBInstances status 200 $portal" "DescribeDBInstances status 200 $portal"
op "restore drop copy" lab --yes
is "a portal's page does not say that nothing is there" "$(member state) $(member error.code)" "failed FORMAT"
like "... nor is it shown" "$(member error.what)" "the answer to DescribeDBInstances is not AWS's: it is <html>"
like "... but what may be between" "$(member error.hint)" 'proxy'
aws_fault "CreateDBSnapshot status 200 $portal"
op "snapshot lost" lab --yes
is "what was sent, and answered by somebody else, is not called done" "$(member state)" failed
unlike "... when it was not" "$(rds DescribeDBSnapshots)" 'DBSnapshotIdentifier lost'
aws_fault "CreateDBSnapshot cut 60"
op "snapshot found" lab --yes
is "... and is found where it was" "$(member state) $(member result.snapshot)" "done found"
aws_fault "DescribeDBInstances change <DBInstanceStatus>available <Future><A/></Future><DBInstanceStatus>quantum-flux"
op "snapshot" lab --dry-run
is "a state of the future is no state to act in" "$(member error.code) $(member error.what)" \
    "STATE lab is quantum-flux: no snapshot can be made"
aws_fault "DescribeDBInstances status 403 <ErrorResponse><Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/x is not \
authorized to perform: rds:DescribeDBInstances because no identity-based policy allows it</Message></Error></ErrorResponse>"
op "snapshot" lab --dry-run
like "what is not allowed is said" "$(member error.code) $(member error.what)" \
    'DENIED rds:DescribeDBInstances is not allowed to user/x: no identity-based policy allows it'
like "... to whom" "$(member error.hint)" '^Identity: environment'

unlike "no secret in journal or state" "$(grep -r -a -l -e planted-secret -e planted-token "$XDG_STATE_HOME" 2>/dev/null)" .
AWS_SECRET_ACCESS_KEY='' "$PGMEDIC" run "snapshot x" lab --dry-run >"$TMP/out" 2>&1
like "half a key is said" "$(cat "$TMP/out")" 'AWS_SECRET_ACCESS_KEY is not'
judged
finish
