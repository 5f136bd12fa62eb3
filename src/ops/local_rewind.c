/*
 * pg_rewind of a server that was primary.
 *
 * It copies every file that is no relation from the other server, configuration files, too, and
 * removes postmaster.opts, with which the server is started again: they are set aside first and put
 * back. Where it is cut off (its source dies, the machine does), the data directory is of no use to
 * a server, and a second pg_rewind does not find the WAL any more that the first has overwritten:
 * so that is set aside, too. With it the second comes to the end: the control file, by which it
 * goes, is written last. A crashed server is recovered before, as pg_rewind itself would, and a
 * rehearsal says where the two have parted, before anything is touched.
 */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/json.h"
#include "base/proc.h"
#include "ops/local_pair.h"
#include "pg/conninfo.h"

enum {
	REWIND_MS = 24 * 3600 * 1000,
	RECOVER_MS = 3600 * 1000,
	COPY_MS = 600 * 1000,
	TOOL_MS = 30000,
	WAIT_MS = 200,
	MAX_FILES = 10,
	MAX_OUTPUT = 1 << 20,
	NAME_LEN = 24,
	TIMELINE_LEN = 8,
};

static const char *
kept_folder(struct node *n)
{
	return arena_printf(&n->op->arena, "%s" NODE_KEPT, n->data);
}

typedef bool (*wants_file)(const char *name, uint64_t from);

static bool
is_own(const char *name, uint64_t from)
{
	size_t len = strlen(name);

	(void)from;
	return (len > 5 && strcmp(name + len - 5, ".conf") == 0) ||
	    strcmp(name, "postmaster.opts") == 0;
}

/* A segment of WAL, or the history of a timeline, without which none is found where the servers
 * parted; from: the first segment that counts, its number as (log << 32 | segment). */
static bool
is_wal(const char *name, uint64_t from)
{
	size_t digits = strspn(name, "0123456789ABCDEF");
	unsigned timeline, log, segment;

	if (digits == TIMELINE_LEN && strcmp(name + digits, ".history") == 0)
		return true;
	return strlen(name) == NAME_LEN && digits == NAME_LEN &&
	    sscanf(name, "%8X%8X%8X", &timeline, &log, &segment) == 3 &&
	    ((uint64_t)log << 32 | segment) >= from;
}

/* Copy the files that are wanted at the top of one folder into another. */
static bool
copy_files(struct node *n, const char *from, const char *to, wants_file wants, uint64_t first,
    struct error *err)
{
	const char *argv[MAX_FILES + 6] = { "/bin/cp", "-p", "--reflink=auto", "-t", to };
	DIR *dir = opendir(from);
	struct dirent *entry;
	bool ok = dir || error_set(err, ERR_FILE, "cannot read %s", from);
	int files = 0;

	while (ok && (entry = readdir(dir))) {
		if (!wants(entry->d_name, first))
			continue;
		argv[5 + files++] = arena_printf(&n->op->arena, "%s/%s", from, entry->d_name);
		argv[5 + files] = NULL;
		if (files == MAX_FILES) {
			ok = node_run(n, argv, NULL, COPY_MS, NULL, err);
			files = 0;
		}
	}
	if (dir)
		closedir(dir);
	return ok && (files == 0 || node_run(n, argv, NULL, COPY_MS, NULL, err));
}

static bool
exists(struct node *n, const char *path)
{
	struct stat st;

	(void)n;
	return lstat(path, &st) == 0;
}

static const char *
below(struct node *n, const char *folder, const char *name)
{
	return arena_printf(&n->op->arena, "%s/%s", folder, name);
}

