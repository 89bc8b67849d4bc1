package Aurora::Readers;

# Programs that read what exports write: which of them are here, and what they find. Their sides are in t/readers.

use strict;
use warnings;

use Carp qw(croak);
use POSIX ();
use Test::More ();

use Aurora::Server;

my $PYTHON = '/usr/bin/python3';    # the one that Debian's packages are for

sub home { return Aurora::Server::repo() . '/t/readers' }

# Where `make readers` has put the packages of npm.
sub modules { return $ENV{AURORA_NPM} // Aurora::Server::build() . '/npm' }

sub _quiet { return system("@_ >/dev/null 2>&1") == 0 }

my %HERE = (
    openpyxl    => sub { _quiet("$PYTHON -c 'import openpyxl'") },
    libreoffice => sub { _quiet('soffice --version') },
    sheetjs     => sub { _quiet('node --version') && -d modules() . '/node_modules/xlsx' },
    exceljs     => sub { _quiet('node --version') && -d modules() . '/node_modules/exceljs' },
);

my @all;

sub all     { @all = grep { $HERE{$_}->() } sort keys %HERE unless @all; return @all }
sub missing { my %here = map { $_ => 1 } all(); return grep { !$here{$_} } sort keys %HERE }

sub keep {
    my ($path, $bytes) = @_;
    open my $out, '>:raw', $path or croak "$path: $!";
    print {$out} $bytes;
    close $out or croak "$path: $!";
    return $path;
}

# Seconds: LibreOffice takes minutes for a hundred thousand rows where others are busy, too.
use constant PATIENCE => 900;

# Run a script of t/readers; returns exit status and what it said.
sub _run {
    my ($script, @args) = @_;
    my $pid = open(my $said, '-|') // croak "fork: $!";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        $ENV{PYTHONDONTWRITEBYTECODE} = 1;
        exec 'timeout', PATIENCE, $PYTHON, home() . "/$script", @args or POSIX::_exit(127);
    }
    local $/;
    my $text = <$said> // '';
    close $said;
    utf8::decode($text);
    $text .= "no end after @{[ PATIENCE ]} s\n" if $? >> 8 == 124;
    return ($? >> 8, $text);
}

sub _test {
    my ($name, $script, @args) = @_;
    my ($status, $said) = _run($script, @args);
    local $Test::Builder::Level = $Test::Builder::Level + 2;
    return Test::More::ok($status == 0, $name) || Test::More::diag($said);
}

sub sound { my ($file, $name) = @_; return _test($name, 'package.py', $file) }

sub agrees {
    my ($reader, $file, $db, $query, $name) = @_;
    return _test($name, 'check.py', $reader, $file, $db, $query, modules());
}

sub csv_agrees { my ($file, $db, $query, $name) = @_; return _test($name, 'check_csv.py', $file, $db, $query) }

sub random_tables {
    my ($path, $seed, $count) = @_;
    my ($status, $said) = _run('random_tables.py', $path, $seed, $count);
    croak $said if $status;
    chmod 0644, $path;
    return $path;
}

# The bytes of one part.
sub part {
    my ($file, $name) = @_;
    $name =~ s/([\[\]*?])/\\$1/g;
    open my $in, '-|', 'unzip', '-p', $file, $name or croak "unzip: $!";
    binmode $in;
    local $/;
    my $text = <$in> // '';
    close $in;
    return $text;
}

1;
