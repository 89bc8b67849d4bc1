#!/usr/bin/perl
# The double of Oracle's client library (t/oci), judged by programs that were written for the real one: node-oracledb
# in Thick mode and DBD::Oracle connect, describe, fetch 100,000 rows of every type, bind, read LOBs, meet errors, break
# and time out calls, and lose a session. What they read is compared with what PostgreSQL's own client says.
use strict;
use warnings;
use utf8;
use Test::More;
use Digest::MD5 qw(md5_hex);
use Encode qw(encode_utf8 decode_utf8);
use FindBin;
use JSON::PP;

use Aurora::Oracle;

my $why = Aurora::Oracle->missing;
plan skip_all => $why if $why;

my $build     = $ENV{AURORA_BUILD} || 'build';
my $consumers = "$FindBin::Bin/oci/consumers";
my $ora       = Aurora::Oracle->new;
{
    open my $in, '<', "$consumers/tables.sql" or die "tables.sql: $!";
    local $/;
    $ora->psql(scalar <$in>);
}

# The lines of JSON a consumer wrote, by name.
sub run_consumer {
    my (@command) = @_;
    local $ENV{LD_LIBRARY_PATH} = $ora->libdir;
    local $ENV{LD_PRELOAD} = $ENV{AURORA_PRELOAD} if $ENV{AURORA_PRELOAD};
    open my $out, '-|', 'timeout', '300', @command or die "$command[0]: $!";
    my %said;
    while (my $line = <$out>) {
        my $list = eval { JSON::PP->new->utf8->decode($line) } || ["not JSON: $line"];
        my ($name, @rest) = @$list;
        $said{$name} = @rest == 1 ? $rest[0] : \@rest;
    }
    close $out;
    is($?, 0, "$command[0] ends well");
    return \%said;
}

# Rows of a query, joined as the consumers join them.
sub digest {
    my ($sql) = @_;
    my $out = $ora->psql("SET TimeZone = 'UTC';\n$sql;\n", flags => [ '-A', '-t', '-F', '|', '-P', 'null=' ]);
    return md5_hex($out);
}

my $iso = q{'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'};
my $expected_node = digest(qq{SELECT "ID", trim_scale("N"), trim_scale("P"), "I", "BF", "BD", "V", "NV", "C"::text || repeat(' ', 8 - length("C")),
    to_char("D"::timestamp, $iso), to_char("DAY"::timestamp, $iso), to_char(date_trunc('milliseconds', "TS"), $iso), to_char("TZ", $iso), to_char("LTZ"::timestamptz, $iso),
    encode("R"::bytea, 'hex'), "B"::int, extract(epoch FROM "DS")::bigint, (extract(year FROM "YM") * 12 + extract(month FROM "YM"))::int,
    "NC"::text || repeat(' ', 6 - length("NC"::text)), "RI"
    FROM "AURORA"."WIDE" ORDER BY "ID"});
my $time = q{'YYYY-MM-DD HH24:MI:SS'};
my $expected_dbd = digest(qq{SELECT "ID", trim_scale("N"), trim_scale("P"), "I", "BF", "BD", "V", "NV", "C"::text || repeat(' ', 8 - length("C")),
    to_char("D"::timestamp, $time), to_char("DAY"::timestamp, $time), to_char("TS", 'YYYY-MM-DD HH24:MI:SS.US'), to_char("TZ", 'YYYY-MM-DD HH24:MI:SS.US') || ' +00:00',
    to_char("LTZ"::timestamptz, 'YYYY-MM-DD HH24:MI:SS.US'), upper(encode("R"::bytea, 'hex')), "B"::int,
    '+' || to_char(extract(epoch FROM "DS")::bigint / 86400, 'FM00') || ' ' || to_char("DS" - extract(epoch FROM "DS")::bigint / 86400 * interval '24 hours', 'HH24:MI:SS') || '.000000',
    '+' || to_char(extract(year FROM "YM"), 'FM00') || '-' || to_char(extract(month FROM "YM"), 'FM00'),
    "NC"::text || repeat(' ', 6 - length("NC"::text)), "RI" FROM "AURORA"."WIDE" ORDER BY "ID"});
