/*
 * snapshot dump [DATABASE] [--as NAME]: pg_dump in directory format, by several processes, of the
 * primary or a standby; with it the globals that a dump does not hold. What was written is looked
 * through by pg_restore --list, and each file's digest is kept in the manifest.
 */
#include "config.h"

#include "ops/dump.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/json.h"
#include "base/rowset.h"
#include "ops/client.h"
#include "ops/dump_priv.h"
#include "ops/local_copy.h"
#include "ops/local_tools.h"
#include "ops/op_result.h"
#include "ops/op_server.h"

enum {
	DUMP_MS = 24 * 3600 * 1000,
	LIST_MS = 600 * 1000,
	SIZE_MS = 30000,
	MAX_OUTPUT = 64 << 20,
	LEAST_PERCENT = 1, /* of the database: not even what compresses well is smaller */
};

/* ------------------------------------------------------------------ the plan */

static bool
read_words(struct op *op, const char **database, const char **as, struct error *err)
{
	*database = *as = NULL;
	for (int i = 2; i < op->words->n; i++) {
		const char *w = op->words->w[i].text;

		if (strcmp(w, "--as") == 0 && i + 1 < op->words->n && !*as) {
			*as = op->words->w[++i].text;
		} else if (!*database && *w != '-') {
			*database = w;
		} else {
			error_set(err, ERR_USAGE, "snapshot dump does not know '%s'", w);
			return error_hint(err, "Usage: %s", op->kind->usage);
		}
	}
	if (!*as || copy_is_name(*as))
		return true;
	error_set(err, ERR_USAGE, "'%s' is no name for a dump", *as);
	return error_hint(err, "Letters, digits, '_', '.', '-'.");
}

/* "shop-20261121-182911" */
static const char *
usual_name(struct op *op, const char *database)
{
	char at[40];
	const char *s =
	    wall_rfc3339((struct wall){ wall_now().us / 1000000 * 1000000 }, at, sizeof(at));
	char *name = arena_printf(&op->arena, "%.30s-%.4s%.2s%.2s-%.2s%.2s%.2s", database, s, s + 5,
	    s + 8, s + 11, s + 14, s + 17);

	for (char *c = name; *c; c++)
		if (!copy_is_name((char[]){ *c, '\0' }) && *c != '-' && *c != '.')
			*c = '_';
	if (*name == '-' || *name == '.')
		*name = '_';
	return name;
}

static bool
programs(struct op *op, int major, struct error *err)
{
	static const char *const needed[] = { "pg_dump", "pg_dumpall", "pg_restore" };

	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (!local_pg_program(op, major, needed[i])) {
			error_set(err, ERR_PROGRAM, "%s is not on this machine", needed[i]);
			return error_hint(
			    err, "Install the client programs of PostgreSQL %d.", major);
		}
	return true;
}

/*
 * The size of the database is more than its dump takes, without indexes and compressed, but nobody
 * knows by how much: less room than that is warned of, and hardly any is refused.
 */
static bool
has_room(struct op *op, const char *root, const char *database, struct error *err)
{
	const char *params[] = { database };
	struct error ignored = { 0 };
	struct pg_sync *pg = op_connect(op, op->target, &ignored);
	struct rowset *rows =
	    pg ? pg_sync_run(pg, "op_database_size", params, 1, SIZE_MS, &ignored) : NULL;
	double bytes =
	    rows && rows->nrows == 1 ? cell_num(rowset_get(rows, 0, "size_bytes"), -1) : -1;
	char free_text[32], size_text[32];
	double room;

	rowset_unref(rows);
	pg_sync_close(pg);
	if (!copy_free_bytes(op, root, &room, err))
		return false;
	fmt_bytes(free_text, sizeof(free_text), room);
	fmt_bytes(size_text, sizeof(size_text), bytes);
	if (bytes < 0)
		doc_pair(&op->doc, "disk", ROLE_WARN, "%s free; the size of %s is not known",
		    free_text, database);
	else
		doc_pair(&op->doc, "disk", room < bytes ? ROLE_WARN : ROLE_NORMAL,
		    "%s free; %s has %s, its dump takes %s", free_text, database, size_text,
		    room < bytes ? "less, but this may not be enough" : "less");
	if (room >= bytes * LEAST_PERCENT / 100)
		return true;
	error_set(err, ERR_REFUSED, "%s has %s free, and %s has %s", root, free_text, database,
	    size_text);
	return error_hint(err, "Another folder: dump_root = … of [target %s].", op->target->name);
}

