# A link to a report is an ordinary link: a browser that has logged in follows it and has the file, curl with Authorization
# has the same, and a download that broke is none.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::SHA qw(sha1_base64);
use Encode qw(encode_utf8);
use MIME::Base64 qw(encode_base64);
use Test::More;

use Aurora::Chromium;
use Aurora::Data;
use Aurora::HTTP;
use Aurora::JSON;
use Aurora::Server;

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output todo_output);
Aurora::Server::require_or_skip();

use constant LONG_ROWS => 60_000;

my $folder = Aurora::Data::folder();
my $fails  = LONG_ROWS - 100;
my $db     = Aurora::Data::sqlite_create("$folder/link.db", more => Aurora::Data::long_table('LONG_TABLE', LONG_ROWS));
my @region = (parameters => [ { name => 'region', type => 'text', required => Aurora::JSON::true() } ]);
my $catalog = Aurora::Data::catalog_write("$folder/catalog.json", { reports => {
    sales => { display_name => 'Sales of a “région”', @region, query => { dataset => 'SALES', columns => [qw(ID REGION AMOUNT)], sorting => [ { column => 'ID' } ],
        filters => { logic => 'AND', conditions => [ { column => 'REGION', operator => 'eq', value => '${region}' } ] } } },
    mine  => { parameters => [ { name => 'me', expr => '%{REMOTE_USER}' } ], sql => q{SELECT :me AS me} },
    long  => { sql => 'SELECT * FROM LONG_TABLE' },
    fails => { sql => "SELECT ID, NOTE, CASE WHEN ID = $fails THEN abs(-9223372036854775807 - 1) END AS x FROM LONG_TABLE" },
} });

my $password = Aurora::Server::_write("$folder/passwd", 'ann:{SHA}' . sha1_base64('p:w') . "=\n");
my $lock     = qq{AuthType Basic\nAuthName "reports"\nAuthUserFile "$password"\nRequire valid-user\n};
my $server   = Aurora::Server->start(db => $db, catalog => $catalog, modules => [qw(auth_basic authn_file authz_user mime)], no_location => 1,
    extra => qq{TypesConfig /dev/null\nAddType text/html .html\n<Location "/">\n$lock</Location>\n<Location "/aurora">\nSetHandler aurora\n</Location>\n});
my $base = '/aurora/api/v1/reports';
my %links = (csv => "$base/sales.csv?region=North&bom=1", xlsx => "$base/sales.xlsx?region=North", mine => "$base/mine.csv", long => "$base/long.csv", fails => "$base/fails.csv");

my @rows = map { [ @$_ ] } @{ Aurora::Data::sqlite_rows($db, "SELECT ID, REGION, AMOUNT FROM SALES WHERE REGION = 'North' ORDER BY ID") };
my $want = "\xef\xbb\xbfID,REGION,AMOUNT\r\n" . join '', map { join(',', $_->[0], $_->[1], defined $_->[2] ? 0 + $_->[2] : '') . "\r\n" } @rows;

# --- curl --------------------------------------------------------------------------------------------

sub curl {
    my ($name, @args) = @_;
    unlink "$folder/curl.out";
    my $r = Aurora::HTTP::curl('-o', "$folder/curl.out", '-w', '%{http_code} %{content_type}', @args, "http://127.0.0.1:@{[$server->port]}$links{$name}");
    return ($r->{exit}, $r->{out}, Aurora::Server::slurp("$folder/curl.out"));
}

my @auth = ('-H', 'Authorization: Basic ' . encode_base64('ann:p:w', ''));
my %curl;
{
    my ($exit, $said, $body) = curl('csv');
    is("$exit $said", '0 401 text/html; charset=iso-8859-1', 'without Authorization there is nothing');
    unlike($body, qr/North/, 'no row either');
    ($exit, $said, $curl{csv}) = curl('csv', @auth);
    is("$exit $said", '0 200 text/csv; charset=utf-8; header=present', 'curl with Authorization');
    is($curl{csv}, $want, 'has the rows');
    ($exit, $said, $curl{mine}) = curl('mine', '-u', 'ann:p:w');
    is($curl{mine}, "me\r\nann\r\n", 'the report knows who asks');
    ($exit, $said, $curl{long}) = curl('long', @auth);
    is(scalar(() = $curl{long} =~ /\r\n/g) >= LONG_ROWS, 1, 'a long one is whole');
    ($exit, $said) = curl('xlsx', @auth);
    is("$exit $said", '0 200 application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'a workbook');
    ($exit, $said) = curl('fails', @auth);
    is($exit, 18, 'one that broke is an incomplete transfer');
    ($exit) = Aurora::HTTP::curl(@auth, '-OJ', '--output-dir', $folder, "http://127.0.0.1:@{[$server->port]}$links{csv}")->{exit};
    my ($file) = glob "$folder/Sales*.csv";
    ok($exit == 0 && defined $file && Aurora::Server::slurp($file) eq $want, 'curl -OJ saves it under its own name') or diag($file // 'no file');
}

# --- a browser ---------------------------------------------------------------------------------------

SKIP: {
    my $why = Aurora::Chromium->missing;
    skip "a browser: $why", 1 if $why;
    my $pages = $server->root . '/htdocs';
    my $page  = '<!doctype html><meta charset=utf-8><title>Reports</title><ul>' . join '', map {"<li><a id=$_ href=\"" . ($links{$_} =~ s/&/&amp;/gr) . "\">$_</a>"} sort keys %links;
    Aurora::Server::_write("$pages/reports.html", encode_utf8($page));
    my $browser = Aurora::Chromium->start($folder);
    my $origin  = '127.0.0.1:' . $server->port;
    is($browser->visit("http://ann:p%3Aw\@$origin/reports.html"), undef, 'a page behind a password');
    is($browser->evaluate('document.title'), 'Reports', 'is shown');
    my $click = sub { my ($id) = @_; $browser->evaluate("document.getElementById('$id').click()"); return $browser->downloaded };

    my $d = $click->('csv');
    is($d->{state}, 'completed', 'a click on a link downloads');
    like($d->{name}, qr/^Sales of a “région”_\d{4}-\d\d-\d\d\.csv$/, 'a file with the name of the report');
    is(Aurora::Server::slurp(encode_utf8($d->{path})), $want, 'with its rows');
    is($browser->evaluate('document.title'), 'Reports', 'and the page stays where it is');

    $d = $click->('xlsx');
    is($d->{state}, 'completed', 'a workbook');
    like($d->{name}, qr/\.xlsx$/, 'is called one');
    like(Aurora::Server::slurp(encode_utf8($d->{path})), qr/^PK\x03\x04.*PK\x05\x06/s, 'and is one, to its end');

    $d = $click->('mine');
    is(Aurora::Server::slurp($d->{path}), "me\r\nann\r\n", 'who has logged in is who asks');
    $d = $click->('long');
    is($d->{state}, 'completed', 'a long file');
    ok(Aurora::Server::slurp($d->{path}) eq $curl{long}, 'is what curl got, byte by byte');

    $d = $click->('fails');
    is($d->{state}, 'canceled', 'a download that breaks is no download');
    ok(!-e $d->{path}, 'and leaves no file that looks like one');

    $d = do {
        $browser->visit("http://$origin$links{csv}");
        $browser->downloaded;
    };
    is($d->{state}, 'completed', 'the link in the address bar downloads as well');
}

$server->finish('links in browsers');
done_testing();
