/*
 * The writer of a recording: a thread that compresses and writes blocks, so that a disk that hangs
 * holds up nobody who feeds the recorder. What waits is bounded; what does not fit is not taken.
 * All calls from any thread.
 */
#ifndef PGMEDIC_COLLECT_RECWRITER_H
#define PGMEDIC_COLLECT_RECWRITER_H

#include "base/error.h"
#include "collect/recfile.h"

struct recwriter;

/* Takes the file, which is open for writing. */
struct recwriter *recwriter_new(struct recfile *file);
/* Takes what is in raw, which is empty then. False: too much is waiting, and raw is as it was. */
bool recwriter_put(
    struct recwriter *w, struct wall at, unsigned flags, struct strbuf *raw) MUST_CHECK;
/* Bytes written so far; false and *err once writing failed. */
bool recwriter_state(struct recwriter *w, int64_t *bytes, struct error *err) MUST_CHECK;
/* Waits until all is written, and closes the file. A disk that does not answer for some seconds is
 * not waited for: that is a failure, too. As recwriter_state(). w is gone then; NULL is fine. */
bool recwriter_end(struct recwriter *w, int64_t *bytes, struct error *err) MUST_CHECK;

#endif
