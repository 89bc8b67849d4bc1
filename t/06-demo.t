#!/usr/bin/perl
# The demo database: whole or not at all, and its business sample the same in each run.

use strict;
use warnings;

use Cwd qw(abs_path);
use Digest::SHA;
use File::Basename qw(dirname);
use File::Temp ();
use Test::More;

my $top  = abs_path(dirname(__FILE__) . '/..');
my $make = "$top/conf.d/demo/make-db";
my $dir  = File::Temp->newdir('aurora-XXXXXXXX', TMPDIR => 1);
my $db   = "$dir/demo.db";

sub query {
    my ($sql) = @_;
    open my $in, '-|', 'sqlite3', '-batch', '-readonly', $db, $sql or die "sqlite3: $!";
    local $/;
    my $text = <$in> // '';
    close $in or die "sqlite3: $sql";
    $text =~ s/\n\z//;
    return $text;
}

sub digest_of {
    my (@command) = @_;
    open my $in, '-|', @command or die "@command: $!";
    my $sha = Digest::SHA->new(256)->addfile($in)->hexdigest;
    close $in or die "@command ended with $?";
    return $sha;
}

{
    local $ENV{TZ} = 'Pacific/Auckland';
    is(system($make, $db), 0, 'a database is made');
    my $first = digest_of($make, '--sql', 'business');
    local $ENV{PERL_HASH_SEED} = 7;
    local $ENV{TZ} = 'America/Lima';
    is(digest_of($make, '--sql', 'business'), $first, 'the business sample is the same in each run');
}
is(join(' ', map { s{.*/}{}r } glob "$dir/*"), 'demo.db', 'nothing else is left beside it');
is(query('PRAGMA integrity_check'), 'ok', 'it is sound');
is(query('PRAGMA foreign_key_check'), '', 'all references lead somewhere');

my %rows = (REGIONS => 9, CUSTOMERS => 5_000, SALES => 200_000, EMPLOYEE_ROSTER => 5_000,
    DEPARTMENT_BUDGETS => 960, MONTHLY_BALANCE => 50_000);
is(query("SELECT count(*) FROM $_"), $rows{$_}, "$_ has $rows{$_} rows") for sort keys %rows;
cmp_ok(query('SELECT count(*) FROM DEB_PACKAGES'), '>', 50, 'the Debian packages are there');
cmp_ok(query('SELECT count(*) FROM DEB_DEPENDS'), '>', query('SELECT count(*) FROM DEB_PACKAGES'),
    'and their dependencies');
is(query("SELECT count(*) FROM DEB_PACKAGES WHERE DESCRIPTION IS NULL OR MAINTAINER IS NULL"), 0,
    'packages were read with their fields');
is(query('SELECT count(DISTINCT tbl) FROM sqlite_stat1'), 8, 'every table has its row estimate');

my %awkward = (
    'a comma'                   => "NOTE LIKE '%,%'",
    'a quote'                   => q{NOTE LIKE '%"%'},
    'a line end'                => "NOTE LIKE '%' || char(13, 10) || '%'",
    'a tab'                     => "NOTE LIKE '%' || char(9) || '%'",
    'a formula'                 => "NOTE LIKE '=%'",
    'an emoji'                  => "instr(NOTE, char(0x1F642)) > 0",
    'NULL'                      => 'NOTE IS NULL',
    'an empty string'           => "NOTE = ''",
);
for my $table (qw(CUSTOMERS SALES EMPLOYEE_ROSTER MONTHLY_BALANCE)) {
    for my $what (sort keys %awkward) {
        cmp_ok(query("SELECT count(*) FROM $table WHERE $awkward{$what}"), '>', 0, "$table: some note is or has $what");
    }
}
is(query("SELECT count(*) FROM SALES WHERE length(INVOICE_NO) <> 18 OR typeof(INVOICE_NO) <> 'integer'"), 0,
    'invoice numbers have 18 digits');
cmp_ok(query("SELECT count(*) FROM SALES WHERE SOLD_ON < '1970-01-01'"), '>', 0, 'some dates lie before 1970');
cmp_ok(query("SELECT count(*) FROM SALES WHERE AMOUNT_AS_PRINTED LIKE '%.%0'"), '>', 0,
    'some decimals have trailing zeros');
is(query("SELECT count(*) FROM SALES WHERE date(SOLD_ON) IS NOT SOLD_ON"), 0, 'every date is a date');
is(query("SELECT max(length(NOTE)) > 32767 FROM CUSTOMERS"), 1, 'one text is longer than a workbook cell');

# Made elsewhere or not at all.
{
    local $ENV{PATH} = "$dir/nowhere";
    open my $stderr, '>&', \*STDERR or die;
    open STDERR, '>', '/dev/null' or die;
    isnt(system($^X, $make, "$dir/other.db"), 0, 'without the sqlite3 shell it fails');
    open STDERR, '>&', $stderr or die;
}
is(join(' ', map { s{.*/}{}r } glob "$dir/*"), 'demo.db', 'and leaves nothing behind');

done_testing();
