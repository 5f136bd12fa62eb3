#!/bin/sh
# The cloud pane against an AWS that is not ours (moto): facts, metrics, events and alarms of an instance without an SQL
# connection, twenty instances in one account, what is missing, what it costs, a recording of it.
# majors: system
# long
# sanitizers: no
. "$(dirname "$0")/../lib.sh"
. "$test_dir/moto.sh"

python3 -c 'import moto.server' 2>/dev/null || skip_all "moto is not installed"
for name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p'); do
	unset "$name"
done
start_moto
AWS_ACCESS_KEY_ID=AKIDPLANTED AWS_SECRET_ACCESS_KEY=planted-secret AWS_EC2_METADATA_DISABLED=true
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_EC2_METADATA_DISABLED
call=${PGMEDIC_BUILD:-$SOURCE}/tests/tool/aws_call
aws() {	# SERVICE OP [NAME=VALUE...]
	"$call" -e "$url" -r "${region:-eu-west-1}" "$@"
}
aws_json() {	# SERVICE OP BODY
	"$call" -e "$url" -r "${region:-eu-west-1}" -j "$3" "$1" "$2" >"$TMP/out" || cat "$TMP/out"
}
instance() {	# NAME CLASS [NAME=VALUE...]
	name=$1 class=$2
	shift 2
	aws rds CreateDBInstance DBInstanceIdentifier="$name" DBInstanceClass="$class" Engine=postgres MasterUsername=a \
	    MasterUserPassword=abcdefgh1 AllocatedStorage=20 BackupRetentionPeriod=7 "$@" >/dev/null
}
# Metric of an instance over the last hours: it rises by a step a minute up to a value.
metric() {	# INSTANCE NAME LAST STEP
	aws_json monitoring PutMetricData "$(python3 - "$@" <<-'PY'
		import json, sys, time
		instance, name, last, step = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
		minute = int(time.time()) // 60 * 60
		print(json.dumps({"Namespace": "AWS/RDS", "MetricData": [{"MetricName": name, "Timestamp": minute - 60 * i,
		    "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": instance}],
		    "Value": last - step * (i - 1)} for i in range(1, 151)]}))
	PY
	)"
}
json() {	# EXPRESSION of d: of the last answer
	printf '%s' "$answer" | python3 -c "import json, sys; d = json.load(sys.stdin); rows = d['rows']; s = d['summary']
def of(kind): return [r for r in rows if r['kind'] == kind]
def metric(name): return [r for r in rows if r['name'] == name][0]
print(($1))" 2>&1
}
show() {	# TARGET [OPTION...]
	answer=$("$PGMEDIC" show cloud "$@" --json 2>&1)
}

i=1
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
: >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
while [ $i -le 20 ]; do
	instance "db$i" "db.r6g.large"
	cat >>"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<-CONF
		[target db$i]
		provider = rds
		instance = db$i
		region = eu-west-1
		endpoint_url = $url
	CONF
	i=$((i + 1))
done
cat >>"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target gone]
provider = rds
instance = gone
region = eu-west-1
endpoint_url = $url
[target group]
provider = rds
cluster = group
region = eu-west-1
endpoint_url = $url
[target named]
conninfo = host=db3.aaaaaaaaaa.eu-west-1.rds.amazonaws.com hostaddr=127.0.0.1 port=1 connect_timeout=2
endpoint_url = $url
[target plain]
conninfo = host=127.0.0.1 port=1
CONF
metric db1 CPUUtilization 80 0.5
metric db1 FreeStorageSpace 9000000000 -1000000
metric db1 ReadLatency 0.002 0
aws_json monitoring PutMetricAlarm '{"AlarmName":"cpu of db1","MetricName":"CPUUtilization","Namespace":"AWS/RDS","Dimensions":[{"Name":"DBInstanceIdentifier","Value":"db1"}],"Statistic":"Average","Period":60,"EvaluationPeriods":3,"Threshold":75,"ComparisonOperator":"GreaterThanThreshold","AlarmActions":["arn:aws:sns:eu-west-1:123456789012:x"]}'
aws_json monitoring SetAlarmState '{"AlarmName":"cpu of db1","StateValue":"ALARM","StateReason":"three points were greater"}'
aws_json monitoring PutMetricAlarm '{"AlarmName":"of another","MetricName":"CPUUtilization","Namespace":"AWS/RDS","Dimensions":[{"Name":"DBInstanceIdentifier","Value":"db2"}],"Statistic":"Average","Period":60,"EvaluationPeriods":3,"Threshold":75,"ComparisonOperator":"GreaterThanThreshold"}'

show db1
is "facts of an instance, without an SQL connection" \
	"$(json "s['id'], s['status'], s['class'], s['vcpus'], s['memory_bytes'], s['storage_bytes'], s['retention_days'], s['multi_az'], s['account']")" \
	"('db1', 'available', 'db.r6g.large', 2, 17179869184, 21474836480, 7, False, '123456789012')"
