/*
 * The lab's cloud: `pgmedic lab up --cloud`: pgmedic-cloud, a loopback endpoint that speaks the AWS
 * APIs for the lab's servers and acts through pgmedic, on its backups.
 */
#ifndef PGMEDIC_GUIDE_LAB_CLOUD_H
#define PGMEDIC_GUIDE_LAB_CLOUD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/compat.h"
#include "base/error.h"
#include "guide/lab_folder.h"

/* Is what it takes installed? Before anything is made. */
bool cloud_find(struct lab *lab, struct error *err) MUST_CHECK;
/* Its folders. */
bool cloud_make(struct lab *lab, struct error *err) MUST_CHECK;
/* Once the servers run: the keys, the endpoint. */
bool cloud_start(struct lab *lab, struct error *err) MUST_CHECK;
void cloud_stop(struct lab *lab);
pid_t cloud_pid(struct lab *lab); /* 0: it does not run */
const char *cloud_url(struct lab *lab);
/* What makes a [target] its instance, in the lab's arena. */
const char *cloud_target_keys(struct lab *lab);

#define LAB_CLOUD_REGION  "eu-central-1"
#define LAB_CLOUD_ACCOUNT "000000000000"

#endif
