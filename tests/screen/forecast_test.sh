#!/bin/sh
# pgmedic forecast: any series in, a forecast as JSON or text out; it needs no server.
. "$(dirname "$0")/../lib.sh"

# 200 days, 1 GB a day from 100 GB
line() {
	awk -v n="$1" 'BEGIN { print "time,bytes"; for (i = 0; i < n; i++)
		printf "%d,%.0f\n", 1700000000 + i * 86400, (100 + i) * 1073741824 }'
}
line 200 >line.csv

status 0 "a series is forecast" "$PGMEDIC" forecast line.csv --capacity 359GB --json
json=$(cat "$TMP/out")
like "the last size" "$json" '"last":321048805376,'
like "the rate" "$json" '"rate_bytes_per_day":1073741824,'
like "five horizons" "$json" '"horizons":\[\{"days":7,"p2_5":[0-9]+,"p10":[0-9]+,"p50":328564998144,"p90":[0-9]+,"p97_5":[0-9]+\}.*\{"days":365,'
like "when it is full" "$json" '"full":\{"capacity_bytes":385473314816,"p10":[0-9.]+,"p50":60,"p90":[0-9.]+,'
like "how probable that is" "$json" '"probability":\{"7":0,"30":[0-9.]+,"90":[0-9.]+\}'
like "steps, regime, confidence, refused" "$json" '"steps":\[\],"regime":"steady",.*"confidence":"high","refused":null\}$'
"$PGMEDIC" forecast line.csv --capacity 359GB --json >again
is "the same input, the same output" "$(cat again)" "$json"
sed 1d line.csv | sort -R | "$PGMEDIC" forecast - --capacity 359GB --json >shuffled
is "the order of the lines does not matter, nor where they come from" "$(cat shuffled)" "$(cat again)"
sed 's/$/\r/; 1s/^/\xef\xbb\xbf/; 5s/^/\n/' line.csv >dos.csv
is "carriage returns, blank lines, a byte order mark" "$("$PGMEDIC" forecast dos.csv --json --capacity 359GB)" "$json"

status 0 "text" "$PGMEDIC" forecast line.csv --capacity 359GB
like "a sentence" "$(cat out)" '299G on 2024-05-31; full in [0-9]+ to [0-9]+ days, most likely on 2024-07-30: grows 1.0G a day\.'
like "a table" "$(cat out)" '^ +30 +2024-06-30( +[0-9.]+G){5}$'

line 20 | "$PGMEDIC" forecast - --capacity 900GB --json >short
like "short histories say what they cannot" "$(cat short)" '"days":90,"p2_5":null,.*"full":\{.*"p50":null.*"confidence":"low","refused":"[^"]+"'
line 4 | "$PGMEDIC" forecast - --json >few
like "few points are refused" "$(cat few)" '"full":null,.*"confidence":"none","refused":"4 points are too few'

printf '2024-01-01,5\n2024-01-02,nan\n' >bad.csv
status 1 "a bad line fails" "$PGMEDIC" forecast bad.csv
is "... and is named" "$(cat err)" 'pgmedic: bad.csv: line 2: nan is not a size'
: >empty.csv
status 1 "an empty file fails" "$PGMEDIC" forecast empty.csv
like "... and says so" "$(cat err)" 'empty.csv holds no points'
status 1 "a missing file fails" "$PGMEDIC" forecast nowhere.csv
like "... and says so" "$(cat err)" 'cannot open nowhere.csv: No such file'
status 2 "a capacity must be a size" "$PGMEDIC" forecast line.csv --capacity lots
status 2 "a file must be named" "$PGMEDIC" forecast
finish
