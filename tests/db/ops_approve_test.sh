#!/bin/sh
# The two-person rule: what a target with approve = two is to undergo is run when another user of this machine has
# approved that plan; not one's own approval, not root's, not an old one, not another plan's, not a file of anybody.
# majors: system
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"

need_pg
[ "$(id -u)" = 0 ] || skip_all "another user of the system is needed: only root can be one"
command -v setpriv >/dev/null 2>&1 || skip_all "setpriv is not installed"
id nobody >/dev/null 2>&1 || skip_all "there is no user nobody"
start_pg db
eval "port=\$db_port"
# One of them is root's own shell, as in operations of a machine's administrator; the other is nobody.
cp "$PGMEDIC" "$TMP/pgmedic"
chmod 755 "$TMP/pgmedic" "$TMP"
folder=$TMP/approvals
mkdir "$folder"
mkdir -p "$XDG_CONFIG_HOME/pgmedic" "$TMP/other/.config/pgmedic"
chown -R nobody "$TMP/other"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[console]
approvals = $folder
[target db]
conninfo = host=127.0.0.1 port=$port user=postgres dbname=postgres
dump_root = $TMP/dumps
approve = two
CONF
printf '[console]\napprovals = %s\n' "$folder" >"$TMP/other/.config/pgmedic/pgmedic.conf"
other() {	# pgmedic as somebody else
	setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups env HOME="$TMP/other" \
	    XDG_CONFIG_HOME="$TMP/other/.config" XDG_STATE_HOME="$TMP/other/.state" "$TMP/pgmedic" "$@" 2>&1 </dev/null
}
as_other() {
	setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$@"
}

op "snapshot dump --as one" db --yes
is "a folder that others cannot write to is none" "$(member state) $(member error.code)" "failed CONFIG"
chmod 1777 "$folder"
op "snapshot dump --as one" db --dry-run
is "a plan is free" "$(member state)" planned
op snapshots db
is "looking is free" "$(member state)" "done"
op "snapshot dump --as one" db --yes
is "nothing is run by one alone" "$(member state) $(member error.code) $(member job)" "refused REFUSED "
like "... and it says what to do" "$(member error.hint)" 'pgmedic approve [0-9a-f]{12}'
hash=$(member error.hint | grep -o 'approve [0-9a-f]*' | cut -d' ' -f2)
ok "... nothing is made" test ! -e "$TMP/dumps"
op "snapshot dump --as one" db --yes
is "... neither by asking again" "$(member state)" refused

like "the other one sees what waits" "$(other approve)" "^$hash +root +db +snapshot dump --as one"
text=$(other approve "$hash")
like "... and the plan" "$text" '^command +snapshot dump --as one'
like "... its steps" "$text" 'pg_dump'
op "snapshot dump --as one" db --yes
is "looking at it approves nothing" "$(member state)" refused
like "nobody approves what he asked for himself" "$("$PGMEDIC" approve "$hash" --yes 2>&1)" 'your own request'
cp "$folder/$hash"*.request "$TMP/request"
full=$(basename "$folder/$hash"*.request .request)
printf '{"hash":"%s","request":"%s"}\n' "$full" "$(sha256sum <"$TMP/request" | cut -d' ' -f1)" >"$folder/$full.approved-65534"
op "snapshot dump --as one" db --yes
is "a forged approval is the forger's" "$(member state)" refused
rm "$folder/$full.approved-65534"
printf '{"hash":"%s","request":"%064d"}\n' "$full" 0 >"$TMP/wrong"
as_other cp "$TMP/wrong" "$folder/$full.approved-x"
op "snapshot dump --as one" db --yes
is "an approval of another request is none" "$(member state)" refused
rm "$folder/$full.approved-x"

like "the other one approves" "$(other approve "$hash" --yes)" '^approved: root may run `snapshot dump --as one` on db'
op "snapshot dump --as two" db --yes
is "another plan is not what was approved" "$(member state)" refused
PGMEDIC_NOW=$(date -u -d '+16 minutes' +%Y-%m-%dT%H:%M:%SZ)
export PGMEDIC_NOW
cp -a "$folder" "$TMP/kept"
op "snapshot dump --as one" db --yes
unset PGMEDIC_NOW
is "an approval lasts 15 minutes" "$(member state)" refused
unlike "... the request was asked anew" "$(sha256sum <"$folder/$full.request")" "$(sha256sum <"$TMP/request" | cut -d' ' -f1)"
like "approved again" "$(other approve "$hash" --yes)" '^approved'
op "snapshot dump --as one" db --yes
is "it is run" "$(member state) $(member result.snapshot)" "done one"
like "... and the journal says who approved it" "$("$PGMEDIC" run "job $(member job)" db)" 'approved by nobody'
ok "... the request is used up" test ! -e "$folder/$full.request"
rm -rf "$TMP/dumps"
op "snapshot dump --as one" db --yes
is "an approval is used once" "$(member state)" refused

# Acts by SQL: those that take away for good.
victim() {	# a session that sleeps; $pid
	spawn "$PG_BINDIR/psql" -X -q -d "$db_uri" -c "SET application_name = 'victim'" -c "SELECT pg_sleep(600)" >/dev/null 2>&1
	wait_for 20 find_victim || fail "no session to end"
}
find_victim() {
	pid=$(sql db "SELECT max(pid) FROM pg_stat_activity WHERE application_name = 'victim' AND state = 'active'")
	[ -n "$pid" ]
}
act_hash() {
	member error.hint | grep -o 'approve [0-9a-f]*' | cut -d' ' -f2
}
victim
op "terminate $pid" db --yes
is "terminate needs two" "$(member state) $(member error.code) $(member job)" "refused REFUSED "
hash=$(act_hash)
ok "... the session is still there" find_victim
like "... the other one sees whom" "$(other approve "$hash")" "$pid"
like "... and approves" "$(other approve "$hash" --yes)" '^approved'
op "terminate $pid" db --yes
is "... and it is done" "$(member state)" "done"
like "... the journal says by whom" "$("$PGMEDIC" run journal db --json)" 'approved by nobody'
victim
op "terminate where application:victim" db --yes
hash=$(act_hash)
other approve "$hash" --yes >/dev/null
sql db "SELECT pg_terminate_backend($pid)" >/dev/null
wait_for 20 gone "$spawned_pid"
victim
op "terminate where application:victim" db --yes
is "other sessions than were approved" "$(member state)" refused
ok "... stay" find_victim
op "cancel $pid" db --yes
is "cancel needs one" "$(member state)" "done"
sql db "CREATE TABLE t (i int); CREATE INDEX t_i ON t (i)" >/dev/null
op "drop index t_i --force" db --yes
is "drop index needs two" "$(member state) $(sql db "SELECT to_regclass('t_i')")" "refused t_i"
like "... and is approved" "$(other approve "$(act_hash)" --yes)" '^approved'
op "drop index t_i --force" db --yes
is "... then dropped" "$(member state) $(sql db "SELECT to_regclass('t_i') IS NULL")" "done t"
op "reset statements" db --yes
is "reset needs two" "$(member state)" refused
op "vacuum t" db --yes
is "vacuum needs one" "$(member state)" "done"
finish
