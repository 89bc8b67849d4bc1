# A download that breaks must look broken: each format over each protocol with each content coding, the database's session
# lost in mid-stream, and a client that tells whether what it got was whole. Nothing may ever look complete.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Aurora::Data;
use Aurora::Databases;
use Aurora::Oracle;
use Aurora::Postgres;
use Aurora::Server;

Aurora::Server::require_or_skip();

# Slow enough that every export is under way for seconds, on any machine.
use constant { ROWS => 200_000, KIB_PER_SECOND => 1500, PAGE => 4096, UNDER_WAY => 20_000 };

my $folder = Aurora::Data::folder();
my %has = map { $_ => Aurora::Server::has_module($_) } qw(filter deflate brotli http2 ssl);
my @results;

# --- databases, and how they fail ------------------------------------------------------------------

my $db = Aurora::Data::sqlite_create("$folder/honest.db", more => Aurora::Data::long_table('LONG_TABLE', ROWS) . Aurora::Data::long_table('MEDIUM_TABLE', 40_000));
my $size = -s $db;
my $good = Aurora::Server::slurp($db);

# Every fourth page but those of the first tenth becomes what no page is.
sub corrupt {
    open my $file, '+<', $db or die $!;
    binmode $file;
    for (my $page = int($size / PAGE / 10); $page < $size / PAGE; $page += 4) {
        sysseek $file, $page * PAGE, 0;
        syswrite $file, "\xff" x PAGE;
    }
    close $file;
}

sub restore {
    open my $file, '+<', $db or die $!;
    syswrite $file, $good;
    close $file;
}

my %database = (sqlite => { driver => 'sqlite3', params => $db, break => \&corrupt, mend => \&restore });

my %why_not = map { $_ => Aurora::Databases->missing($_) } qw(pgsql oracle);

# Tables of PostgreSQL; Oracle's double stands on one, too.
my $tables = sprintf <<'SQL', ROWS;
CREATE TABLE "LONG_TABLE" AS SELECT i AS "ID", 900000000000000000 + i * 7919::bigint AS "CODE", (i %% 100003) / 100.0 AS "AMOUNT", i / 7.0::float8 AS "RATE",
 'customer number ' || i AS "NAME", md5(i::text) AS "NOTE", date '1950-01-01' + i %% 40000 AS "DAY", timestamp '1965-01-01' + i * interval '61 s' AS "AT" FROM generate_series(1, %d) i;
CREATE TABLE "REGIONS" AS SELECT i AS "ID" FROM generate_series(1, 5) i;
SQL

my $pg;
if (!$why_not{pgsql}) {
    $pg = Aurora::Postgres->new;
    $pg->psql($tables);
    $database{pgsql} = { driver => 'pgsql', params => $pg->params, break => sub { $pg->terminate_backends }, mend => sub { } };
}
my $ora;
if (!$why_not{oracle}) {
    $ora = Aurora::Oracle->new;
    $ora->psql(qq{SET search_path = "AURORA";\n$tables});
    $database{oracle} = { driver => 'oracle', params => $ora->params(libdir => 1), break => sub { $ora->terminate_backends }, mend => sub { } };
}

# --- the server --------------------------------------------------------------------------------------

sub certificate {
    return system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 "
        . "-keyout '$folder/key.pem' -out '$folder/cert.pem' 2>/dev/null") == 0;
}

