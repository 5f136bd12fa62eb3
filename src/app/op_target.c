#include "config.h"

#include "app/op_target.h"

#include <stddef.h>
#include <string.h>

#include "app/child.h"
#include "app/login.h"
#include "pg/login.h"

/* Keys of a [target] section that are taken as they are. */
static const struct {
	const char *key;
	size_t at;
} keys[] = {
#define KEY(name)                                       \
	{                                               \
#name, offsetof(struct op_target, name) \
	}
	KEY(provider),
	KEY(instance),
	KEY(cluster),
	KEY(region),
	KEY(profile),
	KEY(credentials_file),
	KEY(endpoint_url),
	KEY(data_directory),
	KEY(pgbackrest_config),
	KEY(pgbackrest_stanza),
	KEY(patroni_url),
	KEY(restore_root),
	KEY(dump_root),
	KEY(approve),
	KEY(approvals),
	KEY(critical_queries),
	KEY(pgbouncer),
	KEY(proxy_role),
	KEY(proxy_secret),
#undef KEY
};

static const char **
value_at(struct op_target *t, size_t at)
{
	return (const char **)(void *)((char *)t + at);
}

static void
read_keys(struct arena *arena, const struct settings *s, const char *section, struct op_target *t,
    const char **standby)
{
	const struct conf *conf = settings_conf(s, section);

	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		if (!*value_at(t, keys[k].at))
			*value_at(t, keys[k].at) = "";
	for (int i = 0; i < conf->n; i++) {
		const struct conf_entry *e = &conf->entries[i];

		if (strcmp(e->section, section) != 0)
			continue;
		for (size_t k = 0; k < ARRAY_LEN(keys); k++)
			if (strcmp(keys[k].key, e->key) == 0)
				*value_at(t, keys[k].at) = arena_strdup(arena, e->value);
		if (strcmp(e->key, "standby") == 0 && *e->value)
			*standby = e->value;
		else if (strcmp(e->key, "conninfo") == 0 && !t->conninfo)
			t->conninfo = arena_strdup(arena, e->value);
	}
}

static const char *
value_of(const struct settings *s, const char *section, const char *key)
{
	const struct conf *conf = settings_conf(s, section);
	const char *value = "";

	for (int i = 0; i < conf->n; i++)
		if (strcmp(conf->entries[i].section, section) == 0 &&
		    strcmp(conf->entries[i].key, key) == 0)
			value = conf->entries[i].value;
	return value;
}

/* Who is whose standby, of all targets. */
static const struct op_standby *
read_standbys(struct arena *arena, const struct settings *s)
{
	static const char target[] = "target ";
	const struct conf *const confs[] = { &s->conf, &s->lab };
	struct op_standby *all =
	    arena_zalloc(arena, (size_t)s->conf.n + (size_t)s->lab.n + 1, sizeof(*all));
	int n = 0;

	for (size_t k = 0; k < ARRAY_LEN(confs); k++)
		for (int i = 0; i < confs[k]->n; i++) {
			const struct conf_entry *e = &confs[k]->entries[i];

			if (strncmp(e->section, target, strlen(target)) != 0 ||
			    strcmp(e->key, "standby") != 0 || !*e->value)
				continue;
			all[n++] = (struct op_standby){
				.of = arena_strdup(arena, e->section + strlen(target)),
				.name = arena_strdup(arena, e->value),
				.data_directory = arena_strdup(arena,
				    value_of(s, arena_printf(arena, "target %s", e->value),
				        "data_directory")),
			};
		}
	return all;
}

/* NAME.cluster-….rds.… and NAME.cluster-ro-… name their cluster; custom endpoints do not. */
static void
find_cluster(struct arena *arena, struct op_target *t)
{
	char host[PG_RDS_HOST_MAX];

	if (*t->instance || *t->cluster || !t->conninfo ||
	    !pg_rds_host_in(t->conninfo, host, sizeof(host)) || !strstr(host, ".cluster-") ||
	    strstr(host, ".cluster-custom-"))
		return;
	t->cluster = arena_strndup(arena, host, strcspn(host, "."));
}

