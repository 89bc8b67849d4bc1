package Aurora::Server;

# A real httpd for one test: private ServerRoot, free loopback port, stopped when the object goes
# out of scope (also on die, exit and the usual signals). Servers of parallel tests share nothing.

use strict;
use warnings;

use Carp qw(croak);
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp ();
use IO::Socket::INET;
use POSIX qw(WNOHANG);
use Scalar::Util qw(weaken);
use Test::More ();
use Time::HiRes qw(sleep time);

use Aurora::HTTP;

# Variables the module reads itself (docs/directives.md): a test sets them or runs without them.
our @ENVIRONMENT = qw(AURORA_DB_DRIVER AURORA_DB_PARAMS ORACLE_MIN_POOL ORACLE_MAX_POOL
    ORACLE_SESSIONS_LIMIT ORACLE_SCHEMA_FILTER PREVIEW_MAX_ROWS EXPORT_EXCEL_MAX_ROWS
    EXPLAIN_PLAN_THRESHOLD QUERY_TIMEOUT_SECONDS PREVIEW_RATE_LIMIT EXPORT_RATE_LIMIT
    EXPORT_QUEUE_MAX ALLOWED_ORIGINS);

# What a crash leaves in the log, whatever noticed it: the parent, a sanitizer, malloc.
our $CRASH = qr/AH00052|exit signal|AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer
               |runtime\ error:|AH00051|AH00050|seg\ fault|double\ free|malloc\(\):|stack\ smashing/x;

my %running;    # address => weak reference, for END

sub asan { return $ENV{AURORA_ASAN} ? 1 : 0 }

# Sanitized code is several times slower: one factor for every wait.
sub patience { return asan() ? 4 : 1 }

sub repo {
    return abs_path(dirname(__FILE__) . '/../../..');
}

sub build { return $ENV{AURORA_BUILD} ? abs_path($ENV{AURORA_BUILD}) : repo() . '/build' }

sub module_path { return build() . '/mod_aurora.so' }

# --- the httpd that is here --------------------------------------------------------------------

sub _apxs {
    my ($name) = @_;
    for my $apxs ($ENV{APXS} || (), qw(apxs apxs2)) {
        my $value = `$apxs -q $name 2>/dev/null`;
        next if $? || !defined $value;
        chomp $value;
        return $value if length $value;
    }
    return undef;
}

my $binary;

