/* Shared by logparse.c (lines, stderr) and logparse_fields.c (csvlog, jsonlog). */
#ifndef PGMEDIC_MODEL_LOGPARSE_PRIV_H
#define PGMEDIC_MODEL_LOGPARSE_PRIV_H

#include "model/logparse.h"

/*
 * One record of csvlog or one object of jsonlog into an entry. The text is changed in place: the
 * entry's texts are its values without quotes and escapes. False: it is no such record.
 */
bool logparse_csv(const struct log_zone *zone, char *s, size_t len, struct log_entry *e);
bool logparse_json(const struct log_zone *zone, char *s, size_t len, struct log_entry *e);
/* The severity that a word means; where it is strange, what the SQLSTATE says. */
void logparse_severity(struct log_entry *e, struct log_text word);

#endif