const struct op_target *
op_target_of(struct arena *arena, const struct settings *settings, const struct target *target,
    struct error *err)
{
	struct op_target *t = arena_zalloc(arena, 1, sizeof(*t));
	const char *standby = NULL, *ignored = NULL;
	struct op_target *other;
	bool is_read_only;

	t->name = target->name;
	t->conninfo = target->conninfo;
	t->password = target->password;
	t->pgbouncer = target->pgbouncer;
	t->approvals = arena_strdup(arena, settings_get(settings, "approvals"));
	t->is_protected = target->is_protected;
	t->read_only_why = target->read_only_why;
	t->standbys = read_standbys(arena, settings);
	read_keys(arena, settings, arena_printf(arena, "target %s", t->name), t, &standby);
	find_cluster(arena, t);
	if (!standby)
		return t;
	other = arena_zalloc(arena, 1, sizeof(*other));
	other->name = arena_strdup(arena, standby);
	read_keys(arena, settings, arena_printf(arena, "target %s", standby), other, &ignored);
	if (!other->conninfo) {
		error_set(err, ERR_CONFIG,
		    "standby = %s of [target %s] names no target with a conninfo", standby,
		    t->name);
		error_hint(err, "Add [target %s] with its conninfo.", standby);
		return NULL;
	}
	if (settings_parse_bool(
	        value_of(settings, arena_printf(arena, "target %s", standby), "read_only"),
	        &is_read_only) &&
	    is_read_only)
		other->read_only_why =
		    arena_printf(arena, "read_only = yes of [target %s]", standby);
	other->password = login_of(arena, settings, arena_printf(arena, "target %s", standby));
	t->standby = other;
	return t;
}

static void
write_standbys(struct strbuf *out, const struct op_standby *s)
{
	strbuf_addc(out, '[');
	for (int i = 0; s[i].of; i++) {
		bool first = true;

		strbuf_adds(out, i ? ",{" : "{");
		child_member(out, &first, "of", s[i].of);
		child_member(out, &first, "name", s[i].name);
		child_member(out, &first, "data_directory", s[i].data_directory);
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
}

void
op_target_write(struct strbuf *out, const struct op_target *t)
{
	bool first = true;

	strbuf_addc(out, '{');
	child_member(out, &first, "name", t->name);
	child_member(out, &first, "conninfo", t->conninfo);
	child_member(out, &first, "password", t->password);
	child_member(out, &first, "protected", t->is_protected ? "true" : NULL);
	child_member(out, &first, "read_only_why", t->read_only_why);
	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		child_member(out, &first, keys[k].key,
		    *(const char *const *)(const void *)((const char *)t + keys[k].at));
	if (t->standbys) {
		json_key(out, &first, "standbys");
		write_standbys(out, t->standbys);
	}
	if (t->standby) {
		json_key(out, &first, "standby");
		op_target_write(out, t->standby);
	}
	strbuf_addc(out, '}');
}

static const char *
text_or(const struct json *object, const char *key, const char *other)
{
	const char *s = json_text(json_get(object, key));

	return s ? s : other;
}

static const struct op_standby *
standbys_of(struct arena *arena, const struct json *list)
{
	struct op_standby *all = arena_zalloc(arena, (size_t)json_len(list) + 1, sizeof(*all));
	int n = 0;

	for (const struct json *one = json_child(list); one; one = json_next(one))
		all[n++] = (struct op_standby){ text_or(one, "of", ""), text_or(one, "name", ""),
			text_or(one, "data_directory", "") };
	return all;
}

const struct op_target *
op_target_read(struct arena *arena, const struct json *object)
{
	struct op_target *t = arena_zalloc(arena, 1, sizeof(*t));
	const struct json *standby = json_get(object, "standby");

	t->name = text_or(object, "name", "");
	t->conninfo = text_or(object, "conninfo", "");
	t->password = text_or(object, "password", NULL);
	t->is_protected = json_get(object, "protected") != NULL;
	t->read_only_why = text_or(object, "read_only_why", NULL);
	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		*value_at(t, keys[k].at) = text_or(object, keys[k].key, "");
	t->standbys = standbys_of(arena, json_get(object, "standbys"));
	if (standby)
		t->standby = op_target_read(arena, standby);
	return t;
}
