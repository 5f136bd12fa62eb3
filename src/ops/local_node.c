#include "config.h"

#include "ops/local_node.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "ops/local_node_env.h"
#include "ops/op_server.h"

enum {
	TOOL_MS = 30000,
	START_MS = 120000,
	STOP_MS = 90000,
	STOPPING_MS = 3600 * 1000, /* the last checkpoint may have much to write */
	GONE_MS = 20000,
	REAP_MS = 3000,
	MAX_OUTPUT = 1 << 20,
	MAX_WORDS = 16,
};

/* The program that the data directory was started with: postmaster.opts begins with it. */
static const char *
bin_of(struct node *n)
{
	const char *opts = node_opts(n), *slash = NULL;

	for (const char *s = opts; s && *s && *s != ' ' && *s != '\n'; s++)
		if (*s == '/')
			slash = s;
	if (slash && opts[0] == '/')
		return arena_strndup(&n->op->arena, opts, (size_t)(slash - opts));
	opts = proc_find(&n->op->arena, "pg_ctl");
	slash = opts ? strrchr(opts, '/') : NULL;
	return slash ? arena_strndup(&n->op->arena, opts, (size_t)(slash - opts)) : NULL;
}

bool
node_open(struct node *n, struct op *op, const struct op_target *target, struct error *err)
{
	struct stat st;
	const char *dir = target->data_directory;

	*n = (struct node){ .op = op, .target = target, .name = target->name, .data = dir };
	if (!dir || dir[0] != '/') {
		error_set(err, ERR_CONFIG, "the data directory of %s is not known", n->name);
		return error_hint(err, "data_directory = /… of [target %s].", n->name);
	}
	if (stat(arena_printf(&op->arena, "%s/PG_VERSION", dir), &st) != 0) {
		error_set(err, ERR_CONFIG, "%s is no data directory that can be read", dir);
		return error_hint(err, "Run pgmedic on its machine, as its owner or root.");
	}
	n->uid = st.st_uid;
	n->gid = st.st_gid;
	if (geteuid() != 0 && geteuid() != n->uid) {
		error_set(err, ERR_DENIED, "%s belongs to another user", dir);
		return error_hint(err, "Run pgmedic as that user, or as root.");
	}
	n->bin = bin_of(n);
	return n->bin || error_set(err, ERR_PROGRAM, "pg_ctl of %s is not found", n->name);
}

void
node_by_sql(struct node *n, struct op *op, const struct op_target *target)
{
	*n = (struct node){
		.op = op, .target = target, .name = target->name, .data = "", .bin = ""
	};
}

static bool
run_in(struct node *n, const char *const *env, const char *const *argv, const char *input,
    int timeout_ms, struct strbuf *out, struct error *err)
{
	const char *words[MAX_WORDS + 1];
	struct proc_spec spec = { .argv = words, .env = env, .dir = "/", .input = input };
	struct strbuf own = STRBUF_INIT(MAX_OUTPUT);
	int nwords = 0;
	bool ok;

	for (; argv[nwords]; nwords++) {
		if (nwords == MAX_WORDS)
			fatal("too many words for %s", argv[0]);
		words[nwords] = argv[nwords];
	}
	words[nwords] = NULL;
	if (!strchr(words[0], '/'))
		words[0] = arena_printf(&n->op->arena, "%s/%s", n->bin, words[0]);
	spec.dies_with_us = true;
	spec.drops_user = geteuid() == 0 && n->uid != 0;
	spec.uid = n->uid;
	spec.gid = n->gid;
	ok = proc_run(&spec, timeout_ms, n->op->stop, out ? out : &own, err);
	strbuf_release(&own);
	return ok || error_prefix(err, "%s", n->name);
}

bool
node_run(struct node *n, const char *const *argv, const char *input, int timeout_ms,
    struct strbuf *out, struct error *err)
{
	static const char *const env[] = { "LC_ALL=C", "PATH=/usr/bin:/bin", "HOME=/", NULL };

	return run_in(n, env, argv, input, timeout_ms, out, err);
}

static const char *
read_file(struct node *n, const char *path, struct error *err)
{
	struct strbuf sb = STRBUF_INIT(MAX_OUTPUT);
	FILE *f = fopen(path, "re");
	char buf[4096];
	const char *text = NULL;
	size_t got;

	while (f && (got = fread(buf, 1, sizeof(buf), f)) > 0)
		strbuf_add(&sb, buf, got);
	if (!f || ferror(f) || sb.cut)
		error_set(err, ERR_FILE, "cannot read %s: %s", path, strerror(errno));
	else
		text = arena_strndup(&n->op->arena, sb.buf, sb.len);
	if (f)
		fclose(f);
	strbuf_release(&sb);
	return text;
}

