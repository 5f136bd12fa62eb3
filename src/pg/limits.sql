-- The limits of one slow question, for its group only, and names that mean the catalog's whatever the role's search_path
-- says. $1: statement timeout in ms. $2: work_mem, '' leaves it.
-- timeout: 1000
-- params: 2
-- columns: statement_timeout text, work_mem text, search_path text
SELECT pg_catalog.set_config('statement_timeout', $1::text, true) AS statement_timeout,
       CASE WHEN $2::text <> '' THEN pg_catalog.set_config('work_mem', $2::text, true) END AS work_mem,
       pg_catalog.set_config('search_path', 'pg_catalog', true) AS search_path
