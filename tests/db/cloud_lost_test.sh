#!/bin/sh
# What is lost on the way to AWS, with the lab's cloud: an answer that is cut off after the call was done, a worker
# that is killed while it waits. Nothing is made twice, nothing is forgotten.
# majors: system
# long
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"

need_pg
command -v pgbackrest >/dev/null 2>&1 || skip_all "pgbackrest is not installed"
command -v curl >/dev/null 2>&1 || skip_all "curl is not installed"
[ -x "$(dirname "$PGMEDIC")/pgmedic-cloud" ] || skip_all "built without libmicrohttpd"
PGMEDIC_PGBIN=$PG_BINDIR PGMEDIC_CLOUD_SNAPSHOT_MS=6000 AWS_EC2_METADATA_DISABLED=true
export PGMEDIC_PGBIN PGMEDIC_CLOUD_SNAPSHOT_MS AWS_EC2_METADATA_DISABLED
dir=$TMP/lab

at_exit() {
	"$PGMEDIC" lab down --directory "$dir" >/dev/null 2>&1
}

"$PGMEDIC" lab up --directory "$dir" --cloud --no-load --no-pgbouncer >"$TMP/up.log" 2>&1 || { cat "$TMP/up.log"; exit 1; }
url=http://127.0.0.1:$(sed -n 's/^cloud //p' "$dir/pgmedic-lab")
cp "$dir/cloud/credentials" "$TMP/credentials"
AWS_SHARED_CREDENTIALS_FILE=$TMP/credentials
export AWS_SHARED_CREDENTIALS_FILE
primary=$(sed -n 's/^primary \([0-9]*\).*/\1/p' "$dir/pgmedic-lab")
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target prod]
provider = rds
instance = lab
region = eu-central-1
endpoint_url = $url
conninfo = host=127.0.0.1 port=1 dbname=postgres
[target shop]
provider = rds
instance = lab
region = eu-central-1
endpoint_url = $url
conninfo = postgresql://lab:$(sed -n 's/^password = //p' "$dir/cloud/cloud.conf")@127.0.0.1:$primary/shop
critical_queries = $TMP/critical.sql
CONF
cat >"$TMP/critical.sql" <<'SQL'
-- name: relations
SELECT count(*) > 100 FROM pg_class;
SQL

fault() {	# NAME=VALUE&...
	curl -s -f -X POST -H "X-Lab-Key: $(cat "$dir/cloud/control")" -d "$1" "$url/lab/faults" >/dev/null
}
made() {	# how many snapshots have that name
	"$PGMEDIC" run snapshots prod | grep -c " $1 "
}

fault 'kind=reset-after&action=CreateDBSnapshot&times=1'
op "snapshot cut" prod --yes
is "an answer that was cut off: found by its mark" "$(member state) $(member result.snapshot)" "done cut"
is "... and made once" "$(made cut)" 1
fault 'kind=throttle&action=CreateDBSnapshot&times=2'
op "snapshot slow" prod --yes
is "throttled: made all the same" "$(member state) $(made slow)" "done 1"

fault 'kind=reset-after&action=RestoreDBInstanceFromDBSnapshot&times=1'
op "restore cut to copy" prod --yes
is "a restore whose answer was cut off: found, too" "$(member state) $(member result.name)$(member error.what)" "done copy"

# Its process is known before it is waited for: what waits goes on soon.
has_pid() {	# JOB
	pid=$(python3 - "$XDG_STATE_HOME/pgmedic/journal.db" "$1" <<'PY'
import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("SELECT coalesce(pid, 0) FROM acts WHERE id = ?", (sys.argv[2],)).fetchone()[0])
PY
	)
	[ "$pid" -gt 1 ]
}
answer=$("$PGMEDIC" run "snapshot killed" prod --json --yes </dev/null)
job=$(member job)
wait_for 20 has_pid "$job"
waits() {
	"$PGMEDIC" run "job $job" prod | grep -q '^now  *wait'
}
ok "a job waits" wait_for 20 waits
kill -9 "$pid"
wait_for 10 gone "$pid"
op "job resume $job" prod --yes
is "killed, it goes on" "$(member state) $(member result.snapshot)" "done killed"
is "... and has made one" "$(made killed)" 1

fault 'kind=reset-after&action=DeleteDBSnapshot&times=1'
op "snapshot drop slow" prod --yes
is "an answer to a deletion was cut off: it is gone" "$(member state) $(made slow)" "done 0"
op "snapshot drop killed" prod --yes
is "dropped" "$(member state) $(made killed)" "done 0"
op "snapshot drop cut" prod --yes
is "the last one is not" "$(member state) $(member error.what)" "refused nothing that can be restored would be left"
# Rows that are older than all transactions that the copy will have used by itself.
"$PG_BINDIR/psql" -X -q -d "postgresql://dba@127.0.0.1:$primary/shop" -c "DO \$\$ BEGIN FOR i IN 1 .. 40000 LOOP
    PERFORM pg_current_xact_id(); COMMIT; END LOOP; END \$\$"
