#!/bin/sh
# Secrets of the cloud: keys of a session that a program prints, the master user's password out of Secrets Manager, IAM
# tokens minted at each login. Operations of RDS, pg_dump, a request for a second person and the command of an alert run
# with them: they are in nobody's arguments, in no other program's environment, in no core file and in no file that is
# written.
# majors: system
# long
# sanitizers: no
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"
. "$test_dir/tls.sh"

need_pg
command -v pgbackrest >/dev/null 2>&1 || skip_all "pgbackrest is not installed"
[ -x "$(dirname "$PGMEDIC")/pgmedic-cloud" ] || skip_all "built without libmicrohttpd"
command -v openssl >/dev/null || skip_all "openssl makes the certificates"
python3 -c 'import botocore.auth' 2>/dev/null || skip_all "botocore is not installed"
for name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p'); do
	unset "$name"
done
PGMEDIC_PGBIN=$PG_BINDIR PGMEDIC_CLOUD_SNAPSHOT_MS=500 PGMEDIC_CLOUD_MODIFY_MS=300 PGMEDIC_CLOUD_DELETE_MS=100
PGMEDIC_RDS_POLL_MS=200 AWS_EC2_METADATA_DISABLED=true
export PGMEDIC_PGBIN PGMEDIC_CLOUD_SNAPSHOT_MS PGMEDIC_CLOUD_MODIFY_MS PGMEDIC_CLOUD_DELETE_MS PGMEDIC_RDS_POLL_MS
export AWS_EC2_METADATA_DISABLED
dir=$TMP/lab
at_exit() {
	touch "$TMP/stop"
	"$PGMEDIC" lab down --directory "$dir" >/dev/null 2>&1
}
status 0 'a lab with a cloud' "$PGMEDIC" lab up --directory "$dir" --cloud --no-load --no-pgbouncer
url=http://127.0.0.1:$(sed -n 's/^cloud //p' "$dir/pgmedic-lab")
primary=$(sed -n 's/^primary \([0-9]*\).*/\1/p' "$dir/pgmedic-lab")

# ------------------------------------------------------------------ the secrets

# Keys of a session, as a program prints them; the words that nobody may see.
call=${PGMEDIC_BUILD:-$SOURCE}/tests/tool/aws_call
AWS_SHARED_CREDENTIALS_FILE=$dir/cloud/credentials "$call" -e "$url" -r eu-central-1 sts AssumeRole \
    RoleArn=arn:aws:iam::000000000000:role/dba RoleSessionName=me >"$TMP/session"
