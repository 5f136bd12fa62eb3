/* The rule of a composite alarm of CloudWatch, as far as the alarms go that it has. */
#ifndef PGMEDIC_MODEL_ALARM_RULE_H
#define PGMEDIC_MODEL_ALARM_RULE_H

#include <stdbool.h>

enum { ALARM_NAME_MAX = 256 };

/* The next alarm of a rule, as in ALARM("a b") AND NOT OK(arn:aws:cloudwatch:…:alarm:c): its name,
 * *at behind it. False: there is none. */
bool alarm_rule_next(const char **at, char name[ALARM_NAME_MAX]);

#endif
