#!/usr/bin/perl
# `make run` on a database server of its own: DB=pgsql (and DB=mysql) on a port of its own, then curl; the answers are
# held against SQLite's demo database, which has the same rows. Ctrl-C ends web server and database, the data stays for
# the next run, and what the conf.d variants say passes configtest.

use strict;
use warnings;
use lib 't/lib';

use File::Temp ();
use JSON::PP ();
use IO::Socket::INET;
use POSIX ();
use Test::More;

use Aurora::Data;
use Aurora::MakeRun qw(free_port make_run wait_for curl);
use Aurora::MariaDB;
use Aurora::Postgres;
use Aurora::Server;

Aurora::Server::require_or_skip();
plan skip_all => 'make run starts an httpd without the runtimes that a sanitized module needs' if Aurora::Server::asan();

my $top    = Aurora::Server::repo();
my $folder = File::Temp->newdir('aurora-XXXXXXXX', TMPDIR => 1);
my %missing = (pgsql => Aurora::Postgres->missing, mysql => Aurora::MariaDB->missing);

# --- the variants of the configuration -------------------------------------------------------------

{
    my $sqlite = "$folder/reports.db";
    Aurora::Data::sqlite_script($sqlite, 'CREATE TABLE T (A INTEGER);');
    my @modules = grep { Aurora::Server::has_module($_) } qw(authz_host);
    for my $name (qw(sqlite pgsql mysql)) {
        my $text = Aurora::Server::slurp("$top/conf.d/aurora-$name.conf");
        ok(length $text, "conf.d/aurora-$name.conf is there");
        unlike($text, qr/^AuroraDBParams.*password=\S|^AuroraDBParams.*pass=\S/m, 'and shows no password that somebody could keep');
        $text =~ s/^AuroraDBParams "[^"]*"/AuroraDBParams "$sqlite"/m if $name eq 'sqlite';
        my ($exit, $said) = Aurora::Server->configtest(bare => 1, conf => $text, modules => \@modules);
        is($exit, 0, "aurora-$name.conf passes configtest") or diag($said);
        (my $broken = $text) =~ s/^AuroraDBDriver \w+/AuroraDBDriver no_such_driver/m;
        ($exit, $said) = Aurora::Server->configtest(bare => 1, conf => $broken, modules => \@modules);
        isnt($exit, 0, 'which would have told of a mistake');
    }
}

# --- make run ---------------------------------------------------------------------------------------

sub run_log { return Aurora::Server::slurp("$folder/run.log") }

# Processes that work in a folder: the database's, with its own idea of their arguments.
sub working_in {
    my ($dir) = @_;
    my @pids;
    for my $proc (glob '/proc/[0-9]*') {
        my $cwd = readlink "$proc/cwd" // next;
        push @pids, $proc =~ s{.*/}{}r if index("$cwd/", "$dir/") == 0;
    }
    return @pids;
}

sub up {
    my ($pid) = @_;
    return wait_for(240, sub { run_log() =~ /^Try/m || waitpid($pid, POSIX::WNOHANG()) == $pid }) && run_log() =~ /^Try/m;
}

sub ends {
    my ($pid) = @_;
    kill INT => -$pid;
    my $ended = wait_for(30, sub { waitpid($pid, POSIX::WNOHANG()) != 0 });
    kill KILL => -$pid;
    return $ended;
}

# SQLite's demo database, made like theirs.
my $sqlite = "$folder/demo.db";
system("$top/conf.d/demo/make-db", $sqlite) == 0 or BAIL_OUT('no demo database');

