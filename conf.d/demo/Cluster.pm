package Cluster;

# A private database server for `make run`: its folder, the account it runs as, its passwords, its start and its end.
# ClusterPgsql and ClusterMysql know the programs. The data stays for the next run and is made anew when the scripts
# that make it, or the server's version, have changed.

use strict;
use warnings;

use Cwd qw(abs_path);
use Digest::SHA;
use Fcntl qw(LOCK_EX LOCK_NB);
use File::Basename qw(basename dirname);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

use constant { START_TRIES => 5, START_SECONDS => 60, STOP_SECONDS => 30, LOG_LINES => 10 };

# dir: where the data is to be.
sub new {
    my ($class, $dir) = @_;
    my $self = bless { place => $dir }, $class;
    make_path(dirname($dir));
    open $self->{lock}, '>', "$dir.lock" or die "$dir.lock: $!\n";
    flock $self->{lock}, LOCK_EX | LOCK_NB or die "another `make run` serves $dir\n";
    $self->{account} = $self->_account;
    $self->_remove_stray;
    $self->{home} = $self->_reachable ? $dir : $self->_elsewhere;
    return $self;
}

sub home { $_[0]{home} }
sub port { $_[0]{port} }
sub log_path { "$_[0]{home}/server.log" }
sub data { "$_[0]{home}/data" }
sub is_new { $_[0]{is_new} }

# Root may not run these servers: the first of the accounts that exists does it instead.
sub _account {
    my ($self) = @_;
    return undef if $> != 0;
    for my $name ($self->accounts, 'nobody') {
        my @entry = getpwnam $name or next;
        return { uid => $entry[2], gid => $entry[3] };
    }
    die "there is no account without rights to run a database server\n";
}

sub _become {
    my ($self) = @_;
    my $account = $self->{account} or return;
    $) = "$account->{gid} $account->{gid}";
    POSIX::setgid($account->{gid}) or die "setgid: $!\n";
    POSIX::setuid($account->{uid}) or die "setuid: $!\n";
}

# Can the account walk down to where the data is to be? Not below a private folder such as root's home.
sub _reachable {
    my ($self) = @_;
    return 1 unless $self->{account};
    my $parent = dirname($self->{place});
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        eval { $self->_become };
        POSIX::_exit($@ || !-x $parent ? 1 : 0);
    }
    waitpid $pid, 0;
    return $? == 0;
}

sub _elsewhere {
    my ($self) = @_;
    my $dir = tempdir('aurora-demo.XXXXXXXX', TMPDIR => 1);
    _write("$self->{place}.elsewhere", 0600, $dir);
    chmod 0711, $dir or die "$dir: $!\n";
    $self->{elsewhere} = $dir;
    return "$dir/db";
}

# What a run that was killed has left.
sub _remove_stray {
    my ($self) = @_;
    my $dir = _slurp("$self->{place}.elsewhere");
    remove_tree($dir) if $dir =~ m{/aurora-demo\.\w+\z};
    unlink "$self->{place}.elsewhere";
}

sub _slurp {
    my ($path) = @_;
    open my $in, '<', $path or return '';
    local $/;
    return scalar(<$in>) // '';
}

# Whole or not at all, and with its rights before its contents.
sub _write {
    my ($path, $mode, $text) = @_;
    unlink "$path.new";
    sysopen my $out, "$path.new", POSIX::O_WRONLY() | POSIX::O_CREAT() | POSIX::O_EXCL(), $mode or die "$path: $!\n";
    print {$out} $text;
    close $out or die "$path: $!\n";
    rename "$path.new", $path or die "$path: $!\n";
}

sub _own {
    my ($self, $path) = @_;
    my $account = $self->{account} or return;
    chown $account->{uid}, $account->{gid}, $path or die "$path: $!\n";
}

sub _stamp {
    my ($self) = @_;
    my $sha = Digest::SHA->new(256);
    my $here = dirname(abs_path(__FILE__));
    $sha->add(basename($_), _slurp($_)) for sort glob("$here/*.pm"), "$here/make-db";
    my $program = $self->program($self->server_program);
    $sha->add(scalar `$program --version`);
    return $sha->hexdigest;
}

