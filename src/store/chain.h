/*
 * The journal once more as lines of JSON, each with the SHA-256 of the one before: what was written
 * cannot be changed or taken out unseen. One file for all consoles and jobs of this user, written
 * under a lock and flushed to the disk line by line.
 *
 *   {"seq":7,"at":"2026-11-21T03:04:05.123456Z","job":12,"event":"step","name":"backup","text":"doing",
 *    "prev":"HEX","hash":"HEX"}
 *
 * hash: of the line without its hash member (from "{" up to the comma before it).
 */
#ifndef PGMEDIC_STORE_CHAIN_H
#define PGMEDIC_STORE_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

struct chain_event {
	int64_t job;
	const char *event; /* "begin", "state", "step", "fact", "leftover" */
	const char *name;  /* of the step …; "" none */
	const char *text;  /* redacted here */
};

/* The last line that was written, kept elsewhere (in journal.db): so lines cut off at the end are
 * missed, too. seq 0: nothing is known. */
struct chain_tip {
	int64_t seq;
	char hash[65];
};

/*
 * Append one line to the state folder's journal.jsonl; ERR_JOURNAL, and then nothing was written.
 * tip  in: what is remembered, out: this line. Where the file ends before it, or with another line,
 *      the new line still follows from what is remembered, so that verify finds the gap ever after.
 */
bool chain_append(const struct chain_event *e, struct chain_tip *tip, struct error *err) MUST_CHECK;

struct chain_report {
	int64_t lines; /* that are whole */
	int64_t torn; /* lines cut by a crash in the middle of being written; what follows counts */
	int64_t
	    broken; /* number of the first line that does not follow from the one before; 0: none */
	char last[65]; /* hash of the last whole line, "" none */
	char why[160]; /* of `broken` */
};
/* Read it all; path NULL: the state folder's; tip: what is remembered. ERR_JOURNAL when it cannot
 * be read; no file is an empty chain. */
bool chain_verify(const char *path, const struct chain_tip *tip, struct chain_report *report,
    struct error *err) MUST_CHECK;

#endif