sub same_preview {
    my ($url, $db) = @_;
    my $request = JSON::PP::encode_json({
        dataset => 'SALES', columns => [qw(REGION ORDERS TOTAL)], group_by => ['REGION'],
        joins => [ { left_dataset => 'SALES', right_dataset => 'REGIONS', join_type => 'inner',
            on => [ { left_column => 'REGION_ID', right_column => 'REGION_ID' } ] } ],
        filters => { logic => 'AND', conditions => [
            { column => 'SOLD_ON', operator => 'between', value => [ '2024-01-01', '2024-12-31' ] },
            { logic => 'OR', conditions => [ { column => 'CHANNEL', operator => 'eq', value => 'web' },
                { column => 'QUANTITY', operator => 'gte', value => 10 } ] } ] },
        aggregations => [ { column => '*', function => 'count', output_name => 'ORDERS' },
            { column => 'AMOUNT', function => 'sum', output_name => 'TOTAL' } ],
        sorting => [ { column => 'REGION', direction => 'ASC' } ] });
    my $said = curl('-H', 'Content-Type: application/json', '-d', $request, "$url/api/v1/query/preview");
    my $got  = eval { JSON::PP->new->utf8->decode($said) } || {};
    my $want = Aurora::Data::sqlite_rows($sqlite, q{SELECT r.REGION, count(*), printf('%.2f', sum(s.AMOUNT))
        FROM SALES s JOIN REGIONS r USING (REGION_ID)
        WHERE s.SOLD_ON BETWEEN '2024-01-01' AND '2024-12-31' AND (s.CHANNEL = 'web' OR s.QUANTITY >= 10)
        GROUP BY r.REGION ORDER BY r.REGION});
    ok(@$want > 1, 'the question has an answer');
    is_deeply([ map { [ $_->{REGION}, "$_->{ORDERS}", sprintf('%.2f', $_->{TOTAL}) ] } @{ $got->{data} || [] } ],
        [ map { [@$_] } @$want ], "$db: a preview with a join, a nested filter and a grouping says what SQLite's demo says")
        or diag($said);
}