op "snapshot tagged weekly" prod --yes
op "backup retention daily 7 weekly 90" prod --yes
is "retention" "$(member state) $(member result.dropped)" "done []"
like "... by the tag" "$("$PGMEDIC" run snapshots prod)" 'tagged .*weekly, expires 20'
fault 'kind=reset-after&action=StartDBInstanceAutomatedBackupsReplication&times=1'
op "backup replicate eu-west-1" prod --yes
is "backups in another region" "$(member state) $(member result.region) $(member result.status)" "done eu-west-1 replicating"
op "backup replicate eu-west-1" prod --yes
is "... are asked for once" "$(member state) $(member error.code)" "refused REFUSED"
op "backup replicate cn-north-1" prod --yes
is "another partition is out of reach" "$(member state)" refused
fault 'kind=reset-after&action=DeleteDBInstance&times=1'
op "restore drop copy" prod --yes
is "a restored instance is dropped" "$(member state) $(member result.name)" "done copy"
# ------------------------------------------------------------------ verify

instances() {
	"${PGMEDIC_BUILD:-$SOURCE}/tests/tool/aws_call" -e "$url" -r eu-central-1 rds DescribeDBInstances |
	    sed -n 's/^ *DBInstanceIdentifier \(verify-.*\)/\1/p'
}
no_scratch() {
	[ -z "$(instances)" ]
}
check_of() {	# NAME: "passed detail" of the last answer
	printf '%s' "$answer" | python3 -c '
import json, sys
for c in (json.load(sys.stdin)["result"] or {"checks": []})["checks"]:
    if c["name"] == sys.argv[1]:
        print("passed" if c["passed"] else "failed", c["detail"])' "$1"
}
fault 'kind=reset-after&action=RestoreDBInstanceFromDBSnapshot&times=1'
op "verify tagged" shop --yes
is "a snapshot is restored and looked through" "$(member state) $(member result.passed) $(member result.snapshot)" \
    "done true tagged"
[ "$(member result.passed)" = true ] || printf '%s\n' "$answer"
like "... it answers" "$(check_of connect)" '^passed PostgreSQL'
like "... amcheck" "$(check_of amcheck)" '^passed'
like "... rows of the source from before it" "$(check_of rows)" '^passed [0-9]+ rows of [0-9]+ tables'
like "... critical queries" "$(check_of queries)" '^passed 1 of'
like "... checksums" "$(check_of checksums)$(member result.notes)" '^passed on|checksums: the cluster has none'
like "... RTO and RPO" "$(member result.rto_s) $(member result.rpo_s)" '^[0-9.]+ [0-9.]+$'
is "... and the scratch is gone" "$(instances)" ""
like "... the snapshot is marked, for everybody" "$("$PGMEDIC" run snapshots shop)" \
    'tagged .*verified 20'
rds() {
	"${PGMEDIC_BUILD:-$SOURCE}/tests/tool/aws_call" -e "$url" -r eu-central-1 rds "$@"
}
rds AddTagsToResource ResourceName=arn:aws:rds:eu-central-1:000000000000:snapshot:tagged Tags.Tag.1.Key=pgmedic-verified \
    Tags.Tag.1.Value="failed 2099-01-01T00:00:00Z" >/dev/null
unlike "... and withdrawn, wherever that was found" "$("$PGMEDIC" run snapshots shop)" 'verified 20'
answer=$("$PGMEDIC" run "verify tagged" shop --json --yes </dev/null)
job=$(member job)
is "a verify is begun" "$(member state)" running
wait_for 20 has_pid "$job"
ok "... and waits for its scratch" wait_for 60 waits
kill -9 "$pid"
wait_for 10 gone "$pid"
like "killed there, the scratch is said" "$("$PGMEDIC" run jobs shop)" 'verify-tagged, which is billed'
op "job undo $job" shop --yes
is "... undo" "$(member state) $(member error.what)" "done "
ok "... takes it away" wait_for 60 no_scratch

op "backup replicate stop eu-west-1" prod --yes
is "backups in another region are ended" "$(member state) $(member result.region) $(member result.status)" "done eu-west-1 stopped"
op "backup replicate stop eu-west-1" prod --yes
is "... once" "$(member error.code)" REFUSED

secret=$(sed -n 's/^aws_secret_access_key *= *//p' "$TMP/credentials" | head -n 1)
unlike "the secret is not kept" "$(grep -r -a -l -F -e "$secret" "$XDG_STATE_HOME")" .
finish
