#!/bin/sh
# Every plannable statement of the corpora in tests/data/explain is executed, read back from pg_stat_statements and
# made ready to plan: as a superuser, as a role that may only read, and as one that may do nothing.
# shellcheck disable=SC2154 # primary_uri
. "$(dirname "$0")/../lib.sh"

need_pg
EXPLAIN=${PGMEDIC_BUILD:-$SOURCE}/tests/tool/explain_all
[ -x "$EXPLAIN" ] || skip_all "tests/tool/explain_all is not built"
start_pg primary "max_connections = 20" "pg_stat_statements.max = 5000"
data=$SOURCE/tests/data/explain
psql_at() {
	"$PG_BINDIR/psql" -X -q -d "$primary_uri" "$@"
}
psql_at -v ON_ERROR_STOP=1 -f "$data/schema.sql" >"$TMP/schema.log" 2>&1 || { cat "$TMP/schema.log"; exit 1; }
sql primary "SELECT pg_stat_statements_reset()" >/dev/null

# A cursor lives in a transaction.
run_corpus() {	# FILE...
	for corpus in "$@"; do
		awk '/^DECLARE/ { print "BEGIN;"; print; print "COMMIT;"; next } { print }' "$data/$corpus.sql" | psql_at -f - >/dev/null 2>>"$TMP/run.log"
	done
}
run_corpus shapes orm more late
for major in 15 16 17; do
	if [ "$PG_MAJOR" -ge "$major" ]; then
		run_corpus "shapes-$major"
	fi
done
# lag() with a default of another type came with 14, some casts of it later; nothing else may fail
is "all statements ran" "$(grep -c ERROR "$TMP/run.log")" "$([ "$PG_MAJOR" -ge 14 ] && echo 0 || echo 1)"

sql primary "CREATE ROLE reader LOGIN IN ROLE pg_monitor; CREATE ROLE stranger LOGIN IN ROLE pg_monitor; GRANT USAGE ON SCHEMA shop TO reader;
	GRANT SELECT ON ALL TABLES IN SCHEMA public, shop TO reader" >/dev/null
reader_uri=postgresql://reader@127.0.0.1:$primary_port/postgres
count() {	# FILE WORD
	cut -f 2 "$1" | grep -c -x "$2"
}
log=$(dirname "$primary_dir")/log
before=$(wc -l <"$log")
status 0 "as a superuser" "$EXPLAIN" "$primary_uri"
grep -v 'pg_stat_statements_reset' "$TMP/out" >"$TMP/super"
plannable=$(grep -c -v "$(printf '\tutility\t')" "$TMP/super")
like "there are many" "$plannable" '^[34][0-9][0-9]$'
is "all that can be planned are planned" "$(count "$TMP/super" ok) of $plannable" "$plannable of $plannable"
grep -v "$(printf '\t')\(ok\|utility\)$(printf '\t')" "$TMP/super" | cut -c 1-300
is "none needs more than three tries" "$(awk -F '\t' '$3 > 3' "$TMP/super" | wc -l)" 0
errors=$(tail -n "+$((before + 1))" "$log" | grep -c ERROR)
like "the server logs less than one error for three statements" "$((errors * 3 < plannable))" '^1$'

# what cannot be planned is not a statement that reads or writes rows
is "utility statements" "$(awk -F '\t' '$2 == "utility" { print toupper($7) }' "$TMP/super" | awk '{ print $1 }' | sort -u | tr '\n' ' ')" \
    "$(awk -F '\t' '$2 == "utility" { print toupper($7) }' "$TMP/super" | awk '{ print $1 }' | grep -E '^(BEGIN|COMMIT|COPY|CREATE|GRANT|SET|PREPARE|DEALLOCATE)' | sort -u | tr '\n' ' ')"

status 0 "as a role that may only read" "$EXPLAIN" "$reader_uri"
grep -v 'pg_stat_statements_reset\|pg_stat_reset' "$TMP/out" >"$TMP/reader"
grep -v "$(printf '\t')\(ok\|utility\)$(printf '\t')" "$TMP/reader" | cut -c 1-300 >"$TMP/refused"
is "nothing is lost to it but the functions of others" "$(grep -c -v -i 'setval\|nextval' "$TMP/refused")" 0
is "no change is planned as it stands" \
    "$(awk -F '\t' '$2 == "ok" && $4 != "r" { print toupper($7) }' "$TMP/reader" | grep -c -E '^(INSERT|UPDATE|DELETE|MERGE) ')" 0
like "changes are planned as what finds their rows" "$(awk -F '\t' '$4 == "r"' "$TMP/reader" | wc -l)" '^([5-9][0-9]|[1-9][0-9][0-9])$'
# An INSERT of mere values reads nothing; all others show the relations that they read.
is "with the relations that it reads" "$(awk -F '\t' '$4 == "r" && $5 == 0 { print toupper($7) }' "$TMP/reader" |
	grep -v -c '^INSERT\|UNNEST\|JSON_TO_RECORDSET\|WITH INS AS\|PGRST_PAYLOAD')" 0

status 0 "as a stranger" "$EXPLAIN" "postgresql://stranger@127.0.0.1:$primary_port/postgres"
like "is refused, not failed" "$(count "$TMP/out" denied)" '^[1-4][0-9][0-9]$'
is "for no other reason" "$(cut -f 2 "$TMP/out" | grep -v -x 'ok\|denied\|utility' | sort -u)" ''

# ------------------------------------------------------------------ no residue

is "nothing of ours is among the statements" \
    "$(sql primary "SELECT count(*) FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
	WHERE r.rolname = 'postgres' AND query LIKE '%/* pgmedic:%'")" 0
is "nothing was changed" "$(sql primary "SELECT count(*) FROM tree WHERE id = 5001")" 0

finish
