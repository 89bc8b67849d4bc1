-- What the consumers of t/82-oci-double.t read: a column of every type, row n's values made from n.
SET search_path = "AURORA", "SYS", pg_catalog;
SET TimeZone = 'UTC';
CREATE TABLE "WIDE" (
    "ID" numeric(10) NOT NULL, "N" numeric, "P" numeric(12, 2), "I" integer, "BF" float4, "BD" float8,
    "V" varchar(40), "NV" "SYS".nvarchar2(20), "C" char(8), "D" "SYS".oracle_date, "DAY" date, "TS" timestamp(6), "TZ" timestamptz,
    "LTZ" "SYS".timestampltz, "R" "SYS".raw, "B" boolean, "DS" interval day to second, "YM" interval year to month, "NC" "SYS".nchar2(6), "RI" "SYS".rowid);
INSERT INTO "WIDE" SELECT n, n * 1.25 - 3, n / 100.0, n, n * 0.5, n * 0.25 + 0.1,
    CASE WHEN n % 10 = 0 THEN NULL ELSE 'row ' || n || ' äß' END, 'ñ' || n, to_char(n % 1000, 'FM0000'),
    (timestamp '2001-01-01 00:00:00' + n * interval '1 hour')::"SYS".oracle_date, date '2001-01-01' + n % 1000,
    timestamp '2001-01-01 00:00:00.000001' + n * interval '1.5 seconds', timestamptz '2001-01-01 00:00:00.5+00' + n * interval '1 minute',
    (timestamptz '2001-01-01 00:00:00+00' + n * interval '1 minute')::"SYS".timestampltz, decode(lpad(to_hex(n), 8, '0'), 'hex')::"SYS".raw,
    n % 2 = 1, n * interval '1 second', make_interval(months => n % 1200), 'ñ' || n % 1000, 'AAAR3sAAEAA' || lpad(n::text, 7, 'A')
    FROM generate_series(1, 100000) n;
CREATE TABLE "LOBS" ("ID" numeric(10), "T" "SYS".clob, "NT" "SYS".nclob, "B" "SYS".blob);
INSERT INTO "LOBS" VALUES (1, 'short ä€😀', 'n ä', '\x0001ff'), (2, repeat('0123456789äöü€', 20000), 'x', decode(repeat('00ff10', 30000), 'hex')::"SYS".blob),
    (3, NULL, NULL, NULL), (4, '', '', '');
-- A table has one LONG at most. Those of every thousandth row are longer than a piece.
CREATE TABLE "LONGS" ("ID" numeric(10) NOT NULL, "L" "SYS".long);
INSERT INTO "LONGS" SELECT n, CASE WHEN n % 7 = 0 THEN NULL WHEN n % 1000 = 0 THEN repeat('ö' || n, 12000) ELSE 'ä' || n END FROM generate_series(1, 100000) n;
CREATE TABLE "LONGRAWS" ("ID" numeric(10) NOT NULL, "L" "SYS".long_raw);
INSERT INTO "LONGRAWS" SELECT n, CASE WHEN n % 7 = 0 THEN NULL WHEN n % 1000 = 0 THEN decode(repeat(lpad(to_hex(n), 8, '0'), 20000), 'hex') ELSE decode(lpad(to_hex(n), 8, '0'), 'hex') END::"SYS".long_raw
    FROM generate_series(1, 100000) n;
CREATE TABLE "NUMBERS" ("ID" numeric(4), "N" numeric, "T" varchar(180));
INSERT INTO "NUMBERS" SELECT row_number() OVER (), v::numeric, v FROM unnest(ARRAY['0', '1', '-1', '0.5', '-0.01', '123.45', '-123.45', '14500', '1e-130', '9.99e125', '-9.99e125',
    '12345678901234567890123456789012345678', '-0.00734', '0.1234567890123456789012345678901234567', '99999999999999999999999999999999999999', '1e100', '100', '1000000']) v;
CREATE TABLE "DATES" ("ID" numeric(4), "D" "SYS".oracle_date, "TS" timestamp(6));
INSERT INTO "DATES" VALUES (1, '4712-01-01 00:00:00 BC', '4712-01-01 00:00:00 BC'), (2, '0001-01-01', '0001-01-01 23:59:59.999999'),
    (3, '2024-02-29 13:30:05', '2024-02-29 13:30:05.123456'), (4, '9999-12-31 23:59:59', '9999-12-31 23:59:59.999999'), (5, '0044-03-15 12:00:00 BC', '0044-03-15 12:00:00 BC');
CREATE TABLE "NOTES" ("ID" numeric(10), "TEXT" varchar(40));
GRANT ALL ON ALL TABLES IN SCHEMA "AURORA" TO aurora;
ANALYZE;
