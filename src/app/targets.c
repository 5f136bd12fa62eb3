#include "config.h"

#include "app/targets.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>

#include "app/login.h"
#include "base/lexer.h"
#include "base/strbuf.h"
#include "guide/lab.h"
#include "pg/conninfo.h"

enum { MAX_PASSWORD = 1000 };

static bool
is_uri(const char *s)
{
	return strncmp(s, "postgresql://", 13) == 0 || strncmp(s, "postgres://", 11) == 0;
}

/* Is it a conninfo string or URI rather than a name? */
static bool
is_conninfo(const char *s)
{
	return is_uri(s) || strchr(s, '=') != NULL;
}

/* As libpq reads values: in quotes, with \' and \\. */
static void
add_quoted(struct strbuf *out, const char *value)
{
	strbuf_addc(out, '\'');
	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			strbuf_addc(out, '\\');
		strbuf_addc(out, *value);
	}
	strbuf_addc(out, '\'');
}

static void
add_percent(struct strbuf *out, const char *value)
{
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;

		if (isalnum(c) || strchr("-._~", c))
			strbuf_addc(out, (char)c);
		else
			strbuf_addf(out, "%%%02X", c);
	}
}

/*
 * In a keyword string the last of two equal keywords wins, and in a URI the query part wins over
 * what comes before it: so appending is replacing.
 */
const char *
conninfo_with(struct arena *arena, const char *conninfo, const char *keyword, const char *value)
{
	struct strbuf sb = STRBUF_INIT(1 << 20);
	const char *result;

	if (!value || !*value)
		return conninfo;
	strbuf_adds(&sb, conninfo);
	if (is_uri(conninfo)) {
		/* Without a path a '?' may still follow the authority directly. */
		strbuf_addf(&sb, "%s%s=", strchr(conninfo, '?') ? "&" : "?", keyword);
		add_percent(&sb, value);
	} else {
		strbuf_addf(&sb, "%s%s=", *conninfo ? " " : "", keyword);
		add_quoted(&sb, value);
	}
	result = arena_strdup(arena, sb.buf);
	strbuf_release(&sb);
	return result;
}

static struct target *
add(struct targets *t, const char *name, const char *conninfo)
{
	struct target *item;
	int twin = 1;

	for (int i = 0; i < t->n; i++)
		if (strcmp(t->items[i].name, name) == 0)
			twin++;
	GROW(t->items, t->n, t->cap);
	item = &t->items[t->n++];
	*item = (struct target){
		.name = twin > 1 ? arena_printf(&t->arena, "%s#%d", name, twin) :
		                   arena_strdup(&t->arena, name),
		.conninfo = arena_strdup(&t->arena, conninfo),
		.color = "",
	};
	return item;
}

/* The value of a keyword in a conninfo string, or NULL; only for a readable name. */
static const char *
conninfo_get(struct arena *arena, const char *conninfo, const char *keyword)
{
	const char *found = NULL;
	size_t klen = strlen(keyword);

	while (*conninfo) {
		const char *key, *start;
		size_t keylen;
		struct strbuf value = STRBUF_INIT(1024);

		conninfo += strspn(conninfo, " \t\n");
		key = conninfo;
		keylen = strcspn(key, " \t\n=");
		conninfo += keylen;
		conninfo += strspn(conninfo, " \t\n");
		if (*conninfo != '=')
			break;
		conninfo++;
		conninfo += strspn(conninfo, " \t\n");
		start = conninfo;
		if (*conninfo == '\'') {
			for (conninfo++; *conninfo && *conninfo != '\''; conninfo++) {
				if (*conninfo == '\\' && conninfo[1])
					conninfo++;
				strbuf_addc(&value, *conninfo);
			}
			conninfo += *conninfo == '\'';
		} else {
			conninfo += strcspn(conninfo, " \t\n");
			strbuf_add(&value, start, (size_t)(conninfo - start));
		}
		if (keylen == klen && strncmp(key, keyword, klen) == 0)
			found = arena_strdup(arena, value.buf);
		strbuf_release(&value);
	}
	return found;
}

