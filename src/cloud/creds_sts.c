/* Roles: taken with other credentials (AssumeRole), or with a token of somebody who vouches for us
 * (AssumeRoleWithWebIdentity). */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cloud/creds_priv.h"
#include "cloud/endpoint.h"
#include "cloud/wipe.h"
#include "cloud/xml.h"

enum { MAX_BODY = 1 << 20 };

static void
field(struct strbuf *body, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	strbuf_addf(body, "&%s=", name);
	sigv4_escape(body, value, strlen(value));
}

/* POST to STS, signed with `keys` unless NULL. */
static bool
sts_post(struct creds_search *s, const struct creds *keys, const struct strbuf *body,
    struct http_answer *answer)
{
	const struct creds_ask *ask = s->ask;
	const char *own = profile_get(ask->profiles, s->profile, "region");
	struct endpoint_ask where = { ask->profiles, ask->profile, ask->endpoint_url,
		ask->region && *ask->region ? ask->region :
		    own                     ? own :
		                              "" };
	struct strbuf url = STRBUF_INIT(2048), host = STRBUF_INIT(1024), full = STRBUF_INIT(2048);
	struct sigv4_header headers[6] = { { "Host", "" },
		{ "Content-Type", "application/x-www-form-urlencoded; charset=utf-8" } };
	struct http_request r = { .method = "POST",
		.headers = headers,
		.nheaders = 2,
		.body = body->buf,
		.body_len = body->len,
		.timeout_ms = 20000,
		.stop = ask->stop };
	struct sigv4 sig;
	const char *start;
	bool is_custom, ok;

	sigv4_init(&sig);
	ok = endpoint_of(&where, AWS_STS, &url, &is_custom, s->err);
	if (ok) {
		start = strstr(url.buf, "://") + 3;
		strbuf_add(&host, start, strcspn(start, "/"));
		headers[0].value = host.buf;
		if (keys) {
			struct sigv4_scope scope = { keys->key_id, keys->secret, keys->token,
				where.region, "sts", wall_now() };
			struct sigv4_request q = { "POST", start + strcspn(start, "/"), NULL,
				headers, 2, body->buf, body->len };

			sigv4_sign(&sig, &q, &scope);
			headers[r.nheaders++] = (struct sigv4_header){ "X-Amz-Date", sig.date };
			headers[r.nheaders++] =
			    (struct sigv4_header){ "Authorization", sig.authorization.buf };
			if (keys->token)
				headers[r.nheaders++] =
				    (struct sigv4_header){ "X-Amz-Security-Token", keys->token };
		}
		strbuf_addf(&full, "%s%s", url.buf, start[strcspn(start, "/")] ? "" : "/");
		r.url = full.buf;
		ok = http_do(ask->http, &r, answer, s->err);
	}
	sigv4_release(&sig);
	strbuf_release(&url);
	strbuf_release(&full);
	strbuf_release(&host);
	return ok;
}

static enum creds_found
read_answer(struct creds_search *s, const struct http_answer *answer, const char *role)
{
	struct arena arena = { 0 };
	struct error unread = { 0 };
	const struct xml *root = xml_parse(&arena, answer->body.buf, answer->body.len, &unread);
	const struct xml *result = root ? root->child : NULL;
	struct wall expires = { 0 };
	enum creds_found found = CREDS_BROKEN;
	const char *key;

	while (result && !xml_get(result, "Credentials"))
		result = result->next;
	key = xml_text(result, "Credentials/AccessKeyId");
	if (answer->status == 200 && *key) {
		if (!wall_parse(xml_text(result, "Credentials/Expiration"), &expires))
			expires.us = 0;
		creds_set(s->out, key, xml_text(result, "Credentials/SecretAccessKey"),
		    xml_text(result, "Credentials/SessionToken"), expires, "profile %s (role %s)",
		    s->profile, role);
		found = CREDS_FOUND;
	} else {
		error_set(s->err, ERR_AUTH, "the role %s cannot be taken: %s: %.150s", role,
		    *xml_text(root, "Error/Code") ? xml_text(root, "Error/Code") : "no answer",
		    xml_text(root, "Error/Message"));
		error_hint(s->err,
		    "Its trust policy has to name who asks; see role_arn of profile "
		    "%s.",
		    s->profile);
	}
	for (const struct xml *c = xml_get(result, "Credentials"); c; c = NULL)
		for (const struct xml *v = c->child; v; v = v->next)
			explicit_bzero((char *)(void *)(uintptr_t)v->text, strlen(v->text));
	arena_release(&arena);
	return found;
}

static const char *
short_role(const char *arn)
{
	const char *slash = strrchr(arn, '/');

	return slash ? slash + 1 : arn;
}

