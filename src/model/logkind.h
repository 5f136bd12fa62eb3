/*
 * What a log entry is about, and the figures in its message: duration, bytes, object, parties. By
 * SQLSTATE where the log has it, else by the English message; of translated messages durations and
 * deadlocks are known. Pure.
 */
#ifndef PGMEDIC_MODEL_LOGKIND_H
#define PGMEDIC_MODEL_LOGKIND_H

#include "model/logentry.h"

/* Fills kind and the derived fields; where the statement is part of the message, statement too. */
void logkind_classify(struct log_entry *e);

#endif
