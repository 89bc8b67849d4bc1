# The private database servers: they start, answer, lose their sessions when told, come back, and leave
# nothing behind, however the test ends.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep);
use Aurora::Postgres;
use Aurora::MariaDB;

sub gone {
    my ($pid, $home) = @_;
    for (1 .. 200) {
        return 1 if !kill(0, $pid) && !-e $home;
        sleep 0.05;
    }
    return 0;
}

# A child makes a server, tells pid and folder, and ends as `end` says.
sub leaves_nothing {
    my ($class, $name, $end) = @_;
    pipe(my $read, my $write) or die "pipe: $!";
    my $child = fork();
    die "fork: $!" unless defined $child;
    if ($child == 0) {
        close $read;
        open(STDERR, '>', '/dev/null');
        my $db = $class->new;
        syswrite $write, join("\t", $db->pid, $db->home) . "\n";
        close $write;
        eval { $end->() };
        undef $db;
        POSIX::_exit(0);
    }
    close $write;
    my $line = <$read>;
    chomp $line;
    waitpid($child, 0);
    my ($pid, $home) = split /\t/, $line;
    ok($pid && gone($pid, $home), "$class: $name leaves no process and no folder");
}

subtest 'PostgreSQL' => sub {
    my $why = Aurora::Postgres->missing;
    plan skip_all => $why if $why;
    my $pg = Aurora::Postgres->new(settings => { max_connections => 17 });
    my ($pid, $home) = ($pg->pid, $pg->home);

    is($pg->value('SHOW max_connections'), 17, 'a setting arrives');
    is($pg->value('SHOW listen_addresses'), '127.0.0.1', 'it listens on loopback only');
    $pg->psql("CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, NULL), (2, ''), (3, E'x\\ny|z')");
    is_deeply([ $pg->rows('SELECT a, b FROM t ORDER BY a') ], [ [ 1, undef ], [ 2, '' ], [ 3, "x\ny|z" ] ],
        'rows come back whole, NULL apart from empty');
    is($pg->value('SELECT count(*) FROM t', user => 'aurora'), 3, 'the role of the module may read');
    like($pg->psql('DELETE FROM t', user => 'aurora', fails => 1), qr/permission denied/, 'and not write');
    ok(!eval { $pg->psql('SELECT nonsense'); 1 }, 'an error dies');

    my $sleeper = fork();
    if (!$sleeper) {
        eval { $pg->psql('SELECT pg_sleep(30)', user => 'aurora') };
        POSIX::_exit($@ ? 1 : 0);
    }
    for (1 .. 100) {
        last if grep { $_->[1] eq 'active' } $pg->sessions;
        sleep 0.05;
    }
    is($pg->terminate_backends('active'), 1, 'a session is ended from outside');
    waitpid($sleeper, 0);
    isnt($?, 0, 'and its client notices');
    is(scalar(my @none = $pg->sessions), 0, 'none is left');

    my $port = $pg->port;
    $pg->restart;
    is($pg->port, $port, 'a restart keeps the port');
    is($pg->value('SELECT count(*) FROM t'), 3, 'and the data');
    $pid = $pg->pid;
    undef $pg;
    ok(gone($pid, $home), 'it goes with its object');
    leaves_nothing('Aurora::Postgres', 'a die', sub { die "on purpose\n" });
    leaves_nothing('Aurora::Postgres', 'kill -9', sub { kill 'KILL', $$; sleep 10 });
};

subtest 'MariaDB' => sub {
    my $why = Aurora::MariaDB->missing;
    plan skip_all => $why if $why;
    my $db = Aurora::MariaDB->new;
    my ($pid, $home) = ($db->pid, $db->home);
    $db->sql(q{CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, NULL), (2, ''), (3, 'x\ny\tz\\\\')});
    is_deeply([ $db->rows('SELECT a, b FROM t ORDER BY a') ], [ [ 1, undef ], [ 2, '' ], [ 3, "x\ny\tz\\" ] ],
        'rows come back whole, NULL apart from empty');
    is($db->value('SELECT @@character_set_server'), 'utf8mb4', 'it is a Unicode server');
    my ($status, $out) = $db->run_client('SELECT count(*) FROM t', $db->bin('mariadb'), '--no-defaults', '-h',
        '127.0.0.1', '-P', $db->port, '-uaurora', '-paurora', '-N', 'aurora');
    is($out, "3\n", 'the user of the module may read over loopback');
    my ($denied) = $db->run_client('DELETE FROM t', $db->bin('mariadb'), '--no-defaults', '-h', '127.0.0.1',
        '-P', $db->port, '-uaurora', '-paurora', '-N', 'aurora');
    isnt($denied, 0, 'and not write');
    $db->restart;
    is($db->value('SELECT count(*) FROM t'), 3, 'a restart keeps the data');
    $pid = $db->pid;
    undef $db;
    ok(gone($pid, $home), 'it goes with its object');
    leaves_nothing('Aurora::MariaDB', 'a die', sub { die "on purpose\n" });
    leaves_nothing('Aurora::MariaDB', 'kill -9', sub { kill 'KILL', $$; sleep 10 });
};

done_testing;
