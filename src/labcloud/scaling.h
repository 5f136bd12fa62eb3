/* Application Auto Scaling of the lab: the readers of its Aurora cluster. */
#ifndef PGMEDIC_LABCLOUD_SCALING_H
#define PGMEDIC_LABCLOUD_SCALING_H

struct world;

/* Begin a reader where there are fewer than a target asks for, and see what became of it. */
void scaling_tick(struct world *w);

#endif
