/* All commands, in the order users see them. */
#include "config.h"

#include "app/commands.h"

#include <stddef.h>

#include "app/cmd_screen.h"
#include "app/cmd_time.h"

const struct command *const commands[] = {
	/* what is shown */
	&cmd_pane,
	&cmd_filter,
	&cmd_sort,
	&cmd_columns,
	&cmd_mode,
	&cmd_toggle,
	&cmd_window,
	&cmd_chart,
	&cmd_detail,
	&cmd_drill,
	&cmd_follow,
	&cmd_goto,
	&cmd_previous,
	&cmd_minus,
	&cmd_back,
	&cmd_next,
	&cmd_tag,
	&cmd_untag,
	&cmd_yank,
	/* looking closer */
	&cmd_explain,
	&cmd_advise,
	&cmd_look,
	&cmd_mute,
	&cmd_unmute,
	&cmd_psql,
	&cmd_save,
	&cmd_export,
	&cmd_report,
	/* acting */
	&cmd_cancel,
	&cmd_terminate,
	&cmd_vacuum,
	&cmd_analyze,
	&cmd_reindex,
	&cmd_create,
	&cmd_drop,
	&cmd_apply,
	&cmd_checkpoint,
	&cmd_reset,
	&cmd_snapshot,
	&cmd_pool,
	&cmd_jobs,
	&cmd_job,
	&cmd_journal,
	/* the console itself */
	&cmd_target,
	&cmd_refresh,
	&cmd_pause,
	&cmd_seek,
	&cmd_step,
	&cmd_speed,
	&cmd_record,
	&cmd_reconnect,
	&cmd_theme,
	&cmd_keymap,
	&cmd_keys,
	&cmd_bind,
	&cmd_unbind,
	&cmd_set,
	&cmd_prompt,
	&cmd_cursor,
	&cmd_click,
	&cmd_redraw,
	&cmd_suspend,
	&cmd_save_display,
	&cmd_save_view,
	&cmd_help,
	&cmd_leave,
	&cmd_quit,
	NULL,
};
