#include "config.h"

#include "cloud/login.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/aws_priv.h"
#include "cloud/sigv4.h"
#include "cloud/wipe.h"

enum { MAX_TOKEN = 16384 };

static bool
is_over(const struct aws *aws)
{
	return aws->creds.expires.us && aws->creds.expires.us <= wall_now().us + aws->skew_us;
}

static bool
say_over(const struct aws *aws, struct error *err)
{
	char when[32];

	wall_rfc3339(aws->creds.expires, when, sizeof(when));
	error_set(err, ERR_AUTH, "session credentials (%s) expired at %.16sZ, %lld min ago",
	    aws->creds.source, when,
	    (long long)((wall_now().us + aws->skew_us - aws->creds.expires.us) / 60000000));
	return error_hint(
	    err, "Renew them (aws sso login, or new keys); they are read again at the next try.");
}

bool
aws_rds_token(struct aws *aws, const char *host, int port, const char *user, bool check,
    struct strbuf *out, struct error *err)
{
	struct arena arena = { 0 };
	const char *arn, *account;
	struct error again = { 0 };
	bool ok;

	if (!*aws->region) {
		error_set(err, ERR_CONFIG, "the region of %s is not known", host);
		return error_hint(
		    err, "Set region of the target; the endpoint's own name tells it.");
	}
	if (!aws_have_creds(aws, false, err))
		return false;
	if (is_over(aws) && (!aws_have_creds(aws, true, &again) || is_over(aws)))
		return say_over(aws, err);
	ok = !check || aws_identity(aws, &arena, &arn, &account, err);
	arena_release(&arena);
	if (!ok)
		return false;
	wipe_reserve(out, MAX_TOKEN);
	sigv4_rds_token(out, host, port, user,
	    &(struct sigv4_scope){ .key_id = aws->creds.key_id,
	        .secret = aws->creds.secret,
	        .token = aws->creds.token,
	        .region = aws->region,
	        .service = "rds-db",
	        .now = { wall_now().us + aws->skew_us } });
	return true;
}

/* The text of a value that cJSON owns, overwritten. */
static void
wipe_text(const struct json *value)
{
	const char *s = json_text(value);

	if (s)
		explicit_bzero((char *)(uintptr_t)s, strlen(s));
}

/* Many programs write such a secret; what is no object is the password as it is. */
static bool
read_secret(const char *id, const char *text, struct aws_secret *out, struct error *err)
{
	struct error unread = { 0 };
	struct json *o = *text == '{' ? json_parse(text, strlen(text), &unread) : NULL;
	const struct json *user = json_get(o, "username"), *password = json_get(o, "password");

	if (o && !json_text(password)) {
		error_set(err, ERR_FORMAT, "the secret %s has no \"password\"", id);
		error_hint(
		    err, "It is JSON with \"username\" and \"password\", or the password alone.");
	} else {
		out->password = xstrdup(o ? json_text(password) : text);
		out->user = o && json_text(user) ? xstrdup(json_text(user)) : NULL;
	}
	wipe_text(password);
	json_free(o);
	return out->password != NULL;
}

bool
aws_secret_get(struct aws *aws, const char *id, struct aws_secret *out, struct error *err)
{
	struct strbuf body = STRBUF_INIT(4096);
	struct aws_call call = { .service = AWS_SECRETS, .op = "GetSecretValue" };
	struct aws_answer answer;
	const struct json *value;
	bool ok;

	memset(out, 0, sizeof(*out));
	strbuf_adds(&body, "{\"SecretId\":");
	json_str(&body, id, strlen(id));
	strbuf_addc(&body, '}');
	call.json = body.buf;
	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, err);
	value = json_get(answer.json, "SecretString");
	if (ok && !json_text(value)) {
		ok = error_set(err, ERR_FORMAT, "the secret %s has no text", id);
		error_hint(err, "A binary secret is no password.");
	} else if (ok) {
		ok = read_secret(id, json_text(value), out, err);
	} else if (strcmp(answer.code, "ResourceNotFoundException") == 0) {
		error_set(err, ERR_NOT_FOUND, "there is no secret %s in %s", id, aws->region);
		error_hint(err, "Is its name right, and is it in another region or account?");
	}
	wipe_text(value);
	aws_answer_release(&answer);
	strbuf_release(&body);
	return ok;
}

void
aws_secret_release(struct aws_secret *s)
{
	wipe_free(s->password);
	free(s->user);
	memset(s, 0, sizeof(*s));
}

bool
aws_secret_region(const char *id, char *region, size_t size)
{
	const char *s = id;

	if (strncmp(id, "arn:", 4) != 0)
		return false;
	for (int i = 0; i < 3 && s; i++) {
		s = strchr(s, ':');
		s = s ? s + 1 : NULL;
	}
	if (!s || strcspn(s, ":") == 0 || strcspn(s, ":") >= size)
		return false;
	snprintf(region, size, "%.*s", (int)strcspn(s, ":"), s);
	return true;
}

bool
aws_master_secret(struct aws *aws, struct arena *arena, const char *instance, const char *cluster,
    const char **arn, struct error *err)
{
	bool is_cluster = cluster && *cluster;
	const char *id = is_cluster ? cluster : instance;
	struct aws_param params[] = {
		{ is_cluster ? "DBClusterIdentifier" : "DBInstanceIdentifier", id }, { NULL, NULL }
	};
	struct aws_call call = { .service = AWS_RDS,
		.op = is_cluster ? "DescribeDBClusters" : "DescribeDBInstances",
		.params = params };
	struct aws_answer answer;
	bool ok;

	aws_answer_init(&answer);
	ok = aws_do(aws, &call, &answer, err);
	*arn = arena_strdup(arena,
	    xml_text(
	        xml_get(answer.xml, is_cluster ? "DBClusters/DBCluster" : "DBInstances/DBInstance"),
	        "MasterUserSecret/SecretArn"));
	if (ok && !**arn) {
		ok = error_set(
		    err, ERR_NOT_FOUND, "RDS keeps no secret for the master user of %s", id);
		error_hint(err,
		    "Turn on managed master credentials of it, or name the secret: password_secret = ARN.");
	}
	aws_answer_release(&answer);
	return ok;
}
