-- Which cluster this is: its identifier survives restarts and is the same on its standbys.
-- timeout: 2000
-- params: 0
-- columns: system_identifier int
SELECT c.system_identifier FROM pg_catalog.pg_control_system() c
