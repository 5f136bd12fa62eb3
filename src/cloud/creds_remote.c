/* Credentials that another service hands out: the portal of IAM Identity Center (SSO), the agent of
 * a container, the machine's metadata (IMDSv2 only). */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/evp.h>
#undef ERR_STATE

#include "cloud/creds_priv.h"
#include "cloud/endpoint.h"
#include "cloud/wipe.h"

enum { MAX_TEXT = 65536 };

static const char *
env(const char *name)
{
	const char *s = getenv(name);

	return s && *s ? s : NULL;
}

/* ------------------------------------------------------------------ SSO */

/* The file of a session: named by the SHA-1 of the session's name, or of its start URL. */
static const char *
cache_path(struct arena *arena, const char *of)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	char hex[2 * EVP_MAX_MD_SIZE + 1] = "";

	if (EVP_Digest(of, strlen(of), digest, &len, EVP_sha1(), NULL) != 1)
		fatal("OpenSSL has no SHA-1");
	for (unsigned int i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return profile_path(arena, arena_printf(arena, "~/.aws/sso/cache/%s.json", hex));
}

static enum creds_found
sso_stale(struct creds_search *s, const char *what)
{
	error_set(s->err, ERR_AUTH, "the SSO session of profile %s %s", s->profile, what);
	error_hint(s->err, "Run `aws sso login --profile %s` in another shell; it is read again.",
	    s->profile);
	return CREDS_BROKEN;
}

/* Ask the portal for the keys of one role. */
static enum creds_found
sso_portal(struct creds_search *s, const char *region, const char *bearer, const char *account,
    const char *role)
{
	struct endpoint_ask where = { s->ask->profiles, s->ask->profile, s->ask->endpoint_url,
		region };
	struct sigv4_header header = { "x-amz-sso_bearer_token", bearer };
	struct strbuf url = STRBUF_INIT(4096);
	struct http_answer answer;
	struct http_request r = { .method = "GET",
		.headers = &header,
		.nheaders = 1,
		.timeout_ms = 20000,
		.stop = s->ask->stop };
	const struct json *keys;
	struct json *o = NULL;
	struct error unread;
	enum creds_found found = CREDS_BROKEN;
	bool is_custom;
	double end = 0;
	char source[128];

	http_answer_init(&answer);
	if (endpoint_of(&where, AWS_SSO, &url, &is_custom, s->err)) {
		strbuf_adds(&url, "/federation/credentials?role_name=");
		sigv4_escape(&url, role, strlen(role));
		strbuf_adds(&url, "&account_id=");
		sigv4_escape(&url, account, strlen(account));
		r.url = url.buf;
		if (http_do(s->ask->http, &r, &answer, s->err)) {
			o = json_parse(answer.body.buf, answer.body.len, &unread);
			keys = json_get(o, "roleCredentials");
			snprintf(source, sizeof(source), "profile %s (SSO)", s->profile);
			if (answer.status == 401) {
				found = sso_stale(s, "is not accepted any more");
			} else if (answer.status != 200 ||
			    !json_text(json_get(keys, "accessKeyId")) ||
			    !json_text(json_get(keys, "secretAccessKey"))) {
				error_set(s->err, ERR_AUTH,
				    "the SSO portal gives no keys of %s in "
				    "%s (status %d)",
				    role, account, answer.status);
			} else {
				(void)json_number(json_get(keys, "expiration"), &end);
				creds_set(s->out, json_text(json_get(keys, "accessKeyId")),
				    json_text(json_get(keys, "secretAccessKey")),
				    json_text(json_get(keys, "sessionToken")),
				    (struct wall){ (int64_t)end * 1000 }, "%s", source);
				found = CREDS_FOUND;
			}
		}
	}
	json_free(o);
	http_answer_release(&answer);
	strbuf_release(&url);
	return found;
}

