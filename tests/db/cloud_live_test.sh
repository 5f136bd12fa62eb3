#!/bin/sh
# The cloud beside a live server: the lab's cloud tells metrics' alarms, load and faults; what it refuses is said part by
# part, what was known stays, and the server's own panes notice none of it.
# majors: system
# long
. "$(dirname "$0")/../lib.sh"

need_pg
command -v pgbackrest >/dev/null 2>&1 || skip_all "pgbackrest is not installed"
[ -x "$(dirname "$PGMEDIC")/pgmedic-cloud" ] || skip_all "built without libmicrohttpd"
command -v python3 >/dev/null 2>&1 || skip_all "python3 is not installed"
command -v curl >/dev/null 2>&1 || skip_all "curl is not installed"
for name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p'); do
	unset "$name"
done
PGMEDIC_PGBIN=$PG_BINDIR
export PGMEDIC_PGBIN
dir=$TMP/lab

at_exit() {
	"$PGMEDIC" lab down --directory "$dir" >/dev/null 2>&1
}

status 0 'a lab with a cloud' "$PGMEDIC" lab up --directory "$dir" --cloud --no-pgbouncer
port=$(sed -n 's/^cloud //p' "$dir/pgmedic-lab")
url=http://127.0.0.1:$port
cp "$dir/cloud/credentials" "$TMP/credentials"
AWS_SHARED_CREDENTIALS_FILE=$TMP/credentials AWS_EC2_METADATA_DISABLED=true
export AWS_SHARED_CREDENTIALS_FILE AWS_EC2_METADATA_DISABLED
uri=$("$PGMEDIC" lab status --json --directory "$dir" | sed 's/.*"dba_uri":"\([^"]*\)".*/\1/')
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[console]
cloud_refresh = 2
[target shop]
provider = rds
instance = lab
region = eu-central-1
endpoint_url = $url
conninfo = $uri
[target dark]
provider = rds
instance = lab
region = eu-central-1
endpoint_url = $url
CONF
fault() {	# NAME=VALUE...
	curl -s -f -X POST -H "X-Lab-Key: $(cat "$dir/cloud/control")" -d "$(echo "$*" | tr ' ' '&')" "$url/lab/faults" >/dev/null
}
no_fault() {
	curl -s -f -X DELETE -H "X-Lab-Key: $(cat "$dir/cloud/control")" "$url/lab/faults" >/dev/null
}
json() {	# EXPRESSION of d: of the last answer
	printf '%s' "$answer" | python3 -c "import json, sys; d = json.load(sys.stdin); rows = d['rows']; s = d['summary']
print(($1))" 2>&1
}
alarm() {	# NAME
	"${PGMEDIC_BUILD:-$SOURCE}/tests/tool/aws_call" -e "$url" -r eu-central-1 -j "{\"AlarmName\":\"$1\",\"MetricName\":\"DatabaseConnections\",\"Namespace\":\"AWS/RDS\",\"Dimensions\":[{\"Name\":\"DBInstanceIdentifier\",\"Value\":\"lab\"}],\"Statistic\":\"Average\",\"Period\":60,\"EvaluationPeriods\":1,\"Threshold\":5000.5,\"ComparisonOperator\":\"GreaterThanThreshold\"}" \
	    monitoring PutMetricAlarm >/dev/null
}
alarm crowd

load() {	# TARGET: Performance Insights has told of load
	answer=$("$PGMEDIC" show waits "$1" --json 2>/dev/null)
	[ "$(json "s['insights_s'] >= 15 and len(rows) > 0")" = True ]
}
ok 'Performance Insights tells what was before' wait_for 60 load shop
like '... and says so' "$(json "d['notes']")" 'from Performance Insights, from before the first sample'
is '... by class and event' "$(json "all(r['class'] and (r['event'] or r['class'] == 'CPU') for r in rows)")" True
is '... against the processors of the class' "$(json "s['cpus'] > 0")" True
ok 'load without an SQL connection' wait_for 30 load dark
is '... all of it is from there' "$(json "s['samples']")" 0

answer=$("$PGMEDIC" show cloud shop --json 2>&1)
is 'an alarm' "$(json "[(r['name'], r['value'], r['source']) for r in rows if r['kind'] == 'alarm']")" "[('crowd', 5000.5, 'lab')]"
fault kind=query-only
answer=$("$PGMEDIC" show cloud shop --json 2>&1)
is '... from an endpoint that knows the Query protocol only' \
	"$(json "[(r['name'], r['value'], r['source']) for r in rows if r['kind'] == 'alarm']")" "[('crowd', 5000.5, 'lab')]"
