#include "config.h"

#include "pg/conninfo.h"

#include <libpq-fe.h>
#include <string.h>

#include "base/strbuf.h"
#include "pg/fault.h"

static void
add_pair(struct strbuf *rest, const char *keyword, const char *value)
{
	strbuf_addf(rest, "%s%s='", rest->len ? " " : "", keyword);
	for (const char *s = value; *s; s++) {
		if (*s == '\'' || *s == '\\')
			strbuf_addc(rest, '\\');
		strbuf_addc(rest, *s);
	}
	strbuf_addc(rest, '\'');
}

static void
add_rest(struct strbuf *rest, const PQconninfoOption *o)
{
	add_pair(rest, o->keyword, o->val);
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

/* What does not belong into primary_conninfo, or is said anew. */
static bool
is_left_out(const char *keyword, bool keeps_name)
{
	static const char *const out[] = { "host", "hostaddr", "port", "dbname", "replication",
		"fallback_application_name", "target_session_attrs", "options", "client_encoding" };

	for (size_t i = 0; i < ARRAY_LEN(out); i++)
		if (strcmp(out[i], keyword) == 0)
			return true;
	return !keeps_name && strcmp(keyword, "application_name") == 0;
}

const char *
conninfo_follow(struct arena *arena, const char *base, const char *server,
    const char *application_name, bool keeps_name, struct error *err)
{
	char *message = NULL;
	PQconninfoOption *where = PQconninfoParse(server, &message), *rest = NULL;
	struct strbuf sb = STRBUF_INIT(1 << 16);
	const char *text = NULL;
	bool has_name = false;

	if (where)
		rest = PQconninfoParse(*base ? base : server, &message);
	for (PQconninfoOption *o = rest; o && o->keyword; o++) {
		if (!o->val || !*o->val || is_left_out(o->keyword, keeps_name))
			continue;
		has_name |= strcmp(o->keyword, "application_name") == 0;
		add_rest(&sb, o);
	}
	for (PQconninfoOption *o = where; rest && o->keyword; o++)
		if (o->val && *o->val &&
		    (strcmp(o->keyword, "host") == 0 || strcmp(o->keyword, "hostaddr") == 0 ||
		        strcmp(o->keyword, "port") == 0))
			add_rest(&sb, o);
	if (rest && !has_name)
		add_pair(&sb, "application_name", application_name);
	if (rest)
		text = arena_strndup(arena, sb.buf, sb.len);
	else
		fault_message(err, message ? message : "out of memory", ERR_USAGE);
	PQfreemem(message);
	PQconninfoFree(where);
	PQconninfoFree(rest);
	explicit_bzero(sb.buf, sb.len);
	strbuf_release(&sb);
	return text;
}
