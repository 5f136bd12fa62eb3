/*
 * The provider behind pg/login.h. It runs in the threads that connect, several at once, so each
 * AWS session is behind a lock; a token is signed from the credentials in memory, and only their
 * renewal asks the network. A secret is read once and again when the server refuses what it held
 * (it has been rotated).
 */
#include "config.h"

#include "app/login.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cloud/endpoint.h"
#include "cloud/login.h"
#include "cloud/wipe.h"
#include "pg/login.h"

/* Of one login; kept to the end of the program. */
struct session {
	struct session *next;
	pthread_mutex_t lock;
	char *key;
	struct aws *aws;
	struct aws_secret secret;
};

static pthread_mutex_t sessions_lock = PTHREAD_MUTEX_INITIALIZER;
static struct session *sessions;

static struct session *
session_of(const char *key)
{
	struct session *s;

	pthread_mutex_lock(&sessions_lock);
	for (s = sessions; s && strcmp(s->key, key) != 0; s = s->next)
		;
	if (!s) {
		s = xcalloc(1, sizeof(*s));
		pthread_mutex_init(&s->lock, NULL);
		s->key = xstrdup(key);
		s->next = sessions;
		sessions = s;
	}
	pthread_mutex_unlock(&sessions_lock);
	return s;
}

static const char *
member(const struct json *o, const char *name)
{
	const char *s = json_text(json_get(o, name));

	return s ? s : "";
}

static bool
open_aws(struct session *s, const struct json *o, const char *host, struct error *err)
{
	char region[64] = "";
	struct aws_config config = { .profile = member(o, "profile"),
		.credentials_file = member(o, "credentials_file"),
		.region = member(o, "region"),
		.host = host,
		.endpoint_url = member(o, "endpoint_url") };

	if (aws_secret_region(member(o, "secret"), region, sizeof(region)))
		config.region = region;
	if (!s->aws)
		s->aws = aws_open(&config, err);
	return s->aws != NULL;
}

static bool
read_secret(struct session *s, const struct json *o, const char *host, struct error *err)
{
	const char *id = member(o, "secret"), *instance = member(o, "instance");
	struct arena arena = { 0 };
	struct aws_secret fresh = { 0 };
	bool ok = true;

	if (strcmp(id, "master") == 0) {
		if (!*instance && pg_is_rds_host(host))
			instance = arena_strndup(&arena, host, strcspn(host, "."));
		ok = *instance || *member(o, "cluster");
		if (!ok) {
			error_set(
			    err, ERR_CONFIG, "whose master user's secret is meant is not known");
			error_hint(err, "Set instance or cluster of the target.");
		}
		ok = ok &&
		    aws_master_secret(s->aws, &arena, instance, member(o, "cluster"), &id, err);
	}
	ok = ok && aws_secret_get(s->aws, id, &fresh, err);
	if (ok) {
		aws_secret_release(&s->secret);
		s->secret = fresh;
	}
	arena_release(&arena);
	return ok;
}

static bool
give_secret(struct session *s, const struct json *o, const struct pg_login_ask *ask,
    struct pg_login *out, struct error *err)
{
	if ((ask->is_again || !s->secret.password) && !read_secret(s, o, ask->host, err))
		return error_prefix(err, "password_secret");
	out->password = xstrdup(s->secret.password);
	snprintf(out->user, sizeof(out->user), "%s", s->secret.user ? s->secret.user : "");
	snprintf(out->remedy, sizeof(out->remedy),
	    "The password in the secret %.120s is refused: was it changed on the server only?",
	    member(o, "secret"));
	return true;
}

static bool
give_token(
    struct session *s, const struct pg_login_ask *ask, struct pg_login *out, struct error *err)
{
	struct strbuf token = STRBUF_INIT(16384);
	bool ok = aws_rds_token(s->aws, ask->host, (int)strtol(ask->port, NULL, 10), ask->user,
	    ask->is_again, &token, err);

	out->needs_tls = true;
	if (ok)
		out->password = xstrdup(token.buf);
	else
		error_prefix(err, "login by IAM");
	wipe_strbuf(&token);
	snprintf(out->remedy, sizeof(out->remedy),
	    "IAM: GRANT rds_iam TO %.40s; the policy allows rds-db:connect; %s.", ask->user,
	    pg_is_rds_host(ask->host) ? "IAM authentication is on for the instance" :
	                                "host is the endpoint's own name (hostaddr for a tunnel)");
	return ok;
}

static bool
give(const struct pg_login_ask *ask, struct pg_login *out, struct error *err)
{
	struct json *o = json_parse(ask->what, strlen(ask->what), err);
	struct strbuf key = STRBUF_INIT(8192);
	struct session *s;
	bool ok;

	if (!o)
		return false;
	strbuf_addf(&key, "%s %s", ask->what, ask->host);
	s = session_of(key.buf);
	pthread_mutex_lock(&s->lock);
	ok = open_aws(s, o, ask->host, err);
	if (ok && *member(o, "secret"))
		ok = give_secret(s, o, ask, out, err);
	else if (ok)
		ok = give_token(s, ask, out, err);
	pthread_mutex_unlock(&s->lock);
	/* Whatever the reason is: nobody is logged in. */
	if (!ok && err->code != ERR_CONNECT && err->code != ERR_CONFIG)
		err->code = ERR_AUTH;
	strbuf_release(&key);
	json_free(o);
	return ok;
}

void
login_begin(void)
{
	pg_login_provider(give);
}

const char *
login_of(struct arena *arena, const struct settings *s, const char *section)
{
	static const char *const kept[] = { "profile", "credentials_file", "region", "endpoint_url",
		"instance", "cluster" };
	const struct conf *conf = settings_conf(s, section);
	struct strbuf sb = STRBUF_INIT(8192);
	bool is_iam = false, is_rds = false, is_password = false, first = true;
	const char *result = NULL, *secret = "";

	for (int i = 0; i < conf->n; i++) {
		const struct conf_entry *e = &conf->entries[i];

		if (strcmp(e->section, section) != 0)
			continue;
		is_iam = strcmp(e->key, "auth") == 0 ? strcmp(e->value, "iam") == 0 : is_iam;
		is_password |= strcmp(e->key, "auth") == 0 && strcmp(e->value, "password") == 0;
		is_rds |= strcmp(e->key, "provider") == 0 && strcmp(e->value, "rds") == 0;
		secret = strcmp(e->key, "password_secret") == 0 ? e->value : secret;
	}
	if (!is_iam && !*secret && (!is_rds || is_password))
		return NULL;
	strbuf_addf(&sb, "%s{", is_iam || *secret ? PG_LOGIN_MARK : PG_LOGIN_LAZY);
	for (int i = 0; i < conf->n; i++) {
		const struct conf_entry *e = &conf->entries[i];

		for (size_t k = 0; k < ARRAY_LEN(kept); k++)
			if (strcmp(e->section, section) == 0 && strcmp(e->key, kept[k]) == 0) {
				json_key(&sb, &first, e->key);
				json_str(&sb, e->value, strlen(e->value));
			}
	}
	if (*secret && !is_iam) {
		json_key(&sb, &first, "secret");
		json_str(&sb, secret, strlen(secret));
	}
	strbuf_addc(&sb, '}');
	if (!sb.cut)
		result = arena_strndup(arena, sb.buf, sb.len);
	strbuf_release(&sb);
	return result;
}
