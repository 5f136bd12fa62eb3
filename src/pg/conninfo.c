#include "config.h"

#include "pg/conninfo.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "pg/fault.h"
#include "pg/login_priv.h"

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
conninfo_is_none(const char *conninfo)
{
	return strcmp(conninfo, CONNINFO_NONE) == 0;
}

static void
add_field(struct strbuf *sb, const char *s)
{
	strbuf_addc(sb, ':');
	for (; *s; s++) {
		if (*s == ':' || *s == '\\')
			strbuf_addc(sb, '\\');
		strbuf_addc(sb, *s);
	}
}

const char *
conninfo_passline(struct arena *arena, const char *user, const char *password)
{
	struct strbuf sb = STRBUF_INIT(1 << 16);
	const char *line;

	strbuf_adds(&sb, "*:*:*");
	add_field(&sb, user ? user : "*");
	add_field(&sb, password);
	strbuf_addc(&sb, '\n');
	line = arena_strndup(arena, sb.buf, sb.len);
	explicit_bzero(sb.buf, sb.len);
	strbuf_release(&sb);
	return line;
}

/* Of what stands in the conninfo itself, or in libpq's variable. */
static const char *
session_attrs(struct arena *arena, const char *conninfo)
{
	PQconninfoOption *said = PQconninfoParse(conninfo, NULL);
	const char *value = login_option(said, "target_session_attrs");

	value = *value ? arena_strdup(arena, value) : getenv("PGTARGETSESSIONATTRS");
	PQconninfoFree(said);
	return value ? value : "";
}

/* Said by nobody, or already done: what a service has, and where passwords are. */
static bool
is_left_to_default(const PQconninfoOption *o)
{
	static const char *const done[] = { "password", "passfile", "service", "servicefile" };

	for (size_t i = 0; i < ARRAY_LEN(done); i++)
		if (strcmp(o->keyword, done[i]) == 0)
			return true;
	/* The compiled-in port may be another one in the child. */
	return strcmp(o->keyword, "port") != 0 && o->compiled && o->val &&
	    strcmp(o->val, o->compiled) == 0;
}

static void
add_option(struct arena *arena, struct conninfo_env *env, struct strbuf *rest,
    const PQconninfoOption *o, const char *value)
{
	if (!value || !*value)
		return;
	if (o->envvar) {
		env->names[env->n] = arena_strdup(arena, o->envvar);
		env->values[env->n++] = arena_strdup(arena, value);
	} else if (*o->dispchar != '*') {
		/* A secret without a variable (sslpassword) would stand in the list of processes:
		 * libpq asks for it. */
		add_pair(rest, o->keyword, value);
	}
}

bool
conninfo_to_env(struct arena *arena, const char *conninfo, const char *password,
    struct conninfo_env *env, struct error *err)
{
	struct login_params list = { .n = 0 }, extra = { .n = 0 };
	struct strbuf rest = STRBUF_INIT(1 << 16);
	PQconninfoOption *options;
	int cap = 0;