# Every table's awkward texts, bytes and moments, by what both say of them.
sub same_rows {
    my ($url, $db) = @_;
    for my $table (qw(REGIONS CUSTOMERS EMPLOYEE_ROSTER DEB_PACKAGES)) {
        my $json = curl('-H', 'Content-Type: application/json', '-d', qq({"dataset":"$table","limit":1}), "$url/api/v1/query/preview");
        my $answer = eval { JSON::PP::decode_json($json) } || {};
        is($answer->{total_row_count}, Aurora::Data::sqlite_rows($sqlite, "SELECT count(*) FROM $table")->[0][0], "$db: $table has all its rows")
            or diag($json);
    }
    my $body = JSON::PP::encode_json({ dataset => 'CUSTOMERS', columns => [qw(CUSTOMER_ID NOTE TAX_NUMBER FOUNDED FINGERPRINT)], limit => 500,
        shape => 'arrays', filters => { logic => 'AND', conditions => [ { column => 'CUSTOMER_ID', operator => 'gt', value => 4600 } ] },
        sorting => [ { column => 'CUSTOMER_ID', direction => 'ASC' } ] });
    my $got  = eval { JSON::PP->new->utf8->decode(curl('-H', 'Content-Type: application/json', '-d', $body, "$url/api/v1/query/preview")) } || {};
    my $want = Aurora::Data::sqlite_rows($sqlite, 'SELECT CUSTOMER_ID, NOTE, TAX_NUMBER, FOUNDED, hex(FINGERPRINT) || CASE WHEN FINGERPRINT IS NULL
        THEN NULL ELSE \'\' END FROM CUSTOMERS WHERE CUSTOMER_ID > 4600 ORDER BY CUSTOMER_ID');
    my @have = map { [ @$_[0 .. 3], defined $_->[4] ? uc unpack('H*', decode_base64($_->[4])) : undef ] } @{ $got->{data} || [] };
    is(scalar @have, 400, "$db: 400 customers come");
    my @wrong = grep { join('|', map { $_ // 'NULL' } @{ $have[$_] }) ne join('|', map { $_ // 'NULL' } @{ $want->[$_] }) } 0 .. $#have;
    is("@wrong", '', "$db: notes, numbers of 18 digits, days and bytes are SQLite's");
}

# The demo's reports: a stored request, and SQL by hand that all databases take.
sub same_reports {
    my ($url, $db) = @_;
    my $list = eval { JSON::PP::decode_json(curl("$url/api/v1/reports")) } || {};
    is(join(' ', map { $_->{name} } @{ $list->{reports} || [] }), 'sales_of_region top_customers', "$db: the demo has reports");
    my $csv  = curl("$url/api/v1/reports/top_customers.csv?n=5&header=0");
    my $want = Aurora::Data::sqlite_rows($sqlite, q{SELECT count(*) FROM SALES WHERE SOLD_ON >= '2024-01-01' GROUP BY CUSTOMER_ID ORDER BY sum(AMOUNT) DESC, CUSTOMER_ID LIMIT 5});
    is(join(' ', $csv =~ /,(\d+),[\d.]+\r$/mg), join(' ', map { $_->[0] } @$want), "$db: top_customers says what SQLite's demo says") or diag($csv);
    my $preview = eval { JSON::PP::decode_json(curl("$url/api/v1/reports/sales_of_region?region=Africa&channels=web&channels=shop")) } || {};
    is($preview->{total_row_count}, Aurora::Data::sqlite_rows($sqlite, q{SELECT count(*) FROM SALES JOIN REGIONS USING (REGION_ID)
        WHERE REGION = 'Africa' AND CHANNEL IN ('web', 'shop') AND SOLD_ON BETWEEN '2024-01-01' AND '2024-12-31'})->[0][0], "$db: so does sales_of_region");
}

sub decode_base64 { require MIME::Base64; return MIME::Base64::decode_base64($_[0]) }

for my $db (qw(pgsql mysql)) {
    SKIP: {
        skip "$db: $missing{$db}", 1 if $missing{$db};
        my $port = free_port();
        my $url  = "http://127.0.0.1:$port/aurora";
        my $pid  = make_run("$folder/run.log", "DB=$db", "PORT=$port");
        ok(up($pid), "make run DB=$db serves") or diag(run_log());
        like(run_log(), qr/, $db\) serves at \Q$url\E/, 'and says where') or diag(run_log());
        my $datasets = eval { JSON::PP::decode_json(curl("$url/api/v1/datasets")) } || {};
        is(scalar @{ $datasets->{datasets} || [] }, 11, "$db: tables and views are there");
        my ($sales) = grep { $_->{name} eq 'SALES' } @{ $datasets->{datasets} || [] };
        ok($sales && $sales->{row_count} > 150_000 && $sales->{display_name} eq 'Sales', "$db: with estimates and display names");
        same_preview($url, $db);
        same_rows($url, $db);
        same_reports($url, $db);

        my @home = grep { -d } "$top/build/demo/$db";
        ok(ends($pid), "$db: Ctrl-C ends it") or diag(run_log());
        ok(wait_for(20, sub { !IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) }), "$db: nothing serves any more");
        ok(!-e Aurora::Server::build() . '/run/params', "$db: the password is gone from where httpd read it");
        skip "$db: the data lies in a temporary folder, which ended with the run", 1 unless @home;
        is(join(' ', working_in($home[0])), '', "$db: and no process of the database is left");

        $pid = make_run("$folder/run.log", "DB=$db", "PORT=$port");
        ok(up($pid), "$db: a second run serves") or diag(run_log());
        unlike(run_log(), qr/loading the demo data/, "$db: with the data of the first");
        ok(ends($pid), "$db: and ends as well");
    }
}

{
    my $pid = make_run("$folder/run.log", "DB=oracle", "PORT=" . free_port());
    waitpid $pid, 0;
    isnt($?, 0, 'another database is refused');
    like(run_log(), qr/DB=oracle: sqlite, pgsql or mysql/, 'with the ones there are');
}

done_testing();
