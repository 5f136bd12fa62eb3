/*
 * Acts in the console: drives one act at a time over the collector's action connection, never
 * blocking. UI thread.
 *
 * The console: adds acting_fd() and acting_timeout_ms() to its poll, calls acting_step() after each
 * wake, hands each run_outcome to acting_outcome() first, and draws what acting_state() says:
 *   LOOKING  "looking …"          ASKING  acting_doc() and, on the prompt, acting_question(); the
 * typed line goes to acting_answer(), Esc and Ctrl-C to acting_abort() RUNNING  "…" in the status
 * line; acting_abort() cancels what is out DONE     acting_doc() is the result (shown as a document
 * when acting_is_long(), else only the line): then acting_clear()
 */
#ifndef PGMEDIC_APP_ACTING_H
#define PGMEDIC_APP_ACTING_H

#include <stdbool.h>

#include "app/settings.h"
#include "app/targets.h"
#include "base/doc.h"
#include "base/role.h"
#include "collect/collector.h"
#include "ops/act.h"

enum acting_state { ACTING_NONE, ACTING_LOOKING, ACTING_ASKING, ACTING_RUNNING, ACTING_DONE };

struct acting;

struct acting *acting_new(struct collector *c);
void acting_free(struct acting *a);
/* Takes the act. ERR_STATE when another one is under way. */
bool acting_begin(struct acting *a, int index, const struct target *target, struct act *act,
    struct error *err) MUST_CHECK;
/* A command whose answer is a document, run without a screen in a child process (explain): its
 * output becomes acting_doc(). line: the command line; text: statement text to explain or NULL. */
bool acting_child(struct acting *a, int index, const struct target *target,
    const struct settings *settings, const char *line, struct error *err) MUST_CHECK;
/* An operation (ops/op.h): planned in a child process, asked for, then run as a job. */
bool acting_op(struct acting *a, int index, const struct target *target,
    const struct settings *settings, const char *line, struct error *err) MUST_CHECK;
enum acting_state acting_state(const struct acting *a);
const char *acting_title(const struct acting *a); /* the command line */
const struct doc *acting_doc(const struct acting *a);
const char *acting_question(const struct acting *a);
/* What confirms: "y" lets the console take a single key; anything else is typed and ended with
 * Enter. */
const char *acting_expects(const struct acting *a);
bool acting_answer(struct acting *a, const char *typed, struct error *err) MUST_CHECK;
void acting_abort(struct acting *a);
/* DONE: one line and its role. */
const char *acting_line(struct acting *a, enum role *role);
bool acting_is_long(const struct acting *a);
int64_t acting_job(const struct acting *a); /* DONE: the job that it goes on as, 0 none */
void acting_clear(struct acting *a);
int acting_fd(const struct acting *a);         /* -1: none */
int acting_timeout_ms(const struct acting *a); /* -1: none */
void acting_step(struct acting *a);
/* True when the outcome was for it (then its rows are taken). */
bool acting_outcome(struct acting *a, struct run_outcome *outcome);

#endif
