package Business;

# A business sample: regions, customers, sales, staff, budgets and balances, with the awkward values that reports meet.
# Each value follows from a row's number and a generator with a fixed seed: no clock, no locale, no hash order, and
# amounts are computed in whole cents.

use strict;
use warnings;

use Sql ();

use constant { CUSTOMERS => 5_000, SALES => 200_000, EMPLOYEES => 5_000, ACCOUNTS => 1_250 };

my $SCHEMA = <<'SQL';
CREATE TABLE REGIONS (
    REGION_ID INTEGER NOT NULL PRIMARY KEY,
    REGION VARCHAR(40) NOT NULL,
    COUNTRY_CODE CHAR(2) NOT NULL,
    CURRENCY CHAR(3) NOT NULL,
    MANAGER VARCHAR(80),
    OPENED DATE,
    ACTIVE BOOLEAN NOT NULL,
    NOTE TEXT
);
CREATE TABLE CUSTOMERS (
    CUSTOMER_ID INTEGER NOT NULL PRIMARY KEY,
    NAME VARCHAR(120) NOT NULL,
    REGION_ID INTEGER REFERENCES REGIONS (REGION_ID),
    SEGMENT VARCHAR(20),
    EMAIL VARCHAR(120),
    TAX_NUMBER BIGINT,
    CREDIT_LIMIT DECIMAL(14,2),
    DISCOUNT_AS_PRINTED VARCHAR(10),
    FOUNDED DATE,
    CUSTOMER_SINCE TIMESTAMP,
    NEWSLETTER BOOLEAN,
    FINGERPRINT BLOB,
    NOTE TEXT
);
CREATE TABLE SALES (
    SALE_ID INTEGER NOT NULL PRIMARY KEY,
    SOLD_ON DATE NOT NULL,
    SOLD_AT TIMESTAMP NOT NULL,
    CUSTOMER_ID INTEGER NOT NULL REFERENCES CUSTOMERS (CUSTOMER_ID),
    REGION_ID INTEGER REFERENCES REGIONS (REGION_ID),
    PRODUCT VARCHAR(60) NOT NULL,
    CHANNEL VARCHAR(10),
    QUANTITY INTEGER NOT NULL,
    UNIT_PRICE DECIMAL(12,2) NOT NULL,
    AMOUNT DECIMAL(14,2) NOT NULL,
    AMOUNT_AS_PRINTED VARCHAR(20),
    DISCOUNT REAL,
    INVOICE_NO BIGINT NOT NULL,
    PAID BOOLEAN,
    SHIPPED_AT TIMESTAMP WITH TIME ZONE,
    NOTE TEXT
);
CREATE TABLE EMPLOYEE_ROSTER (
    EMPLOYEE_ID INTEGER NOT NULL PRIMARY KEY,
    FULL_NAME VARCHAR(80) NOT NULL,
    DEPARTMENT VARCHAR(40) NOT NULL,
    JOB_TITLE VARCHAR(60),
    MANAGER_ID INTEGER REFERENCES EMPLOYEE_ROSTER (EMPLOYEE_ID),
    BORN DATE NOT NULL,
    HIRED DATE NOT NULL,
    LEFT_COMPANY DATE,
    SALARY DECIMAL(12,2),
    FULL_TIME BOOLEAN NOT NULL,
    BADGE BLOB,
    LAST_LOGIN TIMESTAMP WITH TIME ZONE,
    NOTE TEXT
);
CREATE TABLE DEPARTMENT_BUDGETS (
    DEPARTMENT VARCHAR(40) NOT NULL,
    FISCAL_YEAR INTEGER NOT NULL,
    QUARTER INTEGER NOT NULL,
    BUDGET DECIMAL(16,2) NOT NULL,
    SPENT DECIMAL(16,2),
    BUDGET_AS_PRINTED VARCHAR(24),
    APPROVED BOOLEAN,
    APPROVED_ON DATE,
    NOTE TEXT,
    PRIMARY KEY (DEPARTMENT, FISCAL_YEAR, QUARTER)
);
CREATE TABLE MONTHLY_BALANCE (
    LOAD_ID INTEGER NOT NULL,
    LOAD_TYPE VARCHAR(10) NOT NULL,
    AS_OF DATE NOT NULL,
    ACCOUNT VARCHAR(12) NOT NULL,
    BRANCH VARCHAR(40),
    CURRENCY CHAR(3) NOT NULL,
    AMOUNT DECIMAL(18,2),
    AMOUNT_MINOR BIGINT,
    RATE_AS_PRINTED VARCHAR(12),
    CLOSED BOOLEAN NOT NULL,
    LOADED_AT TIMESTAMP,
    NOTE TEXT,
    PRIMARY KEY (LOAD_ID, ACCOUNT)
);
SQL

