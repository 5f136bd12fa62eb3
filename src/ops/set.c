#include "config.h"

#include "ops/set.h"

#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "ops/op_server.h"

enum { LOOK_MS = 3000, MAX_VALUE = 4096 };

/* Facts and the journal keep the value, so that it must be none that is to be hidden. */
static bool
has_no_secret(const char *name, const char *value, struct error *err)
{
	struct strbuf hidden = STRBUF_INIT(MAX_VALUE * 2);
	bool ok;

	redact(&hidden, value);
	ok = strcmp(hidden.buf, value) == 0 && strcasecmp(name, "primary_conninfo") != 0 &&
	    strcasecmp(name, "ssl_passphrase_command") != 0;
	strbuf_release(&hidden);
	if (ok)
		return true;
	error_set(err, ERR_REFUSED,
	    "the value of %s may hold a secret, and the journal keeps values", name);
	return error_hint(err, "Give it by psql, and keep passwords in a passfile.");
}

bool
set_words(struct op *op, const char **name, const char **value, struct error *err)
{
	const struct words *w = op->words;
	struct strbuf text = STRBUF_INIT(MAX_VALUE);
	int i = 2;

	*name = w->n > 1 ? w->w[1].text : "";
	if (w->n > 3 && (strcmp(w->w[2].text, "=") == 0 || strcasecmp(w->w[2].text, "to") == 0))
		i++;
	if (w->n <= i || !**name) {
		error_set(err, ERR_USAGE, "set needs a parameter and its value");
		return error_hint(err, "Usage: %s", op->kind->usage);
	}
	for (int k = i; k < w->n; k++)
		strbuf_addf(&text, "%s%s", k > i ? " " : "", w->w[k].text);
	*value = arena_strndup(&op->arena, text.buf, text.len);
	strbuf_release(&text);
	if (strcasecmp(*value, "default") == 0 && w->n == i + 1)
		*value = NULL;
	return !*value || has_no_secret(*name, *value, err);
}

const char *
set_warn(
    struct op *op, const struct parameter *p, const char *from, const char *to, const char *risk)
{
	const struct parameter_warning *w = NULL;

	while ((w = parameter_warning(p, from, to, w))) {
		doc_pair(&op->doc, "WARNING", ROLE_WARN, "%s", w->text);
		if (strcmp(w->risk, "high") == 0 || strcmp(risk, "low") == 0)
			risk = w->risk;
	}
	return risk;
}

/* ------------------------------------------------------------------ what the server says */

const char *
set_text(struct op *op, const struct rowset *rows, int row, const char *column)
{
	const struct cell *c = rowset_get(rows, row, column);

	return c->type == CELL_TEXT ? arena_strndup(&op->arena, c->s, c->len) : "";
}

bool
set_true(const struct rowset *rows, const char *column)
{
	return cell_i64(rowset_get(rows, 0, column), 0) != 0;
}

static void
read_look(struct op *op, const struct rowset *rows, struct set_looked *l)
{
	*l = (struct set_looked){
		.p = { .name = set_text(op, rows, 0, "name"),
		    .vartype = set_text(op, rows, 0, "vartype"),
		    .unit = set_text(op, rows, 0, "unit"),
		    .context = set_text(op, rows, 0, "context"),
		    .min = set_text(op, rows, 0, "min_val"),
		    .max = set_text(op, rows, 0, "max_val"),
		    .enums = set_text(op, rows, 0, "enumvals"),
		    .is_list = set_true(rows, "is_list") },
		.setting = set_text(op, rows, 0, "setting"),
		.source = set_text(op, rows, 0, "source"),
		.sourcefile = set_text(op, rows, 0, "sourcefile"),
		.overrides = set_text(op, rows, 0, "overrides"),
		.boot = set_text(op, rows, 0, "boot_val"),
		.reset = set_text(op, rows, 0, "reset_val"),
		.about = set_text(op, rows, 0, "short_desc"),
		.statement = set_text(op, rows, 0, "statement"),
		.undo = set_text(op, rows, 0, "undo"),
		.sourceline = cell_i64(rowset_get(rows, 0, "sourceline"), 0),
		.loaded_at = cell_i64(rowset_get(rows, 0, "loaded_at"), 0),
		.is_pending = set_true(rows, "pending_restart"),
		.may_set = set_true(rows, "may_set"),
		.may_reload = set_true(rows, "may_reload"),
		.is_rds = set_true(rows, "is_rds"),
		.is_allowed = set_true(rows, "is_allowed"),
	};
}

static bool
not_there(struct op *op, struct pg_sync *pg, const char *name, struct error *err)
{
	struct error ignored = { 0 };
	struct rowset *rows = pg_sync_run(pg, "op_parameter_like", &name, 1, LOOK_MS, &ignored);
	const char *near = rows && rows->nrows ? set_text(op, rows, 0, "names") : "";

	rowset_unref(rows);
	error_set(err, ERR_NOT_FOUND, "the server has no parameter %s", name);
	return error_hint(err,
	    *near ? "Near to it: %.200s." :
	            "One of an extension is known only where its library is loaded.",
	    near);
}

bool
set_look(struct op *op, struct pg_sync *pg, const char *name, const char *value, const char *before,
    struct set_looked *l, struct error *err)
{
	const char *params[] = { name, value, before };
	struct rowset *rows = pg_sync_run(pg, "op_parameter", params, 3, LOOK_MS, err);
	bool ok = rows && rows->nrows == 1;

	if (ok)
		read_look(op, rows, l);
	else if (rows)
		not_there(op, pg, name, err);
	rowset_unref(rows);
	return ok;
}
