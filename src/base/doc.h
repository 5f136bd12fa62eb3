/* Text with roles, line by line: detail views, help, plans. */
#ifndef PGMEDIC_BASE_DOC_H
#define PGMEDIC_BASE_DOC_H

#include <stddef.h>

#include "base/mem.h"
#include "base/role.h"

struct strbuf;

struct doc_line {
	enum role role;
	int label_len;    /* the first label_len bytes are drawn in ROLE_DIM */
	const char *text; /* clean, without '\n' */
};

struct doc {
	struct arena arena;
	struct doc_line *lines;
	int n, cap;
};

void doc_release(struct doc *doc);
void doc_reset(struct doc *doc);
/* One line, or several where the text holds '\n'; cleaned for the terminal. */
void doc_add(struct doc *doc, enum role role, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Server text of any length; cleaned; '\n' breaks lines. */
void doc_text(struct doc *doc, enum role role, const char *s, size_t len);
/* "label  value": label padded to 22 columns. */
void doc_pair(struct doc *doc, const char *label, enum role role, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* Its lines behind those of another, with their roles and labels. */
void doc_append(struct doc *doc, const struct doc *from);
/* As a text for another process, and back; what is no such text is taken as plain lines. */
void doc_pack(const struct doc *doc, struct strbuf *out);
void doc_unpack(struct doc *doc, const char *packed);

#endif