my $INDEXES = <<'SQL';
CREATE INDEX CUSTOMERS_REGION ON CUSTOMERS (REGION_ID);
CREATE INDEX SALES_CUSTOMER ON SALES (CUSTOMER_ID);
CREATE INDEX SALES_REGION ON SALES (REGION_ID);
CREATE INDEX SALES_SOLD_ON ON SALES (SOLD_ON);
CREATE INDEX EMPLOYEE_ROSTER_DEPARTMENT ON EMPLOYEE_ROSTER (DEPARTMENT);
CREATE INDEX MONTHLY_BALANCE_LOAD ON MONTHLY_BALANCE (LOAD_TYPE, LOAD_ID);
CREATE VIEW SALES_BY_REGION AS
    SELECT R.REGION, substr(S.SOLD_ON, 1, 4) AS SALES_YEAR, count(*) AS SALES, sum(S.QUANTITY) AS QUANTITY,
           round(sum(S.AMOUNT), 2) AS AMOUNT
    FROM SALES S JOIN REGIONS R ON R.REGION_ID = S.REGION_ID GROUP BY R.REGION, SALES_YEAR;
CREATE VIEW OPEN_INVOICES AS
    SELECT S.INVOICE_NO, S.SOLD_ON, C.NAME, S.AMOUNT, S.NOTE
    FROM SALES S JOIN CUSTOMERS C ON C.CUSTOMER_ID = S.CUSTOMER_ID WHERE NOT S.PAID;
SQL

# Commas, quotes, line ends, tabs, formulas, markup, scripts, emoji, wildcards, blanks, characters XML forbids.
my @AWKWARD = (
    'Smith, Jones & Co.',
    'said "yes", then "no"',
    "first line\nsecond line",
    "first line\r\nsecond line\r\n",
    "column\tcolumn",
    '=1+1',
    '=HYPERLINK("http://example.com/?a="&A1,"click")',
    '+41 44 000 00 00',
    '-5 degrees',
    '@home',
    "\tstarts with a tab",
    "it's O'Brien's",
    'semicolon; pipe | backslash \\ slash /',
    '100% of _all_ [things]',
    '<b>bold</b> & &amp; ]]>',
    'Zürich, Łódź, São Paulo, Reykjavík',
    'Ελληνικά, Кириллица, עברית, العربية',
    '日本語、中文、한국어',
    'हिन्दी ภาษาไทย',
    "e\xCC\x81 is not \xC3\xA9, but looks it",
    '🙂 👩‍👩‍👧‍👦 🇨🇭 👍🏽',
    '  blanks around  ',
    ' ',
    'NULL',
    "a control character: \x01, and delete: \x7f",
    "no\xC2\xA0break, zero\xE2\x80\x8Bwidth, \xE2\x80\xAEright to left",
    '00123',
    '1e5',
    '2024-02-30',
    'TRUE',
    '"',
    ',',
    "\n",
    "'; DROP TABLE SALES; --",
);

my @FIRST = ('Anna', 'Beat', 'Chloé', 'Dmitri', 'Elif', 'Fatima', 'Giorgos', 'Hana', 'Íñigo', 'Jürgen', 'Kwame',
    'Lucía', 'Mei', 'Noé', 'Ørjan', 'Priya', 'Quentin', 'Ruth', 'Søren', 'Tomáš', 'Ursula', 'Vera', 'Władysław',
    'Xavier', 'Yusuf', 'Zoë');
