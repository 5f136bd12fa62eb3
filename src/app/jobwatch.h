/*
 * Watching jobs that were started here until they end, in a thread of its own, since the journal is
 * a file. UI thread.
 */
#ifndef PGMEDIC_APP_JOBWATCH_H
#define PGMEDIC_APP_JOBWATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/role.h"

struct jobwatch;

struct jobwatch *jobwatch_new(void);
void jobwatch_free(struct jobwatch *w); /* NULL is fine; the jobs go on */
/*
 * At the start: what other consoles have left to look after of these targets is said in one line,
 * and jobs that are under way say when they end. The names must stay.
 */
void jobwatch_greet(struct jobwatch *w, const char *const *targets, int n);
/* Say when this one ends; beyond 32 at a time it is not said. */
void jobwatch_add(struct jobwatch *w, int64_t id);
int jobwatch_fd(const struct jobwatch *w); /* readable when one has ended; -1 none */
/* The next line to say of one that has ended; false: none. */
bool jobwatch_next(struct jobwatch *w, char *line, size_t size, enum role *role);

#endif
