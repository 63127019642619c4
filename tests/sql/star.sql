CREATE DATABASE tenant_shop;
CREATE TABLE tenant_shop.regions (region_id Int32, name String, country String) ENGINE = MergeTree ORDER BY region_id;
INSERT INTO tenant_shop.regions VALUES (1, 'North', 'Germany'), (2, 'South', 'Germany'), (3, 'West', 'France'), (4, 'East', 'Poland');
CREATE TABLE tenant_shop.customers (customer_id Int32, name String, region_id Nullable(Int32), signed_up Date, email Nullable(String), vip Bool, born Date32) ENGINE = MergeTree ORDER BY customer_id;
INSERT INTO tenant_shop.customers VALUES (1, 'Ann', 1, '2023-01-05', 'ann@example.com', true, '1950-03-01'), (2, 'Bob', 1, '2023-02-10', '', false, '1985-07-09'), (3, 'Bob', 2, '2023-05-20', NULL, false, '1990-01-31'),
 (4, 'Cem', NULL, '2024-01-15', 'cem@example.com', true, '2001-12-24'), (5, 'Dora', 3, '2024-03-30', '50%_off@example.com', false, '1969-12-31'), (6, 'Émile', 3, '2022-11-11', 'emile@example.com', false, '1975-06-15');
CREATE TABLE tenant_shop.customer_details (customer_id Int32, score Float64) ENGINE = MergeTree ORDER BY customer_id;
INSERT INTO tenant_shop.customer_details VALUES (1, 9.5), (2, 3.25), (5, 7);
CREATE TABLE tenant_shop.products (product_id Int32, name String, category String, list_price Decimal(18, 2)) ENGINE = MergeTree ORDER BY product_id;
INSERT INTO tenant_shop.products VALUES (1, 'Lamp', 'Home', 20.00), (2, 'Desk', 'Home', 150.10), (3, 'Pen', 'Office', 1.55), (4, 'Ink', 'Office', 4.05), (5, 'Kite', 'Toys', 33.33);
CREATE TABLE tenant_shop.orders (order_id Int32, customer_id Nullable(Int32), ordered_at DateTime('UTC'), shipped_on Nullable(Date), paid_on Nullable(Date), status LowCardinality(String), total Decimal(18, 2)) ENGINE = MergeTree ORDER BY (ordered_at, order_id);
INSERT INTO tenant_shop.orders VALUES
 (1, 1, '2024-01-10 09:00:00', '2024-01-12', '2024-01-11', 'paid', 40.00), (2, 1, '2024-01-31 23:30:00', '2024-02-02', NULL, 'open', 150.10), (3, 2, '2024-02-29 12:00:00', NULL, '2024-03-05', 'paid', 10.10),
 (4, 3, '2024-03-30 23:30:00', '2024-04-02', '2024-04-02', 'paid', 0.10), (5, 3, '2024-03-31 00:30:00', '2024-04-02', NULL, 'open', 0.20), (6, 3, '2024-03-31 21:59:59', '2024-04-05', '2024-04-01', 'paid', 33.33),
 (7, NULL, '2024-04-15 10:00:00', NULL, NULL, 'cancelled', 5.00), (8, 99, '2024-05-01 00:00:00', '2024-05-03', '2024-05-02', 'paid', 7.77), (9, 4, '2024-05-14 08:00:00', NULL, NULL, 'open', 100.00),
 (10, 4, '2024-05-15 11:00:00', NULL, NULL, 'open', 100.00), (11, 1, '2023-05-10 11:00:00', '2023-05-12', '2023-05-11', 'paid', 60.00), (12, 2, '2023-02-28 11:00:00', '2023-03-02', '2023-03-11', 'paid', 20.00),
 (13, 5, '2023-03-31 11:00:00', '2023-04-02', '2023-04-03', 'paid', 12.34);
CREATE TABLE tenant_shop.order_lines (order_id Int32, line_no Int32, product_id Int32, quantity Int32, price Decimal(18, 4), discount Nullable(Float64)) ENGINE = MergeTree ORDER BY (order_id, line_no);
INSERT INTO tenant_shop.order_lines VALUES (1, 1, 1, 2, 20.0000, NULL), (2, 1, 2, 1, 150.1000, 0.1), (3, 1, 3, 4, 1.5150, 0), (3, 2, 4, 1, 4.0400, NULL), (4, 1, 3, 1, 0.1000, NULL), (5, 1, 3, 2, 0.1000, NULL),
 (6, 1, 5, 1, 33.3300, 0.5), (7, 1, 4, 1, 5.0000, NULL), (8, 1, 1, 1, 7.7700, NULL), (9, 1, 1, 5, 20.0000, NULL), (10, 1, 1, 2, 20.0000, NULL), (10, 2, 3, 6, 10.0000, NULL), (11, 1, 1, 3, 20.0000, NULL), (12, 1, 3, 2, 10.0000, NULL);
