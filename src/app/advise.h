/*
 * Making index advice: what stands around advice_run(). Blocks; for a process of its own: `show
 * advice`, `run advise`, and the child that the console starts (advising.h).
 */
#ifndef PGMEDIC_APP_ADVISE_H
#define PGMEDIC_APP_ADVISE_H

#include <signal.h>
#include <stdbool.h>

#include "app/run.h"
#include "app/sampler.h"
#include "app/targets.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rowset.h"
#include "model/probes.h"

struct advise_task {
	const struct target *target;
	/* Other targets: those that are standbys of it are asked for the scans of its indexes. */
	const struct target *peers;
	int npeers;
	bool is_background;
};

/*
 * Make it. post gets each answer of the adviser's probes and takes the rows; later ones replace
 * earlier ones. *stop set to 1 ends it soon, with what was found. False and *err: there is none.
 */
bool advise(const struct advise_task *task,
    void (*post)(void *arg, enum probe_id probe, struct rowset *rows), void *arg,
    const volatile sig_atomic_t *stop, struct error *err) MUST_CHECK;
/* The same, into a sampler's snapshot, with the configuration's other targets as peers. */
bool advise_into(struct sampler *s, const struct target *target, const struct settings *settings,
    struct error *err) MUST_CHECK;

/*
 * What the child writes: "PMA", a kind, the length of the rest in 4 bytes, the rest: 'S' a sample
 * as recordings have them, 'E' what went wrong, a zero byte, the hint; 'F' it is done.
 */
enum { ADVISE_HEAD = 8, ADVISE_MAX_FRAME = 64 << 20 };
/* The child: its request was {"advise":true,…}. Exit status. */
int advise_child(const struct json *request, const struct target *target);

#endif
