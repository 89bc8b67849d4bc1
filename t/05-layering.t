#!/usr/bin/perl
# Which folder may include what: the picture in the code map stays true because #include lines are read here.
# Dependencies point one way; the server's headers appear only where the server is met.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Find qw(find);
use Test::More;

my $top = abs_path(dirname(__FILE__) . '/..');

# folder => folders whose headers it may include, besides its own. `module` is mod_aurora.c.
my %may = (
    base    => [],
    observe => [qw(base)],
    catalog => [qw(base)],
    write   => [qw(base)],
    query   => [qw(base catalog)],
    sql     => [qw(base catalog query)],
    govern  => [qw(base observe)],
    db      => [qw(base observe catalog query sql)],
    config  => [qw(base observe catalog write query sql govern db)],
    http    => [qw(base observe catalog write query sql govern db config)],
    module  => [qw(base observe catalog write query sql govern db config http)],
);

# A public header belongs to the folder that has a .c file of its name, else to the one its name begins with
# (sql.h, db_pool.h), else to the one named here.
my %home = (writer => 'write');

# Libraries, by the folders that may know them. APR and the C library are everybody's.
my %library = (
    'jansson.h' => [qw(catalog query db http config)],
    'isa-l.h' => [qw(write)],
    'libpq-fe.h' => [qw(db)],
    'sqlite3.h' => [qw(db sql)],    # sql asks for its version
    'xlsxwriter.h' => [qw(write)],
);

my $server = qr{^(?:httpd|http_\w+|ap_\w+|mpm_common|scoreboard|util_\w+|mod_(?!aurora)\w+)\.h$};
# The few files outside http/ and config/ that meet the server.
my %meets_server = map { $_ => 1 } qw(observe/observe_status.c govern/govern_board.c);
my %server_folder = map { $_ => 1 } qw(http config module);

sub read_includes {
    my ($path) = @_;
    open my $in, '<', $path or die "$path: $!";
    my @found;
    while (<$in>) {
        push @found, [$., $1, $2] if /^\s*#\s*include\s*([<"])([^>"]+)[>"]/;
    }
    close $in;
    return @found;
}

# folder/name.c -> folder; the module's own file has none.
sub folder_of { my ($file) = @_; return $file =~ m{^(\w+)/} ? $1 : 'module' }

# Every unit's folder by its stem, for aurora/STEM.h.
sub header_homes {
    my ($files, $headers) = @_;
    my %found = %home;
    for my $file (@$files) {
        $found{$1} = folder_of($file) if $file =~ m{(\w+)\.c$};
    }
    for my $header (@$headers) {
        next if defined $found{$header};
        my ($prefix) = $header =~ m{^([a-z]+)};
        $found{$header} = $prefix if $may{$prefix};
    }
    return map { ($_ => $found{$_}) } @$headers;
}

# What is wrong with one include; undef when nothing is.
sub judge {
    my ($folder, $file, $quote, $name, $homes, $is_private) = @_;
    if ($name =~ m{^aurora/(\w+)\.h$}) {
        my $owner = $homes->{$1};
        return "aurora/$1.h belongs to no folder" unless defined $owner;
        return undef if $owner eq $folder || grep { $_ eq $owner } @{ $may{$folder} };
        return "$folder/ must not know $owner/";
    }
    if ($name =~ $server) {
        return undef if $server_folder{$folder} || $meets_server{$file};
        return 'the server is met in http/, config/ and a few named files only';
    }
    if (my $allowed = $library{$name}) {
        return undef if grep { $_ eq $folder } @$allowed;
        return "$name is for " . join(', ', @$allowed);
    }
    if ($quote eq '"') {
        return undef if $name eq 'mod_aurora.h' && ($server_folder{$folder} || $meets_server{$file});
        return undef if $is_private->($folder, $name);
        return "a private header lies beside its .c files, in $folder/";
    }
    return undef;
}

# --- the checker itself ---------------------------------------------------------------------------