my @LAST = ('Abebe', 'Brunner', "O'Neill", 'Çelik', 'Dvořák', 'van den Berg', 'Fischer', 'García Márquez', 'Häberli',
    'Ivanova', 'Jónsdóttir', 'Keller', 'Lefèvre', 'Müller', 'Nguyễn', 'Okafor', 'Papadopoulos', 'Quispe', 'Rossi',
    'Schmid', 'Tanaka', 'Ünal', 'Vogel', 'Wójcik', 'Xu', 'Yılmaz', 'Zürcher');
my @FIRMS = ('Ltd', 'GmbH', 'S.A.', 'AG', '& Sons', 'Oy', '株式会社', 'd.o.o.', 'Inc.');
my @PRODUCTS = ('Ladder', 'Lamp, desk', 'Chair "Eames"', 'Desk 160 × 80', 'Cable 5 m', 'Kettle', 'Notebook A5', 'Pen',
    'Monitor 27"', 'Rack', 'Battery AA', 'Schraube M4', 'Café crème', 'Filter', 'Glue', 'Helmet', 'Ink', 'Jacket',
    'Key', 'Valve 3/4"');
my @DEPARTMENTS = ('Accounting', 'Board', 'Customer Care', 'Data', 'Engineering', 'Facilities', 'Human Resources',
    'IT', 'Legal', 'Logistics', 'Marketing', 'Procurement', 'Production', 'Quality', 'R&D', 'Risk', 'Sales',
    'Security', 'Treasury', 'Training, internal');
my @TITLES = ('Assistant', 'Clerk', 'Engineer', 'Specialist', 'Senior Specialist', 'Team Lead', undef, '');
my @BRANCHES = ('Aarau', 'Basel', 'Chur', 'Davos', 'Genève', 'Lugano', 'Luzern', 'St. Gallen', 'Sion', 'Thun', 'Zug',
    'Zürich');

# id, name, country, currency, manager, opened, active
my @REGIONS = (
    [1, 'North',           'NO', 'NOK', 'Ørjan Häberli',   '1964-05-01', 1],
    [2, 'South',           'IT', 'EUR', 'Lucía Rossi',     '1969-12-31', 1],
    [3, 'East',            'PL', 'PLN', 'Władysław Wójcik', '1970-01-01', 1],
    [4, 'West',            'IE', 'EUR', "Ruth O'Neill",    '1985-10-26', 1],
    [5, 'Central',         'CH', 'CHF', 'Beat Brunner',    '1899-12-31', 1],
    [6, 'Asia, Pacific',   'JP', 'JPY', '田中 花',          '2001-09-09', 1],
    [7, 'Africa',          'GH', 'GHS', 'Kwame Okafor',    '2016-02-29', 1],
    [8, 'Americas "both"', 'MX', 'MXN', '',                '2010-07-04', 0],
    [9, 'Antarctica',      'AQ', 'USD', undef,             undef,        0],
);

# --- values ---------------------------------------------------------------------------------------

my $state;

# xorshift32, from 0 to $n - 1
sub _random {
    my ($n) = @_;
    $state ^= ($state << 13) & 0xffffffff;
    $state ^= $state >> 17;
    $state ^= ($state << 5) & 0xffffffff;
    return $state % $n;
}

sub _pick { return $_[ _random(scalar @_) ] }

# Days since 1970-01-01 as YYYY-MM-DD, proleptic Gregorian.
sub _date {
    use integer;
    my ($days) = @_;
    my $z = $days + 719468;
    my $era = ($z >= 0 ? $z : $z - 146096) / 146097;
    my $doe = $z - $era * 146097;
    my $yoe = ($doe - $doe / 1460 + $doe / 36524 - $doe / 146096) / 365;
    my $doy = $doe - (365 * $yoe + $yoe / 4 - $yoe / 100);
    my $mp = (5 * $doy + 2) / 153;
    my $month = $mp < 10 ? $mp + 3 : $mp - 9;
    return sprintf '%04d-%02d-%02d', $yoe + $era * 400 + ($month <= 2 ? 1 : 0), $month,
        $doy - (153 * $mp + 2) / 5 + 1;
}

sub _time {
    my ($second) = @_;
    return sprintf '%02d:%02d:%02d', int($second / 3600), int($second / 60) % 60, $second % 60;
}