const char *
node_read(struct node *n, const char *name, struct error *err)
{
	return read_file(n, arena_printf(&n->op->arena, "%s/%s", n->data, name), err);
}

const char *
node_opts(struct node *n)
{
	struct error ignored = { 0 };
	const char *opts = node_read(n, "postmaster.opts", &ignored);

	/* pg_rewind removes it. */
	return opts ?
	    opts :
	    read_file(n, arena_printf(&n->op->arena, "%s" NODE_KEPT "/postmaster.opts", n->data),
	        &ignored);
}

bool
node_write(struct node *n, const char *name, const char *text, struct error *err)
{
	struct arena *arena = &n->op->arena;
	const char *path = arena_printf(arena, "%s/%s", n->data, name),
	           *new = arena_printf(arena, "%s.pgmedic", path);
	const char *write[] = { "/usr/bin/tee", new, NULL };
	const char *move[] = { "/bin/mv", "-f", "-T", new, path, NULL };
	/* tee says what it writes: it is not kept. */
	struct strbuf none = STRBUF_INIT(1);
	bool ok = node_run(n, write, text, TOOL_MS, &none, err) &&
	    node_run(n, move, NULL, TOOL_MS, NULL, err);

	strbuf_release(&none);
	return ok;
}

/* ------------------------------------------------------------------ its control file */

static const char *
value_of(struct arena *arena, const char *text, const char *label)
{
	const char *at = strstr(text, label);

	if (!at)
		return "";
	at += strlen(label);
	at += strspn(at, " :");
	return arena_strndup(arena, at, strcspn(at, "\n"));
}

static uint64_t
lsn_of(const char *text)
{
	unsigned hi, lo;

	return sscanf(text, "%X/%X", &hi, &lo) == 2 ? (uint64_t)hi << 32 | lo : 0;
}

bool
node_control(struct node *n, struct node_control *c, struct error *err)
{
	const char *argv[] = { "pg_controldata", "-D", n->data, NULL };
	struct strbuf out = STRBUF_INIT(MAX_OUTPUT);
	struct arena *arena = &n->op->arena;
	bool ok = node_run(n, argv, NULL, TOOL_MS, &out, err);

	if (ok) {
		*c = (struct node_control){
			.state = value_of(arena, out.buf, "Database cluster state:"),
			.checkpoint =
			    lsn_of(value_of(arena, out.buf, "Latest checkpoint location:")),
			.timeline = strtoll(
			    value_of(arena, out.buf, "Latest checkpoint's TimeLineID:"), NULL, 10),
			.system_identifier = strtoull(
			    value_of(arena, out.buf, "Database system identifier:"), NULL, 10),
			.segment_size =
			    strtoull(value_of(arena, out.buf, "Bytes per WAL segment:"), NULL, 10),
		};
		ok = (*c->state && c->checkpoint) ||
		    error_set(err, ERR_FORMAT, "pg_controldata of %s says something else", n->name);
	}
	strbuf_release(&out);
	return ok;
}

/* ------------------------------------------------------------------ its processes */

static bool
works_in(pid_t pid, const char *data)
{
	char cwd[4096], real[4096];

	return proc_cwd(pid, cwd, sizeof(cwd)) && realpath(data, real) && strcmp(cwd, real) == 0;
}

pid_t
node_pid(const struct node *n)
{
	struct error ignored = { 0 };
	const char *text = node_read((struct node *)(uintptr_t)n, "postmaster.pid", &ignored);
	pid_t pid = text ? (pid_t)strtol(text, NULL, 10) : 0;

	return pid > 1 && proc_alive(pid, 0) && works_in(pid, n->data) ? pid : 0;
}

struct in_data {
	const char *data, *program; /* program NULL: any process of a server */
	bool kills;
	pid_t found;
};

/* A server by what it is attached to: its name may be another one (a loader, a vendor's build), and
 * somebody's shell may be in that directory, too. */
static bool
is_in_data(const struct proc_info *info, void *arg)
{
	struct in_data *d = arg;

	if (works_in(info->pid, d->data) &&
	    (d->program ?
	            proc_is_program(info->pid, d->program) :
	            strncmp(info->comm, "postgres", 8) == 0 || proc_has_shared_memory(info->pid))) {
		d->found = info->pid;
		if (d->kills)
			kill(info->pid, SIGKILL);
	}
	return d->kills || !d->found;
}

pid_t
node_program_pid(const struct node *n, const char *program)
{
	struct in_data d = { .data = n->data, .program = program };

	proc_each(is_in_data, &d);
	return d.found;
}

/* Any process of PostgreSQL that works in the data directory: children outlive a killed
 * postmaster for a moment, and one that computes for as long as it does. */
static pid_t
any_process(const struct node *n)
{
	return node_program_pid(n, NULL);
}