# First of the folders' programs of this name.
sub program {
    my ($self, $name) = @_;
    for my $path (map { "$_/$name" } $self->folders, split(/:/, $ENV{PATH} // ''), '/usr/sbin', '/usr/local/sbin') {
        return $path if -x $path && !-d _;
    }
    die "there is no $name\n";
}

# The folder, and an empty database in it, unless last run's is still good.
sub prepare {
    my ($self) = @_;
    my $home = $self->{home};
    return if _slurp("$home/stamp") eq $self->_stamp;
    remove_tree($home, { safe => 0 });
    die "$home cannot be removed; it may be another account's\n" if -e $home;
    mkdir $home, 0700 or die "$home: $!\n";
    $self->_own($home);
    _write("$home/secret", 0600, join ' ', map { $self->_random } 1 .. 2);
    $self->{is_new} = 1;
    $self->install;
}

sub finished_loading {
    my ($self) = @_;
    _write("$self->{home}/stamp", 0644, $self->_stamp);
}

sub _random {
    open my $in, '<:raw', '/dev/urandom' or die "/dev/urandom: $!\n";
    read($in, my $bytes, 16) == 16 or die "/dev/urandom: $!\n";
    return unpack 'H*', $bytes;
}

# Passwords: of the server's administrator, and of the role that Aurora uses.
sub secrets {
    my ($self) = @_;
    my @secret = split ' ', _slurp("$self->{home}/secret");
    die "$self->{home}/secret cannot be read\n" if @secret != 2;
    return @secret;
}

# Fork and exec as the account, in a session of its own (the terminal's Ctrl-C is not for it), output to the log.
sub spawn {
    my ($self, @command) = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    eval {
        POSIX::setsid();
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP CHLD);
        $ENV{HOME} = $self->{home};
        open STDIN, '<', '/dev/null' or die "stdin: $!\n";
        $self->_become;
        chdir $self->{home} or die "$self->{home}: $!\n";
        open STDOUT, '>>', $self->log_path or die $self->log_path, ": $!\n";
        open STDERR, '>&', \*STDOUT or die "$!\n";
        exec { $command[0] } @command or die "$command[0]: $!\n";
    };
    print STDERR $@;
    POSIX::_exit(127);
}

sub run_as {
    my ($self, @command) = @_;
    waitpid $self->spawn(@command), 0;
    die "$command[0] failed:\n" . $self->log_tail if $?;
}

sub log_tail {
    my ($self) = @_;
    my @lines = split /^/, _slurp($self->log_path);
    splice @lines, 0, @lines - LOG_LINES if @lines > LOG_LINES;
    return join '', @lines;
}

# Run shell commands as ourselves, with more in the environment.
sub pipeline {
    my ($self, $env, $command) = @_;
    local %ENV = (%ENV, %$env);
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        POSIX::setsid();
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        exec '/bin/sh', '-c', $command or POSIX::_exit(127);
    }
    $self->{loader} = $pid;
    1 until waitpid($pid, 0) == $pid || $!{ECHILD};
    my $status = $?;
    delete $self->{loader};
    die "loading the data failed (status $status)\n" if $status;
}

sub _free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "no free port: $!\n";
    return $socket->sockport;
}

sub start {
    my ($self) = @_;
    for (1 .. START_TRIES) {
        $self->{port} = _free_port();
        $self->{pid}  = $self->spawn($self->server_command);
        for (my $until = time + START_SECONDS; time < $until; sleep 0.1) {
            return if $self->answers;
            last unless $self->alive;
        }
        die "the database does not answer:\n" . $self->log_tail if $self->alive;
        delete $self->{pid};    # somebody else may have taken the port between our look and its bind
    }
    die "the database does not start:\n" . $self->log_tail;
}

sub alive {
    my ($self) = @_;
    return $self->{pid} && waitpid($self->{pid}, POSIX::WNOHANG()) == 0;
}

# End the server; what was made for this run only goes with it.
sub stop {
    my ($self) = @_;
    kill TERM => -$self->{loader} if $self->{loader};
    if (my $pid = $self->{pid}) {
        kill $self->stop_signal => $pid;
        my $until = time + STOP_SECONDS;
        sleep 0.05 while $self->alive && time < $until;
        if ($self->alive) {
            kill KILL => $pid;
            waitpid $pid, 0;
        }
        delete $self->{pid};
    }
    if ($self->{elsewhere}) {
        remove_tree($self->{elsewhere}, { safe => 0 });
        unlink "$self->{place}.elsewhere";
    }
}

1;