# Cents as a decimal with both places.
sub _money {
    my ($cents) = @_;
    return sprintf '%s%d.%02d', $cents < 0 ? '-' : '', int(abs($cents) / 100), abs($cents) % 100;
}

# Mostly NULL, sometimes empty, sometimes a plain remark, every 97th time something awkward.
sub _note {
    my ($i) = @_;
    return $AWKWARD[ int($i / 97) % @AWKWARD ] if $i % 97 == 0;
    return '' if $i % 11 == 0;
    return $i % 13 == 0 ? "remark $i" : undef;
}

sub _blob {
    my ($i) = @_;
    return undef if $i % 5 == 0;
    my $hex = $i % 7 == 0 ? '' : sprintf '%08x00ff%04x', _random(0xffffffff), $i % 65536;
    return \$hex;
}

# --- tables ---------------------------------------------------------------------------------------

sub _regions {
    my ($out, $database) = @_;
    my $table = Sql->new($out, 'REGIONS', $database);
    for my $region (@REGIONS) {
        my ($id, @rest) = @$region;
        my $active = pop @rest;
        $table->row($id, @rest, $active, $AWKWARD[ $id * 3 - 3 ]);
    }
    $table->flush;
}

sub _customers {
    my ($out, $database) = @_;
    my $table = Sql->new($out, 'CUSTOMERS', $database);
    # Longer than the 32,767 characters a workbook's cell may hold, none of them in one byte at the border.
    my $long = 'Straße ' x 6_000;
    for my $i (1 .. CUSTOMERS) {
        my $name = _pick(@LAST) . ' ' . _pick(@FIRMS);
        $name = _pick(@FIRST) . " $name" if _random(3) == 0;
        $name = $AWKWARD[ _random(22) ] if $i % 211 == 0;
        my $founded = -27_000 + _random(44_000);
        my $since = 10_000 + _random(9_000);
        $table->row($i, $name, $i % 50 == 0 ? undef : 1 + _random(8),
            $i % 17 == 0 ? undef : $i % 19 == 0 ? '' : _pick('Retail', 'Wholesale', 'Public', 'Online'),
            $i % 9 == 0 ? undef : "customer$i\@example.com",
            100_000_000_000_000_000 + $i * 170_141_183_460_469 % 900_000_000_000_000_000,
            $i % 23 == 0 ? undef : _money(_random(50_000) * 100), sprintf('%d.%d0', _random(20), _random(10)),
            _date($founded), _date($since) . ' ' . _time(_random(86_400)),
            $i % 29 == 0 ? undef : _random(2), _blob($i), $i == CUSTOMERS ? $long : _note($i));
    }
    $table->flush;
}

sub _sales {
    my ($out, $database) = @_;
    my $table = Sql->new($out, 'SALES', $database);
    my @days = map { _date($_) } 17_897 .. 20_088;    # 2019-01-01 to 2024-12-31
    my @prices = map { 95 + $_ * $_ * 731 } 0 .. $#PRODUCTS;
    my @zones = ('Z', '+01:00', '-05:30', '+12:45');
    for my $i (1 .. SALES) {
        my $product = _random(scalar @PRODUCTS);
        my $day = $days[ _random(scalar @days) ];
        # some of each old book
        $day = _pick('1969-12-31', '1901-12-13', '1899-12-31', '1900-02-28', '1968-02-29') if $i % 10_007 == 0;
        my $percent = _random(4) == 0 ? 5 * _random(6) : 0;
        my $quantity = $i % 101 == 0 ? -1 - _random(5) : 1 + _random(12);
        my $gross = $quantity * $prices[$product];
        my $amount = $gross - int($gross * $percent / 100);
        my $paid = _random(20);
        $table->row($i, $day, "$day " . _time(_random(86_400)) . ($i % 4 ? '' : sprintf '.%03d', _random(1000)),
            1 + _random(CUSTOMERS), $i % 499 == 0 ? undef : 1 + _random(8), $PRODUCTS[$product],
            $i % 37 == 0 ? undef : $i % 41 == 0 ? '' : _pick('shop', 'web', 'phone'), $quantity,
            _money($prices[$product]), _money($amount), _money($amount), sprintf('%.2f', $percent / 100),
            900_719_925_474_000_000 + $i * 7, $paid == 0 ? undef : $paid == 1 ? 0 : 1,
            $paid > 3 ? $day . 'T' . _time(_random(86_400)) . _pick(@zones) : undef, _note($i));
    }
    $table->flush;
}

