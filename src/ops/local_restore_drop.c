/*
 * restore drop NAME: a restored server that is not needed any more is stopped, and its folder
 * removed: only one below restore_root that carries our mark, and that no job is still making.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fmt.h"
#include "ops/local.h"
#include "ops/local_copy.h"
#include "ops/local_tools.h"
#include "ops/op_result.h"

bool
restore_drop_words(struct op *op, const char **name, struct error *err)
{
	*name = op->words->n == 3 ? op->words->w[2].text : NULL;
	if (*name && copy_is_name(*name))
		return true;
	error_set(err, ERR_USAGE, "restore drop needs the name of a restored server");
	return error_hint(err, "As it was given: restore … to NAME.");
}

static bool
show(struct op *op, const char *name, const char *dir, struct error *err)
{
	const char *mark = copy_mark(op, dir);
	struct error ignored = { 0 };
	const char *version =
	    local_read(op, arena_printf(&op->arena, "%s/data/PG_VERSION", dir), &ignored);
	const char *pid =
	    local_read(op, arena_printf(&op->arena, "%s/data/postmaster.pid", dir), &ignored);
	struct stat st;
	char age[32];

	if (lstat(dir, &st) != 0) {
		error_set(err, ERR_NOT_FOUND, "there is no restored server %s", name);
		return error_hint(err, "%s does not exist.", dir);
	}
	if (!S_ISDIR(st.st_mode) || !mark) {
		error_set(err, ERR_REFUSED, "%s is not what a restore has made", dir);
		return error_hint(err, "It does not carry our mark: remove it by hand.");
	}
	if (strstr(mark, COPY_REPLICA)) {
		error_set(err, ERR_REFUSED, "%s is a replica, which has a slot", name);
		return error_hint(err, "`replica drop %s` removes both.", name);
	}
	if (!copy_is_finished(op, dir, err))
		return false;
	doc_pair(&op->doc, "goes", ROLE_WARN, "%s, made by %.*s, %s old", dir,
	    (int)strcspn(mark, "\n"), mark,
	    fmt_span(
	        age, sizeof(age), (double)(wall_now().us / 1000000 - (int64_t)st.st_mtim.tv_sec)));
	doc_pair(&op->doc, "server", ROLE_NORMAL, "PostgreSQL %.*s, %s",
	    version ? (int)strcspn(version, "\n") : 1, version ? version : "?",
	    pid ? "it may be running" : "it does not run");
	op_identity(op, "goes", "%s %lld %s", dir, (long long)st.st_ino, mark);
	op_add_step(op, "stop", "medium", "stop its server", "fast; nothing of it is kept");
	op_add_step(op, "remove", "high", "remove its folder", "%s; it cannot be taken back", dir);
	op->question = arena_printf(&op->arena, "drop the restored server %s?", name);
	return op_fact_set(op, err, "goes", "%lld", (long long)st.st_ino) &&
	    op_fact_set(op, err, "mark", "%.*s", (int)strcspn(mark, "\n"), mark) &&
	    op_fact_set(op, err, "copy.dir", "%s", dir) &&
	    op_fact_set(op, err, "copy.major", "%ld", version ? strtol(version, NULL, 10) : 0L) &&
	    op_fact_set(op, err, "name", "%s", name);
}

static bool
drop_plan(struct op *op, struct error *err)
{
	const char *name, *root;

	if (!restore_drop_words(op, &name, err))
		return false;
	root = copy_root(op, err);
	return root && op_fact_set(op, err, "copy.root", "%s", root) &&
	    show(op, name, arena_printf(&op->arena, "%s/%s", root, name), err);
}

bool
restore_drop_result(struct op *op, struct error *err)
{
	bool first = true;

	(void)err;
	op_result_text(op, &first, "name", op_fact(op, "name"));
	op_result_bool(op, &first, "dropped", true);
	return true;
}

static bool
stop_run(struct op *op, struct error *err)
{
	return copy_is_same(op, err) && copy_stop(op, err);
}

static bool
remove_run(struct op *op, struct error *err)
{
	return copy_is_same(op, err) && copy_leave_directory(op, err) && copy_remove(op, err);
}

static const struct op_step_def drop_steps[] = {
	{ "stop", NULL, stop_run },
	{ "remove", NULL, remove_run },
	{ NULL, NULL, NULL },
};

const struct op_impl local_restore_drop = { drop_plan, drop_steps, restore_drop_result };
