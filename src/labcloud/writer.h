/* Answers, written once for both wires: XML elements of the Query protocol, or JSON. */
#ifndef PGMEDIC_LABCLOUD_WRITER_H
#define PGMEDIC_LABCLOUD_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/strbuf.h"

struct writer {
	struct strbuf *out;
	bool is_json;
	int depth;
	struct {
		const char *name, *member; /* member: it is a list, of these */
		bool is_first;
	} stack[16];
};

void writer_begin(struct writer *w, struct strbuf *out, bool is_json);
void writer_end(struct writer *w);
/* A structure; the name of a list's element is NULL. */
void w_open(struct writer *w, const char *name);
/* A list whose elements are called `member` in XML. */
void w_list(struct writer *w, const char *name, const char *member);
void w_close(struct writer *w);
/* NULL: the element is left out. */
void w_text(struct writer *w, const char *name, const char *value);
void w_int(struct writer *w, const char *name, int64_t value);
void w_num(struct writer *w, const char *name, double value);
void w_bool(struct writer *w, const char *name, bool value);
/* ISO 8601 in XML, seconds since 1970 in JSON; 0 is left out. */
void w_time(struct writer *w, const char *name, struct wall value);

#endif
