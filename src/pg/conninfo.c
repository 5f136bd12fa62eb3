#include "config.h"

#include "pg/conninfo.h"

#include <libpq-fe.h>
#include <string.h>

#include "base/strbuf.h"
#include "pg/fault.h"

static void
add_rest(struct strbuf *rest, const PQconninfoOption *o)
{
	strbuf_addf(rest, "%s%s='", rest->len ? " " : "", o->keyword);
	for (const char *s = o->val; *s; s++) {
		if (*s == '\'' || *s == '\\')
			strbuf_addc(rest, '\\');
		strbuf_addc(rest, *s);
	}
	strbuf_addc(rest, '\'');
}

bool
conninfo_to_env(struct arena *arena, const char *conninfo, const char *password,
    struct conninfo_env *env, struct error *err)
{
	char *message = NULL;
	PQconninfoOption *options = PQconninfoParse(conninfo, &message);
	struct strbuf rest = STRBUF_INIT(1 << 16);
	int cap = 0;

	if (!options) {
		fault_message(err, message ? message : "out of memory", ERR_USAGE);
		PQfreemem(message);
		return false;
	}
	for (PQconninfoOption *o = options; o->keyword; o++)
		cap++;
	env->names = arena_zalloc(arena, (size_t)cap + 1, sizeof(*env->names));
	env->values = arena_zalloc(arena, (size_t)cap + 1, sizeof(*env->values));
	env->n = 0;
	for (PQconninfoOption *o = options; o->keyword; o++) {
		const char *value =
		    strcmp(o->keyword, "password") == 0 && password ? password : o->val;

		if (!value || !*value)
			continue;
		if (o->envvar) {
			env->names[env->n] = arena_strdup(arena, o->envvar);
			env->values[env->n++] = arena_strdup(arena, value);
		} else if (*o->dispchar != '*') {
			/* A secret without a variable (sslpassword) would stand in the list of
			 * processes: libpq asks for it. */
			add_rest(&rest, o);
		}
	}
	env->rest = arena_strdup(arena, rest.buf);
	strbuf_release(&rest);
	PQconninfoFree(options);
	return true;
}