	*env = (struct conninfo_env){ .rest = "" };
	if (!login_expand(arena, conninfo, password, &extra, err))
		return false;
	login_param(&list, "dbname", conninfo ? conninfo : "");
	options = login_resolve(&list, err);
	if (!options)
		return false;
	for (PQconninfoOption *o = options; o->keyword; o++)
		cap++;
	env->names = arena_zalloc(arena, (size_t)cap + 1, sizeof(*env->names));
	env->values = arena_zalloc(arena, (size_t)cap + 1, sizeof(*env->values));
	for (PQconninfoOption *o = options; o->keyword; o++) {
		const char *value = is_left_to_default(o) ? "" : o->val;

		if (strcmp(o->keyword, "target_session_attrs") == 0)
			value = session_attrs(arena, conninfo);
		for (int i = 0; i < extra.n; i++)
			if (strcmp(o->keyword, extra.keys[i]) == 0)
				value = extra.values[i];
		if (strcmp(o->keyword, "password") != 0)
			add_option(arena, env, &rest, o, value);
		else if (value && *value)
			env->passfile = conninfo_passline(arena, NULL, value);
	}
	if (!env->passfile && *login_option(options, "password"))
		env->passfile = conninfo_passline(arena, NULL, login_option(options, "password"));
	if (!env->passfile) {
		const char *found = login_password(arena, &list);

		env->is_from_file = found != NULL;
		env->passfile = found ? conninfo_passline(arena, NULL, found) : NULL;
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

/* The end of "keyword = value" that begins at s; *keylen: of its keyword. */
static const char *
pair_end(const char *s, size_t *keylen)
{
	*keylen = strcspn(s, "= \t\n");
	s += *keylen;
	s += strspn(s, " \t\n");
	s += *s == '=';
	s += strspn(s, " \t\n");
	if (*s != '\'') {
		while (*s && !strchr(" \t\n", *s))
			s += *s == '\\' && s[1] ? 2 : 1;
		return s;
	}
	for (s++; *s && *s != '\''; s++)
		s += *s == '\\' && s[1];
	return s + (*s == '\'');
}

/*
 * The options of a server's conninfo. Those that this libpq does not know, being older than the
 * server, go to `unknown` as they stand. NULL and *message when it is none.
 */
static PQconninfoOption *
parse_servers(const char *conninfo, struct strbuf *unknown, char **message)
{
	struct strbuf known = STRBUF_INIT(1 << 16);
	PQconninfoOption *all = PQconninfoParse("", NULL), *options;
	const char *end;
	size_t keylen;

	for (const char *s = conninfo + strspn(conninfo, " \t\n"); *s;
	     s = end + strspn(end, " \t\n")) {
		bool is_known = false;

		end = pair_end(s, &keylen);
		for (const PQconninfoOption *o = all; o && o->keyword && !is_known; o++)
			is_known =
			    strlen(o->keyword) == keylen && memcmp(o->keyword, s, keylen) == 0;
		strbuf_add(is_known ? &known : unknown, s, (size_t)(end - s));
		strbuf_addc(is_known ? &known : unknown, ' ');
	}
	options = PQconninfoParse(known.buf, message);
	PQconninfoFree(all);
	explicit_bzero(known.buf, known.len);
	strbuf_release(&known);
	return options;
}

const char *
conninfo_follow(struct arena *arena, const char *base, const char *server,
    const char *application_name, bool keeps_name, struct error *err)
{
	char *message = NULL;
	PQconninfoOption *where = PQconninfoParse(server, &message), *rest = NULL;
	struct strbuf sb = STRBUF_INIT(1 << 16), unknown = STRBUF_INIT(1 << 16);
	const char *text = NULL;
	bool has_name = false;

	if (where)
		rest = *base ? parse_servers(base, &unknown, &message) :
		               PQconninfoParse(server, &message);
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
	if (rest && unknown.len)
		strbuf_addf(&sb, " %s", unknown.buf);
	if (rest)
		text = arena_strndup(arena, sb.buf, sb.len);
	else
		fault_message(err, message ? message : "out of memory", ERR_USAGE);
	PQfreemem(message);
	PQconninfoFree(where);
	PQconninfoFree(rest);
	explicit_bzero(sb.buf, sb.len);
	explicit_bzero(unknown.buf, unknown.len);
	strbuf_release(&sb);
	strbuf_release(&unknown);
	return text;
}

const char *
conninfo_at(
    struct arena *arena, const char *conninfo, const char *host, int port, struct error *err)
{
	static const char *const places[] = { "host", "hostaddr", "port", "service",
		"target_session_attrs" };
	char *message = NULL, number[16];
	PQconninfoOption *options = PQconninfoParse(conninfo, &message);
	struct strbuf sb = STRBUF_INIT(1 << 16);
	const char *text = NULL;

	for (PQconninfoOption *o = options; o && o->keyword; o++) {
		bool is_place = !o->val || !*o->val;

		for (size_t i = 0; i < ARRAY_LEN(places); i++)
			is_place |= strcmp(places[i], o->keyword) == 0;
		if (!is_place)
			add_rest(&sb, o);
	}
	snprintf(number, sizeof(number), "%d", port);
	add_pair(&sb, "host", host);
	add_pair(&sb, "port", number);
	if (options)
		text = arena_strndup(arena, sb.buf, sb.len);
	else
		fault_message(err, message ? message : "out of memory", ERR_USAGE);
	PQfreemem(message);
	PQconninfoFree(options);
	explicit_bzero(sb.buf, sb.len);
	strbuf_release(&sb);
	return text;
}
