/*
 * The words of a server log in the languages that PostgreSQL's messages are translated to:
 * severity, labels of the lines below a message, and the few messages that are told apart without
 * an SQLSTATE. Taken from the message catalogs of PostgreSQL 15. Pure.
 */
#ifndef PGMEDIC_MODEL_LOGWORDS_H
#define PGMEDIC_MODEL_LOGWORDS_H

#include "model/logentry.h"

enum log_label {
	LOGLABEL_NONE,
	LOGLABEL_DETAIL,
	LOGLABEL_HINT,
	LOGLABEL_QUERY,
	LOGLABEL_CONTEXT,
	LOGLABEL_LOCATION,
	LOGLABEL_STATEMENT,
	LOGLABEL_BACKTRACE,
};

/* "ERROR:  …", "FEHLER:  …": the severity and where the message begins (bytes); false: none. */
bool logwords_severity(const char *s, size_t len, enum log_severity *severity, size_t *used);
/* "DETAIL:  …", "TIPP:  …". */
bool logwords_label(const char *s, size_t len, enum log_label *label, size_t *used);
/* The severity that a bare word (as csvlog and jsonlog hold it) is; LOGSEV_NONE for none. */
enum log_severity logwords_severity_word(const char *s, size_t len);
/* "duration: ", "Dauer: ": bytes up to the number; 0: it does not begin so. */
size_t logwords_duration(const char *s, size_t len);
/* Is this message "deadlock detected" in one of the languages? */
bool logwords_is_deadlock(const char *s, size_t len);

#endif