/* A URI without its password and parameters: what a title line may show. */
static const char *
uri_name(struct arena *arena, const char *uri)
{
	const char *rest = strstr(uri, "://") + 3;
	size_t auth = strcspn(rest, "/?");
	const char *at = memchr(rest, '@', auth);
	const char *host = at ? at + 1 : rest;
	size_t len = strcspn(host, "?");

	while (at && memchr(host, '@', (size_t)(rest + auth - host)))
		host = (const char *)memchr(host, '@', (size_t)(rest + auth - host)) + 1;
	len = strcspn(host, "?");
	return len ? arena_strndup(arena, host, len) : "local";
}

/* A name to show for a conninfo that has none. */
static const char *
readable_name(struct arena *arena, const char *conninfo)
{
	const char *service, *host, *port, *db;

	if (is_uri(conninfo))
		return uri_name(arena, conninfo);
	service = conninfo_get(arena, conninfo, "service");
	host = conninfo_get(arena, conninfo, "host");
	port = conninfo_get(arena, conninfo, "port");
	db = conninfo_get(arena, conninfo, "dbname");
	if (service)
		return service;
	if (!host)
		host = getenv("PGHOST");
	if (!port)
		port = getenv("PGPORT");
	if (!db)
		db = getenv("PGDATABASE");
	return arena_printf(arena, "%s%s%s%s%s", host && *host ? host : "local",
	    port && *port ? ":" : "", port && *port ? port : "", db && *db ? "/" : "",
	    db && *db ? db : "");
}

/* -h -p -U win over what the string says; -d too, unless it is itself a connection string (then it
 * is the base). */
static const char *
merge(struct arena *arena, const struct options *opt, const char *conninfo)
{
	conninfo = conninfo_with(arena, conninfo, "host", opt->host);
	conninfo = conninfo_with(arena, conninfo, "port", opt->port);
	conninfo = conninfo_with(arena, conninfo, "user", opt->user);
	if (opt->database && !is_conninfo(opt->database))
		conninfo = conninfo_with(arena, conninfo, "dbname", opt->database);
	return conninfo;
}

static void
read_section(struct targets *t, struct target *item, const struct settings *s, const char *section)
{
	const struct conf *conf = settings_conf(s, section);

	for (int i = 0; i < conf->n; i++) {
		const struct conf_entry *e = &conf->entries[i];
		const char *v = arena_strdup(&t->arena, e->value);

		if (strcmp(e->section, section) != 0)
			continue;
		if (strcmp(e->key, "conninfo") == 0)
			item->conninfo = v;
		else if (strcmp(e->key, "pgbouncer") == 0)
			item->pgbouncer = *v ? v : NULL;
		else if (strcmp(e->key, "color") == 0)
			item->color = v;
		else if (strcmp(e->key, "refresh") == 0)
			(void)settings_parse_seconds(v, &item->refresh_ms);
		else if (strcmp(e->key, "storage_capacity") == 0)
			(void)settings_parse_bytes(v, &item->capacity.capacity_bytes);
		else if (strcmp(e->key, "storage_max") == 0)
			(void)settings_parse_bytes(v, &item->capacity.max_bytes);
		else if (strcmp(e->key, "storage_autoscaling") == 0)
			(void)settings_parse_bool(v, &item->capacity.is_autoscaling);
		else if (strcmp(e->key, "provider") == 0)
			item->cloud.provider = v;
		else if (strcmp(e->key, "instance") == 0)
			item->cloud.instance = v;
		else if (strcmp(e->key, "cluster") == 0)
			item->cloud.cluster = v;
		else if (strcmp(e->key, "region") == 0)
			item->cloud.region = v;
		else if (strcmp(e->key, "profile") == 0)
			item->cloud.profile = v;
		else if (strcmp(e->key, "credentials_file") == 0)
			item->cloud.credentials_file = v;
		else if (strcmp(e->key, "endpoint_url") == 0)
			item->cloud.endpoint_url = v;
		else if (strcmp(e->key, "log_file") == 0)
			item->log_file = *v ? v : NULL;
		else if (strcmp(e->key, "backup_file") == 0)
			item->backup_file = v;
		else if (strcmp(e->key, "backup_verified_file") == 0)
			item->backup_verified_file = v;
		else if (strcmp(e->key, "protected") == 0)
			(void)settings_parse_bool(v, &item->is_protected);
		else if (strcmp(e->key, "read_only") == 0)
			(void)settings_parse_bool(v, &item->is_read_only);
		else if (strcmp(e->key, "approve") == 0)
			item->approvals = strcmp(v, "two") == 0 ?
			    arena_strdup(&t->arena, settings_get(s, "approvals")) :
			    NULL;
		else if (strcmp(e->key, "hypopg") == 0)
			item->no_hypopg = strcmp(v, "never") == 0;
		else if (strcmp(e->key, "advice_unused_days") == 0 &&
		    settings_parse_days(v, &item->unused_days) && item->unused_days <= 0)
			item->unused_days = -1;
	}
	item->password = login_of(&t->arena, s, section);
	if (item->is_read_only)
		item->read_only_why = arena_printf(&t->arena, "read_only = yes of [%s]", section);
}

