/*
 * The canonical form, as AWS reads a request that arrived:
 *
 *   METHOD \n path \n query \n name:value \n … \n \n names \n hash of the body
 *
 * path     segments "." and ".." resolved, empty ones dropped, then percent-encoded: once more
 *          where the path as sent was encoded already ("%20" is "%2520"), as all services but S3 do
 * query    pairs taken apart, decoded and encoded anew, sorted by name, then by value, each with
 *          "=" even without a value
 * headers  names in lower case, sorted; values trimmed, runs of blanks and line ends one blank;
 *          those of one name joined by "," in the order sent
 *
 * Left unsigned is what a proxy may change on the way.
 */
#include "config.h"

#include "cloud/sigv4.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/mem.h"
#include "cloud/wipe.h"

enum { TOKEN_SECONDS = 900 };

struct pair {
	const char *name, *value; /* in an arena */
	int at;                   /* where it was: those of one name keep their order */
};

struct pairs {
	struct arena arena;
	struct pair *items;
	int n, cap;
};

static void
pairs_add(struct pairs *p, const char *name, const char *value)
{
	GROW(p->items, p->n, p->cap);
	p->items[p->n] = (struct pair){ name, value, p->n };
	p->n++;
}

static void
pairs_release(struct pairs *p)
{
	for (int i = 0; i < p->n; i++) /* a session token may be among them */
		explicit_bzero(
		    (char *)(void *)(uintptr_t)p->items[i].value, strlen(p->items[i].value));
	free(p->items);
	arena_release(&p->arena);
}

void
sigv4_escape(struct strbuf *out, const char *s, size_t len)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	                            "0123456789-._~";

	for (size_t i = 0; i < len; i++) {
		if (s[i] && strchr(plain, s[i]))
			strbuf_addc(out, s[i]);
		else
			strbuf_addf(out, "%%%02X", (unsigned char)s[i]);
	}
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 32) >= 'a' && (c | 32) <= 'f')
		return (c | 32) - 'a' + 10;
	return -1;
}

/* Decoded and encoded anew, so that "%7e", "~" and "%7E" are one; '+' is no blank here. */
static const char *
query_word(struct arena *arena, const char *s, size_t len)
{
	struct strbuf raw = STRBUF_INIT(SIGV4_MAX), out = STRBUF_INIT(SIGV4_MAX);
	const char *word;

	wipe_reserve(&raw, len + 1);
	wipe_reserve(&out, 3 * len + 1);
	for (size_t i = 0; i < len; i++) {
		int high = i + 2 < len && s[i] == '%' ? hex_value(s[i + 1]) : -1;
		int low = high >= 0 ? hex_value(s[i + 2]) : -1;

		if (low >= 0) {
			strbuf_addc(&raw, (char)(high * 16 + low));
			i += 2;
		} else {
			strbuf_addc(&raw, s[i]);
		}
	}
	sigv4_escape(&out, raw.buf, raw.len);
	word = arena_strndup(arena, out.buf, out.len);
	wipe_strbuf(&raw);
	wipe_strbuf(&out);
	return word;
}

static int
by_name_and_value(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->value, y->value);
}

static int
by_name_and_place(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : x->at - y->at;
}

static void
read_query(struct pairs *p, const char *query)
{
	while (query && *query) {
		size_t len = strcspn(query, "&"), name = strcspn(query, "&=");
		size_t value = name < len ? name + 1 : len;

		if (len)
			pairs_add(p, query_word(&p->arena, query, name),
			    query_word(&p->arena, query + value, len - value));
		query += len + (query[len] == '&');
	}
}

static void
write_query(struct strbuf *out, struct pairs *p)
{
	if (p->n)
		qsort(p->items, (size_t)p->n, sizeof(*p->items), by_name_and_value);
	for (int i = 0; i < p->n; i++) {
		if (i)
			strbuf_addc(out, '&');
		strbuf_adds(out, p->items[i].name);
		strbuf_addc(out, '=');
		strbuf_adds(out, p->items[i].value);
	}
}

