package Aurora::Async;

# Requests side by side: each in a process of its own, answers and times collected afterwards; and clients that
# send, then do nothing, or leave.
#
#   my @jobs = map { Aurora::Async->run(sub { $http->preview(...) }) } 1 .. 20;
#   my @answers = map { $_->wait } @jobs;       # what the code returned, and {took}, {begun}, {ended}

use strict;
use warnings;

use IO::Socket::INET;
use POSIX ();
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Storable qw(freeze thaw);
use Time::HiRes qw(time);

sub run {
    my ($class, $code) = @_;
    pipe my $read, my $write or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        close $read;
        binmode $write;
        $SIG{$_} = 'DEFAULT' for qw(TERM INT);
        my $begun  = time;
        my $answer = eval { $code->() } || { status => 0, error => "$@" };
        @$answer{qw(begun ended took)} = ($begun, time, time - $begun);
        print {$write} freeze($answer);
        close $write;
        POSIX::_exit(0);
    }
    close $write;
    return bless { pid => $pid, read => $read }, $class;
}

sub wait {
    my ($self) = @_;
    return $self->{answer} if $self->{answer};
    binmode $self->{read};
    local $/;
    my $text = readline $self->{read};
    close $self->{read};
    waitpid $self->{pid}, 0;
    delete $self->{pid};
    return $self->{answer} = length($text // '') ? thaw($text) : { status => 0, error => 'no answer', took => 0 };
}

# Leave at once, as a process that is killed does.
sub kill {
    my ($self) = @_;
    return unless $self->{pid};
    CORE::kill('KILL', $self->{pid});
    waitpid delete $self->{pid}, 0;
    return;
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $!, $@);
    $self->kill;
}

# A connection over which such a request has been sent. Options: rcvbuf.
sub send_only {
    my ($class, $server, $route, $body, %o) = @_;
    my $s = IO::Socket::INET->new(Proto => 'tcp') or die "socket: $!";
    setsockopt $s, SOL_SOCKET, SO_RCVBUF, pack('i', $o{rcvbuf}) if $o{rcvbuf};
    connect $s, Socket::pack_sockaddr_in($server->port, Socket::inet_aton('127.0.0.1')) or die "connect: $!";
    my $head = "POST " . $server->base . "/api/v1/query/$route HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        . ($o{id} ? "X-Correlation-ID: $o{id}\r\n" : '') . "Content-Length: " . length($body) . "\r\n\r\n";
    syswrite $s, $head . $body;
    return $s;
}

1;