my $expected_longs = digest('SELECT "ID", "L" FROM "AURORA"."LONGS" ORDER BY "ID"');
my $expected_longraws = digest(q{SELECT "ID", encode("L"::bytea, 'hex') FROM "AURORA"."LONGRAWS" ORDER BY "ID"});
my @national = map { $_->[0] } $ora->rows(q{SELECT md5("NT"::text) FROM "AURORA"."LOBS" ORDER BY "ID"});
my @texts  = $ora->rows(q{SELECT md5("T"::text) FROM "AURORA"."LOBS" ORDER BY "ID"});
my @binary = map { $_->[0] } $ora->rows(q{SELECT md5("B"::bytea) FROM "AURORA"."LOBS" ORDER BY "ID"});
my @numbers = map { $_->[0] } $ora->rows(q{SELECT "T" FROM "AURORA"."NUMBERS" ORDER BY "ID"});

# NUMBER as Oracle writes it.
sub oracle_text {
    my ($text) = @_;
    $text =~ s/^(-?)0\./$1./;
    $text =~ s/^(.*)e(-?)(\d+)$/uc($1) . 'E' . ($2 || '+') . $3/e;
    return $text;
}

subtest 'node-oracledb in Thick mode' => sub {
    my $packages = "$build/oci/npm/node_modules";
    plan skip_all => 'no node'                          if system('command -v node >/dev/null') != 0;
    plan skip_all => 'no oracledb: make oci-consumers' unless -d "$packages/oracledb";
    my $said = run_consumer('node', "$consumers/node.js", $packages, $ora->libdir, $ora->connect_string);
    is($said->{version}, '19.20.0.0.0', 'version of the server');
    is_deeply([ map { join ' ', grep { defined } @$_ } @{ $said->{describe} } ],
        [ 'ID NUMBER 10 0', 'N NUMBER 0 -127', 'P NUMBER 12 2', 'I NUMBER 10 0', 'BF BINARY_FLOAT', 'BD BINARY_DOUBLE', 'V VARCHAR2 160', 'NV NVARCHAR2 80', 'C CHAR 32',
            'D DATE', 'DAY DATE', 'TS TIMESTAMP 6', 'TZ TIMESTAMP WITH TIME ZONE 6', 'LTZ TIMESTAMP WITH LOCAL TIME ZONE 6', 'R RAW 2000', 'B NUMBER 1 0',
            'DS INTERVAL DAY TO SECOND', 'YM INTERVAL YEAR TO MONTH', 'NC NCHAR 24', 'RI ROWID' ], 'columns described');
    is_deeply($said->{wide}, [ 100_000, $expected_node ], '100,000 rows of every type hold the right values');
    is_deeply([ map { $said->{"describe $_"}[1][1] } qw(longs longraws) ], [ 'LONG', 'LONG RAW' ], 'LONG and LONG RAW described');
    is_deeply($said->{longs}, [ 100_000, $expected_longs ], '100,000 of LONG, up to several pieces each');
    is_deeply($said->{longraws}, [ 100_000, $expected_longraws ], '  and of LONG RAW');
    is_deeply([ map { [ @$_[3 .. 5] ] } @{ $said->{lobs} } ], [ map { [ $texts[$_][0], $national[$_], $binary[$_] ] } 0 .. $#texts ], 'CLOB, NCLOB and BLOB by locator');
    is_deeply([ map { $_->[1] } @{ $said->{lobs} } ], [ 10, 280_000, undef, 0 ], 'a CLOB is as long as its UTF-16 units');
    is_deeply([ @{ $said->{'lobs direct'} }[0 .. 2] ], [ map { [ $_ + 1, $texts[$_][0], $binary[$_] ] } 0 .. 2 ], 'LOBs with the row, through a callback');
    is_deeply($said->{'bind number'}, ['7|row 7 äß'],  'a number is bound by name');
    is_deeply($said->{'bind text'},   ['9'],           'a text and a number are bound by position');
    is_deeply($said->{'bind twice'},  [ '41', '42' ],  'one bind stands in two places');
    is_deeply($said->{'bind date'},   ['5'],           'a date is bound');
    is_deeply($said->{'bind raw'},    ['11'],          'bytes are bound');
    is_deeply($said->{'bind null'},   ['1'],           'an empty text is NULL');
    is_deeply($said->{'rows after rollback and commit'}, ['2|kept'], 'a rollback takes back, a commit keeps');
    is_deeply($said->{'schema by statement'}, ['SYS'],    'ALTER SESSION changes the schema');
    is_deeply($said->{'schema by attribute'}, ['AURORA'], 'and so does the attribute');
    my %error = ('no table' => [ 942, 14 ], 'no column' => [ 904, 11 ], 'no number' => [ 1722, 0 ], zero => [ 1476, 0 ], 'zero in row 501' => [ 1476, 0 ],
        'no from' => [ 923, 8 ], unbound => [ 1008, 0 ], 'unknown bind' => [ 1036, 0 ], 'read only' => [ 1456, 0 ], service => [ 12514, 0 ],
        password => [ 1017, 0 ], listener => [ 12541, 0 ], break => [ 1013, 0 ]);
    is_deeply($said->{$_}, $error{$_}, "ORA-$error{$_}[0]: $_") for sort keys %error;
    is($said->{'alive after errors'}, 100_000, 'the session lives through errors');
    ok($said->{'break was quick'}, 'a break does not wait for the statement');
    is($said->{'alive after break'}, 1, 'the session lives through a break');
    like($said->{'call timeout'}, qr/^(?:DPI-1067|NJS-123)$/, 'a call timeout is known as one');
    is($said->{'alive after timeout'}, 1, 'the session lives through a timeout');
    ok($said->{'healthy before'} && $said->{lost} && !$said->{'healthy after'}, 'a killed session is known as lost');
    is_deeply($said->{numbers}, [ map { [ oracle_text($_), $_ ] } @numbers ], 'NUMBER over its whole range');
};

subtest 'DBD::Oracle' => sub {
    my ($module) = glob "$build/oci/contrib/usr/lib/*/perl5/*";
    plan skip_all => 'no DBD::Oracle: make oci-consumers' unless $module && -d "$module/auto/DBD/Oracle";
    plan skip_all => 'no DBI (Debian: libdbi-perl)' unless eval { require DBI };
    my $said = run_consumer($^X, "-I$module", "$consumers/dbd.pl", $ora->connect_string);
    is_deeply($said->{wide}, [ 100_000, $expected_dbd ], '100,000 rows of every type hold the right values');
  SKIP: {
        skip 'a sanitizer keeps what was freed', 1 if $ENV{AURORA_ASAN};
        cmp_ok($said->{'grown by KiB'}, '<', 8_000, 'no more than a portion of the rows is held');
    }
    is_deeply($said->{longs}, [ 100_000, $expected_longs ], '100,000 of LONG, up to several pieces each');
    is_deeply($said->{longraws}, [ 100_000, $expected_longraws ], '  and of LONG RAW');
    is_deeply($said->{lobs}, [ map { [ $texts[$_][0], $national[$_], $binary[$_] ] } 0 .. $#texts ], 'CLOB, NCLOB and BLOB');
    is($said->{'bind by number'}, 'row 7 äß', 'a bind by number');
    is($said->{'bind by name'},   '9',        'a bind by name');
    is($said->{'rolled back'},    '0',        'a rollback takes back');
    is_deeply($said->{'words as names'}, [ '2001-01-02 00:00:00', '2001', '2001-01-02 00:00:01.500001' ], 'DAY names a column, a field and a unit');
    is($said->{'no table'},       942,        'ORA-942');
    is($said->{'no column'},      904,        'ORA-904');
    is($said->{zero},             1476,       'ORA-1476');
    is_deeply([ map { $_->[0] } @{ $said->{numbers} } ], [ map { oracle_text($_) } @numbers ], 'NUMBER over its whole range');
    is_deeply([ map { $_->[0] } @{ $said->{dates} } ],
        [ '4712-01-01 00:00:00', '0001-01-01 00:00:00', '2024-02-29 13:30:05', '9999-12-31 23:59:59', '0044-03-15 12:00:00' ], 'dates of 4712 BC to 9999');
    is_deeply($said->{break}, [ 1013, 1 ], 'cancel breaks a running call');
    is($said->{alive}, '1', 'and the session lives');
};

# A line of Perl on DBD::Oracle, with faults; what it prints on both channels.
sub one_liner {
    my ($faults, $code) = @_;
    my ($module) = glob "$build/oci/contrib/usr/lib/*/perl5/*";
    local $ENV{LD_LIBRARY_PATH} = $ora->libdir;
    local $ENV{AURORA_OCI_FAULT} = $faults;
    local $ENV{LD_PRELOAD} = $ENV{AURORA_PRELOAD} if $ENV{AURORA_PRELOAD};
    my $script = sprintf q{use DBI; $h = DBI->connect('dbi:Oracle:%s', 'aurora', 'aurora', {RaiseError => 0, PrintError => 0, AutoCommit => 0}) or print("connect ", DBI->err // 0, "\n"), exit; %s},
        $ora->connect_string, $code;
    open my $out, '-|', 'sh', '-c', 'exec timeout 60 "$@" 2>&1', 'sh', $^X, "-I$module", '-e', $script or die $!;
    local $/;
    my $text = <$out>;
    close $out;
    return $text;
}

subtest 'faults, plans, sessions' => sub {
    plan skip_all => 'no DBD::Oracle: make oci-consumers' unless glob("$build/oci/contrib/usr/lib/*/perl5/*") && eval { require DBI };
    my $read = q{$s = $h->prepare('SELECT id FROM wide'); $s->{RowCacheSize} = 10; $s->execute; $n++ while $s->fetchrow_arrayref; print(($n // 0) > 0 ? 'some' : 'no', ' ', $h->err // 0);};
    like(one_liner('OCIServerAttach=ORA:12541', 'print "on"'), qr/^connect 12541/, 'a call fails with the code asked for');
    like(one_liner('OCISessionBegin=INFO:28002', 'print "on"'), qr/ORA-28002.*^on$/ms, 'a warning is no failure');
    like(one_liner('OCIStmtFetch2@5=ORA:1555', $read), qr/^some 1555$/, 'only the call with that number fails');
    like(one_liner('OCIStmtFetch2@3=drop', $read), qr/^some 3113$/, 'a connection is cut between fetches');
    like(one_liner('', q{$h->do("EXPLAIN PLAN SET STATEMENT_ID = 'mine' FOR SELECT * FROM wide WHERE id = :1"); $h->do("EXPLAIN PLAN SET STATEMENT_ID = 'other' FOR SELECT 1 FROM dual");
        print join ',', $h->selectrow_array("SELECT operation, cardinality, CASE WHEN cost > 0 THEN 'cost' END FROM plan_table WHERE statement_id = 'mine' AND id = 0")}),
        qr/^SELECT STATEMENT,\d+,cost$/, 'EXPLAIN PLAN fills the plan table');
    like(one_liner('', q{$h->do('SET TRANSACTION READ ONLY'); $h->do("EXPLAIN PLAN SET STATEMENT_ID = 'x' FOR SELECT 1 FROM dual"); print $h->err}), qr/^1456$/, 'but not in a read-only transaction');
    like(one_liner('', q{$h->{ora_client_identifier} = 'me'; $h->{ora_module_name} = 'reports';
        print join ',', $h->selectrow_array("SELECT client_identifier, module FROM v\$session WHERE sid = SYS_CONTEXT('USERENV', 'SID')")}), qr/^me,reports$/, 'V$SESSION names the client');
    like(one_liner('', q{unless (fork) { $h->do('SELECT 1 FROM dual'); print "worked"; exit } wait; print " child $?"; $h->{InactiveDestroy} = 1;}),
        qr/after a fork.* child (?:6|134)(?!\d)/s, 'a handle in a forked child ends it with a message');
};

done_testing;
