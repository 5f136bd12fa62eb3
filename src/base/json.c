/* JSON out and in. What is written is valid whatever the server sent, and harmless on a terminal.
 */
#include "config.h"

#include "base/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/utf8.h"

enum {
	MAX_SIZE = 64 * 1024 * 1024,
	MAX_DEPTH = 64,
};

/* \uXXXX, as a surrogate pair beyond the basic plane. */
static void
add_escape(struct strbuf *out, uint32_t cp)
{
	char buf[16];

	if (cp >= 0x10000)
		snprintf(buf, sizeof(buf), "\\u%04x\\u%04x", 0xd800 + ((cp - 0x10000) >> 10),
		    0xdc00 + (cp & 0x3ff));
	else
		snprintf(buf, sizeof(buf), "\\u%04x", cp & 0xffff);
	strbuf_adds(out, buf);
}

static void
add_special(struct strbuf *out, uint32_t cp)
{
	switch (cp) {
	case '"':
		strbuf_adds(out, "\\\"");
		break;
	case '\\':
		strbuf_adds(out, "\\\\");
		break;
	case '\n':
		strbuf_adds(out, "\\n");
		break;
	case '\r':
		strbuf_adds(out, "\\r");
		break;
	case '\t':
		strbuf_adds(out, "\\t");
		break;
	default:
		add_escape(out, cp);
	}
}

void
json_str(struct strbuf *out, const char *s, size_t len)
{
	uint32_t cp;
	size_t n;

	strbuf_addc(out, '"');
	for (; len; s += n, len -= n) {
		for (n = 0; n < len && s[n] >= 0x20 && s[n] < 0x7f && s[n] != '"' && s[n] != '\\';
		     n++)
			;
		if (n) {
			strbuf_add(out, s, n);
			continue;
		}
		n = utf8_decode(s, len, &cp);
		if (cp == '"' || cp == '\\' || utf8_cp_is_unsafe(cp))
			add_special(out, cp);
		else if (n == 1)
			strbuf_add(out, "\xef\xbf\xbd", 3);
		else
			strbuf_add(out, s, n);
	}
	strbuf_addc(out, '"');
}

void
json_int(struct strbuf *out, int64_t v)
{
	char buf[32];

	strbuf_adds(out, fmt_int(buf, sizeof(buf), v));
}

/* The shortest of 15 to 17 digits that reads back as the same number. */
void
json_num(struct strbuf *out, double v)
{
	char buf[40];
	char *point;

	if (!isfinite(v)) {
		strbuf_adds(out, "null");
		return;
	}
	if (v == floor(v) && fabs(v) < 1e15) {
		json_int(out, (int64_t)v);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(buf, sizeof(buf), "%.*g", digits, v);
		if (strtod(buf, NULL) == v)
			break;
	}
	/* The locale's decimal point is not JSON's. */
	point = strchr(buf, ',');
	if (point)
		*point = '.';
	strbuf_adds(out, buf);
}

void
json_cell(struct strbuf *out, const struct cell *c)
{
	char buf[64];

	switch ((enum cell_type)c->type) {
	case CELL_NULL:
		strbuf_adds(out, "null");
		break;
	case CELL_BOOL:
		strbuf_adds(out, c->i ? "true" : "false");
		break;
	case CELL_INT:
		json_int(out, c->i);
		break;
	case CELL_FLOAT:
		json_num(out, c->f);
		break;
	case CELL_TEXT:
		json_str(out, c->s, c->len);
		break;
	case CELL_TIME:
		strbuf_addc(out, '"');
		strbuf_adds(out, wall_rfc3339((struct wall){ c->i }, buf, sizeof(buf)));
		strbuf_addc(out, '"');
		break;
	case CELL_INTS:
		strbuf_addc(out, '[');
		for (uint32_t i = 0; i < c->len; i++) {
			if (i)
				strbuf_addc(out, ',');
			json_int(out, c->ints[i]);
		}
		strbuf_addc(out, ']');
		break;
	}
}

void
json_key(struct strbuf *out, bool *first, const char *key)
{
	if (!*first)
		strbuf_addc(out, ',');
	*first = false;
	json_str(out, key, strlen(key));
	strbuf_addc(out, ':');
}

/* The struct is never defined: a struct json is a cJSON under a name that the rest may know. */
static const cJSON *
inside(const struct json *v)
{
	return (const cJSON *)v;
}

/* cJSON recurses per level, so the depth is measured before it starts. */
static bool
is_too_deep(const char *s, size_t len)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (in_string) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				in_string = false;
		} else if (s[i] == '"') {
			in_string = true;
		} else if (s[i] == '[' || s[i] == '{') {
			if (++depth > MAX_DEPTH)
				return true;
		} else if (s[i] == ']' || s[i] == '}') {
			depth--;
		}
	}
	return false;
}

static bool
is_blank(const char *s, const char *end)
{
	while (s < end && (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\r'))
		s++;
	return s == end;
}

struct json *
json_parse(const char *s, size_t len, struct error *err)
{
	const char *end = s;
	cJSON *root;

	if (len > MAX_SIZE) {
		error_set(err, ERR_MEMORY, "JSON text of %zu bytes is over the limit of %d", len,
		    MAX_SIZE);
		return NULL;
	}
	if (is_too_deep(s, len)) {
		error_set(
		    err, ERR_FORMAT, "JSON text is nested more than %d levels deep", MAX_DEPTH);
		return NULL;
	}
	root = cJSON_ParseWithLengthOpts(s, len, &end, 0);
	if (root && is_blank(end, s + len))
		return (struct json *)root;
	cJSON_Delete(root);
	error_set(err, ERR_FORMAT, "not JSON at byte %zu", end ? (size_t)(end - s) + 1 : 1);
	return NULL;
}

void
json_free(struct json *root)
{
	cJSON_Delete((cJSON *)root);
}

const struct json *
json_get(const struct json *obj, const char *key)
{
	return (const struct json *)cJSON_GetObjectItemCaseSensitive(inside(obj), key);
}

const struct json *
json_at(const struct json *arr, int i)
{
	return (const struct json *)cJSON_GetArrayItem(inside(arr), i);
}

int
json_len(const struct json *arr)
{
	return arr ? cJSON_GetArraySize(inside(arr)) : 0;
}

const char *
json_text(const struct json *v)
{
	return cJSON_GetStringValue(inside(v));
}

bool
json_number(const struct json *v, double *num)
{
	if (!cJSON_IsNumber(inside(v)))
		return false;
	*num = cJSON_GetNumberValue(inside(v));
	return true;
}

bool
json_true(const struct json *v)
{
	return cJSON_IsTrue(inside(v));
}

bool
json_false(const struct json *v)
{
	return cJSON_IsFalse(inside(v));
}

bool
json_is_tree(const struct json *v)
{
	return cJSON_IsObject(inside(v)) || cJSON_IsArray(inside(v));
}

void
json_value(struct strbuf *out, const struct json *v)
{
	char *text = cJSON_PrintUnformatted(inside(v));

	strbuf_adds(out, text ? text : "null");
	cJSON_free(text);
}

const char *
json_name(const struct json *v)
{
	return v ? inside(v)->string : NULL;
}

const struct json *
json_child(const struct json *v)
{
	return v ? (const struct json *)inside(v)->child : NULL;
}

const struct json *
json_next(const struct json *v)
{
	return v ? (const struct json *)inside(v)->next : NULL;
}
