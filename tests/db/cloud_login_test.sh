#!/bin/sh
# Logins by AWS: IAM tokens judged by botocore's signer in front of a real server, passwords out of Secrets Manager
# (moto) that are rotated meanwhile, RDS's certificate bundle. No token or password stays anywhere.
# majors: system
. "$(dirname "$0")/../lib.sh"
. "$test_dir/tls.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v openssl >/dev/null || skip_all "openssl makes the certificates"
python3 -c 'import moto.server, botocore.auth' 2>/dev/null || skip_all "moto is not installed"
for name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p'); do
	unset "$name"
done
free_port
url=http://127.0.0.1:$port
spawn python3 -m moto.server -H 127.0.0.1 -p "$port" >"$TMP/moto.log" 2>&1
AWS_ACCESS_KEY_ID=AKIDPLANTED AWS_SECRET_ACCESS_KEY=planted-secret AWS_SESSION_TOKEN=planted-token
AWS_EC2_METADATA_DISABLED=true
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_EC2_METADATA_DISABLED
call=${PGMEDIC_BUILD:-$SOURCE}/tests/tool/aws_call
aws() {	# SERVICE OP [ARGUMENT...]
	"$call" -e "$url" -r eu-west-1 "$@"
}

# ------------------------------------------------------------------ servers

endpoint=lab.abc123.eu-west-1.rds.amazonaws.com
make_ca rds-authority
make_ca other-authority
make_cert server rds-authority 30 "$endpoint"
start_pg primary "password_encryption = 'scram-sha-256'"
sql primary "CREATE TABLE t (id int); CREATE ROLE app LOGIN IN ROLE pg_monitor PASSWORD 'planted-password-1'" >/dev/null
{ echo "host all app 127.0.0.1/32 scram-sha-256"; cat "$primary_dir/pg_hba.conf"; } >"$TMP/hba"
as_pg tee "$primary_dir/pg_hba.conf" <"$TMP/hba" >/dev/null
sql primary "SELECT pg_reload_conf()" >/dev/null
free_port
gate=$port
spawn python3 "$SOURCE/tests/tool/iam_gate.py" "$gate" "$primary_port" "$TMP/server.crt" "$TMP/server.key" "$endpoint" \
    eu-west-1 "$TMP/gate.log" >"$TMP/gate.err" 2>&1
wait_for 30 grep -q listening "$TMP/gate.log" || { cat "$TMP/gate.err"; skip_all "the gate does not start"; }
wait_for 30 grep -q Running "$TMP/moto.log" || { cat "$TMP/moto.log"; skip_all "moto does not start"; }
logins() {
	grep -c '^ok' "$TMP/gate.log"
}

ca=$XDG_DATA_HOME/pgmedic/rds-ca.pem
mkdir -p "$XDG_CONFIG_HOME/pgmedic" "${ca%/*}"
to="hostaddr=127.0.0.1 user=postgres dbname=postgres"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target prod]
provider = rds
auth = iam
endpoint_url = $url
conninfo = host=$endpoint port=$gate $to
[target lazy]
provider = rds
endpoint_url = $url
conninfo = host=$endpoint port=$gate $to
[target clear]
auth = iam
endpoint_url = $url
conninfo = host=$endpoint port=$gate $to sslmode=disable
[target alias]
auth = iam
region = eu-west-1
endpoint_url = $url
conninfo = host=localhost port=$gate $to
[target two]
auth = iam
endpoint_url = $url
conninfo = host=$endpoint,$endpoint port=$gate user=postgres
[target secret]
password_secret = db/app
region = eu-west-1
endpoint_url = $url
conninfo = host=127.0.0.1 port=$primary_port dbname=postgres
[target plain]
password_secret = db/plain
region = eu-west-1
endpoint_url = $url
conninfo = host=127.0.0.1 port=$primary_port dbname=postgres user=app
[target nosecret]
password_secret = db/none
region = eu-west-1
endpoint_url = $url
conninfo = host=127.0.0.1 port=$primary_port dbname=postgres user=app
CONF

# ------------------------------------------------------------------ IAM

status 0 "a login with an IAM token" "$PGMEDIC" show activity prod
is "... that botocore signs alike" "$(grep -v -c -e '^ok' -e listening "$TMP/gate.log")" 0
before=$(logins)
status 0 "... one for each connection" "$PGMEDIC" show activity prod
ok "... made anew" [ "$(logins)" -gt "$before" ]
before=$(logins)
status 0 "a command uses it, too" "$PGMEDIC" run "analyze t" prod --yes
ok "... on connections of its own" [ "$(logins)" -ge "$((before + 1))" ]
status 0 "with provider = rds it is tried when the server asks for a password" "$PGMEDIC" show activity lazy