sub binary {
    return $binary if $binary;
    my @candidates;
    my ($dir, $name) = (_apxs('SBINDIR'), _apxs('PROGNAME'));
    push @candidates, "$dir/$name" if $dir && $name;
    for my $path (split(/:/, $ENV{PATH} // ''), qw(/usr/sbin /usr/local/sbin)) {
        push @candidates, "$path/apache2", "$path/httpd";
    }
    ($binary) = grep { -x $_ && !-d _ } @candidates;
    return $binary;
}

my $modules;

sub modules_dir {
    $modules //= _apxs('LIBEXECDIR');
    return $modules;
}

sub has_module { my ($name) = @_; return -f modules_dir() . "/mod_$name.so" }

# Why no test can run here, or undef.
sub unavailable {
    return 'no httpd binary (apache2 or httpd) found' unless binary();
    return 'apxs does not tell the module directory'  unless modules_dir();
    return undef;
}

# The MPMs to test under: both, or those named in AURORA_MPM.
sub mpms {
    my @wanted = split /[,\s]+/, $ENV{AURORA_MPM} || 'event,prefork';
    return grep { has_module("mpm_$_") } @wanted;
}

# For the top of a test file: end it, loudly, where nothing can run. A module that does not
# exist is no reason to skip: it is the thing under test.
sub require_or_skip {
    my $why = unavailable();
    $why = 'neither mod_mpm_event nor mod_mpm_prefork is installed' if !$why && !mpms();
    Test::More::plan(skip_all => $why) if $why;
    Test::More::BAIL_OUT(module_path() . ' does not exist: run make first') unless -f module_path();
}

# The account children switch to when the tests run as root.
sub child_user {
    for my $name (qw(www-data apache daemon nobody)) {
        my @pw = getpwnam $name;
        return ($name, scalar getgrgid $pw[3]) if @pw;
    }
    croak 'no unprivileged account found for the children';
}

# --- configuration -----------------------------------------------------------------------------

sub _static_modules {
    my $list = `@{[binary()]} -l 2>/dev/null`;
    return map { $_ => 1 } $list =~ /^\s+mod_(\w+)\.c/mg;
}

my %static;

# Options: mpm, port, db (SQLite file) or params, driver, conf (server text), location (text inside the
# <Location>), extra (text after it), base, modules (list), children (at most so many), no_location,
# no_db, log_level, timeout, bare (nothing of ours: the text in conf is all there is besides the server's
# own lines).
sub _config_text {
    my ($root, $port, %o) = @_;
    my $mpm  = $o{mpm} || (mpms())[0];
    my $base = $o{base} // '/aurora';
    %static = _static_modules() unless %static;

    my @text = (qq{ServerRoot "$root"}, qq{PidFile "$root/httpd.pid"}, 'ServerName 127.0.0.1',
        "Listen 127.0.0.1:$port", qq{DefaultRuntimeDir "$root"});
    for my $name ("mpm_$mpm", qw(unixd log_config authz_core authn_core), @{ $o{modules} || [] }) {
        next if $static{$name};
        push @text, "LoadModule ${name}_module " . modules_dir() . "/mod_$name.so";
    }
    push @text, 'LoadModule aurora_module ' . module_path() unless $o{no_module};
    if ($> == 0) {
        my ($user, $group) = child_user();
        push @text, "User $user", "Group $group";
    }
    my $n = $o{children};
    if ($mpm eq 'prefork') {
        my $max = $n || 8;
        my $start = $n || 2;
        push @text, "StartServers $start", 'MinSpareServers 1', "MaxSpareServers $max",
            "ServerLimit $max", "MaxRequestWorkers $max";
    }
    else {
        my $max = $n || 4;
        my $threads = $o{threads} || 16;
        push @text, 'StartServers ' . ($n || 1), "ServerLimit $max", "ThreadsPerChild $threads",
            "ThreadLimit $threads", 'MinSpareThreads 1', 'MaxSpareThreads ' . $threads * ($max + 1),
            'MaxRequestWorkers ' . $threads * $max;
    }
    push @text, 'MaxConnectionsPerChild 0', 'Timeout ' . ($o{timeout} || 20), 'KeepAlive On',
        'KeepAliveTimeout 5', 'MaxKeepAliveRequests 0', qq{DocumentRoot "$root/htdocs"},
        qq{ErrorLog "$root/logs/error.log"}, 'LogLevel ' . ($o{log_level} || 'notice' . ($o{no_module} ? '' : ' aurora:debug')),
        'LogFormat "%m %U%q %>s %B %X cid=%{AURORA_CORRELATION_ID}e sent=%{X-Correlation-ID}o '
        . 'code=%{AURORA_CODE}e rows=%{AURORA_ROWS}e" test', qq{CustomLog "$root/logs/access.log" test};
    unless ($o{bare} || $o{no_db}) {
        push @text, 'AuroraDBDriver ' . ($o{driver} || 'sqlite3');
        my $params = $o{params} // $o{db};
        push @text, qq{AuroraDBParams "$params"} if defined $params;
    }
    push @text, qq{AuroraCatalog "$o{catalog}"} if $o{catalog};
    # Tests ask more often than any user may; those about limits say governed.
    push @text, 'AuroraGovernance log' unless $o{bare} || $o{no_module} || $o{governed};
    push @text, $o{conf} if defined $o{conf};
    unless ($o{bare} || $o{no_location}) {
        push @text, qq{<Location "$base">}, 'SetHandler aurora', 'Require all granted',
            $o{location} // '', '</Location>';
    }
    push @text, $o{extra} if defined $o{extra};
    return join("\n", @text) . "\n";
}

sub _root {
    my $dir = File::Temp->newdir('aurora-XXXXXXXX', TMPDIR => 1);
    chmod 0755, "$dir";
    for my $sub (qw(logs htdocs)) {
        mkdir "$dir/$sub", 0755 or croak "$dir/$sub: $!";
        chmod 0755, "$dir/$sub";
    }
    return $dir;
}

sub _write {
    my ($path, $text) = @_;
    open my $out, '>', $path or croak "$path: $!";
    binmode $out;
    print {$out} $text;
    close $out or croak "$path: $!";
    chmod 0644, $path;
    return $path;
}

sub _free_port {
    my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Proto => 'tcp', Listen => 1)
        or croak "no free port: $!";
    my $port = $s->sockport;
    close $s;
    return $port;
}

