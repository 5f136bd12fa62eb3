SELECT JSON_ARRAY(1, 'a', 2.5), JSON_OBJECT('a': 1, 'b': name) FROM customers LIMIT 1;
SELECT JSON_ARRAYAGG(name), JSON_OBJECTAGG(id: 'v') FROM customers;
