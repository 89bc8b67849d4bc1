# Exports touch no disk: strace of the whole server over ten exports of each format sees no file made, opened for writing
# or written outside memory, but the logs.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Aurora::Data;
use Aurora::Server;

Aurora::Server::require_or_skip();
plan skip_all => 'strace is not installed' if system('strace -V >/dev/null 2>&1') != 0;
plan skip_all => 'strace and sanitizers do not get on' if Aurora::Server::asan();
plan skip_all => 'processes cannot be traced here' if system('strace -qq -o /dev/null true 2>/dev/null') != 0;

my $folder = Aurora::Data::folder();
my $db     = Aurora::Data::sqlite_create("$folder/nodisk.db", more => Aurora::Data::long_table('LONG_TABLE', 20_000));

# The calls by which a file comes into being or is changed by its name.
use constant CALLS => 'open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mknod,mknodat,truncate,memfd_create,write,pwrite64,writev,pwritev';

sub traced {
    my ($server, $work) = @_;
    my $trace = "$folder/trace";
    my @pids = ($server->pid, $server->children);
    my $pid = fork // die $!;
    if (!$pid) {
        open STDERR, '>', "$folder/strace.err";
        exec 'strace', '-f', '-y', '-qq', '-s', '0', '-e', 'trace=' . CALLS, '-o', $trace, map({ ('-p', $_) } @pids) or POSIX::_exit(127);
    }
    my $attached = sub { !grep { Aurora::Server::slurp("/proc/$_/status") !~ /^TracerPid:\s+[1-9]/m } @pids };
    $server->wait_until($attached, 10);
    ok($attached->(), 'the whole server is being watched');
    $work->();
    sleep 0.3;
    kill INT => $pid;
    waitpid $pid, 0;
    return split /\n/, Aurora::Server::slurp($trace);
}

# What a line of the trace does to a file that lies on a disk; undef when nothing.
sub touches {
    my ($line, $root) = @_;
    my ($call, $args) = $line =~ /^\d+\s+(?:<\.\.\. )?(\w+)\((.*)/ or return undef;
    if ($call =~ /^p?write/) {
        my ($path) = $args =~ m{^\d+<([^>]*)>} or return undef;
        return undef if $path =~ m{^(?:socket|pipe|anon_inode|TCP|TCPv6|UNIX)[:\[]} || $path =~ m{^/memfd:|^/dev/(?!.*/\.\.)} || $path =~ m{^\Q$root\E/logs/};
        return "writes $path";
    }
    return undef if $args =~ /= -1 E/;
    return undef if $call =~ /^open/ && $args !~ /O_(?:WRONLY|RDWR|CREAT|TRUNC)/;
    return undef if $call =~ /^open/ && $args =~ m{"/dev/(?:null|urandom)"};
    return "$call($args" if $call !~ /^p?write/;
    return undef;
}

# The judge itself.
ok(defined touches($_, '/srv'), "seen: $_") for '1 openat(AT_FDCWD, "/tmp/x", O_RDWR|O_CREAT, 0600) = 3</tmp/x>', '1 write(5</tmp/x>, ""..., 9) = 9', '1 mkdir("/tmp/y", 0700) = 0',
    '1 pwrite64(5</srv/data>, ""..., 9, 0) = 9';
ok(!defined touches($_, '/srv'), "let pass: $_") for '1 openat(AT_FDCWD, "/tmp/x", O_RDONLY|O_CLOEXEC) = 3', '1 writev(7<TCP:[127.0.0.1:80->127.0.0.1:99]>, ...) = 9',
    '1 write(5</srv/logs/error.log>, ""..., 9) = 9', '1 write(9</memfd:aurora (deleted)>, ""..., 9) = 9', '1 openat(AT_FDCWD, "/etc/none", O_RDWR) = -1 ENOENT (No such file or directory)';

for my $mpm (Aurora::Server->mpms) {
    my $server = Aurora::Server->start(mpm => $mpm, db => $db, children => 1);
    my $http = $server->http;
    $http->export({ dataset => 'LONG_TABLE' }, query => "?format=$_") for qw(csv xlsx);    # connections and caches are made
    my $bad = 0;
    my @lines = traced($server, sub {
        for (1 .. 10) {
            for my $format (qw(csv xlsx)) {
                my $r = $http->export({ dataset => 'LONG_TABLE', sorting => [ { column => 'NOTE', direction => 'DESC' } ] }, query => "?format=$format&about=1");
                $bad++ unless $r->{status} == 200 && $r->{complete};
            }
        }
    });
    is($bad, 0, "$mpm: twenty exports, sorted by what has no index");
    ok((grep {/write/} @lines), "$mpm: their writes are in the trace");
    my $root = $server->root;
    my @touched = grep {defined} map { touches($_, $root) } @lines;
    is(scalar @touched, 0, "$mpm: no file was made or written but in memory") or diag(join "\n", @touched[ 0 .. ($#touched < 9 ? $#touched : 9) ]);
    $server->finish;
}

# The start: libxlsxwriter's design goes to memory, and is gone.
{
    my %before = map { $_ => 1 } glob '/dev/shm/* /dev/shm/.*';
    my $server = Aurora::Server->start(db => $db, children => 1);
    is($server->http->export({ dataset => 'REGIONS' }, query => '?format=xlsx')->{status}, 200, 'a workbook is made');
    my @left = grep { !$before{$_} && /tmp|xlsx|\.\d/ } glob '/dev/shm/*';
    is("@left", '', 'nothing of its design is left in the folder in memory');
    $server->finish;
}
done_testing();
