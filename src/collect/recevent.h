/*
 * The events of a recording: the stream of decoded answers, before anything is derived from them,
 * so that a replay derives what the live console derived. Numbers are LEB128; integers of a column
 * are differences to the row above. Everything read is checked against what is left of the block.
 */
#ifndef PGMEDIC_COLLECT_RECEVENT_H
#define PGMEDIC_COLLECT_RECEVENT_H

#include "base/error.h"
#include "base/strbuf.h"
#include "model/snapshot.h"

enum rec_kind {
	REC_TARGET = 1, /* number and name of a target */
	REC_SERVER,     /* what is known of its server */
	REC_LINK,       /* state of its connection */
	REC_SAMPLE,     /* the answer of a probe */
	REC_SEAL,       /* a snapshot was published here */
};

struct rec_event {
	enum rec_kind kind;
	int target;
	struct wall at;            /* this machine's clock when recorded */
	struct mono mono;          /* likewise, of the recording program */
	char name[64];             /* REC_TARGET */
	struct server_info server; /* REC_SERVER */
	enum link_state link;      /* REC_LINK */
	char what[256], hint[256];
	struct sample
	    *sample; /* REC_SAMPLE: a reference; a probe this version does not know is skipped */
	struct self_cost cost; /* REC_SEAL */
};

void rec_put(struct strbuf *out, const struct rec_event *ev);

struct rec_reader {
	const unsigned char *p, *end;
};
/* The next event. 1 there is one (ev->sample is the caller's to unref), 0 at the end, -1 damaged
 * (*err). */
int rec_get(struct rec_reader *r, struct rec_event *ev, struct error *err) MUST_CHECK;

#endif
