#!/bin/sh
# The size model against indexes that the server has built: few rows, coarse bounds; tests/bench/advice/size has the figures.
# shellcheck disable=SC2154 # primary_uri
# sanitizers: no
. "$(dirname "$0")/../lib.sh"

need_pg
SIZE_ALL=${PGMEDIC_BUILD:-$SOURCE}/tests/tool/size_all
[ -x "$SIZE_ALL" ] || skip_all "tests/tool/size_all is not built"
start_pg primary
ok "indexes are built" "$PG_BINDIR/psql" -X -q -v ON_ERROR_STOP=1 -v n=40000 -d "$primary_uri" -f "$SOURCE/tests/data/sizes.sql"
status 0 "they are sized" "$SIZE_ALL" "$primary_uri"
awk '{ print $4 < 1 ? 1 / $4 : $4 }' "$TMP/out" | sort -n >"$TMP/factors"
like "all of them" "$(wc -l <"$TMP/factors")" '^40$'
is "the median is within 15 %" "$(awk '{ f[NR] = $1 } END { print (f[int((NR + 1) / 2)] <= 1.15) }' "$TMP/factors")" 1
is "none is off by more than 2.5 times" "$(awk '$1 > 2.5' "$TMP/factors")" ''
finish
