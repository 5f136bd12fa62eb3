/*
 * The two-person rule (approve = two): a plan is run only after another user of this machine has
 * approved it. What is to be approved lies in a shared folder, where the system says whose each
 * file is: that is the proof, and nothing in the files is. An approval is for one request, which
 * holds the plan's hash, and both last APPROVAL_S seconds by the time at which the file was made
 * (which its owner cannot set).
 *
 *   HASH.request       of who wants to run it: the plan, and a random word that nobody has approved
 * before HASH.approved-UID  of who approves: the digest of that request
 *
 * root's approval does not count: whoever may become root would be two persons.
 */
#ifndef PGMEDIC_OPS_APPROVAL_H
#define PGMEDIC_OPS_APPROVAL_H

#include <stdbool.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/strbuf.h"

enum { APPROVAL_S = 15 * 60 };

struct approval_plan {
	const char *hash, *target, *line, *text;
};
/*
 * Has somebody else approved it? Then *by (in the arena) is who. Otherwise it is asked for, and the
 * error (ERR_REFUSED) says what the other one has to do. folder: absolute, sticky, for others to
 * write into.
 */
bool approval_given(const char *folder, const struct approval_plan *plan, struct arena *arena,
    const char **by, struct error *err) MUST_CHECK;
/* The plan is run: the request is taken away, so that its approval is of no more use. */
void approval_used(const char *folder, const char *hash);

/* For the other one. hash: at least 8 digits of it. What is asked for, as text. */
/* seen: DIGEST_HEX bytes, for approval_give(). */
bool approval_show(const char *folder, const char *hash, struct strbuf *out, char *seen,
    struct error *err) MUST_CHECK;
/* Only what was seen is approved: ERR_CHANGED when another request is there now. seen "": whatever
 * is there. */
bool approval_give(const char *folder, const char *hash, const char *seen, struct strbuf *out,
    struct error *err) MUST_CHECK;
/* All that can be approved here, a line each. */
bool approval_list(const char *folder, struct strbuf *out, struct error *err) MUST_CHECK;

#endif