bool
node_is_down(struct node *n)
{
	struct error ignored = { 0 };
	struct pg_sync *pg;

	if (node_pid(n) || any_process(n))
		return false;
	pg = pg_sync_open(n->target->conninfo, n->target->password, &ignored);
	pg_sync_close(pg);
	return !pg;
}

static bool
wait_gone(struct node *n, struct error *err)
{
	struct mono begin = mono_now();

	while (node_pid(n) || any_process(n)) {
		if (mono_since_ms(mono_now(), begin) > GONE_MS)
			return error_set(err, ERR_TIMEOUT,
			    "processes of %s are still there after %d s", n->name, GONE_MS / 1000);
		nanosleep(&(struct timespec){ 0, 5 * 1000000L }, NULL);
	}
	return true;
}

bool
node_stop(struct node *n, const char *mode, struct error *err)
{
	const char *argv[] = { "pg_ctl", "-D", n->data, "-m", mode, "-w", "-t", "60", "stop",
		NULL };

	if (!node_pid(n))
		return true;
	node_env_keep(n);
	return node_run(n, argv, NULL, STOP_MS, NULL, err) && wait_gone(n, err);
}

bool
node_kill(struct node *n, struct error *err)
{
	struct in_data all = { .data = n->data, .kills = true };
	pid_t pid = node_pid(n);

	node_env_keep(n);
	if (pid && kill(pid, SIGKILL) != 0 && errno != ESRCH)
		return error_set(err, ERR_DENIED, "cannot kill the postmaster of %s: %s", n->name,
		    strerror(errno));
	/* As where the machine fails: nobody computes on, and nobody starts anew. */
	proc_each(is_in_data, &all);
	return wait_gone(n, err);
}

/* A lock file of a dead process; one that is another's by now stays. */
static bool
remove_lock(struct node *n, const char *path, pid_t pid, struct error *err)
{
	FILE *f = fopen(path, "re");
	long owner = 0;

	(void)n;
	if (f && fscanf(f, "%ld", &owner) != 1)
		owner = 0;
	if (f)
		fclose(f);
	/* That of a socket has the pid negated where it is no postmaster's. */
	return !f || labs(owner) != (long)pid || unlink(path) == 0 ||
	    error_set(err, ERR_FILE, "cannot remove %s: %s", path, strerror(errno));
}

/* postmaster.pid: its pid, its directory, when, its port, the folder of its socket. */
static bool
remove_locks(struct node *n, const char *text, pid_t pid, struct error *err)
{
	struct arena *a = &n->op->arena;
	const char *lines[5] = { "", "", "", "", "" };

	for (int i = 0; i < 5 && *text; i++) {
		size_t len = strcspn(text, "\n");

		lines[i] = arena_strndup(a, text, len);
		text += len + (text[len] == '\n');
	}
	return (lines[4][0] != '/' ||
	           remove_lock(
	               n, arena_printf(a, "%s/.s.PGSQL.%s.lock", lines[4], lines[3]), pid, err)) &&
	    remove_lock(n, arena_printf(a, "%s/postmaster.pid", n->data), pid, err);
}

/*
 * A server that was killed and whose parent has not waited for it yet (init may be slow, that of a
 * container may never do it) still has its pid, and PostgreSQL takes the word of the pid file and
 * of the socket's lock file for a server that runs: 'lock file "postmaster.pid" already exists',
 * from the server as from the single process that pg_rewind recovers with, and pg_ctl would wait
 * for its end. So that is waited for; where it does not come, the files of a process that has ended
 * are removed.
 */
static bool
forget_dead(struct node *n, struct error *err)
{
	struct error ignored = { 0 };
	const char *text = node_read(n, "postmaster.pid", &ignored);
	pid_t pid = text ? (pid_t)strtol(text, NULL, 10) : 0;
	struct mono begin = mono_now();

	if (pid <= 1 || proc_alive(pid, 0))
		return true;
	while (kill(pid, 0) == 0) {
		if (mono_since_ms(mono_now(), begin) > REAP_MS)
			return proc_alive(pid, 0) || any_process(n) ||
			    remove_locks(n, text, pid, err);
		nanosleep(&(struct timespec){ 0, 20 * 1000000L }, NULL);
	}
	return true;
}

bool
node_is_clear(struct node *n, struct error *err)
{
	if (node_pid(n) || any_process(n))
		return error_set(err, ERR_STATE, "%s runs", n->name);
	return forget_dead(n, err);
}

const char *
node_log(const struct node *n)
{
	pid_t pid = node_pid(n);
	char link[64], path[4096];
	struct stat st;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/%ld/fd/2", (long)pid);
	len = pid ? readlink(link, path, sizeof(path) - 1) : -1;
	if (len <= 0)
		return "/dev/null";
	path[len] = 0;
	return path[0] == '/' && stat(path, &st) == 0 && S_ISREG(st.st_mode) ?
	    arena_strdup(&n->op->arena, path) :
	    "/dev/null";
}

