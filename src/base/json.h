/* JSON out (a writer on strbuf, so that 64-bit integers stay exact) and in (cJSON behind). */
#ifndef PGMEDIC_BASE_JSON_H
#define PGMEDIC_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cell.h"
#include "base/error.h"
#include "base/strbuf.h"

/* A JSON string with quotes: invalid UTF-8 becomes U+FFFD, controls are escaped. */
void json_str(struct strbuf *out, const char *s, size_t len);
/* A number; NaN and infinities are null. */
void json_num(struct strbuf *out, double v);
void json_int(struct strbuf *out, int64_t v);
/* Any cell: times as RFC 3339 strings, lists as arrays. */
void json_cell(struct strbuf *out, const struct cell *c);
/* "key": with a comma before it unless *first (which is cleared). */
void json_key(struct strbuf *out, bool *first, const char *key);

/* Append a JSON text as it is, but compact and clean; false, and nothing appended, when it is none.
 */
bool json_copy(struct strbuf *out, const char *text, size_t len);
/*
 * The elements of a JSON array's text, one by one: strings without quotes and escapes, the rest as
 * JSON. Begin with { s, s + len, 0 }; false at the end, and where the text is no JSON.
 */
struct json_list {
	const char *p, *end;
	int n; /* elements read so far */
};
bool json_list_next(struct json_list *l, struct strbuf *item);

struct json; /* a parsed document or a value in it */
/* At most 64 MB and 64 levels. The root must be freed; values inside are borrowed. */
struct json *json_parse(const char *s, size_t len, struct error *err);
void json_free(struct json *root);
const struct json *json_get(const struct json *obj, const char *key); /* NULL: none, or obj NULL */
const struct json *json_at(const struct json *arr, int i);
int json_len(const struct json *arr);
const char *json_text(const struct json *v); /* NULL unless a string */
bool json_number(const struct json *v, double *num);
bool json_true(const struct json *v);                      /* is it the literal true? */
bool json_false(const struct json *v);                     /* is it the literal false? */
bool json_is_tree(const struct json *v);                   /* an object or an array? */
void json_value(struct strbuf *out, const struct json *v); /* write it again, compact */
const char *json_name(const struct json *v);               /* key of a member, or NULL */
const struct json *json_child(const struct json *v);       /* first member or element */
const struct json *json_next(const struct json *v);

#endif