is "a metric: newest, least and greatest of three hours" \
	"$(json "[(m['value'], m['min'], m['max'], m['unit']) for m in [metric('CPUUtilization')]][0]")" "(80, 5.5, 80, 'pct')"
is "... in base units" "$(json "metric('ReadLatency')['value'], metric('ReadLatency')['unit']")" "(0.002, 's')"
is "its alarm, and not another's" "$(json "[(a['name'], a['state'], a['value'], a['source']) for a in of('alarm')]")" \
	"[('cpu of db1', 'ALARM', 75, 'db1')]"
like "... with its reason" "$(json "of('alarm')[0]['text']")" 'CPUUtilization > 75.0%: three points'
is "events are of this instance and its snapshots" \
	"$(json "all(e['source'] == 'db1' or e['source'].startswith('rds:db1-') for e in of('event')), len(of('event')) > 0")" "(True, True)"
is "when it was taken" "$(json "d['taken_at'] is not None and d['pane'] == 'cloud' and d['target'] == 'db1'")" True
aws_fault 'GetMetricData change Complete Forbidden'
show db1
like "series that may not be read are said" "$(json "d['notes']")" 'does not allow to read CPUUtilization, DatabaseConnections'
aws_fault 'GetMetricData change Complete PartialData'
show db1
like "... and those of which there is more" "$(json "d['notes']")" 'only some of the points of CPUUtilization,'
# Two pages: one whole by itself, then the other.
aws_fault 'GetMetricData change {"MetricDataResults": {"NextToken":"two","MetricDataResults":' 'GetMetricData change Complete Complete'
show db1
is "pages of metrics are put together" "$(json "metric('CPUUtilization')['value'], s['cloudwatch_calls'] >= 3")" "(80, True)"
aws_fault 'DescribeAlarms change {"CompositeAlarms": {"CompositeAlarms":[{"AlarmName":"all of it","AlarmRule":"ALARM(\"part of it\") OR ALARM(x)","StateValue":"OK","StateReason":"quiet","ActionsEnabled":false,"AlarmActions":["arn:aws:sns:eu-west-1:123456789012:x"]},{"AlarmName":"part of it","AlarmRule":"ALARM(\"cpu of db1\")","StateValue":"ALARM","StateReason":"it rang","AlarmActions":["arn:aws:sns:eu-west-1:123456789012:x"]},{"AlarmName":"not ours","AlarmRule":"ALARM(\"of another\")","StateValue":"ALARM"}],"Unknown":'
show db1
is "composite alarms of its alarms" "$(json "[(a['name'], a['state'], a['source'], a['text']) for a in of('alarm')][1:]")" \
	"[('part of it', 'ALARM', 'db1', 'ALARM(\"cpu of db1\"): it rang'), ('all of it', 'OK', 'db1', 'ALARM(\"part of it\") OR ALARM(x) (tells nobody): quiet')]"
show db1
like "a custom endpoint is said" "$(json "d['notes']")" "custom endpoint $url"
like "asking has its price" "$(json "s['metrics'], s['usd_per_month'] > 0")" "\(2[0-9], True\)"
like "as text, too" "$("$PGMEDIC" show cloud db1)" 'CPUUtilization +80.0% +5.5%..80.0%'
like "... facts as rows" "$("$PGMEDIC" show cloud db1 --mode facts)" 'class +- +- +db.r6g.large'
is "--filter works as everywhere" "$("$PGMEDIC" show cloud db1 --filter kind=alarm --csv --columns name,state)" 'name,state
cpu of db1,ALARM'

# Enhanced Monitoring: the newest text of the instance's stream, as its agent writes it.
show db1 --mode os
like "Enhanced Monitoring that is off is said" "$(json "d['notes']")" 'Enhanced Monitoring: it is off for db1'
region=eu-west-2
cat >>"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target watched]
provider = rds
instance = watched
region = $region
endpoint_url = $url
CONF
instance watched db.r6g.large
show watched
resource=$(json "s['resource_id']")
aws_json logs CreateLogGroup '{"logGroupName":"RDSOSMetrics"}'
aws_json logs CreateLogStream "{\"logGroupName\":\"RDSOSMetrics\",\"logStreamName\":\"$resource\"}"
aws_fault 'DescribeDBInstances change <DBInstanceStatus> <MonitoringInterval>60</MonitoringInterval><DBInstanceStatus>'
show watched --mode os
like "... without data, too" "$(json "s['monitoring_s'], d['notes']")" '60.*it has told nothing yet'
aws_json logs PutLogEvents "$(python3 - "$resource" <<-'PY'
	import json, sys, time
	now = int(time.time() * 1000)
	def text(cpu):
	    return json.dumps({"engine": "POSTGRES", "version": 1, "numVCPUs": 2, "uptime": "1 day, 00:00:00",
	        "cpuUtilization": {"user": cpu, "wait": 12.5, "total": cpu + 12.5}, "loadAverageMinute": {"one": 3.5},
	        "memory": {"free": 1024, "total": 2048}, "swap": {"in": 2}, "tasks": {"blocked": 4},
	        "diskIO": [{"device": "rdsdev", "await": 2.5, "readIOsPS": 10, "readKbPS": 3, "util": "40.5"}],
	        "fileSys": [{"mountPoint": "/rdsdbdata", "usedPercent": 81.5}], "network": [{"interface": "eth0", "rx": 1000.5}],
	        "processList": [{"id": 11, "name": "postgres: quiet", "cpuUsedPc": 0.5, "memoryUsedPc": 1.5, "rss": 2048, "vmlimit": "unlimited"},
	            {"id": 12, "name": "postgres: \x1b]0;busy\x07\u202e x", "cpuUsedPc": 50.5, "rss": 10}]})
	print(json.dumps({"logGroupName": "RDSOSMetrics", "logStreamName": sys.argv[1],
	    "logEvents": [{"timestamp": now - 60000, "message": text(1)}, {"timestamp": now, "message": text(20.5)}]}))
