/*
 * Answers in XML as a small tree (expat behind). What is not allowed in XML (control characters,
 * references to them, broken UTF-8) becomes U+FFFD first, since log files of servers hold anything
 * and one byte would lose the whole answer. Names are local names. Pure, any thread.
 */
#ifndef PGMEDIC_CLOUD_XML_H
#define PGMEDIC_CLOUD_XML_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"

struct xml {
	const char *name;
	const char *text; /* of an element without children, as it is; "" else */
	const struct xml *child, *next;
};

enum { XML_MAX_BYTES = 32 << 20, XML_MAX_DEPTH = 64, XML_MAX_NODES = 1 << 20 };

/* The root, everything in the arena; NULL with ERR_FORMAT. A DOCTYPE is refused. */
const struct xml *xml_parse(struct arena *arena, const char *s, size_t len, struct error *err);
/* The first element of that path below `node` ("Error/Code"); NULL: none, or node NULL. */
const struct xml *xml_get(const struct xml *node, const char *path);
/* Its text; "" where there is none. */
const char *xml_text(const struct xml *node, const char *path);
/* Its text as a number or as true; other: there is none. */
int64_t xml_int(const struct xml *node, const char *path, int64_t other);
bool xml_true(const struct xml *node, const char *path);
int xml_count(const struct xml *node, const char *path); /* children of that element */

#endif
