package Aurora::HTTP;

# A small HTTP/1.1 client that reports what libraries hide: whether an answer arrived whole, the
# exact bytes, answers to malformed requests. One connection per request unless told to keep it.

use strict;
use warnings;

use Errno ();
use File::Temp ();
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Socket qw(SHUT_WR SOL_SOCKET SO_LINGER SO_RCVBUF);
use Time::HiRes qw(time sleep);

use Aurora::JSON ();

sub new {
    my ($class, %o) = @_;
    return bless { port => $o{port}, base => $o{base} // '/aurora', timeout => $o{timeout} || 30,
        keep => $o{keep} ? 1 : 0 }, $class;
}

# --- requests ----------------------------------------------------------------------------------

sub get    { my ($self, $path, %o) = @_; return $self->request('GET', $path, %o) }
sub head   { my ($self, $path, %o) = @_; return $self->request('HEAD', $path, %o) }

# Routes below the base.
sub api { my ($self, $path, %o) = @_; return $self->get("$self->{base}$path", %o) }

# POST of a Perl structure (or of a string, as it is) as JSON.
sub post {
    my ($self, $path, $body, %o) = @_;
    $body = Aurora::JSON::encode($body) if ref $body;
    my %headers = ('Content-Type' => 'application/json', %{ $o{headers} || {} });
    return $self->request('POST', $path, %o, headers => \%headers, body => $body);
}

sub preview {
    my ($self, $body, %o) = @_;
    my $query = delete $o{query} // '';
    return $self->post("$self->{base}/api/v1/query/preview$query", $body, %o);
}

sub export {
    my ($self, $body, %o) = @_;
    my $query = delete $o{query} // '?format=csv';
    return $self->post("$self->{base}/api/v1/query/export$query", $body, %o);
}

