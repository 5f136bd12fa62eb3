/*
 * The order of sources is that of AWS's tools: environment, role of the profile, web identity, SSO,
 * keys of the credentials file, credential_process, keys of the config file, container, machine.
 */
#include "config.h"

#include "cloud/creds.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lexer.h"
#include "base/mem.h"
#include "base/proc.h"
#include "cloud/creds_priv.h"
#include "cloud/endpoint.h"
#include "cloud/wipe.h"

enum { PROCESS_MS = 60000, MAX_ANSWER = 1 << 20 };

#define MINUTE_US ((int64_t)60 * 1000000)

void
creds_release(struct creds *c)
{
	wipe_free(c->key_id);
	wipe_free(c->secret);
	wipe_free(c->token);
	memset(c, 0, sizeof(*c));
}

void
creds_set(struct creds *c, const char *key_id, const char *secret, const char *token,
    struct wall expires, const char *fmt, ...)
{
	va_list ap;

	creds_release(c);
	c->key_id = xstrdup(key_id);
	c->secret = xstrdup(secret);
	c->token = token && *token ? xstrdup(token) : NULL;
	c->expires = expires;
	va_start(ap, fmt);
	vsnprintf(c->source, sizeof(c->source), fmt, ap);
	va_end(ap);
}

enum creds_found
creds_none(struct creds_search *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	return CREDS_NONE;
}

enum creds_age
creds_age(const struct creds *c, struct wall now)
{
	if (!c->expires.us || c->expires.us - now.us > 15 * MINUTE_US)
		return CREDS_FRESH;
	return c->expires.us - now.us > 10 * MINUTE_US ? CREDS_SOON : CREDS_STALE;
}

bool
creds_read_file(const char *path, struct strbuf *out)
{
	FILE *in = fopen(path, "re");
	char buf[4096];
	size_t n;

	if (!in)
		return false;
	setvbuf(in, NULL, _IONBF, 0);
	wipe_reserve(out, 65536);
	while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
		strbuf_add(out, buf, n);
	explicit_bzero(buf, sizeof(buf));
	fclose(in);
	return true;
}

const char *
creds_key(const struct creds_search *s, const char *key)
{
	return profile_get(s->ask->profiles, s->profile, key);
}

static const char *
env(const char *name)
{
	const char *s = getenv(name);

	return s && *s ? s : NULL;
}

enum creds_found
creds_environment(struct creds_search *s)
{
	const char *key = env("AWS_ACCESS_KEY_ID"), *secret = env("AWS_SECRET_ACCESS_KEY");
	const char *token = env("AWS_SESSION_TOKEN"), *end = env("AWS_CREDENTIAL_EXPIRATION");
	struct wall expires = { 0 };

	if (!key)
		return creds_none(s, "AWS_ACCESS_KEY_ID is not set");
	if (!secret) {
		error_set(
		    s->err, ERR_AUTH, "AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not");
		error_hint(s->err, "Set both, or none of them.");
		return CREDS_BROKEN;
	}
	if (!token)
		token = env("AWS_SECURITY_TOKEN");
	if (end && !wall_parse(end, &expires))
		expires.us = 0;
	creds_set(s->out, key, secret, token, expires, "environment");
	return CREDS_FOUND;
}

static enum creds_found
static_of(struct creds_search *s, bool is_credentials)
{
	const struct profiles *p = s->ask->profiles;
	const char *key = profile_of_file(p, s->profile, "aws_access_key_id", is_credentials);
	const char *secret =
	    profile_of_file(p, s->profile, "aws_secret_access_key", is_credentials);
	const char *file = is_credentials ? "credentials" : "config";

	if (!key)
		return creds_none(
		    s, "no aws_access_key_id for %s in the %s file", s->profile, file);
	if (!secret) {
		error_set(s->err, ERR_AUTH, "profile %s has an aws_access_key_id without a secret",
		    s->profile);
		error_hint(s->err, "Add aws_secret_access_key to the %s file.", file);
		return CREDS_BROKEN;
	}
	creds_set(s->out, key, secret,
	    profile_of_file(p, s->profile, "aws_session_token", is_credentials), (struct wall){ 0 },
	    "profile %s (%s file)", s->profile, file);
	return CREDS_FOUND;
}

static enum creds_found
static_credentials(struct creds_search *s)
{
	return static_of(s, true);
}

static enum creds_found
static_config(struct creds_search *s)
{
	return static_of(s, false);
}

enum creds_found
creds_json(struct creds_search *s, const struct json *o, const char *token, const char *source)
{
	const char *key = json_text(json_get(o, "AccessKeyId"));
	const char *secret = json_text(json_get(o, "SecretAccessKey"));
	const char *end = json_text(json_get(o, "Expiration"));
	struct wall expires = { 0 };

	if (!key || !secret) {
		error_set(s->err, ERR_AUTH,
		    "%s: the answer holds no AccessKeyId and "
		    "SecretAccessKey",
		    source);
		return CREDS_BROKEN;
	}
	if (end && !wall_parse(end, &expires))
		expires.us = 0;
	creds_set(s->out, key, secret, json_text(json_get(o, token)), expires, "%s", source);
	return CREDS_FOUND;
}

