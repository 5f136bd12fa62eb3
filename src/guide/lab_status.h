/* What of a lab runs, as text, as JSON, and as URIs. */
#ifndef PGMEDIC_GUIDE_LAB_STATUS_H
#define PGMEDIC_GUIDE_LAB_STATUS_H

#include <sys/types.h>

#include "guide/lab_folder.h"
#include "guide/lab_load.h"

enum lab_state { LAB_DOWN, LAB_PARTIAL, LAB_UP };

struct lab_status {
	enum lab_state state;
	pid_t primary, standby, pool, cloud; /* 0: does not run */
	struct load_status load;
};

/* Look at the processes of a lab whose marker was read. */
void lab_look(struct lab *lab, struct lab_status *status);
/* Behind which port the primary is: the cloud's endpoint, which follows a failover, or its own. */
int lab_primary_port(const struct lab *lab);
/* In the arena. The superuser's ("lab") has its password; the other roles need none. */
const char *lab_uri(struct lab *lab, const char *role, int port, const char *database);
/* On standard output. Of a lab without a marker: down. */
void lab_print_text(struct lab *lab, const struct lab_status *status);
void lab_print_json(struct lab *lab, const struct lab_status *status);

#endif
