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

/* Append one line to the state folder's journal.jsonl; ERR_JOURNAL. */
bool chain_append(const struct chain_event *e, struct error *err) MUST_CHECK;

struct chain_report {
	int64_t lines; /* that are whole */
	int64_t torn; /* lines cut by a crash in the middle of being written; what follows counts */
	int64_t
	    broken; /* number of the first line that does not follow from the one before; 0: none */
	char last[65]; /* hash of the last whole line, "" none */
	char why[160]; /* of `broken` */
};
/* Read it all; path NULL: the state folder's. ERR_JOURNAL when it cannot be read; no file is an
 * empty chain. */
bool chain_verify(const char *path, struct chain_report *report, struct error *err) MUST_CHECK;

#endif
