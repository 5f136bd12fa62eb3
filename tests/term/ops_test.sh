#!/bin/sh
# Operations at the console's prompt: the plan, y, the job's line, :job and :jobs; keys answer while pgBackRest hangs, Esc
# gives the planning up; a console that is killed leaves a job that the next one tells of.
. "$(dirname "$0")/../lib.sh"
. "$test_dir/tmux.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
start_pg db "archive_mode = on" "archive_command = 'true'"
system=$(sql db "SELECT system_identifier FROM pg_control_system()")
mkdir -p "$TMP/bin" "$XDG_CONFIG_HOME/pgmedic"
: >"$TMP/made"
cat >"$TMP/bin/pgbackrest" <<END
#!/bin/sh
while [ -e "$TMP/hang" ]; do
	sleep 0.1
done
case " \$* " in
*" version "*) echo "pgBackRest 2.45" ;;
*" repo-ls "*) echo "{}" ;;
*" info "*)
	printf '[{"name":"lab","status":{"code":0,"message":"ok","lock":{"backup":{"held":false}}},"db":[{"id":1,"system-id":$system}],'
	printf '"archive":[{"id":"15-1","min":"000000010000000000000001","max":"0000000100000000000000FF"}],"backup":['
	while read -r made; do
		printf '{"label":"20261121-000000F","type":"full","annotation":{"job":"%s"},"archive":{"start":"000000010000000000000001",' "\$made"
		printf '"stop":"000000010000000000000002"},"info":{"size":100},"timestamp":{"start":1795000000,"stop":1795000001},"error":false}'
	done <"$TMP/made"
	echo ']}]'
	;;
*" backup "*)
	while [ -e "$TMP/slow" ]; do
		sleep 0.1
	done
	echo "\$*" | sed 's/.*annotation=job=\\([0-9]*\\).*/\\1/' >"$TMP/made"
	;;
esac
END
chmod 755 "$TMP/bin/pgbackrest"
PATH=$TMP/bin:$PATH
export PATH
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target db]
conninfo = host=127.0.0.1 port=$db_port user=postgres dbname=postgres
provider = local
pgbackrest_stanza = lab
CONF

# ------------------------------------------------------------------ the tool hangs

touch "$TMP/hang"
open_term 100 30 "PATH='$PATH' $PGMEDIC --pane activity --refresh 0.5 db"
seen "the console" 'activity'
press : 'snapshot x' Enter
sleep 0.5
press '?'
seen "keys answer while the plan is made" 'help|keys'
press q
press Escape
seen "Esc gives the planning up" 'given up'
rm -f "$TMP/hang"

# ------------------------------------------------------------------ plan, y, job

touch "$TMP/slow"
press : 'snapshot x' Enter
seen "the plan is shown" 'make the backup'
seen "... and asked for" 'snapshot of db\? \(y/n\)'
press y
seen "its job is under way" 'job [0-9]+ is under way'
press : 'jobs' Enter
seen "jobs lists it" 'job cancel [0-9]+ stops it|running +.*snapshot x'
press q
job=$("$PGMEDIC" jobs --json | sed -n 's/.*"id":\([0-9]*\),.*/\1/p' | head -n 1)
in_backup() {
	"$PGMEDIC" run "job $job" --json | grep -q '"progress":"backup'
}
wait_for 20 in_backup
press : "job $job" Enter
seen "job shows its steps" 'steps +check +done'
press q

# ------------------------------------------------------------------ the terminal goes, the job stays

at_exit
rm -f "$TMP/slow"
done_in_the_end() {
	"$PGMEDIC" run "job $job" --json | grep -q "^{\"job\":$job,\"state\":\"done\""
}
ok "a terminal that is dropped takes nothing along" wait_for 20 done_in_the_end
touch "$TMP/slow"
second=$("$PGMEDIC" run 'snapshot y' db --json --yes | sed -n 's/^{"job":\([0-9]*\),.*/\1/p')
running() {
	"$PGMEDIC" run "job $second" --json | grep -q '"progress":"backup'
}
ok "another one" wait_for 20 running
pid=$(python3 -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute("SELECT pid FROM acts WHERE id = ?", (sys.argv[2],)).fetchone()[0])' \
    "$XDG_STATE_HOME/pgmedic/journal.db" "$second")
kill -9 "$pid"
wait_for 10 gone "$pid"
rm -f "$TMP/slow"
open_term 120 30 "PATH='$PATH' $PGMEDIC --pane activity --refresh 0.5 db"
seen "the next console says that it is lost" "1 job is lost.*job $second"
press : "job resume $second" Enter
seen "resume is planned, too" "go on with job $second"
press y
seen "... and tells its end" "job $second (done|is under way)"
ok "... which is good" wait_for 20 eval "\"$PGMEDIC\" run 'job $second' --json | grep -q '^{\"job\":$second,\"state\":\"done\"'"
press : 'snapshots' Enter
seen "a list is shown, not only that it was made" '20261121-000000F'
press q

# ------------------------------------------------------------------ set: the console's settings, and the server's

press : 'set hints no' Enter
press : 'set hints' Enter
seen "a setting of the console is set at once" 'hints = no'
press : 'set work_mem 9MB' Enter
seen "a parameter of the server is planned" 'ALTER SYSTEM SET work_mem'
press y
is_set() {
	[ "$(sql db 'SHOW work_mem')" = 9MB ]
}
ok "... and set" wait_for 20 is_set
finish
