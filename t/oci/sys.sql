-- Schema SYS of the double's databases: Oracle's types, functions and catalogue, on PostgreSQL with orafce.
-- Run by a superuser once per database.
CREATE EXTENSION IF NOT EXISTS orafce;
DROP SCHEMA IF EXISTS "SYS" CASCADE;
CREATE SCHEMA "SYS";
GRANT USAGE ON SCHEMA "SYS" TO PUBLIC;
SET search_path = "SYS", pg_catalog;
SET client_min_messages = error;

-- Types that describe must tell apart: each works as the one it is like, for casts to that cost nothing.
CREATE FUNCTION pg_temp.type_like(name text, base text, input text, output text, extra text DEFAULT '') RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    arguments text := CASE WHEN input IN ('timestamp_in', 'timestamptz_in', 'varcharin', 'bpcharin') THEN 'cstring, oid, int4' ELSE 'cstring' END;
BEGIN
    EXECUTE format('CREATE TYPE "SYS".%I', name);
    EXECUTE format('CREATE FUNCTION "SYS".%I(%s) RETURNS "SYS".%I LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS %L', name || '_in', arguments, name, input);
    EXECUTE format('CREATE FUNCTION "SYS".%I("SYS".%I) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS %L', name || '_out', name, output);
    EXECUTE format('CREATE TYPE "SYS".%I (INPUT = "SYS".%I, OUTPUT = "SYS".%I, LIKE = %s %s)', name, name || '_in', name || '_out', base, extra);
    EXECUTE format('CREATE CAST ("SYS".%I AS %s) WITHOUT FUNCTION AS IMPLICIT', name, base);
    EXECUTE format('CREATE CAST (%s AS "SYS".%I) WITHOUT FUNCTION AS ASSIGNMENT', base, name);
