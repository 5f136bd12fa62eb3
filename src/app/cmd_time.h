/* Commands that move in time, for the command table. */
#ifndef PGMEDIC_APP_CMD_TIME_H
#define PGMEDIC_APP_CMD_TIME_H

#include "app/command.h"

extern const struct command cmd_seek, cmd_step, cmd_speed, cmd_record;

#endif