sub start {
    my ($name, $tls_port, $kib) = @_;
    $kib //= KIB_PER_SECOND;
    my @modules = grep { $has{$_} } qw(filter deflate brotli http2);
    my $conf = "AuroraXlsxMaxRows 1000000\nAuroraExplainThreshold 0\nAuroraExportBandwidth $kib\nAuroraPoolMin 1\n";
    $conf .= "Protocols h2c http/1.1\n" if $has{http2};
    if ($tls_port) {
        push @modules, 'ssl';
        $conf .= "SSLSessionCache none\nListen 127.0.0.1:$tls_port https\n<VirtualHost 127.0.0.1:$tls_port>\nServerName 127.0.0.1\nSSLEngine on\nSSLCertificateFile \"$folder/cert.pem\"\n"
            . "SSLCertificateKeyFile \"$folder/key.pem\"\n" . ($has{http2} ? "Protocols h2 http/1.1\n" : '') . "</VirtualHost>\n";
    }
    my @filters = (($has{brotli} ? 'BROTLI_COMPRESS' : ()), ($has{deflate} ? 'DEFLATE' : ()));
    return Aurora::Server->start(mpm => 'event', children => 1, driver => $database{$name}{driver}, params => $database{$name}{params}, modules => \@modules, conf => $conf,
        location => @filters ? 'SetOutputFilter ' . join(';', @filters) : '');
}

sub export_args { return ('-H', 'Content-Type: application/json', '-d', '{"dataset":"LONG_TABLE"}') }

# Run a client, break the database once it has got something, wait for its end. Returns exit code and bytes.
sub while_running {
    my ($break, $file, @command) = @_;
    unlink $file;
    my $pid = fork // die $!;
    if (!$pid) {
        open STDERR, '>', "$folder/client.err";
        open STDOUT, '>', "$folder/client.out";
        exec 'timeout', 60 * Aurora::Server::patience(), @command or POSIX::_exit(127);
    }
    my $until = time + 30 * Aurora::Server::patience();
    sleep 0.02 while (-s $file || 0) < UNDER_WAY && time < $until;
    my $before = -s $file || 0;
    $break->();
    waitpid $pid, 0;
    return { exit => $? >> 8, before => $before, bytes => -s $file || 0, err => Aurora::Server::slurp("$folder/client.err"), out => Aurora::Server::slurp("$folder/client.out") };
}

sub mended {
    my ($server, $name) = @_;
    $database{$name}{mend}->();
    return $server->wait_until(sub { $server->http->preview({ dataset => 'REGIONS' })->{status} == 200 }, 15);
}

# What each way of speaking needs, and what curl says when it broke: partial file, a stream error, a failed read.
my %protocol = (
    'HTTP/1.1'     => { needs => [],              args => ['--http1.1'],                 broke => [18] },
    'HTTP/2'       => { needs => ['http2'],       args => ['--http2-prior-knowledge'],   broke => [92] },
    'HTTP/1.1 TLS' => { needs => ['ssl'],         args => [ '-k', '--http1.1' ],         broke => [ 18, 56 ], tls => 1 },
    'HTTP/2 TLS'   => { needs => [qw(ssl http2)], args => [ '-k', '--http2' ],           broke => [92], tls => 1 },
);
my %coding = (identity => [], gzip => ['deflate'], br => ['brotli']);

sub one {
    my ($server, $name, $format, $protocol, $coding, $tls_port) = @_;
    my $p = $protocol{$protocol};
    my $what = "$name, $format, $protocol, $coding";
    my ($lacks) = grep { !$has{$_} } @{ $p->{needs} }, @{ $coding{$coding} };
    SKIP: {
        skip "$what: mod_$lacks is not installed", 3 if $lacks;
        my $path = "/aurora/api/v1/query/export?format=$format";
        my $url = $p->{tls} ? "https://127.0.0.1:$tls_port$path" : "http://127.0.0.1:@{[$server->port]}$path";
        my $got = while_running($database{$name}{break}, "$folder/body", 'curl', '-sS', @{ $p->{args} }, '-N', '-o', "$folder/body", '-D', "$folder/head",
            '-w', '%{http_code} %{http_version}', '-H', "Accept-Encoding: $coding", export_args(), $url);
        my $head = Aurora::Server::slurp("$folder/head");
        my $version = $protocol =~ m{^HTTP/(\S+)} && $1;
        like($got->{out}, qr/^200 \Q$version\E$/, "$what: it had begun") or diag($got->{err});
        ok($coding eq 'identity' ? $head !~ /^Content-Encoding:/mi : $head =~ /^Content-Encoding: $coding/mi, "$what: in that coding") or diag($head);
        ok($got->{before} >= UNDER_WAY && (grep { $_ == $got->{exit} } @{ $p->{broke} }), "$what: an incomplete transfer (curl: exit $got->{exit})") or diag("$got->{before} $got->{bytes} $got->{err}");
        push @results, sprintf '%-7s %-5s %-13s %-9s %9d bytes, then curl exit %d', $name, $format, $protocol, $coding, $got->{bytes}, $got->{exit};
        ok(mended($server, $name), "$what: the server is well afterwards");
    }
}