# In the new process: only the variables asked for, output into a file, then httpd.
sub _exec {
    my ($out, $env, @args) = @_;
    delete @ENV{@ENVIRONMENT};
    $ENV{LD_LIBRARY_PATH} = build();    # where apr-util finds the driver for Oracle
    $ENV{$_} = $env->{$_} for keys %{ $env || {} };
    $ENV{LD_PRELOAD} = $ENV{AURORA_PRELOAD} if $ENV{AURORA_PRELOAD};
    POSIX::setsid();    # prefork stops its whole process group, and that must not be the test's
    open STDIN,  '<', '/dev/null';
    open STDOUT, '>>', $out;
    open STDERR, '>&', \*STDOUT;
    exec { $args[0] } @args or POSIX::_exit(127);
}

sub slurp {
    my ($path) = @_;
    open my $in, '<', $path or return '';
    binmode $in;
    local $/;
    return scalar(<$in>) // '';
}

# --- configtest --------------------------------------------------------------------------------

# Run `httpd -t` with such a configuration. Returns exit code (128+n for signal n) and output.
sub configtest {
    my ($class, %o) = @_;
    my $root = _root();
    my $conf = _write("$root/httpd.conf", _config_text("$root", 9, %o));
    my $out  = "$root/console";
    my $pid  = fork // croak "fork: $!";
    _exec($out, $o{env}, binary(), '-t', '-f', $conf) unless $pid;
    waitpid $pid, 0;
    my $exit = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    return ($exit, slurp($out) . slurp("$root/logs/error.log"));
}

# --- a running server --------------------------------------------------------------------------

sub start {
    my ($class, %o) = @_;
    for my $attempt (1 .. 5) {
        my $self = $class->_start_once(%o);
        return $self if ref $self;
        next if $self =~ /could not bind|Address already in use/;
        croak "httpd did not start:\n$self";
    }
    croak 'no port could be bound in five attempts';
}

# As start, but for configurations that must fail: returns (exit code, console and log).
# The exit code is undef when the server came up after all; it is stopped again then.
sub start_failing {
    my ($class, %o) = @_;
    my $self = $class->_start_once(%o);
    if (ref $self) {
        my $log = $self->error_log;
        $self->stop;
        return (undef, $log);
    }
    my ($exit, $text) = $self =~ /^exit (\d+)\n(.*)/s;
    return ($exit, $text);
}

sub _start_once {
    my ($class, %o) = @_;
    my $root = _root();
    my $port = _free_port();
    my $self = bless {
        root => $root, port => $port, base => $o{base} // '/aurora', owner => $$, options => \%o,
        mpm  => $o{mpm} || (mpms())[0],
    }, $class;
    $self->{conf} = _write("$root/httpd.conf", _config_text("$root", $port, %o));
    my $pid = fork // croak "fork: $!";
    _exec("$root/console", $o{env}, binary(), '-f', $self->{conf}, '-D', 'FOREGROUND') unless $pid;
    $self->{pid} = $pid;
    $running{ 0 + $self } = $self;
    weaken $running{ 0 + $self };

    my $until = time + 20 * patience();
    while (time < $until) {
        my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 1);
        if ($s && !$self->_gone) {
            close $s;
            # A listening socket is the parent's; an answer needs a child.
            my $r = eval { $self->http->get("$self->{base}/health") };
            return $self if $r && $r->{status};
        }
        if ($self->_gone) {
            my $code = $self->{exit};
            delete $running{ 0 + $self };
            $code = $code & 127 ? 128 + ($code & 127) : $code >> 8;
            return "exit $code\n" . slurp("$root/console") . slurp("$root/logs/error.log");
        }
        sleep 0.02;
    }
    my $log = slurp("$root/console") . slurp("$root/logs/error.log");
    $self->stop;
    croak "httpd did not answer in time:\n$log";
}

sub _gone {
    my ($self) = @_;
    return 1 unless $self->{pid};
    if (waitpid($self->{pid}, WNOHANG) == $self->{pid}) {
        $self->{exit} = $?;
        $self->{pid}  = 0;
        return 1;
    }
    return 0;
}

sub port { return $_[0]{port} }
sub pid  { return $_[0]{pid} }
sub root { return "$_[0]{root}" }
sub base { return $_[0]{base} }
sub mpm  { return $_[0]{mpm} }
sub url  { my ($self, $path) = @_; return "http://127.0.0.1:$self->{port}$self->{base}$path" }