static const char *
section_name(const char *section)
{
	if (strncmp(section, "target ", 7) != 0)
		return NULL;
	section += 7;
	return section + strspn(section, " ");
}

/* It has no conninfo: is it all the same known what it is? */
static bool
is_cloud_only(const struct target *item)
{
	const struct cloud_conf *c = &item->cloud;

	return c->provider && strcmp(c->provider, "rds") == 0 &&
	    ((c->instance && *c->instance) || (c->cluster && *c->cluster));
}

/* Add the target of a section; false when there is none of that name. */
static bool
add_section(
    struct targets *t, const struct settings *s, const struct options *opt, const char *name)
{
	for (int i = 0; i < s->conf.n; i++) {
		const char *section = s->conf.entries[i].section;
		const char *n = section_name(section);
		struct target *item;

		if (!n || strcmp(n, name) != 0)
			continue;
		item = add(t, name, "");
		read_section(t, item, s, section);
		if (!*item->conninfo && is_cloud_only(item) && !opt->host)
			item->conninfo = CONNINFO_NONE;
		else
			item->conninfo = merge(&t->arena, opt, item->conninfo);
		return true;
	}
	return false;
}

/* Each section once, in the order of the file. */
static void
add_sections(struct targets *t, const struct settings *s, const struct options *opt)
{
	for (int i = 0; i < s->conf.n; i++) {
		const char *name = section_name(s->conf.entries[i].section);

		if (name && *name && targets_find(t, name) < 0)
			(void)add_section(t, s, opt, name);
	}
}

static bool
fail_word(const struct settings *s, const char *word, struct error *err)
{
	const char *names[256];
	int n = 0;
	const char *near;

	for (int i = 0; i < s->conf.n && n < 240; i++) {
		const char *name = section_name(s->conf.entries[i].section);

		if (name && (n == 0 || strcmp(names[n - 1], name) != 0))
			names[n++] = name;
	}
	for (int v = VERB_CONSOLE + 1; v < VERB_COUNT; v++)
		names[n++] = verb_infos[v].name;
	names[n] = NULL;
	near = nearest_name(word, names);
	error_set(err, ERR_USAGE, "there is no target or subcommand '%s'", word);
	if (strncmp(word, "lab", 3) == 0)
		return error_hint(err, "No lab is up here: `pgmedic lab up` makes one.");
	if (near)
		return error_hint(err, "The nearest is %s.", near);
	return error_hint(err,
	    "A target is a name from %s, a postgresql:// URI, a conninfo string or service=NAME.",
	    s->path);
}

/* The lab, when one is up: its primary, and its standby beside it; only one of them when it is
 * named. False: there is nothing of that name. */
static bool
add_lab(struct targets *t, const struct settings *s, const char *only)
{
	static const char *const names[] = { "lab", "lab-standby" };
	const char *uris[] = { NULL, NULL }, *pgbouncer;
	struct error ignored = { 0 };
	bool found = false;

	if (!lab_conninfo(&t->arena, &uris[0], &uris[1], &pgbouncer, &ignored))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct target *item;

		if (!uris[i] || (only && strcmp(only, names[i]) != 0))
			continue;
		item = add(t, names[i], uris[i]);
		read_section(t, item, s, arena_printf(&t->arena, "target %s", names[i]));
		item->pgbouncer = i == 0 ? pgbouncer : NULL;
		item->color = "green";
		item->is_lab = true;
		found = true;
	}
	return found;
}

