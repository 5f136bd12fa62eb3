/* The three alarms of an instance: what they are to be, and what is there. */
#ifndef PGMEDIC_OPS_RDS_ALARM_PRIV_H
#define PGMEDIC_OPS_RDS_ALARM_PRIV_H

#include "ops/rds_make.h"

enum { ALARMS = 3, ALARM_BODY = 16384 };

struct alarm_def {
	const char *what, *metric, *comparison, *sign, *why;
	int periods;
};
extern const struct alarm_def alarm_defs[ALARMS];

struct alarms {
	const char *instance, *sns;
	double threshold[ALARMS];
	bool is_aurora;
};

const char *alarm_metric(const struct alarms *a, int i);
const char *alarm_name(struct op *op, const struct alarms *a, int i);
const char *alarm_threshold_text(int i, double v, char *buf, size_t size);
const char *alarm_before(struct op *op, int i); /* the fact that holds what was there */
/* From the facts of the plan. */
void alarms_recall(struct op *op, struct alarms *a);
/* The body of PutMetricAlarm. */
void alarm_write(struct op *op, const struct alarms *a, int i, struct strbuf *out);

struct alarms_found {
	struct op *op;
	const struct alarms *a;
	bool is_there[ALARMS], is_same[ALARMS];
	const char *text[ALARMS], *state[ALARMS];
	const char *before[ALARMS]; /* the body that would put it again; NULL none */
	const char *sns;            /* that one of them tells, NULL none */
};
bool alarms_find(struct op *op, struct aws *aws, const struct alarms *a, struct alarms_found *f,
    struct error *err) MUST_CHECK;

#endif
