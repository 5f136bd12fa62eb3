#include "config.h"

#include "ops/set.h"

#include <string.h>
#include <strings.h>

#include "base/log.h"

enum { MAX_VALUE = 4096 };

/* Facts and the journal keep the value, so that it must be none that is to be hidden. */
static bool
has_no_secret(const char *name, const char *value, struct error *err)
{
	struct strbuf hidden = STRBUF_INIT(MAX_VALUE * 2);
	bool ok;

	redact(&hidden, value);
	ok = strcmp(hidden.buf, value) == 0 && strcmp(name, "primary_conninfo") != 0;
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