static bool
dump_plan(struct op *op, struct error *err)
{
	const char *database, *as, *root, *name, *dir;
	struct op_server server;
	struct stat st;
	int major;

	if (!read_words(op, &database, &as, err) ||
	    !op_server_look(op, op->target, "server", &server, err))
		return false;
	major = server.version_num / 10000;
	if (!database)
		database = arena_strdup(&op->arena, op->peer.database);
	root = dump_root(op, err);
	if (!root || !programs(op, major, err))
		return false;
	name = as ? as : usual_name(op, database);
	dir = arena_printf(&op->arena, "%s/%s", root, name);
	if (as && lstat(dir, &st) == 0) {
		error_set(err, ERR_REFUSED, "there is a %s already", dir);
		return error_hint(err, "Choose another name.");
	}
	doc_pair(&op->doc, "dump", ROLE_NORMAL, "database %s of %s (PostgreSQL %s, %s)", database,
	    op->target->name, server.version, server.is_standby ? "standby" : "primary");
	doc_pair(&op->doc, "to", ROLE_NORMAL, "%s/%s", root, as ? as : "named by the time");
	if (!has_room(op, root, database, err))
		return false;
	doc_pair(&op->doc, "note", ROLE_NORMAL,
	    "a dump holds no WAL: it is restored as it was, not to a moment");
	op_add_step(op, "dump", "low", "dump it",
	    "pg_dump, 2 processes; locks tables against DDL while it runs");
	op_add_step(op, "globals", "none", "dump roles and tablespaces", "%s", "without passwords");
	op_add_step(op, "check", "none", "look it through", "%s", "pg_restore --list");
	op_add_step(
	    op, "manifest", "none", "write down what is in it", "%s", "SHA-256 of each file");
	op->question = arena_printf(&op->arena, "dump %s of %s?", database, op->target->name);
	return op_fact_set(op, err, "root", "%s", root) &&
	    op_fact_set(op, err, "name", "%s", name) &&
	    op_fact_set(op, err, "database", "%s", database) &&
	    op_fact_set(op, err, "major", "%d", major) &&
	    op_fact_set(op, err, "server_version", "%s", server.version) &&
	    op_fact_set(op, err, "system", "%lld", (long long)server.system_identifier);
}

/* ------------------------------------------------------------------ programs */

static const char *
in_dir(struct op *op, const char *file)
{
	return arena_printf(&op->arena, "%s/%s/%s", op_fact(op, "root"), op_fact(op, "name"), file);
}

/* A client program that reads the database. */
static bool
run_client(struct op *op, const char *const *argv, int timeout_ms, struct error *err)
{
	const struct client_at at = { .conninfo = op->target->conninfo,
		.password = op->target->password,
		.database = op_fact(op, "database"),
		.name = "pgmedic dump" };

	return client_run(op, &at, argv, "--dbname", NULL, timeout_ms, NULL, NULL, err);
}

static const char *
program(struct op *op, const char *name, struct error *err)
{
	const char *path = local_pg_program(op, (int)op_fact_int(op, "major", 0), name);

	if (!path)
		error_set(err, ERR_PROGRAM, "%s is not on this machine", name);
	return path;
}

/* ------------------------------------------------------------------ steps */

static bool
dump_run(struct op *op, struct error *err)
{
	const char *argv[] = { program(op, "pg_dump", err), "--format=directory", "--jobs=2",
		"--no-password", arena_printf(&op->arena, "--file=%s", in_dir(op, "dump")), NULL };

	return argv[0] && dump_begin(op, err) &&
	    op_fact_set(op, err, "started_at", "%lld", (long long)wall_now().us) &&
	    run_client(op, argv, DUMP_MS, err);
}

static bool
globals_run(struct op *op, struct error *err)
{
	const char *argv[] = { program(op, "pg_dumpall", err), "--globals-only",
		"--no-role-passwords", "--no-password",
		arena_printf(&op->arena, "--file=%s", in_dir(op, "globals.sql")), NULL };

	return argv[0] && run_client(op, argv, LIST_MS, err);
}

/* Lines of the list that are entries; comments begin with ';'. */
static int64_t
count_entries(const char *list)
{
	int64_t n = 0;

	for (const char *at = list; *at; at += strcspn(at, "\n"), at += *at == '\n')
		n += *at >= '0' && *at <= '9';
	return n;
}

static bool
check_run(struct op *op, struct error *err)
{
	const char *argv[] = { program(op, "pg_restore", err), "--list", in_dir(op, "dump"), NULL };
	struct strbuf out = STRBUF_INIT(MAX_OUTPUT);
	bool ok = argv[0] && local_run(op, argv, NULL, LIST_MS, &out, NULL, err);

	if (ok && !strstr(out.buf, "; Archive created at"))
		ok = error_set(err, ERR_FORMAT, "pg_restore does not read the dump");
	ok = ok && op_fact_set(op, err, "entries", "%lld", (long long)count_entries(out.buf)) &&
	    op_fact_set(op, err, "finished_at", "%lld", (long long)wall_now().us);
	strbuf_release(&out);
	return ok;
}

static bool
manifest_run(struct op *op, struct error *err)
{
	return dump_write_manifest(op, err) && op_settle_kind(op, "dump", err);
}

static bool
dump_result(struct op *op, struct error *err)
{
	bool first = true;

	(void)err;
	op_result_text(op, &first, "snapshot", op_fact(op, "name"));
	op_result_text(op, &first, "kind", "dump");
	op_result_text(op, &first, "database", op_fact(op, "database"));
	op_result_text(op, &first, "directory", in_dir(op, "dump"));
	op_result_int(op, &first, "entries", op_fact_int(op, "entries", 0));
	op_result_int(op, &first, "size_bytes", op_fact_int(op, "size_bytes", 0));
	op_result_time(op, &first, "started_at", (struct wall){ op_fact_int(op, "started_at", 0) });
	op_result_time(
	    op, &first, "finished_at", (struct wall){ op_fact_int(op, "finished_at", 0) });
	return true;
}

static const struct op_step_def dump_steps[] = {
	{ "dump", NULL, dump_run },
	{ "globals", NULL, globals_run },
	{ "check", NULL, check_run },
	{ "manifest", NULL, manifest_run },
	{ NULL, NULL, NULL },
};

const struct op_impl dump_impl = { dump_plan, dump_steps, dump_result };
