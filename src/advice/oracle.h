/*
 * What would a statement cost with these indexes? Asked in bulk, since a round trip may take 30 ms:
 * questions are queued, grouped so that many can be answered with the same hypothetical indexes
 * alive, and remembered. Without HypoPG the model answers. Keeps the limits of the run: EXPLAINs,
 * time, pauses, stop.
 */
#ifndef PGMEDIC_ADVICE_ORACLE_H
#define PGMEDIC_ADVICE_ORACLE_H

#include "advice/advice.h"
#include "advice/workload.h"
#include "base/clock.h"
#include "base/hmap.h"

struct oracle_answer {
	double cost;
	struct cand_set used; /* those of the candidates that the plan puts to use */
};

struct oracle_question {
	int statement, set;
	struct cand_set with;
	uint64_t key;
};

struct oracle {
	struct whatif *whatif;
	bool use_hypo; /* else the model */
	struct workload *wl;
	struct cands *cands;
	const struct advice_request *req;
	struct mono began;
	int max_explains, max_ms;
	const char *stopped; /* NULL, or budget time load cancelled lost */
	struct error error;  /* of "lost" */
	/* inside */
	struct hmap known;
	struct oracle_answer *answers;
	int nanswers, acap;
	struct oracle_question *queue;
	int nqueue, qcap;
	struct cand_set live;
	bool is_live;
	uint32_t *oids; /* of what is alive, with the candidate of each */
	int *owners;
	const char **names;
	int nlive;
	struct arena live_arena, arena;
	double slowest_ms, usual_ms;
};

void oracle_release(struct oracle *o);
/* Queue a question, unless the answer is known. */
void oracle_ask(struct oracle *o, int statement, int set, struct cand_set with);
/* Answer all that is queued; false when a limit was reached (see o->stopped). */
bool oracle_run(struct oracle *o);
/* The answer; what is not known costs what it costs now. */
struct oracle_answer oracle_answer(
    const struct oracle *o, int statement, int set, struct cand_set with);
/* May the run go on? Sets o->stopped. */
bool oracle_may(struct oracle *o);
/* After a burst of work that took ms: pauses in the background. */
void oracle_pause(struct oracle *o, double ms);
double oracle_elapsed_ms(const struct oracle *o);

#endif
