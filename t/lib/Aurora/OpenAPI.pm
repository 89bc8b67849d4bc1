package Aurora::OpenAPI;

# The description of the interface as tests hold it against the server: what stands in it, and what programs of npm say
# of it. Their sides are in t/openapi.

use strict;
use warnings;

use Carp qw(croak);
use File::Temp ();
use POSIX ();

use Aurora::JSON;
use Aurora::Readers;
use Aurora::Server;

# Why no program of npm can be asked, or undef.
sub missing {
    return 'node is not installed' if system('node --version >/dev/null 2>&1');
    for my $package (qw(ajv ajv-formats @seriousme/openapi-schema-validator @hey-api/openapi-ts @hey-api/client-fetch typescript)) {
        return "$package is not installed (make readers)" unless -d Aurora::Readers::modules() . "/node_modules/$package";
    }
    return undef;
}

sub home { return Aurora::Server::repo() . '/t/openapi' }

# Run node in a folder; returns exit status and what it said.
sub node {
    my ($folder, @args) = @_;
    my $pid = open(my $said, '-|') // croak "fork: $!";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        delete @ENV{qw(http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY)};
        chdir $folder or POSIX::_exit(126);
        exec 'timeout', '300', 'node', @args or POSIX::_exit(127);
    }
    local $/;
    my $text = <$said> // '';
    close $said;
    return ($? >> 8, $text);
}

# The bytes of a document, to be asked about.
sub new {
    my ($class, $bytes) = @_;
    my $dir = File::Temp->newdir('aurora-XXXXXXXX', TMPDIR => 1);
    my $self = bless { dir => $dir, root => Aurora::JSON::decode($bytes), cases => [], names => [] }, $class;
    $self->{file} = Aurora::Readers::keep("$dir/openapi.json", $bytes);
    return $self;
}

sub root { return $_[0]{root} }
sub file { return $_[0]{file} }
sub dir  { return "$_[0]{dir}" }

sub _check {
    my ($self, @args) = @_;
    my ($status, $said) = node("$self->{dir}", home() . '/check.mjs', Aurora::Readers::modules(), @args);
    croak "check.mjs: $said" if $status;
    return Aurora::JSON::decode($said);
}

# undef, or what the validator has against it.
sub defect { my ($self) = @_; return $self->_check('document', $self->{file}) }

# What is wrong with each of [pointer of a schema, value], undef for nothing.
sub verdicts {
    my ($self, @cases) = @_;
    my $file = Aurora::Readers::keep("$self->{dir}/cases.json", Aurora::JSON::encode(\@cases));
    return @{ $self->_check('values', $self->{file}, $file) };
}

sub pointer { return join '', map { my $s = $_; $s =~ s/~/~0/g; $s =~ s{/}{~1}g; "/$s" } @_ }

# Follow a reference within the document.
sub resolve {
    my ($self, $value) = @_;
    while (ref $value eq 'HASH' && defined $value->{'$ref'}) {
        my @steps = map { s{~1}{/}gr =~ s/~0/~/gr } split m{/}, substr $value->{'$ref'}, 2;
        $value = $self->{root};
        $value = $value->{$_} // croak "no $_ in the document" for @steps;
    }
    return $value;
}

# [path, method, operation] of each operation.
sub operations {
    my ($self) = @_;
    my $paths = $self->{root}{paths};
    return map { my $path = $_; map { [ $path, $_, $paths->{$path}{$_} ] } grep { /^(?:get|post|delete)$/ } sort keys %{ $paths->{$path} } } sort keys %$paths;
}

# A path with a value for its parameter.
sub path_for {
    my ($self, $path, %values) = @_;
    $path =~ s/\{(\w+)\}/$values{$1} \/\/ 'x'/ge;
    return $path;
}

1;