unlike '... which says nothing else' "$(json "d['notes']")" 'CloudWatch: the last minutes'
no_fault

# Credentials that hang hang nothing else, and end with us.
cat >"$TMP/config" <<CONF
[profile slow]
credential_process = /bin/sleep 612
CONF
cat >>"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target slow]
provider = rds
instance = lab
region = eu-central-1
profile = slow
endpoint_url = $url
conninfo = $uri
CONF
AWS_CONFIG_FILE=$TMP/config "$PGMEDIC" record "$TMP/slow.rec" slow >"$TMP/slow.log" 2>&1 &
recorder=$!
goes_on() {
	answer=$("$PGMEDIC" show activity slow --replay "$TMP/slow.rec" --json 2>/dev/null) && [ "$(json "len(rows) > 0")" = True ] &&
	    pgrep -f '/bin/sleep 612' >/dev/null
}
ok 'credentials that hang hang nothing else' wait_for 30 goes_on
kill -INT $recorder
wait $recorder
no_sleep() {
	! pgrep -f '/bin/sleep 612' >/dev/null
}
ok '... and end with us' wait_for 20 no_sleep

"$PGMEDIC" record "$TMP/night.rec" shop >"$TMP/record.log" 2>&1 &
recorder=$!
recorded() {	# EXPRESSION
	answer=$("$PGMEDIC" show cloud shop --replay "$TMP/night.rec" --json 2>/dev/null) && [ "$(json "$1")" = True ]
}
ok 'it is recorded' wait_for 30 recorded "s['id'] == 'lab' and s['alarms'] == 1"
fault kind=denied action=DescribeDBInstances
ok 'what is denied is said' wait_for 30 recorded "'rds:DescribeDBInstances' in str(d['notes'])"
is '... and what was known stays' "$(json "s['id'], s['class'] is not None, s['alarms']")" "('lab', True, 1)"
like '... with its age and what helps' "$(json "d['notes']")" 'shown as of .* s ago.*help policy'
no_fault
ok 'it comes back' wait_for 60 recorded "'DescribeDBInstances' not in str(d['notes'])"
fault kind=denied action=DescribeDBInstances
answer=$("$PGMEDIC" show cloud dark --json 2>&1)
is 'what may be seen is seen where the instance may not' \
	"$(json "'DescribeDBInstances' in str(d['notes']), [r['name'] for r in rows if r['kind'] == 'alarm'], s['metrics'] > 0")" "(True, ['crowd'], True)"
no_fault
fault kind=throttle action=DescribeAlarms
ok 'throttling is not an alarm of ours' wait_for 60 recorded "'throttled' in str(d['notes']) and s['alarms'] == 1"
answer=$("$PGMEDIC" show activity shop --replay "$TMP/night.rec" --json 2>/dev/null)
is "the server's panes notice none of it" "$(json "len(rows) > 0")" True

# ------------------------------------------------------------------ the server's log through RDS

primary=postgresql://dba@127.0.0.1:$(sed -n 's/^primary \([0-9]*\).*/\1/p' "$dir/pgmedic-lab")/shop
"$PG_BINDIR/psql" -X -q -d "$primary" -c 'SELECT 1 / 0 AS before_recording' >/dev/null 2>&1
answer=$("$PGMEDIC" show logs dark --json 2>&1)
is 'the log, without an SQL connection' "$(json "len([r for r in rows if 'before_recording' in str(r['statement'])]), s['errors'] > 0")" '(1, True)'
like '... from the file that RDS names' "$(json "rows[0]['file']")" '^error/'
logged() {	# EXPRESSION
	answer=$("$PGMEDIC" show logs shop --replay "$TMP/night.rec" --json 2>/dev/null) && [ "$(json "$1")" = True ]
}
ok 'it is recorded, too' wait_for 60 logged "len([r for r in rows if 'before_recording' in str(r['statement'])]) == 1"
fault kind=page action=DownloadDBLogFilePortion value=5000
for i in 1 2 3 4 5 6 7 8; do
	"$PG_BINDIR/psql" -X -q -d "$primary" -c "SELECT 1 / 0 AS piece_$i" >/dev/null 2>&1
done
ok '... what is added, however small the portions' wait_for 60 logged \
	"[len([r for r in rows if 'piece_%d' % i in str(r['statement'])]) for i in range(1, 9)] == [1] * 8"
no_fault
kill -INT $recorder
wait $recorder
finish
