#include "config.h"

#include "labcloud/sigv4.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/digest.h"

enum {
	MAX_PARTS = 64,
	EARLY_S = 15 * 60, /* a signature is good for so long before and after its time */
	LATE_S = 5 * 60,
};

static const char algorithm[] = "AWS4-HMAC-SHA256";

static bool
refuse(struct signature *s, const char *code, const char *text)
{
	s->refusal = code;
	s->text = text;
	return false;
}

/* The value of NAME= in the Authorization header, up to the next comma or blank. */
static const char *
part(struct arena *arena, const char *header, const char *name)
{
	const char *at = strstr(header, name);

	return at ? arena_strndup(arena, at + strlen(name), strcspn(at + strlen(name), ", ")) :
	            NULL;
}

/* Split in place at a separator; returns the number of pieces. */
static int
split(char *text, char separator, char **pieces, int max)
{
	int n = 0;

	while (text && n < max) {
		pieces[n++] = text;
		text = strchr(text, separator);
		if (text)
			*text++ = 0;
	}
	return n;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names and values encoded anew, sorted; "a" becomes "a=". */
static void
add_query(struct arena *arena, struct strbuf *out, const char *query)
{
	char *pieces[MAX_PARTS];
	int n = *query ? split(arena_strdup(arena, query), '&', pieces, MAX_PARTS) : 0;

	for (int i = 0; i < n; i++) {
		char *equals = strchr(pieces[i], '=');
		size_t len = equals ? (size_t)(equals - pieces[i]) : strlen(pieces[i]);
		struct strbuf pair = STRBUF_INIT(MAX_BODY);

		url_encode(&pair, url_decode(arena, pieces[i], len, false), false);
		strbuf_addc(&pair, '=');
		if (equals)
			url_encode(
			    &pair, url_decode(arena, equals + 1, strlen(equals + 1), false), false);
		pieces[i] = arena_strdup(arena, pair.buf);
		strbuf_release(&pair);
	}
	qsort(pieces, (size_t)n, sizeof(pieces[0]), by_text);
	for (int i = 0; i < n; i++)
		strbuf_addf(out, "%s%s", i ? "&" : "", pieces[i]);
}

/* Without blanks at the ends, and with one where there are several. */
static void
add_trimmed(struct strbuf *out, const char *value)
{
	bool is_pending = false, is_first = true;

	for (; *value; value++) {
		if (*value == ' ' || *value == '\t') {
			is_pending = !is_first;
			continue;
		}
		if (is_pending)
			strbuf_addc(out, ' ');
		strbuf_addc(out, *value);
		is_pending = is_first = false;
	}
}

/* False: a header that is said to be signed was not sent. */
static bool
add_headers(const struct request *r, struct strbuf *out, char *const *names, int n)
{
	for (int i = 0; i < n; i++) {
		bool is_there = false;

		strbuf_addf(out, "%s:", names[i]);
		for (int h = 0; h < r->nheaders; h++) {
			if (strcasecmp(r->headers[h].name, names[i]) != 0)
				continue;
			if (is_there)
				strbuf_addc(out, ',');
			add_trimmed(out, r->headers[h].value);
			is_there = true;
		}
		strbuf_addc(out, '\n');
		if (!is_there)
			return false;
	}
	return true;
}

/* Sorted lower-case names, with those in it that must be. */
static bool
names_are_sound(const struct request *r, char *const *names, int n)
{
	bool has_host = false, has_date = false, has_token = false;

	for (int i = 0; i < n; i++) {
		if (i && strcmp(names[i - 1], names[i]) >= 0)
			return false;
		for (const char *c = names[i]; *c; c++)
			if (isupper((unsigned char)*c))
				return false;
		has_host |= strcmp(names[i], "host") == 0;
		has_date |= strcmp(names[i], "x-amz-date") == 0 || strcmp(names[i], "date") == 0;
		has_token |= strcmp(names[i], "x-amz-security-token") == 0;
	}
	return has_host && has_date && (has_token || !request_header(r, "x-amz-security-token"));
}

/* The signature that the request should have; NULL: its header list is not acceptable. */
static const char *
expected(struct request *r, const struct signature *s, const char *secret, const char *signed_names)
{
	unsigned char key[DIGEST_SIZE];
	char hex[DIGEST_HEX], *names[MAX_PARTS];
	struct strbuf text = STRBUF_INIT(2 * MAX_BODY);
	const char *stamp = request_header(r, "x-amz-date"), *result = NULL;
	int n = split(arena_strdup(&r->arena, signed_names), ';', names, MAX_PARTS);

	strbuf_addf(&text, "%s\n", r->method);
	url_encode(&text, r->path, true);
	strbuf_addc(&text, '\n');
	add_query(&r->arena, &text, r->query);
	strbuf_addc(&text, '\n');
	if (names_are_sound(r, names, n) && add_headers(r, &text, names, n)) {
		strbuf_addf(&text, "\n%s\n%s", signed_names,
		    digest_sha256_hex(r->body.buf, r->body.len, hex));
		digest_sha256_hex(text.buf, text.len, hex);
		const char *to_sign = arena_printf(&r->arena, "%s\n%s\n%s/%s/%s/aws4_request\n%s",
		    algorithm, stamp, s->date, s->region, s->service, hex);
		const char *start = arena_printf(&r->arena, "AWS4%s", secret);

		digest_hmac(start, strlen(start), s->date, strlen(s->date), key);
		digest_hmac(key, sizeof(key), s->region, strlen(s->region), key);
		digest_hmac(key, sizeof(key), s->service, strlen(s->service), key);
		digest_hmac(key, sizeof(key), "aws4_request", 12, key);
		digest_hmac(key, sizeof(key), to_sign, strlen(to_sign), key);
		result = arena_strdup(&r->arena, digest_hex(key, hex));
	}
	strbuf_release(&text);
	return result;
}

static const char *
stamp_of(struct arena *arena, struct wall t)
{
	time_t s = (time_t)(t.us / 1000000);
	char text[32];
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
	return arena_strdup(arena, text);
}

static bool
check_time(struct request *r, const char *stamp, struct wall now, struct signature *s)
{
	struct tm tm = { 0 };
	struct wall limit;

	if (!stamp || !strptime(stamp, "%Y%m%dT%H%M%SZ", &tm))
		return refuse(
		    s, "IncompleteSignature", "Date in Credential scope or X-Amz-Date is missing.");
	int64_t said = (int64_t)timegm(&tm) * 1000000;

	limit.us = now.us - (int64_t)EARLY_S * 1000000;
	if (said < limit.us)
		return refuse(s, "SignatureDoesNotMatch",
		    arena_printf(&r->arena,
		        "Signature expired: %s is now earlier than %s (%s - 15 min.)", stamp,
		        stamp_of(&r->arena, limit), stamp_of(&r->arena, now)));
	limit.us = now.us + (int64_t)LATE_S * 1000000;
	if (said > limit.us)
		return refuse(s, "SignatureDoesNotMatch",
		    arena_printf(&r->arena,
		        "Signature not yet current: %s is still later than %s (%s + 5 min.)", stamp,
		        stamp_of(&r->arena, limit), stamp_of(&r->arena, now)));
	return true;
}

static bool
check_who(const struct request *r, const struct credential *credentials, int n, struct wall now,
    struct signature *s)
{
	const char *token = request_header(r, "x-amz-security-token");

	for (int i = 0; i < n; i++)
		if (strcmp(credentials[i].access_key, s->access_key) == 0)
			s->who = &credentials[i];
	if (!s->who || strcmp(s->who->token, token ? token : "") != 0)
		return refuse(s, "InvalidClientTokenId",
		    "The security token included in the request is invalid.");
	if (s->who->expires.us && now.us > s->who->expires.us)
		return refuse(
		    s, "ExpiredToken", "The security token included in the request is expired");
	return true;
}

bool
sigv4_verify(struct request *r, const struct credential *credentials, int n, struct wall now,
    struct signature *out)
{
	const char *header = request_header(r, "authorization");
	char *scope[6];

	*out = (struct signature){ 0 };
	if (!header)
		return refuse(
		    out, "MissingAuthenticationToken", "Request is missing Authentication Token");
	const char *credential = part(&r->arena, header, "Credential="),
	           *names = part(&r->arena, header, "SignedHeaders="),
	           *given = part(&r->arena, header, "Signature=");

	if (strncmp(header, algorithm, sizeof(algorithm) - 1) != 0 || !credential || !names ||
	    !given || split(arena_strdup(&r->arena, credential), '/', scope, 6) != 5 ||
	    strcmp(scope[4], "aws4_request") != 0)
		return refuse(out, "IncompleteSignature",
		    "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters.");
	out->access_key = scope[0];
	out->date = scope[1];
	out->region = scope[2];
	out->service = scope[3];
	if (!check_who(r, credentials, n, now, out) ||
	    !check_time(r, request_header(r, "x-amz-date"), now, out))
		return false;
	const char *wanted = expected(r, out, out->who->secret, names);

	if (wanted && strcmp(wanted, given) == 0 &&
	    strncmp(out->date, request_header(r, "x-amz-date"), 8) == 0)
		return true;
	return refuse(out, "SignatureDoesNotMatch",
	    "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
	    "Access Key and signing method. Consult the service documentation for details.");
}