before=$(wc -l <"$TMP/gate.log")
status 3 "sslmode=disable" "$PGMEDIC" show activity clear
like "... is refused" "$(cat "$TMP/err")" 'in the clear'
status 3 "several hosts" "$PGMEDIC" show activity two
like "... are refused" "$(cat "$TMP/err")" 'for one host'
AWS_CREDENTIAL_EXPIRATION=2020-01-01T00:00:00Z status 3 "expired credentials" "$PGMEDIC" show activity prod
like "... are said before" "$(cat "$TMP/err")" 'expired at 2020-01-01T00:00Z'
is "... nobody saw a token" "$(wc -l <"$TMP/gate.log")" "$before"
AWS_SECRET_ACCESS_KEY=another status 3 "a token that is refused" "$PGMEDIC" show activity prod
like "... in the server's words" "$(cat "$TMP/err")" 'PAM authentication failed'
like "... with what to look at" "$(cat "$TMP/err")" 'GRANT rds_iam TO postgres.*rds-db:connect'
status 3 "a name that is not the endpoint's own" "$PGMEDIC" show activity alias
like "... is hinted at" "$(cat "$TMP/err")" "host is the endpoint's own name"
env -u AWS_ACCESS_KEY_ID "$PGMEDIC" show activity prod >"$TMP/out" 2>"$TMP/err"
like "no credentials" "$(cat "$TMP/err")" 'login by IAM: no AWS credentials'

# ------------------------------------------------------------------ the bundle

cp "$TMP/rds-authority.crt" "$ca"
status 0 "a certificate of the bundle" "$PGMEDIC" show activity prod
cp "$TMP/other-authority.crt" "$ca"
status 3 "one that is not" "$PGMEDIC" show activity prod
like "... is not trusted" "$(cat "$TMP/err")" 'certificate verify failed'
rm "$ca"
mkdir -p "$TMP/share/pgmedic"
cp "$TMP/other-authority.crt" "$TMP/share/pgmedic/rds-ca.pem"
XDG_DATA_DIRS=$TMP/share status 3 "a bundle of the system" "$PGMEDIC" show activity prod
sed -i "s/^conninfo = host=$endpoint port=$gate $to\$/& sslmode=verify-full/" "$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
status 3 "verify-full without a bundle" "$PGMEDIC" show activity prod
like "... says where one comes from, and goes to" "$(cat "$TMP/err")" "truststore.pki.rds.amazonaws.com.* to $ca"

# ------------------------------------------------------------------ Secrets Manager

aws secretsmanager CreateSecret -j '{"Name":"db/app","SecretString":"{\"username\":\"app\",\"password\":\"planted-password-1\"}"}' >/dev/null
aws secretsmanager CreateSecret -j '{"Name":"db/plain","SecretString":"planted-password-1"}' >/dev/null
status 0 "user and password of a secret" "$PGMEDIC" show activity secret
status 0 "a secret that is the password" "$PGMEDIC" show activity plain
status 3 "a secret that is not there" "$PGMEDIC" show activity nosecret
like "... is said" "$(cat "$TMP/err")" 'password_secret: there is no secret db/none in eu-west-1'

spawn "$PGMEDIC" record "$TMP/rec" secret --log "$TMP/log" >"$TMP/record.out" 2>&1
recorder=$spawned_pid
watched() {	# at least one session, all of them younger than the marked time
	[ "$(sql primary "SELECT count(*) > 0 AND bool_and(backend_start > '$1') FROM pg_stat_activity WHERE usename = 'app'")" = t ]
}
ok "a recorder has logged in" wait_for 20 watched 2000-01-01
sql primary "ALTER ROLE app PASSWORD 'planted-password-2'" >/dev/null
aws secretsmanager PutSecretValue -j '{"SecretId":"db/app","SecretString":"{\"username\":\"app\",\"password\":\"planted-password-2\"}"}' >/dev/null
now=$(sql primary "SELECT clock_timestamp()")
sql primary "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'" >/dev/null
ok "the password is rotated: it is read again" wait_for 20 watched "$now"
kill -INT "$recorder"
wait_for 20 gone "$recorder"
status 3 "changed on the server only" "$PGMEDIC" show activity plain
like "... that is said" "$(cat "$TMP/err")" 'in the secret db/plain is refused'

unlike "no secret in recording, log, journal or state" \
    "$(grep -r -a -l -e planted-secret -e planted-token -e planted-password -e X-Amz-Signature "$HOME" "$TMP/rec" "$TMP/log")" .
finish