static bool
add_word(struct targets *t, const struct settings *s, const struct options *opt, const char *word,
    struct error *err)
{
	const char *conninfo;

	if (add_section(t, s, opt, word))
		return true;
	if (!is_conninfo(word))
		return add_lab(t, s, word) || fail_word(s, word, err);
	conninfo = merge(&t->arena, opt, word);
	add(t, readable_name(&t->arena, conninfo), conninfo);
	return true;
}

/* Does libpq's environment name a server? */
static bool
environment_decides(void)
{
	static const char *const names[] = { "PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE",
		"PGDATABASE", "PGUSER" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *v = getenv(names[i]);

		if (v && *v)
			return true;
	}
	return false;
}

static void
add_defaults(struct targets *t, const struct options *opt, const struct settings *s)
{
	bool is_told = opt->host || opt->port || opt->user || opt->database;
	const char *base = "";

	if (!is_told && !environment_decides()) {
		add_sections(t, s, opt);
		if (t->n == 0)
			(void)add_lab(t, s, NULL);
		if (t->n > 0)
			return;
	}
	if (opt->database && is_conninfo(opt->database))
		base = opt->database;
	base = merge(&t->arena, opt, base);
	add(t, readable_name(&t->arena, base), base);
}

/* As psql -W: one password for every target of the command line, read without echo. */
static bool
ask_password(struct targets *targets, struct error *err)
{
	struct termios shown, hidden;
	char line[MAX_PASSWORD];
	FILE *tty = fopen("/dev/tty", "r+");
	bool ok;

	if (!tty)
		return error_set(err, ERR_AUTH, "there is no terminal to ask for the password on");
	if (tcgetattr(fileno(tty), &shown) != 0) {
		fclose(tty);
		return error_set(err, ERR_AUTH, "the terminal cannot hide a password");
	}
	fputs("Password: ", tty);
	fflush(tty);
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(fileno(tty), TCSAFLUSH, &hidden);
	ok = fgets(line, sizeof(line), tty) != NULL;
	tcsetattr(fileno(tty), TCSAFLUSH, &shown);
	fputc('\n', tty);
	fclose(tty);
	line[strcspn(line, "\r\n")] = '\0';
	for (int i = 0; ok && i < targets->n; i++)
		targets->items[i].password = arena_strdup(&targets->arena, line);
	explicit_bzero(line, sizeof(line));
	return ok || error_set(err, ERR_AUTH, "no password was given");
}

bool
targets_resolve(struct targets *t, const struct options *opt, const struct settings *s,
    const char *const *words, int nwords, struct error *err)
{
	*t = (struct targets){ 0 };
	for (int i = 0; i < nwords; i++)
		if (!add_word(t, s, opt, words[i], err))
			return false;
	if (nwords == 0)
		add_defaults(t, opt, s);
	for (int i = 0; i < t->n; i++) {
		struct target *item = &t->items[i];

		if (opt->read_only && !item->read_only_why) {
			item->is_read_only = true;
			item->read_only_why = "--read-only";
		}
		if (opt->refresh_ms)
			item->refresh_ms = opt->refresh_ms;
		else if (!item->refresh_ms)
			item->refresh_ms = settings_ms(s, "refresh");
		item->cloud.period_ms = settings_ms(s, "cloud_refresh");
	}
	return !opt->ask_password || ask_password(t, err);
}

void
targets_release(struct targets *t)
{
	free(t->items);
	arena_release(&t->arena);
	*t = (struct targets){ 0 };
}

int
targets_find(const struct targets *t, const char *name)
{
	int found = -1;

	for (int i = 0; i < t->n; i++)
		if (strcmp(t->items[i].name, name) == 0)
			return i;
	for (int i = 0; i < t->n; i++) {
		if (!*name || strncmp(t->items[i].name, name, strlen(name)) != 0)
			continue;
		if (found >= 0)
			return -1;
		found = i;
	}
	return found;
}