END $$;
SELECT pg_temp.type_like('clob', 'text', 'textin', 'textout', ', CATEGORY = ''S'', COLLATABLE = true');
SELECT pg_temp.type_like('nclob', 'text', 'textin', 'textout', ', CATEGORY = ''S'', COLLATABLE = true');
SELECT pg_temp.type_like('long', 'text', 'textin', 'textout', ', CATEGORY = ''S'', COLLATABLE = true');
SELECT pg_temp.type_like('rowid', 'text', 'textin', 'textout', ', CATEGORY = ''S'', COLLATABLE = true');
SELECT pg_temp.type_like('oracle_json', 'text', 'textin', 'textout', ', CATEGORY = ''S'', COLLATABLE = true');
SELECT pg_temp.type_like('blob', 'bytea', 'byteain', 'byteaout');
SELECT pg_temp.type_like('raw', 'bytea', 'byteain', 'byteaout');
SELECT pg_temp.type_like('long_raw', 'bytea', 'byteain', 'byteaout');
SELECT pg_temp.type_like('timestampltz', 'timestamptz', 'timestamptz_in', 'timestamptz_out', ', CATEGORY = ''D''');
SELECT pg_temp.type_like('oracle_boolean', 'boolean', 'boolin', 'boolout');
SELECT pg_temp.type_like('nvarchar2', 'varchar', 'varcharin', 'varcharout', ', CATEGORY = ''S'', COLLATABLE = true, TYPMOD_IN = varchartypmodin, TYPMOD_OUT = varchartypmodout');
SELECT pg_temp.type_like('nchar2', 'bpchar', 'bpcharin', 'bpcharout', ', CATEGORY = ''S'', COLLATABLE = true, TYPMOD_IN = bpchartypmodin, TYPMOD_OUT = bpchartypmodout');
CREATE FUNCTION nvarchar2_size(nvarchar2, int4, boolean) RETURNS nvarchar2 LANGUAGE internal IMMUTABLE STRICT AS 'varchar';
CREATE CAST (nvarchar2 AS nvarchar2) WITH FUNCTION nvarchar2_size(nvarchar2, int4, boolean) AS IMPLICIT;
CREATE FUNCTION nchar2_size(nchar2, int4, boolean) RETURNS nchar2 LANGUAGE internal IMMUTABLE STRICT AS 'bpchar';
CREATE CAST (nchar2 AS nchar2) WITH FUNCTION nchar2_size(nchar2, int4, boolean) AS IMPLICIT;
-- For what is compared with them.
CREATE CAST (nvarchar2 AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (nchar2 AS text) WITHOUT FUNCTION AS IMPLICIT;

-- DATE: a timestamp of whole seconds.
CREATE TYPE oracle_date;
CREATE FUNCTION oracle_date_in(cstring, oid, int4) RETURNS oracle_date LANGUAGE internal STABLE STRICT AS 'timestamp_in';
CREATE FUNCTION oracle_date_out(oracle_date) RETURNS cstring LANGUAGE internal STABLE STRICT AS 'timestamp_out';
CREATE TYPE oracle_date (INPUT = oracle_date_in, OUTPUT = oracle_date_out, LIKE = timestamp, CATEGORY = 'D');
CREATE CAST (oracle_date AS timestamp) WITHOUT FUNCTION AS IMPLICIT;
CREATE FUNCTION to_oracle_date(timestamp) RETURNS oracle_date LANGUAGE plpgsql IMMUTABLE STRICT AS
$$ BEGIN RETURN pg_catalog.to_char($1, 'YYYY-MM-DD HH24:MI:SS BC'); END $$;
CREATE CAST (timestamp AS oracle_date) WITH FUNCTION to_oracle_date(timestamp) AS ASSIGNMENT;
CREATE FUNCTION to_oracle_date(date) RETURNS oracle_date LANGUAGE sql IMMUTABLE STRICT AS 'SELECT "SYS".to_oracle_date($1::timestamp)';
CREATE CAST (date AS oracle_date) WITH FUNCTION to_oracle_date(date) AS ASSIGNMENT;
CREATE FUNCTION to_oracle_date(timestamptz) RETURNS oracle_date LANGUAGE sql STABLE STRICT AS 'SELECT "SYS".to_oracle_date($1::timestamp)';
CREATE CAST (timestamptz AS oracle_date) WITH FUNCTION to_oracle_date(timestamptz) AS ASSIGNMENT;
-- The largest of dates is a date.
CREATE FUNCTION oracle_date_larger(oracle_date, oracle_date) RETURNS oracle_date LANGUAGE internal IMMUTABLE STRICT AS 'timestamp_larger';
CREATE FUNCTION oracle_date_smaller(oracle_date, oracle_date) RETURNS oracle_date LANGUAGE internal IMMUTABLE STRICT AS 'timestamp_smaller';
CREATE AGGREGATE max(oracle_date) (SFUNC = oracle_date_larger, STYPE = oracle_date);
CREATE AGGREGATE min(oracle_date) (SFUNC = oracle_date_smaller, STYPE = oracle_date);
-- Days between dates, and a day added to one.
CREATE FUNCTION oracle_date_minus(oracle_date, oracle_date) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT extract(epoch FROM $1::timestamp - $2::timestamp) / 86400 $$;
CREATE OPERATOR - (LEFTARG = oracle_date, RIGHTARG = oracle_date, FUNCTION = oracle_date_minus);
CREATE FUNCTION oracle_date_plus(oracle_date, numeric) RETURNS oracle_date LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT "SYS".to_oracle_date($1::timestamp + $2::float8 * interval '1 day') $$;
CREATE OPERATOR + (LEFTARG = oracle_date, RIGHTARG = numeric, FUNCTION = oracle_date_plus);
CREATE FUNCTION oracle_date_less(oracle_date, numeric) RETURNS oracle_date LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT "SYS".oracle_date_plus($1, -$2) $$;
CREATE OPERATOR - (LEFTARG = oracle_date, RIGHTARG = numeric, FUNCTION = oracle_date_less);
CREATE FUNCTION sysdate() RETURNS oracle_date LANGUAGE sql STABLE AS $$ SELECT "SYS".to_oracle_date(statement_timestamp()::timestamp) $$;

-- Whole numbers divide as NUMBER does, and a NULL joins as an empty text.
CREATE FUNCTION divide(int8, int8) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1::numeric OPERATOR(pg_catalog./) $2::numeric';
CREATE OPERATOR / (LEFTARG = int8, RIGHTARG = int8, FUNCTION = divide);
CREATE FUNCTION divide(int4, int4) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1::numeric OPERATOR(pg_catalog./) $2::numeric';
CREATE OPERATOR / (LEFTARG = int4, RIGHTARG = int4, FUNCTION = divide);
CREATE FUNCTION divide(int8, int4) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1::numeric OPERATOR(pg_catalog./) $2::numeric';
CREATE OPERATOR / (LEFTARG = int8, RIGHTARG = int4, FUNCTION = divide);
CREATE FUNCTION divide(int4, int8) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1::numeric OPERATOR(pg_catalog./) $2::numeric';
CREATE OPERATOR / (LEFTARG = int4, RIGHTARG = int8, FUNCTION = divide);
CREATE FUNCTION joined(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT nullif(concat($1, $2), '') $$;
CREATE OPERATOR || (LEFTARG = text, RIGHTARG = text, FUNCTION = joined);

-- A number and a text compare as numbers.
DO $$
DECLARE
    operator text[];
BEGIN
    FOREACH operator SLICE 1 IN ARRAY ARRAY[['=', 'eq'], ['<>', 'ne'], ['<', 'lt'], ['<=', 'le'], ['>', 'gt'], ['>=', 'ge']] LOOP
        EXECUTE format('CREATE FUNCTION %I(numeric, text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS ''SELECT $1 OPERATOR(pg_catalog.%s) $2::numeric''', 'number_' || operator[2], operator[1]);
        EXECUTE format('CREATE OPERATOR %s (LEFTARG = numeric, RIGHTARG = text, FUNCTION = %I)', operator[1], 'number_' || operator[2]);
        EXECUTE format('CREATE FUNCTION %I(text, numeric) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS ''SELECT $1::numeric OPERATOR(pg_catalog.%s) $2''', 'number_' || operator[2], operator[1]);
        EXECUTE format('CREATE OPERATOR %s (LEFTARG = text, RIGHTARG = numeric, FUNCTION = %I)', operator[1], 'number_' || operator[2]);
    END LOOP;
END $$;

-- Functions. TO_DATE and its kin read Oracle's format models; PostgreSQL has no FF7 to FF9.
CREATE FUNCTION model(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT replace(regexp_replace(upper($1), 'FF[1-9]?', 'US', 'g'), 'SYYYY', 'YYYY') $$;
CREATE FUNCTION to_timestamp(text, text) RETURNS timestamp LANGUAGE sql STABLE STRICT AS
$$ SELECT pg_catalog.to_timestamp(CASE WHEN $1 LIKE '-%' THEN substr($1, 2) || ' BC' ELSE $1 END,
                                  "SYS".model($2) || CASE WHEN $1 LIKE '-%' THEN ' BC' ELSE '' END)::timestamp $$;
CREATE FUNCTION to_date(text, text) RETURNS oracle_date LANGUAGE sql STABLE STRICT AS
$$ SELECT "SYS".to_oracle_date("SYS".to_timestamp($1, $2)) $$;
CREATE FUNCTION to_timestamp_tz(text, text) RETURNS timestamptz LANGUAGE sql STABLE STRICT AS
$$ SELECT pg_catalog.to_timestamp($1, "SYS".model($2)) $$;
CREATE FUNCTION to_char(timestamp, text) RETURNS text LANGUAGE sql STABLE STRICT AS $$ SELECT pg_catalog.to_char($1, "SYS".model($2)) $$;
CREATE FUNCTION to_char(oracle_date, text) RETURNS text LANGUAGE sql STABLE STRICT AS $$ SELECT pg_catalog.to_char($1::timestamp, "SYS".model($2)) $$;
CREATE FUNCTION to_char(timestamptz, text) RETURNS text LANGUAGE sql STABLE STRICT AS $$ SELECT pg_catalog.to_char($1, "SYS".model($2)) $$;
CREATE FUNCTION to_char(oracle_date) RETURNS text LANGUAGE sql STABLE STRICT AS
$$ SELECT "SYS".to_char($1, coalesce(nullif(current_setting('oci.date_format', true), ''), 'DD-MON-YY')) $$;
CREATE FUNCTION to_char(timestamp) RETURNS text LANGUAGE sql STABLE STRICT AS
$$ SELECT "SYS".to_char($1, coalesce(nullif(current_setting('oci.timestamp_format', true), ''), 'DD-MON-YY HH.MI.SS.US AM')) $$;
CREATE FUNCTION to_char(timestamptz) RETURNS text LANGUAGE sql STABLE STRICT AS
$$ SELECT "SYS".to_char($1, coalesce(nullif(current_setting('oci.timestamp_tz_format', true), ''), 'DD-MON-YY HH.MI.SS.US AM TZH:TZM')) $$;
CREATE FUNCTION to_char(numeric) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT regexp_replace(trim_scale($1)::text, '^(-?)0\.', '\1.') $$;
CREATE FUNCTION to_char(float8) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1::text $$;
CREATE FUNCTION to_char(numeric, text) RETURNS text LANGUAGE sql STABLE STRICT AS $$ SELECT pg_catalog.to_char($1, $2) $$;
CREATE FUNCTION to_char(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1';
CREATE FUNCTION to_number(text) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1::numeric';
CREATE FUNCTION to_number(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1';
CREATE FUNCTION to_number(text, text) RETURNS numeric LANGUAGE sql STABLE STRICT AS 'SELECT pg_catalog.to_number($1, $2)';
CREATE FUNCTION to_clob(text) RETURNS clob LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1::"SYS".clob';
CREATE FUNCTION to_binary_double(numeric) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1::float8';
CREATE FUNCTION empty_clob() RETURNS clob LANGUAGE sql IMMUTABLE AS $$ SELECT ''::text::"SYS".clob $$;
CREATE FUNCTION hextoraw(text) RETURNS raw LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT decode($1, 'hex')::"SYS".raw $$;
CREATE FUNCTION rawtohex(bytea) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT upper(encode($1, 'hex')) $$;
CREATE FUNCTION length(text) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT nullif(pg_catalog.length($1), 0)::numeric $$;
CREATE FUNCTION length(bpchar) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT octet_length(convert_to(rpad($1::text, 0), 'UTF8'))::numeric $$;
CREATE FUNCTION rtrim(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT nullif(pg_catalog.rtrim($1), '') $$;
CREATE FUNCTION rtrim(bpchar) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT nullif($1::text, '') $$;
CREATE FUNCTION lengthb(text) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT octet_length($1)::numeric $$;
CREATE FUNCTION substr(text, numeric) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT nullif(CASE WHEN $2 < 0 THEN CASE WHEN -$2 > pg_catalog.length($1) THEN NULL ELSE right($1, -$2::int) END
                      ELSE pg_catalog.substr($1, greatest($2, 1)::int) END, '') $$;
CREATE FUNCTION substr(text, numeric, numeric) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT nullif(CASE WHEN $3 < 1 THEN NULL ELSE left("SYS".substr($1, $2), $3::int) END, '') $$;
CREATE FUNCTION instr(text, text) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT strpos($1, $2)::numeric $$;
CREATE FUNCTION instr(text, text, numeric) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE WHEN strpos(pg_catalog.substr($1, $3::int), $2) = 0 THEN 0 ELSE strpos(pg_catalog.substr($1, $3::int), $2) + $3 - 1 END $$;
CREATE FUNCTION trunc(oracle_date) RETURNS oracle_date LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT "SYS".to_oracle_date(date_trunc('day', $1::timestamp)) $$;
CREATE FUNCTION trunc(timestamp) RETURNS oracle_date LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT "SYS".to_oracle_date(date_trunc('day', $1)) $$;
CREATE FUNCTION trunc(oracle_date, text) RETURNS oracle_date LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT "SYS".to_oracle_date(date_trunc(CASE WHEN upper($2) IN ('Y', 'YY', 'YYYY', 'YEAR') THEN 'year' WHEN upper($2) IN ('Q') THEN 'quarter'
    WHEN upper($2) IN ('MM', 'MON', 'MONTH') THEN 'month' WHEN upper($2) IN ('IW') THEN 'week' WHEN upper($2) IN ('HH', 'HH24') THEN 'hour'
    WHEN upper($2) = 'MI' THEN 'minute' ELSE 'day' END, $1::timestamp)) $$;
CREATE FUNCTION trunc(timestamp, text) RETURNS oracle_date LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT "SYS".trunc("SYS".to_oracle_date($1), $2) $$;
CREATE FUNCTION trunc(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS 'SELECT pg_catalog.trunc($1)';
CREATE FUNCTION trunc(numeric, int) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS 'SELECT pg_catalog.trunc($1, $2)';
CREATE FUNCTION nlssort(text, text DEFAULT '') RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE WHEN upper($2) LIKE '%BINARY_AI' THEN lower(translate($1, 'àáâãäåçèéêëìíîïñòóôõöùúûüýÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝ',
       'aaaaaaceeeeiiiinooooouuuuyAAAAAACEEEEIIIINOOOOOUUUUY')) WHEN upper($2) LIKE '%\_CI' THEN lower($1) ELSE $1 END COLLATE "C" $$;
CREATE FUNCTION nls_lower(text, text DEFAULT '') RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT lower($1)';
CREATE FUNCTION nls_upper(text, text DEFAULT '') RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT upper($1)';
CREATE FUNCTION sys_extract_utc(timestamptz) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1 AT TIME ZONE 'UTC' $$;
CREATE FUNCTION from_tz(timestamp, text) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT $1 AT TIME ZONE CASE WHEN $2 LIKE '+%' THEN '-' || pg_catalog.substr($2, 2) WHEN $2 LIKE '-%' THEN '+' || pg_catalog.substr($2, 2) ELSE $2 END $$;

CREATE SCHEMA IF NOT EXISTS dbms_lob;
GRANT USAGE ON SCHEMA dbms_lob TO PUBLIC;
CREATE OR REPLACE FUNCTION dbms_lob.getlength(text) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT (pg_catalog.length($1) + pg_catalog.length(regexp_replace($1, '[^\U00010000-\U0010ffff]', '', 'g')))::numeric $$;
CREATE OR REPLACE FUNCTION dbms_lob.getlength(bytea) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS 'SELECT octet_length($1)::numeric';
CREATE OR REPLACE FUNCTION dbms_lob.substr(text, numeric DEFAULT 32767, numeric DEFAULT 1) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
'SELECT nullif(pg_catalog.substr($1, $3::int, $2::int), '''')';
CREATE OR REPLACE FUNCTION dbms_lob.instr(text, text, numeric DEFAULT 1, numeric DEFAULT 1) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS
'SELECT "SYS".instr($1, $2, $3)';
CREATE OR REPLACE FUNCTION dbms_lob.compare(text, text) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS
'SELECT CASE WHEN $1 < $2 COLLATE "C" THEN -1 WHEN $1 = $2 THEN 0 ELSE 1 END::numeric';

-- Sessions: application_name holds client_identifier|module|action.
CREATE SCHEMA IF NOT EXISTS dbms_session;
CREATE SCHEMA IF NOT EXISTS dbms_application_info;
GRANT USAGE ON SCHEMA dbms_session, dbms_application_info TO PUBLIC;
CREATE FUNCTION app_part(value text, part int) RETURNS text LANGUAGE sql STABLE AS $$ SELECT nullif(split_part(value, '|', part), '') $$;
CREATE FUNCTION app_set(part int, value text) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT set_config('application_name', concat_ws('|',
        CASE part WHEN 1 THEN coalesce(value, '') ELSE split_part(current_setting('application_name'), '|', 1) END,
        CASE part WHEN 2 THEN coalesce(value, '') ELSE split_part(current_setting('application_name'), '|', 2) END,
        CASE part WHEN 3 THEN coalesce(value, '') ELSE split_part(current_setting('application_name'), '|', 3) END), false) $$;
CREATE OR REPLACE FUNCTION dbms_session.set_identifier(text) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT "SYS".app_set(1, $1)';
CREATE OR REPLACE FUNCTION dbms_session.clear_identifier() RETURNS text LANGUAGE sql VOLATILE AS 'SELECT "SYS".app_set(1, NULL)';
CREATE OR REPLACE FUNCTION dbms_session.sleep(numeric) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT pg_sleep($1::float8)::text';
CREATE OR REPLACE FUNCTION dbms_application_info.set_module(text, text) RETURNS text LANGUAGE plpgsql VOLATILE AS
$$ BEGIN PERFORM "SYS".app_set(2, $1); RETURN "SYS".app_set(3, $2); END $$;
CREATE OR REPLACE FUNCTION dbms_application_info.set_action(text) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT "SYS".app_set(3, $1)';
CREATE FUNCTION sys_context(text, text) RETURNS varchar LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN upper($1) <> 'USERENV' THEN NULL ELSE CASE upper($2)
        WHEN 'CURRENT_SCHEMA' THEN replace(split_part(current_setting('search_path'), ',', 1), '"', '')
        WHEN 'SESSION_USER' THEN upper(session_user) WHEN 'CURRENT_USER' THEN upper(current_user)
        WHEN 'SID' THEN pg_backend_pid()::text WHEN 'SESSIONID' THEN pg_backend_pid()::text
        WHEN 'DB_NAME' THEN current_database()::text WHEN 'SERVICE_NAME' THEN current_database()::text WHEN 'CON_NAME' THEN current_database()::text
        WHEN 'CLIENT_IDENTIFIER' THEN "SYS".app_part(current_setting('application_name'), 1)
        WHEN 'MODULE' THEN "SYS".app_part(current_setting('application_name'), 2)
        WHEN 'ACTION' THEN "SYS".app_part(current_setting('application_name'), 3)
        WHEN 'LANGUAGE' THEN 'AMERICAN_AMERICA.AL32UTF8' WHEN 'ISDBA' THEN 'FALSE' END END::varchar(256) $$;
CREATE VIEW "V$SESSION" AS SELECT pid::numeric AS "SID", 1::numeric AS "SERIAL#", upper(usename::text)::varchar(128) AS "USERNAME",
    (CASE state WHEN 'active' THEN 'ACTIVE' ELSE 'INACTIVE' END)::varchar(8) AS "STATUS", 'USER'::varchar(10) AS "TYPE",
    app_part(application_name, 1)::varchar(64) AS "CLIENT_IDENTIFIER", app_part(application_name, 2)::varchar(64) AS "MODULE",
    app_part(application_name, 3)::varchar(64) AS "ACTION"
    FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = current_database();
CREATE VIEW "V$PARAMETER" AS SELECT name::varchar(80) AS "NAME", value::varchar(4000) AS "VALUE" FROM (VALUES
    ('sessions', current_setting('max_connections')), ('processes', current_setting('max_connections')), ('open_cursors', '300'),
    ('compatible', '19.0.0')) v (name, value);
CREATE VIEW "V$VERSION" AS SELECT 'Oracle Database 19c (a double on PostgreSQL, test equipment)'::varchar(80) AS "BANNER", 0::numeric AS "CON_ID";
CREATE VIEW "PRODUCT_COMPONENT_VERSION" AS SELECT 'Oracle Database 19c'::varchar(80) AS "PRODUCT", '19.0.0.0.0'::varchar(80) AS "VERSION",
    '19.20.0.0.0'::varchar(80) AS "VERSION_FULL", 'Production'::varchar(80) AS "STATUS";
CREATE VIEW "V$INSTANCE" AS SELECT '19.0.0.0.0'::varchar(17) AS "VERSION", 'OPEN'::varchar(12) AS "STATUS";
CREATE VIEW "DUAL" AS SELECT 'X'::varchar(1) AS "DUMMY";
CREATE VIEW "USER_RESOURCE_LIMITS" AS SELECT 'SESSIONS_PER_USER'::varchar(32) AS "RESOURCE_NAME", 'UNLIMITED'::varchar(40) AS "LIMIT";

-- Catalogue. An owner is a schema; PostgreSQL's own, orafce's and ours count as Oracle-maintained.
CREATE VIEW owners AS SELECT oid, nspname::varchar(128) AS owner,
    (nspname IN ('SYS', 'information_schema', 'public', 'oracle') OR nspname ~ '^(pg_|dbms|plvs|plun|utl_|plv)') AS maintained
    FROM pg_namespace WHERE has_schema_privilege(oid, 'USAGE') AND nspname !~ '^pg_(toast|temp)';
-- A synonym is a view of its own, made and dropped with its line here, which only statements see: it takes its caller's rights.
CREATE TABLE "SYNONYMS$" ("OWNER" varchar(128), "SYNONYM_NAME" varchar(128), "TABLE_OWNER" varchar(128), "TABLE_NAME" varchar(128), "DB_LINK" varchar(128));
CREATE VIEW "ALL_SYNONYMS" AS SELECT * FROM "SYNONYMS$";
CREATE FUNCTION synonym_make() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        EXECUTE format('DROP VIEW IF EXISTS %I.%I', OLD."OWNER", OLD."SYNONYM_NAME");
    END IF;
    IF TG_OP <> 'DELETE' AND NEW."DB_LINK" IS NULL AND to_regclass(format('%I.%I', NEW."TABLE_OWNER", NEW."TABLE_NAME")) IS NOT NULL THEN
        EXECUTE format('CREATE VIEW %I.%I WITH (security_invoker = true) AS SELECT * FROM %I.%I', NEW."OWNER", NEW."SYNONYM_NAME", NEW."TABLE_OWNER", NEW."TABLE_NAME");
        EXECUTE format('GRANT SELECT ON %I.%I TO PUBLIC', NEW."OWNER", NEW."SYNONYM_NAME");
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER synonym_make AFTER INSERT OR UPDATE OR DELETE ON "SYNONYMS$" FOR EACH ROW EXECUTE FUNCTION synonym_make();
CREATE VIEW relations AS SELECT c.oid, c.relkind, c.relpersistence, c.reltuples, c.relnamespace, o.owner, o.maintained, c.relname::varchar(128) AS name
    FROM pg_class c JOIN owners o ON o.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT EXISTS (SELECT FROM "SYNONYMS$" s WHERE s."OWNER" = o.owner AND s."SYNONYM_NAME" = c.relname AND c.relkind = 'v')
        AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'));
CREATE VIEW "ALL_USERS" AS SELECT owner AS "USERNAME", oid::bigint::numeric AS "USER_ID", (CASE WHEN maintained THEN 'Y' ELSE 'N' END)::varchar(1) AS "ORACLE_MAINTAINED",
    'NO'::varchar(3) AS "COMMON" FROM owners;
CREATE VIEW "ALL_TABLES" AS SELECT owner AS "OWNER", name AS "TABLE_NAME", 'VALID'::varchar(8) AS "STATUS",
    (CASE WHEN reltuples < 0 THEN NULL ELSE reltuples::numeric END) AS "NUM_ROWS",
    (CASE WHEN reltuples < 0 THEN NULL ELSE sysdate() END) AS "LAST_ANALYZED",
    (CASE relpersistence WHEN 't' THEN 'Y' ELSE 'N' END)::varchar(1) AS "TEMPORARY", 'NO'::varchar(3) AS "NESTED",
    'NO'::varchar(3) AS "SECONDARY", 'NO'::varchar(3) AS "DROPPED", NULL::varchar(12) AS "IOT_TYPE",
    (CASE relkind WHEN 'p' THEN 'YES' ELSE 'NO' END)::varchar(3) AS "PARTITIONED", 'NO'::varchar(3) AS "EXTERNAL"
    FROM relations WHERE relkind IN ('r', 'p', 'f', 'm');
CREATE VIEW "ALL_VIEWS" AS SELECT owner AS "OWNER", name AS "VIEW_NAME", pg_get_viewdef(oid)::long AS "TEXT" FROM relations WHERE relkind = 'v';
CREATE VIEW "ALL_MVIEWS" AS SELECT owner AS "OWNER", name AS "MVIEW_NAME", 'FRESH'::varchar(19) AS "STALENESS" FROM relations WHERE relkind = 'm';
CREATE VIEW "ALL_OBJECTS" AS SELECT owner AS "OWNER", name AS "OBJECT_NAME", oid::bigint::numeric AS "OBJECT_ID",
    (CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END)::varchar(23) AS "OBJECT_TYPE",
    'VALID'::varchar(7) AS "STATUS", (CASE WHEN maintained THEN 'Y' ELSE 'N' END)::varchar(1) AS "ORACLE_MAINTAINED" FROM relations;
CREATE FUNCTION declared(typ oid, mod int4) RETURNS TABLE (type_name text, len int4, prec int4, scale int4, chars int4) LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN n.nspname = 'SYS' THEN CASE t.typname WHEN 'oracle_date' THEN 'DATE' WHEN 'timestampltz' THEN 'TIMESTAMP(6) WITH LOCAL TIME ZONE'
            WHEN 'long_raw' THEN 'LONG RAW' WHEN 'nchar2' THEN 'NCHAR' WHEN 'oracle_json' THEN 'CLOB' WHEN 'oracle_boolean' THEN 'NUMBER' ELSE upper(t.typname) END
        WHEN t.typname IN ('numeric', 'int2', 'int4', 'int8', 'oid', 'bool') THEN 'NUMBER' WHEN t.typname = 'float8' THEN 'BINARY_DOUBLE'
        WHEN t.typname = 'float4' THEN 'BINARY_FLOAT' WHEN t.typname = 'date' THEN 'DATE' WHEN t.typname = 'bytea' THEN 'BLOB' WHEN t.typname = 'bpchar' THEN 'CHAR'
        WHEN t.typname = 'timestamp' THEN format('TIMESTAMP(%s)', CASE WHEN mod < 0 THEN 6 ELSE mod END)
        WHEN t.typname = 'timestamptz' THEN format('TIMESTAMP(%s) WITH TIME ZONE', CASE WHEN mod < 0 THEN 6 ELSE mod END)
        WHEN t.typname = 'interval' THEN CASE WHEN mod >> 16 & 32767 = 6 THEN 'INTERVAL YEAR(4) TO MONTH' ELSE 'INTERVAL DAY(9) TO SECOND(6)' END
        WHEN t.typname IN ('json', 'jsonb') THEN 'CLOB' WHEN t.typname = 'tid' THEN 'ROWID' WHEN t.typtype = 'c' THEN t.typname ELSE 'VARCHAR2' END,
    CASE WHEN t.typname IN ('varchar', 'bpchar', 'nvarchar2', 'nchar2') AND mod >= 4 THEN least((mod - 4) * 4, 32767) WHEN t.typname = 'raw' THEN 2000
         WHEN t.typname IN ('numeric', 'int2', 'int4', 'int8', 'bool') THEN 22 WHEN t.typname IN ('date', 'oracle_date') THEN 7 ELSE 4000 END,
    CASE WHEN t.typname = 'numeric' AND mod >= 4 THEN (mod - 4) >> 16 & 65535 WHEN t.typname = 'int2' THEN 5 WHEN t.typname = 'int4' THEN 10
         WHEN t.typname = 'int8' THEN 19 WHEN t.typname IN ('bool', 'oracle_boolean') THEN 1 END,
    CASE WHEN t.typname = 'numeric' AND mod >= 4 THEN (((mod - 4) & 2047) # 1024) - 1024 WHEN t.typname IN ('int2', 'int4', 'int8', 'bool', 'oracle_boolean') THEN 0
         WHEN t.typname IN ('timestamp', 'timestamptz', 'timestampltz') THEN CASE WHEN mod < 0 THEN 6 ELSE mod END END,
    CASE WHEN t.typname IN ('varchar', 'bpchar', 'nvarchar2', 'nchar2') AND mod >= 4 THEN mod - 4 WHEN t.typname IN ('varchar', 'text') THEN 4000 ELSE 0 END
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = typ $$;
CREATE VIEW "ALL_TAB_COLUMNS" AS SELECT r.owner AS "OWNER", r.name AS "TABLE_NAME", a.attname::varchar(128) AS "COLUMN_NAME",
    d.type_name::varchar(128) AS "DATA_TYPE",
    (SELECT n.nspname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = a.atttypid AND t.typtype = 'c')::varchar(128) AS "DATA_TYPE_OWNER", d.len::numeric AS "DATA_LENGTH", d.prec::numeric AS "DATA_PRECISION",
    d.scale::numeric AS "DATA_SCALE", (CASE WHEN a.attnotnull THEN 'N' ELSE 'Y' END)::varchar(1) AS "NULLABLE", a.attnum::numeric AS "COLUMN_ID",
    d.chars::numeric AS "CHAR_LENGTH", (CASE WHEN d.chars > 0 THEN 'C' END)::varchar(1) AS "CHAR_USED",
    (CASE WHEN s.n_distinct >= 0 THEN s.n_distinct::numeric WHEN s.n_distinct < 0 THEN round((-s.n_distinct * greatest(r.reltuples, 0))::numeric) END) AS "NUM_DISTINCT"
    FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    CROSS JOIN LATERAL declared(a.atttypid, a.atttypmod) d
    LEFT JOIN pg_stats s ON s.schemaname = r.owner AND s.tablename = r.name AND s.attname = a.attname;
CREATE VIEW "ALL_TAB_COLS" AS SELECT *, 'NO'::varchar(3) AS "HIDDEN_COLUMN", 'NO'::varchar(3) AS "VIRTUAL_COLUMN", 'YES'::varchar(3) AS "USER_GENERATED" FROM "ALL_TAB_COLUMNS";
CREATE VIEW "ALL_CONSTRAINTS" AS SELECT r.owner AS "OWNER", c.conname::varchar(128) AS "CONSTRAINT_NAME", r.name AS "TABLE_NAME",
    (CASE c.contype WHEN 'p' THEN 'P' WHEN 'u' THEN 'U' WHEN 'f' THEN 'R' ELSE 'C' END)::varchar(1) AS "CONSTRAINT_TYPE", 'ENABLED'::varchar(8) AS "STATUS",
    f.owner AS "R_OWNER", k.conname::varchar(128) AS "R_CONSTRAINT_NAME"
    FROM pg_constraint c JOIN relations r ON r.oid = c.conrelid LEFT JOIN relations f ON f.oid = c.confrelid
    LEFT JOIN pg_constraint k ON k.conindid = c.conindid AND k.contype IN ('p', 'u') AND c.contype = 'f';
CREATE VIEW "ALL_CONS_COLUMNS" AS SELECT r.owner AS "OWNER", c.conname::varchar(128) AS "CONSTRAINT_NAME", r.name AS "TABLE_NAME",
    a.attname::varchar(128) AS "COLUMN_NAME", k.position::numeric AS "POSITION"
    FROM pg_constraint c JOIN relations r ON r.oid = c.conrelid CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY k (num, position)
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num;
CREATE VIEW "ALL_TAB_COMMENTS" AS SELECT owner AS "OWNER", name AS "TABLE_NAME", (CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END)::varchar(11) AS "TABLE_TYPE",
    obj_description(oid, 'pg_class')::varchar(4000) AS "COMMENTS" FROM relations;
CREATE VIEW "ALL_COL_COMMENTS" AS SELECT r.owner AS "OWNER", r.name AS "TABLE_NAME", a.attname::varchar(128) AS "COLUMN_NAME",
    col_description(r.oid, a.attnum)::varchar(4000) AS "COMMENTS"
    FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped;

-- Plans: a temporary table of each session is made like this one, and filled from EXPLAIN (FORMAT JSON).
CREATE TABLE "PLAN_TABLE$" ("STATEMENT_ID" varchar(30), "PLAN_ID" numeric, "TIMESTAMP" timestamp(0), "OPERATION" varchar(30), "OPTIONS" varchar(255),
    "OBJECT_OWNER" varchar(128), "OBJECT_NAME" varchar(128), "OBJECT_ALIAS" varchar(261), "ID" numeric, "PARENT_ID" numeric, "DEPTH" numeric,
    "POSITION" numeric, "COST" numeric, "CARDINALITY" numeric, "BYTES" numeric, "CPU_COST" numeric, "IO_COST" numeric, "TIME" numeric,
    "FILTER_PREDICATES" varchar(4000));
CREATE FUNCTION oci_explain(statement text, doc json) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    plan bigint := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint % 1000000000;
BEGIN
    INSERT INTO pg_temp."PLAN_TABLE" ("STATEMENT_ID", "PLAN_ID", "TIMESTAMP", "OPERATION", "OPTIONS", "OBJECT_OWNER", "OBJECT_NAME", "ID", "PARENT_ID",
        "DEPTH", "POSITION", "COST", "CARDINALITY", "BYTES", "TIME")
    WITH RECURSIVE node AS (
        SELECT doc -> 0 -> 'Plan' AS n, ARRAY[1] AS path, 1 AS depth
        UNION ALL
        SELECT c.n, node.path || c.i::int, node.depth + 1 FROM node, json_array_elements(node.n -> 'Plans') WITH ORDINALITY c (n, i)),
    numbered AS (SELECT n, path, depth, row_number() OVER (ORDER BY path) AS id FROM node),
    line AS (
        SELECT 'SELECT STATEMENT' AS operation, NULL AS options, NULL AS object, 0::bigint AS id, NULL::bigint AS parent, 0 AS depth, doc -> 0 -> 'Plan' AS n
        UNION ALL
        SELECT CASE WHEN n ->> 'Node Type' LIKE '%Scan' AND n ? 'Relation Name' THEN 'TABLE ACCESS' ELSE upper(n ->> 'Node Type') END,
            CASE WHEN n ->> 'Node Type' = 'Seq Scan' THEN 'FULL' WHEN n ? 'Relation Name' THEN 'BY INDEX ROWID' END, n ->> 'Relation Name', id,
            coalesce((SELECT p.id FROM numbered p WHERE p.path = m.path[1:cardinality(m.path) - 1]), 0), depth, n::json
            FROM (SELECT n::jsonb AS n, path, depth, id FROM numbered) m)
    SELECT nullif(statement, ''), plan, localtimestamp, operation, options, CASE WHEN object IS NOT NULL THEN n ->> 'Schema' END, object, id, parent, depth, 1,
        ceil((n ->> 'Total Cost')::numeric), greatest((n ->> 'Plan Rows')::numeric, 1), (n ->> 'Plan Rows')::numeric * (n ->> 'Plan Width')::numeric,
        greatest(1, ceil((n ->> 'Total Cost')::numeric / 10000)) FROM line;
    RETURN 0;
END $$;

GRANT SELECT ON ALL TABLES IN SCHEMA "SYS" TO PUBLIC;
