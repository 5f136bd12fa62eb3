/* Commands that need a screen, for the command table. */
#ifndef PGMEDIC_APP_CMD_SCREEN_H
#define PGMEDIC_APP_CMD_SCREEN_H

#include "app/command.h"

/* cmd_view.c: what is shown */
extern const struct command cmd_pane, cmd_previous, cmd_filter, cmd_sort, cmd_columns, cmd_mode,
    cmd_toggle, cmd_detail, cmd_drill, cmd_follow, cmd_goto, cmd_tag, cmd_untag, cmd_next, cmd_yank,
    cmd_window;
/* cmd_chart.c */
extern const struct command cmd_chart;
/* cmd_screen.c: the console itself */
extern const struct command cmd_refresh, cmd_pause, cmd_target, cmd_theme, cmd_keymap, cmd_bind,
    cmd_unbind, cmd_set, cmd_quit, cmd_leave, cmd_back, cmd_cursor, cmd_prompt, cmd_click,
    cmd_redraw, cmd_suspend, cmd_reconnect, cmd_keys, cmd_save_display, cmd_save_view, cmd_minus;

#endif
