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

#include "base/json.h"
#include "ops/local_pair.h"
#include "pg/conninfo.h"

enum { REWIND_MS = 3600 * 1000, TOOL_MS = 30000, MAX_FILES = 12, TRIES = 20, MAX_OUTPUT = 1 << 20 };

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

static bool
rewind_once(struct pair *p, struct strbuf *out, struct error *err)
{
	struct conninfo_env env;
	struct arena *a = &p->op->arena;
	const char *vars[64], *file = config_file_of(&p->old);
	const char *argv[8] = { "pg_rewind", "-D", p->old.data };
	int n = 3, nvars = 0;

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
	return node_run(&p->old, argv, vars, NULL, REWIND_MS, out, err);
}

bool
pair_rewind(struct pair *p, struct error *err)
{
	struct strbuf out = STRBUF_INIT(MAX_OUTPUT), args = STRBUF_INIT(4096);
	struct error more = { 0 };
	bool ok, first = true;
	int64_t id;

	if (node_pid(&p->old))
		return error_set(err, ERR_STATE, "%s runs", p->old.name);
	strbuf_addc(&args, '{');
	json_key(&args, &first, "node");
	json_str(&args, p->old.name, strlen(p->old.name));
	strbuf_addc(&args, '}');
	ok = op_leave(p->op, "configuration", args.buf, &id, err,
	         "configuration files of %s are kept in %s", p->old.name, kept_folder(&p->old)) &&
	    set_aside(&p->old, err);
	/* Recovery by a single process fails while something of the killed server is still there.
	 */
	for (int i = 0; ok && i < TRIES; i++) {
		strbuf_clear(&out);
		ok = rewind_once(p, &out, err);
		if (ok || !strstr(out.buf, "--single"))
			break;
		ok = op_wait_ms(p->op, 500, err);
	}
	if (!put_back(&p->old, &more)) {
		*err = more;
		ok = false;
	} else if (!op_settle(p->op, id, &more)) {
		*err = more;
		ok = false;
	}
	if (!ok && !*err->hint)
		error_hint(
		    err, "Where pg_rewind cannot, pg_basebackup makes %s anew.", p->old.name);
	strbuf_release(&out);
	strbuf_release(&args);
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