/* Whole, or not there: it is filled under another name. */
static bool
set_aside(struct node *n, uint64_t first, struct error *err)
{
	const char *kept = kept_folder(n), *part = arena_printf(&n->op->arena, "%s.part", kept);
	const char *clear[] = { "/bin/rm", "-rf", part, NULL };
	const char *make[] = { "/bin/mkdir", "-p", "-m", "700", below(n, part, "pg_wal"), NULL };
	const char *mode[] = { "/bin/chmod", "700", part, NULL };
	const char *move[] = { "/bin/mv", "-T", part, kept, NULL };

	return node_run(n, clear, NULL, COPY_MS, NULL, err) &&
	    node_run(n, make, NULL, TOOL_MS, NULL, err) &&
	    node_run(n, mode, NULL, TOOL_MS, NULL, err) &&
	    copy_files(n, n->data, part, is_own, 0, err) &&
	    copy_files(
	        n, below(n, n->data, "pg_wal"), below(n, part, "pg_wal"), is_wal, first, err) &&
	    node_run(n, move, NULL, TOOL_MS, NULL, err);
}

static bool
put_back(struct node *n, struct error *err)
{
	const char *kept = kept_folder(n);
	const char *clear[] = { "/bin/rm", "-rf", kept, NULL };

	return !exists(n, kept) ||
	    (copy_files(n, kept, n->data, is_own, 0, err) &&
	        node_run(n, clear, NULL, COPY_MS, NULL, err));
}

/* Where postmaster.opts says that the configuration file is elsewhere (Debian). */
static const char *
config_file_of(struct node *n)
{
	const char *opts = node_opts(n);
	const char *at = opts ? strstr(opts, "config_file=") : NULL;

	if (!at)
		return NULL;
	at += strlen("config_file=");
	return arena_strndup(&n->op->arena, at, strcspn(at, "\"\n"));
}

/* The arguments, variables and password file of pg_rewind: a password stands in the last alone. */
static bool
command(
    struct pair *p, const char **argv, const char **vars, const char **secret, struct error *err)
{
	struct conninfo_env env;
	struct arena *a = &p->op->arena;
	const char *file = config_file_of(&p->old);
	int n = 0, nvars = 0;

	if (!conninfo_to_env(a, p->new.target->conninfo, p->new.target->password, &env, err))
		return false;
	vars[nvars++] = "LC_ALL=C";
	vars[nvars++] = "PATH=/usr/bin:/bin";
	vars[nvars++] = "HOME=/";
	for (int i = 0; i < env.n && nvars < 62; i++)
		if (!env.passfile || strcmp(env.names[i], "PGPASSFILE") != 0)
			vars[nvars++] = arena_printf(a, "%s=%s", env.names[i], env.values[i]);
	if (env.passfile)
		vars[nvars++] = "PGPASSFILE=" PROC_SECRET_FILE;
	*secret = env.passfile;
	vars[nvars] = NULL;
	argv[n++] = arena_printf(a, "%s/pg_rewind", p->old.bin);
	argv[n++] = "-D";
	argv[n++] = p->old.data;
	argv[n++] = arena_printf(a, "--source-server=%s dbname=postgres", env.rest);
	if (file)
		argv[n++] = arena_printf(a, "--config-file=%s", file);
	argv[n] = NULL;
	return true;
}

static const char *
log_path(struct pair *p)
{
	return path_state(&p->op->arena,
	    arena_printf(&p->op->arena, "jobs/%lld-rewind.log", (long long)p->op->job));
}

static void
become_owner(const struct node *n, struct proc_spec *spec)
{
	spec->drops_user = geteuid() == 0 && n->uid != 0;
	spec->uid = n->uid;
	spec->gid = n->gid;
}

/*
 * It goes on when this process is killed or told to stop, writing into a file: a pipe without a
 * reader would end it. It works in the data directory, by which the next process finds it.
 */
static bool
run_rewind(struct pair *p, struct error *err)
{
	const char *argv[8], *vars[64];
	struct proc_spec spec = {
		.argv = argv, .env = vars, .dir = p->old.data, .log = log_path(p)
	};

	become_owner(&p->old, &spec);
	return command(p, argv, vars, &spec.secret, err) &&
	    proc_run(&spec, REWIND_MS, NULL, NULL, err);
}

/* Of a process before this one, whose job goes on here. */
static bool
wait_rewind(struct pair *p, struct error *err)
{
	while (node_program_pid(&p->old, "pg_rewind") || node_program_pid(&p->old, NULL)) {
		op_progress(p->op, -1, "waits for the pg_rewind that is under way");
		if (!op_wait_ms(p->op, WAIT_MS, err))
			return false;
	}
	return true;
}