CREATE TABLE tenant_shop.refunds (refund_id Int32, order_id Int32, refunded_on Date, amount Decimal(18, 2), reason Nullable(String)) ENGINE = MergeTree ORDER BY refund_id;
INSERT INTO tenant_shop.refunds VALUES (1, 1, '2024-02-01', 10.00, 'damaged'), (2, 1, '2024-02-10', 5.00, 'late'), (3, 3, '2024-03-15', 10.10, 'damaged'), (4, 6, '2024-05-02', 3.33, NULL), (5, 11, '2023-06-01', 60.00, 'late');
CREATE TABLE tenant_shop.tags (tag_id Int32, tag String) ENGINE = MergeTree ORDER BY tag_id;
INSERT INTO tenant_shop.tags VALUES (1, 'light'), (2, 'wood'), (3, 'paper'), (4, 'unused');
CREATE TABLE tenant_shop.product_tags (product_id Int32, tag_id Int32) ENGINE = MergeTree ORDER BY (product_id, tag_id);
INSERT INTO tenant_shop.product_tags VALUES (1, 1), (1, 2), (2, 2), (3, 3), (4, 3), (5, 1);
CREATE TABLE tenant_shop.shipments (shipment_id Int32, from_region Int32, to_region Int32, weight Float64, sent_on Date) ENGINE = MergeTree ORDER BY shipment_id;
INSERT INTO tenant_shop.shipments VALUES (1, 1, 2, 10, '2024-01-02'), (2, 1, 3, 20, '2024-01-09'), (3, 2, 1, 5, '2024-02-01'), (4, 3, 1, 1.5, '2024-04-29'), (5, 1, 1, 2, '2024-12-30');
CREATE TABLE tenant_shop.employees (employee_id Int32, name String, manager_id Nullable(Int32), salary Decimal(10, 2), region_id Int32) ENGINE = MergeTree ORDER BY employee_id;
INSERT INTO tenant_shop.employees VALUES (1, 'Root', NULL, 9000, 1), (2, 'Mia', 1, 5000, 1), (3, 'Noa', 1, 6000, 2), (4, 'Olu', 2, 3000, 2), (5, 'Pia', 2, 3500, 2);
CREATE TABLE tenant_shop.balances (account_id Int32, day Date, balance Decimal(18, 2), region_id Int32) ENGINE = MergeTree ORDER BY (day, account_id);
INSERT INTO tenant_shop.balances VALUES (1, '2024-04-29', 10, 1), (1, '2024-04-30', 20, 1), (2, '2024-04-30', 5, 2), (1, '2024-05-01', 30, 1), (1, '2024-05-15', 40, 1), (2, '2024-05-15', 6, 2);
CREATE TABLE tenant_shop.visits (visit_id Int32, customer_id Int32, day_text String, seen_at Int64, seconds Nullable(Int32), `order` String) ENGINE = MergeTree ORDER BY visit_id;
INSERT INTO tenant_shop.visits VALUES (1, 1, '15/05/2024', 1715767200, 30, 'a'), (2, 1, '14/05/2024', 1715680800, 90, 'b'), (3, 2, '01/04/2024', 1711922400, NULL, 'a'), (4, 3, 'bad', 1711922399, 10, 'a'), (5, 6, '31/12/2023', 1704063599, 20, 'c');
CREATE TABLE tenant_shop.codes (code String, note String) ENGINE = MergeTree ORDER BY code;
INSERT INTO tenant_shop.codes VALUES ('1', 'first'), ('4', 'fourth'), ('x', 'none');
CREATE TABLE tenant_shop.odd (id UUID, kind Enum8('Alpha' = 1, 'Beta' = 2), code FixedString(3), seen DateTime64(3, 'UTC'), big UInt64, maybe LowCardinality(Nullable(String))) ENGINE = MergeTree ORDER BY id;
INSERT INTO tenant_shop.odd VALUES ('61f0c404-5cb3-11e7-907b-a6006ad3dba0', 'Alpha', 'abc', '2024-03-01 10:00:00.5', 18446744073709551615, NULL), ('61f0c404-5cb3-11e7-907b-a6006ad3dba1', 'Beta', 'abd', '1960-03-01 10:00:00.5', 5, 'x');
