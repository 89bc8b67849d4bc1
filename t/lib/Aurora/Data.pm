package Aurora::Data;

# The test database: small tables with every kind of value reports meet, made through the
# database's own shell. The same tables will be made on other databases; what is SQLite's stands in
# sqlite_* functions.

use strict;
use warnings;
use utf8;

use Carp qw(croak);
use Encode qw(encode_utf8 decode_utf8);
use File::Temp ();
use IPC::Open3 qw(open3);
use Symbol qw(gensym);

use Aurora::JSON ();

# Field, record and NULL marks of shell output: bytes no test value holds.
use constant { FIELD => "\x1f", RECORD => "\x1e", NULL => "\x1d" };

# A table whose names are what an injection would like them to be.
our $HOSTILE_TABLE   = q{odd "table"; DROP.TABLE 'x' ñ};
our @HOSTILE_COLUMNS = (q{plain}, q{a "b" c}, q{dotted.name}, q{semi;colon}, q{it's}, q{ключ},
    q{日本 語}, q{100%_\\}, q{--x}, q{[b]`t`}, q{comma,name});

sub quote_ident { my ($name) = @_; $name =~ s/"/""/g; return qq{"$name"} }

sub quote_text {
    my ($text) = @_;
    return 'NULL' unless defined $text;
    $text =~ s/'/''/g;
    $text =~ s/\r/'||char(13)||'/g;    # the shell's script reader would take the CR of a CRLF away
    return "'$text'";
}

# --- SQLite's shell ----------------------------------------------------------------------------

# Run a script; dies with the shell's message when it fails.
sub sqlite_script {
    my ($db, $sql) = @_;
    my $err = gensym;
    my $file = File::Temp->new;
    binmode $file;
    print {$file} encode_utf8($sql);
    close $file;
    my $pid = open3(my $in, my $out, $err, 'sqlite3', '-batch', '-bail', '-init', '/dev/null', $db,
        ".read $file");
    close $in;
    local $/;
    my ($o, $e) = (scalar(<$out>) // '', scalar(<$err>) // '');
    waitpid $pid, 0;
    croak "sqlite3: $e$o" if $? || $e =~ /error/i;
    return $o;
}

# Run one query; returns rows of characters, undef for NULL.
sub sqlite_rows {
    my ($db, $sql) = @_;
    my $err = gensym;
    my $pid = open3(my $in, my $out, $err, 'sqlite3', '-batch', '-readonly', '-init', '/dev/null',
        '-list', '-separator', FIELD, '-newline', RECORD, '-nullvalue', NULL, $db, encode_utf8($sql));
    close $in;
    binmode $out;
    local $/;
    my ($o, $e) = (scalar(<$out>) // '', scalar(<$err>) // '');
    waitpid $pid, 0;
    croak "sqlite3: $e\nin: $sql" if $? || length $e;
    my $field  = FIELD;
    my $record = RECORD;
    return [] unless length $o;
    $o =~ s/$record\z//;
    return [
        map {
            [ map { $_ eq NULL ? undef : decode_utf8($_) } length $_ ? split(/$field/, $_, -1) : ('') ]
        } length $o ? split(/$record/, $o, -1) : ('')
    ];
}

# --- awkward values ----------------------------------------------------------------------------

# id => text; what a CSV, a JSON string or a filter may stumble over.
our @TEXTS = (
    'plain', 'comma, inside', 'quote " inside', '"', '""', "line\nfeed", "carriage\r\nreturn",
    "lone\rreturn", "tab\tinside", "\tleading tab", "\rleading return", '=1+1', '+1', '-1', '@sum(A1)',
    ' leading space', 'trailing space ', ' ', '', undef, '%', '_', '\\', '100%', 'a_b', 'axb', 'a%b',
    'a\\b', 'a\\%b', '\\_', 'Straße', 'STRASSE', 'Ärger', 'ÄRGER', 'ärger', 'Übermut', 'жизнь', 'ЖИЗНЬ',
    'Жизнь', 'Ωμέγα', 'ωμέγα', '日本語', 'עברית', 'العربية', 'ไทย', 'हिन्दी', '😀 emoji', '👩‍👩‍👧 family',
    "e\x{301} combining", "é precomposed", 'null', 'NULL', '0', '-0', '1e5', 'true', 'semi;colon',
    'pipe|d', "control\x{1}\x{8}", "\x{2028}line separator", "\x{feff}bom inside", "\x{fffd}",
    '<b>&amp;</b>', "it's", q{'; DROP TABLE SALES; --}, '{"json": [1]}', '\\N', '\\n', 'CamelCase',
    'camelcase', 'CAMELCASE', 'x' x 5000, '"' x 700,
);

# name => literal as SQL, and the exact bits where SQL text might not be read exactly.
our @DOUBLES = (
    0.1, 0.2, 0.30000000000000004, 1.5, 100, 1e20, 1e21, 1e22, 1e300, 1.7976931348623157e308, 5e-324,
    2.2250738585072014e-308, 1e-6, 1e-7, 1e-8, 123456789.123, 0.1234567890123456, 9007199254740993.0,
    4503599627370497.5, -0.5, -1e-3, 12.5, 12.05, 1234567.89, 99999999999999.99, 3.141592653589793,
    1 / 3, 2 / 3, 1e15, 1e16, 123456789012345.6, 8.41, 0.07, 1.005, 4.35,
);

our @INTEGERS = qw(0 1 -1 42 999999999999999 9007199254740991 9007199254740992 9007199254740993
    -9007199254740993 100000000000000000 123456789012345678 -123456789012345678 999999999999999999
    9223372036854775807 -9223372036854775808 9007199254740994 1000000000000000001);

# --- tables ------------------------------------------------------------------------------------

sub _values { return join ",\n", map { '(' . join(', ', @$_) . ')' } @_ }

sub _regions {
    return <<'SQL';
CREATE TABLE REGIONS (ID INTEGER PRIMARY KEY, NAME VARCHAR(20) NOT NULL, MANAGER VARCHAR(40));
INSERT INTO REGIONS VALUES (1, 'North', 'Åsa Ärlig'), (2, 'South', 'O''Brien'), (3, 'East', NULL),
 (4, 'West', ''), (5, 'Überall', 'Zoë, "the boss"');
SQL
}

sub _customers {
    return <<'SQL';
CREATE TABLE CUSTOMERS (ID INTEGER PRIMARY KEY, NAME VARCHAR(60) NOT NULL, REGION_ID INTEGER,
 EMAIL VARCHAR(80), CREATED DATE, ACTIVE BOOLEAN, REFERRED_BY INTEGER);
INSERT INTO CUSTOMERS VALUES
 (1, 'Acme, Inc.', 1, 'info@acme.test', '1969-12-31', 1, NULL),
 (2, 'Müller & Söhne', 2, 'post@müller.test', '1970-01-01', 1, 1),
 (3, 'ACME Holding', 1, '', '1985-06-15', 0, 1),
 (4, 'Дом книги', 3, NULL, '1901-02-03', 1, 2),
 (5, '東京商事', 3, 'a_b@tokyo.test', '1999-12-31', 0, 2),
 (6, 'O''Neil "Bob"', NULL, 'bob%40@oneil.test', '2000-02-29', 1, NULL),
 (7, 'müller klein', 99, '', NULL, NULL, 4),
 (8, '=HYPERLINK("x")', 5, 'x@y.test', '2024-02-29', 1, 7),
 (9, 'zeta', 2, NULL, '2024-03-01', 0, 7),
 (10, 'Zeta', 2, 'ZETA@Y.TEST', '2024-03-01', 1, 8);
SQL
}

# 120 rows whose amounts are quarters, so that sums and averages of any order are exact.
sub _sales {
    return <<'SQL';
CREATE TABLE SALES (ID INTEGER PRIMARY KEY, CUSTOMER_ID INTEGER, REGION VARCHAR(20), PRODUCT VARCHAR(40),
 QUANTITY INTEGER, AMOUNT DECIMAL(12,2), PRICE REAL, SOLD_ON DATE, CREATED_AT TIMESTAMP, REF BIGINT,
 PAID BOOLEAN);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
INSERT INTO SALES SELECT i,
 CASE WHEN i % 13 = 0 THEN NULL ELSE 1 + i % 11 END,
 CASE i % 5 WHEN 0 THEN 'North' WHEN 1 THEN 'South' WHEN 2 THEN 'East' WHEN 3 THEN 'West' END,
 CASE i % 6 WHEN 0 THEN 'Widget' WHEN 1 THEN 'widget' WHEN 2 THEN 'Gadget, large' WHEN 3 THEN 'Gizmo "X"'
   WHEN 4 THEN '' ELSE NULL END,
 i % 7,
 CASE WHEN i % 17 = 0 THEN NULL ELSE (i * 37 % 4000) / 4.0 - 100 END,
 i / 8.0,
 CASE WHEN i % 19 = 0 THEN NULL ELSE date('1968-01-15', '+' || (i * 173) || ' days') END,
 CASE WHEN i % 23 = 0 THEN NULL ELSE datetime('1969-12-25 08:30:00', '+' || (i * 7919) || ' minutes') END,
 100000000000000000 + i * 1000000007,
 CASE i % 4 WHEN 0 THEN 1 WHEN 1 THEN 0 WHEN 2 THEN 1 END
FROM n;
SQL
}

sub _balances {
    return <<'SQL';
CREATE TABLE BALANCES (ACCOUNT VARCHAR(12) NOT NULL, BRANCH VARCHAR(12), AMOUNT DECIMAL(14,2),
 LOAD_ID INTEGER NOT NULL, LOAD_TYPE VARCHAR(10) NOT NULL, AS_OF DATE NOT NULL);
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 59)
INSERT INTO BALANCES SELECT printf('ACC%03d', i % 12), CASE i % 3 WHEN 0 THEN 'Main' WHEN 1 THEN 'Airport' END,
 (i * 53 % 997) / 4.0, 202400 + 1 + i / 12, CASE (i / 12) % 2 WHEN 0 THEN 'Daily' ELSE 'Monthly' END,
 date('2024-01-31', '+' || (i / 12) || ' months')
FROM n;
CREATE TABLE BRANCHES (BRANCH VARCHAR(12) PRIMARY KEY, CITY VARCHAR(40), LOAD_ID INTEGER);
INSERT INTO BRANCHES VALUES ('Main', 'Bern', 1), ('Airport', 'Zürich', 2), ('Closed', NULL, 3);
SQL
}

sub _types {
    return <<'SQL';
CREATE TABLE TYPES (ID INTEGER PRIMARY KEY, T TEXT, N INTEGER, D DECIMAL(20,4), R DOUBLE PRECISION, DAY DATE,
 TS TIMESTAMP, TSZ TIMESTAMP WITH TIME ZONE, B BOOLEAN, BL BLOB);
INSERT INTO TYPES VALUES
 (1, 'one', 1, 1.5, 0.1, '2024-01-31', '2024-01-31 00:00:00', '2024-01-31 12:00:00+00:00', 1, x''),
 (2, 'two', -2, -0.25, -1.5e10, '1969-07-20', '1969-07-20 20:17:40', '1969-07-20 20:17:40-04:00', 0, x'00'),
 (3, '', 0, 0, 0, '1899-12-31', '1999-12-31 23:59:59.5', '1999-12-31 23:59:59.25+05:30', 1, x'ff00fe'),
 (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (5, 'five', 123456789012345678, 99999999.9999, 1e300, '0001-01-01', '2024-02-29 12:34:56.789012',
  '2024-02-29 12:34:56Z', 0, x'68656c6c6f20776f726c64'),
 (6, 'six', -9223372036854775808, 12.5, 5e-324, '9999-12-31', '9999-12-31 23:59:59', '2024-06-30 23:59:59+14:00',
  1, zeroblob(100));
SQL
}

sub _texts {
    my $id = 0;
    return "CREATE TABLE TEXTS (ID INTEGER PRIMARY KEY, V TEXT);\nINSERT INTO TEXTS VALUES\n"
        . _values(map { [ ++$id, quote_text($_) ] } @TEXTS) . ";\n";
}

sub _numbers {
    my $id = 0;
    my $sql = "CREATE TABLE INTEGERS (ID INTEGER PRIMARY KEY, I BIGINT);\nINSERT INTO INTEGERS VALUES\n"
        . _values(map { [ ++$id, $_ eq '-9223372036854775808' ? '-9223372036854775807 - 1' : $_ ] } @INTEGERS)
        . ";\nCREATE TABLE DOUBLES (ID INTEGER PRIMARY KEY, R REAL);\n";
    $id = 0;
    # The shell's own function takes the bits, so that no text conversion stands in between.
    $sql .= "INSERT INTO DOUBLES VALUES\n"
        . _values(map { [ ++$id, sprintf q{ieee754_from_blob(x'%s')}, unpack 'H*', pack 'd>', $_ ] } @DOUBLES)
        . ";\n";
    return $sql;
}

sub _hostile {
    my $table = quote_ident($HOSTILE_TABLE);
    my @columns = map { quote_ident($_) . ' TEXT' } @HOSTILE_COLUMNS;
    $columns[0] =~ s/TEXT$/INTEGER/;
    my @rows;
    for my $row (1 .. 4) {
        push @rows, [ $row, map { quote_text("$row: $HOSTILE_COLUMNS[$_]") } 1 .. $#HOSTILE_COLUMNS ];
    }
    return "CREATE TABLE $table (" . join(', ', @columns) . ");\nINSERT INTO $table VALUES\n"
        . _values(@rows) . ";\n";
}

sub _rest {
    return <<'SQL';
CREATE TABLE EMPTY_TABLE (ID INTEGER, NAME VARCHAR(20), SINCE DATE);
CREATE TABLE "two words" ("first name" TEXT, "select" INTEGER, "é" TEXT, "É" TEXT);
INSERT INTO "two words" VALUES ('Ann', 1, 'small', 'large'), ('Bob', 2, NULL, '');
CREATE TABLE "order" ("group" INTEGER, "from" TEXT);
INSERT INTO "order" VALUES (1, 'a'), (2, 'b');
CREATE TABLE SECRETS (ID INTEGER, CANARY TEXT);
INSERT INTO SECRETS VALUES (1, 'canary-7f3a');
CREATE TABLE SALES_COPY AS SELECT ID, REGION, AMOUNT FROM SALES;
CREATE VIEW ACTIVE_CUSTOMERS AS SELECT ID, NAME, REGION_ID, CREATED FROM CUSTOMERS WHERE ACTIVE = 1;
CREATE VIEW "view; of 'sales'" AS SELECT REGION, AMOUNT FROM SALES WHERE AMOUNT > 0;
SQL
}

# --- a database --------------------------------------------------------------------------------

# Make the SQLite test database; readable by the children's account. Returns its path.
sub sqlite_create {
    my ($path, %o) = @_;
    sqlite_script($path, join '', "PRAGMA page_size = 4096;\nBEGIN;\n", _regions(), _customers(), _sales(),
        _balances(), _types(), _texts(), _numbers(), _hostile(), _rest(), $o{more} // '', "COMMIT;\n");
    chmod 0644, $path;
    return $path;
}

# A folder for a test's databases, gone with the object.
sub folder {
    my $dir = File::Temp->newdir('aurora-data-XXXXXXXX', TMPDIR => 1);
    chmod 0755, "$dir";
    return $dir;
}

# A long table: integers, decimals, dates, awkward texts, NULLs. Returns SQL.
sub long_table {
    my ($name, $rows) = @_;
    return <<"SQL";
CREATE TABLE $name (ID INTEGER PRIMARY KEY, CODE BIGINT, AMOUNT DECIMAL(12,2), RATE REAL, NAME VARCHAR(60),
 NOTE VARCHAR(80), DAY DATE, AT TIMESTAMP);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $rows)
INSERT INTO $name SELECT i, 900000000000000000 + i * 7919, (i * 7919 % 1000003) / 100.0, i / 7.0,
 CASE i % 9 WHEN 0 THEN 'Müller, "' || i || '"' WHEN 1 THEN '' WHEN 2 THEN NULL WHEN 3 THEN 'line' || char(10) || i
  WHEN 4 THEN '日本 ' || i ELSE 'customer number ' || i END,
 CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '=SUM(A' || i || ')' ELSE 'a note of ordinary length, with a comma ' || i END,
 date('1950-01-01', '+' || (i % 40000) || ' days'), datetime('1965-01-01', '+' || (i * 61) || ' seconds')
FROM n;
SQL
}

# Cheap proof that a database did not change: the digest the shell computes over every table.
sub sqlite_digest {
    my ($path) = @_;
    open my $in, '<', $path or croak "$path: $!";
    binmode $in;
    require Digest::MD5;
    return Digest::MD5->new->addfile($in)->hexdigest;
}

# --- catalogue file ----------------------------------------------------------------------------

sub catalog {
    return {
        datasets => {
            BALANCES => {
                display_name => 'Balances, all branches',
                partition => {
                    load_id_column => 'LOAD_ID', load_type_column => 'LOAD_TYPE', date_column => 'AS_OF',
                    supported_types => [ 'Daily', 'Monthly' ],
                },
            },
            CUSTOMERS => {
                display_name => 'Customers',
                columns => {
                    ID => { display_name => 'Customer no.' }, NAME => { display_name => 'Name, full' },
                    REGION_ID => {}, EMAIL => { display_name => 'E-mail "private"' }, CREATED => {},
                    ACTIVE => {}, REFERRED_BY => {},
                },
            },
            STAFF_SALES => { source => 'SALES_COPY', display_name => 'Sales, few columns',
                columns => { ID => {}, REGION => { display_name => 'Region' } },
                sorting => [ { column => 'ID', direction => 'DESC' } ] },
        },
    };
}

sub catalog_write {
    my ($path, $data) = @_;
    open my $out, '>', $path or croak "$path: $!";
    binmode $out;
    print {$out} Aurora::JSON::encode($data || catalog());
    close $out;
    chmod 0644, $path;
    return $path;
}

1;
