-- The search_path of one transaction, as the catalog stores it. $1: the list.
-- timeout: 1000
-- params: 1
-- columns: search_path text
SELECT pg_catalog.set_config('search_path', $1::text, true) AS search_path
