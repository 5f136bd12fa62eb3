/*
 * pg_rewind of a server that was primary. It copies every file that is no relation from the other
 * server, configuration files, too, and removes postmaster.opts, with which the server is started
 * again: they are set aside first and put back, also where it fails. It recovers a crashed server
 * by itself (13 and newer).
 */
#include "config.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/json.h"
#include "base/proc.h"
#include "ops/local_pair.h"
#include "pg/conninfo.h"

enum { REWIND_MS = 24 * 3600 * 1000, TOOL_MS = 30000, WAIT_MS = 200, MAX_FILES = 12 };

static const char *
kept_folder(struct node *n)
{
	return arena_printf(&n->op->arena, "%s.pgmedic-kept", n->data);
}

/* Copy the files at the top of one folder that are of this server alone into another. */
static bool
copy_files(struct node *n, const char *from, const char *to, struct error *err)
{
	const char *argv[MAX_FILES + 5] = { "/bin/cp", "-p", "-t", to };
	DIR *dir = opendir(from);
	struct dirent *entry;
	int files = 0;

	if (!dir)
		return error_set(err, ERR_FILE, "cannot read %s", from);
	while ((entry = readdir(dir)) && files < MAX_FILES) {
		size_t len = strlen(entry->d_name);

		if ((len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0) ||
		    strcmp(entry->d_name, "postmaster.opts") == 0)
			argv[4 + files++] =
			    arena_printf(&n->op->arena, "%s/%s", from, entry->d_name);
	}
	closedir(dir);
	return files == 0 || node_run(n, argv, NULL, NULL, TOOL_MS, NULL, err);
}

static bool
exists(struct node *n, const char *path)
{
	struct stat st;

	(void)n;
	return lstat(path, &st) == 0;
}

/* Whole, or not there: it is filled under another name. */
static bool
set_aside(struct node *n, struct error *err)
{
	const char *kept = kept_folder(n), *part = arena_printf(&n->op->arena, "%s.part", kept);
	const char *make[] = { "/bin/mkdir", "-p", "-m", "700", part, NULL };
	const char *move[] = { "/bin/mv", "-T", part, kept, NULL };

	return exists(n, kept) ||
	    (node_run(n, make, NULL, NULL, TOOL_MS, NULL, err) &&
	        copy_files(n, n->data, part, err) &&
	        node_run(n, move, NULL, NULL, TOOL_MS, NULL, err));
}

static bool
put_back(struct node *n, struct error *err)
{
	const char *kept = kept_folder(n);
	const char *clear[] = { "/bin/rm", "-rf", kept, NULL };

	return !exists(n, kept) ||
	    (copy_files(n, kept, n->data, err) &&
	        node_run(n, clear, NULL, NULL, TOOL_MS, NULL, err));
}

/* Where postmaster.opts says that the configuration file is elsewhere (Debian). */
static const char *
config_file_of(struct node *n)
{
	struct error ignored = { 0 };
	const char *opts = node_read(n, "postmaster.opts", &ignored);
	const char *at = opts ? strstr(opts, "config_file=") : NULL;

	if (!at)
		return NULL;
	at += strlen("config_file=");
	return arena_strndup(&n->op->arena, at, strcspn(at, "\"\n"));
}

/*
 * A pg_rewind that is cut off leaves a data directory that only a new base backup mends. So it goes
 * on when this process is killed or told to stop, writing into a file: a pipe without a reader
 * would end it. It works in the data directory, by which the next process finds it.
 */
static bool
run_rewind(struct pair *p, const char *log, struct error *err)
{
	struct conninfo_env env;
	struct arena *a = &p->op->arena;
	const char *file = config_file_of(&p->old);
	const char *vars[64] = { "LC_ALL=C", "PATH=/usr/bin:/bin", "HOME=/" };
	const char *argv[8] = { arena_printf(a, "%s/pg_rewind", p->old.bin), "-D", p->old.data };
	struct proc_spec spec = { .argv = argv, .env = vars, .dir = p->old.data, .log = log };
	int n = 3, nvars = 3;

	if (!conninfo_to_env(a, p->new.target->conninfo, p->new.target->password, &env, err))
		return false;
	/* By variables: a password must not stand among the arguments. */
	for (int i = 0; i < env.n && nvars < 63; i++)
		vars[nvars++] = arena_printf(a, "%s=%s", env.names[i], env.values[i]);
	vars[nvars] = NULL;
	argv[n++] = arena_printf(a, "--source-server=%s dbname=postgres", env.rest);
	if (file)
		argv[n++] = arena_printf(a, "--config-file=%s", file);
	argv[n] = NULL;
	spec.drops_user = geteuid() == 0 && p->old.uid != 0;
	spec.uid = p->old.uid;
	spec.gid = p->old.gid;
	return proc_run(&spec, REWIND_MS, NULL, NULL, err);
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

static const char *
log_path(struct pair *p)
{
	return path_state(&p->op->arena,
	    arena_printf(&p->op->arena, "jobs/%lld-rewind.log", (long long)p->op->job));
}

/* Has it come to its end? Once more would recover what it has made by itself, apart from the new
 * primary. */
static bool
is_rewound(struct pair *p)
{
	struct strbuf end = STRBUF_INIT(16 << 10);
	bool is_it;

	proc_tail(&end, log_path(p), 3, "");
	is_it = strstr(end.buf, "Done!") || strstr(end.buf, "no rewind required");
	strbuf_release(&end);
	return is_it;
}

static bool
leave_configuration(struct pair *p, int64_t *id, struct error *err)
{
	return op_leave(p->op, "configuration", pair_node_args(p->op, &p->old, ""), id, err,
	    "configuration files of %s are kept in %s", p->old.name, kept_folder(&p->old));
}

bool
pair_rewind(struct pair *p, struct error *err)
{
	struct error more = { 0 };
	bool ok;
	int64_t id;

	if (node_pid(&p->old))
		return error_set(err, ERR_STATE, "%s runs", p->old.name);
	if (!wait_rewind(p, err) || !node_is_clear(&p->old, err) ||
	    !leave_configuration(p, &id, err))
		return false;
	ok = is_rewound(p) || (set_aside(&p->old, err) && run_rewind(p, log_path(p), err));
	if (!put_back(&p->old, &more) || !op_settle(p->op, id, &more)) {
		*err = more;
		ok = false;
	}
	if (!ok && !*err->hint)
		error_hint(err,
		    "Its output is %s. Where pg_rewind cannot, pg_basebackup makes %s anew.",
		    log_path(p), p->old.name);
	return ok;
}

bool
pair_undo_configuration(struct op *op, const struct job_leftover *left, struct error *err)
{
	struct json *args = json_parse(left->args, strlen(left->args), err);
	const char *name = json_text(json_get(args, "node"));
	const struct op_target *t = op->target;
	struct node n;
	bool ok;

	if (name && strcmp(name, t->name) != 0)
		t = t->standby && strcmp(name, t->standby->name) == 0 ? t->standby : NULL;
	ok = name && t;
	if (args && !ok)
		error_set(err, ERR_CONFIG, "the pair of %s is configured otherwise now",
		    op->target->name);
	ok = ok && node_open(&n, op, t, err) && put_back(&n, err);
	json_free(args);
	return ok;
}
