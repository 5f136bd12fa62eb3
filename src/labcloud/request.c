#include "config.h"

#include "labcloud/request.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"

enum { MAX_DEPTH = 16 };

void
request_release(struct request *r)
{
	free(r->headers);
	strbuf_release(&r->body);
	arena_release(&r->arena);
}

const char *
request_header(const struct request *r, const char *name)
{
	for (int i = 0; i < r->nheaders; i++)
		if (strcasecmp(r->headers[i].name, name) == 0)
			return r->headers[i].value;
	return NULL;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

const char *
url_decode(struct arena *arena, const char *s, size_t len, bool is_form)
{
	char *out = arena_alloc(arena, len + 1), *to = out;

	for (size_t i = 0; i < len; i++) {
		int high = s[i] == '%' && i + 2 < len ? hex_value(s[i + 1]) : -1;
		int low = high >= 0 ? hex_value(s[i + 2]) : -1;

		if (low >= 0) {
			*to++ = (char)(high * 16 + low);
			i += 2;
		} else {
			*to++ = is_form && s[i] == '+' ? ' ' : s[i];
		}
	}
	*to = 0;
	return out;
}

void
url_encode(struct strbuf *out, const char *s, bool keep_slash)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c < 128 && isalnum(c)) || strchr("-._~", c) || (keep_slash && c == '/'))
			strbuf_addc(out, (char)c);
		else
			strbuf_addf(out, "%%%02X", c);
	}
}

static void
add(struct form *f, const char *name, const char *value)
{
	GROW(f->pairs, f->n, f->cap);
	f->pairs[f->n++] = (struct pair){ name, value };
}

void
form_read(struct form *f, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		const char *amp = memchr(text, '&', (size_t)(end - text));
		const char *stop = amp ? amp : end;
		const char *equals = memchr(text, '=', (size_t)(stop - text));
		const char *name_end = equals ? equals : stop;

		if (stop > text)
			add(f, url_decode(f->arena, text, (size_t)(name_end - text), true),
			    equals ? url_decode(
			                 f->arena, equals + 1, (size_t)(stop - equals - 1), true) :
			             "");
		text = stop + 1;
	}
}

static void
flatten(struct form *f, const char *prefix, const struct json *value, int depth)
{
	const struct json *child = json_child(value);
	const char *text = json_text(value);
	double number;
	int i = 0;

	if (depth > MAX_DEPTH)
		return;
	if (text) {
		add(f, prefix, arena_strdup(f->arena, text));
	} else if (child) {
		for (; child; child = json_next(child)) {
			const char *name = json_name(child);

			flatten(f,
			    name ?
			        arena_printf(f->arena, "%s%s%s", prefix, *prefix ? "." : "", name) :
			        arena_printf(f->arena, "%s.member.%d", prefix, ++i),
			    child, depth + 1);
		}
	} else if (json_number(value, &number)) {
		add(f, prefix, arena_printf(f->arena, "%.17g", number));
	} else if (*prefix) {
		add(f, prefix, json_true(value) ? "true" : "");
	}
}

bool
form_read_json(struct form *f, const char *text, size_t len)
{
	struct error ignored;
	struct json *root = json_parse(text, len, &ignored);

	if (!root)
		return false;
	flatten(f, "", root, 0);
	json_free(root);
	return true;
}

void
form_release(struct form *f)
{
	free(f->pairs);
	f->pairs = NULL;
	f->n = f->cap = 0;
}

const char *
form_get(const struct form *f, const char *name)
{
	for (int i = 0; i < f->n; i++)
		if (strcmp(f->pairs[i].name, name) == 0)
			return f->pairs[i].value;
	return NULL;
}

const char *
form_getf(const struct form *f, const char *fmt, ...)
{
	char name[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	return form_get(f, name);
}

bool
form_has(const struct form *f, const char *prefix)
{
	size_t len = strlen(prefix);

	for (int i = 0; i < f->n; i++)
		if (strncmp(f->pairs[i].name, prefix, len) == 0 && f->pairs[i].name[len] == '.')
			return true;
	return false;
}
