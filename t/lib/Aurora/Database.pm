# Aurora::Database - what the private database servers of the tests have in common: a folder and a loopback
# port of their own, an account that is not root, a wait until the server answers, and nothing left behind,
# whether the test ends well, dies or is killed.
#
# A guardian process holds the reading end of a pipe whose writing end only the test holds. When the test is
# gone the guardian stops the server and removes the folder, so even `kill -9` of a test leaves nothing.
package Aurora::Database;

use strict;
use warnings;
use Carp qw(croak);
use Fcntl qw(F_GETFD F_SETFD FD_CLOEXEC);
use File::Path qw(remove_tree);
use File::Spec;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

use constant { START_TRIES => 5, START_SECONDS => 60, STOP_SECONDS => 30 };

# ->new(%options): a running server. Options belong to the subclass. Dies with the server's last lines.
sub new {
    my ($class, %option) = @_;
    my $self = bless { %option, owner => $$ }, $class;
    $self->{home} = tempdir($class->prefix . '-XXXXXX', TMPDIR => 1);
    $self->{account} = $self->_account;
    if ($self->{account}) {
        chown($self->{account}{uid}, $self->{account}{gid}, $self->{home})
            or croak "chown $self->{home}: $!";
    }
    $self->_guard;
    $self->install;
    $self->start;
    $self->prepare;
    return $self;
}

sub home { $_[0]{home} }
sub port { $_[0]{port} }
sub pid  { $_[0]{pid} }
sub log_path { File::Spec->catfile($_[0]{home}, 'server.log') }

# Root may not run these servers: the first of the account names that exists does it instead.
sub _account {
    my ($self) = @_;
    return undef if $> != 0;
    for my $name ($self->accounts, 'nobody') {
        my @entry = getpwnam($name) or next;
        return { name => $name, uid => $entry[2], gid => $entry[3] };
    }
    croak 'no unprivileged account to run a database server';
}

sub _guard {
    my ($self) = @_;
    pipe(my $read, my $write) or croak "pipe: $!";
    my $pid = fork();
    croak "fork: $!" unless defined $pid;
    if ($pid == 0) {
        close $write;
        POSIX::setsid();    # the terminal's Ctrl-C is for the test, not for who cleans up after it
        POSIX::dup2(fileno($read), 0);
        for my $fd (3 .. 255) {
            POSIX::close($fd);
        }
        my $null = POSIX::open(File::Spec->devnull, POSIX::O_WRONLY());
        POSIX::dup2($null, 1);
        POSIX::dup2($null, 2);
        my $seen = '';
        while (1) {
            my $got = POSIX::read(0, my $buffer, 256);
            last if !defined $got || $got == 0;
            $seen .= $buffer;
        }
        # "pid\n" for each start, "0\n" for each stop, "end\n" when nothing is left to do
        my @lines = split /\n/, $seen;
        if (!@lines || $lines[-1] ne 'end') {
            my ($server) = grep { /^\d+$/ } reverse @lines;
            if ($server) {
                kill 'QUIT', $server;
                for (1 .. 50) {
                    last unless kill 0, $server;
                    sleep 0.1;
                }
                kill 'KILL', $server;
            }
            remove_tree($self->{home}, { safe => 0 });
        }
        POSIX::_exit(0);
    }
    close $read;
    my $flags = fcntl($write, F_GETFD, 0);
    fcntl($write, F_SETFD, $flags | FD_CLOEXEC);
    $write->autoflush(1);
    $self->{guard} = $write;
    $self->{guardian} = $pid;
}

# Environment of servers and clients: nothing of the caller's may point them elsewhere.
sub _clean_env {
    delete @ENV{ grep { /^(?:PG|MYSQL|MARIADB)/ } keys %ENV };
    $ENV{LC_ALL} = 'C.UTF-8';
}

# Fork and exec as the unprivileged account, output to the log. Returns the pid.
sub _spawn {
    my ($self, @command) = @_;
    my $pid = fork();
    croak "fork: $!" unless defined $pid;
    return $pid if $pid;

    my $ok = eval {
        _clean_env();
        open(STDIN, '<', File::Spec->devnull) or die "stdin: $!";
        if (my $account = $self->{account}) {
            $) = "$account->{gid} $account->{gid}";
            POSIX::setgid($account->{gid}) or die "setgid: $!";
            POSIX::setuid($account->{uid}) or die "setuid: $!";
            die "still root" if $> == 0 || $< == 0;
        }
        $ENV{HOME} = $self->{home};
        chdir $self->{home} or die "chdir: $!";
        open(STDOUT, '>>', $self->log_path) or die "log: $!";
        open(STDERR, '>&', \*STDOUT) or die "log: $!";
        exec { $command[0] } @command or die "$command[0]: $!";
    };
    print STDERR $@ unless $ok;
    POSIX::_exit(127);
}