/* "/a/./b//../c/" is "/a/c/". */
static void
write_path(struct strbuf *out, const char *path)
{
	struct pairs p = { 0 };
	bool is_open = true; /* ends with '/' */

	while (*path) {
		size_t len = strcspn(path, "/");
		bool is_up = len == 2 && strncmp(path, "..", 2) == 0;

		is_open = path[len] == '/';
		if (is_up)
			p.n -= p.n > 0;
		else if (len && !(len == 1 && *path == '.'))
			pairs_add(&p, arena_strndup(&p.arena, path, len), "");
		path += len + (path[len] == '/');
	}
	for (int i = 0; i < p.n; i++) {
		strbuf_addc(out, '/');
		sigv4_escape(out, p.items[i].name, strlen(p.items[i].name));
	}
	if (is_open || !p.n)
		strbuf_addc(out, '/');
	free(p.items);
	arena_release(&p.arena);
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static const char *
header_value(struct arena *arena, const char *s)
{
	char *value = arena_strdup(arena, s), *to = value;

	for (; *s; s++) {
		if (!is_blank(*s))
			*to++ = *s;
		else if (to != value && to[-1] != ' ')
			*to++ = ' ';
	}
	if (to != value && to[-1] == ' ')
		to--;
	explicit_bzero(to, strlen(to));
	return value;
}

static bool
is_unsigned(const char *name)
{
	static const char *const names[] = { "authorization", "connection", "expect", "keep-alive",
		"proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
		"transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void
add_header(struct pairs *p, const char *name, const char *value)
{
	char *lower = arena_strdup(&p->arena, name);

	for (char *c = lower; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	if (!is_unsigned(lower))
		pairs_add(p, lower, header_value(&p->arena, value));
}

static void
sort_headers(struct sigv4 *sig, struct pairs *headers)
{
	if (headers->n)
		qsort(
		    headers->items, (size_t)headers->n, sizeof(*headers->items), by_name_and_place);
	strbuf_clear(&sig->signed_headers);
	for (int i = 0; i < headers->n; i++) {
		if (i && strcmp(headers->items[i].name, headers->items[i - 1].name) == 0)
			continue;
		strbuf_addf(&sig->signed_headers, "%s%s", i ? ";" : "", headers->items[i].name);
	}
}

static void
write_canonical(struct sigv4 *sig, const struct sigv4_request *r, struct pairs *query,
    const struct pairs *headers)
{
	char hash[DIGEST_HEX];

	strbuf_clear(&sig->canonical);
	strbuf_addf(&sig->canonical, "%s\n", r->method);
	write_path(&sig->canonical, r->path ? r->path : "");
	strbuf_addc(&sig->canonical, '\n');
	write_query(&sig->canonical, query);
	for (int i = 0; i < headers->n; i++) {
		const struct pair *h = &headers->items[i];

		if (i && strcmp(h->name, h[-1].name) == 0)
			strbuf_addf(&sig->canonical, ",%s", h->value);
		else
			strbuf_addf(&sig->canonical, "\n%s:%s", h->name, h->value);
	}
	digest_sha256_hex(r->body ? r->body : "", r->body ? r->body_len : 0, hash);
	strbuf_addf(&sig->canonical, "\n\n%s\n%s", sig->signed_headers.buf, hash);
}

static void
write_credential(struct strbuf *out, const struct sigv4 *sig, const struct sigv4_scope *scope)
{
	strbuf_addf(out, "%.8s/%s/%s/aws4_request", sig->date, scope->region, scope->service);
}

static void
sign(struct sigv4 *sig, const struct sigv4_scope *scope)
{
	const char *words[] = { scope->region, scope->service, "aws4_request", sig->to_sign.buf };
	unsigned char key[DIGEST_SIZE], next[DIGEST_SIZE];
	struct strbuf start = STRBUF_INIT(SIGV4_MAX);
	char hash[DIGEST_HEX];

	digest_sha256_hex(sig->canonical.buf, sig->canonical.len, hash);
	strbuf_clear(&sig->to_sign);
	strbuf_addf(&sig->to_sign, "AWS4-HMAC-SHA256\n%s\n", sig->date);
	write_credential(&sig->to_sign, sig, scope);
	strbuf_addf(&sig->to_sign, "\n%s", hash);
	words[3] = sig->to_sign.buf;

	wipe_reserve(&start, strlen(scope->secret) + 5);
	strbuf_adds(&start, "AWS4");
	strbuf_adds(&start, scope->secret);
	digest_hmac(start.buf, start.len, sig->date, 8, key);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		digest_hmac(key, sizeof(key), words[i], strlen(words[i]), next);
		memcpy(key, next, sizeof(key));
	}
	digest_hex(key, sig->signature);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(next, sizeof(next));
	wipe_strbuf(&start);
}

/* One reading of the clock for the date, the scope and what is sent. */
static void
set_date(struct sigv4 *sig, struct wall now)
{
	char text[32];
	const char *s = wall_rfc3339(
	    (struct wall){ now.us >= 0 ? now.us - now.us % 1000000 : 0 }, text, sizeof(text));
	size_t n = 0;

	for (; *s && n < sizeof(sig->date) - 1; s++)
		if (*s != '-' && *s != ':')
			sig->date[n++] = *s;
	sig->date[n] = '\0';
}

void
sigv4_init(struct sigv4 *sig)
{
	memset(sig, 0, sizeof(*sig));
	strbuf_init(&sig->canonical, SIGV4_MAX);
	strbuf_init(&sig->to_sign, SIGV4_MAX);
	strbuf_init(&sig->signed_headers, SIGV4_MAX);
	strbuf_init(&sig->authorization, SIGV4_MAX);
	strbuf_init(&sig->query, SIGV4_MAX);
}

void
sigv4_release(struct sigv4 *sig)
{
	wipe_strbuf(&sig->canonical);
	wipe_strbuf(&sig->to_sign);
	wipe_strbuf(&sig->signed_headers);
	wipe_strbuf(&sig->authorization);
	wipe_strbuf(&sig->query);
	explicit_bzero(sig->signature, sizeof(sig->signature));
}

static bool
has_token(const struct sigv4_scope *scope)
{
	return scope->token && *scope->token;
}

void
sigv4_sign(struct sigv4 *sig, const struct sigv4_request *request, const struct sigv4_scope *scope)
{
	struct pairs headers = { 0 }, query = { 0 };

	set_date(sig, scope->now);
	for (int i = 0; i < request->nheaders; i++)
		add_header(&headers, request->headers[i].name, request->headers[i].value);
	add_header(&headers, "x-amz-date", sig->date);
	if (has_token(scope))
		add_header(&headers, "x-amz-security-token", scope->token);
	read_query(&query, request->query);
	sort_headers(sig, &headers);
	write_canonical(sig, request, &query, &headers);
	sign(sig, scope);
	strbuf_clear(&sig->query);
	strbuf_clear(&sig->authorization);
	strbuf_addf(&sig->authorization, "AWS4-HMAC-SHA256 Credential=%s/", scope->key_id);
	write_credential(&sig->authorization, sig, scope);
	strbuf_addf(&sig->authorization, ", SignedHeaders=%s, Signature=%s",
	    sig->signed_headers.buf, sig->signature);
	pairs_release(&headers);
	pairs_release(&query);
}

/* name=value, the value encoded. */
static void
add_query(struct strbuf *out, const char *name, const char *value)
{
	if (out->len)
		strbuf_addc(out, '&');
	strbuf_adds(out, name);
	strbuf_addc(out, '=');
	sigv4_escape(out, value, strlen(value));
}

void
sigv4_presign(struct sigv4 *sig, const struct sigv4_request *request,
    const struct sigv4_scope *scope, int expires)
{
	struct pairs headers = { 0 }, query = { 0 };
	struct strbuf credential = STRBUF_INIT(4096);
	char seconds[16];

	set_date(sig, scope->now);
	for (int i = 0; i < request->nheaders; i++)
		add_header(&headers, request->headers[i].name, request->headers[i].value);
	sort_headers(sig, &headers);
	strbuf_addf(&credential, "%s/", scope->key_id);
	write_credential(&credential, sig, scope);
	snprintf(seconds, sizeof(seconds), "%d", expires);

	strbuf_clear(&sig->authorization);
	strbuf_clear(&sig->query);
	if (has_token(scope))
		wipe_reserve(&sig->query,
		    3 * strlen(scope->token) + 1024 +
		        (request->query ? strlen(request->query) : 0));
	if (request->query)
		strbuf_adds(&sig->query, request->query);
	add_query(&sig->query, "X-Amz-Algorithm", "AWS4-HMAC-SHA256");
	add_query(&sig->query, "X-Amz-Credential", credential.buf);
	add_query(&sig->query, "X-Amz-Date", sig->date);
	add_query(&sig->query, "X-Amz-Expires", seconds);
	add_query(&sig->query, "X-Amz-SignedHeaders", sig->signed_headers.buf);
	if (has_token(scope))
		add_query(&sig->query, "X-Amz-Security-Token", scope->token);
	read_query(&query, sig->query.buf);
	write_canonical(sig, request, &query, &headers);
	sign(sig, scope);
	add_query(&sig->query, "X-Amz-Signature", sig->signature);
	strbuf_release(&credential);
	pairs_release(&headers);
	pairs_release(&query);
}

void
sigv4_rds_token(struct strbuf *out, const char *host, int port, const char *user,
    const struct sigv4_scope *scope)
{
	struct sigv4_scope own = *scope;
	struct strbuf name = STRBUF_INIT(1024), query = STRBUF_INIT(4096);
	struct sigv4_header header = { "Host", NULL };
	struct sigv4_request request = { "GET", "/", NULL, &header, 1, NULL, 0 };
	struct sigv4 sig;

	own.service = "rds-db";
	/* The port is part of what is signed, but for that of HTTPS. */
	strbuf_adds(&name, host);
	if (port != 443)
		strbuf_addf(&name, ":%d", port);
	add_query(&query, "Action", "connect");
	add_query(&query, "DBUser", user);
	header.value = name.buf;
	request.query = query.buf;
	sigv4_init(&sig);
	sigv4_presign(&sig, &request, &own, TOKEN_SECONDS);
	strbuf_clear(out);
	wipe_reserve(out, strlen(host) + sig.query.len + 16);
	strbuf_addf(out, "%s:%d/?%s", host, port, sig.query.buf);
	sigv4_release(&sig);
	strbuf_release(&name);
	strbuf_release(&query);
}