/* Its errors are kept: what it prints on its output is a secret, so only the exit counts then. */
enum creds_found
creds_process(struct creds_search *s)
{
	/* It may make its keys of others. */
	static const char *const also[] = { "AWS_", NULL };
	const char *line = creds_key(s, "credential_process");
	struct arena arena = { 0 };
	struct strbuf out = STRBUF_INIT(MAX_ANSWER);
	struct proc proc = { .out_fd = -1, .pid_fd = -1 };
	struct proc_spec spec = { 0 };
	struct json *o = NULL;
	struct error unread = { 0 };
	struct words words;
	const char **argv;
	enum creds_found found = CREDS_BROKEN;
	int status = 0;
	char how[64], source[128], *start, *end;
	double version = 0;

	if (!line)
		return creds_none(s, "profile %s has no credential_process", s->profile);
	if (!lex_line(&arena, line, false, &words, s->err) || !words.n) {
		error_prefix(s->err, "credential_process");
		goto out;
	}
	argv = arena_alloc(&arena, ((size_t)words.n + 1) * sizeof(*argv));
	for (int i = 0; i < words.n; i++)
		argv[i] = words.w[i].text;
	argv[words.n] = NULL;
	spec.argv = argv;
	spec.env = proc_env_public(&arena, also);
	wipe_reserve(&out, 65536);
	if (!proc_start(&proc, &spec, true, s->err) ||
	    !proc_wait(&proc, PROCESS_MS, s->ask->stop, &out, &status, s->err)) {
		error_prefix(s->err, "credential_process of %s", s->profile);
		goto out;
	}
	snprintf(source, sizeof(source), "profile %s (credential_process)", s->profile);
	if (status != 0) {
		const char *said = strstr(out.buf, "SecretAccessKey") ? "" : out.buf;

		said += strspn(said, " \t\r\n");
		error_set(s->err, ERR_AUTH, "credential_process of %s: %s%s%.*s", s->profile,
		    proc_status_text(status, how, sizeof(how)), *said ? ": " : "",
		    (int)strcspn(said, "\r\n"), said);
		goto out;
	}
	/* Its warnings come by the same way: the object is what counts. */
	start = strchr(out.buf, '{');
	end = strrchr(out.buf, '}');
	o = start && end > start ? json_parse(start, (size_t)(end - start) + 1, &unread) : NULL;
	(void)json_number(json_get(o, "Version"), &version);
	if (!o || version != 1)
		error_set(s->err, ERR_AUTH,
		    "credential_process of %s answers with no JSON of "
		    "Version 1",
		    s->profile);
	else
		found = creds_json(s, o, "SessionToken", source);
out:
	json_free(o);
	wipe_strbuf(&out);
	arena_release(&arena);
	return found;
}

static enum creds_found
login_session(struct creds_search *s)
{
	if (!creds_key(s, "login_session"))
		return creds_none(s, "profile %s has no login_session", s->profile);
	return creds_none(s,
	    "login_session is not read; set credential_process = aws configure "
	    "export-credentials --profile %s",
	    s->profile);
}

struct source {
	const char *name;
	enum creds_found (*find)(struct creds_search *s);
	bool is_profile; /* a profile's own */
};

static const struct source sources[] = {
	{ "environment", creds_environment, false },
	{ "role", creds_role, true },
	{ "web identity", creds_web_identity, true },
	{ "SSO", creds_sso, true },
	{ "credentials file", static_credentials, true },
	{ "login session", login_session, true },
	{ "process", creds_process, true },
	{ "config file", static_config, true },
	{ "container", creds_container, false },
	{ "machine", creds_imds, false },
};

enum creds_found
creds_of_profile(struct creds_search *s)
{
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		enum creds_found found = sources[i].is_profile ? sources[i].find(s) : CREDS_NONE;

		if (found != CREDS_NONE)
			return found;
	}
	return creds_none(s, "profile %s has no credentials", s->profile);
}

bool
creds_load(const struct creds_ask *ask, struct creds *out, struct strbuf *looked, struct error *err)
{
	struct creds_search s = { .ask = ask, .profile = ask->profile, .out = out, .err = err };

	memset(out, 0, sizeof(*out));
	strbuf_clear(looked);
	if (ask->is_explicit && !profile_exists(ask->profiles, ask->profile)) {
		error_set(err, ERR_AUTH, "there is no profile '%s'", ask->profile);
		return error_hint(err, "Looked at %s and %s.", ask->profiles->config_path,
		    ask->profiles->credentials_path);
	}
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		enum creds_found found = CREDS_NONE;

		if (i == 0 && ask->is_explicit)
			(void)creds_none(
			    &s, "passed over, since profile %s was asked for", ask->profile);
		else
			found = sources[i].find(&s);
		if (found == CREDS_FOUND)
			return true;
		if (found == CREDS_BROKEN)
			return false;
		strbuf_addf(looked, "%s: %s\n", sources[i].name, s.why);
	}
	error_set(err, ERR_AUTH, "no AWS credentials found");
	return error_hint(err,
	    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or profile of the target (aws "
	    "configure, aws sso login), or give this machine a role. `cloud check` says where "
	    "was looked.");
}

const char *
creds_region(struct arena *arena, const struct creds_ask *ask, const char *option, const char *host,
    struct strbuf *warning)
{
	const char *one = env("AWS_REGION"), *two = env("AWS_DEFAULT_REGION");
	const char *of_profile = profile_get(ask->profiles, ask->profile, "region");
	struct strbuf text = STRBUF_INIT(256);
	char buf[64], why[160];
	const char *region = "";

	if (option && *option)
		return arena_strdup(arena, option);
	/* The database's own name is nearer to the truth than what is set for all. */
	if (host && endpoint_region(host, buf, sizeof(buf)))
		return arena_strdup(arena, buf);
	if (one && two && strcmp(one, two) != 0)
		strbuf_addf(warning,
		    "AWS_REGION is %s and AWS_DEFAULT_REGION %s; the first counts\n", one, two);
	if (one || two || of_profile)
		return arena_strdup(arena, one ? one : two ? two : of_profile);
	if (creds_imds_get(ask, "/latest/meta-data/placement/region", &text, why, sizeof(why)))
		region = arena_strndup(arena, text.buf, text.len);
	strbuf_release(&text);
	return region;
}
