/*
 * Signs requests that another program describes, one JSON object a line, and answers with one JSON
 * object a line: what was signed, so that another implementation can be compared step by step.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cloud/sigv4.h"

static const char *
text(const struct json *o, const char *key)
{
	const char *s = json_text(json_get(o, key));

	return s ? s : "";
}

static void
put(struct strbuf *out, bool *first, const char *key, const char *value)
{
	json_key(out, first, key);
	json_str(out, value, strlen(value));
}

static void
answer(const struct json *o, struct strbuf *out)
{
	const char *kind = text(o, "kind"), *body = text(o, "body");
	const struct json *list = json_get(o, "headers");
	struct sigv4_header headers[64];
	struct sigv4_request r = { text(o, "method"), text(o, "path"), text(o, "query"), headers, 0,
		body, strlen(body) };
	struct sigv4_scope scope = { text(o, "key_id"), text(o, "secret"), text(o, "token"),
		text(o, "region"), text(o, "service"), { 0 } };
	struct strbuf token = STRBUF_INIT(1 << 20);
	struct sigv4 sig;
	double port = 0;
	bool first = true;

	if (!wall_parse(text(o, "now"), &scope.now))
		exit(2);
	for (int i = 0; i < json_len(list) && i < (int)ARRAY_LEN(headers); i++)
		headers[r.nheaders++] =
		    (struct sigv4_header){ json_text(json_at(json_at(list, i), 0)),
			    json_text(json_at(json_at(list, i), 1)) };
	sigv4_init(&sig);
	strbuf_addc(out, '{');
	if (strcmp(kind, "token") == 0) {
		(void)json_number(json_get(o, "port"), &port);
		sigv4_rds_token(&token, text(o, "host"), (int)port, text(o, "user"), &scope);
		put(out, &first, "token", token.buf);
	} else {
		if (strcmp(kind, "query") == 0)
			sigv4_presign(&sig, &r, &scope, 900);
		else
			sigv4_sign(&sig, &r, &scope);
		put(out, &first, "canonical", sig.canonical.buf);
		put(out, &first, "to_sign", sig.to_sign.buf);
		put(out, &first, "authorization", sig.authorization.buf);
		put(out, &first, "query", sig.query.buf);
		put(out, &first, "signature", sig.signature);
	}
	strbuf_addc(out, '}');
	sigv4_release(&sig);
	strbuf_release(&token);
}

int
main(void)
{
	struct strbuf out = STRBUF_INIT(8 << 20);
	struct error err = { 0 };
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	while ((len = getline(&line, &cap, stdin)) > 0) {
		struct json *o = json_parse(line, (size_t)len, &err);

		if (!o)
			return 2;
		strbuf_clear(&out);
		answer(o, &out);
		puts(out.buf);
		json_free(o);
	}
	free(line);
	strbuf_release(&out);
	return 0;
}