enum creds_found
creds_sso(struct creds_search *s)
{
	const struct profiles *p = s->ask->profiles;
	const char *session = creds_key(s, "sso_session"), *region, *token, *end;
	const char *account = creds_key(s, "sso_account_id"), *role = creds_key(s, "sso_role_name");
	const char *of = session ? session : creds_key(s, "sso_start_url");
	struct strbuf text = STRBUF_INIT(MAX_TEXT);
	struct arena arena = { 0 };
	struct error unread;
	struct json *o = NULL;
	struct wall expires = { 0 };
	enum creds_found found;

	if (!of)
		return creds_none(s, "profile %s has no sso_session", s->profile);
	region = session ? profile_block(p, PROFILE_SSO_SESSION, session, "sso_region", "") :
	                   creds_key(s, "sso_region");
	if (!account || !role || !region) {
		error_set(s->err, ERR_CONFIG, "the SSO profile %s lacks %s", s->profile,
		    !account  ? "sso_account_id" :
		        !role ? "sso_role_name" :
		                "sso_region");
		return CREDS_BROKEN;
	}
	if (creds_read_file(cache_path(&arena, of), &text))
		o = json_parse(text.buf, text.len, &unread);
	token = json_text(json_get(o, "accessToken"));
	end = json_text(json_get(o, "expiresAt"));
	if (!token || !end || !wall_parse(end, &expires))
		found = sso_stale(s, "has not been begun");
	else if (expires.us <= wall_now().us)
		found = sso_stale(s, "has expired");
	else
		found = sso_portal(s, region, token, account, role);
	json_free(o);
	wipe_strbuf(&text);
	arena_release(&arena);
	return found;
}

/* ------------------------------------------------------------------ container */

/* Plain http only where nobody can listen on the way. */
static bool
is_trusted(const char *url)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost", "[::1]", "169.254.170.2",
		"169.254.170.23", "[fd00:ec2::23]" };
	const char *host = url + 7;

	if (strncmp(url, "https://", 8) == 0)
		return true;
	if (strncmp(url, "http://", 7) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		size_t n = strlen(hosts[i]);

		if (strncmp(host, hosts[i], n) == 0 && (!host[n] || strchr(":/", host[n])))
			return true;
	}
	return false;
}

static bool
container_token(struct creds_search *s, struct strbuf *token)
{
	const char *file = env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *text = env("AWS_CONTAINER_AUTHORIZATION_TOKEN");

	if (file && !creds_read_file(file, token))
		return error_set(
		    s->err, ERR_FILE, "the token file %s of the container cannot be read", file);
	if (!file && text)
		strbuf_adds(token, text);
	while (token->len && (unsigned char)token->buf[token->len - 1] <= ' ')
		token->buf[--token->len] = '\0';
	return true; /* a line end within is refused when it is sent */
}

enum creds_found
creds_container(struct creds_search *s)
{
	const char *relative = env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	struct strbuf url = STRBUF_INIT(4096), token = STRBUF_INIT(MAX_TEXT);
	struct sigv4_header header = { "Authorization", NULL };
	struct http_request r = { .method = "GET",
		.headers = &header,
		.timeout_ms = 2000,
		.connect_ms = 2000,
		.is_direct = true,
		.stop = s->ask->stop };
	struct http_answer answer;
	struct error unread;
	struct json *o = NULL;
	enum creds_found found = CREDS_BROKEN;
	bool ok = false;

	if (!relative && !full)
		return creds_none(s, "AWS_CONTAINER_CREDENTIALS_FULL_URI is not set");
	strbuf_addf(
	    &url, "%s%s", relative ? "http://169.254.170.2" : "", relative ? relative : full);
	if (!is_trusted(url.buf)) {
		error_set(s->err, ERR_REFUSED,
		    "the container's credentials are to come over plain "
		    "http from another host");
		strbuf_release(&url);
		return CREDS_BROKEN;
	}
	http_answer_init(&answer);
	r.url = url.buf;
	if (container_token(s, &token)) {
		header.value = token.buf;
		r.nheaders = token.len > 0;
		for (int i = 0; i < 3 && !ok; i++)
			ok = http_do(s->ask->http, &r, &answer, s->err) && answer.status < 500;
		if (ok) {
			o = json_parse(answer.body.buf, answer.body.len, &unread);
			found = creds_json(s, o, "Token", "container");
		} else if (answer.status) {
			error_set(s->err, ERR_AUTH, "the container's agent answers with status %d",
			    answer.status);
		}
	}
	json_free(o);
	http_answer_release(&answer);
	wipe_strbuf(&token);
	strbuf_release(&url);
	return found;
}

