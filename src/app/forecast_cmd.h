/* `pgmedic forecast FILE.csv`: the storage forecast of any series. */
#ifndef PGMEDIC_APP_FORECAST_CMD_H
#define PGMEDIC_APP_FORECAST_CMD_H

#include "app/options.h"

/* Returns the exit status: 0 also when a forecast is refused. Main thread. */
int forecast_main(const struct options *opt);

#endif
