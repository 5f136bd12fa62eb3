-- Ends the transaction of a look, whatever became of it.
-- timeout: 1000
-- columns:
ROLLBACK
