package Aurora::MakeRun;

# `make run` as somebody at a terminal uses it: in a session of its own, on a free port, ended by Ctrl-C. And what its
# tests need beside it: curl, and waiting for a condition.

use strict;
use warnings;

use Exporter qw(import);
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

use Aurora::Server;

our @EXPORT_OK = qw(free_port make_run wait_for curl);

sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "no port: $!";
    return $socket->sockport;
}

# Start it with these variables (PORT=8099); what it says goes to the file. Returns the pid, which leads its group.
sub make_run {
    my ($log, @variables) = @_;
    unlink $log;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    POSIX::setsid();
    $SIG{INT} = 'DEFAULT';
    delete @ENV{@Aurora::Server::ENVIRONMENT};
    delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS)};
    open STDOUT, '>', $log or POSIX::_exit(127);
    open STDERR, '>&', \*STDOUT or POSIX::_exit(127);
    open STDIN,  '<', '/dev/null' or POSIX::_exit(127);
    exec 'make', '-C', Aurora::Server::repo(), 'run', @variables, 'BUILD=' . Aurora::Server::build() or POSIX::_exit(127);
}

sub wait_for {
    my ($seconds, $done) = @_;
    for (my $end = time + $seconds; time < $end; sleep 0.1) {
        return 1 if $done->();
    }
    return $done->();
}

# What curl printed; in list context its exit code as well.
sub curl {
    my (@arguments) = @_;
    open my $in, '-|', 'curl', '-sS', '--max-time', 60, @arguments or die "curl: $!";
    local $/;
    my $text = <$in> // '';
    close $in;
    return wantarray ? ($text, $? >> 8) : $text;
}

1;
