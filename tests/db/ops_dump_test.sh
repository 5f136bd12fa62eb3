#!/bin/sh
# snapshot dump: a database by pg_dump, looked through, with a manifest; listed, dropped; no password where others read.
# majors: system
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"

need_pg
start_pg db
eval "port=\$db_port"
sql db "CREATE ROLE dba SUPERUSER LOGIN PASSWORD 'planted-secret'" >/dev/null
sql db "CREATE DATABASE shop" >/dev/null
"$PG_BINDIR/psql" -X -q -d "host=127.0.0.1 port=$port user=postgres dbname=shop" -c "CREATE TABLE t AS SELECT g AS id, md5(g::text) AS v FROM generate_series(1, 2000) g; CREATE INDEX ON t (id)" >/dev/null
root=$TMP/dumps
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target db]
conninfo = host=127.0.0.1 port=$port user=dba dbname=shop password=planted-secret
dump_root = $root
CONF

op "snapshot dump" db --dry-run
is "a dry run plans" "$(member state) $(member plan.0.step)" "planned dump it"
ok "... and makes nothing" test ! -e "$root"
like "... and says what room there is" "$("$PGMEDIC" run "snapshot dump" db --dry-run)" 'disk .* free; shop has .* its dump takes less'
(
	until [ -e "$TMP/stop" ]; do
		grep -a -l planted-secret /proc/[0-9]*/cmdline 2>/dev/null
	done
) >"$TMP/leaks" &
watch=$!
op "snapshot dump --as one" db --yes
touch "$TMP/stop"
wait "$watch"
is "a dump" "$(member state) $(member result.snapshot) $(member result.kind) $(member result.database)" "done one dump shop"
is "no password among arguments" "$(cat "$TMP/leaks")" ""
like "... of some entries" "$(member result.entries)" '^[1-9]'
is "its folder is ours alone" "$(stat -c %a "$root/one")" 700
status 0 "it can be restored" "$PG_BINDIR/pg_restore" --list "$root/one/dump"
like "... roles are with it" "$(cat "$root/one/globals.sql")" 'CREATE ROLE dba'
unlike "... without passwords" "$(cat "$root/one/globals.sql")" 'SCRAM|planted'
is "the manifest tells each file as it is" "$(python3 - "$root/one" <<'PY'
import hashlib, json, os, sys
m = json.load(open(sys.argv[1] + "/manifest.json"))
bad = [f["file"] for f in m["files"] if hashlib.sha256(open(os.path.join(sys.argv[1], f["file"]), "rb").read()).hexdigest() != f["sha256"]]
print(m["database"], bad, len(m["files"]) == len(os.listdir(sys.argv[1] + "/dump")) + 1)
PY
)" "shop [] True"
op "snapshot dump --as one" db --yes
is "a name is used once" "$(member state) $(member error.code)" "refused REFUSED"
op "snapshot dump postgres" db --yes
like "another database, named by the time" "$(member state) $(member result.snapshot)" '^done postgres-20[0-9]{6}-[0-9]{6}$'
op "snapshot dump nothing" db --yes
is "one that is not there" "$(member state)" failed
like "... says which" "$(member error.what)" 'nothing'
job=$(member job)
op "job undo $job" db --yes
is "what it began is taken back" "$(find "$root" -name 'nothing-*' | wc -l)" 0
op "snapshot dump nothing --as nothing" db --yes
job=$(member job)
mv "$root/nothing/.pgmedic-dump" "$root/nothing/.pgmedic-dump.new"
rm -rf "$root/nothing/dump"
op "job undo $job" db --yes
is "... also where the mark was not there yet" "$(member state) $(ls -d "$root/nothing" 2>/dev/null)" "done "

like "they are listed" "$("$PGMEDIC" run snapshots db)" '^one +dump of shop'
op snapshots db
is "... for scripts" "$(member state) $(member result.snapshots.0.snapshot)" "done one"
op "snapshot drop one" db --dry-run
is "a plan to drop one changes nothing" "$(member state) $(ls "$root/one/manifest.json")" "planned $root/one/manifest.json"
cp -a "$root/one" "$root/half"
touch "$root/half/mine"
op "snapshot drop half" db --yes
is "what is not ours is not removed" "$(member state) $(member error.code)" "failed FILE"
job=$(member job)
like "... and what is left of the dump is said" "$("$PGMEDIC" run "job $job" db)" "the rest of the dump in $root/half"
rm "$root/half/mine"
op "job undo $job" db --yes
is "... undo removes it" "$(member state) $(ls -d "$root/half" 2>/dev/null)" "done "
op "snapshot drop one" db --yes
is "one is dropped" "$(member state) $(member result.dropped)" 'done ["one"]'
ok "... with its folder" test ! -e "$root/one"
op "snapshot drop one" db --yes
is "... once" "$(member error.code)" NOT_FOUND
unlike "no secret in journal or state" "$(grep -r -a -l -e planted-secret "$XDG_STATE_HOME" "$root" 2>/dev/null)" .
finish
