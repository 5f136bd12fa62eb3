/*
 * Index advice in the console: a child process makes it, what it finds is posted to the collector
 * as it comes. Its crash is a message. One child at a time; UI thread.
 *
 * The console: adds advising_fd() and advising_timeout_ms() to its poll, calls advising_step()
 * after each wake, and says what that returns.
 */
#ifndef PGMEDIC_APP_ADVISING_H
#define PGMEDIC_APP_ADVISING_H

#include <stdbool.h>

#include "app/targets.h"
#include "base/error.h"
#include "base/role.h"
#include "collect/collector.h"

struct advising;

struct advising *advising_new(struct collector *c);
/* Kills the child at once. NULL is fine. */
void advising_free(struct advising *a);
/* Begin for target i of all. ERR_STATE: it is at work already. */
bool advising_start(
    struct advising *a, const struct targets *targets, int i, struct error *err) MUST_CHECK;
/* It ends soon, and what it has found is kept; false: it is not at work. */
bool advising_stop(struct advising *a);
/* The target it is at work for, -1 none. */
int advising_target(const struct advising *a);
/* Was it ever begun for target i? */
bool advising_was_begun(const struct advising *a, int i);
int advising_fd(const struct advising *a);         /* -1: none */
int advising_timeout_ms(const struct advising *a); /* -1: none */
/* Takes what came. The line to say when it has ended, else NULL. */
const char *advising_step(struct advising *a, enum role *role);

#endif