# Options: headers (undef value: not sent), body, sink (code called with each piece of the body
# instead of collecting it), rate (bytes a second), leave_after (close after so many bytes).
sub request {
    my ($self, $method, $path, %o) = @_;
    my %headers = (Host => "127.0.0.1:$self->{port}", 'User-Agent' => 'aurora-test',
        Connection => $self->{keep} ? 'keep-alive' : 'close', %{ $o{headers} || {} });
    my $body = $o{body};
    $headers{'Content-Length'} //= length $body if defined $body && !exists $headers{'Transfer-Encoding'};
    my $raw = "$method $path HTTP/1.1\r\n"
        . join('', map { defined $headers{$_} ? "$_: $headers{$_}\r\n" : () } sort keys %headers)
        . "\r\n" . ($body // '');
    return $self->raw($raw, %o, method => $method);
}

# Send bytes as they are, read one answer. Options as request, and: method (HEAD has no body),
# shutdown (half-close after sending).
sub raw {
    my ($self, $bytes, %o) = @_;
    my $s = $self->{socket};
    delete $self->{socket};
    $s ||= IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Proto => 'tcp',
        Timeout => $self->{timeout});
    return { status => 0, error => "connect: $!", headers => {}, body => '', complete => 0 } unless $s;
    binmode $s;
    $s->sockopt(SO_RCVBUF, $o{rcvbuf}) if $o{rcvbuf};
    my $state = { s => $s, buffer => '', deadline => time + $self->{timeout}, rate => $o{rate}, read => 0 };
    my $sent = 0;
    while ($sent < length $bytes) {
        my $n = syswrite $s, $bytes, 65536, $sent;
        last unless $n;    # the server may answer and close before it has read everything
        $sent += $n;
    }
    shutdown $s, SHUT_WR if $o{shutdown};
    my $answer = _read_answer($state, $o{method} // '', %o);
    $answer->{sent} = $sent;
    if ($self->{keep} && $answer->{complete} && !$answer->{closed}
        && lc($answer->{headers}{connection} // '') ne 'close') {
        $self->{socket} = $s;
        $answer->{kept} = 1;
    }
    else {
        close $s;
    }
    return $answer;
}

# Only send and go away. Option reset: by RST instead of FIN.
sub raw_and_leave {
    my ($self, $bytes, %o) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Proto => 'tcp')
        or return 0;
    syswrite $s, $bytes;
    $s->sockopt(SO_LINGER, pack 'ii', 1, 0) if $o{reset};
    close $s;
    return 1;
}

# --- answers -----------------------------------------------------------------------------------

# More bytes into the buffer; false at end of stream, error or timeout.
sub _fill {
    my ($st) = @_;
    while (1) {
        my $left = $st->{deadline} - time;
        last if $left > 0 && IO::Select->new($st->{s})->can_read($left);
        next if $left > 0 && $!{EINTR};    # a signal is no timeout
        $st->{error} = 'timeout';
        return 0;
    }
    my $want = $st->{rate} ? 16384 : 262144;
    my $piece;
    my $n = sysread($st->{s}, $piece, $want);
    if (!defined $n) {
        $st->{error} = "read: $!";
        return 0;
    }
    if (!$n) {
        $st->{closed} = 1;
        return 0;
    }
    $st->{read} += $n;
    $st->{buffer} .= $piece;
    sleep $n / $st->{rate} if $st->{rate};
    return 1;
}

sub _line {
    my ($st) = @_;
    while (index($st->{buffer}, "\n") < 0) {
        return undef unless _fill($st);
    }
    my $at   = index $st->{buffer}, "\n";
    my $line = substr $st->{buffer}, 0, $at + 1, '';
    $line =~ s/\r?\n\z//;
    return $line;
}

sub _head {
    my ($st) = @_;
    my $line = _line($st);
    return undef unless defined $line && $line =~ m{^HTTP/(\d\.\d) (\d{3})(?: (.*))?$};
    my $answer = { version => $1, status => 0 + $2, reason => $3 // '', headers => {}, lines => [] };
    while (defined(my $header = _line($st))) {
        return $answer if $header eq '';
        push @{ $answer->{lines} }, $header;
        my ($name, $value) = $header =~ /^([^:\s]+):[ \t]*(.*?)[ \t]*$/ or next;
        $name = lc $name;
        $answer->{headers}{$name} =
            defined $answer->{headers}{$name} ? "$answer->{headers}{$name}, $value" : $value;
    }
    return undef;
}

sub _take {
    my ($st, $answer, $bytes, $o) = @_;
    $answer->{bytes} += length $bytes;
    $o->{sink} ? $o->{sink}->($bytes) : ($answer->{body} .= $bytes);
    if (defined $o->{leave_after} && $answer->{bytes} >= $o->{leave_after}) {
        $st->{error} = 'left';
        return 0;
    }
    return 1;
}

# Exactly n bytes; false when they did not all come.
sub _exactly {
    my ($st, $answer, $n, $o) = @_;
    while ($n > 0) {
        return 0 if !length($st->{buffer}) && !_fill($st);
        my $piece = substr $st->{buffer}, 0, $n, '';
        $n -= length $piece;
        return 0 unless _take($st, $answer, $piece, $o);
    }
    return 1;
}

sub _chunked {
    my ($st, $answer, $o) = @_;
    while (1) {
        my $size = _line($st);
        return 0 unless defined $size && $size =~ /^([0-9A-Fa-f]{1,15})\s*(?:;.*)?$/;
        my $n = hex $1;
        if (!$n) {
            while (defined(my $trailer = _line($st))) {
                return 1 if $trailer eq '';
            }
            return 0;
        }
        return 0 unless _exactly($st, $answer, $n, $o);
        my $end = _line($st);
        return 0 unless defined $end && $end eq '';
    }
}

sub _read_answer {
    my ($st, $method, %o) = @_;
    my $answer;
    do {
        $answer = _head($st);
    } while ($answer && $answer->{status} == 100);
    if (!$answer) {
        return { status => 0, headers => {}, body => '', complete => 0, closed => $st->{closed},
            error => $st->{error} // 'no answer' };
    }
    @$answer{qw(body bytes)} = ('', 0);
    my $h = $answer->{headers};
    if ($method eq 'HEAD' || $answer->{status} == 204 || $answer->{status} == 304) {
        $answer->{complete} = 1;
    }
    elsif (lc($h->{'transfer-encoding'} // '') eq 'chunked') {
        $answer->{chunked}  = 1;
        $answer->{complete} = _chunked($st, $answer, \%o);
    }
    elsif (defined $h->{'content-length'}) {
        $answer->{complete} = _exactly($st, $answer, $h->{'content-length'}, \%o);
    }
    else {
        # Ends with the connection: nothing tells a whole answer from a broken one.
        $answer->{unframed} = 1;
        while (length $st->{buffer} || _fill($st)) {
            my $piece = $st->{buffer};
            $st->{buffer} = '';
            last unless _take($st, $answer, $piece, \%o);
        }
        $answer->{complete} = 0;
    }
    $answer->{closed} = $st->{closed} if $st->{closed};
    $answer->{error}  = $st->{error} if $st->{error};
    return $answer;
}

# The decoded JSON body, or undef.
sub json {
    my ($answer) = @_;
    $answer = $_[1] if @_ > 1;
    return eval { Aurora::JSON::decode($answer->{body}) };
}

# --- curl --------------------------------------------------------------------------------------

# Run curl with these arguments (-sS added). Returns {exit, out, err}.
sub curl {
    my (@args) = @_;
    shift @args if ref $args[0] || $args[0] eq __PACKAGE__;
    my ($out, $err) = (File::Temp->new, File::Temp->new);
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        delete @ENV{qw(http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY)};
        open STDOUT, '>', "$out";
        open STDERR, '>', "$err";
        exec 'curl', '-sS', @args or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    my $exit = $? >> 8;
    local $/;
    return { exit => $exit, out => scalar(<$out>) // '', err => scalar(<$err>) // '' };
}

1;
