package Aurora::Chromium;

# A headless browser, told what to do over its DevTools pipe: one JSON message and a NUL byte each, on descriptors 3 and 4.
#
#   my $why = Aurora::Chromium->missing;                 # why it cannot be had here, or undef
#   my $browser = Aurora::Chromium->start($folder);      # downloads land in $folder/downloads
#   $browser->visit('http://…');                         # a page, once it has loaded
#   $browser->evaluate('document.title');                # what a script answers
#   my $d = $browser->downloaded;                        # {state, name, path} of the next download to end
#
# Gone with the object.

use strict;
use warnings;

use Carp qw(croak);
use Fcntl qw(F_SETFD);
use IO::Select;
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

use Aurora::JSON ();
use Aurora::Server ();

sub missing {
    return system('chromium --version >/dev/null 2>&1') == 0 ? undef : 'chromium is not installed (make readers)';
}

sub start {
    my ($class, $folder) = @_;
    my $self = bless { folder => $folder, id => 0, buffer => '', events => [], wait => 30 * Aurora::Server::patience(), owner => $$ }, $class;
    mkdir "$folder/downloads";
    pipe my $commands, $self->{to}   or croak "pipe: $!";
    pipe $self->{from}, my $answers  or croak "pipe: $!";
    $self->{pid} = fork // croak "fork: $!";
    _exec($commands, $answers, $folder) unless $self->{pid};
    close $_ for $commands, $answers;
    $self->{to}->autoflush(1);
    binmode $_ for @$self{qw(to from)};
    $self->call('Browser.setDownloadBehavior', { behavior => 'allow', downloadPath => "$folder/downloads", eventsEnabled => Aurora::JSON::true() });
    my $target = $self->call('Target.createTarget', { url => 'about:blank' })->{targetId};
    $self->{session} = $self->call('Target.attachToTarget', { targetId => $target, flatten => Aurora::JSON::true() })->{sessionId};
    $self->call('Page.enable');
    return $self;
}

# In the new process, in a group of its own: it has children.
sub _exec {
    my ($commands, $answers, $folder) = @_;
    POSIX::setpgid(0, 0);
    # the two must not stand in each other's way on theirs
    my ($in, $out) = (POSIX::dup(fileno $commands), POSIX::dup(fileno $answers));
    ($in, $out) = map { my $fd = $_; $fd = POSIX::dup($fd) while $fd < 5; $fd } $in, $out;
    POSIX::dup2($in, 3);
    POSIX::dup2($out, 4);
    $^F = 4;
    open STDIN,  '<', '/dev/null';
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', "$folder/chromium.err";
    delete @ENV{qw(http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY)};
    exec 'timeout', '--foreground', '300', 'chromium', '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
        '--remote-debugging-pipe', "--user-data-dir=$folder/profile", 'about:blank' or POSIX::_exit(127);
}

# --- messages --------------------------------------------------------------------------------------

# The next message, or undef once the time is over.
sub _message {
    my ($self, $until) = @_;
    while (1) {
        return Aurora::JSON::decode($1) if $self->{buffer} =~ s/\A([^\0]*)\0//;
        my $left = $until - time;
        return undef unless $left > 0 && IO::Select->new($self->{from})->can_read($left);
        sysread($self->{from}, $self->{buffer}, 65536, length $self->{buffer}) or return undef;
    }
}

# Call a method; its result. Events that come meanwhile are kept.
sub call {
    my ($self, $method, $params) = @_;
    my $id = ++$self->{id};
    my %message = (id => $id, method => $method, params => $params || {});
    $message{sessionId} = $self->{session} if $self->{session};
    print { $self->{to} } Aurora::JSON::encode(\%message) . "\0";
    my $until = time + $self->{wait};
    while (my $said = $self->_message($until)) {
        if (!defined $said->{id}) {
            push @{ $self->{events} }, $said;
        }
        elsif ($said->{id} == $id) {
            croak "$method: " . Aurora::JSON::encode($said->{error}{message}) if $said->{error};
            return $said->{result};
        }
    }
    croak "$method: no answer; " . Aurora::Server::slurp("$self->{folder}/chromium.err");
}

# The parameters of the next event of that name for which the code says yes; undef when none comes.
sub event {
    my ($self, $name, $code) = @_;
    my $until = time + $self->{wait};
    while (1) {
        while (my $said = shift @{ $self->{events} }) {
            return $said->{params} if ($said->{method} // '') eq $name && (!$code || $code->($said->{params}));
        }
        push @{ $self->{events} }, $self->_message($until) // return undef;
    }
}

# --- pages -----------------------------------------------------------------------------------------

sub visit {
    my ($self, $url) = @_;
    $self->{events} = [];
    my $result = $self->call('Page.navigate', { url => $url });
    return $result->{errorText} if $result->{errorText};    # a download ends a navigation, too
    return $self->event('Page.loadEventFired') ? undef : 'the page did not load';
}

sub evaluate {
    my ($self, $script) = @_;
    return $self->call('Runtime.evaluate', { expression => $script, returnByValue => Aurora::JSON::true(), userGesture => Aurora::JSON::true() })->{result}{value};
}

# The next download to end: "completed" or "canceled".
sub downloaded {
    my ($self) = @_;
    my $begun = $self->event('Browser.downloadWillBegin') || return { state => 'none' };
    my $ended = $self->event('Browser.downloadProgress', sub { $_[0]{guid} eq $begun->{guid} && $_[0]{state} ne 'inProgress' });
    return { state => $ended ? $ended->{state} : 'none', name => $begun->{suggestedFilename}, path => "$self->{folder}/downloads/$begun->{suggestedFilename}" };
}

# Without its pipe it ends by itself.
sub DESTROY {
    my ($self) = @_;
    local ($@, $?, $!);
    return if !$self->{pid} || $self->{owner} != $$;
    close $_ for @$self{qw(to from)};
    my $until = time + 5 * Aurora::Server::patience();
    while (waitpid($self->{pid}, WNOHANG) == 0) {
        kill KILL => -$self->{pid} if time > $until;
        sleep 0.05;
    }
}

1;