# A client; paths are absolute ones of the server.
sub http {
    my ($self, %o) = @_;
    return Aurora::HTTP->new(port => $self->{port}, base => $self->{base},
        timeout => 30 * patience(), %o);
}

sub error_log  { return slurp("$_[0]{root}/logs/error.log") }
sub access_log { return slurp("$_[0]{root}/logs/access.log") }

# Logs are written after the answer has left: wait for what must come. Returns the log.
sub wait_for_log {
    my ($self, $which, $pattern, $seconds) = @_;
    my $until = time + ($seconds || 5) * patience();
    my $text;
    do {
        $text = $which eq 'access' ? $self->access_log : $self->error_log;
        return $text if $text =~ $pattern;
        sleep 0.02;
    } while (time < $until);
    return $text;
}

# Wait until code answers true; returns its last answer.
sub wait_until {
    my ($self, $code, $seconds) = @_;
    my $until = time + ($seconds || 10) * patience();
    my $answer;
    while (1) {
        $answer = $code->();
        return $answer if $answer || time > $until;
        sleep 0.05;
    }
}

sub children {
    my ($self) = @_;
    return sort { $a <=> $b } split ' ', `ps -o pid= --ppid $self->{pid}`;
}

# Resident set of a process in KiB.
sub rss {
    my ($self, $pid) = @_;
    return $1 if slurp("/proc/$pid/smaps_rollup") =~ /^Rss:\s+(\d+) kB/m;
    return $1 if slurp("/proc/$pid/status") =~ /^VmRSS:\s+(\d+) kB/m;
    return undef;
}

# Largest resident set of the children, in KiB.
sub rss_max {
    my ($self) = @_;
    my ($max) = sort { $b <=> $a } grep { defined } map { $self->rss($_) } $self->children;
    return $max;
}

sub generations {
    my ($self) = @_;
    my $n = () = $self->error_log =~ /resuming normal operations/g;
    return $n;
}

# Graceful restart; returns once the new generation has children of its own. True on success.
sub graceful {
    my ($self) = @_;
    my $before = $self->generations;
    my %old = map { $_ => 1 } $self->children;
    kill USR1 => $self->{pid};
    return $self->wait_until(sub {
        $self->generations > $before && grep { !$old{$_} } $self->children;
    }, 20);
}

# Change the configuration file for the next (graceful) restart.
sub rewrite {
    my ($self, %o) = @_;
    %{ $self->{options} } = (%{ $self->{options} }, %o);
    _write($self->{conf}, _config_text("$self->{root}", $self->{port}, %{ $self->{options} }));
}

sub stop {
    my ($self) = @_;
    return if !$self->{pid} || $self->{owner} != $$;
    delete $running{ 0 + $self };
    my @children = $self->children;
    kill TERM => $self->{pid};
    my $until = time + 10 * patience();
    sleep 0.01 while !$self->_gone && time < $until;
    if ($self->{pid}) {
        kill KILL => $self->{pid}, @children;
        waitpid $self->{pid}, 0;
        $self->{exit} = $?;
        $self->{pid}  = 0;
        $self->{stop_failed} = 1;
    }
    return 1;
}

sub crashes {
    my ($self) = @_;
    return grep { /$CRASH/ } split /\n/, $self->error_log . slurp("$self->{root}/console");
}

# The end of every test: stop, and hold the server to having survived. One test.
sub finish {
    my ($self, $name) = @_;
    $name //= "the $self->{mpm} server survived and stops when told";
    my $alive = $self->{pid} && !$self->_gone;
    $self->stop;
    my @bad = $self->crashes;
    push @bad, 'the parent had died before the end of the test' unless $alive;
    push @bad, 'did not stop within ten seconds of TERM' if $self->{stop_failed};
    my $ok = Test::More::ok(!@bad, $name);
    Test::More::diag(join "\n", @bad) unless $ok;
    if (!$ok && $ENV{AURORA_KEEP_LOG}) {
        Test::More::diag($self->error_log);
    }
    return $ok;
}

sub DESTROY {
    my ($self) = @_;
    local ($@, $?, $!);
    $self->stop;
}

sub _stop_all {
    $_->stop for grep { defined } values %running;
}

$SIG{$_} ||= sub { exit 1 } for qw(INT TERM HUP);
$SIG{PIPE} = 'IGNORE';

END {
    local $?;
    _stop_all();
}

1;
