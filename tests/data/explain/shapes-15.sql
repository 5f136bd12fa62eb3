MERGE INTO tree t USING (VALUES (1, 'a'), (7000, 'b')) AS s(id, label) ON t.id = s.id WHEN MATCHED THEN UPDATE SET label = s.label WHEN NOT MATCHED THEN INSERT (id, label) VALUES (s.id, s.label);
MERGE INTO tree AS t USING orders o ON t.id = o.id AND o.status = 'nope' WHEN MATCHED AND t.label = 'x' THEN DELETE;