python3 - "$TMP" "$dir" <<'PY'
import json, re, sys
tmp, lab = sys.argv[1:]
said = dict(line.split(None, 1) for line in open(tmp + "/session") if len(line.split()) == 2)
keys = {name: said[name].strip() for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")}
json.dump({"Version": 1, **keys}, open(tmp + "/keys.json", "w"))
kept = dict(re.findall(r"^(\w+) = (.*)$", open(lab + "/cloud/cloud.conf").read(), re.M))
words = [keys["SecretAccessKey"], keys["SessionToken"], kept["secret_key"], kept["password"], "X-Amz-Signature=",
         "planted-once"]
open(tmp + "/words", "w").write("\n".join(words) + "\n")
PY
is "there are secrets" "$(grep -c ........ "$TMP/words")" 6
cat >"$TMP/config" <<CONF
[profile dba]
credential_process = /bin/cat $TMP/keys.json
CONF
AWS_CONFIG_FILE=$TMP/config
export AWS_CONFIG_FILE
endpoint=lab.abc123.eu-central-1.rds.amazonaws.com
make_ca rds-authority
make_cert server rds-authority 30 "$endpoint"
mkdir -p "$XDG_CONFIG_HOME/pgmedic" "$XDG_DATA_HOME/pgmedic" "$TMP/dumps" "$TMP/approvals"
chmod 1777 "$TMP/approvals"
cp "$TMP/rds-authority.crt" "$XDG_DATA_HOME/pgmedic/rds-ca.pem"
free_port
gate=$port
spawn python3 "$SOURCE/tests/tool/iam_gate.py" "$gate" "$primary" "$TMP/server.crt" "$TMP/server.key" "$endpoint" \
    eu-central-1 "$TMP/gate.log" "$TMP/keys.json" >"$TMP/gate.err" 2>&1
wait_for 30 grep -q listening "$TMP/gate.log" || cat "$TMP/gate.err"
target() {	# NAME CONNINFO [LINE...]
	printf '[target %s]\nprovider = rds\ninstance = lab\nregion = eu-central-1\nprofile = dba\nendpoint_url = %s\nconninfo = %s\n' \
	    "$1" "$url" "$2"
	shift 2
	printf '%s\n' "$@"
}
{
	printf '[console]\napprovals = %s\n[alerts]\nalert.long_transaction = 1s,1h\n' "$TMP/approvals"
	target token "host=$endpoint port=$gate hostaddr=127.0.0.1 user=dba dbname=shop" 'auth = iam' "dump_root = $TMP/dumps"
	target secret "host=127.0.0.1 port=$primary dbname=shop" 'password_secret = master'
	target two "host=127.0.0.1 port=$primary dbname=shop password=planted-once" 'approve = two'
} >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"

# ------------------------------------------------------------------ what runs with them

spawn python3 "$test_dir/watch_secrets.py" "$TMP/stop" "$TMP/leaks" "$TMP/words"
watcher=$spawned_pid
secret_op() {	# LINE TARGET [STATE]
	answer=$("$PGMEDIC" run "$1" "$2" --json --wait --yes --log "$TMP/log" 2>>"$TMP/answers" </dev/null)
	printf '%s\n' "$answer" >>"$TMP/answers"
	is "$1 $2" "$(member state)" "${3:-done}"
	[ "$(member state)" = "${3:-done}" ] || printf '%s\n' "$answer"
}
secret_op "snapshot first" token
secret_op "verify first" secret
as_lab="host=$dir/socket port=$primary user=lab dbname=shop"
"$PG_BINDIR/psql" -X -q -d "$as_lab" -c 'GRANT pg_read_all_data TO dba'
secret_op "snapshot dump --as one" token
secret_op "set work_mem 8MB" secret
secret_op "alarm put" token
secret_op "snapshot second" two refused
"$PGMEDIC" show cloud token --json --log "$TMP/log" >>"$TMP/answers" 2>&1
"$PGMEDIC" diagnose connect secret >>"$TMP/answers" 2>&1
"$PGMEDIC" run 'cloud check' token >>"$TMP/answers" 2>&1
like "what was asked was answered" "$(cat "$TMP/answers")" '"usd_per_month"'

# The program that alerts start, and a core file.
cat >"$TMP/told" <<SH
#!/bin/sh
env >>"$TMP/told.env"
cat >>"$TMP/told.json"
SH
chmod 755 "$TMP/told"
cat >"$TMP/record.py" <<'PY'
import os, resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
os.execv(sys.argv[1], sys.argv[1:])
PY
spawn "$PG_BINDIR/psql" -X -q -d "postgresql://dba@127.0.0.1:$primary/shop" -c BEGIN -c 'SELECT pg_sleep(600)' >/dev/null 2>&1
cd "$TMP" || exit 1
python3 "$TMP/record.py" "$PGMEDIC" record "$TMP/recording" token --exec "$TMP/told" --log "$TMP/log" >"$TMP/record.log" 2>&1 &
recorder=$!
told() {
	[ -s "$TMP/told.json" ]
}
ok "an alert starts its program" wait_for 60 told
kill -SEGV "$recorder"
wait_for 10 gone "$recorder"
wait "$recorder" 2>/dev/null
is "no core file is left" "$(find "$TMP" -maxdepth 1 -name 'core*')" ""

touch "$TMP/stop"
wait "$watcher"
is "no secret is in arguments or in others' environment" "$(cat "$TMP/leaks")" ""
# The signatures of the tokens that were minted are secret, too.
sed -n 's/^ok //p' "$TMP/gate.log" >>"$TMP/words"
ok "tokens were minted" [ "$(wc -l <"$TMP/words")" -gt 8 ]
leaky() {	# FILE...
	grep -r -a -i -l -F -f "$TMP/words" "$@" 2>/dev/null
}
like "what was written is all looked through" "$(find "$XDG_STATE_HOME" "$TMP/approvals" -type f)" 'journal\.jsonl'
like "... the request, too" "$(ls "$TMP/approvals")" 'request'
is "none is in state, journal, logs of jobs, reports, requests and dumps" "$(leaky "$XDG_STATE_HOME" "$TMP/approvals" "$TMP/dumps")" ""
is "... nor in the log, an answer or a recording" "$(leaky "$TMP/log" "$TMP/answers" "$TMP/recording" "$TMP/record.log")" ""
is "... nor with the program of an alert" "$(leaky "$TMP/told.env" "$TMP/told.json")" ""
is "... nor in the servers' logs" "$(find "$dir" -name '*.log' -exec grep -a -i -l -F -f "$TMP/words" {} + 2>/dev/null)" ""
finish