sub _employees {
    my ($out, $database) = @_;
    my $table = Sql->new($out, 'EMPLOYEE_ROSTER', $database);
    for my $i (1 .. EMPLOYEES) {
        my $born = -11_600 + _random(24_000);              # 1938 to 2003
        my $hired = $born + 6_600 + _random(7_000);
        $hired = 20_000 - _random(400) if $hired > 20_000;
        $table->row($i, _pick(@FIRST) . ' ' . _pick(@LAST), _pick(@DEPARTMENTS), _pick(@TITLES),
            $i == 1 ? undef : 1 + int($i / 12), _date($born), _date($hired),
            _random(9) ? undef : _date($hired + 30 + _random(3_000)),
            $i % 31 == 0 ? undef : _money(4_000_000 + _random(16_000_000)), _random(5) ? 1 : 0, _blob($i),
            $i % 6 == 0 ? undef : _date(19_700 + _random(300)) . 'T' . _time(_random(86_400)) . '+02:00',
            _note($i));
    }
    $table->flush;
}

sub _budgets {
    my ($out, $database) = @_;
    my $table = Sql->new($out, 'DEPARTMENT_BUDGETS', $database);
    my $i = 0;
    for my $department (@DEPARTMENTS) {
        for my $year (2014 .. 2025) {
            for my $quarter (1 .. 4) {
                my $budget = 5_000_000 + _random(90_000_000) * 100;
                my $open = $year == 2025 && $quarter > 2;
                $table->row($department, $year, $quarter, _money($budget),
                    $open ? undef : _money($budget - 2_000_000 + _random(4_000_000)), _money($budget),
                    $open ? undef : _random(8) ? 1 : 0,
                    $open ? undef : sprintf('%04d-%02d-%02d', $year, $quarter * 3 - 2, 1 + _random(28)),
                    _note(++$i * 13));
            }
        }
    }
    $table->flush;
}

# 24 monthly loads (2023, 2024) and 16 daily ones (January 2025), each with every account.
sub _balances {
    my ($out, $database) = @_;
    my $table = Sql->new($out, 'MONTHLY_BALANCE', $database);
    my @loads;
    for my $month (0 .. 23) {
        my ($year, $next) = (2023 + int($month / 12), $month % 12 + 1);
        my $last = $next == 2 ? ($year % 4 ? 28 : 29) : $next =~ /^(?:4|6|9|11)$/ ? 30 : 31;
        push @loads, ['Monthly', sprintf '%04d-%02d-%02d', $year, $next, $last];
    }
    push @loads, ['Daily', sprintf '2025-01-%02d', $_] for 1 .. 16;
    my ($load_id, $i) = (1000, 0);
    for my $load (@loads) {
        my ($type, $as_of) = @$load;
        $load_id++;
        for my $account (1 .. ACCOUNTS) {
            $i++;
            my $cents = _random(4_000_000) * 997 - 900_000_000;
            $table->row($load_id, $type, $as_of, sprintf('AC%08d', $account * 7919 % 100_000_000),
                $account % 61 == 0 ? undef : $BRANCHES[ $account % @BRANCHES ],
                _pick('CHF', 'EUR', 'USD'), $i % 173 == 0 ? undef : _money($cents),
                $i % 173 == 0 ? undef : 123_456_789_000_000_000 + $i, sprintf('%d.%04d00', _random(2), _random(10_000)),
                $account % 40 == 0 ? 1 : 0, "$as_of 23:" . sprintf('%02d:%02d', _random(60), _random(60)),
                _note($i));
        }
    }
    $table->flush;
}

# The sample in the words of a database (see Sql).
sub write_sql {
    my ($out, $database) = @_;
    $state = 20_240_229;
    print {$out} Sql::schema($database, $SCHEMA);
    $_->($out, $database) for \&_regions, \&_customers, \&_sales, \&_employees, \&_budgets, \&_balances;
    print {$out} Sql::schema($database, $INDEXES);
}

1;