/* Crash recovery by a single process. */
static bool
recover(struct node *n, struct node_control *c, struct error *err)
{
	const char *file = config_file_of(n);
	const char *argv[] = { "postgres", "--single", "-F", "-D", n->data,
		file ? "-c" : "template1",
		file ? arena_printf(&n->op->arena, "config_file=%s", file) : NULL,
		file ? "template1" : NULL, NULL };

	if (strcmp(c->state, "shut down") == 0)
		return true;
	return node_run(n, argv, NULL, RECOVER_MS, NULL, err) && node_control(n, c, err) &&
	    (strcmp(c->state, "shut down") == 0 ||
	        error_set(err, ERR_STATE, "%s does not recover: %s", n->name, c->state));
}

/* Where the two have parted: the number of the WAL segment with their last common checkpoint. */
static bool
rehearse(struct pair *p, const struct node_control *c, bool *is_needed, uint64_t *first,
    struct error *err)
{
	static const char says[] = "last common checkpoint at ";
	const char *argv[8], *vars[64], *at;
	struct proc_spec spec = { .argv = argv, .env = vars, .dir = "/", .dies_with_us = true };
	struct strbuf out = STRBUF_INIT(MAX_OUTPUT);
	unsigned hi = 0, lo = 0;
	int n = 0;
	bool ok = command(p, argv, vars, &spec.secret, err);

	while (ok && argv[n])
		n++;
	argv[n] = "--dry-run";
	argv[n + 1] = NULL;
	become_owner(&p->old, &spec);
	ok = ok &&
	    (proc_run(&spec, REWIND_MS, p->op->stop, &out, err) ||
	        error_prefix(err, "%s", p->old.name));
	at = ok ? strstr(out.buf, says) : NULL;
	*is_needed = ok && !strstr(out.buf, "no rewind required");
	if (ok && *is_needed &&
	    (!at || sscanf(at + strlen(says), "%X/%X", &hi, &lo) != 2 || !c->segment_size))
		ok = error_set(err, ERR_FORMAT, "pg_rewind does not say where the servers parted");
	*first = c->segment_size ? (uint64_t)hi << 32 | lo / c->segment_size : 0;
	strbuf_release(&out);
	return ok;
}

/* From the beginning, or where one before was cut off. */
static bool
rewind_all(struct pair *p, struct node_control *c, struct error *err)
{
	struct node *n = &p->old;
	const char *kept = kept_folder(n);
	bool is_needed = true;
	uint64_t first;

	if (exists(n, kept))
		return copy_files(n, below(n, kept, "pg_wal"), below(n, n->data, "pg_wal"), is_wal,
		           0, err) &&
		    run_rewind(p, err);
	return recover(n, c, err) && rehearse(p, c, &is_needed, &first, err) &&
	    (!is_needed || (set_aside(n, first, err) && run_rewind(p, err)));
}

bool
pair_rewind(struct pair *p, struct error *err)
{
	struct node *n = &p->old;
	struct node_control c;
	int64_t id;

	if (node_pid(n))
		return error_set(err, ERR_STATE, "%s runs", n->name);
	if (!wait_rewind(p, err) || !node_is_clear(n, err) || !node_control(n, &c, err) ||
	    !op_leave(p->op, "configuration", pair_node_args(p->op, n, ""), &id, err,
	        "what pg_rewind overwrites of %s is kept in %s", n->name, kept_folder(n)))
		return false;
	/* Its last act makes it a standby, which a primary's control file never says. */
	if (strcmp(c.state, "in archive recovery") != 0 && !rewind_all(p, &c, err)) {
		if (!*err->hint)
			error_hint(err,
			    exists(n, kept_folder(n)) ?
			        "`job resume %lld` tries again; its output is %s." :
			        "Nothing was changed in job %lld. pg_basebackup makes %s anew.",
			    (long long)p->op->job,
			    exists(n, kept_folder(n)) ? log_path(p) : n->name);
		return false;
	}
	return put_back(n, err) && op_settle(p->op, id, err);
}
