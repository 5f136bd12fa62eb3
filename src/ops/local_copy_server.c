/* The server of a copy: its configuration, start, end. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/proc.h"
#include "base/rowset.h"
#include "ops/local_copy.h"
#include "ops/local_tools.h"
#include "pg/sync.h"

extern char **environ;

enum {
	PORT = 5432, /* only a part of the socket's name: nothing listens on TCP */
	TOOL_MS = 60000,
	STOP_S = 60,
	POLL_MS = 200,
	APPEAR_MS = 10000, /* until a started server has its pid file */
	GONE_MS = 20000,   /* until the children of a killed one have ended */
	MAX_TEXT = 256 << 10,
	SEGMENT = 16 << 20, /* of WAL, usually */
};

static const char *
dir_of(struct op *op)
{
	const char *s = op_fact(op, "copy.dir");

	return s ? s : "";
}

const char *
copy_conninfo(struct op *op)
{
	return arena_printf(&op->arena, "host='%s' port=%d user='%s' dbname='%s' sslmode=disable",
	    dir_of(op), PORT, op_fact(op, "copy.user"), op_fact(op, "copy.database"));
}

/* The bytes that a URI takes as they are, the rest as %XX. */
static const char *
escaped(struct op *op, const char *s)
{
	struct strbuf sb = STRBUF_INIT(4096);
	const char *copy;

	for (; *s; s++)
		if (strchr(
		        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/", *s))
			strbuf_addc(&sb, *s);
		else
			strbuf_addf(&sb, "%%%02X", (unsigned char)*s);
	copy = arena_strndup(&op->arena, sb.buf, sb.len);
	strbuf_release(&sb);
	return copy;
}

const char *
copy_uri_at(struct op *op, const char *host, int port)
{
	return arena_printf(&op->arena, "postgresql://%s@/%s?host=%s&port=%d",
	    escaped(op, op_fact(op, "copy.user")), escaped(op, op_fact(op, "copy.database")),
	    escaped(op, host), port);
}

const char *
copy_uri(struct op *op)
{
	return copy_uri_at(op, dir_of(op), PORT);
}

/* ------------------------------------------------------------------ configuration */

static const char state_label[] = "Database cluster state:";

/* What pg_controldata says; NULL: it cannot. */
static const char *
control_data(struct op *op, struct error *err)
{
	const char *argv[] = { copy_program(op, "pg_controldata"), "-D", copy_data(op), NULL };
	struct strbuf out = STRBUF_INIT(MAX_TEXT);
	const char *text = NULL;

	if (!argv[0])
		error_set(err, ERR_STATE, "pg_controldata is not there any more");
	else if (local_run(op, argv, NULL, TOOL_MS, &out, NULL, err))
		text = arena_strndup(&op->arena, out.buf, out.len);
	strbuf_release(&out);
	return text;
}

/* "in production"; NULL: it cannot be told. */
static const char *
control_state(struct op *op, struct error *err)
{
	const char *text = control_data(op, err);
	const char *at = text ? strstr(text, state_label) : NULL;

	if (!at)
		return text ? "" : NULL;
	at += sizeof(state_label) - 1;
	at += strspn(at, " ");
	return arena_strndup(&op->arena, at, strcspn(at, "\n"));
}

bool
copy_is_shut_down(struct op *op, bool *is_it, struct error *err)
{
	const char *state = control_state(op, err);

	*is_it = state && strcmp(state, "shut down") == 0;
	return state != NULL;
}

/*
 * At the end of its recovery a server removes recovery.signal first, and then notes that it has
 * ended. One that was killed between the two would not know its target any more, and recover all
 * WAL that it has.
 */
static bool
knows_its_target(struct op *op, struct error *err)
{
	const char *state;
	struct stat st;

	if (lstat(arena_printf(&op->arena, "%s/recovery.signal", copy_data(op)), &st) == 0)
		return true;
	state = control_state(op, err);
	if (!state)
		return false;
	if (strcmp(state, "in production") == 0 || strcmp(state, "shut down") == 0)
		return true;
	error_set(err, ERR_STATE,
	    "the copy was killed while its recovery ended (%s): it would go past its target",
	    state);
	return error_hint(
	    err, "`job undo %lld` removes it; then give the command again.", (long long)op->job);
}

/* A recovery that needs more than these would stop; the names of pg_controldata. */
static const struct {
	const char *label, *setting;
} limits[] = {
	{ "wal_level setting:", "wal_level" },
	{ "max_connections setting:", "max_connections" },
	{ "max_worker_processes setting:", "max_worker_processes" },
	{ "max_wal_senders setting:", "max_wal_senders" },
	{ "max_prepared_xacts setting:", "max_prepared_transactions" },
	{ "max_locks_per_xact setting:", "max_locks_per_transaction" },
	{ "track_commit_timestamp setting:", "track_commit_timestamp" },
};

static bool
add_limits(struct op *op, struct strbuf *conf, struct error *err)
{
	const char *text = control_data(op, err);

	for (size_t i = 0; text && i < ARRAY_LEN(limits); i++) {
		const char *at = strstr(text, limits[i].label);

		if (!at)
			continue;
		at += strlen(limits[i].label);
		at += strspn(at, " ");
		strbuf_addf(conf, "%s = %.*s\n", limits[i].setting, (int)strcspn(at, "\n"), at);
	}
	return text != NULL;
}

/*
 * What pgBackRest has written for the recovery, of all that postgresql.auto.conf holds. Keys of its
 * repository that came by our environment are not in restore_command: launch() hands them over.
 */
static void
add_recovery(struct strbuf *conf, const char *text)
{
	static const char command[] = "restore_command = '";
	/* Where no such file was handed over the number is free, and the server may have given it
	 * to anything: what is read is only what pgmedic has made. */
	static const char secrets[] = "case $(readlink " PROC_SECRET_FILE
	                              ") in /memfd:pgmedic*) . " PROC_SECRET_FILE ";; esac";

	while (*text) {
		size_t len = strcspn(text, "\n");

		if (strncmp(text, command, sizeof(command) - 1) == 0)
			strbuf_addf(conf, "%s%s; %.*s\n", command, secrets,
			    (int)(len - sizeof(command) + 1), text + sizeof(command) - 1);
		else if (strncmp(text, "restore_command", 15) == 0 ||
		    strncmp(text, "recovery_target", 15) == 0)
			strbuf_addf(conf, "%.*s\n", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static void
add_neutral(struct op *op, struct strbuf *conf, bool is_scratch)
{
	strbuf_addf(conf,
	    "# Written by pgmedic for a restored copy: it reaches nobody, and only this folder\n"
	    "# reaches it. postgresql.auto.conf.restored has what ALTER SYSTEM had set.\n"
	    "listen_addresses = ''\nport = %d\nunix_socket_directories = %s\n",
	    PORT, local_conf_value(op, dir_of(op)));
	strbuf_adds(conf,
	    "archive_mode = off\nshared_preload_libraries = ''\nssl = off\nhot_standby = off\n"
	    "max_logical_replication_workers = 0\nprimary_conninfo = ''\nprimary_slot_name = ''\n"
	    "synchronous_standby_names = ''\nlogging_collector = off\nlog_line_prefix = '%m [%p] '\n"
	    "log_timezone = 'UTC'\ntimezone = 'UTC'\nlc_messages = 'C'\nhuge_pages = off\n");
	strbuf_addf(conf, "shared_buffers = %s\n", is_scratch ? "32MB" : "128MB");
	if (is_scratch)
		strbuf_adds(conf, "fsync = off\nautovacuum = off\n");
}

bool
copy_configure(struct op *op, bool is_scratch, struct error *err)
{
	const char *data = copy_data(op);
	const char *own = arena_printf(&op->arena, "%s/postgresql.auto.conf", data);
	const char *kept = arena_printf(&op->arena, "%s.restored", own);
	const char *text;
	struct strbuf conf = STRBUF_INIT(MAX_TEXT);
	struct stat st;
	bool ok;

	text = local_read(op, lstat(kept, &st) == 0 ? kept : own, err);
	add_neutral(op, &conf, is_scratch);
	ok = text && add_limits(op, &conf, err);
	if (ok) {
		add_recovery(&conf, text);
		/* pgBackRest takes none with a recovery that only has to become consistent. */
		if (op_fact(op, "target.timeline"))
			strbuf_addf(&conf, "recovery_target_timeline = '%s'\n",
			    op_fact(op, "target.timeline"));
		ok = local_write(op, kept, text, err) &&
		    local_write(
		        op, arena_printf(&op->arena, "%s/postgresql.conf", data), conf.buf, err) &&
		    /* The socket's folder lets nobody in but its owner. */
		    local_write(op, arena_printf(&op->arena, "%s/pg_hba.conf", data),
		        "local all all trust\nlocal replication all trust\n", err) &&
		    local_write(op, arena_printf(&op->arena, "%s/pg_ident.conf", data), "", err) &&
		    local_write(op, own, "", err);
	}
	strbuf_release(&conf);
	return ok;
}

/* ------------------------------------------------------------------ its process */

/* The server of a data directory: the process of its pid file, if that works there. 0: none. */
static pid_t
running(struct op *op, const char *data)
{
	struct error ignored = { 0 };
	const char *text =
	    local_read(op, arena_printf(&op->arena, "%s/postmaster.pid", data), &ignored);
	char cwd[4096], real[4096];
	long pid = text ? strtol(text, NULL, 10) : 0;

	if (pid <= 1 || !proc_cwd((pid_t)pid, cwd, sizeof(cwd)) || !realpath(data, real))
		return 0;
	return strcmp(cwd, real) == 0 ? (pid_t)pid : 0;
}

static bool
pg_ctl_stop(struct op *op, const char *pg_ctl, const char *data, const char *mode)
{
	const char *argv[] = { pg_ctl, "stop", "-s", "-w", "-m", mode, "-t",
		arena_printf(&op->arena, "%d", STOP_S), "-D", data, NULL };
	struct error ignored = { 0 };

	return local_run(op, argv, NULL, (STOP_S + 10) * 1000, NULL, NULL, &ignored);
}

bool
copy_server_stop(struct op *op, const char *dir, int major, struct error *err)
{
	const char *data = arena_printf(&op->arena, "%s/data", dir);
	const char *pg_ctl = local_pg_program(op, major, "pg_ctl");

	if (!running(op, data))
		return true;
	if (!pg_ctl)
		return error_set(err, ERR_PROGRAM, "pg_ctl of PostgreSQL %d is not there", major);
	if (pg_ctl_stop(op, pg_ctl, data, "fast") || !running(op, data) ||
	    pg_ctl_stop(op, pg_ctl, data, "immediate") || !running(op, data))
		return true;
	return error_set(err, ERR_STATE, "the server in %s does not stop", data);
}

static const char *
log_of(struct op *op)
{
	return arena_printf(&op->arena, "%s/server.log", dir_of(op));
}

/* What sessions are told, when the server is about to serve, or has ended, is no reason. */
static bool
is_of_session(const char *text)
{
	return strncmp(text, "the database system is ", 23) == 0 ||
	    strncmp(text, "terminating connection ", 23) == 0;
}

const char *
copy_log_line(struct op *op, const char *word)
{
	struct error ignored = { 0 };
	const char *text = local_read(op, log_of(op), &ignored), *last = NULL;

	for (const char *at = text ? strstr(text, word) : NULL; at; at = strstr(at + 1, word))
		if (!is_of_session(at + strlen(word)))
			last = at;
	return last ? arena_strndup(&op->arena, last, strcspn(last, "\n")) : NULL;
}

/* Why the server has ended, of itself; NULL: it was killed. */
static const char *
log_reason(struct op *op)
{
	const char *why = copy_log_line(op, "FATAL:  ");

	if (!why)
		why = copy_log_line(op, "PANIC:  ");
	if (!why)
		why = copy_log_line(op, " was terminated by signal ");
	/* Signal 9 comes from outside: of a user, of the kernel that is out of memory. */
	return why && !strstr(why, " by signal 9") ? why : NULL;
}

/* Its log, on the same disk, may not say it: no segment of WAL fits in any more. */
static bool
is_disk_full(struct op *op)
{
	struct statvfs fs;

	return copy_log_line(op, "No space left on device") ||
	    (statvfs(dir_of(op), &fs) == 0 && (double)fs.f_bavail * (double)fs.f_frsize < SEGMENT);
}

static bool
say_dead(struct op *op, struct error *err)
{
	const char *why = log_reason(op);

	if (is_disk_full(op)) {
		error_set(err, ERR_STATE, "the copy does not start: No space left on device of %s",
		    dir_of(op));
		return error_hint(err, "Make space, then `job resume %lld`.", (long long)op->job);
	}
	if (!why)
		error_set(err, ERR_STATE, "the server of the copy was killed");
	else
		error_set(err, ERR_PROGRAM, "the copy does not start: %s", why);
	if (why && strstr(why, "before configured recovery target"))
		return error_hint(err, "No commit after the target is in the repository.");
	/* Why restore_command brought no WAL. */
	why = copy_log_line(op, "ERROR: [");
	if (why)
		return error_hint(err, "pgBackRest: %s", why);
	return error_hint(err, "Its log is %s.", log_of(op));
}

bool
copy_still_runs(struct op *op, struct error *err)
{
	const char *why;

	if (running(op, copy_data(op)))
		return true;
	why = log_reason(op);
	error_set(err, why ? ERR_PROGRAM : ERR_STATE, "the server of the copy %s%s",
	    why ? "has ended: " : "was killed", why ? why : "");
	return error_hint(err, "Its log is %s.", log_of(op));
}

/* One question: does it answer, and has it left recovery? */
static bool
has_recovered(struct op *op, bool *is_done, struct error *err)
{
	struct error ignored = { 0 };
	struct pg_sync *pg = pg_sync_open(copy_conninfo(op), NULL, &ignored);
	struct rowset *rows = pg ? pg_sync_run(pg, "op_recovered", NULL, 0, 5000, &ignored) : NULL;
	const struct cell *timeline;
	char lsn[32];
	bool ok = true;

	*is_done = rows && rows->nrows == 1 && !cell_i64(rowset_get(rows, 0, "is_standby"), 1);
	if (*is_done) {
		timeline = rowset_get(rows, 0, "timeline");
		fmt_lsn(lsn, sizeof(lsn), cell_i64(rowset_get(rows, 0, "lsn"), 0));
		ok = op_fact_set(op, err, "recovered.lsn", "%s", lsn) &&
		    op_fact_set(op, err, "recovered.at", "%lld",
		        (long long)cell_i64(rowset_get(rows, 0, "commit_at"), 0)) &&
		    op_fact_set(op, err, "recovered.timeline", "%.*s",
		        timeline->type == CELL_TEXT ? (int)timeline->len : 0,
		        timeline->type == CELL_TEXT ? timeline->s : "");
	}
	if (rows)
		rowset_unref(rows);
	pg_sync_close(pg);
	return ok;
}

/* One that was killed after its recovery does not recover again: it has said it before. */
static bool
keep_proof(struct op *op, struct error *err)
{
	const char *line = copy_log_line(op, "recovery stopping ");

	return !line || op_fact_set(op, err, "recovered.proof", "%s", line);
}

/*
 * Secrets of pgBackRest in our environment, for the shell that runs restore_command: neither the
 * copy's environment nor its files have them. NULL: none.
 */
static const char *
repository_secrets(struct op *op)
{
	struct strbuf sb = STRBUF_INIT(MAX_TEXT);
	const char *text = NULL;

	for (int i = 0; environ[i]; i++) {
		const char *s = environ[i];
		size_t name = strcspn(s, "=");

		if (strncmp(s, "PGBACKREST_", 11) != 0 || !s[name] || !proc_env_is_secret(s) ||
		    strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != name)
			continue;
		strbuf_addf(&sb, "export %.*s='", (int)name, s);
		for (s += name + 1; *s; s++)
			strbuf_addf(&sb, *s == '\'' ? "'\\%c'" : "%c", *s);
		strbuf_adds(&sb, "'\n");
	}
	if (sb.len)
		text = arena_strndup(&op->arena, sb.buf, sb.len);
	explicit_bzero(sb.buf, sb.len);
	strbuf_release(&sb);
	return text;
}

struct in_data {
	const char *real; /* path of the data directory */
	bool is_found;
};

static bool
is_in_data(const struct proc_info *info, void *arg)
{
	struct in_data *d = arg;
	char cwd[4096];

	d->is_found = proc_cwd(info->pid, cwd, sizeof(cwd)) && strcmp(cwd, d->real) == 0;
	return !d->is_found;
}

/*
 * What a killed server leaves: its children, which end when they see it, and the files by which the
 * next one takes it for a server that runs, as long as anybody has its pid: itself, where nobody
 * has waited for it, or another process by now. The folder is ours, and nobody else's server.
 */
static bool
forget_killed(struct op *op, struct error *err)
{
	char real[4096];
	struct in_data d = { .real = real };

	if (!realpath(copy_data(op), real))
		return error_set(err, ERR_FILE, "there is no %s", copy_data(op));
	for (int waited = 0;; waited += POLL_MS) {
		proc_each(is_in_data, &d);
		if (!d.is_found)
			break;
		if (waited > GONE_MS)
			return error_set(
			    err, ERR_STATE, "processes of a killed server work in %s", real);
		if (!op_wait_ms(op, POLL_MS, err))
			return false;
	}
	unlink(arena_printf(&op->arena, "%s/postmaster.pid", real));
	unlink(arena_printf(&op->arena, "%s/.s.PGSQL.%d.lock", dir_of(op), PORT));
	return true;
}

static bool
launch(struct op *op, struct error *err)
{
	const char *argv[] = { copy_program(op, "pg_ctl"), "start", "-s", "-W", "-D", copy_data(op),
		"-l", log_of(op), NULL };

	if (!argv[0])
		return error_set(err, ERR_PROGRAM, "pg_ctl is not there any more");
	if (!forget_killed(op, err) || !knows_its_target(op, err))
		return false;
	/* What else an earlier start has said is not about this one. */
	if (!keep_proof(op, err))
		return false;
	unlink(log_of(op));
	return local_run_secret(op, argv, repository_secrets(op), TOOL_MS, err);
}

bool
copy_start(struct op *op, struct error *err)
{
	const char *data = copy_data(op);
	bool is_done = false;
	struct mono since;

	if (!copy_leave_server(op, err) || (!running(op, data) && !launch(op, err)))
		return false;
	since = mono_now();
	for (int64_t alive_ms = -1;;) {
		int64_t past = mono_since_ms(mono_now(), since);

		if (running(op, data))
			alive_ms = past;
		else if (alive_ms >= 0 || past > APPEAR_MS || log_reason(op))
			return say_dead(op, err);
		if (!has_recovered(op, &is_done, err))
			return false;
		if (is_done)
			return keep_proof(op, err);
		op_progress(op, -1, "replays WAL");
		if (!op_wait_ms(op, POLL_MS, err))
			return false;
	}
}
