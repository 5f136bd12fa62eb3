/* One HTTP request as it came over the wire: nothing decoded that a signature is made of. */
#ifndef PGMEDIC_LABCLOUD_REQUEST_H
#define PGMEDIC_LABCLOUD_REQUEST_H

#include <stdbool.h>

#include "base/mem.h"
#include "base/strbuf.h"

enum { MAX_BODY = 1 << 20 };

struct pair {
	const char *name, *value;
};

struct request {
	struct arena arena;
	const char *method;
	const char *path;  /* as sent, without the query */
	const char *query; /* as sent, "" none */
	struct pair *headers;
	int nheaders, cap;
	struct strbuf body;
};

void request_release(struct request *r);
/* The value of a header, in any case; NULL: none. */
const char *request_header(const struct request *r, const char *name);
/* Undo %XX, and '+' in a form. In the arena. */
const char *url_decode(struct arena *arena, const char *s, size_t len, bool is_form);
/* RFC 3986: all but letters, digits and "-._~" as %XX; with keep_slash also '/' stays. */
void url_encode(struct strbuf *out, const char *s, bool keep_slash);

/* Parameters of a Query request, or of a JSON one flattened to the same names. */
struct form {
	struct arena *arena;
	struct pair *pairs;
	int n, cap;
};

void form_read(struct form *f, const char *text, size_t len);
/* False: it is no JSON object. Lists become NAME.member.1 … */
bool form_read_json(struct form *f, const char *text, size_t len);
void form_release(struct form *f);
const char *form_get(const struct form *f, const char *name); /* NULL: not given */
/* The same for a name made of parts. */
const char *form_getf(const struct form *f, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Does a parameter begin with this name and a dot? */
bool form_has(const struct form *f, const char *prefix);

#endif