PY
)"
aws_fault 'DescribeDBInstances change <DBInstanceStatus> <MonitoringInterval>60</MonitoringInterval><DBInstanceStatus>'
show watched --mode os
is "figures of the machine, in base units" \
	"$(json "[metric(n)['value'] for n in ('cpu_user', 'cpu_wait', 'load_1m', 'memory_free', 'swap_in', 'tasks_blocked', 'disk rdsdev await', 'disk rdsdev read', 'disk rdsdev busy', 'files /rdsdbdata used', 'network eth0 received')]")" \
	"[20.5, 12.5, 3.5, 1048576, 2048, 4, 0.0025, 3072, 40.5, 81.5, 1000.5]"
is "its processes, the busiest first" "$(json "[(p['value'], p['text']) for p in of('process')]")" \
	"[(50.5, 'pid 12'), (0.5, 'pid 11, 1.5% of memory')]"
unlike "... whose names do no harm" "$("$PGMEDIC" show cloud watched --mode os)" "$(printf '\033')|$(printf '\342\200\256')"
region=''

show gone
like "an instance that is not there" "$(json "d['notes']")" 'there is no instance gone in eu-west-1, account 123456789012'
show group
like "a cluster that is not there" "$(json "d['notes']")" 'there is no cluster group in eu-west-1'
show named
is "an endpoint's name tells instance and region" "$(json "s['id'], s['region']")" "('db3', 'eu-west-1')"
show plain
like "a server of one's own has none of it" "$(json "d['notes']")" 'nothing says that this target is on RDS'
answer=$("$PGMEDIC" show activity db1 2>&1)
like "other panes say what there is not" "$answer" 'no SQL connection'
answer=$(PGHOST=127.0.0.1 PGPORT=1 "$PGMEDIC" run 'checkpoint' db1 --yes 2>&1)
like "what acts by SQL is not sent to some other server" "$answer" 'this target has no SQL connection'
answer=$("$PGMEDIC" run 'snapshot one' db1 --yes --json --wait 2>&1)
like "an operation needs none" "$answer" '"state":"done"'

answer=$(unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY; "$PGMEDIC" show cloud db1 2>&1)
like "without credentials it says where it looked" "$answer" 'credentials'

cat >"$TMP/few.conf" <<CONF
[console]
cloud_refresh = 1
CONF
sed '/^\[target gone\]/,$d' "$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" >>"$TMP/few.conf"
requests() {
	grep -c 'POST / HTTP' "$TMP/moto.log"
}
before=$(requests)
"$PGMEDIC" --config "$TMP/few.conf" record "$TMP/twenty.rec" >"$TMP/record.log" 2>&1 &
recorder=$!
twenty() {
	answer=$("$PGMEDIC" show cloud db1 --replay "$TMP/twenty.rec" --json 2>/dev/null) &&
	    [ "$(json "s.get('targets'), s.get('cloudwatch_calls', 0) >= 6, len(of('metric'))")" = "(20, True, 3)" ]
}
status 0 "twenty instances are recorded" wait_for 60 twenty
kill -INT $recorder
wait $recorder
answer=$("$PGMEDIC" show cloud db20 --replay "$TMP/twenty.rec" --json 2>&1)
is "... in one call each for all" "$(json "s['targets'], s['rds_calls'] + s['cloudwatch_calls'] < $(($(requests) - before)) + 1")" "(20, True)"
is "... less than one call of RDS a second, though at sixty times the usual pace" "$(json "s['rds_calls_per_s'] < 1")" True
is "... and the recording has the facts of each" "$(json "s['id'], s['class']")" "('db20', 'db.r6g.large')"
judged
finish