/* A server that was told to stop is still there for as long as its last checkpoint and its standbys
 * take, and is none that runs: the eighth line of its pid file says "stopping". */
static bool
is_stopping(struct node *n)
{
	struct error ignored = { 0 };
	const char *text = node_read(n, "postmaster.pid", &ignored);

	for (int i = 0; text && i < 7; i++) {
		text = strchr(text, '\n');
		text += text ? 1 : 0;
	}
	return text && strncmp(text, "stopping", 8) == 0 && node_pid(n);
}

static bool
wait_stopping(struct node *n, struct error *err)
{
	struct mono begin = mono_now();

	while (is_stopping(n)) {
		if (mono_since_ms(mono_now(), begin) > STOPPING_MS)
			return error_set(err, ERR_TIMEOUT, "%s is still stopping", n->name);
		op_progress(n->op, -1, "waits until %s has stopped, to start it again", n->name);
		nanosleep(&(struct timespec){ 0, 200 * 1000000L }, NULL);
	}
	return true;
}

bool
node_start(struct node *n, struct error *err)
{
	const char *log = op_fact(n->op, arena_printf(&n->op->arena, "log.%s", n->name));
	/* "restart" of what does not run starts it with the options of postmaster.opts: the port
	 * and configuration file that it was given there. */
	const char *argv[] = { "pg_ctl", "-D", n->data, "-w", "-t", "60", "-l",
		log ? log : "/dev/null", "restart", NULL };

	if (!wait_stopping(n, err))
		return false;
	if (node_pid(n))
		return true;
	if (access(arena_printf(&n->op->arena, "%s" NODE_KEPT, n->data), F_OK) == 0) {
		error_set(err, ERR_STATE, "%s is not started: its rewind was cut off", n->name);
		return error_hint(err, "`job resume`, or a new base backup.");
	}
	return forget_dead(n, err) && run_in(n, node_env(n), argv, NULL, START_MS, NULL, err);
}

/* ------------------------------------------------------------------ asking it */

struct rowset *
node_ask(struct node *n, const char *query, const char *const *params, int nparams, int timeout_ms,
    struct error *err)
{
	struct pg_sync *pg = op_connect(n->op, n->target, err);
	struct rowset *rows = pg ? pg_sync_run(pg, query, params, nparams, timeout_ms, err) : NULL;

	pg_sync_close(pg);
	return rows;
}

static int64_t
number(const struct rowset *rows, const char *column)
{
	return cell_i64(rowset_get(rows, 0, column), 0);
}

bool
node_look(struct node *n, struct node_look *l, struct error *err)
{
	struct rowset *rows = node_ask(n, "op_node", NULL, 0, 3000, err);

	if (!rows)
		return false;
	if (rows->nrows != 1) {
		rowset_unref(rows);
		return error_set(err, ERR_PROTOCOL, "%s does not say how it is", n->name);
	}
	*l = (struct node_look){
		.is_standby = number(rows, "is_standby") != 0,
		.is_replay_paused = number(rows, "is_replay_paused") != 0,
		.can_rewind = number(rows, "can_rewind") != 0,
		.can_create = number(rows, "can_create") != 0,
		.can_be_source = number(rows, "can_be_source") != 0,
		.max_wal_size = number(rows, "max_wal_size"),
		.sync_names = op_text(n->op, rows, 0, "sync_names"),
		.archive_mode = op_text(n->op, rows, 0, "archive_mode"),
		.archive_failed = op_text(n->op, rows, 0, "archive_failed"),
		.lacks = op_text(n->op, rows, 0, "lacks"),
		.timeline = number(rows, "timeline"),
		.checkpoint_timeline = number(rows, "checkpoint_timeline"),
		.lsn = number(rows, "lsn"),
		.receive_lsn = number(rows, "receive_lsn"),
		.sender_port = number(rows, "sender_port"),
		.port = number(rows, "port"),
		.prepared = number(rows, "prepared"),
		.backups = number(rows, "backups"),
		.logical_slots = number(rows, "logical_slots"),
		.system_identifier = number(rows, "system_identifier"),
		.long_xact_s = cell_num(rowset_get(rows, 0, "long_xact_s"), 0),
		.receiver_status = op_text(n->op, rows, 0, "receiver_status"),
		.must_match = op_text(n->op, rows, 0, "must_match"),
		.cluster_name = op_text(n->op, rows, 0, "cluster_name"),
		.slot_name = op_text(n->op, rows, 0, "slot_name"),
	};
	rowset_unref(rows);
	return true;
}