/* ------------------------------------------------------------------ the machine */

static const char *
imds_base(void)
{
	const char *url = env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *mode = env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");

	if (url)
		return url;
	return mode && (*mode | 32) == 'i' && strstr(mode, "6") ? "http://[fd00:ec2::254]" :
	                                                          "http://169.254.169.254";
}

static bool
imds_call(const struct creds_ask *ask, const char *method, const char *path,
    const struct sigv4_header *header, struct http_answer *answer)
{
	const char *base = imds_base(), *set = env("AWS_METADATA_SERVICE_TIMEOUT");
	const char *times = env("AWS_METADATA_SERVICE_NUM_ATTEMPTS");
	long ms = set ? strtol(set, NULL, 10) * 1000 : 1000;
	long tries = times ? strtol(times, NULL, 10) : 1;
	struct strbuf url = STRBUF_INIT(2048);
	struct http_request r = { .method = method,
		.headers = header,
		.nheaders = 1,
		.body = "",
		.timeout_ms = ms > 0 && ms < 60000 ? (int)ms : 1000,
		.is_direct = true,
		.stop = ask->stop };
	struct error err;
	bool ok = false;

	strbuf_addf(
	    &url, "%.*s%s", (int)(strlen(base) - (base[strlen(base) - 1] == '/')), base, path);
	r.url = url.buf;
	r.connect_ms = r.timeout_ms;
	for (long i = 0; i < tries && i < 5 && !ok; i++)
		ok = http_do(ask->http, &r, answer, &err) && answer->status < 500;
	strbuf_release(&url);
	return ok;
}

bool
creds_imds_get(
    const struct creds_ask *ask, const char *path, struct strbuf *out, char *why, size_t size)
{
	static const struct sigv4_header ttl = { "X-aws-ec2-metadata-token-ttl-seconds", "21600" };
	const char *off = env("AWS_EC2_METADATA_DISABLED");
	struct sigv4_header token = { "X-aws-ec2-metadata-token", NULL };
	struct http_answer first, second;
	bool ok = false;

	strbuf_clear(out);
	if (off && (*off | 32) == 't') {
		snprintf(why, size, "AWS_EC2_METADATA_DISABLED is set");
		return false;
	}
	http_answer_init(&first);
	http_answer_init(&second);
	if (!imds_call(ask, "PUT", "/latest/api/token", &ttl, &first) || first.status != 200) {
		snprintf(why, size, "no metadata service (in a container: is its hop limit 1?)");
	} else {
		token.value = first.body.buf;
		ok = imds_call(ask, "GET", path, &token, &second) && second.status == 200;
		if (ok)
			strbuf_add(out, second.body.buf, second.body.len);
		else
			snprintf(why, size,
			    second.status == 404 ? "this machine has no role" :
			                           "metadata answers %d",
			    second.status);
	}
	http_answer_release(&first);
	http_answer_release(&second);
	return ok;
}

enum creds_found
creds_imds(struct creds_search *s)
{
	static const char base[] = "/latest/meta-data/iam/security-credentials/";
	struct strbuf text = STRBUF_INIT(MAX_TEXT), path = STRBUF_INIT(1024);
	char source[128], why[sizeof(s->why)] = "";
	struct error unread;
	struct json *o;
	enum creds_found found = CREDS_NONE;

	if (creds_imds_get(s->ask, base, &text, why, sizeof(why))) {
		snprintf(source, sizeof(source), "machine (role %.*s)",
		    (int)strcspn(text.buf, "\r\n"), text.buf);
		strbuf_addf(&path, "%s%.*s", base, (int)strcspn(text.buf, "\r\n"), text.buf);
		wipe_reserve(&text, MAX_TEXT);
		if (creds_imds_get(s->ask, path.buf, &text, why, sizeof(why))) {
			o = json_parse(text.buf, text.len, &unread);
			found = creds_json(s, o, "Token", source);
			json_free(o);
		}
	}
	if (found == CREDS_NONE)
		(void)creds_none(s, "%s", why);
	wipe_strbuf(&text);
	strbuf_release(&path);
	return found;
}
