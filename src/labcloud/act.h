/* What really acts: pgmedic's own operations for the lab's servers, each in a child process. */
#ifndef PGMEDIC_LABCLOUD_ACT_H
#define PGMEDIC_LABCLOUD_ACT_H

#include <stdbool.h>

#include "base/mem.h"

#include "labcloud/world.h"

/* What pgmedic answered, with the world locked: result and error are JSON's members, or NULL. */
struct json;
struct act_answer {
	bool is_done;
	const char *what; /* of its error, "" none */
	const struct json *result;
};
typedef void act_finish(struct world *w, const char *id, const struct act_answer *answer);

/*
 * Run `pgmedic run LINE TARGET --yes --wait --json` beside; then finish(w, id) is called. Returns
 * at once; false: no process could be begun.
 */
bool act_start(struct world *w, const char *target, const char *id, act_finish *finish,
    struct error *err, const char *fmt, ...) PRINTF_LIKE(6, 7);
/* Run programs beside, one after another, as long as each goes well; then finish. Each is a
 * NULL-terminated list whose texts are copied. */
enum { ACT_PROGRAMS = 4 };
bool act_programs(struct world *w, const char *id, act_finish *finish, int n,
    const char *const *const *programs, struct error *err) MUST_CHECK;
/* Restart the server of an instance with pg_ctl, the same way. */
bool act_restart(
    struct world *w, const struct instance *i, act_finish *finish, struct error *err) MUST_CHECK;

/* A program of PostgreSQL, in the arena. */
const char *act_program(const struct world *w, struct arena *arena, const char *name);
/* On 127.0.0.1, a moment ago; 0: none. */
int act_free_port(void);

#endif
