/*
 * How far from the middle the levels of the fan lie, as shares of what a series shows of itself
 * (struct fc_measures): the first row of each level as it is, the second times the root of the
 * horizon over the history, which widens the band of short histories. Fitted by quantile regression
 * on the development series of the benchmark (tests/bench/forecast), all horizons from 7 to 365
 * days and histories from 14 days on together, then scaled until the levels hold on average what
 * they say.
 */
#include "config.h"

#include "model/forecast_priv.h"

/* clang-format off */
const double fc_above[FC_SIDE][2][FC_MEASURES] = {
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0 },
	    { 0, 0, 0.09, 0, 0, 0, 0, 0, 0 } }, /* 0.6 */
	{ { 0.08, 0.02, 0, 0, 0.05, 0, 0, 0, 0 },
	    { 0, 0, 0.18, 0, 0, 0, 0, 0, 0.03 } }, /* 0.7 */
	{ { 0.25, 0.1, 0, 0, 0.07, 0, 0, 0, 0 },
	    { 0, 0, 0.3, 0, 0, 0, 0.19, 0, 0.06 } }, /* 0.8 */
	{ { 0.38, 0.29, 0.08, 0, 0.05, 0, 0, 0, 0 },
	    { 0, 0, 0.52, 0, 0, 0, 1.27, 0, 0.16 } }, /* 0.9 */
	{ { 0.46, 0.06, 0.22, 0, 0, 0, 0, 0, 0 },
	    { 0, 0, 0.47, 0, 0, 0, 3.07, 0, 0.37 } }, /* 0.95 */
	{ { 0.35, 0, 0.66, 0, 0, 0, 0, 0, 0 },
	    { 0, 0, 0.3, 0, 0, 0, 4.67, 0, 0.92 } }, /* 0.975 */
	{ { 0, 0, 0.36, 0, 0, 0, 3.74, 0, 0 },
	    { 0, 0, 0, 0, 0, 0, 0, 0, 4.84 } }, /* 0.995 */
};

const double fc_below[FC_SIDE][2][FC_MEASURES] = {
	{ { 0, 0.06, 0, 0, 0, 0, 0, 0, 0 },
	    { 0, 0, 0, 0, 0, 0, 0, 0, 0 } }, /* 0.4 */
	{ { 0.02, 0.28, 0, 0, 0, 0, 0, 0.04, 0 },
	    { 0, 0, 0, 0, 0, 0, 0, 0, 0 } }, /* 0.3 */
	{ { 0.03, 0.45, 0, 0, 0, 0.06, 0, 0.11, 0 },
	    { 0, 0, 0, 0, 0, 0, 0, 0, 0 } }, /* 0.2 */
	{ { 0.04, 0.53, 0, 0.02, 0, 0.08, 0, 0.23, 0 },
	    { 0, 0, 0, 0, 0, 0, 0, 0, 0 } }, /* 0.1 */
	{ { 0.04, 0.38, 0, 0.15, 0, 0, 0, 0.33, 0 },
	    { 0, 0, 0, 0, 0, 0, 0.03, 0, 0 } }, /* 0.05 */
	{ { 0.02, 0.22, 0, 0.33, 0.15, 0, 0, 0.3, 0 },
	    { 0, 0, 0, 0, 0, 0, 0.03, 0, 0 } }, /* 0.025 */
	{ { 0, 0, 0, 0.31, 0.58, 0, 0.02, 0, 0.14 },
	    { 0, 0, 0.07, 0, 0, 0, 0, 0, 0 } }, /* 0.005 */
};
/* clang-format on */