# Run to its end as the unprivileged account; dies with the log when it fails.
sub run_as {
    my ($self, @command) = @_;
    waitpid($self->_spawn(@command), 0);
    croak "$command[0] failed:\n" . $self->log_tail if $? != 0;
}

# Run a client as ourselves with `input` on stdin: (exit status, output, error text).
sub run_client {
    my ($self, $input, @command) = @_;
    my @file = map { File::Temp->new } 0 .. 2;
    print { $file[0] } $input;
    $file[0]->flush;
    my $pid = fork();
    croak "fork: $!" unless defined $pid;
    if ($pid == 0) {
        _clean_env();
        open(STDIN,  '<', $file[0]->filename) or POSIX::_exit(126);
        open(STDOUT, '>', $file[1]->filename) or POSIX::_exit(126);
        open(STDERR, '>', $file[2]->filename) or POSIX::_exit(126);
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    waitpid($pid, 0);
    my $status = $?;
    my @text = map {
        open(my $in, '<:raw', $_->filename) or croak "$!";
        local $/;
        my $t = <$in>;
        defined $t ? $t : '';
    } @file[ 1, 2 ];
    return ($status, @text);
}

sub log_tail {
    my ($self) = @_;
    open(my $in, '<', $self->log_path) or return '(no log)';
    my @lines = <$in>;
    splice(@lines, 0, @lines - 30) if @lines > 30;
    return join '', @lines;
}

sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 1)
        or croak "no loopback port: $@";
    return $socket->sockport;
}

sub start {
    my ($self) = @_;
    for my $try (1 .. START_TRIES) {
        $self->{port} ||= $self->free_port;
        $self->{pid} = $self->_spawn($self->server_command);
        print { $self->{guard} } "$self->{pid}\n";
        my $until = time + START_SECONDS;
        while (time < $until) {
            return $self if $self->answers;
            last if waitpid($self->{pid}, POSIX::WNOHANG()) == $self->{pid};
            sleep 0.05;
        }
        croak ref($self) . " does not answer:\n" . $self->log_tail if $self->_alive;
        # somebody else took the port between our look and the server's bind: another one
        delete @$self{qw(pid port)};
    }
    croak ref($self) . " does not start:\n" . $self->log_tail;
}

sub _alive { my ($self) = @_; return $self->{pid} && waitpid($self->{pid}, POSIX::WNOHANG()) == 0 }

# Stop the server; the folder stays, start brings it back on the same port. how: 'fast' or 'kill'.
sub stop {
    my ($self, $how) = @_;
    my $pid = delete $self->{pid} or return;
    kill($how && $how eq 'kill' ? 'KILL' : $self->stop_signal, $pid);
    my $until = time + STOP_SECONDS;
    while (waitpid($pid, POSIX::WNOHANG()) == 0) {
        if (time > $until) {
            kill 'KILL', $pid;
            waitpid($pid, 0);
            last;
        }
        sleep 0.02;
    }
    print { $self->{guard} } "0\n" if $self->{guard};
    return;
}

sub restart { my ($self) = @_; $self->stop; $self->start }

sub DESTROY {
    my ($self) = @_;
    return if !$self->{owner} || $self->{owner} != $$;
    local ($?, $!, $@);
    $self->stop;
    if (my $guard = delete $self->{guard}) {
        remove_tree($self->{home}, { safe => 0 });
        local $SIG{PIPE} = 'IGNORE';
        print {$guard} "end\n";
        close $guard;
        waitpid($self->{guardian}, 0);
    }
}

# First of the paths or globs that can be run.
sub find_program {
    my ($class, $name, @globs) = @_;
    my @found = sort { _version($b) <=> _version($a) } grep { -x $_ } map { glob("$_/$name") } @globs;
    push @found, grep { -x $_ } map { File::Spec->catfile($_, $name) } File::Spec->path,
        qw(/usr/sbin /usr/local/sbin);
    return $found[0];
}

sub _version { my ($path) = @_; return $path =~ m{/(\d+(?:\.\d+)?)/} ? $1 : 0 }

1;