# nghttp2's own client: the stream is reset, and never ended.
sub nghttp {
    my ($server, $name, $format) = @_;
    SKIP: {
        skip 'nghttp2-client or mod_http2 is not installed', 2 unless $has{http2} && system('nghttp --version >/dev/null 2>&1') == 0;
        open my $out, '>', "$folder/request" or die $!;
        print {$out} '{"dataset":"LONG_TABLE"}';
        close $out;
        my $got = while_running($database{$name}{break}, "$folder/frames", 'sh', '-c',
            "exec nghttp -nv --no-dep -H 'content-type: application/json' -d '$folder/request' 'http://127.0.0.1:@{[$server->port]}/aurora/api/v1/query/export?format=$format' > '$folder/frames'");
        my $frames = Aurora::Server::slurp("$folder/frames") =~ s/\e\[[\d;]*m//gr;
        like($frames, qr/recv RST_STREAM frame.*?\n\s+\(error_code=\w+/s, "$name, $format: nghttp sees the stream reset");
        my @ended = grep {/stream_id=13\b|END_STREAM/} ($frames =~ /recv DATA frame[^\n]*\n(?:\s+; END_STREAM)/g);
        is(scalar @ended, 0, "$name, $format: and no frame that ends it");
        push @results, sprintf '%-7s %-5s %-13s %-9s RST_STREAM', $name, $format, 'HTTP/2 nghttp', 'identity';
        mended($server, $name);
    }
}

# Two exports on one connection of HTTP/2, and one of them is cancelled: its stream is reset, and the other is whole. In
# every content coding, as these have something to say themselves when a body ends.
sub one_of_two {
    my ($coding) = @_;
    SKIP: {
        my ($lacks) = grep { !$has{$_} } 'http2', @{ $coding{$coding} };
        skip "two streams, $coding: mod_$lacks is not installed", 5 if $lacks;
        skip 'nghttp2-client is not installed', 5 unless system('nghttp --version >/dev/null 2>&1') == 0;
        my $server = start('sqlite', 0, 400);
        open my $out, '>', "$folder/request" or die $!;
        print {$out} '{"dataset":"MEDIUM_TABLE"}';
        close $out;
        my $url = "http://127.0.0.1:@{[$server->port]}/aurora/api/v1/query/export?format=";
        my $pid = fork // die $!;
        if (!$pid) {
            open STDOUT, '>', "$folder/frames";
            open STDERR, '>&', \*STDOUT;
            exec 'timeout', 60 * Aurora::Server::patience(), 'nghttp', '-nv', '--no-dep', '-H', 'content-type: application/json', '-H', "accept-encoding: $coding", '-d', "$folder/request", "${url}csv", "${url}xlsx" or POSIX::_exit(127);
        }
        my %tasks;
        my $both = sub { %tasks = map { $_->{kind} => $_ } grep { $_->{bytes} > 0 } @{ (Aurora::HTTP::json($server->http->api('/api/v1/tasks')) || {})->{tasks} || [] }; return $tasks{csv} && $tasks{xlsx} };
        ok($server->wait_until($both, 20), "two streams, $coding: both are under way");
        is($server->http->request('DELETE', "/aurora/api/v1/tasks/$tasks{csv}{id}")->{status}, 202, "two streams, $coding: one is cancelled");
        waitpid $pid, 0;
        my $frames = Aurora::Server::slurp("$folder/frames") =~ s/\e\[[\d;]*m//gr;
        my @reset = $frames =~ /recv RST_STREAM frame <[^>\n]*stream_id=(\d+)>/g;
        my @ended = $frames =~ /recv DATA frame <[^>\n]*stream_id=(\d+)>\n\s+; END_STREAM/g;
        ok(@reset == 1 && @ended == 1 && $reset[0] != $ended[0], "two streams, $coding: one is reset, the other one ends (@reset, @ended)") or diag(substr $frames, -2000);
        my $record = sub { return (Aurora::HTTP::json($server->http->api("/api/v1/tasks/$tasks{$_[0]}{id}")) || {})->{state} };
        is($record->('csv') . ' ' . $record->('xlsx'), 'cancelled complete', "two streams, $coding: as the tasks say");
        $server->finish("two streams, $coding: the server is well");
    }
}

# A browser's own verdict: a synchronous request either has its whole answer, or throws.
sub chromium {
    my ($server, $name, $format) = @_;
    SKIP: {
        skip 'chromium or PostgreSQL is not installed', 2 unless $pg && $name eq 'pgsql' && system('chromium --version >/dev/null 2>&1') == 0;
        my $pages = $server->root . '/htdocs';
        for my $table (qw(REGIONS LONG_TABLE)) {
            open my $out, '>', "$pages/$table.html" or die $!;
            print {$out} "<!doctype html><p id=verdict>none</p><script>var x = new XMLHttpRequest(), say = 'none';\n"
                . "x.open('POST', '/aurora/api/v1/query/export?format=$format', false); x.setRequestHeader('Content-Type', 'application/json');\n"
                . "try { x.send('{\"dataset\":\"$table\"}'); say = 'whole'; } catch (e) { say = 'broken'; }\ndocument.getElementById('verdict').textContent = say;</script>";
            close $out;
            chmod 0644, "$pages/$table.html";
        }
        my $visit = sub {
            my ($table) = @_;
            return ('chromium', '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', "--user-data-dir=$folder/profile", '--dump-dom', "http://127.0.0.1:@{[$server->port]}/$table.html");
        };
        my $whole = `@{[join ' ', 'timeout', 60, map {"'$_'"} $visit->('REGIONS')]} 2>/dev/null`;
        like($whole, qr/>whole</, "$format: Chromium takes a whole export for whole");
        my $pid = fork // die $!;
        if (!$pid) {
            open STDERR, '>', '/dev/null';
            open STDOUT, '>', "$folder/dom";
            exec 'timeout', '60', $visit->('LONG_TABLE') or POSIX::_exit(127);
        }
        my $busy = q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'aurora' AND state = 'active' AND query LIKE '%LONG_TABLE%' AND query_start < clock_timestamp() - interval '0.5 s'};
        $server->wait_until(sub { $pg->value($busy) }, 20);
        $database{$name}{break}->();
        waitpid $pid, 0;
        like(Aurora::Server::slurp("$folder/dom"), qr/>broken</, "$format: and a broken one for broken");
        push @results, sprintf '%-7s %-5s %-13s %-9s network error', $name, $format, 'Chromium', 'as asked';
        mended($server, $name);
    }
}

my $tls_port = $has{ssl} && certificate() ? Aurora::Server::_free_port() : 0;
$has{ssl} &&= $tls_port;
for my $name (sort keys %why_not) {
    SKIP: {
        skip "$name: $why_not{$name}", 1 if $why_not{$name};
        pass("$name is here");
    }
}
for my $name (sort keys %database) {
    my $server = start($name, $tls_port);
    my $whole = $server->http->export({ dataset => 'REGIONS' });
    ok($whole->{complete}, "$name: a sound export is whole");
    for my $format (qw(csv xlsx)) {
        for my $protocol (sort keys %protocol) {
            one($server, $name, $format, $protocol, $_, $tls_port) for qw(identity gzip br);
        }
        nghttp($server, $name, $format);
        chromium($server, $name, $format) if $name eq 'pgsql';
    }
    $server->finish("$name: the server survives all of it");
}
one_of_two($_) for sort keys %coding;
note('what became of transfers whose database failed in mid-stream:');
note($_) for @results;
done_testing();
