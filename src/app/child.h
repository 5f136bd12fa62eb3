/*
 * A child of this program for what may take long or crash: `pgmedic run --job -`, its request on
 * standard input, so that no secret is among its arguments. UI thread.
 */
#ifndef PGMEDIC_APP_CHILD_H
#define PGMEDIC_APP_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/doc.h"
#include "base/error.h"
#include "base/strbuf.h"

/*
 * Start one. What it prints (errors, too) is read from *fd, which does not block and is the
 * caller's to close; the caller waits for *pid. The request (JSON) is wiped. ERR_MEMORY: it is
 * longer than a pipe holds.
 */
bool child_start(struct strbuf *request, pid_t *pid, int *fd, struct error *err) MUST_CHECK;
/* "key": "value" of a request; nothing when value is NULL. */
void child_member(struct strbuf *request, bool *first, const char *key, const char *value);
/* Its member "doc": the document with its roles and labels, for doc_unpack(). */
void child_doc(struct strbuf *request, bool *first, const struct doc *doc);

#endif
