/* From a request to an answer: who, what, which fault, and the envelope of the wire. */
#ifndef PGMEDIC_LABCLOUD_ANSWER_H
#define PGMEDIC_LABCLOUD_ANSWER_H

#include <stdbool.h>

#include "labcloud/request.h"
#include "labcloud/world.h"

struct answer {
	int status;
	const char *type; /* Content-Type; NULL: no body */
	struct strbuf body;
	const char *error_type, *query_error; /* headers of an error, NULL none */
	char request_id[40];
	struct wall now; /* for the Date header */
	bool is_cut;     /* no answer: the connection is reset */
	int slow_ms, delay_ms;
};

/* Fill *a (zeroed) for a request; takes the world's lock. Texts live as long as the request. */
void answer_make(struct world *w, struct request *r, struct answer *a);
void answer_release(struct answer *a);

#endif
