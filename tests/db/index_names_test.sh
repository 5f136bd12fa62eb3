#!/bin/sh
# Names that the server would cut: indexes get ones that fit, so that they are found again, and those of partitions with long
# names differ.
# majors: ends
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
start_pg primary "max_connections = 20"
sql primary "CREATE TABLE \"измерения_с_очень_длинным_именем\" (\"значение_столбца\" int);
	CREATE TABLE m (id int, v int) PARTITION BY RANGE (id);
	CREATE TABLE measurements_of_some_long_table_name_2024_january PARTITION OF m FOR VALUES FROM (0) TO (10);
	CREATE TABLE measurements_of_some_long_table_name_2024_february PARTITION OF m FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (id);
	CREATE TABLE \"измерения_с_очень_длинным_име_1\" PARTITION OF measurements_of_some_long_table_name_2024_february FOR VALUES FROM (10) TO (15);
	CREATE TABLE \"измерения_с_очень_длинным_име_2\" PARTITION OF measurements_of_some_long_table_name_2024_february FOR VALUES FROM (15) TO (20)" >/dev/null
ok "an index of a table with a long name" \
    "$PGMEDIC" run --yes --wait -d "$primary_uri" 'create index on "измерения_с_очень_длинным_именем" ("значение_столбца")'
ok "one whose name was typed too long" \
    "$PGMEDIC" run --yes --wait -d "$primary_uri" 'create index an_index_name_that_is_much_longer_than_the_sixty_three_bytes_of_names on "измерения_с_очень_длинным_именем" ("значение_столбца")'
is "both are valid" "$(sql primary "SELECT count(*) FROM pg_index WHERE indisvalid AND indrelid = '\"измерения_с_очень_длинным_именем\"'::regclass")" 2
ok "an index of partitions with long names" "$PGMEDIC" run --yes --wait -d "$primary_uri" 'create index on m (v)'
is "all of it is valid" "$(sql primary "SELECT count(*) FILTER (WHERE i.indisvalid) || ' of ' || count(*) FROM pg_partition_tree('m_v_idx') t JOIN pg_index i ON i.indexrelid = t.relid")" '5 of 5'
finish