{
    my %homes = header_homes([qw(base/cell.c db/db_conn.c http/route.c)], [qw(cell db_conn route sql_text lost)]);
    my $private = sub { my ($folder, $name) = @_; return $folder eq 'db' && $name =~ m{^(?:db/)?backend\.h$} };
    my @cases = (
        # folder, file, quote, name, fine?
        ['db',      'db/db_conn.c',             '"', 'aurora/cell.h',    1],
        ['base',    'base/cell.c',              '"', 'aurora/cell.h',    1],
        ['base',    'base/cell.c',              '"', 'aurora/db_conn.h', 0],
        ['db',      'db/db_conn.c',             '"', 'aurora/route.h',   0],
        ['config',  'config/config.c',          '"', 'aurora/route.h',   0],
        ['module',  'mod_aurora.c',             '"', 'aurora/route.h',   1],
        ['http',    'http/route.c',             '"', 'aurora/lost.h',    0],
        ['db',      'db/db_conn.c',             '"', 'aurora/sql_text.h', 1],
        ['catalog', 'catalog/names.c',          '"', 'aurora/sql_text.h', 0],
        ['db',      'db/db_conn.c',             '"', 'backend.h',        1],
        ['db',      'db/db_conn.c',             '"', 'db/backend.h',     1],
        ['sql',     'sql/sql.c',                '"', 'db/backend.h',     0],
        ['sql',     'sql/sql.c',                '"', 'backend.h',        0],
        ['sql',     'sql/sql.c',                '"', '../db/backend.h',  0],
        ['db',      'db/db_conn.c',             '<', 'sqlite3.h',        1],
        ['query',   'query/parse.c',            '<', 'sqlite3.h',        0],
        ['db',      'db/db_conn.c',             '<', 'httpd.h',          0],
        ['db',      'db/db_conn.c',             '"', 'http_log.h',       0],
        ['write',   'write/sink.c',             '<', 'util_filter.h',    0],
        ['http',    'http/route.c',             '<', 'httpd.h',          1],
        ['observe', 'observe/observe_status.c', '<', 'mod_status.h',     1],
        ['observe', 'observe/metrics.c',        '<', 'mod_status.h',     0],
        ['base',    'base/cell.c',              '<', 'apr_strings.h',    1],
    );
    for my $case (@cases) {
        my ($folder, $file, $quote, $name, $fine) = @$case;
        my $wrong = judge($folder, $file, $quote, $name, \%homes, $private);
        ok($fine ? !defined $wrong : defined $wrong,
            "the checker " . ($fine ? 'lets' : 'does not let') . " $file include $name");
    }
    # The picture has no cycle: whoever may be included may not include back, at any distance.
    my @bad;
    for my $from (sort keys %may) {
        my %reach;
        my @next = @{ $may{$from} };
        while (defined(my $folder = shift @next)) {
            push @next, @{ $may{$folder} } unless $reach{$folder}++;
        }
        push @bad, $from if $reach{$from};
    }
    is("@bad", '', 'no folder depends on itself through others');
}

# --- the sources ------------------------------------------------------------------------------------

my (@files, @headers);
find({ no_chdir => 1, wanted => sub {
    push @files, $1 if m{^\Q$top\E/mod_aurora/(.*\.[ch])$};
} }, "$top/mod_aurora");
@files = sort @files;
@headers = map { basename($_, '.h') } sort glob "$top/include/aurora/*.h";
cmp_ok(scalar @files, '>', 0, 'there are sources to look at');

my %homes = header_homes(\@files, \@headers);
is(join(' ', grep { !defined $homes{$_} } @headers), '', 'every public header has a unit in one folder');
is(join(' ', grep { !$may{ folder_of($_) } } @files), '', 'every source lies in a folder of the code map');

my $is_private = sub {
    my ($folder, $name) = @_;
    my $place = $folder eq 'module' ? "$top/mod_aurora" : "$top/mod_aurora/$folder";
    return $name =~ m{^(?:\Q$folder\E/)?(\w+\.h)$} && -f "$place/$1";
};

for my $file (@files, map { "include/aurora/$_.h" } @headers) {
    my $public = $file =~ m{^include/};
    my $folder = $public ? $homes{ basename($file, '.h') } : folder_of($file);
    next unless defined $folder && $may{$folder};
    my @wrong;
    for my $include (read_includes($public ? "$top/$file" : "$top/mod_aurora/$file")) {
        my ($line, $quote, $name) = @$include;
        my $why = judge($folder, $file, $quote, $name, \%homes, $is_private);
        push @wrong, "line $line: $name: $why" if defined $why;
    }
    ok(!@wrong, "$file includes what $folder may know") or diag join "\n", @wrong;
}

# The driver for Oracle is nobody's but apr-util's: it knows neither httpd nor the module.
for my $file (sort glob "$top/dbd/*.[ch]") {
    my @wrong = map { "line $_->[0]: $_->[2]" } grep {
        my ($quote, $name) = @$_[1, 2];
        $quote eq '"' ? $name !~ m{^(?:oracle|apr_dbd_oracle)\.h$} : $name =~ $server || $name =~ m{^aurora/}
    } read_includes($file);
    ok(!@wrong, 'dbd/' . basename($file) . ' knows APR and ODPI-C alone') or diag join "\n", @wrong;
}

done_testing();