/* The credentials that the role is asked for with. */
static enum creds_found
of_source(struct creds_search *s, struct creds *keys)
{
	const char *source = creds_key(s, "source_profile");
	const char *other = creds_key(s, "credential_source");
	struct creds_search inner = *s;
	enum creds_found found = CREDS_NONE;

	inner.out = keys;
	if (source && !other) {
		inner.profile = source;
		if (strcmp(source, s->profile) == 0) {
			const char *key = creds_key(s, "aws_access_key_id");
			const char *secret = creds_key(s, "aws_secret_access_key");

			if (key && secret) {
				creds_set(keys, key, secret, creds_key(s, "aws_session_token"),
				    (struct wall){ 0 }, "profile %s", source);
				found = CREDS_FOUND;
			}
		} else {
			found = creds_of_profile(&inner);
		}
	} else if (other && !source) {
		if (strcmp(other, "Environment") == 0)
			found = creds_environment(&inner);
		else if (strcmp(other, "Ec2InstanceMetadata") == 0)
			found = creds_imds(&inner);
		else if (strcmp(other, "EcsContainer") == 0)
			found = creds_container(&inner);
	} else {
		error_set(s->err, ERR_CONFIG,
		    "profile %s needs either source_profile or "
		    "credential_source",
		    s->profile);
		return CREDS_BROKEN;
	}
	if (found == CREDS_NONE) {
		error_set(s->err, ERR_AUTH, "the role of profile %s: no credentials from %s",
		    s->profile, source ? source : other);
		error_hint(s->err, "%s.", *inner.why ? inner.why : "It has none of its own");
		found = CREDS_BROKEN;
	}
	return found;
}

static bool
ask_code(struct creds_search *s, const char *serial, char *code, size_t size)
{
	if (!serial)
		return true;
	if (s->ask->ask_code && s->ask->ask_code(s->ask->arg, serial, code, size))
		return true;
	error_set(
	    s->err, ERR_AUTH, "profile %s needs the code of the MFA device %s", s->profile, serial);
	return error_hint(s->err,
	    "Where nobody can be asked: paste session keys into the "
	    "environment, or use credential_process.");
}

enum creds_found
creds_role(struct creds_search *s)
{
	const char *role = creds_key(s, "role_arn"), *serial, *name;
	struct creds keys = { 0 };
	struct strbuf body = STRBUF_INIT(MAX_BODY);
	struct http_answer answer;
	enum creds_found found;
	char code[16] = "", session[64];

	if (!role || creds_key(s, "web_identity_token_file"))
		return creds_none(s, "profile %s has no role_arn", s->profile);
	for (int i = 0; i < s->depth; i++)
		if (strcmp(s->path[i], s->profile) == 0 || s->depth == ARRAY_LEN(s->path)) {
			error_set(s->err, ERR_CONFIG, "the roles of profile %s go in a circle",
			    s->profile);
			return CREDS_BROKEN;
		}
	s->path[s->depth++] = s->profile;
	found = of_source(s, &keys);
	serial = creds_key(s, "mfa_serial");
	if (found == CREDS_FOUND && !ask_code(s, serial, code, sizeof(code)))
		found = CREDS_BROKEN;
	if (found == CREDS_FOUND) {
		name = creds_key(s, "role_session_name");
		snprintf(session, sizeof(session), "pgmedic-%ld", (long)getpid());
		strbuf_adds(&body, "Action=AssumeRole&Version=2011-06-15");
		field(&body, "RoleArn", role);
		field(&body, "RoleSessionName", name ? name : session);
		field(&body, "DurationSeconds", creds_key(s, "duration_seconds"));
		field(&body, "ExternalId", creds_key(s, "external_id"));
		field(&body, "SerialNumber", serial);
		field(&body, "TokenCode", code);
		http_answer_init(&answer);
		found = sts_post(s, &keys, &body, &answer) ?
		    read_answer(s, &answer, short_role(role)) :
		    CREDS_BROKEN;
		http_answer_release(&answer);
	}
	s->depth--;
	creds_release(&keys);
	wipe_strbuf(&body);
	return found;
}

enum creds_found
creds_web_identity(struct creds_search *s)
{
	const char *file = creds_key(s, "web_identity_token_file"), *role, *name;
	struct strbuf body = STRBUF_INIT(MAX_BODY), token = STRBUF_INIT(65536);
	struct arena arena = { 0 };
	struct http_answer answer;
	enum creds_found found = CREDS_BROKEN;

	role = creds_key(s, "role_arn");
	name = creds_key(s, "role_session_name");
	if (!file) {
		file = getenv("AWS_WEB_IDENTITY_TOKEN_FILE");
		role = getenv("AWS_ROLE_ARN");
		name = getenv("AWS_ROLE_SESSION_NAME");
	}
	if (!file || !*file)
		return creds_none(s, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
	if (!role || !*role) {
		error_set(s->err, ERR_CONFIG, "a web identity token is set, but no role");
		return CREDS_BROKEN;
	}
	file = profile_path(&arena, file);
	if (!creds_read_file(file, &token)) {
		error_set(s->err, ERR_FILE, "the web identity token %s cannot be read", file);
	} else {
		while (token.len && (unsigned char)token.buf[token.len - 1] <= ' ')
			token.buf[--token.len] = '\0';
		strbuf_adds(&body, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15");
		field(&body, "RoleArn", role);
		field(&body, "RoleSessionName", name && *name ? name : "pgmedic");
		field(&body, "WebIdentityToken", token.buf);
		http_answer_init(&answer);
		found = sts_post(s, NULL, &body, &answer) ?
		    read_answer(s, &answer, short_role(role)) :
		    CREDS_BROKEN;
		http_answer_release(&answer);
	}
	wipe_strbuf(&body);
	wipe_strbuf(&token);
	arena_release(&arena);
	return found;
}
