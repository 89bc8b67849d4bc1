# Every call of libpq that a request makes, failed in turn: by itself, or by cutting the connection before it. Whatever
# fails, the request ends with an answer of the contract or a broken transfer, and nothing is lost: no place in
# the pool, no session, no descriptor, no memory.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp ();
use Test::More;
use Time::HiRes qw(sleep time);

use Aurora::Async;
use Aurora::Refusals;
use Aurora::Server;
use Aurora::Slow;

Aurora::Server::require_or_skip();
my $why = Aurora::Slow->missing;
plan skip_all => $why if $why;
my $shim = Aurora::Server::build() . '/t/fault/libpq.so';
BAIL_OUT("$shim does not exist: run make faults first") unless -f $shim;

use constant { REFUSE => 0, CUT => 1, MOST => 400 };

my $slow = Aurora::Slow->new;
my $patience = Aurora::Server::patience();
my $file = File::Temp->new;
print {$file} pack 'L4', 0, 0, 0, 0;
$file->flush;
chmod 0666, "$file";
$ENV{AURORA_FAULT} = "$file";
$ENV{AURORA_PRELOAD} = join ' ', grep { length } $ENV{AURORA_PRELOAD} // '', $shim;

sub arm {
    my ($n, $how) = @_;
    open my $out, '+<', "$file" or die $!;
    binmode $out;
    syswrite $out, pack 'L4', 0, 0, $how, 0;
    sysseek $out, 0, 0;
    syswrite $out, pack 'L', $n;
    close $out;
}

# Whether it has happened.
sub disarm {
    open my $io, '+<', "$file" or die $!;
    binmode $io;
    sysread $io, my $bytes, 16;
    sysseek $io, 0, 0;
    syswrite $io, pack 'L', 0;
    return (unpack 'L4', $bytes)[3];
}

my %body = (
    preview => { dataset => 'regions', limit => 3, filters => { logic => 'AND', conditions => [ { column => 'id', operator => 'gt', value => 0 } ] } },
    export  => { dataset => 'regions' },
);

sub ask { my ($server, $kind) = @_; return $server->http(timeout => 20 * $patience)->$kind($body{$kind}) }

# What is wrong with such an answer; undef when nothing is.
sub defect {
    my ($r, $kind) = @_;
    return "no answer: $r->{error}" if !$r->{status};
    if ($r->{status} == 200) {
        return undef if !$r->{complete};
        my $rows = $kind eq 'preview' ? scalar(() = $r->{body} =~ /"id":/g) : ($r->{body} =~ tr/\n//) - 1;
        my $want = $kind eq 'preview' ? 3 : 5;
        return $rows == $want ? undef : "a whole answer with $rows rows instead of $want";
    }
    my @bad = Aurora::Refusals::problem_defects($r, status => $r->{status}, codes => [qw(DATABASE_ERROR DATABASE_UNAVAILABLE DATABASE_POOL_EXHAUSTED)]);
    return @bad ? "$r->{status}: @bad: " . substr $r->{body}, 0, 300 : undef;
}

sub descriptors { my ($pid) = @_; my @fds = glob "/proc/$pid/fd/*"; return scalar @fds }

sub healthy { my ($server) = @_; return $server->wait_until(sub { ask($server, 'preview')->{status} == 200 }, 6) }

sub walk {
    my ($server, $kind, $how, $cold) = @_;
    my $name = "$kind, " . ($how == CUT ? 'connection cut' : 'call refused') . ($cold ? ', from the connect on' : '');
    my (@bad, $n, %said);
    for ($n = 1; $n <= MOST; $n++) {
        healthy($server) or return fail("$name: the server recovers after call " . ($n - 1));
        $slow->pg->terminate_backends('idle') if $cold;
        arm($n, $how);
        my $from = time;
        my $r = ask($server, $kind);
        my $happened = disarm();
        my $bad = defect($r, $kind);
        push @bad, "call $n: $bad" if defined $bad;
        push @bad, sprintf 'call %d: %.1f s', $n, time - $from if time - $from > 8 * $patience;
        $said{ $r->{complete} ? $r->{status} : "$r->{status} broken" }++;
        last if !$happened;
    }
    ok(!@bad, "$name: " . ($n - 1) . ' calls, each fails in order') or diag(join "\n", @bad);
    note(join ', ', map { "$said{$_} x $_" } sort keys %said);
    cmp_ok($n, '>', 5, "$name: there were calls to fail");
    cmp_ok($n, '<=', MOST, "$name: and an end to them");
    return;
}

for my $mpm (Aurora::Server->mpms) {
    note("under $mpm");
    my $server = Aurora::Server->start(mpm => $mpm, driver => 'pgsql', params => $slow->params, children => 1,
        conf => "AuroraPoolMin 1\nAuroraPoolMax 2\nAuroraPoolReserve 0\nAuroraCatalogRefresh 0");
    ok(healthy($server), 'a server whose libpq can be made to fail');
    my ($child) = $server->children;
    walk($server, 'preview', REFUSE);
    walk($server, 'preview', CUT);
    my ($rss, $fds) = ($server->rss($child), descriptors($child));
    walk($server, 'export', REFUSE);
    walk($server, 'export', CUT);
    for my $how (REFUSE, CUT) {
        walk($server, 'preview', $how, 1);
    }
    ok(healthy($server), 'the server is well in the end');
    is(join(' ', $server->children), $child, 'in the same child');
    if ($mpm ne 'prefork') {
        my @both = map { my $n = $_; Aurora::Async->run(sub { $server->http->preview({ dataset => 'nap' }) }) } 1 .. 2;
        is(join(' ', map { $_->wait->{status} } @both), '200 200', 'both places of the pool are there');
    }
    ok($server->wait_until(sub { $slow->sessions <= ($mpm eq 'prefork' ? 1 : 2) }, 5), 'no session is left over');
    ok($server->wait_until(sub { descriptors($child) <= $fds + 3 }, 5), "nor a descriptor ($fds, " . descriptors($child) . ')');
    cmp_ok($server->rss($child), '<', $rss + 2048, "nor memory to speak of ($rss KiB, then " . $server->rss($child) . ')') unless Aurora::Server::asan();
    $server->finish("$mpm: every call has failed");
}
done_testing();
